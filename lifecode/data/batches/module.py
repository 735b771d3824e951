"""The corpus as a Lightning data module: training steps, and a fixed set of validation steps."""

import logging
from dataclasses import replace
from typing import Any

from torch.utils.data import DataLoader

from lifecode.data.batches.batch import Batch, ResidueFeatures
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.mixture import Mixture
from lifecode.data.batches.step_module import StepDataModule
from lifecode.data.batches.steps import Cursor, PackedStream
from lifecode.data.batches.stream import TrainingStream
from lifecode.data.corpus.corpus import Corpus

logger = logging.getLogger(__name__)


class CorpusDataModule(StepDataModule):
    """Feeds a module under any Lightning `Trainer`, and goes on where a checkpoint stands.

    A batch is one step of the corpus: a list of micro-batches (`lifecode.data.batches.batch.Batch`), one
    alone unless `shape.rows_at_once` cuts the step. A micro-batch is some rows packed into one:
    nucleotide ids, the borders of their segments, and the labels of every task. A stage of lifecode
    takes one step of the corpus for each optimizer step, a module with `accumulate_grad_batches`
    several; `shape.warmup_steps` counts steps of the corpus.

    Args:
        corpus: a prepared corpus.
        shape: codons of a row, rows of a step.
        mixture: how much of each kind of sequence.
        masking: corruption of the input.
        seed: of order, windows, strands and masks.
        reverse_complement: whether DNA windows come from either strand.
        max_unknown_fraction: windows with more unknown nucleotides are left out.
        validation_steps: steps of the validation split, and of the test split, that are looked at, always
            the same.
        features: teacher features by protein, or None.
        num_workers: loader processes; the batches do not depend on it.
    """

    shape: BatchShape

    def __init__(
        self,
        corpus: Corpus,
        *,
        shape: BatchShape,
        mixture: Mixture,
        masking: Masking,
        seed: int,
        reverse_complement: bool,
        max_unknown_fraction: float,
        validation_steps: int,
        features: ResidueFeatures | None = None,
        num_workers: int = 0,
    ) -> None:
        super().__init__(shape, seed=seed, validation_steps=validation_steps, num_workers=num_workers)
        self.corpus, self.mixture, self.masking = corpus, mixture, masking
        self._stream_settings: dict[str, Any] = {
            "mixture": mixture,
            "masking": masking,
            "seed": seed,
            "reverse_complement": reverse_complement,
            "max_unknown_fraction": max_unknown_fraction,
            "features": features,
        }

    def predict_dataloader(self) -> DataLoader[list[Batch]]:
        """The first steps of the test split with nothing masked."""
        return self.first_steps("test", masking=Masking(nucleotide_fraction=0, codon_fraction=0))

    def teardown(self, stage: str) -> None:
        """Says how much of the DNA was left out."""
        if stage == "fit" and self.cursor.left_out_nucleotides:
            logger.info(
                "left out %s nucleotides of DNA windows with too many unknown ones",
                f"{self.cursor.left_out_nucleotides:,}",
            )

    def has(self, split: str) -> bool:
        """Whether a split holds anything of the mixture."""
        return any(len(self.corpus.segments(kind, split)) for kind in self.mixture.kinds)

    def stream(self, split: str, start: Cursor, **changes: Any) -> TrainingStream:
        """Of held-out splits rows have one length from the first step on."""
        rank, world_size = self.place
        shape = self.shape if split == "train" else replace(self.shape, warmup_steps=0)
        return TrainingStream(
            self.corpus,
            shape=shape,
            split=split,
            start=start,
            rank=rank,
            world_size=world_size,
            **{**self._stream_settings, **changes},
        )

    def log_beginning(self, stream: PackedStream) -> None:
        """What is mixed, and how full its rows are."""
        assert isinstance(stream, TrainingStream)
        _log_packing(stream, self.mixture)


def _log_packing(stream: TrainingStream, mixture: Mixture) -> None:
    """Says what a stream is mixed of and how well its first rows are filled."""
    for kind in sorted(set(mixture.kinds) - set(stream.shares)):
        logger.info("the corpus holds no %s; its share of data.mixture goes to the others", kind)
    group = stream.first_group()
    logger.info(
        "reading %s; the first %d rows of %s codons are %.1f %% full "
        "(%d sequences longer than a row were cut, %s nucleotides of DNA left out as unknown)",
        ", ".join(f"{share:.0%} {kind}" for kind, share in stream.shares.items()),
        len(group.rows),
        f"{group.row_length:,}",
        100 * group.filled,
        group.num_cut,
        f"{group.left_out_nucleotides:,}",
    )
