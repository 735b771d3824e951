"""Masking is a pure function, whole codons stay whole, and nothing outside the selection changes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lifecode.alphabet import CODONS, MASK, UNK, codon_ids
from lifecode.data.masking import Masking, generator, mask_codons, mask_nucleotides

sequences = st.lists(st.integers(0, 4), min_size=3, max_size=300).map(
    lambda ids: np.array(ids[: len(ids) // 3 * 3], dtype=np.uint8)
)
seeds = st.integers(0, 2**31)


@given(sequences, seeds)
def test_nucleotides(ids, seed):
    corrupted, selected = mask_nucleotides(ids, Masking(), generator(seed))
    again, _ = mask_nucleotides(ids, Masking(), generator(seed))
    assert np.array_equal(corrupted, again)
    assert np.array_equal(corrupted[~selected], ids[~selected])
    assert not selected[ids == UNK].any()
    assert set(corrupted[selected]) <= {0, 1, 2, 3, MASK}


@given(sequences, seeds)
def test_codons(ids, seed):
    corrupted, selected = mask_codons(ids, Masking(codon_fraction=0.5), generator(seed))
    assert np.array_equal(corrupted.reshape(-1, 3)[~selected], ids.reshape(-1, 3)[~selected])
    assert not selected[codon_ids(ids) < 0].any()
    for triplet in corrupted.reshape(-1, 3)[selected]:
        assert (triplet == MASK).all() or (triplet < 4).all()


def test_shares_are_those_of_bert():
    ids = np.zeros(300_000, dtype=np.uint8)
    corrupted, selected = mask_codons(ids, Masking(), generator(1))
    triplets = corrupted.reshape(-1, 3)[selected]
    assert abs(selected.mean() - 0.15) < 0.005
    assert abs((triplets == MASK).all(1).mean() - 0.8) < 0.01
    assert abs((triplets == 0).all(1).mean() - (0.1 + 0.1 / 61)) < 0.01


def test_random_codons_are_sense_codons():
    ids = np.zeros(30_000, dtype=np.uint8)
    everything_random = Masking(codon_fraction=1.0, masked=0.0, random=1.0)
    corrupted, _ = mask_codons(ids, everything_random, generator(1))
    drawn = {CODONS[i] for i in codon_ids(corrupted)}
    assert len(drawn) == 61
    assert not drawn & {"TAA", "TAG", "TGA"}
