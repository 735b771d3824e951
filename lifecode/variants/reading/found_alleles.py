"""What a file of variants holds: one allele for each ALT, with the record that it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lifecode.errors import UserError
from lifecode.variants.alleles import Allele
from lifecode.variants.reading.extents import extent_of

_LONGEST_POSITION = 18
"""Digits, as 64 bits have room for."""
_NO_ALT = (".", "")
_NO_ALLELES = ("<*>", "<NON_REF>")
"""What gVCF files write for any allele that was not seen."""


@dataclass(slots=True)
class AlleleFile:
    """What a file of variants holds.

    Attributes:
        source: its name.
        alleles: one an ALT, in order.
        header: lines of a VCF before its records.
        records: lines of a VCF, each an allele's `line`, where they were to be kept.
        without_alt: records that have none, or only what stands for alleles that were not seen.
    """

    source: str
    alleles: list[Allele] = field(default_factory=list)
    header: list[str] = field(default_factory=list)
    records: dict[int, str] = field(default_factory=dict)
    without_alt: int = 0


def add_record(
    found: AlleleFile,
    chrom: str,
    pos: str,
    name: str,
    ref: str,
    alt: str,
    number: int,
    info: Mapping[str, str],
) -> None:
    """Add the ALT alleles of one record.

    Args:
        found: grows.
        chrom, pos, name, ref, alt: of the record, as text.
        number: of its line.
        info: what it says of symbolic alleles.

    Raises:
        UserError: the position is no number.
    """
    if not (pos.isascii() and pos.isdigit() and len(pos) <= _LONGEST_POSITION):
        raise UserError(
            f"the position is {pos[:20]!r}",
            source=found.source,
            record=f"line {number}",
            remedy="Positions are counted from 1",
        )
    alts = [] if alt in _NO_ALT else alt.split(",")
    known = [(place, one) for place, one in enumerate(alts) if one not in _NO_ALLELES]
    if not known:
        found.without_alt += 1
    symbols = sum(one.startswith("<") for _, one in known)
    for place, one in known:
        extent = extent_of(one, int(pos), info, place, alone=symbols == 1) if one.startswith("<") else None
        found.alleles.append(Allele(chrom, int(pos), ref.upper(), one, name, number, extent))


def require_any(found: AlleleFile) -> AlleleFile:
    """The same, if it has any allele; else raises a UserError."""
    if not found.alleles:
        raise UserError("has no variant", source=found.source, remedy="Check that the file is complete")
    return found
