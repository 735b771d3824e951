"""Labels: of which kind they are, and the map from their text to numbers, sorted and never by file order."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError

OneLabel = Literal["binary", "multiclass", "regression"]
LabelKind = OneLabel | Literal["multilabel"]
Unit = Literal["sequence", "codon", "nucleotide", "residue"]
"""What has a label."""
Transform = Literal["log"]
"""What is learnt in place of a value: its natural logarithm."""
BETWEEN_LABELS = ";"
"""Stands between the classes of a sequence that has several."""
_MOST_WHOLE_NUMBERS = 20
"""Different whole numbers that are taken for classes; more are measurements."""
_UNKNOWN = frozenset({"na", "nan", "n/a", "#n/a", "null", "none", "-nan", "nil", "missing", "."})
"""Words that tables write where nothing is known."""
_SHARE_OF_NUMBERS = 0.9
"""From which on a column is taken for measurements, so that a text in it is a mistake."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The kind of the labels of a task.

    Attributes:
        kind: `binary`, `multiclass`, `multilabel` (any number of classes each) or `regression`.
        classes: names in the order of their numbers, by value where all are whole numbers, else by letters;
            none for a regression.
        unit: what has a label: a sequence, or each codon, nucleotide or residue of it.
        transform: of a regression, what is learnt and measured in place of the values; None learns these.
    """

    kind: LabelKind
    classes: tuple[str, ...] = ()
    unit: Unit = "sequence"
    transform: Transform | None = None

    @classmethod
    def from_described(cls, described: Mapping[str, Any]) -> "Labels":
        """Those of a fine-tuned model, of what its head.json says.

        Raises:
            KeyError: it says nothing of them, or a transform that is not known.
        """
        of_task = described.get("tuned_on", {}).get("task", {}).get("transform")
        transform = described.get("transform", of_task)
        if transform not in (None, *get_args(Transform)):
            raise KeyError(transform)
        classes = tuple(map(str, described["classes"]))
        return cls(described["kind"], classes, described.get("unit", "sequence"), transform)

    def to_described(self) -> dict[str, Any]:
        """What `from_described` reads."""
        return {**asdict(self), "classes": list(self.classes)}

    @property
    def identity(self) -> dict[str, Any]:
        """For digests of what was learnt on them: without a transform the same as before there were any."""
        return {key: value for key, value in asdict(self).items() if key != "transform" or value is not None}

    def learnt(self, values: NDArray[Any]) -> NDArray[Any]:
        """What is learnt in place of labels as they are given."""
        return np.log(values) if self.transform == "log" else values

    def given(self, learnt: NDArray[Any]) -> NDArray[Any]:
        """Labels or predictions in the units of the labels that were given: the inverse of `learnt`."""
        return np.exp(learnt) if self.transform == "log" else learnt

    def numbers(
        self, texts: Sequence[str], source: str, column: str, rows: Sequence[int] | None = None
    ) -> NDArray[np.int64] | NDArray[np.float64]:
        """The labels (n,): numbers of classes, or values; of `multilabel` 0 or 1 (n, num_classes).

        Args:
            texts: as in the file.
            source: name of the file.
            column: of the labels.
            rows: number of each in the file, from 1 below the header; None where they are all of it.

        Raises:
            UserError: a label that is empty, outside the map, or no number where a regression wants one.
        """
        rows = range(1, len(texts) + 1) if rows is None else rows
        if self.kind == "regression":
            values = [_number(text) for text in texts]
            for row, text, value in zip(rows, texts, values, strict=True):
                if value is None:
                    raise _wrong(
                        f"{text!r} in column {column!r} is no number",
                        source,
                        row,
                        "Give a number, or task.kind=multiclass"
                        if text
                        else "Give a value, or remove the row",
                    )
            return np.array(values, dtype=np.float64)
        if self.kind == "multilabel":
            return self._memberships(texts, source, column, rows)
        index = {name: number for number, name in enumerate(self.classes)}
        for row, text in zip(rows, texts, strict=True):
            if text not in index:
                known = ", ".join(self.classes[:20])
                problem = f"label {text!r} is none of the training file's classes ({known})"
                raise _wrong(
                    problem if text else f"column {column!r} is empty",
                    source,
                    row,
                    "Correct the label, or remove the row",
                )
        return np.array([index[text] for text in texts], dtype=np.int64)

    def _memberships(
        self, texts: Sequence[str], source: str, column: str, rows: Sequence[int]
    ) -> NDArray[np.int64]:
        index = {name: number for number, name in enumerate(self.classes)}
        found = np.zeros((len(texts), len(self.classes)), dtype=np.int64)
        for place, (row, text) in enumerate(zip(rows, texts, strict=True)):
            for name in classes_in(text):
                if name not in index:
                    raise _wrong(
                        f"label {name!r} in column {column!r} is none of the training file's classes",
                        source,
                        row,
                        "Correct the label, or remove it",
                    )
                found[place, index[name]] = 1
        return found

    def described(self) -> str:
        """The kind and the classes in a few words."""
        shown = ", ".join(self.classes[:5]) + (", …" if len(self.classes) > 5 else "")
        of_each = "" if self.unit == "sequence" else f" of each {self.unit}"
        return f"{self.kind}{of_each}: {shown}" if self.classes else f"{self.kind}{of_each}"


def labels_of(texts: Sequence[str], source: str, column: str, kind: LabelKind | None = None) -> Labels:
    """The labels that a training file has.

    Two different values are binary, up to 20 different whole numbers or any other texts classes, and other
    numbers a regression.

    Raises:
        UserError: fewer than two different labels, or not of the `kind` that is asked for.
    """
    if kind == "multilabel":
        texts = [name for text in texts for name in classes_in(text)]
    distinct = set(texts) - {""}
    if len(distinct) < 2:
        only = f"the only label is {next(iter(distinct))!r}" if distinct else "there is no label"
        raise UserError(
            f"{only} in column {column!r}", source=source, remedy="Name the label's column: task.label=..."
        )
    numbers = {text: _number(text) for text in distinct}
    unknown = {text for text in distinct if text.lower() in _UNKNOWN}
    if unknown and all(numbers[text] is not None for text in distinct - unknown):
        text = min(unknown)
        raise UserError(
            f"{text!r} stands beside numbers in column {column!r}",
            source=source,
            record=f"in row {list(texts).index(text) + 1} of those with a label",
            remedy="Remove the rows whose label is not known",
        )
    known = [number for number in numbers.values() if number is not None]
    if kind is None:
        whole = all(number == int(number) for number in known)
        few = len(distinct) <= _MOST_WHOLE_NUMBERS
        measured = (
            len(known) >= _SHARE_OF_NUMBERS * len(distinct) and not (whole and few) and (len(distinct) > 2)
        )
        kind = "regression" if measured else "binary" if len(distinct) == 2 else "multiclass"
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


def classes_in(text: str) -> list[str]:
    """The classes of a sequence that may have several, or none."""
    return [name.strip() for name in text.split(BETWEEN_LABELS) if name.strip()]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _wrong(problem: str, source: str, row: int, remedy: str) -> UserError:
    return UserError(problem, source=source, record=f"in row {row}", remedy=remedy)
