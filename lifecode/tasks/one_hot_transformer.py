"""A small transformer on one-hot letters, trained from scratch: LucaOne's baseline without any pre-training.

Each letter is one of LucaOne's 39 tokens, a row of an embedding, which is a product with its one-hot vector.
Two pre-norm blocks of four heads with rotary positions, the maximum over positions, a layer of 128 for each
sequence, both sides of a pair one behind the other, another layer of 128. Layers, heads, pool, widths of 128
and learning rate are points of the paper's grid; it does not say the width of the states, 128 here, nor the
number of epochs. Everything is drawn by the seed, on one thread, so that a run gives the same bits again. It
is fitted and applied, and not kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lifecode.models.life_code.evaluation_mode import undisturbed
from lifecode.models.luca_one.encoder import TransformerEncoder
from lifecode.models.luca_one.vocabulary import NUM_TOKENS, PAD, tokens_of_letters, tokens_of_nucleotides
from lifecode.tasks.examples.labels import LabelKind
from lifecode.tasks.examples.molecule import Molecule, decoded
from lifecode.tasks.heads.head import Blocks
from lifecode.tasks.small_cnn import one_thread

_MOST_LETTERS = 1_278
"""Of a sequence so many are read, as LucaOne does at once."""
_WIDTH, _DEPTH, _HEADS = 128, 2, 4
_WARMUP, _BATCHES_TO_PREDICT = 0.1, 4


@dataclass(frozen=True, slots=True)
class LetterTokens:
    """LucaOne's token of the letter at each of the first positions, `[PAD]` behind the end.

    Attributes:
        positions: how many are read.
        molecule: what the sequences are.
    """

    positions: int
    molecule: Molecule

    name = "tokens"

    @property
    def config(self) -> dict[str, Any]:
        """Its name, positions and molecule."""
        return {"features": "letter_tokens", **asdict(self)}

    @classmethod
    def of(cls, sequences: Sequence[NDArray[np.uint8]], molecule: Molecule) -> "LetterTokens":
        """As many positions as the longest of these has, at most 1,278."""
        return cls(max(1, min(max(map(len, sequences)), _MOST_LETTERS)), molecule)

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, positions)."""
        table = np.full((len(sequences), self.positions), PAD, dtype=np.float32)
        for row, ids in zip(table, sequences, strict=True):
            part = ids[: self.positions]
            row[: len(part)] = (
                tokens_of_letters(decoded(part, "protein"), "protein")
                if self.molecule == "protein"
                else tokens_of_nucleotides(part)
            )
        return table


class _Network(nn.Module):
    def __init__(self, num_sides: int, num_outputs: int) -> None:
        super().__init__()
        self.num_outputs = num_outputs
        self.embedding = nn.Embedding(NUM_TOKENS, _WIDTH)
        self.encoder = TransformerEncoder(
            width=_WIDTH, depth=_DEPTH, num_heads=_HEADS, activation_checkpointing=False
        )
        self.sides = nn.ModuleList(_layer(_WIDTH) for _ in range(num_sides))
        self.joined = _layer(num_sides * _WIDTH)
        self.out = nn.Linear(_WIDTH, num_outputs)

    def forward(self, sides: Sequence[Tensor]) -> Tensor:
        """(n, num_outputs) of token ids (n, positions) of each side."""
        found = [layer(self._pooled(ids)) for layer, ids in zip(self.sides, sides, strict=True)]
        return self.out(self.joined(torch.cat(found, dim=-1)))

    def _pooled(self, ids: Tensor) -> Tensor:
        """(n, width): the maximum over the positions of each sequence, read in one packed row."""
        is_letter = ids != PAD
        lengths = is_letter.sum(1)
        borders = functional.pad(lengths.cumsum(0), (1, 0)).int()
        states = self.encoder(self.embedding(ids[is_letter]), borders)
        return torch.stack([part.amax(0) for part in states.split(lengths.tolist())])


def _layer(size: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(size, _WIDTH), nn.GELU())


@dataclass(frozen=True, slots=True)
class FittedTransformer:
    """A trained network, and the mean and deviation of the labels of a regression."""

    network: _Network
    label_kind: LabelKind
    scale: tuple[float, float]
    batch: int

    kind = "one_hot_transformer"

    @property
    def arrays(self) -> Mapping[str, NDArray]:
        """None: it is not kept."""
        return {}

    @undisturbed
    def predict(self, blocks: Blocks) -> NDArray[np.float64]:
        """Values (n,), or probabilities (n, num_classes)."""
        sides = _sides(blocks)
        parts = zip(*(side.split(_BATCHES_TO_PREDICT * self.batch) for side in sides), strict=True)
        none = torch.zeros(0, self.network.num_outputs)
        with one_thread():
            found = torch.cat([none, *(self.network(part) for part in parts if len(part[0]))]).double()
        if self.label_kind == "regression":
            return found[:, 0].numpy() * self.scale[1] + self.scale[0]
        return (found.sigmoid() if self.label_kind == "multilabel" else found.softmax(1)).numpy()


@dataclass(frozen=True, slots=True)
class TransformerHead:
    """Trains the network by AdamW; nothing is chosen, the last epoch is taken.

    Attributes:
        label_kind: of the labels.
        epochs: passes over the examples.
        batch: examples of a step.
        lr: highest learning rate, after the warm-up over a tenth of all steps.
    """

    label_kind: LabelKind
    epochs: int = 20
    batch: int = 16
    lr: float = 2e-4

    def fit(self, blocks: Blocks, labels: NDArray, folds: NDArray[np.int64], seed: int) -> FittedTransformer:
        """As `Head.fit`, of a block of `LetterTokens` for each sequence of an example."""
        sides = _sides(blocks)
        scale = (float(labels.mean()), float(labels.std()) or 1.0)
        target = torch.from_numpy(labels.copy())
        if self.label_kind == "regression":
            target, outputs = ((target - scale[0]) / scale[1]).float(), 1
        else:
            outputs = labels.shape[1] if labels.ndim == 2 else int(labels.max()) + 1
        steps = self.epochs * -(-len(labels) // self.batch)
        warmup = max(1, round(_WARMUP * steps))
        with one_thread(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = _Network(len(sides), outputs)
            optimizer = torch.optim.AdamW(network.parameters(), lr=self.lr, weight_decay=0.01)
            rising = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, (step + 1) / warmup))
            for _ in range(self.epochs):
                for rows in torch.randperm(len(labels)).split(self.batch):
                    loss = self._loss(network([side[rows] for side in sides]), target[rows])
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    rising.step()
        return FittedTransformer(network.eval(), self.label_kind, scale, self.batch)

    def _loss(self, given: Tensor, wanted: Tensor) -> Tensor:
        if self.label_kind == "regression":
            return functional.mse_loss(given[:, 0], wanted)
        if self.label_kind == "multilabel":
            return functional.binary_cross_entropy_with_logits(given, wanted.to(given.dtype))
        return functional.cross_entropy(given, wanted)


def _sides(blocks: Blocks) -> list[Tensor]:
    return [torch.from_numpy(block.astype(np.int64)) for block in blocks]
