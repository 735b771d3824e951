from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecode.alphabet import encode_nucleotides
from lifecode.data.records import Exon
from lifecode.data.split import SPLITS, BlockSplit, Region, Regions, without_twins
from lifecode.errors import UserError

ECOLI = {"NC_000913.3": 4_641_652}


def share(regions, split):
    lengths = dict.fromkeys(SPLITS, 0)
    for region in regions.regions:
        lengths[region.split] += region.end - region.start
    return lengths[split] / sum(lengths.values())


def test_ecoli_meets_the_fractions():
    regions = BlockSplit().regions(ECOLI, seed=0)
    assert regions.block_nucleotides == 50_000
    assert share(regions, "validation") == pytest.approx(0.05, abs=0.006)
    assert share(regions, "test") == pytest.approx(0.10, abs=0.006)


@given(
    st.dictionaries(st.text("abc", min_size=1), st.integers(1, 5_000), min_size=3, max_size=6),
    st.integers(3, 2_000),
    st.integers(0, 3),
)
def test_regions_cover_every_contig_once_and_alternate(lengths, block, seed):
    regions = BlockSplit(block_nucleotides=block).regions(lengths, seed)
    for contig, length in lengths.items():
        rows = regions.of_contig(contig)
        assert (rows[0].start, rows[-1].end) == (0, length)
        assert all(left.end == right.start and left.split != right.split for left, right in pairwise(rows))
    assert {region.split for region in regions.regions} == set(SPLITS)


def test_seed_and_contig_name_decide():
    regions = [BlockSplit().regions(lengths, seed).regions for lengths, seed in ((ECOLI, 0), (ECOLI, 1))]
    assert regions[0] != regions[1]
    assert regions[0] == BlockSplit().regions(ECOLI, seed=0).regions
    renamed = BlockSplit().regions({"other": ECOLI["NC_000913.3"]}, seed=0).regions
    assert [row[1:] for row in renamed] != [row[1:] for row in regions[0]]


def test_order_of_the_contigs_makes_no_difference():
    lengths = {f"contig{i}": 1_000 for i in range(100)}
    backwards = dict(reversed(lengths.items()))
    regions = BlockSplit().regions(lengths, 0).regions
    assert sorted(regions) == sorted(BlockSplit().regions(backwards, 0).regions)


def test_split_of_a_known_seed_never_changes():
    held_out = [
        row[1:] for row in BlockSplit().regions({"contig": 1_000_000}, 0).regions if row.split != "train"
    ]
    assert held_out == [(50000, 100000, "validation"), (150000, 200000, "test"), (700000, 750000, "test")]


def test_tiny_genome_gets_smaller_blocks_and_says_so():
    regions = BlockSplit().regions({"phiX174": 5_386}, seed=0)
    assert regions.block_nucleotides == 1_500
    assert regions.block_nucleotides_asked == 50_000
    assert {region.split for region in regions.regions} == set(SPLITS)


def test_no_held_out_split_when_its_fraction_is_zero():
    whole = BlockSplit(validation=0, test=0).regions(ECOLI, seed=0)
    assert whole.regions == (Region("NC_000913.3", 0, 4_641_652, "train"),)
    assert share(BlockSplit(validation=0, test=0.1).regions(ECOLI, seed=0), "validation") == 0


def test_too_little_to_split():
    with pytest.raises(UserError, match="2 nucleotides cannot be split into 3 parts"):
        BlockSplit().regions({"contig": 2}, seed=0)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"block_nucleotides": 2}, "split.block_nucleotides"),
        ({"validation": -0.1}, "split.validation"),
        ({"test": 1.0}, "split.test"),
        ({"validation": float("nan")}, "split.validation"),
        ({"validation": 0.5, "test": 0.5}, "split: .*nothing to train on"),
    ],
)
def test_senseless_settings_are_named(settings, key):
    with pytest.raises(UserError, match=key):
        BlockSplit(**settings)


@pytest.mark.parametrize(
    ("exons", "split"),
    [
        ([(0, 10, 1)], "train"),
        ([(0, 11, 1)], None),
        ([(9, 10, 1)], "train"),
        ([(10, 20, -1)], "test"),
        ([(19, 21, 1)], None),
        ([(25, 30, 1), (0, 5, 1)], "train"),  # through the origin of a circular genome
        ([(25, 30, 1), (8, 12, 1)], None),
        ([(0, 5, 1), (22, 25, 1)], "train"),  # the intron spans the test region, the exons do not
        ([(5, 25, 1)], None),
    ],
)
def test_split_of_a_cds(exons, split):
    rows = (Region("c", 0, 10, "train"), Region("c", 10, 20, "test"), Region("c", 20, 30, "train"))
    assert Regions(rows, 10, 10).split_of("c", [Exon(*exon) for exon in exons]) == split


def kept(*records):
    return without_twins([encode_nucleotides(dna) for dna, _ in records], [split for _, split in records])


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
