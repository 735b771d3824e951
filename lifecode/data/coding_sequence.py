"""From an annotated CDS to an exact codon-residue pair, or to the reason why it is none.

The translation decides, not the annotation's flags: a CDS with a programmed frameshift whose exons spell
it out translates exactly and is kept, and on E. coli K-12 4,295 of 4,315 CDS do. Pseudogenes and partial
CDS are never kept. A flag names the reason once the translation has failed.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import STOP, UNK, codon_ids, reverse_complement
from lifecode.data.records import CodingSequence, Contig
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code, residue_letters


class Rejected(StrEnum):
    """Why a CDS is no exact pair; the values are keys of `report.json`."""

    PSEUDO = "pseudo"
    PARTIAL = "partial"
    UNREADABLE_LOCATION = "unreadable_location"
    OUT_OF_RANGE = "out_of_range"
    NO_PROTEIN = "no_protein"
    UNKNOWN_GENETIC_CODE = "unknown_genetic_code"
    TRANSL_EXCEPT = "transl_except"
    RIBOSOMAL_SLIPPAGE = "ribosomal_slippage"
    AMBIGUOUS_NUCLEOTIDE = "ambiguous_nucleotide"
    LENGTH_NOT_MULTIPLE_OF_3 = "length_not_multiple_of_3"
    INTERNAL_STOP = "internal_stop"
    TRANSLATION_DIFFERS = "translation_differs"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A CDS that is no exact pair: the reason, and what exactly was found."""

    reason: Rejected
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class ExactPair:
    """A CDS whose translation is the annotated protein.

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
    return np.concatenate(pieces) if pieces else np.empty(0, dtype=np.uint8)


def verify(coding_sequence: CodingSequence, contig: Contig) -> ExactPair | Rejection:
    """The exact pair of a CDS, or the first reason why it is none, in the order of `Rejected`.

    A CDS is kept when the translation of its exons by its own genetic code, from `codon_start` on and with
    an alternative start codon read as M, is the annotated protein, followed by a stop or by nothing.
    """
    if (unusable := _unusable(coding_sequence, contig)) is not None:
        return unusable
    nucleotides = extract(coding_sequence, contig)[coding_sequence.codon_start - 1 :]
    code = genetic_code(coding_sequence.genetic_code)
    codons = codon_ids(nucleotides)
    ids = code.amino_acids(codons)
    if len(codons) and coding_sequence.codon_start == 1 and code.starts[codons[0]]:
        ids[0] = code.amino_acids(codons[:1], complete_cds=True)[0]
    annotated = coding_sequence.protein or ""
    if len(codons) == len(annotated) + 1 and code.stops[codons[-1]]:
        ids[-1] = STOP
    translated = residue_letters(ids)
    whole = len(nucleotides) % 3 == 0 and len(codons) > 0 and not (nucleotides == UNK).any()
    if whole and translated.removesuffix("*") == annotated:
        return ExactPair(coding_sequence, nucleotides, ids.astype(np.uint8))
    return _difference(coding_sequence, nucleotides, translated)


def _unusable(cds: CodingSequence, contig: Contig) -> Rejection | None:
    """The rejection of a CDS that cannot or must not be translated at all."""
    if cds.pseudo:
        return Rejection(Rejected.PSEUDO, "marked as a pseudogene")
    if cds.partial:
        return Rejection(Rejected.PARTIAL, "an end lies beyond the sequence")
    if cds.location_problem or not cds.exons:
        return Rejection(Rejected.UNREADABLE_LOCATION, cds.location_problem or "the location is empty")
    num_nucleotides = len(contig.nucleotides)
    for start, end, _ in cds.exons:
        if not 0 <= start < end <= num_nucleotides:
            return Rejection(Rejected.OUT_OF_RANGE, f"{start + 1}..{end} on {num_nucleotides} nucleotides")
    if cds.codon_start not in (1, 2, 3):
        return Rejection(Rejected.OUT_OF_RANGE, "codon_start is none of 1, 2 and 3")
    if not cds.protein:
        return Rejection(Rejected.NO_PROTEIN, "no annotated translation")
    try:
        genetic_code(cds.genetic_code)
    except UserError as unknown:
        return Rejection(Rejected.UNKNOWN_GENETIC_CODE, unknown.problem)
    return None


def _difference(cds: CodingSequence, nucleotides: NDArray[np.uint8], translated: str) -> Rejection:
    """Why a translation is not the annotated protein: a flag that explains it, else what was seen."""
    if cds.transl_except:
        return Rejection(Rejected.TRANSL_EXCEPT, " ".join(cds.transl_except))
    if cds.ribosomal_slippage:
        return Rejection(Rejected.RIBOSOMAL_SLIPPAGE, "the exons do not spell out the change of frame")
    ambiguous = int((nucleotides == UNK).sum())
    if ambiguous:
        return Rejection(Rejected.AMBIGUOUS_NUCLEOTIDE, f"{ambiguous} of {len(nucleotides)} nucleotides")
    if len(nucleotides) % 3 or not len(nucleotides):
        return Rejection(Rejected.LENGTH_NOT_MULTIPLE_OF_3, f"{len(nucleotides)} nucleotides")
    stop = translated[:-1].find("*")
    if stop >= 0:
        return Rejection(Rejected.INTERNAL_STOP, f"codon {stop + 1} of {len(translated)}")
    return Rejection(Rejected.TRANSLATION_DIFFERS, _first_difference(translated, cds.protein or ""))


def _first_difference(translated: str, annotated: str) -> str:
    """Where two proteins part, in words."""
    found = translated.removesuffix("*")
    for position, (ours, theirs) in enumerate(zip(found, annotated, strict=False), start=1):
        if ours != theirs:
            return f"codon {position} reads {ours}, annotated {theirs}"
    return f"{len(found)} residues, annotated {len(annotated)}"
