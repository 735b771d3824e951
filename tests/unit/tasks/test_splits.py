"""Folds keep together what belongs together; leaks are counted by what they are."""

import numpy as np
import pytest

from lifecode.alphabet import encode_nucleotides
from lifecode.data.splits.similarity import protein_sketch
from lifecode.errors import UserError
from lifecode.tasks.competitors.without_leaks import rows_without_leaks
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.examples.task_data import TaskData
from lifecode.tasks.splits.folds import clusters_of, fold_of, groups_of, residues
from lifecode.tasks.splits.leaks import find_leaks
from lifecode.tasks.splits.rounds import rounds_of


def examples(sequences, ids=None):
    return Examples(
        ids or [str(i) for i in range(len(sequences))],
        [encode_nucleotides(sequence) for sequence in sequences],
        np.zeros(len(sequences), np.int64),
        ids is not None,
    )


def gene(seed, codons=60):
    letters = np.random.default_rng(seed).choice(list("ACG"), 3 * codons)  # no T: no stop codon
    return "".join(letters)


def test_groups_are_joined_by_id_and_by_sequence():
    found = groups_of(examples(["AAA", "CCC", "AAA", "GGG", "TTT"], ["a", "b", "c", "c", "d"]))
    assert found[0] == found[2] == found[3]
    assert len(set(found.tolist())) == 3


def test_folds_are_whole_groups_of_one_size_and_one_mix_of_classes():
    groups, labels = np.repeat(np.arange(30), 2), np.repeat(np.arange(30) % 3 == 0, 2).astype(np.int64)
    folds = fold_of(groups, 5, seed=1, labels=labels)
    assert all(len(set(folds[groups == group].tolist())) == 1 for group in range(30))
    assert np.bincount(folds).tolist() == [12] * 5
    assert np.bincount(folds, weights=labels).tolist() == [4] * 5
    assert fold_of(groups, 5, 2).tolist() != fold_of(groups, 5, 1).tolist()
    with pytest.raises(UserError, match="30 groups"):
        fold_of(groups, 31, 0)


@pytest.mark.parametrize("seed", range(5))
def test_each_fold_has_its_share_of_classes_that_an_example_may_have_several_of(seed):
    draw = np.random.default_rng(seed)
    labels = (draw.random((103, 8)) < np.linspace(0.05, 0.6, 8)).astype(np.int64)
    labels[:, 0], labels[:40, 1:] = 0, 0  # many have no class,
    labels[draw.permutation(103)[:5], 0] = 1  # and one is as rare as it may be
    folds = fold_of(np.arange(103), 5, seed, labels)
    sizes = np.bincount(folds)
    assert sizes.max() - sizes.min() <= 2
    counts = np.array([labels[folds == fold].sum(0) for fold in range(5)])
    assert counts[:, 0].tolist() == [1] * 5
    assert (np.ptp(counts, axis=0) <= 3).all()
    pairs = np.arange(103) // 2
    joined = fold_of(pairs, 5, seed, labels)
    assert all(len(set(joined[pairs == pair])) == 1 for pair in range(52))


def test_alike_genes_are_one_cluster():
    first = gene(0)
    changed = first[:90] + "TGG" + first[93:]
    found = clusters_of(examples([first, changed, gene(1)]), "cds", 0.3)
    assert found[0] == found[1] != found[2]


def test_leaks_are_counted_once_each_and_named():
    twin, mirrored, alike, own = gene(1), gene(2), gene(3, 200), gene(4)
    other_strand = mirrored[::-1].translate(str.maketrans("ACGT", "TGCA"))
    train = [twin, other_strand, alike[:300] + "TGG" + alike[303:]]
    both = examples([*train, twin, mirrored, alike, own], list("abcdefg"))
    split = np.array([0, 0, 0, 1, 1, 1, 1])
    sketch = protein_sketch(residues(encode_nucleotides(own)))[None, :16]
    leaks = find_leaks(both, split, split == 1, "cds", sketch)
    assert (leaks.held_out, leaks.equal, leaks.reverse_complement, leaks.alike) == (4, 1, 1, 1)
    assert leaks.named == ["d and a: equal", "e and b: reverse complement", "f and c: alike"]
    assert leaks.seen_by_encoder == 1
    assert find_leaks(both, split, split == 1, "cds", None).seen_by_encoder is None


def mirrored(letters):
    return letters[::-1].translate(str.maketrans("ACGT", "TGCA"))


def test_near_twins_of_dna_may_lie_on_the_other_strand():
    first = gene(0)
    other = mirrored(first[:60] + "T" + first[61:])  # one nucleotide differs
    both = examples([first, gene(1), other])
    split = np.array([0, 0, 1])
    leaks = find_leaks(both, split, split == 1, "dna", None)
    assert (leaks.equal, leaks.reverse_complement, leaks.alike) == (0, 0, 1)
    assert leaks.named == ["2 and 0: alike"]
    assert find_leaks(both, split, split == 1, "cds", None).alike == 0  # another protein
    found = clusters_of(both, "dna", 0.5)
    assert found[0] == found[2] != found[1]


def test_what_leaks_can_be_left_out_of_a_test_file():
    train, test = examples([gene(1), gene(2)]), examples([gene(3), gene(1), mirrored(gene(2)), gene(4)])
    sketch = protein_sketch(residues(encode_nucleotides(gene(3))))[None, :16]
    for genes, kept, told in (
        (None, [0, 3], "2 of 4 test examples are also learnt from: left out"),
        (sketch, [0, 3], "1 more resemble genes the encoder has read: too many to leave out"),
    ):
        data = TaskData(Labels("regression"), train, 0, test, "cds", [])
        assert rows_without_leaks(data, genes).tolist() == kept
        assert data.notes[-1] == told
    data = data._replace(test=examples([gene(1), *(gene(i) for i in range(3, 8))]))
    assert rows_without_leaks(data, sketch).tolist() == [2, 3, 4, 5]  # nor what the encoder has read
    with pytest.raises(UserError, match="drop_leaks: leaves no test example"):
        rows_without_leaks(data._replace(test=train), None)
    assert rows_without_leaks(data._replace(test=None), None) is None
    assert "task.keep_together=clusters" in data.notes[-1]


def test_clusters_that_join_nothing_are_said():
    first, second = gene(0), gene(1)
    alike = first[:90] + "TGG" + first[93:]
    for sequences, number in (([first, second, gene(2)], 1), ([first, alike, second], 0)):
        task = SequenceTask(train="none", keep_together="clusters")
        train = examples(sequences)
        data = TaskData(Labels("regression"), train, 0, None, "cds", [])
        rounds = rounds_of(task, data, num_folds=2, seeds=[0])
        assert len(data.notes) == number
        assert len(set(rounds.groups.tolist())) == 2 + number
