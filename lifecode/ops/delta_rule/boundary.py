"""The boundary around the gated delta rule: checks, choice of the backend, and nothing else.

Four backends share one contract:

- `recurrent`: the loop of the definition, for tests and small inputs.
- `chunked`: torch, any device.
- `native`: compiled for the CPU with Numba, float32 arithmetic, reads and writes bfloat16 as it is.
- `fla`: flash-linear-attention's Triton kernels, CUDA only.

`auto` takes `fla` on CUDA and `native` on a CPU where they can run, `chunked` otherwise, and logs its choice
once for each situation. A backend that was asked for by name and cannot run is an error.
"""

import logging
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Literal, overload

import torch
from torch import Tensor

from lifecode.errors import UserError
from lifecode.ops.compile_boundary import compile_boundary
from lifecode.ops.delta_rule.chunked import chunked_gated_delta_rule
from lifecode.ops.delta_rule.fla import fla_gated_delta_rule, fla_problem
from lifecode.ops.delta_rule.recurrent import recurrent_gated_delta_rule
from lifecode.ops.finite import require_finite
from lifecode.ops.segments import check_cu_seqlens
from lifecode.ops.transforms import is_transformed

BACKENDS = ("auto", "recurrent", "chunked", "native", "fla")
FLOATS = (torch.float64, torch.float32, torch.bfloat16, torch.float16)

logger = logging.getLogger(__name__)


@overload
def gated_delta_rule(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    g: Tensor,
    beta: Tensor,
    *,
    scale: float | None = None,
    norm_eps: float | None = None,
    cu_seqlens: Tensor | None = None,
    reverse: bool = False,
    initial_state: Tensor | None = None,
    return_state: Literal[False] = False,
    backend: str = "auto",
) -> Tensor: ...
@overload
def gated_delta_rule(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    g: Tensor,
    beta: Tensor,
    *,
    scale: float | None = None,
    norm_eps: float | None = None,
    cu_seqlens: Tensor | None = None,
    reverse: bool = False,
    initial_state: Tensor | None = None,
    return_state: Literal[True],
    backend: str = "auto",
) -> tuple[Tensor, Tensor]: ...
@compile_boundary
def gated_delta_rule(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    g: Tensor,
    beta: Tensor,
    *,
    scale: float | None = None,
    norm_eps: float | None = None,
    cu_seqlens: Tensor | None = None,
    reverse: bool = False,
    initial_state: Tensor | None = None,
    return_state: bool = False,
    backend: str = "auto",
) -> Tensor | tuple[Tensor, Tensor]:
    """Gated delta rule, a linear recurrence that overwrites what its key recalls.

    S_t = exp(g_t) (I - beta_t k_t k_t^T) S_{t-1} + beta_t k_t v_t^T, o_t = scale q_t^T S_t.

    Keys are of length about 1: as the caller gives them, or with `norm_eps` made so inside. The state is kept
    in float32 under lower-precision inputs, and in float64 under float64 ones.

    Args:
        q: queries [B, T, H, K].
        k: keys [B, T, H, K], same dtype as `q`.
        v: values [B, T, H, V], same dtype as `q`.
        g: log decay [B, T, H], at most 0, any floating dtype.
        beta: write strength in 0..1 [B, T, H], any floating dtype.
        scale: factor on the queries; K ** -0.5 if None.
        norm_eps: positive: q and k are divided by sqrt(sum(x^2) + norm_eps) over K first; None takes them as
            they are.
        cu_seqlens: int (S + 1,), borders of the S segments packed into one row (B is then 1). The state
            starts anew in every segment, and nothing passes from one to another.
        reverse: run each segment from its last position to its first.
        initial_state: [B, H, K, V], or [S, H, K, V] with `cu_seqlens`; zeros if None.
        return_state: also return the state after the last step of each row or segment.
        backend: `auto`, `recurrent`, `chunked`, `native` or `fla`.

    Returns:
        Outputs [B, T, H, V] in the dtype of `v`; with `return_state` also the final states in float32
        (float64 under float64 inputs), shaped as `initial_state`.

    Raises:
        UserError: inputs whose shapes, dtypes or devices do not fit together, borders that do not fit the
            row, or a backend that does not exist or cannot run here.

    Source: Yang et al. 2024, "Gated Delta Networks: Improving Mamba2 with Delta Rule".
    """
    borders = _check_inputs(q, k, v, g, beta, cu_seqlens)
    _check_norm_eps(norm_eps)
    precision = torch.float64 if q.dtype == torch.float64 else torch.float32
    states = (len(borders) - 1 if borders else q.shape[0], q.shape[2], q.shape[3], v.shape[3])
    if initial_state is None:
        initial_state = torch.zeros(states, dtype=precision, device=q.device)
    _check_state(initial_state, states, q)
    require_finite("gated delta rule", q=q, k=k, v=v, g=g, beta=beta, initial_state=initial_state)
    name = resolve_backend(backend, q.device.type, q.dtype, q.shape[-1])
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    operands, dtype = [q, k, v, g, beta], v.dtype
    options = {"scale": scale, "borders": borders, "reverse": reverse}
    # Autocast would turn the float32 products inside into bf16 ones.
    with torch.autocast(q.device.type, enabled=False):
        if name == "native":
            options["norm_eps"] = norm_eps
        elif norm_eps is not None:
            operands[:2] = (_normalised(x, precision, norm_eps) for x in (q, k))
        if name == "native" and dtype == torch.bfloat16:
            operands[3:] = (x.to(precision) for x in (g, beta))
        elif name != "fla":
            operands = [x.to(precision) for x in operands]
        output, final = _run(name)(*operands, **options, initial_state=initial_state.to(precision))
    output = output.to(dtype)
    return (output, final) if return_state else output


def _normalised(x: Tensor, precision: torch.dtype, eps: float) -> Tensor:
    full = x.to(precision)
    return (full * torch.rsqrt(full.square().sum(-1, keepdim=True) + eps)).to(x.dtype)


def resolve_backend(backend: str, device: str, dtype: torch.dtype, key_size: int = 1) -> str:
    """Name of the backend that runs for tensors of this device type and dtype, and keys of this size.

    Raises:
        UserError: `backend` is unknown or cannot run in this situation.
    """
    if backend not in BACKENDS:
        raise UserError(f"backend {backend!r} is unknown", remedy=f"Use one of {', '.join(BACKENDS)}.")
    if is_transformed() and backend in ("auto", "native"):
        return "chunked"
    if backend == "auto":
        return _automatic(device, dtype, key_size)
    problem = _problem(backend, device, dtype, key_size)
    if problem:
        raise UserError(f"backend {backend!r} cannot run: {problem}", remedy="Use 'auto' or 'chunked'.")
    return backend


@cache
def _automatic(device: str, dtype: torch.dtype, key_size: int) -> str:
    preferred = {"cuda": "fla", "cpu": "native"}.get(device, "chunked")
    problem = _problem(preferred, device, dtype, key_size)
    name = "chunked" if problem else preferred
    reason = f"; {preferred} cannot run: {problem}" if problem else ""
    logger.info("gated delta rule on %s in %s: backend %s%s", device, dtype, name, reason)
    return name


def _problem(backend: str, device: str, dtype: torch.dtype, key_size: int) -> str | None:
    """Why a backend cannot run, or None."""
    if backend == "fla":
        if device != "cuda":
            return f"it needs CUDA tensors, these are on {device}"
        return "it has no float64" if dtype == torch.float64 else fla_problem(key_size)
    if backend == "native":
        if device != "cpu":
            return f"it needs CPU tensors, these are on {device}"
        return "it computes in float32, the inputs are float64" if dtype == torch.float64 else numba_problem()
    return None


@cache
def numba_problem() -> str | None:
    """Why the compiled CPU kernels cannot be used here, or None if they can."""
    try:
        import_module("lifecode.ops.delta_rule.native")
    except ImportError as error:
        return f"Numba cannot be imported ({error})"
    return None


def _run(name: str) -> Callable[..., tuple[Tensor, Tensor]]:
    if name == "recurrent":
        return recurrent_gated_delta_rule
    if name == "chunked":
        return chunked_gated_delta_rule
    if name == "native":
        # Importing Numba takes half a second, which a CUDA user need not spend.
        return import_module("lifecode.ops.delta_rule.native").native_gated_delta_rule
    return fla_gated_delta_rule


def _check_inputs(
    q: Tensor, k: Tensor, v: Tensor, g: Tensor, beta: Tensor, cu_seqlens: Tensor | None
) -> tuple[int, ...] | None:
    if q.dim() != 4:
        raise UserError(f"q must have shape [B, T, H, K], not {list(q.shape)}")
    expected = {"k": (k, list(q.shape)), "v": (v, [*q.shape[:3], v.shape[-1] if v.dim() else 1])}
    expected |= {"g": (g, list(q.shape[:3])), "beta": (beta, list(q.shape[:3]))}
    for name, (tensor, shape) in expected.items():
        if list(tensor.shape) != shape:
            raise UserError(
                f"{name} must have shape {shape} beside q {list(q.shape)}, not {list(tensor.shape)}"
            )
        if tensor.device != q.device:
            raise UserError(f"{name} is on {tensor.device} but q is on {q.device}")
        if tensor.dtype not in FLOATS:
            raise UserError(f"{name} must be a floating-point tensor, not {tensor.dtype}")
    if q.dtype not in FLOATS or k.dtype != q.dtype or v.dtype != q.dtype:
        raise UserError(f"q, k and v must share one floating dtype, not {q.dtype}, {k.dtype}, {v.dtype}")
    if 0 in (q.shape[0], *q.shape[2:], v.shape[-1]):
        raise UserError(f"q {list(q.shape)} and v {list(v.shape)} must not be empty but in T")
    if cu_seqlens is None:
        return None
    if q.shape[0] != 1:
        raise UserError(f"cu_seqlens needs one packed row, B = 1, not B = {q.shape[0]}")
    return check_cu_seqlens(cu_seqlens, q.shape[1])


def _check_norm_eps(norm_eps: float | None) -> None:
    if norm_eps is not None and not norm_eps > 0:
        raise UserError(f"norm_eps must be positive, not {norm_eps}")


def _check_state(initial_state: Tensor, shape: tuple[int, ...], q: Tensor) -> None:
    if tuple(initial_state.shape) != shape:
        raise UserError(f"initial_state must have shape {list(shape)}, not {list(initial_state.shape)}")
    if initial_state.device != q.device or initial_state.dtype not in FLOATS:
        raise UserError(
            f"initial_state must be a floating-point tensor on {q.device}, "
            f"not {initial_state.dtype} on {initial_state.device}"
        )
