"""Where a GenBank feature lies, as exons in the order in which the ribosome meets them.

gb-io's ranges are 0-based and half-open, and locations nest: the complement of a join is read back to front,
while a trans-spliced gene and one across the origin of a circular genome keep the order they are written in.
"""

import gb_io

from lifecode.data.formats.insdc.features import Place, around_origin
from lifecode.data.records import Exon


class _UnreadableLocation(Exception):
    """A location that cannot be cut out of this record."""


def read_location(feature: gb_io.Feature, num_nucleotides: int, circular: bool) -> Place:
    """Where a feature lies on a record of this length."""
    partial: list[bool] = []
    try:
        exons = tuple(_exons(feature.location, 1, partial))
    except _UnreadableLocation as problem:
        return Place((), any(partial), str(problem))
    except RuntimeError as unsupported:  # gb-io builds locations on access: gaps, thousands of nested parts
        return Place((), False, f"the location is not supported ({unsupported})")
    return Place(around_origin(exons, num_nucleotides) if circular else exons, any(partial), None)


def _exons(location: gb_io.Location, strand: int, partial: list[bool]) -> list[Exon]:
    """Walk a nested location in the order of the CDS; `partial` collects its `<` and `>`."""
    match location:
        case gb_io.Range():
            partial.append(location.before or location.after)
            return [Exon(location.start, location.end, strand)]
        case gb_io.Complement():
            return _exons(location.location, -strand, partial)
        case gb_io.Join():
            parts = location.locations if strand == 1 else reversed(location.locations)
            return [exon for part in parts for exon in _exons(part, strand, partial)]
        case gb_io.External():
            raise _UnreadableLocation(f"location {location.accession!r} is remote or malformed")
        case _:
            raise _UnreadableLocation(
                f"a location of the kind {type(location).__name__} names no nucleotides"
            )
