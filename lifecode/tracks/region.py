"""A stretch of a contig as people write it, `contig:start-end`, both ends counted from 1 and included."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from lifecode.errors import UserError

_ENDS = re.compile(r"([0-9][0-9,]*)-([0-9][0-9,]*)")
_MOST_NAMED = 5


class Region(NamedTuple):
    """Nucleotides `[start, end)` of a contig, from 0."""

    contig: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.contig}:{self.start + 1}-{self.end}"


def region_of(text: str, lengths: Mapping[str, int]) -> Region:
    """The region that is meant; a name alone is the whole contig.

    Args:
        text: such as `NC_000913.3:1-60,000`.
        lengths: nucleotides of each contig of the genome.

    Raises:
        UserError: no such contig, no such form, or a place beyond the contig.
    """
    if text in lengths:
        return Region(text, 0, lengths[text])
    name, _, ends = text.rpartition(":")
    found = _ENDS.fullmatch(ends)
    contig = name if found else text
    if contig not in lengths:
        some = ", ".join(list(lengths)[:_MOST_NAMED])
        more = f" and {len(lengths) - _MOST_NAMED:,} more" if len(lengths) > _MOST_NAMED else ""
        raise UserError(
            "the genome has no such contig",
            source="region",
            record=contig,
            remedy=f"It has {some}{more}; write region=CONTIG:1-60000",
        )
    assert found is not None
    start, end = (int(number.replace(",", "")) for number in found.groups())
    if not 1 <= start <= end <= lengths[contig]:
        raise UserError(
            f"{start}-{end} is no stretch of {lengths[contig]:,} nucleotides",
            source="region",
            record=contig,
            remedy=f"Give places from 1 to {lengths[contig]}, the lower one first",
        )
    return Region(contig, start - 1, end)
