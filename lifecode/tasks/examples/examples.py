"""Labelled sequences as they are learnt from: ids, nucleotides and labels side by side."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import as_sequences, letters_of
from lifecode.data.reading.named_sequences import named_sequences
from lifecode.errors import UserError
from lifecode.models.life_code.embedding import require_sequences
from lifecode.tasks.examples.columns import Columns
from lifecode.tasks.examples.molecule import Molecule, decoded, encoded
from lifecode.tasks.examples.table import Table


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Some examples of a task, in the order of their file.

    Attributes:
        ids: of each; the number of its row, from 1, where the file has none, on through several files.
        sequences: ids (length,) uint8 of each, as `lifecode.tasks.examples.molecule.encoded` gives them.
        labels: as `Labels.numbers` gives them, or (n,) of dtype object an array (num_positions,) for each
            sequence; int64 zeros where there are none.
        has_ids: whether the ids stand in the file.
        are_proteins: whether the sequences are.
    """

    ids: list[str]
    sequences: list[NDArray[np.uint8]]
    labels: NDArray[Any]
    has_ids: bool
    are_proteins: bool = False

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def parts(self) -> list[bytes]:
        """All that a model may read, in the order of the examples."""
        return [ids.tobytes() for ids in self.sequences]

    def texts(self) -> list[str]:
        """The letters of each."""
        molecule: Molecule = "protein" if self.are_proteins else "dna"
        return [decoded(ids, molecule) for ids in self.sequences]

    def followed_by(self, other: "Examples") -> "Examples":
        """Further examples behind these."""
        return joined([self, other])

    def at(self, rows: NDArray[np.integer]) -> "Examples":
        """Those of these rows, in their order."""
        picked = rows.tolist()
        return Examples(
            [self.ids[i] for i in picked],
            [self.sequences[i] for i in picked],
            self.labels[rows],
            self.has_ids,
            self.are_proteins,
        )


def joined(parts: Sequence[Examples]) -> Examples:
    """The examples of several files, one behind the other."""
    return Examples(
        [name for part in parts for name in part.ids],
        [ids for part in parts for ids in part.sequences],
        np.concatenate([part.labels for part in parts]),
        all(part.has_ids for part in parts),
        all(part.are_proteins for part in parts),
    )


def numbered_on(parts: Sequence[Examples]) -> Examples:
    """The same, where rows of files without ids are numbered on from one file to the next."""
    found, last = [], 0
    for part in parts:
        numbers = [] if part.has_ids else [last + int(number) for number in part.ids]
        found.append(replace(part, ids=list(map(str, numbers))) if numbers else part)
        last = max([last, *numbers])
    return joined(found)


def sequences_of(sequences: Any, molecule: Molecule) -> list[NDArray[np.uint8]]:
    """Arrays of ids as they are, or what anything else holds that `embed` takes; proteins as text.

    Raises:
        UserError: no sequence, an empty one, or a letter that is no nucleotide, or no residue.
    """
    if isinstance(sequences, list) and all(isinstance(ids, np.ndarray) and ids.ndim for ids in sequences):
        return sequences
    if molecule == "protein":
        texts = [letters_of(text).decode("latin-1") for text in as_sequences(sequences)]
        if not texts or not all(texts):
            raise UserError("there is no sequence to predict", remedy="Give at least one residue")
        return [encoded(text, molecule, record=number) for number, text in enumerate(texts)]
    given = named_sequences(sequences)
    require_sequences(given, "predict")
    return list(given.nucleotides)


def flat(values: NDArray[Any]) -> NDArray[Any]:
    """Labels or predictions of all positions one behind the other, where sequences have several each."""
    return np.concatenate(values.tolist()) if values.dtype == object else values


def as_positions(values: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """What `flat` made of values of positions, in arrays as long as those of `like`; others as they are."""
    if like.dtype != object:
        return values
    found = np.empty(len(like), dtype=object)
    for number, part in enumerate(np.split(values, np.cumsum([len(each) for each in like])[:-1])):
        found[number] = part
    return found


def examples_of(
    table: Table, columns: Columns, labels: NDArray[Any] | None = None, molecule: Molecule = "dna"
) -> Examples:
    """The sequences of a table, with the labels of its rows where they are known.

    Raises:
        UserError: a sequence that is empty or has a letter that is no nucleotide, or no residue.
    """
    sequences = table.columns[columns.sequence]
    ids = [str(row) for row in table.rows] if columns.id is None else table.columns[columns.id]
    for row, sequence in zip(table.rows, sequences, strict=True):
        if not sequence:
            raise UserError(
                f"column {columns.sequence!r} is empty",
                source=table.source,
                record=f"in row {row}",
                remedy="Give a sequence, or remove the row",
            )
    found = [
        encoded(sequence, molecule, source=table.source, record=name)
        for name, sequence in zip(ids, sequences, strict=True)
    ]
    labels = np.zeros(len(ids), dtype=np.int64) if labels is None else labels
    return Examples(ids, found, labels, columns.id is not None, molecule == "protein")
