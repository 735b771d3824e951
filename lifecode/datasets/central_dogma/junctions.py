"""Splice junctions of a contig, and the dinucleotides of a pre-mRNA that look like one and are none.

A junction lies between two nucleotides and is numbered by the second, on the contig or on a locus.
"""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import encode_nucleotides
from lifecode.data.records import Contig
from lifecode.datasets.central_dogma.locus import Locus, locus_of
from lifecode.datasets.central_dogma.pre_mrna import ACCEPTOR, DONOR

# The dinucleotide of a canonical site, and where it begins, seen from the junction.
_CANONICAL = {DONOR: (encode_nucleotides("GT"), 0), ACCEPTOR: (encode_nucleotides("AG"), -2)}


def sites_of(locus: Locus, site: int) -> list[int]:
    """Junctions of a locus where an intron begins (`DONOR`) or ends (`ACCEPTOR`), on the locus."""
    return [intron.start if site == DONOR else intron.end for intron in locus.introns]


def on_contig(locus: Locus, junction: int, contig: Contig) -> int:
    """The number on the contig's forward strand of a junction of the locus."""
    at = locus.start + junction if locus.strand == 1 else locus.end - junction
    return at % len(contig.nucleotides) if contig.circular else at


def junctions_of(contig: Contig) -> dict[int, set[int]]:
    """By strand, every junction that a CDS of the contig has, verified or not."""
    found: dict[int, set[int]] = defaultdict(set)
    for cds in contig.coding_sequences:
        on_it = all(0 <= start < end <= len(contig.nucleotides) for start, end, _ in cds.exons)
        locus = locus_of(cds, contig) if on_it and len(cds.exons) > 1 else None
        if isinstance(locus, Locus):
            junctions = sites_of(locus, DONOR) + sites_of(locus, ACCEPTOR)
            found[locus.strand].update(on_contig(locus, junction, contig) for junction in junctions)
    return found


def decoys_of(
    locus: Locus, site: int, junctions: Iterable[int], contig: Contig, away_nucleotides: int
) -> NDArray[np.int64]:
    """Where the locus has the dinucleotide of a site far from every junction; on the locus, ascending.

    Args:
        locus: of a gene.
        site: `DONOR` or `ACCEPTOR`.
        junctions: to stay away from, on the contig.
        contig: of the locus.
        away_nucleotides: least distance.
    """
    dinucleotide, offset = _CANONICAL[site]
    pairs = np.lib.stride_tricks.sliding_window_view(locus.nucleotides, 2)
    places = np.flatnonzero((pairs == dinucleotide).all(axis=1)) - offset
    numbers = np.array(list(junctions), dtype=np.int64)
    if contig.circular:
        numbers = np.concatenate([numbers + turn * len(contig.nucleotides) for turn in (-1, 0, 1)])
    on_locus = np.sort(numbers - locus.start if locus.strand == 1 else locus.end - numbers)
    after = np.searchsorted(on_locus, places)
    bounded = np.concatenate([[-np.inf], on_locus, [np.inf]])
    distance = np.minimum(places - bounded[after], bounded[after + 1] - places)
    return places[distance >= away_nucleotides]
