"""Compiled kernels of the gated delta rule: forward and hand-written adjoint of one (segment, head, columns).

A task walks along its segment in chunks of 16 steps. Its state [K, V] stays in the first-level cache, and a
chunk is a dozen small matrix products (`register_tiles`); 16 steps are one vector of the widest processors.
With D[i, j] the product of the decays over (j, i], b_i that from the chunk's start, S the entering state and
q already scaled:

    r_i = v_i - b_i k_i^T S - sum_{j<i} D[i, j] (k_i . k_j) beta_j r_j        (a triangular solve)
    o_i = b_i q_i^T S + sum_{j<=i} D[i, j] (q_i . k_j) beta_j r_j
    S' = b_last S + sum_j D[last, j] k_j (beta_j r_j)^T

The forward pass keeps r and every fourth state; the backward pass rebuilds the three states between. D is
multiplied up, not exponentiated from sums, so a decay of exp(-50) costs no digits.

The gradient of a log decay needs no pass over the state: <dS_t, S_t> is the gradient of g_{t+1}, and from one
step to the one before it changes by q_t . dq_t - v_t . dv_t. It is read off the states once a chunk, so
rounding errors do not add up along the sequence.

Arrays: q, k [N, H, K]; v, o, r [N, H, V]; decay (= exp(g)), beta [N, H]; states [segments, H, K, V]; `saved`
[blocks of 64 steps, H, groups, K padded, columns padded]; N counts the positions of all rows.
"""

from typing import Any

import numpy as np
from numba import njit

from lifecode.ops.register_tiles import CHUNK, FAST, add_product, set_product, solve_lower, transpose

BLOCK = 4 * CHUNK

_inline = njit(nogil=True, fastmath=FAST, error_model="numpy")


@_inline
def _load_rows(out: Any, x: Any, first: int, step: int, count: int, head: int, begin: int, end: int) -> None:
    """Rows of a chunk, in the order they are run, with zeros for the steps and columns that do not exist."""
    for i in range(CHUNK):
        if i < count:
            for j in range(end - begin):
                out[i, j] = x[first + i * step, head, begin + j]
            for j in range(end - begin, out.shape[1]):
                out[i, j] = 0.0
        else:
            for j in range(out.shape[1]):
                out[i, j] = 0.0


@_inline
def _store_rows(out: Any, x: Any, first: int, step: int, count: int, head: int, begin: int, end: int) -> None:
    for i in range(count):
        for j in range(end - begin):
            out[first + i * step, head, begin + j] = x[i, j]


@_inline
def _load_decays(
    between: Any, start: Any, strength: Any, decay: Any, beta: Any, first: int, step: int, count: int, head: int
) -> None:
    """D, b and beta of a chunk; steps that do not exist keep the state and write nothing."""
    running = np.float32(1.0)
    for i in range(CHUNK):
        factor = decay[first + i * step, head] if i < count else np.float32(1.0)
        strength[i] = beta[first + i * step, head] if i < count else np.float32(0.0)
        running *= factor
        start[i] = running
        for j in range(CHUNK):
            between[i, j] = between[i - 1, j] * factor if j < i else np.float32(0.0)
        between[i, i] = 1.0


@_inline
def _scale_columns(out: Any, x: Any, factors: Any, sign: float) -> None:
    for i in range(x.shape[0]):
        for j in range(CHUNK):
            out[i, j] = x[i, j] * (sign * factors[j])


@_inline
def _weigh(out: Any, between: Any, strength: Any, sign: float) -> None:
    """out[i, j] *= sign * D[i, j] * beta_j."""
    for i in range(CHUNK):
        for j in range(CHUNK):
            out[i, j] *= sign * between[i, j] * strength[j]


@_inline
def _clear_diagonal(x: Any) -> None:
    for i in range(CHUNK):
        x[i, i] = 0.0


@_inline
def _dot(x: Any, y: Any) -> float:
    total = np.float32(0.0)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            total += x[i, j] * y[i, j]
    return total


@_inline
def _copy(out: Any, x: Any) -> None:
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = x[i, j]


@_inline
def _load_state(out: Any, states: Any, segment: int, head: int, begin: int, end: int) -> None:
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            real = i < states.shape[2] and j < end - begin
            out[i, j] = states[segment, head, i, begin + j] if real else np.float32(0.0)


@_inline
def _store_state(states: Any, x: Any, segment: int, head: int, begin: int, end: int) -> None:
    for i in range(states.shape[2]):
        for j in range(end - begin):
            states[segment, head, i, begin + j] = x[i, j]


@_inline
def run_forward(
    inputs: Any, outputs: Any, options: Any, segment: int, head: int, group: int, keep: bool, work: Any
) -> None:
    """Forward pass of the columns of one group of one head of one segment."""
    q, k, v, decay, beta, initial_state = inputs
    o, r, final_state, saved = outputs
    starts, ends, blocks, width, scale, reverse = options
    stage, stage_v, k_t, q_t, scaled, solved, out, kk, qk, between, vectors, state = work[:12]
    start, strength, last = vectors[0], vectors[1], vectors[2]
    begin, end = group * width, min((group + 1) * width, v.shape[2])
    step = -1 if reverse else 1
    length = ends[segment] - starts[segment]
    origin = ends[segment] - 1 if reverse else starts[segment]
    _load_state(state, initial_state, segment, head, begin, end)
    for done in range(0, length, CHUNK):
        first, count = origin + step * done, min(CHUNK, length - done)
        if keep and done % BLOCK == 0:
            _copy(saved[blocks[segment] + done // BLOCK, head, group], state)
        _load_rows(stage, k, first, step, count, head, 0, k.shape[2])
        transpose(k_t, stage)
        _load_rows(stage, q, first, step, count, head, 0, q.shape[2])
        transpose(q_t, stage)
        _load_rows(solved, v, first, step, count, head, begin, end)
        _load_decays(between, start, strength, decay, beta, first, step, count, head)
        for j in range(CHUNK):
            last[j] = between[CHUNK - 1, j] * strength[j]
        set_product(kk, k_t.T, k_t)
        set_product(qk, q_t.T, k_t)
        _weigh(kk, between, strength, -1.0)
        _clear_diagonal(kk)
        _weigh(qk, between, strength, scale)
        _scale_columns(scaled, k_t, start, -1.0)
        add_product(solved, 1.0, scaled.T, state)
        solve_lower(solved, kk)
        _scale_columns(scaled, q_t, start, scale)
        set_product(out, scaled.T, state)
        add_product(out, 1.0, qk, solved)
        _store_rows(o, out, first, step, count, head, begin, end)
        if keep:
            _store_rows(r, solved, first, step, count, head, begin, end)
        _scale_columns(scaled, k_t, last, 1.0)
        add_product(state, start[CHUNK - 1], scaled, solved)
    _store_state(final_state, state, segment, head, begin, end)


@_inline
def _rebuild_states(
    states: Any, inputs: Any, r: Any, options: Any, segment: int, head: int, columns: Any, done: int, work: Any
) -> None:
    """The states entering the later chunks of a block, from the one entering its first."""
    k, decay, beta = inputs[1], inputs[3], inputs[4]
    starts, ends, _, _, _, reverse = options
    stage, stage_v, k_t, _, scaled = work[:5]
    between, vectors = work[9], work[10]
    start, strength, last = vectors[0], vectors[1], vectors[2]
    begin, end = columns
    step = -1 if reverse else 1
    origin = ends[segment] - 1 if reverse else starts[segment]
    chunks = min(BLOCK, ends[segment] - starts[segment] - done) // CHUNK
    for chunk in range(min(chunks, BLOCK // CHUNK - 1)):
        first = origin + step * (done + chunk * CHUNK)
        _load_rows(stage, k, first, step, CHUNK, head, 0, k.shape[2])
        transpose(k_t, stage)
        _load_rows(stage_v, r, first, step, CHUNK, head, begin, end)
        _load_decays(between, start, strength, decay, beta, first, step, CHUNK, head)
        for j in range(CHUNK):
            last[j] = between[CHUNK - 1, j] * strength[j]
        _scale_columns(scaled, k_t, last, 1.0)
        _copy(states[chunk + 1], states[chunk])
        add_product(states[chunk + 1], start[CHUNK - 1], scaled, stage_v)


@_inline
def run_backward(
    inputs: Any, gradients: Any, saves: Any, options: Any, segment: int, head: int, group: int, work: Any
) -> None:
    """Adjoint of `run_forward`; q, k, g and beta get their gradients group by group."""
    q, k, v, decay, beta, _ = inputs
    d_o, d_final, dq, dk, dv, dg, d_beta, d_initial = gradients
    r, final_state, saved = saves
    starts, ends, blocks, width, scale, reverse = options
    stage, stage_v, k_t, q_t, scaled, solved, d_out, kk, qk, between, vectors, _ = work[:12]
    d_u, v_t, d_q, d_k, qr, kr, states, d_state = work[12:]
    start, strength, last, q_dot = vectors[0], vectors[1], vectors[2], vectors[3]
    begin, end = group * width, min((group + 1) * width, v.shape[2])
    step = -1 if reverse else 1
    length = ends[segment] - starts[segment]
    origin = ends[segment] - 1 if reverse else starts[segment]
    _load_state(d_state, d_final, segment, head, begin, end)
    _load_state(states[0], final_state, segment, head, begin, end)
    carry = _dot(d_state, states[0])
    for chunk in range((length + CHUNK - 1) // CHUNK - 1, -1, -1):
        done = chunk * CHUNK
        first, count = origin + step * done, min(CHUNK, length - done)
        slot = chunk % (BLOCK // CHUNK)
        if slot == BLOCK // CHUNK - 1 or done + CHUNK >= length:
            _copy(states[0], saved[blocks[segment] + done // BLOCK, head, group])
            block = done - slot * CHUNK
            _rebuild_states(states, inputs, r, options, segment, head, (begin, end), block, work)
        state = states[slot]
        _load_rows(stage, k, first, step, count, head, 0, k.shape[2])
        transpose(k_t, stage)
        _load_rows(stage, q, first, step, count, head, 0, q.shape[2])
        transpose(q_t, stage)
        for i in range(q_t.shape[0]):
            for j in range(CHUNK):
                q_t[i, j] *= scale
        _load_rows(solved, r, first, step, count, head, begin, end)
        _load_rows(d_out, d_o, first, step, count, head, begin, end)
        _load_rows(stage_v, v, first, step, count, head, begin, end)
        _load_decays(between, start, strength, decay, beta, first, step, count, head)

        # d_u, the gradient of beta_j r_j, from the outputs, the leaving state and the later rows of the chunk.
        set_product(kk, k_t.T, k_t)
        set_product(qk, q_t.T, k_t)
        for i in range(CHUNK):
            for j in range(CHUNK):
                kk[i, j] *= -between[i, j] * strength[i]
                qk[i, j] *= between[i, j]
        _scale_columns(scaled, k_t, between[CHUNK - 1], 1.0)
        set_product(d_u, scaled.T, d_state)
        add_product(d_u, 1.0, qk.T, d_out)
        _clear_diagonal(kk)
        solve_lower(d_u[::-1], kk[::-1, ::-1].T)
        for i in range(count):
            total = np.float32(0.0)
            for j in range(d_u.shape[1]):
                total += d_u[i, j] * solved[i, j]
            d_beta[group, first + i * step, head] = total
        for i in range(CHUNK):
            for j in range(d_u.shape[1]):
                d_u[i, j] *= strength[i]
        _store_rows(dv, d_u, first, step, count, head, begin, end)

        # qr[j, i] = D[i, j] beta_j (r_j . do_i), the gradient of q_i . k_j; kr that of k_i . k_j.
        transpose(v_t, d_out)
        set_product(d_q, state, v_t)
        _scale_columns(d_q, d_q, start, 1.0)
        set_product(kr, solved, v_t)
        for j in range(CHUNK):
            for i in range(CHUNK):
                kr[j, i] *= between[i, j] * strength[j]
        add_product(d_q, 1.0, k_t, kr)
        transpose(qr, kr)
        transpose(v_t, d_u)
        set_product(d_k, state, v_t)
        _scale_columns(d_k, d_k, start, -1.0)
        add_product(d_k, 1.0, q_t, qr)
        set_product(kr, solved, v_t)
        for j in range(CHUNK):
            for i in range(CHUNK):
                kr[j, i] *= -between[i, j] * strength[j]
        _clear_diagonal(kr)
        transpose(qr, kr)
        for i in range(CHUNK):
            for j in range(CHUNK):
                kr[i, j] += qr[i, j]
        add_product(d_k, 1.0, k_t, kr)
        transpose(v_t, solved)
        for j in range(CHUNK):
            last[j] = between[CHUNK - 1, j] * strength[j]
        _scale_columns(v_t, v_t, last, 1.0)
        add_product(d_k, 1.0, d_state, v_t)

        _scale_columns(scaled, q_t, start, 1.0)
        add_product(d_state, start[CHUNK - 1], scaled, d_out)
        _scale_columns(scaled, k_t, start, -1.0)
        add_product(d_state, 1.0, scaled, d_u)

        for j in range(CHUNK):
            q_dot[j] = 0.0
        for i in range(q_t.shape[0]):
            for j in range(CHUNK):
                q_dot[j] += q_t[i, j] * d_q[i, j]
                d_q[i, j] *= scale
        for i in range(count - 1, -1, -1):
            total = np.float32(0.0)
            for j in range(d_u.shape[1]):
                total += d_u[i, j] * stage_v[i, j]
            carry += q_dot[i] - total
            dg[group, first + i * step, head] = carry
        carry = _dot(d_state, state)
        dg[group, first, head] = carry
        transpose(stage, d_q)
        _store_rows(dq[group], stage, first, step, count, head, 0, k.shape[2])
        transpose(stage, d_k)
        _store_rows(dk[group], stage, first, step, count, head, 0, k.shape[2])
    _store_state(d_initial, d_state, segment, head, begin, end)
