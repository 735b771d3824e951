"""Random words: SplitMix64 as published, keys that do not collide."""

import numpy as np

from lifecode.randomness.random_words import Use, random_words, word_key


def splitmix64(state: int, count: int) -> list[int]:
    """Steele, Lea and Flood's generator as it is written for one number after the other."""
    word, numbers = 2**64 - 1, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & word
        z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & word
        z = (z ^ z >> 27) * 0x94D049BB133111EB & word
        numbers.append(z ^ z >> 31)
    return numbers


def test_words_are_those_of_splitmix64():
    seed = 1234567
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert splitmix64(seed, 4) == published
    assert random_words(np.array([seed], np.uint64), np.arange(1000)).tolist() == splitmix64(seed, 1000)


def test_any_word_can_be_had_alone_and_nothing_is_changed():
    keys, counters = np.array([5, 2**64 - 1, 5], np.uint64), np.array([3, 0, 7])
    assert random_words(keys, counters).tolist() == [
        splitmix64(5, 4)[3],
        splitmix64(2**64 - 1, 1)[0],
        splitmix64(5, 8)[7],
    ]
    assert keys.tolist() == [5, 2**64 - 1, 5]


def test_keys_depend_on_every_part_and_on_their_order():
    rows = np.arange(1000)
    keys = np.concatenate(
        [
            word_key(use, seed, step, rows, 3 * rows)
            for use in (Use.MASK, Use.ORDER)
            for seed, step in ((0, 1), (1, 0), (-1, 2**70))
        ]
    )
    assert keys.dtype == np.uint64
    assert len(set(keys.tolist())) == len(keys) == 6000
    assert word_key(1, 2) != word_key(2, 1)
    assert word_key(1, 2).tolist() == word_key(1, np.array([2])).tolist()


def test_bits_are_balanced():
    words = random_words(word_key(Use.MASK, 0), np.arange(100_000))
    ones = [int((words >> np.uint64(bit) & np.uint64(1)).sum()) for bit in range(64)]
    assert max(abs(count - 50_000) for count in ones) < 800  # five standard deviations
