"""Random numbers without a generator: 64-bit words that depend on a key and a counter alone (SplitMix64).

Any position's number can be had on its own, in any order and in bulk, so order, strands and masks need no
state and no walk. SplitMix64 passes the usual statistical batteries; it is no cipher.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
_WORD = 2**64 - 1


class Use(IntEnum):
    """First part of every key, so that no two uses share their numbers."""

    ORDER = 1
    WINDOW_PHASE = 2
    STRAND = 3
    ROW_ORDER = 4
    MASK = 5
    TEACHER_SHUFFLE = 6
    DROPOUT = 7
    TEST_ROWS = 8
    JOINED = 9


def random_words(keys: NDArray[np.uint64], counters: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Number `counter` (from 0) of the SplitMix64 sequence that begins at `key`.

    Args:
        keys: (n,) or (1,).
        counters: (n,) or (1,).
    """
    return _finalised(keys + counters.astype(np.uint64) * _GAMMA)


def word_key(*parts: int | NDArray[np.integer]) -> NDArray[np.uint64]:
    """One key (n,) from several parts, each a number (modulo 2**64) or an array (n,); only numbers: (1,)."""
    key = np.zeros(1, dtype=np.uint64)
    for part in parts:
        word = np.uint64(part & _WORD) if isinstance(part, int) else part.astype(np.uint64)
        key = _finalised(key ^ word)
    return key


def _finalised(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's step and output function, in place: a bijection of 64-bit words."""
    words += _GAMMA
    for shift, multiplier in zip(_SHIFTS, _MULTIPLIERS, strict=False):
        words ^= words >> shift
        words *= multiplier
    words ^= words >> _SHIFTS[2]
    return words
