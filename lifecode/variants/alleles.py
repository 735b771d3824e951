"""One ALT allele on a contig, as its file has it and in its normal form.

The normal form is what `bcftools norm` makes: what REF and ALT have in common is trimmed, and an insertion
or a deletion is moved as far left as the sequence allows. A file may have any number of forms for one change.
"""

import re
from typing import NamedTuple

_IUPAC = "RYSWKMBDHV"
COMPLEMENT_LETTERS = str.maketrans(f"ACGTN{_IUPAC}", "TGCANYRSWMKVHDB")
_IUPAC_TO_N = str.maketrans(_IUPAC, "N" * len(_IUPAC))
_LETTERS = re.compile(rf"[ACGTUN{_IUPAC}]+")


class Allele(NamedTuple):
    """An ALT of a file.

    Attributes:
        contig: as the file names it.
        position: 1-based, of the first letter of `ref`.
        ref: letters as in the file, in upper case.
        alt: likewise, or a symbol: `<DEL>`, `*`, a breakend.
        id: of the record, or `.`.
        line: 1-based number of its line in the file (of its record, in a BCF file).
        extent: of a symbol, what its record says of the stretch that it is about.
    """

    contig: str
    position: int
    ref: str
    alt: str
    id: str
    line: int
    extent: "Extent | None" = None


class Extent(NamedTuple):
    """What a record says of a symbolic ALT such as `<DEL>`.

    Attributes:
        end: 1-based, the last nucleotide that it is about, by END or SVLEN; None where nothing tells.
        size: nucleotides by SVLEN, or None.
        exact: whether the record does not say IMPRECISE.
    """

    end: int | None
    size: int | None
    exact: bool


class Change(NamedTuple):
    """A stretch of a contig and what takes its place; on the forward strand.

    Attributes:
        start: 0-based; for an insertion the letter that it stands before.
        end: behind the last replaced letter; `start` for an insertion.
        alt: what stands there instead; empty for a deletion.
    """

    start: int
    end: int
    alt: str


def symbol_kind(alt: str) -> str:
    """DEL, INS, DUP, INV, CNV, or the first word of another symbol; `*`; BND for a breakend; else empty.

    A copy number of none (`<CN0>`) is a DEL, one of two or more a DUP.
    """
    if alt.startswith("<") and alt.endswith(">"):
        word = alt[1:-1].partition(":")[0].upper()
        copies = re.fullmatch(r"CN(\d+)", word)
        return word if copies is None or copies[1] == "1" else "DUP" if int(copies[1]) else "DEL"
    return "*" if alt == "*" else "BND" if any(sign in alt for sign in "[].") else ""


def reverse_complement_letters(letters: str) -> str:
    """The opposite strand of A, C, G, T and IUPAC codes."""
    return letters.translate(COMPLEMENT_LETTERS)[::-1]


def nucleotides(letters: str) -> str | None:
    """In upper case, T for U; None where there is anything but nucleotides and IUPAC codes."""
    letters = letters.upper()
    return letters.replace("U", "T") if _LETTERS.fullmatch(letters) else None


def plain(letters: str) -> str | None:
    """The same as a genome is kept, with N for any other ambiguity."""
    found = nucleotides(letters)
    return None if found is None else found.translate(_IUPAC_TO_N)


def is_ambiguous(letters: str) -> bool:
    """Whether any of them is not A, C, G or T."""
    return bool(letters.strip("ACGT"))


def normal_form(sequence: str, start: int, ref: str, alt: str) -> Change:
    """The trimmed and left-aligned change of `ref` at `start` (0-based) of a contig into `alt`."""
    end_ref, end_alt = len(ref), len(alt)
    while end_ref and end_alt and ref[end_ref - 1] == alt[end_alt - 1]:
        end_ref -= 1
        end_alt -= 1
    begin = 0
    while begin < end_ref and begin < end_alt and ref[begin] == alt[begin]:
        begin += 1
    start, ref, alt = start + begin, ref[begin:end_ref], alt[begin:end_alt]
    if bool(ref) == bool(alt):
        return Change(start, start + len(ref), alt)
    moved = ref or alt
    while start and sequence[start - 1] == moved[-1]:
        moved = moved[-1] + moved[:-1]
        start -= 1
    return Change(start, start + len(ref), alt and moved)


def moved_right(sequence: str, change: Change) -> Change:
    """An insertion or a deletion moved as far right as the sequence allows; anything else as it is."""
    start, end, alt = change
    if (start == end) == bool(not alt) or (end > start and alt):
        return change
    if alt:
        while start < len(sequence) and sequence[start] == alt[0]:
            alt = alt[1:] + alt[0]
            start += 1
        return Change(start, start, alt)
    while end < len(sequence) and sequence[end] == sequence[start]:
        start, end = start + 1, end + 1
    return Change(start, end, alt)


def as_in_vcf(sequence: str, change: Change) -> tuple[int, str, str]:
    """1-based position, REF and ALT, with the letter before an insertion or deletion, or behind at 1."""
    start, end, alt = change
    ref = sequence[start:end]
    if ref and alt:
        return start + 1, ref, alt
    if start:
        anchor = sequence[start - 1]
        return start, anchor + ref, anchor + alt
    anchor = sequence[end : end + 1]
    return 1, ref + anchor, alt + anchor
