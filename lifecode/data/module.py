"""The corpus as a Lightning data module: training steps, and a fixed set of validation steps."""

from itertools import islice
from typing import Any

from lightning import LightningDataModule
from torch.utils.data import DataLoader

from lifecode.data.batch import Batch, ResidueFeatures
from lifecode.data.corpus import Corpus
from lifecode.data.masking import Masking
from lifecode.data.stream import BatchShape, TrainingStream


class CorpusDataModule(LightningDataModule):
    """Feeds a training stage; what it needs to resume is the number of the next step.

    Args:
        corpus: a prepared corpus.
        shape: codons of a step.
        masking: corruption of the input.
        seed: of order, windows and masks.
        dna_fraction: share of the rows that are windows of genomic DNA.
        reverse_complement: whether DNA windows come from either strand.
        max_unknown_fraction: windows with more unknown nucleotides are left out.
        validation_steps: steps of the validation split that are looked at, always the same.
        features: teacher features by protein, or None.
        num_workers: loader processes; the batches do not depend on it.
    """

    def __init__(
        self,
        corpus: Corpus,
        *,
        shape: BatchShape,
        masking: Masking,
        seed: int,
        dna_fraction: float,
        reverse_complement: bool,
        max_unknown_fraction: float,
        validation_steps: int,
        features: ResidueFeatures | None = None,
        num_workers: int = 0,
    ) -> None:
        super().__init__()
        self.corpus, self.num_workers, self.validation_steps = corpus, num_workers, validation_steps
        self.next_step = 0
        self._stream_settings: dict[str, Any] = {
            "shape": shape,
            "masking": masking,
            "seed": seed,
            "dna_fraction": dna_fraction,
            "reverse_complement": reverse_complement,
            "max_unknown_fraction": max_unknown_fraction,
            "features": features,
        }

    def state_dict(self) -> dict[str, Any]:
        """The step to go on with."""
        return {"next_step": self.trainer.global_step if self.trainer else self.next_step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up the step that `state_dict` left."""
        self.next_step = int(state_dict["next_step"])

    def train_dataloader(self) -> DataLoader[list[Batch]]:
        """Endless steps from `next_step` on, each a list of micro-batches."""
        stream = self._stream("train", self.next_step)
        return DataLoader(stream, batch_size=None, num_workers=self.num_workers)

    def val_dataloader(self) -> DataLoader[list[Batch]]:
        """The first steps of the validation split with their masks, the same at every validation."""
        empty = not len(self.corpus.segments("cds", "validation"))
        steps = [] if empty else list(islice(self._stream("validation", 0), self.validation_steps))
        return DataLoader(steps, batch_size=None)  # pyright: ignore[reportArgumentType]

    def _stream(self, split: str, first_step: int) -> TrainingStream:
        rank, world_size = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        return TrainingStream(
            self.corpus,
            split=split,
            first_step=first_step,
            rank=rank,
            world_size=world_size,
            **self._stream_settings,
        )
