"""What a kind of sequence gives one after the other: an endless series of draws, epoch after epoch.

The n draws of an epoch are a permutation of n units, so draw number d is known at once: unit d mod n of
epoch d div n. Nothing here grows with the corpus, unless records are repeated. CDS and transcripts are drawn
record by record; genomic DNA is drawn in windows, of a new phase every epoch, since one of its records may be
a chromosome.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import UNK
from lifecode.data.batches.packing import NUM_SPECIAL_CODONS
from lifecode.data.corpus.segments import SegmentTable
from lifecode.data.corpus.shards import KINDS
from lifecode.randomness.permutation import permuted
from lifecode.randomness.random_words import Use, random_words, word_key


class Piece(NamedTuple):
    """Nucleotides `start` to `stop` of a segment of a kind's table, on the other strand if `reverse`."""

    kind: str
    segment: int
    start: int
    stop: int
    reverse: bool = False

    @property
    def num_positions(self) -> int:
        """Codons of a packed row that it takes, special tokens included."""
        return -((self.start - self.stop) // 3) + NUM_SPECIAL_CODONS

    @property
    def parts(self) -> tuple["Piece", ...]:
        """Itself: it is not joined with others."""
        return (self,)


class Drawn(NamedTuple):
    """The pieces of some draws.

    Attributes:
        pieces: in the order of the draws; each says its `num_positions` in a packed row.
        num_cut: records longer than a row, of which these draws hold every piece.
        left_out_nucleotides: of pieces with too many unknown nucleotides, which are not among `pieces`.
    """

    pieces: list[Any]
    num_cut: int = 0
    left_out_nucleotides: int = 0


class Draws(Protocol):
    """The series of one kind.

    Attributes:
        num_units: draws of an epoch.
        num_positions: of an epoch, in packed rows; codons, or what else a position holds.
    """

    num_units: int
    num_positions: float

    def drawn(self, first: int, last: int) -> Drawn:
        """The pieces of draws `first` to `last`, `last` excluded."""
        ...


class RecordDraws:
    """Record after record; one longer than a row is cut into the fewest pieces of about equal length.

    Args:
        table: the records; CDS are whole codons, and cut between codons.
        max_codons: of a row.
        seed: of the order.
        repeats: (num_records,) how often an epoch draws each record; None: once.
    """

    def __init__(
        self, table: SegmentTable, max_codons: int, seed: int, repeats: NDArray[np.int64] | None = None
    ) -> None:
        self._table, self._kind = table, table.kind
        self._longest = max_codons - NUM_SPECIAL_CODONS
        self._key = (seed, KINDS.index(table.kind), max_codons)
        self.num_units, self.num_positions = len(table), int(table.offsets[-1]) / 3
        self._record_of_unit = None
        if repeats is not None:
            self._record_of_unit = np.repeat(np.arange(len(table)), repeats)
            self.num_units = len(self._record_of_unit)
            self.num_positions = int((table.num_nucleotides * repeats).sum()) / 3

    def drawn(self, first: int, last: int) -> Drawn:
        """See `Draws`."""
        pieces: list[Piece] = []
        num_cut = 0
        for _, units in epochs(first, last, self.num_units, self._key):
            records = units if self._record_of_unit is None else self._record_of_unit[units]
            lengths = (self._table.offsets[records + 1] - self._table.offsets[records]).tolist()
            for index, length in zip(records.tolist(), lengths, strict=True):
                borders = self._borders(length)
                num_cut += len(borders) > 2
                pieces += [Piece(self._kind, index, start, stop) for start, stop in pairwise(borders)]
        return Drawn(pieces, num_cut)

    def _borders(self, num_nucleotides: int) -> list[int]:
        """Where the pieces of a record begin, and its end."""
        num_codons = -(-num_nucleotides // 3)
        num_pieces = -(-num_codons // self._longest)
        inner = [3 * (number * num_codons // num_pieces) for number in range(num_pieces)]
        return [*inner, num_nucleotides]


class WindowDraws:
    """Window after window of all records laid end to end, each as long as a row.

    The phase of the windows changes with the epoch. A record that fits in a row is never cut: it belongs to
    the window it begins in. So an epoch holds every nucleotide once, but for pieces that are left out.

    Args:
        table: the records.
        max_codons: of a row.
        seed: of order, phases and strands.
        reverse_complement: take half of the pieces from the other strand.
        max_unknown_fraction: pieces with a larger share of unknown nucleotides are left out.
    """

    def __init__(
        self,
        table: SegmentTable,
        max_codons: int,
        seed: int,
        *,
        reverse_complement: bool,
        max_unknown_fraction: float,
    ) -> None:
        self._table, self._kind = table, table.kind
        self._width = 3 * (max_codons - NUM_SPECIAL_CODONS)
        self._key = (seed, KINDS.index(table.kind), max_codons)
        self._reverse_complement, self._max_unknown = reverse_complement, max_unknown_fraction
        self._total = int(table.offsets[-1])
        # One more than fit, since a phase leaves a part at both ends; that of the last may be empty.
        self.num_units = -(-(self._total + self._width - 1) // self._width)
        self.num_positions = self._total / 3

    def drawn(self, first: int, last: int) -> Drawn:
        """See `Draws`."""
        pieces: list[Piece] = []
        left_out = 0
        for epoch, windows in epochs(first, last, self.num_units, self._key):
            phase = int(word_key(Use.WINDOW_PHASE, *self._key, epoch)[0]) % self._width
            begins = (windows * self._width - phase).tolist()
            found = [piece for begin in begins for piece in self._window(begin, begin + self._width)]
            known = [piece for piece in found if self._known_enough(piece)]
            left_out += sum(piece.stop - piece.start for piece in found)
            left_out -= sum(piece.stop - piece.start for piece in known)
            pieces += self._on_strands(known, epoch)
        return Drawn(pieces, left_out_nucleotides=left_out)

    def _window(self, begin: int, end: int) -> Iterator[Piece]:
        """What belongs to the window from `begin` to `end`, counted over all records."""
        offsets = self._table.offsets
        index = int(np.searchsorted(offsets, max(begin, 0), side="right")) - 1
        while index < len(self._table) and (start := int(offsets[index])) < end:
            stop = int(offsets[index + 1])
            if stop - start > self._width:
                yield Piece(self._kind, index, max(begin - start, 0), min(end, stop) - start)
            elif start >= begin and stop > start:
                yield Piece(self._kind, index, 0, stop - start)
            index += 1

    def _known_enough(self, piece: Piece) -> bool:
        ids = self._table.nucleotides(piece.segment)[piece.start : piece.stop]
        return float((ids >= UNK).mean()) <= self._max_unknown

    def _on_strands(self, pieces: list[Piece], epoch: int) -> list[Piece]:
        if not self._reverse_complement or not pieces:
            return pieces
        begins = self._table.offsets[[piece.segment for piece in pieces]]
        begins = begins + np.array([piece.start for piece in pieces])
        reverse = random_words(word_key(Use.STRAND, *self._key, epoch), begins) >> np.uint64(63)
        return [
            piece._replace(reverse=bool(other)) for piece, other in zip(pieces, reverse.tolist(), strict=True)
        ]


def epochs(
    first: int, last: int, num_units: int, key: tuple[int, ...]
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """(epoch, its units among draws `first` to `last`) for each epoch they touch."""
    while first < last:
        epoch, position = divmod(first, num_units)
        positions = np.arange(position, min(num_units, position + last - first))
        yield epoch, permuted(positions, num_units, word_key(Use.ORDER, *key, epoch))
        first += len(positions)
