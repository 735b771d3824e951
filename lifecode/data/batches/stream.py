"""The training stream of a corpus: its pieces, packed by their shares, as batches."""

from collections.abc import Sequence

import numpy as np

from lifecode.alphabet import reverse_complement
from lifecode.data.batches.batch import Batch, ResidueFeatures, Segment, corrupt_and_pack, joined
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.drawing import Draws, Piece, RecordDraws, WindowDraws
from lifecode.data.batches.joining import JoinedDraws, JoinedPiece, genomes_of
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.mixture import Mixture
from lifecode.data.batches.packing import whole_codons
from lifecode.data.batches.row_groups import RowGroups
from lifecode.data.batches.steps import BEGINNING, Cursor, PackedStream
from lifecode.data.corpus.corpus import Corpus
from lifecode.data.corpus.segments import SegmentTable
from lifecode.data.corpus.shards import CDS, DNA, KINDS
from lifecode.errors import UserError
from lifecode.randomness.random_words import Use, word_key


class TrainingStream(PackedStream):
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
        super().__init__(shape, start=start, rank=rank, world_size=world_size)
        self.tables: dict[str, SegmentTable] = {kind: corpus.segments(kind, split) for kind in KINDS}
        self.shares = mixture.shares([kind for kind, table in self.tables.items() if table.offsets[-1]])
        self.masking, self.seed, self.features = masking, seed, features
        self.reverse_complement, self.max_unknown_fraction = reverse_complement, max_unknown_fraction
        trains = split == "train"
        self._cds_repeats = mixture.repeats_of(self.tables[CDS]) if trains else None
        self._joined = mixture.joined if trains else 0.0
        self._genomes = genomes_of(self.tables[CDS]) if self._joined else None
        if not self.shares or not self.has_rows:
            raise UserError(
                f"the {split} split holds no sequence to train on ({', '.join(mixture.kinds)})",
                source="data.mixture",
                remedy="Give a larger genome, a smaller share of held-out blocks or another mixture",
            )

    def row_groups(self, step: int) -> RowGroups:
        """Rows of the length at `step`."""
        max_codons = self.shape.row_length(step)
        draws = {kind: self._draws(kind, max_codons) for kind in self.shares}
        return RowGroups(draws, self.shares, max_codons, self.seed)

    def _draws(self, kind: str, max_codons: int) -> Draws:
        if kind != DNA:
            repeats = self._cds_repeats if kind == CDS else None
            draws = RecordDraws(self.tables[kind], max_codons, self.seed, repeats)
            if kind != CDS or self._genomes is None:
                return draws
            return JoinedDraws(draws, self._genomes, self._joined, max_codons, self.seed)
        return WindowDraws(
            self.tables[kind],
            max_codons,
            self.seed,
            reverse_complement=self.reverse_complement,
            max_unknown_fraction=self.max_unknown_fraction,
        )

    def batch(self, step: int, pieces: Sequence[Piece | JoinedPiece]) -> Batch:
        """The pieces packed and masked, each by its own random words."""
        records = [self.tables[piece.kind].record_index(piece.segment) for piece in pieces]
        starts = [piece.start for piece in pieces]
        keys = word_key(Use.MASK, self.seed, step, np.array(records), np.array(starts))
        segments = [joined([self._segment(part) for part in piece.parts]) for piece in pieces]
        return corrupt_and_pack(segments, self.masking, keys)

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
