"""A stream of packed rows as a Lightning data module, which goes on where a checkpoint stands."""

import logging
from itertools import islice
from typing import Any

import torch
from lightning import LightningDataModule
from lightning.pytorch.trainer.states import TrainerFn, TrainerStatus
from torch.utils.data import DataLoader

from lifecode.data.batches.steps import BEGINNING, Cursor, PackedStream, Step, StepShape

logger = logging.getLogger(__name__)


class StepDataModule(LightningDataModule):
    """Feeds a module under any Lightning `Trainer`; a subclass says what its streams are.

    A batch is one step: a list of micro-batches. What it needs to resume is the cursor behind the last step
    that was trained. That cursor travels with each step through the loader, so steps that workers have read
    ahead do not count.

    A new `Trainer` begins with the first step, or where `load_state_dict` put the module, whatever another
    one has read. Training steps have no end; where a `Trainer` ends an epoch (`limit_train_batches`), the
    next epoch goes on behind it, and only `overfit_batches` repeats its steps.

    Every process reads rows of its own: a `Trainer` of several needs `use_distributed_sampler=False`.

    Args:
        shape: of a step.
        seed: of everything random in the batches.
        validation_steps: steps of the validation split, and of the test split, that are looked at, always
            the same.
        num_workers: loader processes; the batches do not depend on it.
    """

    def __init__(self, shape: StepShape, *, seed: int, validation_steps: int, num_workers: int = 0) -> None:
        super().__init__()
        self.shape, self.seed = shape, seed
        self.num_workers, self.validation_steps = num_workers, validation_steps
        self.cursor = self._cursor_before = self._start = BEGINNING
        self._training: PackedStream | None = None

    masking: Any
    """Corruption of the input."""

    def stream(self, split: str, start: Cursor, **changes: Any) -> PackedStream:
        """The steps of a split for this process; `changes` are arguments other than in training."""
        raise NotImplementedError

    def log_beginning(self, stream: PackedStream) -> None:
        """Says what training is about to read."""

    def state_dict(self) -> dict[str, int]:
        """Where the stream stands after the last step that was trained, be it saved within the next one."""
        return (self._cursor_before if self._is_within_step else self.cursor).state

    @property
    def _is_within_step(self) -> bool:
        if self.trainer is None:
            return False
        batches = self.trainer.fit_loop.epoch_loop.batch_progress.current
        return batches.ready > batches.processed  # pyright: ignore[reportAttributeAccessIssue]

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Takes up what `state_dict` left, to train on; evaluating a checkpoint moves nothing."""
        state = None if self.trainer is None else self.trainer.state
        if state is not None and state.status == TrainerStatus.RUNNING and state.fn != TrainerFn.FITTING:
            return
        self.cursor = self._cursor_before = Cursor.of_state(state_dict)
        if state is None or state.status != TrainerStatus.RUNNING:
            self._start = self.cursor

    def setup(self, stage: str) -> None:
        """Begins anew for a trainer that has read nothing yet."""
        if stage == "fit" and self.trainer is not None and self._batches_read.ready == 0:
            self.cursor = self._cursor_before = self._start

    @property
    def _batches_read(self) -> Any:
        return self.trainer.fit_loop.epoch_loop.batch_progress.total  # pyright: ignore

    @property
    def place(self) -> tuple[int, int]:
        """This process, and how many there are."""
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)

    def train_dataloader(self) -> DataLoader[Step]:
        """Endless steps from the cursor on."""
        stream = self._training = self.stream("train", self.cursor)
        if self.trainer is None or self.trainer.is_global_zero:
            self.log_beginning(stream)
            self._warn_if_never_validated()
        # Its own generator: without one, a loader draws from the global one that training reads too.
        own = torch.Generator().manual_seed(self.seed)
        return DataLoader(stream, batch_size=None, num_workers=self.num_workers, generator=own)

    def on_before_batch_transfer(self, batch: Step | list[Any], dataloader_idx: int) -> list[Any]:
        """The micro-batches of the step that is trained next, whose cursor is kept."""
        if not isinstance(batch, Step):
            return batch
        self._cursor_before, self.cursor = self.cursor, batch.after
        repeats = getattr(self.trainer, "overfit_batches", 0)
        if self._training is not None and not repeats:
            self._training.start = self.cursor  # of the loader's next epoch, workers included
        return batch.micro_batches

    def _warn_if_never_validated(self) -> None:
        trainer = self.trainer
        if trainer is None or not trainer.enable_validation or not self.validation_steps:
            return
        is_endless = trainer.limit_train_batches == 1.0 and isinstance(trainer.limit_train_batches, float)
        if is_endless and isinstance(trainer.val_check_interval, float) and trainer.val_check_interval == 1.0:
            logger.warning(
                "nothing will be validated: an epoch of this data has no end. Give the Trainer "
                "val_check_interval=STEPS and check_val_every_n_epoch=None, or limit_train_batches=STEPS"
            )

    def val_dataloader(self) -> DataLoader[list[Any]]:
        """The first steps of the validation split with their masks, the same at every validation."""
        return self.first_steps("validation")

    def test_dataloader(self) -> DataLoader[list[Any]]:
        """The first steps of the test split with their masks, always the same."""
        return self.first_steps("test")

    def has(self, split: str) -> bool:
        """Whether a split holds anything."""
        raise NotImplementedError

    def first_steps(self, split: str, **changes: Any) -> DataLoader[list[Any]]:
        """The first `validation_steps` steps of a split, none where it holds nothing."""
        steps: list[list[Any]] = []
        if self.has(split):
            stream = self.stream(split, BEGINNING, **changes)
            steps = [step.micro_batches for step in islice(stream, self.validation_steps)]
        own = torch.Generator().manual_seed(self.seed)
        return DataLoader(steps, batch_size=None, generator=own)  # pyright: ignore[reportArgumentType]
