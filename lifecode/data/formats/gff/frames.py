"""What the sequence says of the parts of a CDS where the annotation leaves it open.

Lines under one transcript may be the exons of one CDS or the genes of an operon, and one id may stand at two
loci: together they spell one intact frame, or several, one behind the other. A file may also leave out the
stop codon that follows the last part. Only then is the sequence read here; the time is linear in its length.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import codon_ids, reverse_complement
from lifecode.data.formats.gff.exons import exons_of
from lifecode.data.formats.gff.lines import Feature
from lifecode.genetic_code import GeneticCode


class Frames:
    """Reading frames on one contig.

    Args:
        nucleotides: (num_nucleotides,) ids of the contig.
        circular: whether its last nucleotide is followed by the first.
        code: genetic code of the CDS in question.
    """

    def __init__(self, nucleotides: NDArray[np.uint8], circular: bool, code: GeneticCode) -> None:
        self._nucleotides = nucleotides
        self._view = memoryview(np.ascontiguousarray(nucleotides).data)
        self._circular = circular
        self._code = code
        self._stops = frozenset(np.flatnonzero(code.stops[:64]).tolist())

    def is_intact(self, parts: Sequence[Feature]) -> bool:
        """Whether parts from 5' to 3' are one frame: a start, a stop at or behind the end, none inside."""
        return self._readable(parts) and len(self.runs(parts) or ()) == 1

    def runs(self, parts: Sequence[Feature]) -> list[list[Feature]] | None:
        """Parts from 5' to 3' cut into intact frames that follow each other; None where they are none."""
        if not self._readable(parts):
            return None
        letters = self._letters(parts)
        positions: dict[int, NDArray[np.int64]] = {}
        runs: list[list[Feature]] = []
        begin = first = end = 0
        for i, part in enumerate(parts):
            end += part.end - part.start
            frame = begin % 3
            if frame not in positions:
                positions[frame] = self._stop_positions(letters, frame)
            stops = positions[frame]
            k = int(np.searchsorted(stops, begin))
            stop_end = int(stops[k]) + 3 if k < len(stops) else len(letters) + 3
            if stop_end < end:
                return None
            if stop_end == end or ((end - begin) % 3 == 0 and self._stop_follows(part)):
                if not self._code.starts[codon_ids(letters[begin : begin + 3])].any():
                    return None
                runs.append(list(parts[first : i + 1]))
                begin, first = end, i + 1
        return runs if first == len(parts) else None

    def may_end_inside(self, parts: Sequence[Feature]) -> bool:
        """Whether a part but the last ends in a stop codon or is followed by one, the sign of several."""
        return any(self.ends_in_stop(part) or self._stop_follows(part) for part in parts[:-1])

    def ends_in_stop(self, part: Feature) -> bool:
        """Whether the last three nucleotides of a part are a stop codon."""
        if part.end - part.start < 3:
            return False
        return self._is_stop(part.end - 3 if part.strand == 1 else part.start, part.strand)

    def with_following_stop(self, parts: list[Feature]) -> list[Feature]:
        """The parts, the last one longer by a stop codon that follows where they are whole codons without."""
        last = parts[-1]
        length = sum(part.end - part.start for part in parts)
        if last.problem or length % 3 or not length:
            return parts
        if last.end - last.start >= 3:
            ended = self.ends_in_stop(last)
        else:
            tail = self._letters(parts[-3:]) if self._readable(parts[-3:]) else np.empty(0, np.uint8)
            ended = bool(self._code.stops[codon_ids(tail[-3:])].any())
        if ended or not self._stop_follows(last):
            return parts
        if last.strand == 1:
            return [*parts[:-1], last._replace(end=last.end + 3)]
        if last.start < 3:  # only on a circular sequence
            length = len(self._nucleotides)
            return [*parts[:-1], last._replace(start=last.start - 3 + length, end=last.end + length)]
        return [*parts[:-1], last._replace(start=last.start - 3)]

    def _readable(self, parts: Sequence[Feature]) -> bool:
        length = len(self._nucleotides)
        limit = 2 * length if self._circular else length
        return all(part.problem is None and 0 <= part.start < part.end <= limit for part in parts)

    def _letters(self, parts: Sequence[Feature]) -> NDArray[np.uint8]:
        pieces = []
        for start, end, strand in exons_of(parts, len(self._nucleotides), self._circular):
            piece = self._nucleotides[start:end]
            pieces.append(piece if strand == 1 else reverse_complement(piece))
        return np.concatenate(pieces) if pieces else np.empty(0, np.uint8)

    def _stop_positions(self, letters: NDArray[np.uint8], frame: int) -> NDArray[np.int64]:
        """Where the stop codons of a frame begin."""
        return np.flatnonzero(self._code.stops[codon_ids(letters[frame:])]) * 3 + frame

    def _stop_follows(self, part: Feature) -> bool:
        """Whether the next three nucleotides behind a part are a stop codon."""
        return self._is_stop(part.end if part.strand == 1 else part.start - 3, part.strand)

    def _is_stop(self, start: int, strand: int) -> bool:
        """Whether a stop codon begins (on the minus strand: ends) at a position."""
        length = len(self._nucleotides)
        if start >= 0 and start + 3 <= length:
            a, b, c = self._view[start : start + 3]
        elif self._circular and length >= 3:
            a, b, c = (self._view[(start + i) % length] for i in range(3))
        else:
            return False
        if a > 3 or b > 3 or c > 3:
            return False
        return (a << 4 | b << 2 | c if strand == 1 else (3 - c) << 4 | (3 - b) << 2 | (3 - a)) in self._stops
