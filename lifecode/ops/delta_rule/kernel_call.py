"""What a call of the compiled gated delta rule hands to its kernels: matrices, sizes, tasks, workspace.

N counts the positions of all rows, S the segments, H heads. Every matrix is contiguous by rows and float32;
under bfloat16 inputs q, k, v, o and their gradients are bfloat16, seen as int16.
"""

from typing import NamedTuple

import numpy as np
import torch

from lifecode.ops.cpu.register_tiles import CHUNK

CHUNKS_PER_BLOCK = 4


class Inputs(NamedTuple):
    """Inputs: q, k [N, H K], v [N, H V], decay = exp(g) and beta [N, H], initial_state [S H K, V]."""

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    decay: np.ndarray
    beta: np.ndarray
    initial_state: np.ndarray


class Outputs(NamedTuple):
    """Results: o, r [N, H V], final_state [S H K, V], saved states [blocks H groups K', columns]."""

    o: np.ndarray
    r: np.ndarray
    final_state: np.ndarray
    saved: np.ndarray


class Gradients(NamedTuple):
    """Gradients: o, v [N, H V], q, k [groups N, H K], g, beta [groups N, H], the states [S H K, V]."""

    o: np.ndarray
    final_state: np.ndarray
    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    g: np.ndarray
    beta: np.ndarray
    initial_state: np.ndarray


class Workspace(NamedTuple):
    """Matrices of one thread.

    `vectors` holds b, beta, du . r, dg, L, E, 1 / |q| and 1 / |k| of the steps of a chunk.
    """

    identity: np.ndarray
    between: np.ndarray
    between_t: np.ndarray
    vectors: np.ndarray
    kk: np.ndarray
    qk: np.ndarray
    crossing: np.ndarray
    crossing_k: np.ndarray
    scores: np.ndarray
    scores_t: np.ndarray
    stage: np.ndarray
    k_t: np.ndarray
    q_t: np.ndarray
    scaled: np.ndarray
    d_q: np.ndarray
    d_k: np.ndarray
    solved: np.ndarray
    out: np.ndarray
    d_out: np.ndarray
    d_u: np.ndarray
    v_t: np.ndarray
    state: np.ndarray
    states: np.ndarray


class KernelCall(NamedTuple):
    """Sizes and tasks of one call.

    A task is a head of a segment, the longest segments first. Where these are too few to keep all threads
    busy, the value columns are split into groups: the columns of a state do not depend on one another.

    Attributes:
        tasks: number of tasks.
        heads: H.
        groups: of value columns.
        key_size: K.
        value_size: V.
        columns: of a group, a multiple of 16.
        scale: factor on the queries.
        norm_eps: q and k are divided by sqrt(sum(x^2) + norm_eps) first; 0 leaves them.
        step: 1, or -1 to run each segment from its last position to its first.
        order: (S,) numbers of the segments, the longest first.
        origins: (S,) position at which each segment begins to be run.
        lengths: (S,) positions of each segment.
        blocks: (S + 1,) number of the first block of each segment, of `CHUNKS_PER_BLOCK` chunks each; the
            state that enters a block is saved for the backward pass.
    """

    tasks: int
    heads: int
    groups: int
    key_size: int
    value_size: int
    columns: int
    scale: np.float32
    norm_eps: np.float32
    step: int
    order: np.ndarray
    origins: np.ndarray
    lengths: np.ndarray
    blocks: np.ndarray


def kernel_call(
    borders: tuple[int, ...],
    heads: int,
    key_size: int,
    value_size: int,
    *,
    scale: float,
    norm_eps: float | None,
    reverse: bool,
) -> KernelCall:
    """The sizes of a call, and its tasks for the segments between these borders."""
    edges = np.asarray(borders, dtype=np.int64)
    lengths = np.diff(edges)
    groups = _column_groups(lengths, heads, value_size)
    columns = -(-value_size // (16 * groups)) * 16
    groups = -(-value_size // columns)
    return KernelCall(
        tasks=len(lengths) * heads * groups,
        heads=heads,
        groups=groups,
        key_size=key_size,
        value_size=value_size,
        columns=columns,
        scale=np.float32(scale),
        norm_eps=np.float32(norm_eps or 0.0),
        step=-1 if reverse else 1,
        order=np.argsort(-lengths, kind="stable"),
        origins=edges[1:] - 1 if reverse else edges[:-1].copy(),
        lengths=lengths,
        blocks=np.concatenate([[0], np.cumsum(-(-lengths // (CHUNKS_PER_BLOCK * CHUNK)))]),
    )


def _column_groups(lengths: np.ndarray, heads: int, value_size: int) -> int:
    """Number of column groups that finishes first; every group repeats the work that has no columns."""
    threads, best = torch.get_num_threads(), (float("inf"), 1)
    for groups in (1, 2, 4, 8):
        if groups > 1 and value_size < 16 * groups:
            break
        tasks = max(int((lengths > 0).sum()), 1) * heads * groups
        mean = lengths.sum() * heads / tasks
        time = max(lengths.max() / groups, mean * -(-tasks // threads)) * (1 + 0.2 * (groups - 1))
        best = min(best, (float(time), groups))
    return best[1]


def saved_shape(call: KernelCall) -> tuple[int, int]:
    """Shape of `Outputs.saved`."""
    return int(call.blocks[-1]) * call.heads * call.groups * _padded(call.key_size), call.columns


def make_workspace(call: KernelCall) -> Workspace:
    """Workspace of one thread; torch aligns it to cache lines."""
    keys, columns = _padded(call.key_size), call.columns
    shapes = [(CHUNK, CHUNK)] * 3 + [(8, CHUNK)] + [(CHUNK, CHUNK)] * 6 + [(CHUNK, keys)]
    shapes += [(keys, CHUNK)] * 5 + [(CHUNK, columns)] * 4 + [(columns, CHUNK), (keys, columns)]
    matrices = [
        torch.empty(shape, dtype=torch.float32, device="cpu").numpy()
        for shape in [*shapes, (4 * keys, columns)]
    ]
    matrices[0][:] = np.eye(CHUNK)
    return Workspace(*matrices)


def _padded(key_size: int) -> int:
    return -(-key_size // 8) * 8
