"""The codon baselines: by hand, and the figures that the shipped genome is known to give."""

import numpy as np
import pytest

from lifecode.alphabet import codon_ids
from lifecode.data import read_records
from lifecode.data.cds.coding_sequence import ExactPair, verify
from lifecode.evaluation.baselines import BothNeighbours, CodonUnigram, majority_residue


def test_unigram_by_hand():
    unigram = CodonUnigram([np.array([0, 0, 1])])
    expected = [-np.log(2.5 / 35), -np.log(0.5 / 35)]
    np.testing.assert_allclose(unigram.cross_entropy(np.array([0, 2]), np.array([0, 1])), expected)


def test_both_neighbours_by_hand():
    gene = np.array([0, 1, 0])
    neighbours = BothNeighbours([gene])
    after_0 = {1: 1.5, "border": 1.5}  # each of 65 symbols has 1/2, both pairs once more
    score_of_1 = after_0[1] * (1.5 / (0.5 * 65 + 1))
    score_of_others = 0.5 * (0.5 / (0.5 * 65))
    score_of_0 = 0.5 * (0.5 / (0.5 * 65 + 2))
    expected = -np.log(score_of_1 / (score_of_1 + score_of_0 + 62 * score_of_others))
    np.testing.assert_allclose(neighbours.cross_entropy(gene, np.array([1])), [expected])


def test_majority_residue():
    assert majority_residue([np.array([3, 3, 1]), np.array([1, 1])]) == 1


@pytest.fixture(scope="module")
def genes() -> list[np.ndarray]:
    (genome,) = read_records("ecoli")
    verified = [verify(cds, genome) for cds in genome.coding_sequences]
    return [codon_ids(pair.nucleotides) for pair in verified if isinstance(pair, ExactPair)]


def test_the_two_figures_of_a_random_split_of_the_shipped_genome(genes):
    assert len(genes) == 4295
    figures = []
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(len(genes))
        test, train = [genes[i] for i in order[:429]], [genes[i] for i in order[429:]]
        models = CodonUnigram(train), BothNeighbours(train)
        inner = [np.arange(1, len(gene) - 1) for gene in test]
        figures.append(
            [
                np.concatenate([m.cross_entropy(g, at) for g, at in zip(test, inner, strict=True)]).mean()
                for m in models
            ]
        )
    unigram, both_neighbours = np.mean(figures, axis=0)
    assert unigram == pytest.approx(3.929, abs=0.02)
    assert both_neighbours == pytest.approx(3.762, abs=0.02)
