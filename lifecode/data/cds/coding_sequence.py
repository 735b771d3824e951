"""From an annotated CDS to an exact codon-residue pair, or to the reason why it is none.

The translation decides, not the annotation's flags: a CDS with a programmed frameshift whose exons spell
it out translates exactly and is kept, and on E. coli K-12 4,295 of 4,315 CDS do. Pseudogenes and partial
CDS are never kept. A flag names the reason once the translation has failed. Where the file annotates no
protein, the CDS must be an intact open reading frame: a start codon, a stop codon at the end, none inside.

A codon with an ambiguous nucleotide agrees with any residue of an annotated protein, and with the stop after
the last: so one N does not cost a gene, up to a share of its codons. Such a codon has no label, and no loss
or figure reads it. Without an annotated protein N could hide a stop codon, and the CDS is rejected.

Selenocysteine and pyrrolysine have no place among the 21 residues, so a CDS with one is rejected: as
`transl_except` where it translates exactly but for that residue, else for what else is wrong.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import UNK, codon_ids, complement, residue_ids, reverse_complement
from lifecode.data.cds.recoding import ends_in_completed_stop, recoded_codons, starts_by_exception
from lifecode.data.cds.rejection import Rejected, Rejection, difference, unusable
from lifecode.data.records import CodingSequence, Contig, value_class
from lifecode.genetic_code import genetic_code

MAX_AMBIGUOUS_SHARE = 0.05
"""Share of a CDS's codons that may be ambiguous."""

__all__ = ["MAX_AMBIGUOUS_SHARE", "ExactPair", "Rejected", "Rejection", "extract", "verify", "verify_all"]


@value_class(eq=False)
class ExactPair:
    """A CDS whose translation is the annotated protein, or an intact frame where none is annotated.

    Attributes:
        coding_sequence: as annotated.
        nucleotides: (3 * num_codons,) uint8 ids from the first complete codon on, 5' to 3', with the stop
            codon where the CDS has one; A, C, G and T, and `UNK` in ambiguous codons.
        amino_acids: (num_codons,) uint8 index in `AMINO_ACIDS`, the stop included; M first where the CDS
            begins with an alternative start codon; `NO_RESIDUE` at ambiguous codons.
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


def verify(
    coding_sequence: CodingSequence, contig: Contig, max_ambiguous_share: float = MAX_AMBIGUOUS_SHARE
) -> ExactPair | Rejection:
    """The exact pair of a CDS, or the first reason why it is none.

    A CDS is kept when the translation of its exons by its own genetic code, from `codon_start` on, is the
    annotated protein, followed by a stop or by nothing. An alternative start codon reads M where the protein
    begins with M, and so does a first codon of which RNA editing or `transl_except` makes one. A stop codon
    that only polyadenylation completes (`aa:TERM`) is no part of the pair.

    Args:
        coding_sequence: as annotated.
        contig: it lies on.
        max_ambiguous_share: of its codons; see `MAX_AMBIGUOUS_SHARE`.
    """
    return next(verify_all(replace(contig, coding_sequences=(coding_sequence,)), max_ambiguous_share))


def verify_all(
    contig: Contig, max_ambiguous_share: float = MAX_AMBIGUOUS_SHARE
) -> Iterator[ExactPair | Rejection]:
    """The verdict of `verify` on every CDS of a contig, in order.

    All CDS are cut out first and their codons read in one go, which is several times faster than one by one
    and holds a byte per nucleotide of all CDS of the contig. The pairs' arrays are parts of those of all.
    """
    if contig.molecule == "protein":  # a residue that no codon spells is no pair
        max_ambiguous_share = 0
    found, all_nucleotides, starts = _cut_out_all(contig)
    codons = codon_ids(all_nucleotides)
    read_by: dict[int, tuple[str, NDArray[np.uint8]]] = {}
    for cds, nucleotides, start in zip(contig.coding_sequences, found, starts, strict=True):
        if isinstance(nucleotides, Rejection):
            yield nucleotides
            continue
        end = start + len(nucleotides) // 3
        if (number := cds.genetic_code) not in read_by:
            letters = genetic_code(number).letters_of(codons)
            read_by[number] = letters.decode("ascii"), residue_ids(letters)
        letters, residues = read_by[number]
        protein = letters[start:end]
        if len(nucleotides) == 3 * len(protein) and _reads_as_annotated(cds, protein):
            yield ExactPair(cds, nucleotides, residues[start:end])
        else:
            yield verdict_on(cds, nucleotides, codons[start:end], protein.encode(), max_ambiguous_share)


def _reads_as_annotated(cds: CodingSequence, protein: str) -> bool:
    """Whether each letter is as annotated and a stop follows, so that `verdict_on` has nothing to ask."""
    annotated = cds.protein
    return (
        annotated is not None
        and cds.protein_source == "annotated"
        and protein[:-1] == annotated
        and protein[-1:] == "*"
        and "*" not in annotated
        and "X" not in annotated
    )


def _cut_out_all(
    contig: Contig,
) -> tuple[list[NDArray[np.uint8] | Rejection], NDArray[np.uint8], list[int]]:
    """What `cut_out` finds of every CDS, all their complete codons as one array, and where each begins there.

    That is counted in codons. CDS of one exon are parts of the array, those of the reverse strand side by
    side, so that they are complemented at once.
    """
    found: list[NDArray[np.uint8] | Rejection] = []
    forward, backward, others = ([], [], [])
    for index, cds in enumerate(contig.coding_sequences):
        if (rejection := unusable(cds, contig)) is not None:
            found.append(rejection)
            continue
        start, end, strand = cds.exons[0]
        if len(cds.exons) > 1 or cds.codon_start > 1 or (end - start) % 3:
            piece = _in_frame(cds, contig)
            others.append((index, piece[: len(piece) // 3 * 3]))
        elif strand == 1:
            piece = contig.nucleotides[start:end]
            forward.append((index, piece))
        else:
            piece = contig.nucleotides[start:end][::-1]
            backward.append((index, piece))
        found.append(piece)
    order = [*forward, *backward, *others]
    nucleotides = np.concatenate([piece for _, piece in order] or [np.empty(0, dtype=np.uint8)])
    starts, place, alone = [0] * len(found), 0, len(forward) + len(backward)
    for number, (index, piece) in enumerate(order):
        starts[index], before, place = place // 3, place, place + len(piece)
        if number < alone:
            found[index] = nucleotides[before:place]
    begin = sum(len(piece) for _, piece in forward)
    reverse = nucleotides[begin : begin + sum(len(piece) for _, piece in backward)]
    reverse[:] = complement(reverse)
    return found, nucleotides, starts


def cut_out(cds: CodingSequence, contig: Contig) -> NDArray[np.uint8] | Rejection:
    """The nucleotides of a CDS from the first complete codon on, or why it must not be translated."""
    if (rejection := unusable(cds, contig)) is not None:
        return rejection
    return _in_frame(cds, contig)


def _in_frame(cds: CodingSequence, contig: Contig) -> NDArray[np.uint8]:
    nucleotides = extract(cds, contig)[cds.codon_start - 1 :]
    if len(nucleotides) % 3 and ends_in_completed_stop(cds):
        nucleotides = nucleotides[: len(nucleotides) // 3 * 3]
    return nucleotides


def verdict_on(
    cds: CodingSequence,
    nucleotides: NDArray[np.uint8],
    codons: NDArray[np.int16],
    protein: bytes,
    max_ambiguous_share: float,
) -> ExactPair | Rejection:
    """Judge the letters of a CDS, a codon each, against what is annotated.

    Args:
        cds: as annotated; its genetic code says which codons start and stop.
        nucleotides: (num_nucleotides,) from `cut_out`.
        codons: (num_codons,) of these, -1 for an ambiguous one.
        protein: their letters by the CDS's genetic code, X for an ambiguous one.
        max_ambiguous_share: of its codons.
    """
    code = genetic_code(cds.genetic_code)
    unlabelled = protein.count(b"X")
    if cds.protein_source == "translated":
        recoded = recoded_codons(cds) if cds.transl_except else {}
        starts = bool(code.starts[codons[:1]].any()) or recoded.get(0) == "M"
        completed = recoded.pop(len(protein), None) == "*"  # by polyadenylation, behind the last whole codon
        stops = not completed and bool(code.stops[codons[-1:]].any())
        protein = _framed(protein, starts, stops)
        as_recoded = all(protein[i : i + 1] == residue.encode() for i, residue in recoded.items())
        intact = starts and (stops or completed) and b"*" not in protein[: len(protein) - stops]
        agrees = intact and as_recoded
        max_ambiguous_share = 0
    else:
        annotated = (cds.protein or "").encode("utf-8", errors="replace")
        may_stop = len(protein) == len(annotated) + 1
        if protein.removesuffix(b"*") != annotated:  # an alternative start, a stop that codes too, or wrong
            may_start = cds.codon_start == 1 and annotated.startswith(b"M")
            starts = may_start and (bool(code.starts[codons[:1]].any()) or starts_by_exception(cds))
            stops = may_stop and bool(code.stops[codons[-1:]].any())
            protein = _framed(protein, starts, stops)
        expected = annotated + b"*" if may_stop else annotated
        expected = _without_labels(expected, codons) if unlabelled else expected
        agrees = protein == expected and b"*" not in annotated
    if not agrees or not protein or len(nucleotides) != 3 * len(protein):
        return difference(cds, nucleotides, protein)
    if unlabelled > max_ambiguous_share * len(protein):
        num_ambiguous = int((nucleotides == UNK).sum())
        found = f"{num_ambiguous} of {len(nucleotides)} nucleotides"
        return Rejection(Rejected.AMBIGUOUS_NUCLEOTIDE, found)
    return ExactPair(cds, nucleotides, residue_ids(protein))


def _without_labels(letters: bytes, codons: NDArray[np.int16]) -> bytes:
    """The letters with X at every ambiguous codon, whatever residue is annotated there."""
    ids = np.frombuffer(letters, dtype=np.uint8).copy()
    ids[np.flatnonzero(codons[: len(ids)] < 0)] = ord("X")
    return ids.tobytes()


def _framed(protein: bytes, starts: bool, stops: bool) -> bytes:
    """The letters with the first read as a start and the last as a stop, where they are."""
    protein = b"M" + protein[1:] if starts else protein
    return protein[:-1] + b"*" if stops else protein
