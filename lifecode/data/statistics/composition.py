"""What the sequences of a corpus are like: lengths, GC content, codons, measured over the training cache.

The tables are read in stretches of 262,144 nucleotides, so that memory does not grow with the corpus. Of a
kind with more than `max_nucleotides` only a sample is read, stretches spread evenly over every split and
always the same ones: what begins in a stretch is measured whole.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import NUM_CODONS, UNK
from lifecode.data.cds.codon_usage import GC_OF_NUCLEOTIDE, codon_usage
from lifecode.data.corpus.segments import SegmentTable
from lifecode.data.corpus.shards import CDS, DNA

MAX_NUCLEOTIDES = 200_000_000
"""Nucleotides of a kind above which a sample of it is measured."""

GC_WINDOW = 1_000
"""Nucleotides of the windows in which the GC content of genomic DNA is measured."""

_STRETCH = 1 << 18
_FEWEST_KNOWN = 100
_IS_GC = np.concatenate([GC_OF_NUCLEOTIDE, np.zeros(256 - len(GC_OF_NUCLEOTIDE), dtype=bool)])


@dataclass(frozen=True, slots=True, eq=False)
class Composition:
    """What was measured of one kind of segments.

    Attributes:
        num_nucleotides: of all segments.
        measured_nucleotides: of those that were read; fewer where this is a sample.
        lengths: (num_segments,) nucleotides of each segment.
        gc: fraction of G and C among the known nucleotides of each CDS or transcript, or of each window of
            genomic DNA, which begin at every `GC_WINDOW`-th nucleotide of a segment. Shorter ones at its
            end count; those with fewer than 100 known nucleotides do not.
        gc3: the same of the third codon positions of each CDS; empty for other kinds.
        known: number of nucleotides other than N, and of G and C among them.
        codons: counts (64,) by NCBI genetic code; empty for other kinds than CDS.
    """

    num_nucleotides: int
    measured_nucleotides: int
    lengths: NDArray[np.int64]
    gc: NDArray[np.float64]
    gc3: NDArray[np.float64]
    known: tuple[int, int]
    codons: dict[int, NDArray[np.int64]] = field(default_factory=dict)

    @property
    def gc_content(self) -> float:
        """Fraction of G and C among all known nucleotides; NaN without any."""
        known, gc = self.known
        return gc / known if known else float("nan")


def composition(tables: Sequence[SegmentTable], *, max_nucleotides: int = MAX_NUCLEOTIDES) -> Composition:
    """Measure the segments of one kind.

    Args:
        tables: of one kind, a table for each split.
        max_nucleotides: how much to read, a stretch more or less; at least one stretch of each table.
    """
    total = sum(len(table.all_nucleotides) for table in tables)
    lengths: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    gc: list[NDArray[np.float64]] = [np.empty(0)]
    gc3: list[NDArray[np.float64]] = [np.empty(0)]
    codons: dict[int, NDArray[np.int64]] = defaultdict(lambda: np.zeros(NUM_CODONS, dtype=np.int64))
    known = np.zeros(2, dtype=np.int64)
    measured = 0
    for table, start, stop in _stretches(tables, max_nucleotides, total):
        first, last = np.searchsorted(table.offsets, (start, stop)).tolist()
        whole = table.offsets[first : last + 1]
        lengths.append(np.diff(whole))
        borders = _window_borders(table, start, stop) if table.kind == DNA else whole
        ids = table.all_nucleotides[borders[0] : borders[-1]]
        measured += len(ids)
        counts = _known_and_gc(ids, borders - borders[0])
        known += counts.sum(axis=1)
        gc.append(_fractions(counts, at_least=_FEWEST_KNOWN if table.kind == DNA else 1))
        if table.kind == CDS:
            gc3.append(_fractions(_known_and_gc(ids[2::3], (borders - borders[0]) // 3), at_least=1))
            _add_codons(codons, ids, borders - borders[0], table.genetic_codes[first:last])
    return Composition(
        num_nucleotides=total,
        measured_nucleotides=measured,
        lengths=np.concatenate(lengths),
        gc=np.concatenate(gc),
        gc3=np.concatenate(gc3),
        known=(int(known[0]), int(known[1])),
        codons=dict(codons),
    )


def _stretches(
    tables: Sequence[SegmentTable], max_nucleotides: int, total: int
) -> Iterator[tuple[SegmentTable, int, int]]:
    """Table, start and stop of each stretch to read."""
    for table in tables:
        size = len(table.all_nucleotides)
        starts = np.arange(0, size, _STRETCH)
        if total > max_nucleotides and len(starts):
            kept = min(len(starts), max(1, max_nucleotides * size // total // _STRETCH))
            starts = starts[np.arange(kept) * len(starts) // kept]
        for start in starts.tolist():
            yield table, start, min(start + _STRETCH, size)


def _window_borders(table: SegmentTable, start: int, stop: int) -> NDArray[np.int64]:
    """Where the windows begin that begin in a stretch, and where the last of them ends."""
    first = np.searchsorted(table.offsets, start, side="right") - 1
    last = np.searchsorted(table.offsets, stop)
    begins, ends = table.offsets[first:last], table.offsets[first + 1 : last + 1]
    skipped = np.maximum(0, -(-(start - begins) // GC_WINDOW))
    counts = np.maximum(0, -(-(np.minimum(stop, ends) - begins) // GC_WINDOW) - skipped)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    windows = np.repeat(begins + skipped * GC_WINDOW, counts) + within * GC_WINDOW
    end = min(int(windows[-1]) + GC_WINDOW, int(ends[-1])) if len(windows) else start
    return np.append(windows, end) if len(windows) else np.array([start])


def _known_and_gc(ids: NDArray[np.uint8], borders: NDArray[np.int64]) -> NDArray[np.int64]:
    """Known nucleotides, and G and C among them (2, num_pieces), of each piece that is not empty."""
    starts = borders[:-1][np.diff(borders) > 0]
    if not len(starts):
        return np.zeros((2, 0), dtype=np.int64)
    return np.stack([np.add.reduceat(which, starts, dtype=np.int64) for which in (ids < UNK, _IS_GC[ids])])


def _fractions(counts: NDArray[np.int64], *, at_least: int) -> NDArray[np.float64]:
    """GC content of the pieces with at least so many known nucleotides."""
    known, gc = counts[:, counts[0] >= at_least]
    return gc / known


def _add_codons(
    codons: dict[int, NDArray[np.int64]],
    ids: NDArray[np.uint8],
    borders: NDArray[np.int64],
    codes: NDArray[np.int16],
) -> None:
    """Count the codons of joined CDS under the genetic code of each."""
    numbers = np.unique(codes).tolist()
    for number in numbers:
        own = ids if len(numbers) == 1 else ids[np.repeat(codes == number, np.diff(borders))]
        codons[number] += codon_usage(own)
