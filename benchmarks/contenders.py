"""Who computes the gated delta rule: our backends, and the implementations of other packages.

All read the inputs of `lifecode.ops.gated_delta_rule` and give its outputs; what a package wants differently
(a decay that is not a logarithm, queries already scaled) is converted inside the timed call.
"""

import inspect
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from lifecode.errors import UserError
from lifecode.ops.cpu.heap import keep_freed_memory
from lifecode.ops.delta_rule.boundary import gated_delta_rule, resolve_backend

OUR_BACKENDS = ("native", "chunked", "recurrent", "fla")
PEER_PACKAGES = {"transformers": "transformers", "opengdn": "opengdn"}
CONTENDERS = (*OUR_BACKENDS, *PEER_PACKAGES)

GRADIENTS = ("q", "k", "v", "g", "beta")
PARTS = ("forward", "forward_backward")
_CHECKED_POSITIONS, _CHECKED_HEADS = 150, 2  # two and a bit of the longest chunks, 64 steps

Rule = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]


class OperatorShape(NamedTuple):
    """Sizes of an operator call beside its positions, in the letters of [B, T, H, K] and [B, T, H, V]."""

    batch: int
    heads: int
    key_dim: int
    value_dim: int


def default_contenders(device: str) -> tuple[str, ...]:
    """Everybody but the recurrence, which takes a torch call per step."""
    return ("fla" if device == "cuda" else "native", "chunked", *PEER_PACKAGES)


def obstacle(contender: str, device: str) -> str | None:
    """Why a contender cannot run here, or None if it can."""
    if package := PEER_PACKAGES.get(contender):
        return missing_package(package)
    try:
        resolve_backend(contender, device, torch.float32)
    except UserError as error:
        return error.problem
    return None


def missing_package(package: str) -> str | None:
    """What to do about a peer's package that is not installed, or None if it is."""
    if find_spec(package) is not None:
        return None
    return f"{package} is not installed: pip install -e '.[bench]'"


class OperatorCall:
    """One contender's forward and backward pass over random inputs in fp32.

    Args:
        contender: of `CONTENDERS`.
        shape: of the inputs.
        device: `cpu` or `cuda`.
        keep_memory: whether the process keeps what it frees, as `lifecode train` does.
    """

    def __init__(
        self, contender: str, shape: OperatorShape, device: str, *, keep_memory: bool = False
    ) -> None:
        if keep_memory:
            keep_freed_memory()
        self.rule, self.shape, self.device = _rule(contender, device), shape, device
        self.inputs: list[Tensor] = []
        self.d_output = torch.empty(0)

    def prepare(self, length: int) -> dict[str, float]:
        """Makes the inputs and the gradient of the outputs for T = `length`."""
        self.inputs = random_inputs(self.shape, length, self.device)
        self.d_output = torch.randn_like(self.inputs[2])
        return {}

    def run(self, part: str) -> None:
        """`forward` keeps what a backward pass would need and drops it; `forward_backward` does both."""
        output = self.rule(*self.inputs)  # pyright: ignore[reportCallIssue]
        if part == "forward_backward":
            torch.autograd.grad(output, self.inputs, self.d_output)

    def largest_errors(self) -> dict[str, float]:
        """Errors beside the recurrence in float64 on a small input, of the output and all five gradients.

        Each is the largest difference over the largest value of the recurrence.
        """
        shape = self.shape._replace(batch=1, heads=min(_CHECKED_HEADS, self.shape.heads))
        inputs = random_inputs(shape, _CHECKED_POSITIONS, self.device)
        precise = [x.detach().double().requires_grad_() for x in inputs]
        d_output = torch.randn_like(inputs[2])
        actual = _output_and_gradients(self.rule, inputs, d_output)
        expected = _output_and_gradients(
            partial(gated_delta_rule, backend="recurrent"), precise, d_output.double()
        )
        return {
            name: float((x.double() - y).abs().max() / y.abs().max())
            for name, x, y in zip(("output", *GRADIENTS), actual, expected, strict=True)
        }


def random_inputs(shape: OperatorShape, length: int, device: str) -> list[Tensor]:
    """q, k, v, g, beta with gradients: unit keys and queries, decays of 0.74 to 1, strengths of 0 to 1."""
    random = torch.Generator(device).manual_seed(0)
    rows = (shape.batch, length, shape.heads)

    def normal(width: int) -> Tensor:
        return torch.randn(*rows, width, generator=random, device=device)

    def uniform() -> Tensor:
        return torch.rand(*rows, generator=random, device=device)

    q, k = (F.normalize(normal(shape.key_dim), dim=-1) for _ in range(2))
    return [x.requires_grad_() for x in (q, k, normal(shape.value_dim), -0.3 * uniform(), uniform())]


def _output_and_gradients(rule: Rule, inputs: list[Tensor], d_output: Tensor) -> list[Tensor]:
    output = rule(*inputs)  # pyright: ignore[reportCallIssue]
    return [output.detach(), *torch.autograd.grad(output, inputs, d_output)]


def _rule(contender: str, device: str) -> Rule:
    if contender == "transformers":
        qwen3_next = import_module("transformers.models.qwen3_next.modeling_qwen3_next")
        # Unwrapped: the wrapper would hand over to flash-linear-attention where that is installed.
        chunks = inspect.unwrap(qwen3_next.torch_chunk_gated_delta_rule)
        return lambda q, k, v, g, beta: chunks(q, k, v, g=g, beta=beta)[0]
    if contender == "opengdn":
        # On a CPU its other entry point falls back to this one, with a warning.
        name = "gated_delta_triton" if device == "cuda" else "gated_delta_chunkwise"
        chunkwise = getattr(import_module("opengdn"), name)
        return lambda q, k, v, g, beta: chunkwise(q * q.shape[-1] ** -0.5, k, v, g.exp(), beta)[0]
    return partial(gated_delta_rule, backend=contender)


CHUNK = 16
"""Steps of a chunk in `lifecode.ops.delta_rule.forward`; not imported from there, which would need Numba."""


def bound_flops(shape: OperatorShape, length: int, part: str) -> float:
    """Operations of the matrix products and solves of the compiled kernels: what bounds them from below.

    With C = 16 steps a chunk, multiply-adds of a chunk of one head, forward:

    - the scores k k^T and q k^T: 2 C^2 K
    - k S, q S and the update of the state S, each C K V: 3 C K V
    - the triangular solve of r: C (C - 1) / 2 V
    - scores times r: C^2 V

    and backward:

    - the state entering it, rebuilt in three of four chunks: 3/4 C K V
    - the scores once more: 2 C^2 K
    - du from the leaving dS: C K V, from the outputs: C^2 V, and its solve: C (C - 1) / 2 V
    - dq from S: C K V; dk from S and from dS: 2 C K V
    - the gradients of both scores: 2 C^2 V; what they give to q once and to k twice: 3 C^2 K
    - dS of the entering state: 2 C K V

    A multiply-add is two operations; B H ceil(T / C) chunks. Decays, transposes and copies are not counted,
    nor what a split of the value columns over threads repeats: it is a bound, not an account.
    """
    keys, values = shape.key_dim, shape.value_dim
    solve = CHUNK * (CHUNK - 1) / 2 * values
    flops = 2 * CHUNK**2 * keys + 3 * CHUNK * keys * values + CHUNK**2 * values + solve
    if part == "forward_backward":
        flops += 6.75 * CHUNK * keys * values + 5 * CHUNK**2 * keys + 3 * CHUNK**2 * values + solve
    return 2 * flops * shape.batch * shape.heads * -(-length // CHUNK)
