"""Masking is a pure function, whole codons stay whole, and nothing outside the selection changes."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lifecode.alphabet import CODONS, IGNORE, MASK, UNK, codon_ids
from lifecode.data.batches.batch import Segment, corrupt_and_pack
from lifecode.data.batches.masking import Masking, mask_codons, mask_nucleotides
from lifecode.randomness.random_words import random_words, word_key

sequences = st.lists(st.integers(0, 4), min_size=3, max_size=300).map(
    lambda ids: np.array(ids[: len(ids) // 3 * 3], dtype=np.uint8)
)
seeds = st.integers(0, 2**31)


def words(seed: int, number: int) -> np.ndarray:
    return random_words(word_key(seed), np.arange(number))


@given(sequences, seeds)
def test_nucleotides(ids, seed):
    before = ids.copy()
    corrupted, selected = mask_nucleotides(ids, Masking(), words(seed, len(ids)))
    assert np.array_equal(ids, before)
    assert np.array_equal(corrupted[~selected], ids[~selected])
    assert not selected[ids == UNK].any()
    assert set(corrupted[selected]) <= {0, 1, 2, 3, MASK}


@given(sequences, seeds)
def test_codons(ids, seed):
    before = ids.copy()
    corrupted, selected = mask_codons(ids, Masking(codon_fraction=0.5), words(seed, len(ids) // 3))
    assert np.array_equal(ids, before)
    assert np.array_equal(corrupted.reshape(-1, 3)[~selected], ids.reshape(-1, 3)[~selected])
    assert not selected[codon_ids(ids) < 0].any()
    for triplet in corrupted.reshape(-1, 3)[selected]:
        assert (triplet == MASK).all() or (triplet < 4).all()


def test_shares_of_codons_are_those_of_bert():
    ids = np.zeros(300_000, dtype=np.uint8)
    corrupted, selected = mask_codons(ids, Masking(), words(1, 100_000))
    triplets = corrupted.reshape(-1, 3)[selected]
    assert abs(selected.mean() - 0.15) < 0.005
    assert abs((triplets == MASK).all(1).mean() - 0.8) < 0.01
    assert abs((triplets == 0).all(1).mean() - (0.1 + 0.1 / 61)) < 0.01


def test_shares_of_nucleotides_are_those_of_bert():
    ids = np.full(300_000, 2, dtype=np.uint8)
    corrupted, selected = mask_nucleotides(ids, Masking(), words(2, 300_000))
    assert abs(selected.mean() - 0.15) < 0.003
    chosen = corrupted[selected]
    assert abs((chosen == MASK).mean() - 0.8) < 0.01
    assert abs((chosen == 2).mean() - (0.1 + 0.1 / 4)) < 0.005
    for other in (0, 1, 3):
        assert abs((chosen == other).mean() - 0.025) < 0.003


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_none_and_all(fraction):
    ids = np.zeros(3000, dtype=np.uint8)
    settings = Masking(nucleotide_fraction=fraction, codon_fraction=fraction, masked=1.0, random=0.0)
    for mask, number in ((mask_nucleotides, 3000), (mask_codons, 1000)):
        corrupted, selected = mask(ids, settings, words(3, number))
        assert selected.mean() == fraction
        assert (corrupted == MASK).mean() == fraction


def test_random_codons_are_sense_codons_and_equally_frequent():
    ids = np.zeros(183_000, dtype=np.uint8)
    everything_random = Masking(codon_fraction=1.0, masked=0.0, random=1.0)
    corrupted, _ = mask_codons(ids, everything_random, words(1, 61_000))
    drawn = np.bincount(codon_ids(corrupted), minlength=64)
    assert {CODONS[i] for i in np.flatnonzero(drawn == 0)} == {"TAA", "TAG", "TGA"}
    assert 840 < drawn[drawn > 0].min() <= drawn.max() < 1160  # 1000 each, five standard deviations


@st.composite
def segments(draw) -> tuple[Segment, int]:
    """A CDS or DNA segment with the key of its masks."""
    ids = draw(sequences)
    coding = draw(st.booleans())
    return Segment(ids, np.zeros(len(ids) // 3, np.uint8) if coding else None), draw(seeds)


def packed(some):
    keys = np.concatenate([word_key(seed) for _, seed in some])
    return corrupt_and_pack([segment for segment, _ in some], Masking(codon_fraction=0.4), keys)


@given(st.lists(segments(), min_size=1, max_size=5))
def test_company_changes_nothing(some):
    """A row of several segments is the rows of each alone, end to end."""
    together, alone = packed(some), [packed([one]) for one in some]
    for name in ("ids", "nucleotide_labels", "codon_labels", "amino_acid_labels"):
        assert torch.equal(getattr(together, name), torch.cat([getattr(one, name) for one in alone])), name
    for name in ("nucleotide_selected", "codon_selected"):
        assert torch.equal(getattr(together, name), torch.cat([getattr(one, name) for one in alone])), name
    assert together.num_nucleotides == sum(len(segment.ids) for segment, _ in some)


@given(segments())
def test_labels_of_a_segment(some):
    """Against the definition, position by position."""
    segment, _ = some
    batch = packed([some])
    inner = slice(3, len(segment.ids) + 3)
    codons = [int(index) if index >= 0 else IGNORE for index in codon_ids(segment.ids)]
    nucleotides = [int(letter) if letter < UNK else IGNORE for letter in segment.ids]
    ignored = [IGNORE] * len(codons)
    is_cds = segment.amino_acids is not None
    assert batch.codon_labels.tolist() == [IGNORE, *(codons if is_cds else ignored), IGNORE]
    assert batch.amino_acid_labels[1:-1].tolist() == ([0] * len(codons) if is_cds else ignored)
    expected = [IGNORE] * len(segment.ids) if is_cds else nucleotides
    assert batch.nucleotide_labels[inner].tolist() == expected
    assert (batch.nucleotide_labels[:3] == IGNORE).all()
    assert (batch.nucleotide_labels[-3:] == IGNORE).all()
    assert not (batch.nucleotide_selected if is_cds else batch.codon_selected).any()
