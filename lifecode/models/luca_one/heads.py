"""What reads the hidden states: the head of the masked language model, and those of the labelled tasks."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from lifecode.errors import UserError
from lifecode.models.config_values import LARGEST
from lifecode.models.layers.norm import LayerNorm, at_least_fp32
from lifecode.models.luca_one.vocabulary import NUM_TOKENS

Level = Literal["span", "sequence", "token"]

LEVELS: dict[str, Level] = {
    "gene_type": "span",
    "prot_homo": "span",
    "prot_site": "span",
    "prot_domain": "span",
    "gene_taxonomy": "sequence",
    "prot_taxonomy": "sequence",
    "prot_keyword": "sequence",
    "prot_structure": "token",
}
"""The labelled tasks in the order of the released checkpoints; a `sequence` is read at its `[CLS]`."""


class HeadShape(NamedTuple):
    """Hidden width of a task's head, and its classes: labels, or coordinates of a regression."""

    hidden: int
    classes: int


class LanguageHead(nn.Module):
    """States (n, d) to logits (n, 39): dense, GELU, norm, the transposed token embedding, and a bias."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.norm = LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(NUM_TOKENS))

    def forward(self, states: Tensor, embedding: Tensor) -> Tensor:
        """Logits in fp32 or better; `embedding` (39, d) is that of the tokens."""
        read = self.norm(functional.gelu(self.dense(states)))
        return at_least_fp32(functional.linear(read, embedding.to(read.dtype))) + self.bias


class TaskHead(nn.Module):
    """Dropout, Linear, GELU, Linear."""

    def __init__(self, width: int, shape: HeadShape, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(width, shape.hidden)
        self.classes = nn.Linear(shape.hidden, shape.classes)

    def forward(self, states: Tensor) -> Tensor:
        """(n, classes) in fp32 or better of states (n, d)."""
        return at_least_fp32(self.classes(functional.gelu(self.hidden(self.dropout(states)))))


def head_shapes(heads: Mapping[str, Mapping[str, int]]) -> dict[str, HeadShape]:
    """The heads of a config, in the order of `LEVELS`.

    Raises:
        UserError: a task that is unknown, or a head without a sensible `hidden` and `classes`.
    """
    for name, numbers in heads.items():
        if name not in LEVELS:
            raise UserError(
                f"there is no task {name!r}", source="model.heads", remedy=f"Tasks are {', '.join(LEVELS)}"
            )
        if set(numbers) != set(HeadShape._fields) or not all(0 < x <= LARGEST for x in numbers.values()):
            raise UserError(
                f"is {dict(numbers)}",
                source=f"model.heads.{name}",
                remedy=f"Give hidden and classes, 1 to {LARGEST:,} each",
            )
    return {name: HeadShape(**heads[name]) for name in LEVELS if name in heads}
