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
    exons: list[Exon] = []
    partial: list[bool] = []
    try:
        _collect(feature.location, 1, exons, partial)
    except _UnreadableLocation as problem:
        return Place((), any(partial), str(problem))
    except RuntimeError as unsupported:  # gb-io builds locations on access: gaps, thousands of nested parts
        return Place((), False, f"the location is not supported ({unsupported})")
    found = tuple(exons)
    return Place(around_origin(found, num_nucleotides) if circular else found, True in partial, None)


def _collect(location: gb_io.Location, strand: int, exons: list[Exon], partial: list[bool]) -> None:
    """Walk a nested location in the order of the CDS; `partial` collects its `<` and `>`."""
    if isinstance(location, gb_io.Range):
        partial.append(location.before or location.after)
        exons.append(Exon(location.start, location.end, strand))
    elif isinstance(location, gb_io.Complement):
        _collect(location.location, -strand, exons, partial)
    elif isinstance(location, gb_io.Join):
        for part in location.locations if strand == 1 else reversed(location.locations):
            _collect(part, strand, exons, partial)
    elif isinstance(location, gb_io.External):
        raise _UnreadableLocation(f"location {location.accession!r} is remote or malformed")
    else:
        kind = type(location).__name__
        raise _UnreadableLocation(f"a location of the kind {kind} names no nucleotides")
