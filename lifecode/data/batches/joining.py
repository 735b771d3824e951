"""Genes of one genome joined to one sequence, so that a model learns from some of them how it writes others.

A packed row hides its segments from each other. A joined piece is one segment: the states of the delta rule
and attention go on from gene to gene, as they do where a gene is read among others of its species.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.data.batches.drawing import Drawn, Draws, Piece
from lifecode.data.batches.packing import NUM_SPECIAL_CODONS
from lifecode.data.corpus.segments import SegmentTable
from lifecode.randomness.random_words import Use, random_words, word_key


class JoinedPiece(NamedTuple):
    """Coding sequences one behind the other, whole codons each."""

    parts: tuple[Piece, ...]

    @property
    def kind(self) -> str:
        """Of its parts."""
        return self.parts[0].kind

    @property
    def segment(self) -> int:
        """Of the first part."""
        return self.parts[0].segment

    @property
    def start(self) -> int:
        """Of the first part."""
        return self.parts[0].start

    @property
    def num_positions(self) -> int:
        """Codons of a packed row that it takes, special tokens included."""
        return sum(_num_codons(part) for part in self.parts) + NUM_SPECIAL_CODONS


class JoinedDraws:
    """A series of coding sequences, a share of which is read joined with others of its genome.

    Of the draws of one call, those of a genome are joined in their order, as many as a row holds.

    Args:
        draws: the series.
        genomes: (num_records,) number of the genome of each record of the table; see `genomes_of`.
        share: of what could be joined, how much is.
        max_codons: of a row.
        seed: of the choice.
    """

    def __init__(
        self, draws: Draws, genomes: NDArray[np.int64], share: float, max_codons: int, seed: int
    ) -> None:
        self._draws, self._genomes, self._share = draws, genomes, share
        self._longest, self._seed = max_codons - NUM_SPECIAL_CODONS, seed
        self.num_units, self.num_positions = draws.num_units, draws.num_positions

    def drawn(self, first: int, last: int) -> Drawn:
        """See `Draws`."""
        drawn = self._draws.drawn(first, last)
        joined = self._joined(drawn.pieces)
        words = random_words(word_key(Use.JOINED, self._seed, first), np.arange(len(joined)))
        pieces = []
        for parts, word in zip(joined, (words >> np.uint64(44)).tolist(), strict=True):
            together = len(parts) > 1 and word < self._share * 2**20
            pieces += [JoinedPiece(tuple(parts))] if together else parts
        return drawn._replace(pieces=pieces)

    def _joined(self, pieces: list[Piece]) -> list[list[Piece]]:
        """Pieces of one genome that fit into a row together, in their order; every piece once."""
        found: list[list[Piece]] = []
        last: dict[int, tuple[list[Piece], int]] = {}
        for piece in pieces:
            genome, size = int(self._genomes[piece.segment]), _num_codons(piece)
            parts, room = last.get(genome, ([], 0))
            if size > room:
                parts, room = [], self._longest
                found.append(parts)
            parts.append(piece)
            last[genome] = parts, room - size
        return found


def genomes_of(table: SegmentTable) -> NDArray[np.int64]:
    """(num_records,) the same number for records of one input file and genetic code."""
    _, sources = np.unique(table.column("source"), return_inverse=True)
    codes = table.genetic_codes.astype(np.int64)
    return sources * (codes.max(initial=0) + 1) + codes


def _num_codons(piece: Piece) -> int:
    return piece.num_positions - NUM_SPECIAL_CODONS
