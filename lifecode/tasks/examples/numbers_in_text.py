"""Numbers as tables write them: a minus sign of any kind, no underscore, none that is not finite."""

import math
from collections.abc import Mapping


def number_in(text: str) -> float | None:
    """The finite number that a text is; None where it is none."""
    if "_" in text:  # which Python passes over: 1_0 is the name of a class
        return None
    try:
        value = float(text.replace("\N{MINUS SIGN}", "-"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def shortest_of_each(numbers: Mapping[str, float | None]) -> set[str]:
    """One spelling of each number."""
    found: dict[float | None, str] = {}
    for text in sorted(numbers, key=lambda text: (len(text), text)):
        found.setdefault(numbers[text], text)
    return set(found.values())
