"""A task of labelled sequences, as one config says it: files, columns, kind of label, metric, split."""

from dataclasses import dataclass
from typing import Literal

from lifecode.errors import UserError
from lifecode.tasks.examples.labels import LabelKind, Transform, Unit
from lifecode.tasks.examples.molecule import MoleculeWord

Files = str | list[str]


def listed(files: Files) -> list[str]:
    """One file, or several, as a list."""
    return [files] if isinstance(files, str) else files


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceTask:
    """Sequences with one label each, or one for each of their positions.

    Args:
        train: file or files of examples: CSV, TSV, Parquet or FASTA.
        validation: further examples, where a benchmark sets them apart. A probe learns from them too and
            chooses its strength inside all; other tunings judge epochs and the grid by them.
        test: examples that nothing is chosen on; None holds out folds of `train` in turn.
        sequence: column of the sequences, or of their names in `fasta`; None finds it by its letters, or by
            these names.
        fasta: file that holds the sequences by name; None where they stand in the table.
        label: column of the labels; None finds it by its name, or takes the only one left. Several columns
            are each a class, 1 where a sequence has it, else 0.
        id: column of the ids; None takes one that is called id, seq_id, gene_id or name, False none.
        where: value of a column, by its name, of the rows to keep; None keeps all.
        molecule: `cds` is read in its frame, `dna` (or `rna`, `gene`, `nucleotide`) in all three; `protein`
            (or `prot`) has to be said; None looks at the sequences.
        unit: what has a label: the sequence, or each `codon`, `nucleotide` or `residue` of it, as a string of
            one letter a position or separated by spaces or commas; `.` for one without.
        kind: None reads it off the labels; `multilabel`, which has to be said, is any number of classes for a
            sequence, joined by `;`.
        transform: `log` learns and measures the natural logarithm of a regression's labels; rows without one
            are left out. Predictions are in the units of the labels.
        metric: by which models are compared; None takes Matthews correlation, or Spearman's for a regression.
        keep_together: of folds: rows of equal `id` or sequence stay together; `clusters` also sequences that
            resemble each other.
        cluster_similarity: Jaccard index of k-mers from which on two sequences do.
        published: figures of others to show beside ours, metric by name.
    """

    train: Files
    validation: Files | None = None
    test: Files | None = None
    sequence: str | None = None
    fasta: str | None = None
    label: str | list[str] | None = None
    id: str | bool | None = None
    where: dict[str, str | int | float] | None = None
    molecule: MoleculeWord | None = None
    unit: Unit = "sequence"
    kind: LabelKind | None = None
    transform: Transform | None = None
    metric: str | None = None
    keep_together: Literal["equal", "clusters"] = "equal"
    cluster_similarity: float = 0.3
    published: dict[str, dict[str, float]] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.cluster_similarity <= 1:
            raise UserError("does not lie in (0, 1]", source="task.cluster_similarity")
        if self.kind == "multilabel" and self.unit != "sequence":
            raise UserError(f"is multilabel, and task.unit is {self.unit}", source="task.kind")
        of_protein = self.molecule in ("protein", "prot")
        if self.unit != "sequence" and of_protein != (self.unit == "residue"):
            what = "proteins" if of_protein else "no proteins"
            raise UserError(
                f"is {self.unit}, and the sequences are {what}",
                source="task.unit",
                remedy="Use residue with task.molecule=protein, nucleotide or codon with any other",
            )
        if self.transform is not None and self.unit != "sequence":
            raise UserError(f"is given, and task.unit is {self.unit}", source="task.transform")
        if isinstance(self.label, list) and (
            self.kind not in (None, "multilabel") or self.unit != "sequence"
        ):
            raise UserError(
                "names several columns, which are classes of whole sequences",
                source="task.label",
                remedy="Leave task.kind and task.unit out, or name one column",
            )
