"""Pools whose weights a gradient can reach: padded states of segments to one vector each."""

from collections.abc import Callable
from copy import copy

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from lifecode.tasks.tuning.settings import TrainedPool


class Segments:
    """The states of the segments of a row, padded to the longest.

    Attributes:
        whole: (S, D) state of `[CLS]`.
        states: (S, T, D) of the positions between the special tokens, zeros behind a segment's end.
        lengths: (S,) positions.
        inside: (S, T) whether a position is one.
    """

    def __init__(self, states: Tensor, cu_seqlens: Tensor) -> None:
        parts = states.split(cu_seqlens.diff().tolist())
        self.whole = torch.stack([part[0] for part in parts])
        self.states = pad_sequence([part[1:-1] for part in parts], batch_first=True)
        self.lengths = cu_seqlens.diff().long() - 2
        self.inside = torch.arange(self.states.shape[1], device=states.device)[None] < self.lengths[:, None]

    def at(self, rows: Tensor) -> "Segments":
        """Those of these numbers (n,), in their order."""
        found = copy(self)
        found.whole, found.states = self.whole[rows], self.states[rows]
        found.lengths, found.inside = self.lengths[rows], self.inside[rows]
        return found

    def windows(self, first: Tensor, window: int) -> Tensor:
        """(S, window x D) states from `first` (S,) on, one behind the other; zeros behind the end."""
        at = first[:, None] + torch.arange(window, device=first.device)
        known = at < self.lengths[:, None]
        at = torch.where(known, at, 0)[..., None].expand(-1, -1, self.states.shape[-1])
        return (self.states.gather(1, at) * known[..., None]).flatten(1)


class Attention(nn.Module):
    """A weighted mean over positions, its weights a softmax of what is learnt from the states.

    At first all weights are equal, so it begins as the mean.

    Args:
        width: D.
        by_feature: each feature has weights of its own, from a hidden layer: LucaOne's value-level
            attention, tanh(x U + x V) W, whose two matrices are one here, their sum, beside a bias. Else all
            have those of one query.
    """

    def __init__(self, width: int, *, by_feature: bool) -> None:
        super().__init__()
        last = nn.Linear(width, width if by_feature else 1, bias=False)
        nn.init.zeros_(last.weight)
        before = [nn.Linear(width, width), nn.Tanh()] if by_feature else []
        self.score = nn.Sequential(*before, last)

    def forward(self, segments: Segments) -> Tensor:
        """(S, D)."""
        scores = self.score(segments.states).masked_fill(~segments.inside[..., None], -torch.inf)
        return (scores.softmax(1) * segments.states).sum(1)


class Pool(nn.Module):
    """One of the pools by its name; `window` is read by `centre` and `positions`."""

    def __init__(self, name: TrainedPool, width: int, window: int) -> None:
        super().__init__()
        self.name, self.window = name, window
        self.attention = (
            Attention(width, by_feature=name == "value_attention") if name.endswith("attention") else None
        )

    def forward(self, segments: Segments) -> Tensor:
        """(S, D), or (S, window x D)."""
        if self.attention is not None:
            return self.attention(segments)
        return _POOLS[self.name](segments, self.window)


_POOLS: dict[str, Callable[[Segments, int], Tensor]] = {
    "mean": lambda own, _: own.states.sum(1) / own.lengths[:, None],
    "max": lambda own, _: own.states.masked_fill(~own.inside[..., None], -torch.inf).amax(1),
    "cls": lambda own, _: own.whole,
    "last": lambda own, _: own.windows(own.lengths - 1, 1),
    "positions": lambda own, window: own.windows(torch.zeros_like(own.lengths), window),
    "centre": lambda own, window: own.windows(((own.lengths - window) // 2).clamp(min=0), window),
}
