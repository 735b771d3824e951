"""The head that is trained by gradient: pools and frames, or positions; standardised; and what they say."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from lifecode.errors import UserError
from lifecode.models.life_code.frames import NUM_FRAMES
from lifecode.models.luca_one.encoder import TransformerEncoder
from lifecode.tasks.examples.labels import Unit
from lifecode.tasks.families.place import FrameReading
from lifecode.tasks.features.states import WINDOWED
from lifecode.tasks.tuning.rows import Row
from lifecode.tasks.tuning.settings import TrainedHead, TrainedPool
from lifecode.tasks.tuning.task_heads.pooling import Pool, Segments

_LEAST_DEVIATION = 1e-6
"""Beside the largest deviation; a feature of less is the same everywhere and gets no weight."""


class StandardisedHead(nn.Module):
    """Features of a packed row to outputs (n, num_outputs).

    The features have mean 0 and deviation 1 over the training examples as the encoder reads them before the
    first step, and the last layer starts at 0: it begins by saying the same of all.
    """

    mean: Tensor
    deviation: Tensor

    def make_output(self, size: int, num_outputs: int, head: TrainedHead) -> None:
        """What stands behind `size` features; the last thing that is made."""
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))
        self.dropout = nn.Dropout(head.dropout)
        self.hidden = None if head.hidden is None else projected(size, head.hidden)
        self.output = nn.Linear(head.hidden or size, num_outputs)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def features(self, states: Tensor, row: Row) -> Tensor:
        """(n, size) of the examples of a row, or of their positions, as they are."""
        raise NotImplementedError

    def forward(self, states: Tensor, row: Row) -> Tensor:
        """Outputs (n, num_outputs) of the examples of a row, or of all of their positions."""
        features = self.dropout((self.features(states, row) - self.mean) / self.deviation)
        return self.output(features if self.hidden is None else self.hidden(features))

    @torch.no_grad()
    def standardise(self, features: Iterable[Tensor]) -> None:
        """Takes mean and deviation from tables (n, size) of training examples."""
        count, total, squares = 0, torch.zeros(()), torch.zeros(())
        shift = None
        for table in features:
            table = table.double().cpu()
            shift = table.mean(0) if shift is None else shift
            count, total = count + len(table), total + (table - shift).sum(0)
            squares = squares + (table - shift).square().sum(0)
        assert shift is not None
        deviation = (squares / count - (total / count).square()).clamp(min=0).sqrt()
        varies = deviation > _LEAST_DEVIATION * deviation.max().clamp(min=1e-12)
        self.mean.copy_(shift + total / count)
        self.deviation.copy_(torch.where(varies, deviation, torch.inf))


class TaskHead(StandardisedHead):
    """States of a packed row (L, D) to outputs (n, num_outputs).

    Args:
        width: D.
        num_outputs: classes, or 1 of a regression.
        head: its pools are without effect where positions have labels; of encoders the first is made.
        frames: `average` and `stack` take the mean, or mean, maximum and minimum of three segments; of
            positions see the reading of the family.
        window: positions of `centre` and `positions`, or states around each position.
        unit: what has a label.
        blocks: of states of a position, as `FamilyReading.num_blocks`; without effect for sequences.
    """

    def __init__(
        self,
        width: int,
        num_outputs: int,
        head: TrainedHead,
        *,
        frames: FrameReading,
        window: int,
        unit: Unit,
        blocks: int = 1,
    ) -> None:
        super().__init__()
        self.encoder = small_encoder(width, head.encoders[0])
        self.frames: FrameReading = frames
        self.unit: Unit = unit
        self.pools = nn.ModuleList()
        if unit == "sequence":
            self.pools.extend(Pool(name, width, window) for name in pools_of(head))
            size = framed_width(width, pools_of(head), window, frames)
        else:
            size = width * window * (1 if frames == "average" else blocks)
        self.projection = None if head.projection is None else projected(size, head.projection)
        self.make_output(head.projection or size, num_outputs, head)

    def features(self, states: Tensor, row: Row) -> Tensor:
        """(n, size) of the examples of a row, or of their positions, as they are."""
        if self.encoder is not None:
            states = self.encoder(states, row.packed.cu_seqlens)
        vectors = self._vectors(states, row)
        return vectors if self.projection is None else self.projection(vectors)

    def _vectors(self, states: Tensor, row: Row) -> Tensor:
        if self.unit != "sequence":
            states = torch.cat([states, states.new_zeros(1, states.shape[1])])
            found = states[row.index]  # the last, of zeros, for NOTHING
            return (found.mean(1) if self.frames == "average" else found.flatten(1, 2)).flatten(1)
        segments = Segments(states, row.packed.cu_seqlens)
        vectors = torch.cat([pool(segments) for pool in self.pools], dim=-1)
        return over_frames(vectors, self.frames)


def pools_of(head: TrainedHead) -> list[TrainedPool]:
    """Those that are joined one behind the other."""
    return head.pools or ["mean"]


def small_encoder(width: int, shape: str | None) -> TransformerEncoder | None:
    """Pre-norm blocks with attention inside each segment, on states (L, width); None of no shape.

    Raises:
        UserError: the width does not divide into heads.
    """
    if shape is None:
        return None
    depth, num_heads = map(int, shape.split("x"))
    if width % (2 * num_heads):
        raise UserError(
            f"is {shape}, and states of width {width} do not divide into {num_heads} heads",
            source="head.encoder",
            remedy="Give another number of heads",
        )
    return TransformerEncoder(width=width, depth=depth, num_heads=num_heads, activation_checkpointing=False)


def projected(size: int, width: int) -> nn.Sequential:
    """A layer on the vector of a sequence."""
    return nn.Sequential(nn.Linear(size, width), nn.GELU())


def framed_width(width: int, pools: Sequence[TrainedPool], window: int, frames: FrameReading) -> int:
    """Features of an example: of all pools, of `stack` three times."""
    sizes = [width * (window if name in WINDOWED else 1) for name in pools]
    return sum(sizes) * (NUM_FRAMES if frames == "stack" else 1)


def over_frames(vectors: Tensor, frames: FrameReading) -> Tensor:
    """(n, num_features) of one vector a segment: as they are, their mean, or mean, maximum and minimum."""
    if frames not in ("average", "stack"):
        return vectors
    framed = vectors.unflatten(0, (-1, NUM_FRAMES))
    if frames == "average":
        return framed.mean(1)
    return torch.cat([framed.mean(1), framed.amax(1), framed.amin(1)], dim=-1)
