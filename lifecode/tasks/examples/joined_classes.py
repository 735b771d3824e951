"""The classes of a sequence that may have several, in one text: joined by `;`, or a list."""

import re
from collections.abc import Sequence

from lifecode.errors import UserError

BETWEEN_LABELS = ";"
"""Stands between the classes of a sequence that has several."""
_LIST = re.compile(r"\[.*\]|\('.*\)|\{'.*'\}", re.DOTALL)
_ITEM = re.compile(r"'([^']*)'|\"([^\"]*)\"|([^\s,'\"]+)")


def is_list(text: str) -> bool:
    """Whether a text is a list, tuple or set as it is written in JSON, Python or NumPy."""
    return _LIST.fullmatch(text) is not None


def classes_in(text: str) -> list[str]:
    """The classes of a sequence that may have several, or none."""
    if not is_list(text):
        return [name.strip() for name in text.split(BETWEEN_LABELS) if name.strip()]
    inner = text[1:-1]
    if "'" in inner or '"' in inner or "," not in inner:
        return ["".join(found) for found in _ITEM.findall(inner)]
    return [name.strip() for name in inner.split(",") if name.strip()]


def joined_among(classes: Sequence[str]) -> list[str]:
    """A line on a class that is another joined with something, such as `a;b` beside `a`; none without one."""
    known = set(classes)
    for between in (BETWEEN_LABELS, "|", ","):
        for name in classes:
            if between in name and any(part.strip() in known for part in name.split(between)):
                return [
                    f"{name!r} is a class of its own; where it means several, task.kind=multilabel learns "
                    f"each (of sequences, joined by {BETWEEN_LABELS})"
                ]
    return []


def require_joined(texts: Sequence[str], source: str, column: str) -> None:
    """Raises a `UserError` where the classes of some sequences are joined by something else than `;`."""
    plain = {text for text in texts if not is_list(text)}
    if any(BETWEEN_LABELS in text for text in plain):
        return
    for other in "|,":
        if wrong := [text for text in plain if other in text]:
            raise UserError(
                f"{min(wrong)!r} in column {column!r} has {other!r} and no label has {BETWEEN_LABELS!r}",
                source=source,
                remedy=f"Join the classes of a sequence by {BETWEEN_LABELS}",
            )
