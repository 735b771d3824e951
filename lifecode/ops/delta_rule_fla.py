"""The gated delta rule on CUDA through flash-linear-attention's Triton kernels: the one file that imports it.

The import takes up to 17 s and fails without a GPU, so it waits for the first CUDA tensor. The kernels read
forwards only: `reverse` flips each segment by an index before and after. They multiply in TF32 or bf16, so
they agree with the CPU paths to about three digits.
"""

import itertools
from functools import cache
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from lifecode.ops.segments import reverse_segments_index


@cache
def fla_problem() -> str | None:
    """Why flash-linear-attention cannot be used here, or None if it can."""
    try:
        _chunk_gated_delta_rule()
    except Exception as error:  # a broken Triton raises more than ImportError
        return f"flash-linear-attention cannot be imported ({type(error).__name__}: {error})"
    return None


@cache
def _chunk_gated_delta_rule() -> Any:
    return import_module("fla.ops.gated_delta_rule").chunk_gated_delta_rule


def fla_gated_delta_rule(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    g: Tensor,
    beta: Tensor,
    *,
    scale: float,
    borders: tuple[int, ...] | None,
    reverse: bool,
    initial_state: Tensor,
) -> tuple[Tensor, Tensor]:
    """Compute what `recurrent_gated_delta_rule` computes, with the same arguments, on CUDA tensors.

    Returns:
        Outputs [B, T, H, V] and the final states in float32, shaped as `initial_state`.
    """
    if q.numel() == 0 or v.numel() == 0:
        return v.new_zeros(v.shape), initial_state
    cu_seqlens = occupied = None
    if borders is not None:
        # The kernels expect at least one position in a segment; the state of an empty one stays as it is.
        lengths = torch.tensor(borders).diff()
        occupied = lengths.nonzero().squeeze(1).to(q.device)
        kept = [0, *(end for start, end in itertools.pairwise(borders) if end > start)]
        cu_seqlens = torch.tensor(kept, device=q.device)
    index = _reversing_index(cu_seqlens, q) if reverse else None
    if index is not None:
        q, k, v, g, beta = (x.index_select(1, index) for x in (q, k, v, g, beta))
    output, final = _chunk_gated_delta_rule()(
        q,
        k,
        v,
        g,
        beta,
        scale=scale,
        initial_state=initial_state if occupied is None else initial_state.index_select(0, occupied),
        output_final_state=True,
        use_qk_l2norm_in_kernel=False,
        cu_seqlens=cu_seqlens,
    )
    if index is not None:
        output = output.index_select(1, index)
    if occupied is not None:
        final = initial_state.index_copy(0, occupied, final.to(initial_state.dtype))
    return output, final


def _reversing_index(cu_seqlens: Tensor | None, q: Tensor) -> Tensor:
    length = q.shape[1]
    if cu_seqlens is None:
        return torch.arange(length - 1, -1, -1, device=q.device)
    return reverse_segments_index(cu_seqlens, length)
