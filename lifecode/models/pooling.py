"""One vector of the hidden states of a sequence, and the form in which such vectors are returned."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

import torch
from torch import Tensor

from lifecode.errors import UserError

if TYPE_CHECKING:
    from pandas import DataFrame

Pool = Literal["mean", "max", "cls"]


def require_pool(pool: str | None) -> None:
    """Raises a UserError for an unknown one."""
    known = get_args(Pool)
    if pool not in (*known, None):
        raise UserError(f"pool {pool!r} is unknown", remedy=f"Choose {', '.join(known)} or None")


def pooled(first: Tensor, states: Tensor, pool: Pool) -> Tensor:
    """One vector (d,) of the states (n, d) of a sequence's positions, or `first` (d,), that of `[CLS]`."""
    if pool == "cls":
        return first
    return states.mean(0) if pool == "mean" else states.amax(0)


def embeddings(
    names: Sequence[str | int], vectors: list[Tensor], *, pool: Pool | None, level: str, as_frame: bool
) -> "Tensor | list[Tensor] | DataFrame":
    """Vectors of sequences in the form in which `embed` returns them.

    Args:
        names: of the sequences, which the index `id` of a frame says.
        vectors: (d,) of each sequence, or (n, d) where `pool` is None.
        pool: None leaves a list of (n, d), anything else stacks (num_sequences, d).
        level: what the n are; of a frame the second level of the index, which counts them from 0.
        as_frame: a frame of d columns instead.
    """
    if as_frame:
        return _frame(names, vectors, level=level if pool is None else None)
    return vectors if pool is None else torch.stack(vectors)


def _frame(names: Sequence[str | int], vectors: list[Tensor], *, level: str | None) -> "DataFrame":
    from pandas import DataFrame, Index, MultiIndex

    if level is None:
        return DataFrame(torch.stack(vectors).cpu().numpy(), index=Index(names, name="id"))
    number = [place for states in vectors for place in range(len(states))]
    ids = [name for name, states in zip(names, vectors, strict=True) for _ in range(len(states))]
    return DataFrame(
        torch.cat(vectors).cpu().numpy(),
        index=MultiIndex.from_arrays([ids, number], names=["id", level]),
    )
