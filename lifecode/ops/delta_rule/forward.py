"""Compiled forward pass of the gated delta rule.

A task is one group of value columns of one head of one segment. It walks along the segment in chunks of 16
steps; its state [K, columns] stays in the first-level cache, and a chunk is a handful of small matrix
products. With D[i, j] the product of the decays over (j, i], b_i that from the chunk's start, S the entering
state, q and k normalised where that is asked for, and q scaled:

    r_i = v_i - b_i k_i^T S - sum_{j<i} D[i, j] (k_i . k_j) beta_j r_j        (a triangular solve)
    o_i = b_i q_i^T S + sum_{j<=i} D[i, j] (q_i . k_j) beta_j r_j
    S' = b_last S + sum_j D[last, j] k_j (beta_j r_j)^T

D is multiplied up and not exponentiated from sums, so a decay of exp(-50) costs no digits. For the backward
pass r and the state entering every fourth chunk are kept.
"""

from typing import Any

import numpy as np

from lifecode.ops.cpu.compiled import compiled, compiled_entry
from lifecode.ops.cpu.register_tiles import CHUNK, ONE, add_product, set_product, solve_lower, transpose
from lifecode.ops.cpu.vectors import read, spread, write
from lifecode.ops.cpu.workers import next_task
from lifecode.ops.delta_rule.chunk_rows import (
    copy,
    load_decays,
    load_rows,
    load_state,
    normalise_columns,
    scale_columns,
    store_rows,
    store_state,
)
from lifecode.ops.delta_rule.kernel_call import CHUNKS_PER_BLOCK

# Rows of `Workspace.vectors`: 1 / |q| and 1 / |k|.
OF_QUERIES, OF_KEYS = 6, 7


@compiled
def weigh_scores(kk: Any, qk: Any, between: Any, identity: Any, strength: Any) -> None:
    """kk[i, j] *= -D[i, j] beta_j below the diagonal, qk[i, j] *= D[i, j] beta_j on it too, 0 elsewhere."""
    for i in range(CHUNK):
        decays = read(between, i, 0)
        write(kk, i, 0, read(kk, i, 0) * (read(identity, i, 0) - decays) * strength)
        write(qk, i, 0, read(qk, i, 0) * decays * strength)


@compiled
def advance_state(state: Any, scaled: Any, k_t: Any, solved: Any, between: Any, vectors: Any) -> None:
    """S <- b_last S + sum_j D[last, j] beta_j k_j r_j^T."""
    scale_columns(scaled, k_t, read(between, CHUNK - 1, 0) * read(vectors, 1, 0))
    add_product(state, vectors[0, CHUNK - 1], scaled, solved)


@compiled
def _run_task(task: int, inputs: Any, outputs: Any, call: Any, keep: bool, work: Any) -> None:
    group, head = task % call.groups, task // call.groups % call.heads
    segment = call.order[task // (call.groups * call.heads)]
    keys, values = call.key_size, min(call.columns, call.value_size - group * call.columns)
    key_column, value_column = head * keys, head * call.value_size + group * call.columns
    state_row, step = (segment * call.heads + head) * keys, call.step
    state, k_t, scaled, solved = work.state, work.k_t, work.scaled, work.solved
    load_state(state, inputs.initial_state, state_row, keys, group * call.columns, values)
    scale, one = spread(call.scale), spread(ONE)
    for chunk in range((call.lengths[segment] + CHUNK - 1) // CHUNK):
        first = call.origins[segment] + step * chunk * CHUNK
        count = min(CHUNK, call.lengths[segment] - chunk * CHUNK)
        if keep and chunk % CHUNKS_PER_BLOCK == 0:
            block = call.blocks[segment] + chunk // CHUNKS_PER_BLOCK
            row = ((block * call.heads + head) * call.groups + group) * state.shape[0]
            copy(outputs.saved[row : row + state.shape[0]], state)
        load_rows(work.stage, inputs.k, first, step, count, key_column, keys)
        transpose(k_t, work.stage)
        normalise_columns(k_t, work.vectors, OF_KEYS, call.norm_eps, one)
        load_rows(work.stage, inputs.q, first, step, count, key_column, keys)
        transpose(work.q_t, work.stage)
        normalise_columns(work.q_t, work.vectors, OF_QUERIES, call.norm_eps, scale)
        load_rows(solved, inputs.v, first, step, count, value_column, values)
        load_decays(
            work.between, work.vectors, work.identity, inputs.decay, inputs.beta, first, step, count, head
        )
        start, strength = read(work.vectors, 0, 0), read(work.vectors, 1, 0)

        set_product(work.kk, k_t.T, k_t)
        set_product(work.qk, work.q_t.T, k_t)
        weigh_scores(work.kk, work.qk, work.between, work.identity, strength)
        scale_columns(scaled, k_t, spread(np.float32(-1.0)) * start)
        add_product(solved, ONE, scaled.T, state)
        solve_lower(solved, work.kk)
        scale_columns(scaled, work.q_t, start)
        set_product(work.out, scaled.T, state)
        add_product(work.out, ONE, work.qk, solved)
        store_rows(outputs.o, work.out, first, step, count, value_column, values)
        if keep:
            store_rows(outputs.r, solved, first, step, count, value_column, values)
        advance_state(state, scaled, k_t, solved, work.between, work.vectors)
    store_state(outputs.final_state, state, state_row, keys, group * call.columns, values)


@compiled_entry
def forward(work: Any, counter: Any, inputs: Any, outputs: Any, call: Any, keep: bool) -> None:
    """Run tasks until the shared counter has passed the last one.

    Args:
        work: `Workspace` of this thread.
        counter: int64 (1,), shared by all threads.
        inputs: `Inputs`.
        outputs: `Outputs`, written.
        call: `KernelCall`.
        keep: also write `r` and `saved`, which the backward pass needs.
    """
    task = next_task(counter)
    while task < call.tasks:
        _run_task(task, inputs, outputs, call, keep, work)
        task = next_task(counter)
