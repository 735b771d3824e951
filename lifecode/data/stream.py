"""The training stream: which segments make up which step, as a pure function of (seed, step).

An epoch is one pass over the training CDS, packed into rows, with rows of DNA windows mixed in by
weight. Nothing but the step number is needed to go on exactly where a run stopped.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import IterableDataset, get_worker_info

from lifecode.alphabet import UNK, reverse_complement
from lifecode.data.batch import Batch, ResidueFeatures, Segment, corrupt_and_pack
from lifecode.data.corpus import Corpus, SegmentTable
from lifecode.data.masking import Masking, generator
from lifecode.data.packing import NUM_SPECIAL_CODONS, fill_rows, whole_codons
from lifecode.errors import UserError

_ORDER, _WINDOWS, _MASKS = range(3)
"""First word of every random key, so that order, windows and masks never share numbers."""


@dataclass(frozen=True, slots=True)
class BatchShape:
    """How many codons a step holds.

    Attributes:
        max_codons: budget of a packed row and longest segment, special tokens included.
        rows: rows of one micro-batch, which pass through the model together.
        micro_batches: micro-batches of one optimizer step on each process.
    """

    max_codons: int = 4096
    rows: int = 2
    micro_batches: int = 1

    def __post_init__(self) -> None:
        if self.max_codons < 16 or self.rows < 1 or self.micro_batches < 1:
            raise UserError(
                f"max_codons {self.max_codons}, rows {self.rows}, micro_batches {self.micro_batches} "
                "make no batch",
                source="data.batch",
                remedy="max_codons is at least 16, the others at least 1",
            )


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one record: codons `start` to `stop` of a CDS, or nucleotides of a DNA region."""

    kind: str
    index: int
    start: int
    stop: int
    reverse: bool = False


class TrainingStream(IterableDataset[list[Batch]]):
    """Endless optimizer steps, each a list of micro-batches, beginning at `first_step`.

    Args:
        corpus: a prepared corpus.
        shape: codons of a row, rows of a micro-batch, micro-batches of a step.
        masking: corruption of the input.
        seed: of order, windows and masks.
        split: split of the corpus to read.
        dna_fraction: share of the rows that are windows of genomic DNA; the rest are packed CDS.
        reverse_complement: whether DNA windows come from either strand; CDS never do.
        max_unknown_fraction: DNA windows with a larger share of unknown nucleotides are left out.
        features: teacher features by protein, or None.
        first_step: step to begin with.
        rank: this process.
        world_size: number of processes; each reads its own part of every step.
    """

    def __init__(
        self,
        corpus: Corpus,
        *,
        shape: BatchShape,
        masking: Masking,
        seed: int,
        split: str = "train",
        dna_fraction: float = 0.25,
        reverse_complement: bool = True,
        max_unknown_fraction: float = 0.1,
        features: ResidueFeatures | None = None,
        first_step: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if not 0 <= dna_fraction <= 1:
            raise UserError(f"dna_fraction {dna_fraction} is not between 0 and 1", source="data.dna_fraction")
        self.cds: SegmentTable = corpus.segments("cds", split)
        self.dna: SegmentTable = corpus.segments("dna", split)
        self.shape, self.masking, self.seed = shape, masking, seed
        self.dna_fraction = dna_fraction if len(self.cds) else 1.0
        self.reverse_complement, self.max_unknown_fraction = reverse_complement, max_unknown_fraction
        self.features = features
        self.first_step, self.rank, self.world_size = first_step, rank, world_size
        self._rows_of_epoch = lru_cache(maxsize=2)(self._plan_epoch)
        if not self.rows_of_epoch(0):
            raise UserError(
                f"the {split} split holds no sequence to train on",
                source="data",
                remedy="Give a larger genome or a smaller share of held-out blocks",
            )

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_rows_of_epoch": None}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._rows_of_epoch = lru_cache(maxsize=2)(self._plan_epoch)

    @property
    def rows_per_step(self) -> int:
        """Rows of one optimizer step over all processes."""
        return self.shape.rows * self.shape.micro_batches * self.world_size

    def rows_of_epoch(self, epoch: int) -> list[list[Piece]]:
        """The rows of one epoch in their order, each a list of pieces."""
        return self._rows_of_epoch(epoch)

    def __iter__(self) -> Iterator[list[Batch]]:
        worker = get_worker_info()
        offset, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        for step, rows in self._steps():
            if step >= self.first_step and (step - self.first_step) % stride == offset:
                yield self._batches(step, rows)

    def _steps(self) -> Iterator[tuple[int, list[list[Piece]]]]:
        """(step, its rows) from step 0 on; rows left over by one epoch open the next."""
        step, epoch, waiting = 0, 0, []
        while True:
            waiting = waiting + self.rows_of_epoch(epoch)
            epoch += 1
            while len(waiting) >= self.rows_per_step:
                yield step, waiting[: self.rows_per_step]
                waiting = waiting[self.rows_per_step :]
                step += 1

    def _batches(self, step: int, rows: list[list[Piece]]) -> list[Batch]:
        """This process's micro-batches of one step."""
        own = rows[self.rank :: self.world_size]
        return [
            self._batch(step, [piece for row in own[first : first + self.shape.rows] for piece in row])
            for first in range(0, len(own), self.shape.rows)
        ]

    def _batch(self, step: int, pieces: list[Piece]) -> Batch:
        generators = [
            generator(_MASKS, self.seed, step, self._table(piece).record_index(piece.index), piece.start)
            for piece in pieces
        ]
        return corrupt_and_pack([self._segment(piece) for piece in pieces], self.masking, generators)

    def _table(self, piece: Piece) -> SegmentTable:
        return self.cds if piece.kind == "cds" else self.dna

    def _segment(self, piece: Piece) -> Segment:
        if piece.kind == "dna":
            ids = np.asarray(self.dna.nucleotides(piece.index)[piece.start : piece.stop])
            return Segment(whole_codons(reverse_complement(ids) if piece.reverse else ids))
        return coding_segment(self.cds, piece.index, piece.start, piece.stop, self.features)

    def _plan_epoch(self, epoch: int) -> list[list[Piece]]:
        rng = generator(_ORDER, self.seed, epoch)
        cds_rows = self._cds_rows(rng)
        windows = self._dna_windows(epoch)
        num_dna_rows = len(windows)
        if self.dna_fraction < 1:
            num_dna_rows = round(len(cds_rows) * self.dna_fraction / (1 - self.dna_fraction))
        else:
            cds_rows = []
        dna_rows = [[windows[i % len(windows)]] for i in range(num_dna_rows)] if windows else []
        rows = cds_rows + dna_rows
        return [rows[i] for i in rng.permutation(len(rows))]

    def _cds_rows(self, rng: np.random.Generator) -> list[list[Piece]]:
        longest = self.shape.max_codons - NUM_SPECIAL_CODONS
        pieces = []
        for index in rng.permutation(len(self.cds)):
            num_codons = int(self.cds.num_nucleotides[index]) // 3
            borders = np.linspace(0, num_codons, -(-num_codons // longest) + 1).round().astype(int)
            pieces += [Piece("cds", int(index), int(start), int(stop)) for start, stop in pairwise(borders)]
        lengths = np.array(
            [piece.stop - piece.start + NUM_SPECIAL_CODONS for piece in pieces], dtype=np.int64
        )
        return [[pieces[i] for i in row] for row in fill_rows(lengths, self.shape.max_codons)]

    def _dna_windows(self, epoch: int) -> list[Piece]:
        """Every training region cut into windows at a new phase, in a new order and on random strands."""
        rng = generator(_WINDOWS, self.seed, epoch)
        width = 3 * (self.shape.max_codons - NUM_SPECIAL_CODONS)
        windows = []
        for index, length in enumerate(self.dna.num_nucleotides.tolist()):
            phase = int(rng.integers(0, min(width, length - width + 1))) if length > width else 0
            starts = range(phase, length - width + 1, width) if length > width else [0]
            windows += [Piece("dna", index, start, min(start + width, length)) for start in starts]
        strands = rng.random(len(windows)) < 0.5 if self.reverse_complement else np.zeros(len(windows), bool)
        chosen = [
            Piece(w.kind, w.index, w.start, w.stop, bool(strand))
            for w, strand in zip(windows, strands, strict=True)
            if self._known_enough(self.dna.nucleotides(w.index)[w.start : w.stop])
        ]
        return [chosen[i] for i in rng.permutation(len(chosen))]

    def _known_enough(self, ids: NDArray[np.uint8]) -> bool:
        return len(ids) > 0 and float((ids >= UNK).mean()) <= self.max_unknown_fraction


def coding_segment(
    cds: SegmentTable, index: int, start_codon: int, stop_codon: int, features: ResidueFeatures | None = None
) -> Segment:
    """Codons `start_codon` to `stop_codon` of one CDS, with its residues and what the teacher saw of them."""
    teacher = features.get(cds.protein(index)) if features is not None else None
    return Segment(
        ids=np.asarray(cds.nucleotides(index)[3 * start_codon : 3 * stop_codon]),
        amino_acids=np.asarray(cds.amino_acids(index)[start_codon:stop_codon]).astype(np.int16),
        teacher_features=None if teacher is None else np.asarray(teacher[start_codon:stop_codon]),
    )
