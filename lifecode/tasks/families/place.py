"""Where in a model states are read, and in which reading frames."""

from typing import Literal, NamedTuple

FrameReading = Literal["average", "stack", 0, 1, 2]


class Place(NamedTuple):
    """Where in an encoder states are read.

    Attributes:
        layer: number of layers they have passed; None for all.
        projected: behind the output projection, as `embed` gives them, or before it, where the states of both
            strands stand side by side; of a family that has one.
    """

    layer: int | None = None
    projected: bool = False
