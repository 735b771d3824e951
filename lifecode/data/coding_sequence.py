"""From an annotated CDS to an exact codon-residue pair, or to the reason why it is none.

The translation decides, not the annotation's flags: a CDS with a programmed frameshift whose exons spell
it out translates exactly and is kept, and on E. coli K-12 4,295 of 4,315 CDS do. Pseudogenes and partial
CDS are never kept. A flag names the reason once the translation has failed. Where the file annotates no
protein, the CDS must be an intact open reading frame: a start codon, a stop codon at the end, none inside.

Selenocysteine and pyrrolysine have no place among the 21 residues, so a CDS with one is rejected: as
`transl_except` where it translates exactly but for that residue, else for what else is wrong.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import codon_ids, residue_ids, reverse_complement
from lifecode.data.recoding import ends_in_completed_stop
from lifecode.data.records import CodingSequence, Contig
from lifecode.data.rejection import Rejected, Rejection, difference, unusable
from lifecode.genetic_code import genetic_code

__all__ = ["ExactPair", "Rejected", "Rejection", "extract", "verify", "verify_all"]


@dataclass(frozen=True, slots=True, eq=False)
class ExactPair:
    """A CDS whose translation is the annotated protein, or an intact frame where none is annotated.

    Attributes:
        coding_sequence: as annotated.
        nucleotides: (3 * num_codons,) uint8 ids from the first complete codon on, 5' to 3', with the stop
            codon where the CDS has one; only A, C, G and T.
        amino_acids: (num_codons,) uint8 index in `AMINO_ACIDS`, the stop included; M first where the CDS
            begins with an alternative start codon.
    """

    coding_sequence: CodingSequence
    nucleotides: NDArray[np.uint8]
    amino_acids: NDArray[np.uint8]


def extract(coding_sequence: CodingSequence, contig: Contig) -> NDArray[np.uint8]:
    """Nucleotide ids (length,) of all exons, 5' to 3', before `codon_start` is applied.

    The exons must lie on the contig; `verify` checks that they do.
    """
    pieces = []
    for start, end, strand in coding_sequence.exons:
        piece = contig.nucleotides[start:end]
        pieces.append(piece if strand == 1 else reverse_complement(piece))
    if len(pieces) == 1:
        return pieces[0].copy()
    return np.concatenate(pieces) if pieces else np.empty(0, dtype=np.uint8)


def verify(coding_sequence: CodingSequence, contig: Contig) -> ExactPair | Rejection:
    """The exact pair of a CDS, or the first reason why it is none.

    A CDS is kept when the translation of its exons by its own genetic code, from `codon_start` on, is the
    annotated protein, followed by a stop or by nothing. An alternative start codon reads M where the protein
    begins with M. A stop codon that only polyadenylation completes (`aa:TERM`) is no part of the pair.
    """
    return next(verify_all(replace(contig, coding_sequences=(coding_sequence,))))


def verify_all(contig: Contig) -> Iterator[ExactPair | Rejection]:
    """The verdict of `verify` on every CDS of a contig, in order.

    All CDS are cut out first and their codons read in one go, which is several times faster than one by one
    and holds a byte a nucleotide of all CDS of the contig.
    """
    found = [_cut_out(cds, contig) for cds in contig.coding_sequences]
    whole = [piece[: len(piece) // 3 * 3] for piece in found if not isinstance(piece, Rejection)]
    codons = codon_ids(np.concatenate(whole)) if whole else np.empty(0, dtype=np.int16)
    letters: dict[int, bytes] = {}
    start = 0
    for cds, nucleotides in zip(contig.coding_sequences, found, strict=True):
        if isinstance(nucleotides, Rejection):
            yield nucleotides
            continue
        end = start + len(nucleotides) // 3
        number = cds.genetic_code
        if number not in letters:
            letters[number] = genetic_code(number).letters_of(codons)
        yield _verdict(cds, nucleotides, codons[start:end], letters[number][start:end])
        start = end


def _cut_out(cds: CodingSequence, contig: Contig) -> NDArray[np.uint8] | Rejection:
    """The nucleotides of a CDS from the first complete codon on, or why it must not be translated."""
    if (rejection := unusable(cds, contig)) is not None:
        return rejection
    nucleotides = extract(cds, contig)[cds.codon_start - 1 :]
    if len(nucleotides) % 3 and ends_in_completed_stop(cds):
        nucleotides = nucleotides[: len(nucleotides) // 3 * 3]
    return nucleotides


def _verdict(
    cds: CodingSequence, nucleotides: NDArray[np.uint8], codons: NDArray[np.int16], protein: bytes
) -> ExactPair | Rejection:
    """Judge the letters of a CDS, a codon each, against what is annotated."""
    code = genetic_code(cds.genetic_code)
    if cds.protein_source == "translated":
        starts, stops = bool(code.starts[codons[:1]].any()), bool(code.stops[codons[-1:]].any())
        protein = _framed(protein, starts, stops)
        exact = starts and stops and b"*" not in protein[:-1]
    else:
        annotated = (cds.protein or "").encode("utf-8", errors="replace")
        if protein.removesuffix(b"*") != annotated:  # an alternative start, a stop that codes too, or wrong
            may_start = cds.codon_start == 1 and annotated.startswith(b"M")
            may_stop = len(protein) == len(annotated) + 1
            starts = may_start and bool(code.starts[codons[:1]].any())
            stops = may_stop and bool(code.stops[codons[-1:]].any())
            protein = _framed(protein, starts, stops)
        exact = protein.removesuffix(b"*") == annotated and b"*" not in annotated
    if exact and protein and len(nucleotides) == 3 * len(protein) and b"X" not in protein:
        return ExactPair(cds, nucleotides, residue_ids(protein))
    return difference(cds, nucleotides, protein)


def _framed(protein: bytes, starts: bool, stops: bool) -> bytes:
    """The letters with the first read as a start and the last as a stop, where they are."""
    protein = b"M" + protein[1:] if starts else protein
    return protein[:-1] + b"*" if stops else protein
