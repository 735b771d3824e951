"""The corpus as a Lightning data module: training steps, and a fixed set of validation steps."""

import logging
from dataclasses import replace
from itertools import islice
from typing import Any

import torch
from lightning import LightningDataModule
from torch.utils.data import DataLoader

from lifecode.data.batches.batch import Batch, ResidueFeatures
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.mixture import Mixture
from lifecode.data.batches.stream import BEGINNING, Cursor, Step, TrainingStream
from lifecode.data.corpus.corpus import Corpus

logger = logging.getLogger(__name__)


class CorpusDataModule(LightningDataModule):
    """Feeds a module under any Lightning `Trainer`, and goes on where a checkpoint stands.

    A batch is one step of the corpus: a list of micro-batches (`lifecode.data.batches.batch.Batch`), one
    alone unless `shape.rows_at_once` cuts the step. A micro-batch is some rows packed into one:
    nucleotide ids, the borders of their segments, and the labels of every task. A stage of lifecode
    takes one step of the corpus for each optimizer step, a module with `accumulate_grad_batches`
    several; `shape.warmup_steps` counts steps of the corpus.

    What it needs to resume is the cursor behind the last step that was trained. That cursor travels with each
    step through the loader, so steps that workers have read ahead do not count.

    Every process reads rows of its own: a `Trainer` of several needs `use_distributed_sampler=False`.

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
        super().__init__()
        self.corpus, self.num_workers, self.validation_steps = corpus, num_workers, validation_steps
        self.shape, self.mixture, self.masking, self.seed = shape, mixture, masking, seed
        self.cursor = self._cursor_before = BEGINNING
        self._stream_settings: dict[str, Any] = {
            "mixture": mixture,
            "masking": masking,
            "seed": seed,
            "reverse_complement": reverse_complement,
            "max_unknown_fraction": max_unknown_fraction,
            "features": features,
        }

    def state_dict(self) -> dict[str, int]:
        """Where the stream stands after the last step that was trained, be it saved within the next one."""
        return (self._cursor_before if self._is_within_step else self.cursor)._asdict()

    @property
    def _is_within_step(self) -> bool:
        if self.trainer is None:
            return False
        batches = self.trainer.fit_loop.epoch_loop.batch_progress.current
        return batches.ready > batches.processed  # pyright: ignore[reportAttributeAccessIssue]

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Takes up what `state_dict` left."""
        self.cursor = self._cursor_before = Cursor(**state_dict)

    def train_dataloader(self) -> DataLoader[Step]:
        """Endless steps from the cursor on."""
        stream = self._stream("train", self.shape, self.cursor)
        if self.trainer is None or self.trainer.is_global_zero:
            log_packing(stream, self.mixture)
        # Its own generator: without one, a loader draws from the global one that training reads too.
        own = torch.Generator().manual_seed(self.seed)
        return DataLoader(stream, batch_size=None, num_workers=self.num_workers, generator=own)

    def on_before_batch_transfer(self, batch: Step | list[Batch], dataloader_idx: int) -> list[Batch]:
        """The micro-batches of the step that is trained next, whose cursor is kept."""
        if not isinstance(batch, Step):
            return batch
        self._cursor_before, self.cursor = self.cursor, batch.after
        return batch.micro_batches

    def val_dataloader(self) -> DataLoader[list[Batch]]:
        """The first steps of the validation split with their masks, the same at every validation."""
        return self._first_steps("validation")

    def test_dataloader(self) -> DataLoader[list[Batch]]:
        """The first steps of the test split with their masks, always the same."""
        return self._first_steps("test")

    def predict_dataloader(self) -> DataLoader[list[Batch]]:
        """The first steps of the test split with nothing masked."""
        return self._first_steps("test", masking=Masking(nucleotide_fraction=0, codon_fraction=0))

    def _first_steps(self, split: str, **changes: Any) -> DataLoader[list[Batch]]:
        steps: list[list[Batch]] = []
        if any(len(self.corpus.segments(kind, split)) for kind in self.mixture.kinds):
            stream = self._stream(split, replace(self.shape, warmup_steps=0), BEGINNING, **changes)
            steps = [step.micro_batches for step in islice(stream, self.validation_steps)]
        own = torch.Generator().manual_seed(self.seed)
        return DataLoader(steps, batch_size=None, generator=own)  # pyright: ignore[reportArgumentType]

    def teardown(self, stage: str) -> None:
        """Says how much of the DNA was left out."""
        if stage == "fit" and self.cursor.left_out_nucleotides:
            logger.info(
                "left out %s nucleotides of DNA windows with too many unknown ones",
                f"{self.cursor.left_out_nucleotides:,}",
            )

    def _stream(self, split: str, shape: BatchShape, start: Cursor, **changes: Any) -> TrainingStream:
        rank, world_size = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        return TrainingStream(
            self.corpus,
            shape=shape,
            split=split,
            start=start,
            rank=rank,
            world_size=world_size,
            **{**self._stream_settings, **changes},
        )


def log_packing(stream: TrainingStream, mixture: Mixture) -> None:
    """Says what a stream is mixed of and how well its first rows are filled."""
    for kind in sorted(set(mixture.kinds) - set(stream.shares)):
        logger.info("the corpus holds no %s; its share of data.mixture goes to the others", kind)
    chunk = stream.first_chunk()
    logger.info(
        "reading %s; the first %d rows of %s codons are %.1f %% full "
        "(%d sequences longer than a row were cut, %s nucleotides of DNA left out as unknown)",
        ", ".join(f"{share:.0%} {kind}" for kind, share in stream.shares.items()),
        len(chunk.rows),
        f"{chunk.max_codons:,}",
        100 * chunk.filled,
        chunk.num_cut,
        f"{chunk.left_out_nucleotides:,}",
    )
