"""Genes to be asked about: coding sequences that translate to their protein, drawn by a seed."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import AMINO_ACIDS, NO_RESIDUE, STOP, codon_ids
from lifecode.data.cds.coding_sequence import ExactPair, verify_all
from lifecode.data.reading.read import read_records
from lifecode.errors import UserError
from lifecode.tasks.examples.molecule import encoded


@dataclass(frozen=True, slots=True, eq=False)
class Gene:
    """A verified coding sequence without its stop.

    Attributes:
        name: id of the CDS.
        nucleotides: (3 L,) ids.
        residues: (L,) index in `AMINO_ACIDS`.
        genetic_code: NCBI number.
        gene: name of the gene, or None.
    """

    name: str
    nucleotides: NDArray[np.uint8]
    residues: NDArray[np.uint8]
    genetic_code: int
    gene: str | None = None

    @property
    def codons(self) -> NDArray[np.int64]:
        """Codon ids (L,)."""
        return codon_ids(self.nucleotides).astype(np.int64)

    @property
    def protein(self) -> NDArray[np.uint8]:
        """Its residues as `lifecode.tasks.examples.molecule.encoded` gives them."""
        return encoded("".join(AMINO_ACIDS[index] for index in self.residues.tolist()), "protein")


def read_genes(
    input: str | list[str], *, most: int | None, min_codons: int, max_codons: int, seed: int
) -> tuple[list[Gene], list[str]]:
    """Genes of files, each protein once, and what was left out, a line each reason.

    Args:
        input: as for `lifecode.read_records`.
        most: so many are drawn; None keeps all.
        min_codons: shorter ones are left out, the stop not counted.
        max_codons: likewise longer ones.
        seed: of the draw.

    Raises:
        UserError: files that cannot be read, or without such a gene.
    """
    left_out: Counter[str] = Counter()
    found: dict[bytes, Gene] = {}
    for contig in read_records(input):
        if contig.molecule == "protein":
            left_out["proteins without a coding sequence"] += 1
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
                nucleotides = verdict.nucleotides[: 3 * size]
                found[key] = Gene(cds.id, nucleotides, residues[:size], cds.genetic_code, cds.gene)
    if not found:
        raise UserError(
            "holds no coding sequence that can be asked about",
            source=input if isinstance(input, str) else ", ".join(input),
            remedy="Give an annotated genome, or cds:FILE for coding sequences alone",
        )
    genes = list(found.values())
    order = np.sort(np.random.default_rng(seed).permutation(len(genes))[:most])
    notes = [f"left out: {count:,} ({reason})" for reason, count in sorted(left_out.items())]
    return [genes[i] for i in order.tolist()], notes
