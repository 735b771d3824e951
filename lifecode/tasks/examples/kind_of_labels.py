"""Of which kind the labels of a training file are, read off their texts, and what no label can be."""

import re
from collections.abc import Callable, Mapping, Sequence, Set

from lifecode.errors import UserError
from lifecode.tasks.examples.joined_classes import classes_in, require_joined
from lifecode.tasks.examples.labels import LabelKind, Labels
from lifecode.tasks.examples.numbers_in_text import number_in, shortest_of_each

_MOST_WHOLE_NUMBERS = 20
"""Different whole numbers that are taken for classes; more are measurements."""
_OF_EXCEL = frozenset({"#n/a", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"})
_UNKNOWN = _OF_EXCEL | {"na", "nan", "n/a", "null", "none", "-nan", "nil", "missing", ".", "inf", "-inf"}
"""Words that tables write where nothing is known."""
_NEVER_A_CLASS = _OF_EXCEL | {"nan", "-nan", "n/a", "<na>"}
"""Those of these words, in any case, that name no class; `NA` in capitals is one more."""
_NOT_PLAIN = re.compile(r"[+-]?\d+(?:,\d+|(?:[.,]\d+)? ?(%))")
"""A number with a decimal comma, or a percentage."""
Place = Callable[[str], tuple[str, str]]
"""File and record in which a label stands first."""
_SHARE_OF_NUMBERS = 0.9
"""From which on a column is taken for measurements, so that a text in it is a mistake."""


def labels_of(
    texts: Sequence[str],
    source: str,
    column: str,
    kind: LabelKind | None = None,
    place: Place | None = None,
) -> Labels:
    """The labels that a training file has.

    Two different values are binary, up to 20 different whole numbers or any other texts classes, and other
    numbers a regression. Spellings of one number, such as 1 and 1.0, are one value.

    Args:
        texts: as in the file.
        source: name of the file.
        column: of the labels.
        kind: None reads it off the labels.
        place: where a label stands first; None counts the texts.

    Raises:
        UserError: fewer than two different labels, not of the `kind` that is asked for, or lists, decimal
            commas or words for what is not known where they have no place.
    """
    if kind == "multilabel":
        require_joined(texts, source, column)
        texts = [name for text in texts for name in classes_in(text)]
    distinct = set(texts) - {""}
    _require_single(distinct, source, column, kind)
    _require_two(distinct, source, column)
    numbers = {text: number_in(text) for text in distinct}
    _require_known(numbers, column, place or (lambda text: (source, f"in row {list(texts).index(text) + 1}")))
    if None not in numbers.values():
        distinct = shortest_of_each(numbers)
        numbers = {text: numbers[text] for text in distinct}
        _require_two(distinct, source, column)
    known = [number for number in numbers.values() if number is not None]
    kind = kind or _kind_of(known, len(distinct))
    if kind == "regression":
        return Labels(kind)
    if kind == "binary" and len(distinct) > 2:
        raise UserError(
            f"column {column!r} has {len(distinct)} different labels",
            source=source,
            remedy="Use task.kind=multiclass",
        )
    if kind != "multilabel" and len(distinct) > len(texts) / 2 and len(distinct) > _MOST_WHOLE_NUMBERS:
        raise UserError(
            f"nearly every row of column {column!r} is a class of its own",
            source=source,
            remedy="Name the label's column: task.label=...",
        )
    if len(known) == len(distinct):
        return Labels(kind, tuple(sorted(distinct, key=lambda text: (numbers[text], text))))
    return Labels(kind, tuple(sorted(distinct)))


def _kind_of(numbers: Sequence[float], num_distinct: int) -> LabelKind:
    """What labels are of which so many differ, and these are numbers."""
    if num_distinct == 2:
        return "binary"
    whole = all(number == int(number) for number in numbers)
    few = num_distinct <= _MOST_WHOLE_NUMBERS
    measured = len(numbers) >= _SHARE_OF_NUMBERS * num_distinct and not (whole and few)
    return "regression" if measured else "multiclass"


def _require_two(distinct: Set[str], source: str, column: str) -> None:
    """Raises a `UserError` where there are fewer than two different labels."""
    if len(distinct) < 2:
        only = f"the only label is {next(iter(distinct))!r}" if distinct else "there is no label"
        raise UserError(
            f"{only} in column {column!r}", source=source, remedy="Name the label's column: task.label=..."
        )


def _require_known(numbers: Mapping[str, float | None], column: str, place: Place) -> None:
    """Raises a `UserError` for words for what is not known that stand beside numbers or classes."""
    unknown = {text for text in numbers if text.lower() in _UNKNOWN}
    beside_numbers = all(numbers[text] is not None for text in numbers.keys() - unknown)
    if not beside_numbers:
        unknown = {text for text in unknown if text.lower() in _NEVER_A_CLASS or text == "NA"}
    if unknown:
        text = min(unknown)
        source, record = place(text)
        raise UserError(
            f"{text!r} stands beside {'numbers' if beside_numbers else 'classes'} in column {column!r}",
            source=source,
            record=record,
            remedy="Remove the rows whose label is not known, or write . for positions; a class of this name "
            "wants another",
        )


def _require_single(distinct: Set[str], source: str, column: str, kind: LabelKind | None) -> None:
    """Raises a `UserError` where labels of an unknown kind are lists, or numbers with a comma or %."""
    if kind is not None or not distinct:
        return
    if all(text.startswith("[") and text.endswith("]") for text in distinct):
        raise UserError(
            f"column {column!r} holds lists, such as {min(distinct)[:60]!r}",
            source=source,
            remedy="Say task.kind=multilabel for classes of a sequence, task.unit for labels of positions",
        )
    found = {text: each for text in distinct if (each := _NOT_PLAIN.fullmatch(text))}
    if found and all(text in found or number_in(text) is not None for text in distinct):
        text = min(found)
        raise UserError(
            f"column {column!r} holds numbers with a {found[text][1] or 'comma'}, such as {text!r}",
            source=source,
            remedy="Write plain numbers with a decimal point, or say task.kind=multiclass if they are names",
        )
