"""One row of LucaOne's pre-training: a gene or protein, and what is known of it for each labelled task.

`lifecode.datasets.luca_one.row_files` reads and writes files of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.models.luca_one.heads import LEVELS, Level
from lifecode.models.luca_one.vocabulary import molecule_kind

Molecule = Literal["gene", "protein"]
Label = str | int
"""A name, or the number of a class, counted from 0. A number that is a name, such as a taxon's, is text."""

SEVERAL_LABELS = "prot_keyword"
"""The task of which a sequence may have several labels, a tuple of names."""
COORDINATES = "prot_structure"
"""The task whose labels are coordinates."""
GENE_TYPES = ("regulatory", "misc_RNA", "intron", "tmRNA", "ncRNA", "tRNA", "rRNA", "CDS")
"""Of `gene_type`, in the order of the released models."""


@dataclass(frozen=True, eq=False, slots=True)
class LucaOneRow:
    """A sequence with its labels by the tasks of `lifecode.models.luca_one.heads.LEVELS`.

    A task that does not stand in `spans` or `labels` is unknown of this sequence and teaches nothing.

    Attributes:
        id: its name.
        molecule: `gene`, of DNA or RNA, or `protein`.
        sequence: its letters, without gaps.
        spans: by `gene_type`, `prot_homo`, `prot_site` or `prot_domain`: (start, end, label), 0-based and the
            end included. Where spans of one task overlap, the later one says what a position is.
        labels: by `gene_taxonomy` or `prot_taxonomy` a label or None, by `prot_keyword` a tuple of labels. No
            labels at all are unknown keywords, as None is.
        coordinates: of `prot_structure`: (length, 3) float32 of the C-alpha atoms in any unit, NaN where an
            atom is unknown; None without a structure.

    Raises:
        UserError: no letters, another molecule, a task that is not of this molecule or level, a label that is
            neither a name nor a number from 0 on, or none of the gene types, a span beyond the sequence, or
            coordinates of another length.
    """

    id: str
    molecule: Molecule
    sequence: str
    spans: Mapping[str, Sequence[tuple[int, int, Label]]] = field(default_factory=dict)
    labels: Mapping[str, Label | tuple[Label, ...] | None] = field(default_factory=dict)
    coordinates: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if self.molecule not in ("gene", "protein"):
            raise self._fault(f"the molecule {self.molecule!r} is neither gene nor protein")
        if not self.sequence:
            raise self._fault("there is no sequence")
        for task, spans in self.spans.items():
            self._require_task(task, "span")
            for start, end, label in spans:
                if not 0 <= start <= end < len(self.sequence):
                    letters = f"a sequence of {len(self.sequence)} letters"
                    raise self._fault(f"{task} has the span {start} to {end} in {letters}, counted from 0")
                self._require_label(task, label)
        for task, label in self.labels.items():
            self._require_task(task, "sequence")
            if (task == SEVERAL_LABELS) != isinstance(label, tuple) and label is not None:
                raise self._fault(f"{task} is {label!r}, and not {_WANTED[task == SEVERAL_LABELS]}")
            for name in label if isinstance(label, tuple) else (label,) * (label is not None):
                self._require_label(task, name)
        if self.coordinates is not None:
            self._require_task(COORDINATES, "token")
            if self.coordinates.shape != (len(self.sequence), 3):
                shape, length = self.coordinates.shape, len(self.sequence)
                raise self._fault(f"{COORDINATES} has the shape {shape}, and the sequence {length} letters")

    def _require_task(self, task: str, level: Level) -> None:
        if LEVELS.get(task) != level:
            known = ", ".join(name for name, own in LEVELS.items() if own == level)
            raise self._fault(f"{task!r} is no task of {level} labels, which are {known}")
        if task.startswith("gene") != (self.molecule == "gene"):
            raise self._fault(f"{task} is no task of a {self.molecule}")

    def _require_label(self, task: str, name: object) -> None:
        if type(name) is int and name >= 0 and task != "gene_type":
            return
        if task == "gene_type" and name not in GENE_TYPES:
            raise self._fault(f"{task} has the label {name!r}", f"Labels are {', '.join(GENE_TYPES)}")
        if not isinstance(name, str) or not name:
            raise self._fault(f"{task} has the label {name!r}, which is no name")
        if any("\ud800" <= letter <= "\udfff" for letter in name):  # half of a character: no file can hold it
            raise self._fault(f"{task} has the label {name!r}, which is no text")

    def _fault(self, problem: str, remedy: str | None = None) -> UserError:
        return UserError(problem, record=self.id, remedy=remedy)


_WANTED = {True: "a tuple of names", False: "a name"}


def molecule_of(word: str) -> Molecule:
    """`gene` or `protein`, for every word that `lifecode` knows for either.

    Raises:
        UserError: any other word.
    """
    return "protein" if molecule_kind(word) == "protein" else "gene"
