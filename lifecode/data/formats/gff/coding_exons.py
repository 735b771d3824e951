"""Coding exons beside CDS lines of the same name: which of the two are the parts of the CDS."""

from collections.abc import Container

from lifecode.data.formats.gff.keys import Key
from lifecode.data.formats.gff.lines import Feature, Role


def choose_parts(lines: dict[Key, list[Feature]], with_models: Container[str]) -> None:
    """Leave one kind of the two in every entry: the exons where one CDS line is all their span.

    So WormBase writes them in GFF2. Coding exons of another name that are CDS lines again are nothing.

    Args:
        lines: parts by what they belong to, of one contig; changed in place.
        with_models: column 2 of those whose coding parts have other names than CDS, and which have no CDS.
    """
    mixed = [key for key, parts in lines.items() if any(part.role is Role.EXON_MODEL for part in parts)]
    if not mixed:
        return
    places = {_place(part) for parts in lines.values() for part in parts if part.role is Role.CDS}
    for key in mixed:
        models = [part for part in lines[key] if part.role is Role.EXON_MODEL]
        whole = [part for part in lines[key] if part.role is Role.CDS]
        if whole:
            span = min(part.start for part in models), max(part.end for part in models)
            is_span = len(models) > len(whole) == 1 and span == (whole[0].start, whole[0].end)
            lines[key] = models if is_span else whole
        elif models[0].source not in with_models and places.issuperset(map(_place, models)):
            del lines[key]


def _place(part: Feature) -> tuple[int, int, int]:
    return part.start, part.end, part.strand
