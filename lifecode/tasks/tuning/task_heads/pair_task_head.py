"""The head on pairs that is trained by gradient: both sides pooled and joined, and attention between them."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from lifecode.tasks.pairs.pair_head import Join
from lifecode.tasks.tuning.pair_framing import PairFraming
from lifecode.tasks.tuning.rows import Framing, Row
from lifecode.tasks.tuning.settings import TrainedHead
from lifecode.tasks.tuning.task_heads.pooling import Pool, Segments
from lifecode.tasks.tuning.task_heads.task_head import (
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

    Two positions are alike as their neighbourhoods are: by the cosine of the states of both and of `reach`
    positions on either side, without what all positions of the pair have in common. A codon or a residue
    alone stands in many places, so attention to it would begin flat and stay so on a few thousand pairs.

    Args:
        width: D of the states.
        size: of what is compared.
        reach: neighbours on either side.
    """

    def __init__(self, width: int, size: int = 64, reach: int = 2) -> None:
        super().__init__()
        self.reach = reach
        self.norm = nn.LayerNorm(width)
        self.key, self.value = nn.Linear(width, size, bias=False), nn.Linear(width, size)
        self.log_sharpness = nn.Parameter(torch.tensor(20.0).log())
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
            (self.norm(segments.states).unflatten(0, (-1, num)), segments.inside.unflatten(0, (-1, num)))
            for segments, num in zip((first, second), frames, strict=True)
        ]
        common = _mean_over_positions(sides)
        keys = [self._keys(states - common, inside) for states, inside in sides]
        values = [self.value(states).flatten(1, 2) for states, _ in sides]
        masks = [inside.flatten(1) for _, inside in sides]
        likeness = keys[0] @ keys[1].mT * self.log_sharpness.exp()
        found = []
        for scores, own, other in ((likeness, 0, 1), (likeness.mT, 1, 0)):
            inside = masks[own]
            weights = scores.masked_fill(~masks[other][:, None], -torch.inf).softmax(-1)
            a, b = values[own], weights @ values[other]
            told = self.compare(torch.cat([a, b, (a - b).abs(), a * b], dim=-1))
            mean = (told * inside[..., None]).sum(1) / inside.sum(1, keepdim=True)
            found += [mean, told.masked_fill(~inside[..., None], -torch.inf).amax(1)]
        return torch.cat(found, dim=-1)

    def _keys(self, states: Tensor, inside: Tensor) -> Tensor:
        """(n, frames x T, (2 reach + 1) size), of length 1: each position's neighbourhood in its frame."""
        keys = self.key(states) * inside[..., None]
        around = functional.pad(keys, (0, 0, self.reach, self.reach)).unfold(2, 2 * self.reach + 1, 1)
        return functional.normalize(around.flatten(-2), dim=-1).flatten(1, 2)


def _mean_over_positions(sides: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """(n, 1, 1, D) of states (n, frames, T, D) and their masks, over the positions of all sides."""
    total = sum((states * inside[..., None]).sum((1, 2)) for states, inside in sides)
    count = sum(inside.sum((1, 2)) for _, inside in sides)
    return (total / count[:, None])[:, None, None]  # pyright: ignore


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
