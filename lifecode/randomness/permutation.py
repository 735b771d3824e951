"""A random order of any number of records that is computed, not stored.

A Feistel network permutes the smallest power of four that holds all positions; a position that leaves the
range walks on until it is back inside, which keeps it a permutation of the range (at most four steps a
position on average). Numbers of bits so small that few networks exist are only roughly uniform.
"""

import numpy as np
from numpy.typing import NDArray

from lifecode.randomness.random_words import random_words

_ROUNDS = 8


def permuted(positions: NDArray[np.int64], size: int, key: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Where a permutation of 0 … size - 1 sends `positions` (n,), each in that range.

    Args:
        positions: any of the range, in any order.
        size: how many are permuted, at most 2**62.
        key: (1,); another key, another permutation.
    """
    half_bits = max(1, ((size - 1).bit_length() + 1) // 2)
    round_keys = random_words(key, np.arange(_ROUNDS))
    result = positions.astype(np.uint64)
    outside = np.arange(len(result))
    while len(outside):
        walked = _feistel(result[outside], half_bits, round_keys)
        result[outside] = walked
        outside = outside[walked >= size]
    return result.astype(np.int64)


def _feistel(words: NDArray[np.uint64], half_bits: int, round_keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A bijection of words of 2 x half_bits bits."""
    bits, drop = np.uint64(half_bits), np.uint64(64 - half_bits)
    left, right = words >> bits, words & np.uint64(2**half_bits - 1)
    for round_key in round_keys:
        left, right = right, left ^ (random_words(round_key[None], right) >> drop)
    return left << bits | right
