"""Bidirectional attention inside each segment of a packed row.

On a CPU a loop of `scaled_dot_product_attention` over the segments beats one call with a block mask 3.5 times
(T = 4096, 8 segments). On CUDA in half precision `torch.nn.attention.varlen.varlen_attn` does all segments in
one kernel; it has no float32, which takes the loop there too.
"""

import itertools
from contextlib import nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from lifecode.errors import UserError
from lifecode.ops.compile_boundary import compile_boundary
from lifecode.ops.finite import require_finite
from lifecode.ops.segments import check_cu_seqlens
from lifecode.ops.transforms import is_transformed

HALF = (torch.bfloat16, torch.float16)


@compile_boundary
def segment_attention(q: Tensor, k: Tensor, v: Tensor, cu_seqlens: Tensor) -> Tensor:
    """Softmax attention in which every position sees its own segment and nothing else.

    Args:
        q: queries [1, T, H, D]; scaled by D ** -0.5 inside.
        k: keys [1, T, H, D].
        v: values [1, T, H, D].
        cu_seqlens: int (S + 1,), borders of the S segments.

    Returns:
        [1, T, H, D] in the dtype of `q`.

    Raises:
        UserError: shapes or dtypes that do not fit together, or wrong borders.
    """
    if q.dim() != 4 or q.shape[0] != 1:
        raise UserError(f"q must have shape [1, T, H, D], not {list(q.shape)}")
    for name, tensor in (("k", k), ("v", v)):
        if tensor.shape != q.shape or tensor.dtype != q.dtype or tensor.device != q.device:
            raise UserError(
                f"{name} {list(tensor.shape)} {tensor.dtype} on {tensor.device} must match "
                f"q {list(q.shape)} {q.dtype} on {q.device}"
            )
    borders = check_cu_seqlens(cu_seqlens, q.shape[1])
    require_finite("attention", q=q, k=k, v=v)
    if attention_kernel(q.device.type, q.dtype) == "varlen" and q.shape[1] > 0:
        return _varlen(q, k, v, cu_seqlens, borders)
    # A split has one gradient, a slice for each segment would have one of the whole row.
    lengths = [end - start for start, end in itertools.pairwise(borders)]
    pieces = zip(*(x.transpose(1, 2).split(lengths, dim=2) for x in (q, k, v)), strict=True)
    # Of torch's kernels one has more than first gradients.
    with sdpa_kernel(SDPBackend.MATH) if is_transformed() else nullcontext():
        outputs = [F.scaled_dot_product_attention(*piece) for piece in pieces if piece[0].shape[2]]
    return torch.cat(outputs, dim=2).transpose(1, 2) if outputs else torch.zeros_like(q)


def attention_kernel(device: str, dtype: torch.dtype) -> str:
    """What runs for tensors of this device type and dtype: `varlen`, or `loop` over the segments."""
    return "varlen" if device == "cuda" and dtype in HALF else "loop"


def _varlen(q: Tensor, k: Tensor, v: Tensor, cu_seqlens: Tensor, borders: tuple[int, ...]) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn

    cu = cu_seqlens.to(device=q.device, dtype=torch.int32)
    longest = max(end - start for start, end in itertools.pairwise(borders))
    output = varlen_attn(q[0], k[0], v[0], cu, cu, longest, longest)
    assert isinstance(output, Tensor)
    return output[None]
