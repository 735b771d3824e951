"""What a part of a model costs, from its shapes alone: operations of a pass, bytes it keeps for the next.

Of n positions a linear layer or convolution with weights W takes 2 n |W| operations; what mixers take
besides, and what a block keeps, they state themselves. Element-wise work, norms, softmax and look-ups are
not counted.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from torch import nn

from lifecode.models.layers.block import Block
from lifecode.models.layers.mixers import Mixer
from lifecode.models.layers.norm import LayerNorm, RMSNorm
from lifecode.models.layers.segment_conv import SegmentConv1d
from lifecode.models.layers.value_bytes import FLOAT32


def kept_bytes(part: nn.Module, low: int) -> float:
    """Bytes per position that a forward pass keeps for the backward pass, weights apart.

    Of a linear layer or convolution its input, if it is trained, three times for the three taps of a
    `SegmentConv1d`; of a norm its input in float32; of a GELU behind a linear layer its input.

    Args:
        part: whose modules all see the same positions.
        low: bytes of a value in the precision of matrix products: 4, or 2 under bf16 autocast.
    """
    if isinstance(part, Block):
        return part.kept_bytes(low)
    if isinstance(part, RMSNorm | LayerNorm):
        return part.weight.numel() * FLOAT32
    if isinstance(part, nn.Linear | SegmentConv1d):
        return part.weight.numel() / len(part.weight) * low if is_trained(part) else 0.0
    children = list(part.children())
    inputs = (
        before.out_features * low
        for before, after in pairwise(children)
        if isinstance(before, nn.Linear) and isinstance(after, nn.GELU)
    )
    return sum(kept_bytes(child, low) for child in children) + sum(inputs)


def is_trained(part: nn.Module) -> bool:
    """Whether any of its parameters is."""
    return any(parameter.requires_grad for parameter in part.parameters())


class Part(NamedTuple):
    """A part of a model with what it reads in one forward pass with its losses.

    Attributes:
        name: several parts may share one.
        module: on any device.
        positions: that its modules all see; 0 for what no loss reads.
        pairs: sum of the segments' squared lengths.
        below: whether something before it is trained.
        checkpointing: whether its blocks are computed again in the backward pass; None where they never are.
        loss_values: float32 values that the loss on it keeps, per position.
    """

    name: str
    module: nn.Module
    positions: float = 0.0
    pairs: float = 0.0
    below: bool = True
    checkpointing: bool | None = None
    loss_values: float = 0.0

    @property
    def num_parameters(self) -> int:
        """Trained or not."""
        return sum(parameter.numel() for parameter in self.module.parameters())

    @property
    def forward_flops(self) -> float:
        """Operations of one forward pass."""
        modules = list(self.module.modules())
        products = sum(x.weight.numel() for x in modules if isinstance(x, nn.Linear | SegmentConv1d))
        mixing = sum(x.mixing_flops(self.positions, self.pairs) for x in modules if isinstance(x, Mixer))
        return 2 * self.positions * products + mixing

    @property
    def backward_passes(self) -> int:
        """Forward passes that its backward pass is worth.

        One for the gradient of the weights, where these are trained, and one for that of the input, where
        something before it is.
        """
        return int(is_trained(self.module)) + int(self.below)

    def kept_bytes(self, low: int) -> float:
        """Bytes of what it keeps for its backward pass, with checkpointing the inputs of its blocks alone."""
        if not self.backward_passes:
            return 0.0
        if self.checkpointing:
            return sum(block.mixer_norm.weight.numel() for block in self._blocks()) * FLOAT32 * self.positions
        return (kept_bytes(self.module, low) + self.loss_values * FLOAT32) * self.positions

    def widest_block_bytes(self, low: int) -> float:
        """Bytes of what the widest of its blocks keeps, 0 without a block or backward pass."""
        blocks = self._blocks() if self.backward_passes else ()
        return max((block.kept_bytes(low) for block in blocks), default=0.0) * self.positions

    def _blocks(self) -> Iterator[Block]:
        return (module for module in self.module.modules() if isinstance(module, Block))
