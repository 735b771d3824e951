"""Compiled backward pass of the gated delta rule: the adjoint of `delta_rule_forward`, written by hand.

A task walks its segment from the last chunk to the first and carries dS, the gradient of the state that
leaves a chunk. The states entering the four chunks of a block are rebuilt from the saved one. With u = beta r
and q scaled, in the notation of the forward pass:

    du_j = D[last, j] k_j^T dS + sum_{i>=j} D[i, j] (q_i . k_j) do_i - sum_{i>j} D[i, j] (k_i . k_j) dv_i
    dv_i = beta_i du_i                      (it is also the gradient of r_i)
    dq_i = b_i S do_i + sum_{j<=i} D[i, j] (do_i . u_j) k_j
    dk_i = -b_i S dv_i + D[last, i] dS u_i + sum_{j>=i} D[j, i] (do_j . u_i) q_j
           - sum_{j<i} D[i, j] (dv_i . u_j) k_j - sum_{j>i} D[j, i] (dv_j . u_i) k_j
    dS <- b_last dS + sum_i b_i (q_i do_i^T - k_i dv_i^T)

The gradient of g_t is the sum of all that crosses from the steps before t to step t and those after it. In a
chunk, W[i, j] being what row i reads of what row j wrote, E_i what it reads of the entering state, L_j what
reaches the leaving one from row j and M from the entering state:

    dg_t = sum_{i>=t>j} W[i, j] + sum_{i>=t} E_i + sum_{j<t} L_j + M

Every term has the factor exp(g_t), so nothing cancels: where a step forgets all but exp(-80) the gradient has
as many digits as elsewhere. The difference of two running sums would leave nothing but rounding noise there.
"""

from typing import Any

import numpy as np

from lifecode.ops.cpu.compiled import compiled, compiled_entry
from lifecode.ops.cpu.register_tiles import CHUNK, ONE, add_product, set_product, solve_lower, transpose
from lifecode.ops.cpu.vectors import WIDTH, multiply_add, read, spread, total, write
from lifecode.ops.cpu.workers import next_task
from lifecode.ops.delta_rule.chunk_rows import (
    copy,
    dot,
    dot_columns,
    load_decays,
    load_rows,
    load_state,
    normalise_columns,
    normalised_gradient,
    scale_columns,
    store_rows,
    store_state,
)
from lifecode.ops.delta_rule.forward import OF_KEYS, OF_QUERIES, advance_state
from lifecode.ops.delta_rule.kernel_call import CHUNKS_PER_BLOCK

# Rows of `Workspace.vectors`: L and E.
LEAVING, ENTERING = 4, 5


@compiled
def _gradient_of_writes(work: Any, d_state: Any) -> None:
    """du into `work.d_u`: what the outputs, the leaving state and the later rows of the chunk ask for."""
    set_product(work.kk, work.k_t.T, work.k_t)
    set_product(work.qk, work.q_t.T, work.k_t)
    copy(work.crossing_k, work.kk)
    copy(work.crossing, work.qk)
    for i in range(CHUNK):
        decays = read(work.between, i, 0)
        strength = spread(work.vectors[1, i])
        write(work.kk, i, 0, read(work.kk, i, 0) * (read(work.identity, i, 0) - decays) * strength)
        write(work.qk, i, 0, read(work.qk, i, 0) * decays)
    scale_columns(work.scaled, work.k_t, read(work.between, CHUNK - 1, 0))
    set_product(work.d_u, work.scaled.T, d_state)
    for i in range(CHUNK):
        leaving = spread(np.float32(0.0))
        for j in range(0, work.d_u.shape[1], WIDTH):
            leaving = multiply_add(read(work.d_u, i, j), read(work.solved, i, j), leaving)
        work.vectors[LEAVING, i] = work.vectors[1, i] * total(leaving)
    add_product(work.d_u, ONE, work.qk.T, work.d_out)
    # An upper triangular system read backwards is a lower one.
    solve_lower(work.d_u[::-1], work.kk[::-1, ::-1].T)


@compiled
def _gradient_of_strengths(work: Any) -> None:
    """du . r of each step into row 2 of `vectors`; `d_u` becomes dv = beta du."""
    for i in range(CHUNK):
        strength = spread(work.vectors[1, i])
        with_r = spread(np.float32(0.0))
        for j in range(0, work.d_u.shape[1], WIDTH):
            d_u = read(work.d_u, i, j)
            with_r = multiply_add(d_u, read(work.solved, i, j), with_r)
            write(work.d_u, i, j, d_u * strength)
        work.vectors[2, i] = total(with_r)


@compiled
def _gradient_of_queries_and_keys(work: Any, state: Any, d_state: Any) -> None:
    """dq and dk, transposed, into `work.d_q` and `work.d_k`; W into `work.crossing`, E into `vectors`."""
    start, strength = read(work.vectors, 0, 0), read(work.vectors, 1, 0)
    transpose(work.between_t, work.between)
    transpose(work.v_t, work.d_out)
    set_product(work.d_q, state, work.v_t)
    scale_columns(work.d_q, work.d_q, start)
    entering = dot_columns(work.q_t, work.d_q, spread(np.float32(0.0)))
    # scores[j, i] = D[i, j] (do_i . u_j), the gradient of q_i . k_j.
    set_product(work.scores, work.solved, work.v_t)
    for j in range(CHUNK):
        weights = read(work.between_t, j, 0) * spread(work.vectors[1, j])
        write(work.scores, j, 0, read(work.scores, j, 0) * weights)
    add_product(work.d_q, ONE, work.k_t, work.scores)
    transpose(work.scores_t, work.scores)
    for i in range(CHUNK):
        write(work.crossing, i, 0, read(work.crossing, i, 0) * read(work.scores_t, i, 0))

    transpose(work.v_t, work.d_u)
    set_product(work.d_k, state, work.v_t)
    scale_columns(work.d_k, work.d_k, spread(np.float32(-1.0)) * start)
    write(work.vectors, ENTERING, 0, dot_columns(work.k_t, work.d_k, entering))
    add_product(work.d_k, ONE, work.q_t, work.scores_t)
    # Now the gradient of k_i . k_j, which counts for both of its factors.
    set_product(work.scores, work.solved, work.v_t)
    for j in range(CHUNK):
        weights = (read(work.identity, j, 0) - read(work.between_t, j, 0)) * spread(work.vectors[1, j])
        write(work.scores, j, 0, read(work.scores, j, 0) * weights)
    transpose(work.scores_t, work.scores)
    for i in range(CHUNK):
        of_keys = multiply_add(
            read(work.crossing_k, i, 0), read(work.scores_t, i, 0), read(work.crossing, i, 0)
        )
        write(work.crossing, i, 0, of_keys)
    for j in range(CHUNK):
        write(work.scores, j, 0, read(work.scores, j, 0) + read(work.scores_t, j, 0))
    add_product(work.d_k, ONE, work.k_t, work.scores)
    transpose(work.v_t, work.solved)
    scale_columns(work.v_t, work.v_t, read(work.between, CHUNK - 1, 0) * strength)
    add_product(work.d_k, ONE, d_state, work.v_t)


@compiled
def _retreat_state(work: Any, d_state: Any) -> None:
    """dS of the leaving state becomes dS of the entering one."""
    start = read(work.vectors, 0, 0)
    scale_columns(work.scaled, work.q_t, start)
    add_product(d_state, work.vectors[0, CHUNK - 1], work.scaled, work.d_out)
    scale_columns(work.scaled, work.k_t, spread(np.float32(-1.0)) * start)
    add_product(d_state, ONE, work.scaled, work.d_u)


@compiled
def _gradient_of_decays(work: Any, through: float) -> None:
    """The gradient of each g into row 3 of `vectors`; `through` is what passes the whole chunk."""
    written, earlier = read(work.vectors, LEAVING, 0), spread(np.float32(1.0))
    for t in range(CHUNK - 1, -1, -1):
        # `written` holds of each row what it gives to the rows from t on and to the leaving state.
        written = written + read(work.crossing, t, 0)
        earlier = earlier - read(work.identity, t, 0)
        through += work.vectors[ENTERING, t]
        work.vectors[3, t] = through + total(written * earlier)


@compiled
def _run_task(task: int, inputs: Any, saves: Any, gradients: Any, call: Any, work: Any) -> None:
    group, head = task % call.groups, task // call.groups % call.heads
    segment = call.order[task // (call.groups * call.heads)]
    keys, values = call.key_size, min(call.columns, call.value_size - group * call.columns)
    key_column, value_column = head * keys, head * call.value_size + group * call.columns
    state_row, step = (segment * call.heads + head) * keys, call.step
    rows, group_row = work.k_t.shape[0], group * inputs.q.shape[0]
    origin, length = call.origins[segment], call.lengths[segment]
    d_state, states = work.state, work.states
    load_state(d_state, gradients.final_state, state_row, keys, group * call.columns, values)
    scale, one, share = spread(call.scale), spread(ONE), spread(ONE / call.scale)
    for chunk in range((length + CHUNK - 1) // CHUNK - 1, -1, -1):
        first, count = origin + step * chunk * CHUNK, min(CHUNK, length - chunk * CHUNK)
        slot = chunk % CHUNKS_PER_BLOCK
        if slot == CHUNKS_PER_BLOCK - 1 or (chunk + 1) * CHUNK >= length:
            block = call.blocks[segment] + chunk // CHUNKS_PER_BLOCK
            row = ((block * call.heads + head) * call.groups + group) * rows
            copy(states[:rows], saves.saved[row : row + rows])
            for earlier in range(slot):
                begin = origin + step * (chunk - slot + earlier) * CHUNK
                load_rows(work.stage, inputs.k, begin, step, CHUNK, key_column, keys)
                transpose(work.k_t, work.stage)
                normalise_columns(work.k_t, work.vectors, OF_KEYS, call.norm_eps, one)
                load_rows(work.solved, saves.r, begin, step, CHUNK, value_column, values)
                load_decays(
                    work.between,
                    work.vectors,
                    work.identity,
                    inputs.decay,
                    inputs.beta,
                    begin,
                    step,
                    CHUNK,
                    head,
                )
                state = states[(earlier + 1) * rows : (earlier + 2) * rows]
                copy(state, states[earlier * rows : (earlier + 1) * rows])
                advance_state(state, work.scaled, work.k_t, work.solved, work.between, work.vectors)
        state = states[slot * rows : (slot + 1) * rows]
        load_rows(work.stage, inputs.k, first, step, count, key_column, keys)
        transpose(work.k_t, work.stage)
        normalise_columns(work.k_t, work.vectors, OF_KEYS, call.norm_eps, one)
        load_rows(work.stage, inputs.q, first, step, count, key_column, keys)
        transpose(work.q_t, work.stage)
        normalise_columns(work.q_t, work.vectors, OF_QUERIES, call.norm_eps, scale)
        load_rows(work.solved, saves.r, first, step, count, value_column, values)
        load_rows(work.d_out, gradients.o, first, step, count, value_column, values)
        load_decays(
            work.between, work.vectors, work.identity, inputs.decay, inputs.beta, first, step, count, head
        )

        _gradient_of_writes(work, d_state)
        _gradient_of_strengths(work)
        _gradient_of_queries_and_keys(work, state, d_state)
        _gradient_of_decays(work, work.vectors[0, CHUNK - 1] * dot(d_state, state))
        _retreat_state(work, d_state)
        for i in range(count):
            gradients.beta[group_row + first + i * step, head] = work.vectors[2, i]
            gradients.g[group_row + first + i * step, head] = work.vectors[3, i]
        store_rows(gradients.v, work.d_u, first, step, count, value_column, values)
        normalised_gradient(work.d_q, work.q_t, work.vectors, OF_QUERIES, call, scale, share)
        transpose(work.stage, work.d_q)
        store_rows(gradients.q, work.stage, group_row + first, step, count, key_column, keys)
        normalised_gradient(work.d_k, work.k_t, work.vectors, OF_KEYS, call, one, one)
        transpose(work.stage, work.d_k)
        store_rows(gradients.k, work.stage, group_row + first, step, count, key_column, keys)
    store_state(gradients.initial_state, d_state, state_row, keys, group * call.columns, values)


@compiled_entry
def backward(work: Any, counter: Any, inputs: Any, saves: Any, gradients: Any, call: Any) -> None:
    """Run tasks until the shared counter has passed the last one.

    Args:
        work: `Workspace` of this thread.
        counter: int64 (1,), shared by all threads.
        inputs: `Inputs` of the forward pass.
        saves: `Outputs` of the forward pass.
        gradients: `Gradients`; those of the outputs are read, the others written.
        call: `KernelCall`.
    """
    task = next_task(counter)
    while task < call.tasks:
        _run_task(task, inputs, saves, gradients, call, work)
        task = next_task(counter)
