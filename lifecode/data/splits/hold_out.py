"""What is held out: the first of all items in the order of a hash, or those that a list names."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from lifecode.data.splits.regions import SPLITS, TEST, TRAIN, VALIDATION
from lifecode.errors import UserError

_TRAIN, _VALIDATION, _TEST = (SPLITS.index(split) for split in (TRAIN, VALIDATION, TEST))


def hold_out(
    ranks: NDArray[np.uint64], validation: float, test: float, sizes: NDArray[np.int64] | None = None
) -> NDArray[np.int8]:
    """The split of each item: in the order of the ranks test fills up, then validation; the rest train.

    Args:
        ranks: (num_items,) hashes.
        validation: fraction of the sum of the sizes.
        test: the same.
        sizes: (num_items,), 1 by default; an item larger than what is left of a fraction is passed over,
            but for the smallest one where nothing else would be held out.
    """
    split = np.zeros(len(ranks), dtype=np.int8)
    sizes = np.ones(len(ranks), dtype=np.int64) if sizes is None else sizes
    total = int(sizes.sum())
    room = {_TEST: _quota(test, total), _VALIDATION: _quota(validation, total)}
    for item in np.argsort(ranks, kind="stable").tolist():
        if not any(room.values()):
            break
        for held_out in (_TEST, _VALIDATION):
            if sizes[item] <= room[held_out]:
                room[held_out] -= int(sizes[item])
                split[item] = held_out
                break
    for held_out, fraction in ((_TEST, test), (_VALIDATION, validation)):
        if fraction > 0 and not (split == held_out).any():
            free = np.flatnonzero(split == _TRAIN)
            split[free[np.lexsort((ranks[free], sizes[free]))[0]]] = held_out
    return split


def ranks_of(keys: Iterable[str]) -> NDArray[np.uint64]:
    """A uniform 64-bit number for each key, the same on every machine."""
    digests = b"".join(blake2b(key.encode(), digest_size=8).digest() for key in keys)
    return np.frombuffer(digests, dtype=">u8").astype(np.uint64)


def held_out_by_name(
    validation: float | Sequence[str] | Sequence[int],
    test: float | Sequence[str] | Sequence[int],
    number_of: dict,
    what: str,
    count: int,
) -> NDArray[np.int8]:
    """The split of each item that a list names; train for the others."""
    split = np.zeros(count, dtype=np.int8)
    for key, number, names in ((VALIDATION, _VALIDATION, validation), (TEST, _TEST, test)):
        for name in names if isinstance(names, Sequence) else ():
            if name not in number_of:
                raise UserError(
                    f"there is no {what} {name!r}",
                    source=f"split.{key}",
                    remedy=f"There are {', '.join(map(str, list(number_of)[:5]))}"
                    + (" …" if len(number_of) > 5 else ""),
                )
            if split[number_of[name]] not in (_TRAIN, number):
                raise UserError(f"{what} {name!r} is in validation and in test", source="split")
            split[number_of[name]] = number
    return split


def fractions_of(validation: float | list, test: float | list) -> tuple[float, float]:
    """Validation and test as fractions, 0 where they are lists."""
    return tuple(0.0 if isinstance(value, list) else value for value in (validation, test))  # pyright: ignore


def _quota(fraction: float, count: int) -> int:
    """The number nearest to a fraction, at least one where it is positive."""
    return max(1, round(fraction * count)) if fraction > 0 else 0


def too_little(what: str, needed: int) -> UserError:
    """The error of having less to divide than there are splits."""
    return UserError(
        f"{what} cannot be split into {needed} parts",
        source="split",
        remedy="Give more sequence, or set data.split.validation=0 and data.split.test=0",
    )
