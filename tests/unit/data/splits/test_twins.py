"""Sequences that must not lie in different splits: the same on either strand, or alike."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecode.alphabet import amino_acid_ids, encode_nucleotides, reverse_complement
from lifecode.data.splits.similarity import clusters, nucleotide_sketch, protein_sketch, similar
from lifecode.data.splits.twins import DIGEST, first_by_name, labels, linked, strandless_digest, without_twins

SPLITS = ("train", "validation", "test")


def kept(*records):
    digests = [strandless_digest(encode_nucleotides(dna))[0] for dna, _ in records]
    splits = np.array([SPLITS.index(split) for _, split in records], dtype=np.int8)
    return without_twins(labels(pa.array(digests, DIGEST)), splits).tolist()


def test_twins_leave_the_less_held_out_split():
    assert kept(("ATGC", "train"), ("ATGC", "test"), ("AAAA", "train")) == [False, True, True]
    assert kept(("ATGC", "validation"), ("ATGC", "test"), ("ATGC", "train")) == [False, True, False]
    assert kept(("ATGC", "train"), ("ATGC", "validation")) == [False, True]


def test_reverse_complement_is_a_twin():
    assert kept(("AACC", "train"), ("GGTT", "validation")) == [False, True]


def test_twins_inside_a_split_stay():
    assert kept(("ATGC", "train"), ("ATGC", "train")) == [True, True]


@given(st.lists(st.tuples(st.text("AC", max_size=3), st.sampled_from(SPLITS))))
def test_no_twin_survives_across_splits(records):
    splits_of = {}
    for (dna, split), keep in zip(records, kept(*records), strict=True):
        if keep:
            ids = encode_nucleotides(dna)
            splits_of.setdefault(min(ids.tobytes(), np.array(3 - ids[::-1]).tobytes()), set()).add(split)
    assert all(len(splits) == 1 for splits in splits_of.values())
    assert len(splits_of) == len({min(d, d[::-1].translate(str.maketrans("AC", "TG"))) for d, _ in records})


@given(st.text("ACGT", min_size=1, max_size=9))
def test_a_digest_says_which_strand_it_is_of(dna):
    ids = encode_nucleotides(dna)
    (digest, backward), (again, mirrored) = strandless_digest(ids), strandless_digest(reverse_complement(ids))
    assert digest == again
    palindrome = np.array_equal(ids, reverse_complement(ids))
    assert (backward == mirrored) == palindrome


def test_the_first_by_name_stands_for_its_twins():
    names = pa.array(["d", "b", "c", "a"])
    assert first_by_name(names, np.array([0, 0, 1, 0])).tolist() == [3, 3, 2, 3]


def test_contigs_are_linked_by_what_they_share():
    # 0 and 1 are the same whole; 1 and 3 share CDS 5, 3 and 4 share CDS 2; 2 stands alone
    groups = linked(np.array([0, 0, 1, 2, 3]), np.array([1, 3, 3, 4, 2]), np.array([5, 5, 2, 2, 0]))
    assert [group == groups[0] for group in groups] == [True, True, False, True, True]


def random_protein(length, seed):
    return np.random.default_rng(seed).integers(0, 20, length).astype(np.uint8)


def jaccard(one, other, k):
    one, other = ({tuple(ids[i : i + k]) for i in range(len(ids) - k + 1)} for ids in (one, other))
    return len(one & other) / len(one | other)


@pytest.mark.parametrize("identical", [0, 150, 300, 500, 900, 1000])
def test_sketches_estimate_the_jaccard_index(identical):
    one, other = random_protein(1000, 1), random_protein(1000, 2)
    other[:identical] = one[:identical]
    (found,) = similar(protein_sketch(one)[None], protein_sketch(other)[None], at_least=1e-9)
    estimate = float(found[2][0]) if len(found[2]) else 0.0
    assert estimate == pytest.approx(jaccard(one.tolist(), other.tolist(), 5), abs=0.14)  # 3 standard errors
    assert identical < 1000 or estimate == 1


def test_short_and_empty_sequences_have_sketches():
    for protein in ("", "M", "MKV", "MKVLA"):
        assert protein_sketch(amino_acid_ids(protein).astype(np.uint8)).shape == (128,)
    assert nucleotide_sketch(encode_nucleotides("NNNN")).shape == (128,)
    one, other = (protein_sketch(amino_acid_ids(p).astype(np.uint8)) for p in ("MK", "KM"))
    assert not np.array_equal(one, other)


def test_clusters_join_what_is_similar_through_others():
    first = random_protein(400, 1)
    second, third = first.copy(), first.copy()
    second[200:250] = random_protein(50, 2)
    third[150:300] = random_protein(150, 3)
    stranger = random_protein(400, 4)
    sketches = np.array([protein_sketch(p) for p in (first, stranger, second, third)])
    numbers = clusters(sketches, 0.35)
    assert numbers[0] == numbers[2] == numbers[3] != numbers[1]
    assert len(set(clusters(sketches, 0.99).tolist())) == 4
