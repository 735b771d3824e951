"""The gated delta rule on CUDA through flash-linear-attention's Triton kernels.

The kernels read forwards only: `reverse` flips each segment before and after.

Where they lose accuracy: under float32 inputs their products run in TF32 on a GPU that has it; under bfloat16
inputs the intermediates are stored in bfloat16. And they work with the running sum of g over 64 positions, in
float32: where steps that forget everything (g = -50) stand among others, the sum grows to hundreds and the
digits of the others are lost, 4e-5 of the largest result (interpreted on a CPU, without TF32). The gradient
of g sums differences q . dq - k . dk: where g is far below 0 and it should all but vanish, it is rounding.
"""

from torch import Tensor

from lifecode.ops.fla.kernels import fla_kernel, fla_kernel_problem
from lifecode.ops.fla.segments import device_segments, reverse_segments

MAX_KEY_SIZE = 256
_KERNEL = ("fla.ops.gated_delta_rule", "chunk_gated_delta_rule")


def fla_problem(key_size: int = 1) -> str | None:
    """Why flash-linear-attention cannot be used here for keys of this size, or None if it can."""
    if key_size > MAX_KEY_SIZE:
        return f"it takes keys of at most {MAX_KEY_SIZE} features, not {key_size}"
    return fla_kernel_problem(*_KERNEL)


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

    q, k and v share one of float32, bfloat16, float16; g, beta and the states may be float32 beside any of
    them. The state is carried in float32.

    Returns:
        Outputs [B, T, H, V] in the dtype of `q`, and the final states in float32, shaped as `initial_state`.
    """
    if q.numel() == 0:
        return v.new_zeros(v.shape), initial_state
    segments = None if borders is None else device_segments(borders, q.device)
    if reverse:
        q, k, v, g, beta = (reverse_segments(x, segments) for x in (q, k, v, g, beta))
    output, final = fla_kernel(*_KERNEL)(
        q,
        k,
        v,
        g,
        beta,
        scale=scale,
        initial_state=initial_state,
        output_final_state=True,
        cu_seqlens=None if segments is None else segments.cu_seqlens,
        chunk_indices=None if segments is None else segments.chunks,
    )
    return reverse_segments(output, segments) if reverse else output, final
