"""Hidden states of sequences of any number, read in packed rows behind one layer or several."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from torch import Tensor

from lifecode.data.batches.packing import consecutive_rows
from lifecode.models.layers.norm import at_least_fp32

S = TypeVar("S")


class _Row(Protocol):
    @property
    def cu_seqlens(self) -> Tensor: ...


def packed_states(
    model: Any,
    sequences: Sequence[S],
    lengths: Sequence[int],
    pack: Callable[[Sequence[S]], _Row],
    *,
    max_tokens: int,
    layers: Sequence[int],
) -> Iterator[tuple[Tensor, ...]]:
    """The states (n, d) of each sequence behind each layer, special tokens included, in at least float32.

    Args:
        model: whose `encode(row, layer)` gives the states of a row.
        sequences: that are read, in their order.
        lengths: n of each.
        pack: puts sequences into a row.
        max_tokens: of a row, about; only memory depends on it.
        layers: numbers of layers.
    """
    for part in consecutive_rows(lengths, max_tokens):
        row = pack(sequences[part])
        borders = row.cu_seqlens.diff().tolist()
        behind = [at_least_fp32(model.encode(row, layer)).split(borders) for layer in layers]
        yield from zip(*behind, strict=True)
