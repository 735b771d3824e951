"""Where on a contig the eight gene types of LucaOne lie, on which strand, by the features of its record.

CDS, and the RNAs and regulatory sites by their keys in the feature table; keys that the INSDC has replaced
count as what replaced them. An intron is a feature of that key, or a gap between the exons of a CDS, an mRNA
or another spliced RNA, unless it is a pseudogene, where a gap is mostly an insertion. The annotation is taken
as it stands: no CDS is asked for its protein.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from lifecode.data.records import Contig, Exon, span
from lifecode.datasets.luca_one.records.left_out import LeftOut

SHORTEST_INTRON = 15
"""A smaller gap is a frameshift or a correction; the shortest introns that spliceosomes cut have as many.

Those of tRNAs are shorter, 14 nucleotides in yeast and 11 in plants, and no frame is shifted there, so that
any gap counts.
"""

_TYPE_OF_KEY = {
    "ncRNA": "ncRNA",
    "rRNA": "rRNA",
    "tRNA": "tRNA",
    "tmRNA": "tmRNA",
    "misc_RNA": "misc_RNA",
    "intron": "intron",
    "regulatory": "regulatory",
    **dict.fromkeys(("scRNA", "snRNA", "snoRNA"), "ncRNA"),
    **dict.fromkeys(
        (
            *("-10_signal", "-35_signal", "attenuator", "CAAT_signal", "enhancer", "GC_signal"),
            *("misc_signal", "polyA_signal", "promoter", "RBS", "TATA_signal", "terminator"),
        ),
        "regulatory",
    ),
}
_SPLICED = frozenset({"mRNA", "misc_RNA", "ncRNA", "snoRNA", "tRNA"})
"""Keys beside CDS whose gaps are introns."""
FEATURES = frozenset({*_TYPE_OF_KEY, *_SPLICED})
"""Keys that `read_records` has to be asked for."""


class Region(NamedTuple):
    """A stretch of one strand: 0-based, half-open `[start, end)` on the contig; strand +1 or -1."""

    start: int
    end: int
    strand: int
    gene_type: str


def gene_regions(contig: Contig, left_out: LeftOut, *, pseudogenes: bool = True) -> list[Region]:
    """The regions of a contig that was read with `FEATURES`, each once, the longest first.

    Where two overlap the shorter one says what a nucleotide is, as the more specific, so it comes later.

    Args:
        contig: with its CDS and features.
        left_out: takes those that lie nowhere on the contig, and gaps that are no introns.
        pseudogenes: whether a feature that is marked `/pseudo` or `/pseudogene` counts.
    """
    found = dict.fromkeys(_regions(contig, left_out, pseudogenes))
    return sorted(found, key=lambda region: (region.start - region.end, region))


def _regions(contig: Contig, left_out: LeftOut, pseudogenes: bool) -> Iterator[Region]:
    for cds in contig.coding_sequences:
        name = f"{contig.name}:{cds.id}"
        if cds.pseudo and not pseudogenes:
            left_out.add(name, "pseudogene", "CDS")
        elif _lie_on(contig, cds.exons, name, cds.location_problem or "CDS", left_out):
            yield from (Region(*exon, "CDS") for exon in cds.exons)
            if not (cds.pseudo or cds.ribosomal_slippage or cds.trans_splicing):
                yield from _introns(cds.exons, name, left_out)
    for feature in contig.features:
        name = f"{contig.name}:{span(feature.exons)}"
        if feature.pseudo and not pseudogenes:
            left_out.add(name, "pseudogene", feature.kind)
        elif _lie_on(contig, feature.exons, name, feature.kind, left_out):
            if gene_type := _TYPE_OF_KEY.get(feature.kind):
                yield from (Region(*exon, gene_type) for exon in feature.exons)
            if feature.kind in _SPLICED and not (feature.pseudo or feature.trans_splicing):
                shortest = 1 if feature.kind == "tRNA" else SHORTEST_INTRON
                yield from _introns(feature.exons, name, left_out, shortest)


def _lie_on(contig: Contig, exons: tuple[Exon, ...], name: str, detail: str, left_out: LeftOut) -> bool:
    """Whether there are exons, and they lie on the contig."""
    if not exons:
        left_out.add(name, "unreadable_location", detail)
    elif not all(0 <= exon.start < exon.end <= len(contig.nucleotides) for exon in exons):
        left_out.add(name, "out_of_range", detail)
    else:
        return True
    return False


def _introns(
    exons: tuple[Exon, ...], name: str, left_out: LeftOut, shortest: int = SHORTEST_INTRON
) -> Iterator[Region]:
    """The gaps between exons of one strand, in their order; not one across the origin of a circle."""
    for before, behind in pairwise(exons):
        first, second = (before, behind) if before.strand == 1 else (behind, before)
        gap = second.start - first.end
        if before.strand != behind.strand or gap <= 0:
            continue
        if gap < shortest:
            left_out.add(name, "gap_shorter_than_an_intron", f"{gap} nucleotides")
        else:
            yield Region(first.end, second.start, before.strand, "intron")
