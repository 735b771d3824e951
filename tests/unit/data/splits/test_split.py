"""Which stretch of which contig lies in which split."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecode.data.splits.regions import CROSSES, SPLITS, Contigs, Regions
from lifecode.data.splits.split import BlockSplit, ContigSplit, TaxonSplit
from lifecode.errors import UserError

ECOLI = {"NC_000913.3": 4_641_652}
TRAIN, VALIDATION, TEST = range(3)


def contigs(lengths, *, molecule="dna", taxa=None, groups=None, twins=None):
    """Contigs by name and length; `twins` is name to (name, mirrored)."""
    names, count = list(lengths), len(lengths)
    twin_of = np.arange(count)
    mirrored = np.zeros(count, dtype=bool)
    for name, (original, other_strand) in (twins or {}).items():
        twin_of[names.index(name)] = names.index(original)
        mirrored[names.index(name)] = other_strand
    return Contigs(
        names=pa.array(names, pa.string()),
        num_nucleotides=np.array(list(lengths.values()), dtype=np.int64),
        is_dna=np.full(count, molecule == "dna"),
        taxon=np.array(taxa if taxa is not None else [-1] * count, dtype=np.int64),
        group=np.array(groups, dtype=np.int64) if groups is not None else twin_of,
        twin_of=twin_of,
        mirrored=mirrored,
    )


def rows(split, lengths, seed=0, **kinds):
    """Each contig's regions as (start, end, split name)."""
    found = split.regions(contigs(lengths, **kinds), seed)
    names = list(lengths)
    of_contig = {name: [] for name in names}
    for contig, start, end, held_out in zip(found.contig, found.start, found.end, found.split, strict=True):
        of_contig[names[contig]].append((int(start), int(end), SPLITS[held_out]))
    return of_contig


def splits(split, lengths, seed=0, **kinds):
    """The split of each contig that is one region."""
    return {name: row[0][2] for name, row in rows(split, lengths, seed, **kinds).items() if len(row) == 1}


def share(of_contig, split):
    lengths = dict.fromkeys(SPLITS, 0)
    for regions in of_contig.values():
        for start, end, name in regions:
            lengths[name] += end - start
    return lengths[split] / sum(lengths.values())


# Blocks


def test_ecoli_meets_the_fractions():
    found = rows(BlockSplit(), ECOLI)
    assert BlockSplit().regions(contigs(ECOLI), 0).block_nucleotides == 50_000
    assert share(found, "validation") == pytest.approx(0.05, abs=0.006)
    assert share(found, "test") == pytest.approx(0.10, abs=0.006)


@given(
    st.dictionaries(st.text("abc", min_size=1), st.integers(1, 5_000), min_size=3, max_size=6),
    st.integers(3, 2_000),
    st.integers(0, 3),
)
def test_regions_cover_every_contig_once_and_alternate(lengths, block, seed):
    found = rows(BlockSplit(block_nucleotides=block), lengths, seed)
    for name, length in lengths.items():
        assert (found[name][0][0], found[name][-1][1]) == (0, length)
        assert all(left[1] == right[0] and left[2] != right[2] for left, right in pairwise(found[name]))
    assert {row[2] for regions in found.values() for row in regions} == set(SPLITS)


def test_seed_and_contig_name_decide():
    first = rows(BlockSplit(), ECOLI)["NC_000913.3"]
    assert first == rows(BlockSplit(), ECOLI)["NC_000913.3"]
    assert first != rows(BlockSplit(), ECOLI, seed=1)["NC_000913.3"]
    assert first != rows(BlockSplit(), {"other": ECOLI["NC_000913.3"]})["other"]


def test_order_of_the_contigs_makes_no_difference():
    lengths = {f"contig{i}": 1_000 for i in range(100)}
    backwards = dict(reversed(lengths.items()))
    for kinds in ({}, {"molecule": "rna"}):
        assert rows(BlockSplit(), lengths, **kinds) == rows(BlockSplit(), backwards, **kinds)


def test_split_of_a_known_seed_never_changes():
    held_out = [row for row in rows(BlockSplit(), {"contig": 1_000_000})["contig"] if row[2] != "train"]
    assert held_out == [(50000, 100000, "validation"), (150000, 200000, "test"), (700000, 750000, "test")]


def test_a_repeated_contig_is_split_like_the_first_and_a_reverse_complement_mirrored():
    lengths = dict.fromkeys(("a", "b", "c"), 1_000_003)
    twins = {"b": ("a", False), "c": ("a", True)}
    found = rows(BlockSplit(), lengths, twins=twins)
    assert found["a"] == rows(BlockSplit(), {"a": 1_000_003})["a"]
    assert found["b"] == found["a"]
    assert found["c"] == [
        (1_000_003 - end, 1_000_003 - start, split) for start, end, split in found["a"][::-1]
    ]


def test_tiny_genome_gets_smaller_blocks_and_says_so():
    regions = BlockSplit().regions(contigs({"phiX174": 5_386}), seed=0)
    assert (regions.block_nucleotides, regions.block_nucleotides_asked) == (1_500, 50_000)
    assert set(regions.split.tolist()) == {TRAIN, VALIDATION, TEST}


def test_no_held_out_split_when_its_fraction_is_zero():
    assert rows(BlockSplit(validation=0, test=0), ECOLI) == {"NC_000913.3": [(0, 4_641_652, "train")]}
    assert share(rows(BlockSplit(validation=0, test=0.1), ECOLI), "validation") == 0


def test_too_little_to_split():
    with pytest.raises(UserError, match="2 nucleotides cannot be split into 3 parts"):
        BlockSplit().regions(contigs({"contig": 2}), seed=0)
    with pytest.raises(UserError, match="2 different sequences cannot be split into 3 parts"):
        BlockSplit().regions(contigs({"a": 9, "b": 9}, molecule="rna"), seed=0)
    with pytest.raises(UserError, match="1 taxa cannot be split into 3 parts"):
        TaxonSplit().regions(contigs({"a": 9, "b": 9}, taxa=[7, 7]), seed=0)


def test_transcripts_stay_whole_in_the_same_fractions_of_their_number():
    lengths = {f"NM_{i}": 100 + i for i in range(200)}
    found = splits(BlockSplit(block_nucleotides=10), lengths, molecule="rna")
    assert len(found) == 200
    assert sorted(found.values()).count("test") == 20
    assert sorted(found.values()).count("validation") == 10


# Whole contigs and taxa


@given(
    st.lists(st.integers(0, 12), min_size=40, max_size=80).filter(lambda groups: len(set(groups)) > 2),
    st.integers(0, 5),
)
def test_a_group_is_never_divided_and_no_fraction_is_exceeded(groups, seed):
    lengths = {f"c{i}": 10 for i in range(len(groups))}
    first = [groups.index(group) for group in groups]
    found = splits(ContigSplit(validation=0.2, test=0.2), lengths, seed, groups=first)
    of_group = {}
    for name, group in zip(lengths, first, strict=True):
        of_group.setdefault(group, set()).add(found[name])
    assert all(len(names) == 1 for names in of_group.values())
    for name in ("validation", "test"):
        members = [group for group, names in of_group.items() if names == {name}]
        size = sum(first.count(group) for group in members)
        assert members
        assert size <= round(0.2 * len(groups)) or len(members) == 1


def test_named_contigs_are_held_out_and_their_twins_with_them():
    lengths = {f"chr{i}": 1000 for i in range(1, 11)}
    found = splits(ContigSplit(validation=["chr4"], test=["chr5", "chr7"]), lengths)
    assert found == {**dict.fromkeys(lengths, "train"), "chr4": "validation", "chr5": "test", "chr7": "test"}
    twins = {"chr9": ("chr7", True)}
    assert splits(ContigSplit(validation=[], test=["chr7"]), lengths, twins=twins)["chr9"] == "test"
    mixed = splits(ContigSplit(validation=0.2, test=["chr5"]), lengths)
    assert mixed["chr5"] == "test"
    assert list(mixed.values()).count("validation") == 2


def test_taxa_stay_whole():
    lengths = {f"c{i}": 1000 for i in range(40)}
    taxa = [9606, 7227, 562, 10090] * 10
    found = splits(TaxonSplit(validation=[562], test=0.25), lengths, taxa=taxa)
    of_taxon = {taxon: {found[f"c{i}"] for i in range(40) if taxa[i] == taxon} for taxon in set(taxa)}
    assert of_taxon[562] == {"validation"}
    assert sorted(map(len, of_taxon.values())) == [1, 1, 1, 1]
    assert sum(names == {"test"} for names in of_taxon.values()) == 1


def test_a_sequence_of_two_taxa_goes_where_more_is_held_out():
    found = splits(
        TaxonSplit(validation=[], test=[2]),
        {"a": 9, "b": 9, "c": 9},
        taxa=[1, 2, 1],
        twins={"b": ("a", False)},
    )
    assert found == {"a": "test", "b": "test", "c": "train"}


@pytest.mark.parametrize(
    ("split", "said"),
    [
        (ContigSplit(test=["chr6"]), r"split\.test: there is no contig 'chr6'\. There are chr1, chr2, chr3"),
        (ContigSplit(validation=["chr1"], test=["chr1"]), "contig 'chr1' is in validation and in test"),
        (TaxonSplit(test=[1]), "chr3: 1 contigs name no taxon"),
    ],
)
def test_names_that_are_not_there(split, said):
    with pytest.raises(UserError, match=said):
        split.regions(contigs(dict.fromkeys(("chr1", "chr2", "chr3"), 9), taxa=[5, 6, -1]), seed=0)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"block_nucleotides": 2}, "split.block_nucleotides"),
        ({"validation": -0.1}, "split.validation"),
        ({"test": 1.0}, "split.test"),
        ({"validation": float("nan")}, "split.validation"),
        ({"validation": 0.5, "test": 0.5}, "split: .*nothing to train on"),
        ({"clusters": 0}, "split.clusters: 0 is no similarity"),
        ({"clusters": 1.5}, "split.clusters"),
    ],
)
def test_senseless_settings_are_named(settings, key):
    with pytest.raises(UserError, match=key):
        BlockSplit(**settings)


# Where a CDS lies


@pytest.mark.parametrize(
    ("exons", "split"),
    [
        ([(0, 10)], TRAIN),
        ([(0, 11)], CROSSES),
        ([(9, 10)], TRAIN),
        ([(10, 20)], TEST),
        ([(19, 21)], CROSSES),
        ([(25, 30), (0, 5)], TRAIN),  # through the origin of a circular genome
        ([(25, 30), (8, 12)], CROSSES),
        ([(0, 5), (22, 25)], TRAIN),  # the intron spans the test region, the exons do not
        ([(5, 25)], CROSSES),
    ],
)
@pytest.mark.parametrize("contig", [0, 2])
def test_split_of_a_cds(exons, split, contig):
    three = [np.tile([0, 10, 20], 3), np.tile([10, 20, 30], 3), np.tile([TRAIN, TEST, TRAIN], 3)]
    regions = Regions(np.repeat([0, 1, 2], 3), three[0], three[1], three[2].astype(np.int8))
    starts, ends = np.array([*exons, (0, 10)]).T  # and another CDS behind it
    found = regions.split_of(np.array([contig, 1]), np.array([0, len(exons), len(exons) + 1]), starts, ends)
    assert found.tolist() == [split, TRAIN]
