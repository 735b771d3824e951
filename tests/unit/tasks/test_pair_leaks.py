"""Pairs of a held-out split beside those that are learnt from: equal, turned round, or near twins."""

import numpy as np
import pytest

from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.pairs.pair_leaks import leaking_pairs, pair_leaks


def drawn(letters, length, seed):
    return "".join(np.random.default_rng(seed).choice(list(letters), length))


def other_strand(dna):
    return dna[::-1].translate(str.maketrans("ACGT", "TGCA"))


def with_one_changed(text, letters):
    middle = len(text) // 2
    return text[:middle] + next(x for x in letters if x != text[middle]) + text[middle + 1 :]


A, B, C = (drawn("ACGT", 300, seed) for seed in range(3))
P, Q, R, S = (drawn("ACDEFGHIKLMNPQRSTVWY", 150, seed) for seed in range(4))
LEARNT = [(A, P), (B, Q)]
NEAR_A, NEAR_B = with_one_changed(A, "ACGT"), with_one_changed(B, "ACGT")
NEAR_P, NEAR_Q, NEAR_R = (with_one_changed(x, "AC") for x in (P, Q, R))
HELD_OUT = {
    "equal": [(A, P), (A.replace("T", "U").lower(), P)],
    "reverse complement": [(other_strand(A), P)],
    "alike": [(NEAR_A, P), (other_strand(NEAR_A), NEAR_P)],
    "none": [(A, Q), (NEAR_B, R), (C, R), (C, NEAR_Q)],
}


def test_a_pair_leaks_as_it_is_as_the_other_strand_and_as_a_near_twin_of_both_sides():
    held_out = [pair for pairs in HELD_OUT.values() for pair in pairs]
    examples = PairExamples.of(LEARNT + held_out, ("dna", "protein"))
    split = np.array([0] * len(LEARNT) + [1] * len(held_out))
    leaks = pair_leaks(examples, split, split == 1)
    assert (leaks.held_out, leaks.equal, leaks.reverse_complement, leaks.alike) == (9, 2, 1, 2)
    kinds = [kind for kind, pairs in HELD_OUT.items() for _ in pairs if kind != "none"]
    assert leaks.named == [f"{row} and 1: {kind}" for row, kind in enumerate(kinds, start=3)]
    assert (leaks.first_known, leaks.second_known) == (3, 5)  # A thrice; P four times and Q
    assert (leaks.first_alike, leaks.second_alike) == (4, 2)  # three of A, one of B; of P and of Q
    assert np.flatnonzero(leaking_pairs(examples, split, split == 1)).tolist() == [2, 3, 4, 5, 6]


def test_of_sides_of_one_kind_both_orders_are_looked_at():
    held_out = [(Q, P), (P, Q), (NEAR_Q, NEAR_P), (Q, S), (S, NEAR_R)]
    examples = PairExamples.of([(P, Q), (R, R), *held_out], ("protein", "protein"))
    split = np.array([0] * 2 + [1] * len(held_out))
    leaks = pair_leaks(examples, split, split == 1)
    assert (leaks.equal, leaks.reverse_complement, leaks.alike) == (2, 0, 1)
    exchanged = "sides exchanged"
    assert leaks.named == [f"3 and 1: equal, {exchanged}", "4 and 1: equal", f"5 and 1: alike, {exchanged}"]
    assert (leaks.first_known, leaks.second_known) == (3, 2)
    assert (leaks.first_alike, leaks.second_alike) == (1, 2)


@pytest.mark.parametrize("held_out", [(NEAR_A, S), (C, NEAR_P)])
def test_a_twin_on_one_side_alone_is_no_twin_of_the_pair(held_out):
    examples = PairExamples.of([*LEARNT, held_out], ("dna", "protein"))
    split = np.array([0, 0, 1])
    leaks = pair_leaks(examples, split, split == 1)
    assert (leaks.equal, leaks.alike, leaks.named) == (0, 0, [])
    assert leaks.first_alike + leaks.second_alike == 1
