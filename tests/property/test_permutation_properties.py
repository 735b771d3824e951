"""The order of an epoch: every record once, each order about as likely as any other."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecode.randomness.permutation import permuted
from lifecode.randomness.random_words import word_key


@given(st.integers(1, 3000), st.integers(0, 2**64 - 1))
def test_it_is_a_permutation(size, seed):
    order = permuted(np.arange(size), size, word_key(seed))
    assert sorted(order.tolist()) == list(range(size))


@given(
    st.integers(1, 2**62), st.integers(0, 2**32), st.lists(st.integers(0, 2**62), max_size=20, unique=True)
)
def test_large_ranges_stay_in_range_and_one_to_one(size, seed, positions):
    asked = np.array(sorted({position % size for position in positions}), dtype=np.int64)
    sent = permuted(asked, size, word_key(seed))
    assert len(set(sent.tolist())) == len(asked)
    assert all(0 <= position < size for position in sent.tolist())


@given(st.integers(2, 500), st.integers(0, 1000), st.data())
def test_a_position_does_not_depend_on_which_others_are_asked(size, seed, data):
    whole = permuted(np.arange(size), size, word_key(seed))
    chosen = data.draw(st.lists(st.integers(0, size - 1), max_size=10))
    assert permuted(np.array(chosen, np.int64), size, word_key(seed)).tolist() == whole[chosen].tolist()


def test_nothing_to_permute():
    assert permuted(np.arange(0), 0, word_key(1)).tolist() == []
    assert permuted(np.arange(1), 1, word_key(1)).tolist() == [0]


@pytest.mark.parametrize("size", [5, 100, 257])
def test_every_record_is_as_likely_everywhere(size):
    """Chi-square of where each of the first five records lands over many keys."""
    keys, bins = 4000, 5
    landed = np.zeros((5, bins))
    for seed in range(keys):
        for record, place in enumerate(permuted(np.arange(5), size, word_key(seed)).tolist()):
            landed[record, place * bins // size] += 1
    expected = np.array([np.sum(np.arange(size) * bins // size == i) for i in range(bins)]) * keys / size
    chi_square = ((landed - expected) ** 2 / expected).sum(1)
    assert chi_square.max() < 23.5  # four degrees of freedom: beyond it with probability 1e-4


def test_every_order_of_five_comes_up():
    orders = Counter(tuple(permuted(np.arange(5), 5, word_key(seed)).tolist()) for seed in range(6000))
    assert set(orders) == set(permutations(range(5)))
    assert 10 < min(orders.values()) <= max(orders.values()) < 120  # 50 each


def test_neighbours_part():
    order = permuted(np.arange(100_000), 100_000, word_key(3))
    assert abs(np.corrcoef(order[:-1], order[1:])[0, 1]) < 0.015
    assert abs(np.corrcoef(order, np.arange(100_000))[0, 1]) < 0.015
    again = permuted(np.arange(100_000), 100_000, word_key(4))
    assert (order == again).sum() < 10
