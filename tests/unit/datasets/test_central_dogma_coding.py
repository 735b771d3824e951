"""Coding windows lie in a gene's spliced sequence, intergenic ones where neither strand has a gene."""

from collections import Counter

import numpy as np
import pytest
from Bio import SeqIO
from Bio.SeqFeature import FeatureLocation, SeqFeature

from lifecode.data.records import Exon
from lifecode.datasets.central_dogma import CodingWindows
from lifecode.datasets.central_dogma.coding_windows import _spans
from lifecode.errors import UserError
from lifecode.verbs.dogma import make_dataset
from tests.support.dogma_rows import read
from tests.support.genes_with_introns import write_random

SIZE = 60


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """Genes 300 nucleotides apart; an rRNA fills the first gap, a pseudogene most of the second."""
    path = write_random(tmp_path_factory.mktemp("coding") / "genome.gb", 30, seed=1)
    record = SeqIO.read(path, "genbank")
    ends = sorted(int(feature.location.end) for feature in record.features)
    rrna = SeqFeature(FeatureLocation(0, 300, -1), "rRNA")
    pseudo = SeqFeature(FeatureLocation(ends[0] + 10, ends[0] + 250, 1), "gene", qualifiers={"pseudo": [""]})
    record.features += [rrna, pseudo]
    SeqIO.write(record, path, "genbank")
    return path


@pytest.fixture(scope="module")
def rows(genome):
    folder = genome.parent / "windows"
    settings = CodingWindows(window_nucleotides=SIZE, away_nucleotides=5)
    make_dataset(genome, folder, settings, progress=False)
    return read(folder, "gene/binary_class")


def test_as_many_of_either_label_and_genes_in_one_split(rows):
    counts = Counter((row["kind"], row["label"]) for row in rows)
    assert set(counts) == {("coding", "1"), ("intergenic", "0")}
    assert counts["coding", "1"] == counts["intergenic", "0"] > 20
    assert {row["split"] for row in rows} == {"train", "dev", "test"}


def test_coding_windows_are_of_the_coding_strand_in_every_frame(rows, genome):
    record = SeqIO.read(genome, "genbank")
    spliced = {
        f"{record.id}:{feature.qualifiers['protein_id'][0]}": str(feature.extract(record.seq))
        for feature in record.features
        if feature.type == "CDS"
    }
    coding = [row for row in rows if row["label"] == "1"]
    for row in coding:
        start = int(row["start"])
        assert row["seq"] == spliced[row["gene"]][start : start + SIZE]
    assert {int(row["start"]) % 3 for row in coding} == {0, 1, 2}


def test_intergenic_windows_touch_no_gene_on_either_strand(rows, genome):
    record = SeqIO.read(genome, "genbank")
    intergenic = [row for row in rows if row["label"] == "0"]
    taken = np.zeros(len(record.seq), dtype=int)
    for row in intergenic:
        start = int(row["start"])
        taken[start : start + SIZE] += 1
        piece = record.seq[start : start + SIZE]
        assert row["seq"] == str(piece if row["strand"] == "1" else piece.reverse_complement())
    assert taken.max() == 1
    for feature in record.features:  # introns included
        assert not taken[max(0, int(feature.location.start) - 5) : int(feature.location.end) + 5].any()
    assert {row["strand"] for row in intergenic} == {"1", "-1"}


def test_a_gene_across_the_origin_covers_its_exons_and_not_the_circle():
    assert _spans([Exon(90, 100, 1), Exon(0, 8, 1)]) == [(90, 100), (0, 8)]
    assert _spans([Exon(20, 30, -1), Exon(5, 10, -1)]) == [(5, 30)]
    assert _spans([Exon(5, 10, 1), Exon(20, 30, -1)]) == [(5, 10), (20, 30)]
    assert _spans([]) == []


def test_numbers_out_of_range_are_refused():
    with pytest.raises(UserError, match="window_nucleotides"):
        CodingWindows(window_nucleotides=2)
    with pytest.raises(UserError, match="away_nucleotides"):
        CodingWindows(away_nucleotides=-1)
