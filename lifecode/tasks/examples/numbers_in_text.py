"""Numbers as tables write them: a minus sign of any kind, no underscore, none that is not finite."""

import math
from collections.abc import Iterable
from decimal import Decimal


def number_in(text: str) -> float | None:
    """The finite number that a text is; None where it is none."""
    if "_" in text:  # which Python passes over: 1_0 is the name of a class
        return None
    try:
        value = float(text.replace("\N{MINUS SIGN}", "-"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def exactly(text: str) -> Decimal | None:
    """A number with all of its digits: the floats of 9007199254740992 and 9007199254740993 are one."""
    return None if number_in(text) is None else Decimal(text.replace("\N{MINUS SIGN}", "-"))


def shortest_of_each(numbers: Iterable[str]) -> set[str]:
    """One spelling of each number."""
    found: dict[Decimal | None, str] = {}
    for text in sorted(numbers, key=lambda text: (len(text), text)):
        found.setdefault(exactly(text), text)
    return set(found.values())
