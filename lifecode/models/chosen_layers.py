"""Behind which layers of an encoder hidden states are read."""

from collections.abc import Sequence

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
    chosen = (depth,) if layer is None else (layer,) if isinstance(layer, int) else tuple(layer)
    for number in chosen:
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= depth:
            raise UserError(
                f"{number!r} is none of the model's layers",
                source="layer",
                remedy=f"Give 0 (what the first layer reads) to {depth} (what the last one gives), or null",
            )
    if not chosen:
        raise UserError("no layer is named", source="layer", remedy="Give a number, or null for the last")
    return chosen
