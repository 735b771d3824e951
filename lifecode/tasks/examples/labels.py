"""Labels: the map from their text to numbers, sorted and never by file order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.tasks.examples.joined_classes import classes_in, is_list, joined_among
from lifecode.tasks.examples.numbers_in_text import exactly, number_in

OneLabel = Literal["binary", "multiclass", "regression"]
LabelKind = OneLabel | Literal["multilabel"]
Unit = Literal["sequence", "codon", "nucleotide", "residue"]
"""What has a label."""
Transform = Literal["log"]
"""What is learnt in place of a value: its natural logarithm."""
_LARGEST = 1e100
"""Of a value that is learnt: the squares of larger ones are no numbers."""
_TRUTHS = {"true": "1", "1.0": "1", "false": "0", "0.0": "0"}
"""Other ways to write the classes 1 and 0."""


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
            UserError: a label that is empty, outside the map, too large to be squared, or no number where a
                regression wants one.
        """
        rows = range(1, len(texts) + 1) if rows is None else rows
        if self.kind == "regression":
            values = [number_in(text) for text in texts]
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
                if self.transform is None and abs(value) > _LARGEST:
                    raise _wrong(
                        f"{text!r} in column {column!r} is above {_LARGEST:g}",
                        source,
                        row,
                        "Give the values in a larger unit, or say task.transform=log",
                    )
            return np.array(values, dtype=np.float64)
        if self.kind == "multilabel":
            return self._memberships(texts, source, column, rows)
        index = self._index(texts)
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

    def _index(self, texts: Iterable[str]) -> dict[str, int]:
        """The number of each class by its name, and by other spellings of the same number: 1.0 is 1."""
        index = {name: number for number, name in enumerate(self.classes)}
        values = {exactly(name): number for name, number in index.items()}
        if None not in values:
            others = {text: exactly(text) for text in set(texts) - set(index)}
            index |= {text: values[value] for text, value in others.items() if value in values}
        return index

    def _memberships(
        self, texts: Sequence[str], source: str, column: str, rows: Sequence[int]
    ) -> NDArray[np.int64]:
        index = self._index(name for text in texts for name in classes_in(text))
        found = np.zeros((len(texts), len(self.classes)), dtype=np.int64)
        for place, (row, text) in enumerate(zip(rows, texts, strict=True)):
            names = classes_in(text)
            if len(set(names)) < len(names) and is_list(text):
                raise _wrong(
                    f"{text!r} in column {column!r} names a class twice",
                    source,
                    row,
                    "List the names of its classes; columns of 0 and 1 are task.label=[a,b]",
                )
            for name in names:
                if name not in index:
                    raise _wrong(
                        f"label {name!r} in column {column!r} is none of the training file's classes",
                        source,
                        row,
                        "Correct the label, or remove it",
                    )
                found[place, index[name]] = 1
        return found

    def oddities(self) -> list[str]:
        """A line each where classes differ in case alone, where 1 stands beside True, a;b beside a."""
        by_letters, by_truth = _alike(self.classes, {}), _alike(self.classes, _TRUTHS)
        said = {
            "classes of their own that differ in case or blanks alone": by_letters,
            "classes of their own that may mean the same": [one for one in by_truth if one not in by_letters],
        }
        joined = [] if self.kind == "multilabel" else joined_among(self.classes)
        return [f"{what}: {'; '.join(alike)}" for what, alike in said.items() if alike] + joined

    def described(self) -> str:
        """The kind and the classes in a few words."""
        shown = ", ".join(self.classes[:5]) + (", …" if len(self.classes) > 5 else "")
        of_each = "" if self.unit == "sequence" else f" of each {self.unit}"
        return f"{self.kind}{of_each}: {shown}" if self.classes else f"{self.kind}{of_each}"


def _alike(classes: Sequence[str], others: Mapping[str, str]) -> list[str]:
    """Classes that are one but for case and blanks, and after `others` have been put in the place of some."""
    found: dict[str, list[str]] = {}
    for name in classes:
        letters = " ".join(name.casefold().split())
        found.setdefault(others.get(letters, letters), []).append(name)
    return [", ".join(map(repr, names)) for names in found.values() if len(names) > 1]


def _wrong(problem: str, source: str, row: int, remedy: str) -> UserError:
    return UserError(problem, source=source, record=f"in row {row}", remedy=remedy)
