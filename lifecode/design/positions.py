"""Positions of a protein as a user writes them, such as `1-10,40`."""

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError

_PART = re.compile(r"\s*(\d+)\s*(?:(?:-|–|\.\.)\s*(\d+)\s*)?")


def positions(
    text: str | int | Iterable[str | int], length: int, *, source: str, name: str
) -> NDArray[np.int64]:
    """The codons meant, counted from 0, ascending, each once.

    Args:
        text: numbers from 1 and ranges of them, both ends included, with commas between, or a list of these.
        length: codons there are.
        source: config key, for the error.
        name: of the protein.

    Raises:
        UserError: no such position, or no numbers.
    """
    found: set[int] = set()
    if isinstance(text, str) or not isinstance(text, Iterable):
        text = str(text).split(",")
    for part in map(str, text):
        match = _PART.fullmatch(part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            raise UserError(
                f"{part.strip()!r} is no position or range", source=source, remedy="Write it as 1-10,40"
            )
        if first < 1 or last > length:
            raise UserError(
                f"position {last if first else 0} is not in 1 to {length}",
                source=source,
                record=name,
                remedy="Count codons from 1, or design this protein alone",
            )
        found.update(range(first - 1, last))
    return np.array(sorted(found), dtype=np.int64)
