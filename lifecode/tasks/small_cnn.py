"""The small CNN that Genomic Benchmarks came with, as a baseline: embedding, three convolutions, two layers.

Letters are embedded in 100 dimensions; convolutions of width 8 to 16, 8 and 4 channels, each with batch norm,
ReLU and pooling by 2; 512 hidden units; Adam, 10 epochs of batches of 64 (Gresova et al. 2023). The embedding
and the first convolution are one product over one-hot letters: the same weights and gradients at a
seventeenth of the cost. Everything is drawn by the seed, on one thread, so that a run gives the same bits
again. It is fitted and applied, and not kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from lifecode.models.life_code.evaluation_mode import undisturbed
from lifecode.tasks.heads.head import Blocks

_EPOCHS, _BATCH, _LEARNING_RATE = 10, 64, 1e-3
_EMBEDDED, _CHANNELS, _WIDTH, _HIDDEN = 100, (16, 8, 4), 8, 512
_LEAST_POSITIONS = 64
_LETTERS, _UNKNOWN, _END = 6, 4, 5


@dataclass(frozen=True, slots=True)
class LetterIds:
    """Number of the letter at each of the first positions: 0 to 3, 4 unknown, 5 behind the end.

    Attributes:
        positions: how many are read.
    """

    positions: int

    name = "letters"

    @property
    def config(self) -> dict[str, Any]:
        """Its name and positions."""
        return {"features": "letter_ids", **asdict(self)}

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, positions), at least 64 of them."""
        table = np.full((len(sequences), max(self.positions, _LEAST_POSITIONS)), _END, dtype=np.float32)
        for row, ids in zip(table, sequences, strict=True):
            part = ids[: self.positions]
            row[: len(part)] = np.minimum(part, _UNKNOWN)
        return table


class _Network(nn.Module):
    def __init__(self, positions: int, outputs: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(_LETTERS, _EMBEDDED)
        widths = (_EMBEDDED, *_CHANNELS)
        convolutions = (nn.Conv1d(a, b, _WIDTH) for a, b in pairwise(widths))
        first, *others = convolutions
        self.first, self.others = first, nn.ModuleList(others)
        self.norms = nn.ModuleList(nn.BatchNorm1d(channels) for channels in _CHANNELS)
        for _ in _CHANNELS:
            positions = (positions - _WIDTH + 1) // 2
        self.hidden = nn.Linear(positions * _CHANNELS[-1], _HIDDEN)
        self.out = nn.Linear(_HIDDEN, outputs)

    def forward(self, ids: Tensor) -> Tensor:
        """(n, outputs) of ids (n, positions)."""
        weight = torch.einsum("odk,vd->ovk", self.first.weight, self.embedding.weight)
        x = F.conv1d(F.one_hot(ids, _LETTERS).mT.to(weight.dtype), weight, self.first.bias)
        x = F.max_pool1d(self.norms[0](x).relu(), 2)
        for convolution, norm in zip(self.others, self.norms[1:], strict=True):
            x = F.max_pool1d(norm(convolution(x)).relu(), 2)
        return self.out(self.hidden(x.flatten(1)))


@dataclass(frozen=True, slots=True)
class FittedCnn:
    """A trained network, and the mean and deviation of the labels of a regression."""

    network: nn.Module
    scale: tuple[float, float] | None

    kind = "cnn"

    @property
    def arrays(self) -> Mapping[str, NDArray]:
        """None: it is not kept."""
        return {}

    @undisturbed
    def predict(self, blocks: Blocks) -> NDArray[np.float64]:
        """Values (n,), or probabilities (n, num_classes)."""
        with one_thread():
            parts = [self.network(part) for part in _ids(blocks).split(16 * _BATCH)]
        found = torch.cat(parts).double() if parts else torch.zeros(0, 1)
        if self.scale is None:
            return found.softmax(1).numpy()
        return found[:, 0].numpy() * self.scale[1] + self.scale[0]


@dataclass(frozen=True, slots=True)
class CnnHead:
    """Trains the network; nothing is chosen, the last epoch is taken.

    Attributes:
        regression: whether labels are values.
    """

    regression: bool

    def fit(self, blocks: Blocks, labels: NDArray, folds: NDArray[np.int64], seed: int) -> FittedCnn:
        """As `Head.fit`, of one block of `LetterIds`."""
        ids = _ids(blocks)
        scale = (float(labels.mean()), float(labels.std()) or 1.0) if self.regression else None
        outputs = 1 if self.regression else int(labels.max()) + 1
        target = torch.from_numpy(labels.copy())
        if scale is not None:
            target = ((target - scale[0]) / scale[1]).float()
        with one_thread(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = _Network(ids.shape[1], outputs)
            optimizer = torch.optim.Adam(network.parameters(), lr=_LEARNING_RATE)
            for _ in range(_EPOCHS):
                order = torch.randperm(len(ids))
                for rows in order.split(_BATCH):
                    if len(rows) < 2 <= len(ids):  # batch norm has no deviation of one example
                        continue
                    given = network(ids[rows])
                    loss = (
                        F.mse_loss(given[:, 0], target[rows])
                        if self.regression
                        else F.cross_entropy(given, target[rows])
                    )
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
        return FittedCnn(network.eval(), scale)


def _ids(blocks: Blocks) -> Tensor:
    (block,) = blocks
    return torch.from_numpy(block.astype(np.int64))


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums in one order, so that the bits are the same each time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
