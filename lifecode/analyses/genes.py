"""Genes to be asked about: coding sequences that translate to their protein, drawn by a seed.

A model is never asked about a gene that resembles one it was trained on, and what is counted for comparison
is counted on other genes than those that are asked about.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import AMINO_ACIDS, NO_RESIDUE, STOP, codon_ids
from lifecode.analyses.named_model import NamedModel
from lifecode.data.cds.coding_sequence import ExactPair, verify_all
from lifecode.data.reading.read import read_records
from lifecode.data.splits.similarity import protein_sketch, similar
from lifecode.data.statistics.seen_genes import ALIKE, resembling
from lifecode.errors import UserError
from lifecode.tasks.examples.molecule import encoded

_FEWEST_COUNTED = 20


@dataclass(frozen=True, slots=True, eq=False)
class Gene:
    """A verified coding sequence without its stop.

    Attributes:
        name: id of the CDS.
        nucleotides: (3 L,) ids.
        residues: (L,) index in `AMINO_ACIDS`.
        genetic_code: NCBI number.
        gene: name of the gene, or None.
        stop: ids (3,) of its stop codon, or none (0,).
    """

    name: str
    nucleotides: NDArray[np.uint8]
    residues: NDArray[np.uint8]
    genetic_code: int
    gene: str | None = None
    stop: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))

    @property
    def codons(self) -> NDArray[np.int64]:
        """Codon ids (L,)."""
        return codon_ids(self.nucleotides).astype(np.int64)

    @property
    def codons_and_stop(self) -> NDArray[np.int64]:
        """Codon ids (L + 1,), or (L,) where no stop is known."""
        return codon_ids(np.concatenate([self.nucleotides, self.stop])).astype(np.int64)

    @property
    def protein(self) -> NDArray[np.uint8]:
        """Its residues as `lifecode.tasks.examples.molecule.encoded` gives them."""
        return encoded("".join(AMINO_ACIDS[index] for index in self.residues.tolist()), "protein")


def read_genes(
    input: str | list[str],
    *,
    most: int | None,
    min_codons: int,
    max_codons: int,
    seed: int,
    proteins: bool = False,
) -> tuple[list[Gene], list[str]]:
    """Genes of files, each protein once, and what was left out, a line each reason.

    Args:
        input: as for `lifecode.read_records`.
        most: so many are drawn; None keeps all.
        min_codons: shorter ones are left out, the stop not counted.
        max_codons: likewise longer ones.
        seed: of the draw.
        proteins: true takes proteins, written as their commonest codons, and no coding sequences.

    Raises:
        UserError: files that cannot be read, or without such a gene.
    """
    left_out: Counter[str] = Counter()
    found: dict[bytes, Gene] = {}
    for contig in read_records(input):
        if (contig.molecule == "protein") != proteins:
            left_out["no proteins" if proteins else "proteins without a coding sequence"] += 1
            continue
        for verdict in verify_all(contig):
            if not isinstance(verdict, ExactPair):
                left_out["no exact pair of a CDS and its protein"] += 1
                continue
            residues = verdict.amino_acids
            size = len(residues) - int(residues[-1] == STOP)
            if (residues[:size] == NO_RESIDUE).any() or (residues[:size] == STOP).any():
                left_out["an ambiguous codon or a stop inside"] += 1
            elif not min_codons <= size <= max_codons:
                left_out[f"not of {min_codons:,} to {max_codons:,} codons"] += 1
            elif (key := residues[:size].tobytes()) in found:
                left_out["a protein that another gene has"] += 1
            else:
                cds = verdict.coding_sequence
                nucleotides, stop = np.split(verdict.nucleotides, [3 * size])
                found[key] = Gene(cds.id, nucleotides, residues[:size], cds.genetic_code, cds.gene, stop)
    notes = [f"left out: {count:,} ({reason})" for reason, count in sorted(left_out.items())]
    if not found:
        raise UserError(
            f"holds no {'protein' if proteins else 'coding sequence'} that can be asked about"
            + "".join(f"; {note}" for note in notes),
            source=input if isinstance(input, str) else ", ".join(input),
            remedy="Give protein:FILE, or Swiss-Prot"
            if proteins
            else "Give an annotated genome, or cds:FILE for coding sequences alone",
        )
    genes = list(found.values())
    order = np.sort(np.random.default_rng(seed).permutation(len(genes))[:most])
    return [genes[i] for i in order.tolist()], notes


class Asked(NamedTuple):
    """Genes that models are asked about, and those of the same file on which statistics are counted."""

    genes: list[Gene]
    others: list[Gene]


def asked_and_counted(
    genes: Sequence[Gene],
    models: Sequence[NamedModel],
    *,
    most: int,
    lengths: tuple[int, int],
    seed: int,
    name: str,
) -> tuple[Asked, list[str]]:
    """Draw genes that no model has seen the like of, and leave out of the others what resembles these.

    Args:
        genes: of one file.
        models: whose training genes are not asked about.
        most: so many are drawn.
        lengths: fewest and most codons, or residues, of what is asked about.
        seed: of the draw.
        name: of the file, for errors.

    Returns:
        The genes, and what was left out, a line each reason.

    Raises:
        UserError: no gene is left to ask about, or too few to count.
    """
    shortest, longest = lengths
    sketches = np.array([protein_sketch(gene.residues) for gene in genes])
    seen = np.zeros(len(genes), dtype=bool)
    for one in models:
        if one.model.training_genes is not None:
            seen |= resembling(sketches, one.model.training_genes)
    fits = np.array([shortest <= len(gene.residues) <= longest for gene in genes])
    asked = np.sort(np.random.default_rng(seed).permutation(np.flatnonzero(~seen & fits))[:most])
    if not len(asked):
        raise UserError(
            f"has nothing of {shortest:,} to {longest:,} codons that no model has seen",
            source=name,
            remedy="Leave this file out, or ask for other lengths (kind.min_*, kind.max_*)",
        )
    counted = np.ones(len(genes), dtype=bool)
    for _, columns, _ in similar(sketches[asked], sketches, ALIKE):  # themselves too
        counted[columns] = False
    if counted.sum() < _FEWEST_COUNTED:
        raise UserError(
            f"has {counted.sum()} genes beside those that are asked about, too few to count",
            source=name,
            remedy="Ask about fewer, or leave this file out",
        )
    alike = len(genes) - int(counted.sum()) - len(asked)
    notes = [
        f"{count:,} {what}"
        for count, what in (
            (int(seen.sum()), "genes resemble training genes of a model and are not asked about"),
            (alike, "genes resemble one that is asked about and are not counted"),
            (int(counted.sum()), "genes are counted"),
        )
        if count
    ]
    others = [genes[i] for i in np.flatnonzero(counted).tolist()]
    return Asked([genes[i] for i in asked.tolist()], others), notes


def notes_on_unknown_training(models: Sequence[NamedModel]) -> list[str]:
    """A line for each trained model that does not say what it was trained on."""
    return [
        f"{one.name} does not say which genes it was trained on; it may have seen those it is asked about"
        for one in models
        if not one.name.startswith("untrained ") and one.model.training_genes is None
    ]
