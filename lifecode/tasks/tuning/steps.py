"""The steps of a fit as a Lightning data module: a step depends on the seed and its number alone."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from lightning import LightningDataModule
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from lifecode.tasks.tuning.rows import Row, Segmented, rows_of


class Steps(IterableDataset):
    """Endless steps, from a number on: a step is `batch` examples of an epoch's order, as packed rows.

    Args:
        sequences: of all examples.
        labels: of all examples.
        train: (n,) those that are learnt from.
        framing: how sequences become rows.
        batch: examples of a step; the last of an epoch may have fewer.
        seed: of the order.
        states: of each example, of a frozen encoder; None where they are read in each step.
        first: number of the first step.
    """

    def __init__(
        self,
        sequences: Sequence[Any],
        labels: NDArray[Any],
        train: NDArray[np.int64],
        framing: Segmented,
        *,
        batch: int,
        seed: int,
        states: Callable[[int], Tensor] | None = None,
        first: int = 0,
    ) -> None:
        self.sequences, self.labels, self.train, self.framing = sequences, labels, train, framing
        self.batch, self.seed, self.states, self.first = batch, seed, states, first

    @property
    def per_epoch(self) -> int:
        """Steps of an epoch."""
        return -(-len(self.train) // self.batch)

    def rows(self, numbers: NDArray[np.int64]) -> Iterator[Row]:
        """Some examples as rows."""
        return rows_of(self.sequences, numbers, self.framing, self.labels, self.states)

    def __iter__(self) -> Iterator[list[Row]]:
        epoch, within = divmod(self.first, self.per_epoch)
        while True:
            order = np.random.default_rng([self.seed, epoch]).permutation(self.train)
            for number in range(within, self.per_epoch):
                chosen = order[number * self.batch : (number + 1) * self.batch]
                yield list(self.rows(chosen))
            epoch, within = epoch + 1, 0


class FitData(LightningDataModule):
    """Training steps that go on behind those that a checkpoint has done, and all validation rows.

    Args:
        steps: from the first one.
        validation: (n,) examples that epochs are judged by.
    """

    def __init__(self, steps: Steps, validation: NDArray[np.int64]) -> None:
        super().__init__()
        self.steps, self.validation = steps, validation

    def state_dict(self) -> dict[str, int]:
        """How many steps are done."""
        return {"done": 0 if self.trainer is None else self.trainer.global_step}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Goes on behind them."""
        self.steps.first = state_dict["done"]

    def train_dataloader(self) -> DataLoader[list[Row]]:
        """Endless steps."""
        return DataLoader(self.steps, batch_size=None)

    def val_dataloader(self) -> DataLoader[Row]:
        """Every validation row once."""
        rows = list(self.steps.rows(self.validation))
        return DataLoader(rows, batch_size=None)  # pyright: ignore[reportArgumentType]
