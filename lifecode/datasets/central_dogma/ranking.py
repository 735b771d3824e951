"""Chance that depends on a seed and on names alone, never on the order of the files: draws and splits.

A split is by whole groups: ranked by a hash, the first make up the first split until it has its share.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from lifecode.data.splits.linked import groups_of_linked
from lifecode.errors import UserError

SPLITS = ("train", "dev", "test")
"""The names of LucaOne's folders."""


def generator(seed: int, *names: object) -> np.random.Generator:
    """A random generator of its own for these names."""
    return np.random.default_rng(int.from_bytes(_digest(seed, *names), "big"))


def groups_of(ties: Sequence[Iterable[Hashable]]) -> NDArray[np.int64]:
    """(num_items,) number of each item's group: those with a tie in common, directly or through others."""
    number_of: dict[Hashable, int] = {}
    columns = [[number_of.setdefault(tie, len(number_of)) for tie in of_item] for of_item in ties]
    items = np.repeat(np.arange(len(columns)), [len(column) for column in columns])
    numbers = np.array([number for column in columns for number in column], dtype=np.int64)
    size = len(columns) + len(number_of)
    return groups_of_linked(items, len(columns) + numbers, size)[: len(columns)]


def splits_by_ties(
    names: Sequence[str], ties: Sequence[Iterable[Hashable]], shares: Sequence[int], seed: int
) -> list[str]:
    """The split of each item; items with a tie in common, directly or through others, are in the same."""
    return assign_splits(names, groups_of(ties), shares, seed)


def assign_splits(names: Sequence[str], groups: Iterable[int], shares: Sequence[int], seed: int) -> list[str]:
    """The split of each item; items of one group are in the same.

    Args:
        names: of the items, each once.
        groups: number of each item's group.
        shares: of train, dev and test, in parts of their sum.
        seed: of the ranking.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for item, group in enumerate(groups):
        members[int(group)].append(item)
    ranked = sorted(members.values(), key=lambda items: _digest(seed, min(names[item] for item in items)))
    ends = np.cumsum(shares) * len(names)
    split_of = [""] * len(names)
    done = 0
    for items in ranked:
        split = SPLITS[int(np.searchsorted(ends, done * sum(shares), side="right"))]
        for item in items:
            split_of[item] = split
        done += len(items)
    return split_of


def require_shares(shares: Sequence[int]) -> None:
    """Raise a `UserError` where the shares are no division into train, dev and test."""
    if min(shares) < 0 or sum(shares) == 0:
        division = ":".join(map(str, shares))
        raise UserError(f"shares {division} is no division", remedy="Give three whole numbers")


def _digest(seed: int, *names: object) -> bytes:
    return blake2b("\t".join(map(str, (seed, *names))).encode(), digest_size=16).digest()
