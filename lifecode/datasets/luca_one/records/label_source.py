"""Labels of proteins out of a file of any other kind: what a source of the user's own, or a new one here, is.

A task needs a line in `lifecode.models.luca_one.heads.LEVELS`, a head in the config of the model, and such a
source, which `labels` of `lifecode rows` names by its `_target_`; nothing else knows of either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lifecode.datasets.luca_one.rows import LucaOneRow
from lifecode.datasets.luca_one.tasks import labels_of
from lifecode.errors import UserError

Span = tuple[int, int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProteinLabels:
    """What a source says of one protein, as `LucaOneRow` has it.

    Attributes:
        spans: (first, last, label) by task, 0-based, the last residue included.
        labels: by task a name, or a tuple of names.
    """

    spans: Mapping[str, Sequence[Span]] = field(default_factory=dict)
    labels: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


class LabelSource(Protocol):
    """A file, or several, with labels of proteins."""

    def labels_of(self, proteins: Mapping[str, str]) -> Mapping[str, ProteinLabels]:
        """What it says of those of these proteins that it knows, by name.

        Args:
            proteins: residues by name; names are accessions where the record has one.
        """
        ...


def sourced_labels(
    sources: Mapping[str, LabelSource], proteins: Mapping[str, str]
) -> dict[str, list[ProteinLabels]]:
    """What all sources say of proteins, by the name of the protein, in the order of the sources.

    Raises:
        UserError: a source speaks of another protein, of a task that there is not, or of a place behind the
            end; it names source and protein.
    """
    found: dict[str, list[ProteinLabels]] = {}
    for source, one in sources.items():
        for name, labels in one.labels_of(proteins).items():
            if name not in proteins:
                raise UserError("is no protein of the input", source=f"labels.{source}", record=name)
            _require_fit(labels, name, proteins[name], f"labels.{source}")
            found.setdefault(name, []).append(labels)
    return found


def _require_fit(labels: ProteinLabels, name: str, sequence: str, source: str) -> None:
    try:
        row = LucaOneRow(name, "protein", sequence, spans=labels.spans, labels=labels.labels)
        if numbers := [(task, label) for task, label in labels_of(row) if isinstance(label, int)]:
            raise UserError("{} has the label {}, which is no text".format(*numbers[0]))
    except UserError as fault:
        raise UserError(fault.problem, source=source, record=name, remedy=fault.remedy) from fault
