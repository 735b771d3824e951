"""Lengths, GC content and codons: by hand, against a slow reading, whole and as a sample."""

import tracemalloc
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecode.alphabet import CODONS
from lifecode.data.corpus.segments import SegmentTable, cache_folder
from lifecode.data.statistics import composition as module
from lifecode.data.statistics.composition import composition
from tests.support.segment_tables import write_table


def gc_of(text):
    known = sum(text.count(letter) for letter in "ACGT")
    return (text.count("G") + text.count("C")) / known if known else None


def test_coding_sequences_by_hand(tmp_path):
    train = write_table(tmp_path, "cds", ["ATGAAATAA", "ATGGGCTGA"], [11, 4])
    test = write_table(tmp_path, "cds", ["ATGGGCGGCTAA"], [11], split="test")
    measured = composition([train, test])
    assert measured.lengths.tolist() == [9, 9, 12]
    np.testing.assert_allclose(measured.gc, [1 / 9, 5 / 9, 7 / 12])
    np.testing.assert_allclose(measured.gc3, [1 / 3, 2 / 3, 3 / 4])
    assert measured.gc_content == pytest.approx(13 / 30)
    assert measured.num_nucleotides == measured.measured_nucleotides == 30
    counted = {
        code: {codon: n for codon, n in zip(CODONS, counts.tolist(), strict=True) if n}
        for code, counts in measured.codons.items()
    }
    assert counted == {
        11: {"ATG": 2, "AAA": 1, "TAA": 2, "GGC": 2},
        4: {"ATG": 1, "GGC": 1, "TGA": 1},
    }


def test_windows_of_dna_by_hand(tmp_path):
    region = "G" * 1000 + "A" * 99 + "N" * 901 + "A" * 150 + "C" * 50
    table = write_table(tmp_path, "dna", [region, "C" * 99, "GT" * 60])
    measured = composition([table])
    np.testing.assert_allclose(measured.gc, [1, 0.25, 0.5])
    assert measured.lengths.tolist() == [2200, 99, 120]
    assert measured.known == (1000 + 99 + 200 + 99 + 120, 1000 + 50 + 99 + 60)
    assert not len(measured.gc3)
    assert measured.codons == {}


def test_transcripts_are_measured_whole(tmp_path):
    measured = composition([write_table(tmp_path, "rna", ["GGGA" * 400, "NN", "ACGU"])])
    np.testing.assert_allclose(measured.gc, [0.75, 0.5])
    assert measured.lengths.tolist() == [1600, 2, 4]


def test_nothing_to_measure(tmp_path):
    tables = [write_table(tmp_path, "cds", []), write_table(tmp_path, "dna", [])]
    for table in tables:
        measured = composition([table])
        assert (len(measured.lengths), len(measured.gc), measured.codons) == (0, 0, {})
        assert np.isnan(measured.gc_content)


sequences = st.lists(st.text("ACGTN", min_size=1, max_size=40), max_size=12)


@settings(max_examples=150)
@given(sequences, st.integers(1, 50), st.integers(1, 9), st.sampled_from(["dna", "rna"]))
def test_what_is_measured_does_not_depend_on_the_stretches(tmp_path_factory, texts, stretch, window, kind):
    table = write_table(tmp_path_factory.mktemp("corpus"), kind, texts)
    with (
        patch.object(module, "_STRETCH", stretch),
        patch.object(module, "GC_WINDOW", window),
        patch.object(module, "_FEWEST_KNOWN", 2),
    ):
        measured = composition([table])
    pieces = texts if kind == "rna" else [t[i : i + window] for t in texts for i in range(0, len(t), window)]
    fewest = 1 if kind == "rna" else 2
    expected = [gc_of(piece) for piece in pieces if len(piece) - piece.count("N") >= fewest]
    np.testing.assert_allclose(measured.gc, expected)
    assert measured.lengths.tolist() == [len(text) for text in texts]
    assert measured.measured_nucleotides == sum(map(len, texts))
    joined = "".join(texts)
    assert measured.known == (len(joined) - joined.count("N"), joined.count("G") + joined.count("C"))


def test_coding_sequences_do_not_depend_on_the_stretches(small_corpus):
    tables = [small_corpus.segments("cds", split) for split in ("train", "validation", "test")]
    whole = composition(tables)
    with patch.object(module, "_STRETCH", 700):
        in_stretches = composition(tables)
    for name in ("lengths", "gc", "gc3"):
        np.testing.assert_array_equal(getattr(in_stretches, name), getattr(whole, name))
    assert in_stretches.known == whole.known
    assert {code: counts.tolist() for code, counts in in_stretches.codons.items()} == {
        code: counts.tolist() for code, counts in whole.codons.items()
    }
    assert sum(counts.sum() for counts in whole.codons.values()) * 3 == whole.num_nucleotides


def test_a_sample_is_bounded_spread_and_the_same_every_time(tmp_path):
    train = write_table(tmp_path, "cds", ["ATG" * n for n in range(1, 201)])
    test = write_table(tmp_path, "cds", ["GGG" * 5] * 40, split="test")
    with patch.object(module, "_STRETCH", 300):
        samples = [composition([train, test], max_nucleotides=6_000) for _ in range(2)]
        fuller = composition([train, test], max_nucleotides=30_000)
    for sample in samples:
        assert sample.num_nucleotides == 60_300 + 600
        assert 4_000 < sample.measured_nucleotides < 7_000
        assert sample.measured_nucleotides == sample.lengths.sum()
        assert sample.lengths.min() < 50 < 550 < sample.lengths.max()
        assert (sample.lengths == 15).any()
    np.testing.assert_array_equal(samples[0].lengths, samples[1].lengths)
    assert samples[0].measured_nucleotides < fuller.measured_nucleotides < 33_000


def test_memory_does_not_grow_with_the_corpus(tmp_path):
    table = write_table(tmp_path, "dna", ["A"])
    cache = cache_folder(tmp_path, "dna", "train")
    size = 2_000_000_000  # a file with holes: it takes no room on the disk
    np.lib.format.open_memmap(cache / "nucleotides.npy", "w+", np.uint8, (size,))
    np.save(cache / "offsets.npy", np.array([0, size - 5, size]))
    table = SegmentTable(tmp_path, "dna", "train")
    tracemalloc.start()
    measured = composition([table], max_nucleotides=50_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert measured.measured_nucleotides == pytest.approx(50_000_000, rel=0.02)
    assert peak < 30_000_000
