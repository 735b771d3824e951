"""Codons that one gene reads in a way that no genetic code does: `transl_except`, notes, `exception`.

The values of `transl_except` look like `(pos:213..215,aa:Sec)`, with positions on the contig. One that cannot
be read, or lies outside the CDS, explains nothing and is left out.
"""

import re
from collections.abc import Iterable, Sequence

from Bio.Data import IUPACData

from lifecode.data.records import CodingSequence, Exon

_EXCEPTION = re.compile(r"pos:([^:]*),\s*aa:\s*(\w+|\*)", re.IGNORECASE)
_POSITION = re.compile(r"\d{1,15}")
_LETTER = {name.upper(): letter for name, letter in IUPACData.protein_letters_3to1_extended.items()}
_LETTER |= {letter: letter for letter in _LETTER.values()}
_LETTER |= {"TERM": "*", "TER": "*", "STOP": "*", "*": "*", "OTHER": "X", "FMET": "M"}
_EXCEPTIONS = frozenset(
    {
        "rna editing",
        "rearrangement required for product",
        "transcribed product replaced",
        "translated product replaced",
        "unclassified translation discrepancy",
    }
)
"""INSDC's exceptions by which the protein is not what the codons of the genome read."""


def recoded_codons(cds: CodingSequence) -> dict[int, str]:
    """The residue of each 0-based codon that `transl_except` names; U and O for Sec and Pyl, `*` for TERM."""
    recoded: dict[int, str] = {}
    for value in cds.transl_except:
        for positions, residue in _EXCEPTION.findall(value):
            offsets = [_offset_in(cds.exons, int(position) - 1) for position in _POSITION.findall(positions)]
            inside = [offset for offset in offsets if offset is not None]
            if inside and residue.upper() in _LETTER:
                recoded[min(inside) // 3] = _LETTER[residue.upper()]
    return recoded


def has_recoded_codon(cds: CodingSequence) -> bool:
    """Whether `transl_except` names the residue of a codon behind the first, as of a read-through stop."""
    return bool(cds.transl_except) and any(
        place > 0 and residue != "*" for place, residue in recoded_codons(cds).items()
    )


def on_record(exception: str, exons: Sequence[Exon]) -> str:
    """A `transl_except` value with positions on a contig as one with positions on the spliced CDS.

    Args:
        exception: such as `(pos:complement(213..215),aa:Sec)`.
        exons: of the CDS on the contig, in 5' to 3' order; positions outside them are left out.
    """
    spliced = []
    for positions, residue in _EXCEPTION.findall(exception):
        offsets = [_offset_in(exons, int(position) - 1) for position in _POSITION.findall(positions)]
        inside = [offset + 1 for offset in offsets if offset is not None]
        if inside:
            spliced.append(f"(pos:{min(inside)}..{max(inside)},aa:{residue})")
    return ",".join(spliced)


def ends_in_completed_stop(cds: CodingSequence) -> bool:
    """Whether polyadenylation completes the stop codon, as in mitochondria (`aa:TERM`)."""
    return bool(cds.transl_except) and "*" in recoded_codons(cds).values()


def stop_told_to_be_completed(notes: Iterable[str], exons: Sequence[Exon]) -> str | None:
    """A `transl_except` value for a stop codon of which a note alone says that polyadenylation completes it.

    Args:
        notes: such as `TAA stop codon is completed by the addition of 3' A residues to the mRNA`.
        exons: of the CDS, 5' to 3', which end within that codon.
    """
    for note in map(str.lower, notes):
        if ("stop codon" in note or "termination codon" in note) and (
            "complet" in note or "polyadenyl" in note
        ):
            last = exons[-1]
            return f"(pos:{last.end if last.strand == 1 else last.start + 1},aa:TERM)"
    return None


def protein_exception(exception: str) -> str | None:
    """The first of the exceptions, which commas part, by which the protein is not what the codons read."""
    told = (" ".join(one.replace("_", " ").split()) for one in exception.split(","))
    return next((one for one in told if one.lower() in _EXCEPTIONS), None)


def starts_by_exception(cds: CodingSequence) -> bool:
    """Whether the file says that the first codon is read as M though it is no start codon: by RNA editing."""
    return cds.start_edited or (bool(cds.transl_except) and recoded_codons(cds).get(0) == "M")


def _offset_in(exons: Sequence[Exon], position: int) -> int | None:
    """Where a nucleotide of the contig, counted from 0, lies in the CDS; None outside its exons."""
    before = 0
    for start, end, strand in exons:
        if start <= position < end:
            return before + (position - start if strand == 1 else end - 1 - position)
        before += end - start
    return None
