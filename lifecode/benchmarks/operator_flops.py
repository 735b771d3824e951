"""How many floating-point operations the compiled gated delta rule performs: what bounds it from below."""

from lifecode.benchmarks.operator_contenders import OperatorShape

CHUNK = 16
"""Steps of a chunk in `lifecode.ops.delta_rule_forward`; not imported from there, which would need Numba."""


def forward_flops(shape: OperatorShape, length: int) -> float:
    """Operations of the matrix products and the solve of `lifecode.ops.delta_rule_forward`.

    With C = 16 steps a chunk, multiply-adds of a chunk of one head:

    - the scores k k^T and q k^T: 2 C^2 K
    - k S, q S and the update of the state S, each C K V: 3 C K V
    - the triangular solve of r: C (C - 1) / 2 V
    - scores times r: C^2 V

    A multiply-add is two operations; B H ceil(T / C) chunks. Decays, transposes and copies are not counted,
    nor what a split of the value columns over threads repeats: it is a bound, not an account.
    """
    keys, values = shape.key_dim, shape.value_dim
    products = 2 * CHUNK**2 * keys + 3 * CHUNK * keys * values + CHUNK**2 * values
    return 2 * (products + _solve(values)) * _chunks(shape, length)


def backward_flops(shape: OperatorShape, length: int) -> float:
    """Operations of `lifecode.ops.delta_rule_backward`, counted in the same way.

    Multiply-adds of a chunk of one head:

    - the state entering it, rebuilt in three of four chunks: 3/4 C K V
    - the scores once more: 2 C^2 K
    - du from the leaving dS: C K V, from the outputs: C^2 V, and its solve: C (C - 1) / 2 V
    - dq from S: C K V; dk from S and from dS: 2 C K V
    - the gradients of both scores: 2 C^2 V; what they give to q once and to k twice: 3 C^2 K
    - dS of the entering state: 2 C K V
    """
    keys, values = shape.key_dim, shape.value_dim
    products = 6.75 * CHUNK * keys * values + 5 * CHUNK**2 * keys + 3 * CHUNK**2 * values
    return 2 * (products + _solve(values)) * _chunks(shape, length)


def _solve(values: int) -> float:
    return CHUNK * (CHUNK - 1) / 2 * values


def _chunks(shape: OperatorShape, length: int) -> int:
    return shape.batch * shape.heads * -(-length // CHUNK)
