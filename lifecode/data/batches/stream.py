"""The training stream: which rows make up which step, and their batches.

The rows of a step follow from a cursor of a few integers, which every step hands on. So a run goes on
exactly where it stopped at the cost of planning a chunk, however large the corpus and however many the steps
before, and any number of loader workers and processes make the same steps together.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from torch.utils.data import IterableDataset, get_worker_info

from lifecode.alphabet import reverse_complement
from lifecode.data.batches.batch import Batch, ResidueFeatures, Segment, corrupt_and_pack
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.chunk import Chunk, ChunkPlanner
from lifecode.data.batches.drawing import Draws, Piece, RecordDraws, WindowDraws
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.mixture import Mixture
from lifecode.data.batches.packing import whole_codons
from lifecode.data.corpus.corpus import Corpus
from lifecode.data.corpus.segments import SegmentTable
from lifecode.data.corpus.shards import CDS, DNA, KINDS
from lifecode.errors import UserError
from lifecode.randomness.random_words import Use, word_key


class Cursor(NamedTuple):
    """Where the stream stands before a step.

    Attributes:
        step: the next step.
        chunk: the chunk its rows begin in; counted anew at each length of rows.
        row: the first of them in that chunk.
        left_out_nucleotides: of windows left out of the chunks before, for their unknown nucleotides.
    """

    step: int = 0
    chunk: int = 0
    row: int = 0
    left_out_nucleotides: int = 0


BEGINNING = Cursor()


class Step(NamedTuple):
    """One optimizer step of one process.

    Attributes:
        micro_batches: accumulated into it.
        after: where the stream stands once it is done; the same on every process.
    """

    micro_batches: list[Batch]
    after: Cursor


class TrainingStream(IterableDataset[Step]):
    """Endless optimizer steps, from a cursor on.

    Args:
        corpus: a prepared corpus.
        shape: codons of a row, rows of a step.
        mixture: how much of each kind; a kind that the split lacks leaves its share to the others.
        masking: corruption of the input.
        seed: of order, windows, strands and masks.
        split: split of the corpus to read.
        reverse_complement: whether DNA windows come from either strand; CDS and RNA never do.
        max_unknown_fraction: DNA windows with a larger share of unknown nucleotides are left out.
        features: teacher features by protein, or None.
        start: where to begin.
        rank: this process.
        world_size: number of processes; each makes its own rows of every step.

    Raises:
        UserError: the split holds nothing of the mixture, or the rows cannot be shared by the processes.
    """

    def __init__(
        self,
        corpus: Corpus,
        *,
        shape: BatchShape,
        mixture: Mixture,
        masking: Masking,
        seed: int,
        split: str = "train",
        reverse_complement: bool = True,
        max_unknown_fraction: float = 0.1,
        features: ResidueFeatures | None = None,
        start: Cursor = BEGINNING,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.tables: dict[str, SegmentTable] = {kind: corpus.segments(kind, split) for kind in KINDS}
        self.shares = mixture.shares([kind for kind, table in self.tables.items() if table.offsets[-1]])
        self.shape, self.masking, self.seed, self.features = shape, masking, seed, features
        self.reverse_complement, self.max_unknown_fraction = reverse_complement, max_unknown_fraction
        self._cds_repeats = mixture.repeats_of(self.tables[CDS]) if split == "train" else None
        self.start, self.rank, self.world_size = start, rank, world_size
        self._rows_together = shape.rows_together(world_size)
        lengths = {start.step, max(start.step, shape.warmup_steps)}
        if not self.shares or not all(self._planner(step).chunk(0).rows for step in lengths):
            raise UserError(
                f"the {split} split holds no sequence to train on ({', '.join(mixture.kinds)})",
                source="data.mixture",
                remedy="Give a larger genome, a smaller share of held-out blocks or another mixture",
            )

    def first_chunk(self) -> Chunk:
        """The chunk that the first step begins in."""
        new_length = self.shape.begins_length(self.start.step)
        return self._planner(self.start.step).chunk(0 if new_length else self.start.chunk)

    def __iter__(self) -> Iterator[Step]:
        worker = get_worker_info()
        offset, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        for number, (step, rows, after) in enumerate(self.plan()):
            if number % stride == offset:
                yield Step(self._batches(step, rows), after)

    def plan(self) -> Iterator[tuple[int, list[list[Piece]], Cursor]]:
        """(step, its rows over all processes, where the stream stands after it) without end."""
        step, number, row, left_out = self.start
        planner, chunk = self._planner(step), None
        while True:
            if self.shape.begins_length(step):
                planner, chunk, number, row = self._planner(step), None, 0, 0
            rows: list[list[Piece]] = []
            while len(rows) < self.shape.rows:
                chunk = chunk or planner.chunk(number)
                taken = chunk.rows[row : row + self.shape.rows - len(rows)]
                rows, row = rows + taken, row + len(taken)
                if row >= len(chunk.rows):
                    left_out += chunk.left_out_nucleotides
                    chunk, number, row = None, number + 1, 0
            yield step, rows, Cursor(step + 1, number, row, left_out)
            step += 1

    def _planner(self, step: int) -> ChunkPlanner:
        """How rows of the length at `step` are made."""
        max_codons = self.shape.codons_at(step)
        draws = {kind: self._draws(kind, max_codons) for kind in self.shares}
        return ChunkPlanner(draws, self.shares, max_codons, self.seed)

    def _draws(self, kind: str, max_codons: int) -> Draws:
        if kind != DNA:
            repeats = self._cds_repeats if kind == CDS else None
            return RecordDraws(self.tables[kind], max_codons, self.seed, repeats)
        return WindowDraws(
            self.tables[kind],
            max_codons,
            self.seed,
            reverse_complement=self.reverse_complement,
            max_unknown_fraction=self.max_unknown_fraction,
        )

    def _batches(self, step: int, rows: list[list[Piece]]) -> list[Batch]:
        """This process's micro-batches of one step."""
        own, together = rows[self.rank :: self.world_size], self._rows_together
        return [
            self._batch(step, [piece for row in own[first : first + together] for piece in row])
            for first in range(0, len(own), together)
        ]

    def _batch(self, step: int, pieces: list[Piece]) -> Batch:
        records = [self.tables[piece.kind].record_index(piece.segment) for piece in pieces]
        starts = [piece.start for piece in pieces]
        keys = word_key(Use.MASK, self.seed, step, np.array(records), np.array(starts))
        return corrupt_and_pack([self._segment(piece) for piece in pieces], self.masking, keys)

    def _segment(self, piece: Piece) -> Segment:
        table = self.tables[piece.kind]
        ids = np.asarray(table.nucleotides(piece.segment)[piece.start : piece.stop])
        if piece.kind != CDS:
            return Segment(whole_codons(reverse_complement(ids) if piece.reverse else ids))
        codons = slice(piece.start // 3, piece.stop // 3)
        teacher = self.features.get(table.protein(piece.segment)) if self.features is not None else None
        return Segment(
            ids=ids,
            amino_acids=table.amino_acids(piece.segment)[codons],
            teacher_features=None if teacher is None else np.asarray(teacher[codons]),
        )
