"""The head on pairs that is trained by gradient: both sides pooled and joined, and attention between them."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from lifecode.tasks.pairs.pair_head import Join
from lifecode.tasks.tuning.pair_framing import PairFraming
from lifecode.tasks.tuning.pooling import Pool, Segments
from lifecode.tasks.tuning.rows import Framing, Row
from lifecode.tasks.tuning.settings import TrainedHead
from lifecode.tasks.tuning.task_head import (
    StandardisedHead,
    framed_width,
    over_frames,
    pools_of,
    projected,
    small_encoder,
)


class CrossAttention(nn.Module):
    """What each position of a side has beside what it attends to on the other, both ways.

    As the inference composition of ESIM (Chen et al. 2017): for a state a and the mean b of the other side's
    states, weighted by a softmax of their likeness to a, a layer reads a, b, |a - b| and a b; its mean and
    maximum over the positions say how well, and how badly at worst or best, the sides fit.

    Args:
        width: D of the states.
        size: of what is compared.
    """

    def __init__(self, width: int, size: int = 64) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.key, self.value = nn.Linear(width, size), nn.Linear(width, size)
        self.compare = nn.Sequential(nn.Linear(4 * size, size), nn.GELU())
        self.num_features = 4 * size

    def forward(self, first: Segments, second: Segments, frames: tuple[int, int]) -> Tensor:
        """(n, 4 size): mean and maximum of the first side's positions, then of the second's.

        Args:
            first: (n x frames) segments of the first side.
            second: likewise.
            frames: segments of an example on each side; it attends over all of them.
        """
        sides = [
            (
                segments.states.unflatten(0, (-1, num)).flatten(1, 2),
                segments.inside.unflatten(0, (-1, num)).flatten(1),
            )
            for segments, num in zip((first, second), frames, strict=True)
        ]
        found = []
        for (states, inside), (others, there) in (sides, sides[::-1]):
            states, others = self.norm(states), self.norm(others)
            key = self.key(states) / self.key.out_features**0.5
            scores = (key @ self.key(others).mT).masked_fill(~there[:, None], -torch.inf)
            own, met = self.value(states), scores.softmax(-1) @ self.value(others)
            told = self.compare(torch.cat([own, met, (own - met).abs(), own * met], dim=-1))
            mean = (told * inside[..., None]).sum(1) / inside.sum(1, keepdim=True)
            found += [mean, told.masked_fill(~inside[..., None], -torch.inf).amax(1)]
        return torch.cat(found, dim=-1)


class PairTaskHead(StandardisedHead):
    """States of a packed row of pairs to outputs (n, num_outputs); as `TaskHead`.

    Args:
        width: D.
        num_outputs: classes, or 1 of a regression.
        head: pools and projection are of each side, with weights of its own; of encoders the first is made,
            on the states of both.
        framing: of both sides.
        joins: of their vectors; of unequal widths as many features as both have.
    """

    def __init__(
        self, width: int, num_outputs: int, head: TrainedHead, *, framing: PairFraming, joins: Sequence[Join]
    ) -> None:
        super().__init__()
        self.encoder = small_encoder(width, head.encoders[0])
        self.framings: tuple[Framing, Framing] = (framing.first, framing.second)
        self.joins = list(joins)
        pools = pools_of(head)
        self.sides = nn.ModuleList(
            nn.ModuleList(Pool(name, width, head.window) for name in pools) for _ in range(2)
        )
        self.cross = CrossAttention(width) if "cross" in joins else None
        sizes = [framed_width(width, pools, head.window, each.frames) for each in self.framings]
        self.projections = None
        if head.projection is not None:
            self.projections = nn.ModuleList(projected(size, head.projection) for size in sizes)
            sizes = [head.projection, head.projection]
        joined = sum(join in joins for join in ("product", "difference"))
        size = sum(sizes) + joined * min(sizes) + (0 if self.cross is None else self.cross.num_features)
        self.make_output(size, num_outputs, head)

    def features(self, states: Tensor, row: Row) -> Tensor:
        """(n, size) of the pairs of a row, as they are."""
        if self.encoder is not None:
            states = self.encoder(states, row.packed.cu_seqlens)
        segments = Segments(states, row.packed.cu_seqlens)
        num = [framing.segments for framing in self.framings]
        places = torch.arange(len(segments.lengths), device=states.device).unflatten(0, (-1, sum(num)))
        ends = [0, num[0], sum(num)]
        sides = [segments.at(places[:, start:end].flatten()) for start, end in pairwise(ends)]
        first, second = (
            over_frames(torch.cat([pool(side) for pool in pools], dim=-1), framing.frames)  # pyright: ignore
            for side, pools, framing in zip(sides, self.sides, self.framings, strict=True)
        )
        if self.projections is not None:
            first, second = (
                layer(each) for layer, each in zip(self.projections, (first, second), strict=True)
            )
        width = min(first.shape[1], second.shape[1])
        a, b = first[:, :width], second[:, :width]
        found = [first, second]
        found += [a * b] if "product" in self.joins else []
        found += [(a - b).abs()] if "difference" in self.joins else []
        found += [] if self.cross is None else [self.cross(*sides, (num[0], num[1]))]
        return torch.cat(found, dim=-1)
