"""Behind which layers of an encoder hidden states are read."""

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

from lifecode.errors import UserError

Layer = int | Sequence[int] | None
"""A number of layers that the states have passed, several of them, or None for all layers."""


def chosen_layers(layer: Layer, depth: int) -> tuple[int, ...]:
    """The numbers of layers, at least one.

    Args:
        layer: as the user says.
        depth: layers of the encoder.

    Raises:
        UserError: the encoder has fewer, or the list is empty.
    """
    asked: tuple[Any, ...] = (depth,)
    if layer is not None:
        asked = tuple(layer) if isinstance(layer, Iterable) and not isinstance(layer, str) else (layer,)
    chosen: list[int] = []
    for number in asked:
        whole = isinstance(number, Integral) and not isinstance(number, bool)
        if not whole or not 0 <= int(number) <= depth:
            raise UserError(
                f"{number!r} is none of the model's layers",
                source="layer",
                remedy=f"Give 0 (what the first layer reads) to {depth} (what the last one gives), or null",
            )
        chosen.append(int(number))
    if not chosen:
        raise UserError("no layer is named", source="layer", remedy="Give a number, or null for the last")
    return tuple(chosen)
