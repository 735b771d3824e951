"""Why a CDS is no exact pair, in one word for the counts and in a few for the table."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lifecode.data.cds.recoding import recoded_codons
from lifecode.data.records import CodingSequence, Contig
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code


class Rejected(StrEnum):
    """Why a CDS is no exact pair; the values are keys of `report.json`."""

    PSEUDO = "pseudo"
    PARTIAL = "partial"
    UNREADABLE_LOCATION = "unreadable_location"
    PHASES_CONTRADICT_LENGTHS = "phases_contradict_lengths"
    OUT_OF_RANGE = "out_of_range"
    NO_PROTEIN = "no_protein"
    UNKNOWN_GENETIC_CODE = "unknown_genetic_code"
    ORGANELLE_GENETIC_CODE = "organelle_genetic_code"
    SHORTER_ISOFORM = "shorter_isoform"
    TRANSL_EXCEPT = "transl_except"
    EXCEPTION = "exception"
    RIBOSOMAL_SLIPPAGE = "ribosomal_slippage"
    AMBIGUOUS_NUCLEOTIDE = "ambiguous_nucleotide"
    LENGTH_NOT_MULTIPLE_OF_3 = "length_not_multiple_of_3"
    NO_START_CODON = "no_start_codon"
    INTERNAL_STOP = "internal_stop"
    NO_STOP_CODON = "no_stop_codon"
    TRANSLATION_DIFFERS = "translation_differs"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A CDS that is no exact pair: the reason, and what exactly was found."""

    reason: Rejected
    detail: str


def unusable(cds: CodingSequence, contig: Contig) -> Rejection | None:
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
    if cds.phase_problem:
        return Rejection(Rejected.PHASES_CONTRADICT_LENGTHS, cds.phase_problem)
    if cds.protein_source == "translated" and cds.codon_start != 1:
        return Rejection(Rejected.PARTIAL, f"the first complete codon is at nucleotide {cds.codon_start}")
    if cds.protein_source == "translated" and cds.exception:
        return Rejection(Rejected.EXCEPTION, f"its protein is not what its codons read: {cds.exception}")
    if cds.protein_source == "annotated" and not cds.protein:
        return Rejection(Rejected.NO_PROTEIN, "no annotated translation")
    choice = contig.code_choice
    if choice is not None and choice.because == "organelle" and not cds.genetic_code_given:
        found = f"nothing says by which genetic code {contig.organelle or contig.name} is read"
        return Rejection(Rejected.ORGANELLE_GENETIC_CODE, found)
    try:
        genetic_code(cds.genetic_code)
    except UserError as unknown:
        return Rejection(Rejected.UNKNOWN_GENETIC_CODE, unknown.problem)
    if cds.longer_isoform:
        return Rejection(Rejected.SHORTER_ISOFORM, f"{cds.longer_isoform} stands for the gene")
    return None


def difference(cds: CodingSequence, nucleotides: NDArray[np.uint8], protein: bytes) -> Rejection:
    """Why a CDS is no exact pair: what its annotation says of it if that explains it, else what was seen.

    Args:
        cds: as annotated.
        nucleotides: (num_nucleotides,) ids from the first complete codon on.
        protein: the letter of each complete codon, as ASCII; a start codon is M, an ambiguous one X.
    """
    if _explained_by_recoding(cds, protein):
        told = " ".join(cds.transl_except)
        return Rejection(Rejected.TRANSL_EXCEPT, told or "its protein has selenocysteine or pyrrolysine")
    if cds.ribosomal_slippage:
        return Rejection(Rejected.RIBOSOMAL_SLIPPAGE, "the exons do not spell out the change of frame")
    if len(nucleotides) % 3 or not len(nucleotides):
        return Rejection(Rejected.LENGTH_NOT_MULTIPLE_OF_3, f"{len(nucleotides)} nucleotides")
    translated = cds.protein_source == "translated"
    letters = protein.decode("ascii")
    if translated and letters.startswith("X"):
        return Rejection(Rejected.AMBIGUOUS_NUCLEOTIDE, "in the first codon, so it may be no start codon")
    if translated and not letters.startswith("M"):
        return Rejection(Rejected.NO_START_CODON, f"it begins with {letters[0]}")
    stop = letters[:-1].find("*")
    if stop >= 0:
        return Rejection(Rejected.INTERNAL_STOP, f"codon {stop + 1} of {len(letters)}")
    if translated and letters.endswith("X"):
        return Rejection(Rejected.AMBIGUOUS_NUCLEOTIDE, "in the last codon, so it may be no stop codon")
    if translated:
        behind = " and no stop codon follows" if cds.line is not None else ""
        return Rejection(Rejected.NO_STOP_CODON, f"it ends with {letters[-1]}{behind}")
    return Rejection(Rejected.TRANSLATION_DIFFERS, _first_difference(letters, cds.protein or ""))


def _explained_by_recoding(cds: CodingSequence, protein: bytes) -> bool:
    """Whether the translation is right with codons as `transl_except`, else U and O of the protein, say."""
    letters = list(protein.decode("ascii"))
    for codon, (read, annotated) in enumerate(zip(letters, cds.protein or "", strict=False)):
        if read == "*" and annotated in "UO" and not cds.transl_except:
            letters[codon] = annotated
    for codon, residue in recoded_codons(cds).items():
        if codon < len(letters):
            letters[codon] = residue
    changed = "".join(letters)
    read = changed.removesuffix("*")
    return changed.encode() != protein and (read == cds.protein if cds.protein else "*" not in read)


def _first_difference(translated: str, annotated: str) -> str:
    """Where two proteins part, in words."""
    found = translated.removesuffix("*")
    for position, (ours, theirs) in enumerate(zip(found, annotated, strict=False), start=1):
        if ours not in ("X", theirs):
            return f"codon {position} reads {ours}, annotated {theirs}"
    return f"{len(found)} residues, annotated {len(annotated)}"
