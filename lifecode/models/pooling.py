"""One vector of the hidden states of a sequence, and frames of such vectors."""

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
    if pool not in (*get_args(Pool), None):
        raise UserError(f"pool {pool!r} is unknown", remedy="Choose mean, max, cls or None")


def pooled(first: Tensor, states: Tensor, pool: Pool) -> Tensor:
    """One vector (d,) of the states (n, d) of a sequence's positions, or `first` (d,), that of `[CLS]`."""
    if pool == "cls":
        return first
    return states.mean(0) if pool == "mean" else states.amax(0)


def vectors_frame(names: Sequence[str | int], vectors: Sequence[Tensor], *, level: str | None) -> "DataFrame":
    """Vectors as a frame of d columns.

    Args:
        names: of the sequences, which the index `id` says.
        vectors: (d,) each, or (n, d).
        level: second level of the index, which counts the n from 0; None for one vector a sequence.
    """
    from pandas import DataFrame, Index, MultiIndex

    if level is None:
        return DataFrame(torch.stack(list(vectors)).cpu().numpy(), index=Index(names, name="id"))
    number = [place for states in vectors for place in range(len(states))]
    ids = [name for name, states in zip(names, vectors, strict=True) for _ in range(len(states))]
    return DataFrame(
        torch.cat(list(vectors)).cpu().numpy(),
        index=MultiIndex.from_arrays([ids, number], names=["id", level]),
    )
