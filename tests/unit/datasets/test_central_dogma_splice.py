"""Splice windows and pre-mRNAs: junctions in the middle, decoys away from them, labels a nucleotide."""

import csv
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from Bio import SeqIO

from lifecode.alphabet import encode_nucleotides
from lifecode.data import read_records
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.datasets.central_dogma import PreMrnas, SpliceWindows, make_dataset
from lifecode.datasets.central_dogma.junctions import decoys_of, junctions_of
from lifecode.datasets.central_dogma.locus import Locus, locus_of
from lifecode.datasets.central_dogma.pre_mrna import ACCEPTOR, DONOR
from lifecode.errors import UserError
from tests.support.dogma_rows import read
from tests.support.genes_with_introns import (
    BY_HAND,
    EXON_1,
    EXON_2,
    INTRON,
    cds,
    record,
    write_by_hand,
    write_genbank,
    write_random,
)


@pytest.fixture(scope="module")
def random_genome(tmp_path_factory):
    return write_random(tmp_path_factory.mktemp("splice") / "genome.gb", 40, seed=1)


@pytest.fixture(scope="module")
def junctions(random_genome):
    """Strand and place of every junction of the genome, and whether it is a donor, by Biopython."""
    found = set()
    for feature in SeqIO.read(random_genome, "genbank").features:
        for left, right in zip(feature.location.parts, feature.location.parts[1:], strict=False):
            forward = feature.location.strand == 1
            found.add((feature.location.strand, int(left.end if forward else left.start), "donor"))
            found.add((feature.location.strand, int(right.start if forward else right.end), "acceptor"))
    return found


@pytest.fixture(scope="module")
def windows(random_genome):
    folder = random_genome.parent / "windows"
    make_dataset(read_records(random_genome), folder, SpliceWindows(window_nucleotides=80, decoys=2))
    return read(folder, "gene/multi_class")


def place(row):
    return int(row["strand"]), int(row["junction"])


def test_every_junction_has_its_window(windows, junctions):
    sites = {(*place(row), row["kind"]) for row in windows if row["label"] != "0"}
    assert sites == junctions
    assert all(row["seq_id"].split(":")[2] == {1: "+", -1: "-"}[place(row)[0]] for row in windows)
    assert {(row["kind"], row["label"]) for row in windows} == {
        ("donor", "2"),
        ("acceptor", "1"),
        ("no_donor", "0"),
        ("no_acceptor", "0"),
    }
    assert Counter(row["label"] for row in windows)["0"] <= 2 * len(sites)


def test_windows_hold_gt_and_ag_where_they_belong(windows):
    for row in windows:
        assert len(row["seq"]) == 80
        if row["kind"].endswith("donor"):
            assert row["seq"][40:42] == "GT"
        else:
            assert row["seq"][38:40] == "AG"


def test_windows_are_cut_from_the_strand_of_the_gene(windows, random_genome):
    genome = SeqIO.read(random_genome, "genbank").seq
    for row in windows:
        strand, at = place(row)
        piece = genome[at - 40 : at + 40]
        assert row["seq"] == str(piece if strand == 1 else piece.reverse_complement())


def test_decoys_stay_away_from_junctions_and_inside_their_gene(windows, junctions, random_genome):
    (contig,) = read_records(random_genome)
    loci = {f"RANDOM.1:{coding.id}": locus_of(coding, contig) for coding in contig.coding_sequences}
    places = [(*place(row), row["kind"]) for row in windows if row["label"] == "0"]
    assert len(places) == len(set(places)) > 20
    for row in windows:
        if row["label"] == "0":
            strand, at = place(row)
            assert min(abs(at - other) for of_strand, other, _ in junctions if of_strand == strand) >= 50
            assert loci[row["gene"]].start <= at <= loci[row["gene"]].end


def test_genes_stay_in_one_split(windows):
    splits = {}
    for row in windows:
        splits.setdefault(row["gene"], set()).add(row["split"])
    assert all(len(of_gene) == 1 for of_gene in splits.values())
    assert {row["split"] for row in windows} == {"train", "dev", "test"}


def test_the_site_of_another_isoform_is_no_decoy(tmp_path):
    """A CDS that is rejected, for its protein is wrong, splices at a GT that would be the only decoy."""
    inner = "C" * 60 + "GT" + "C" * 60
    intron = "GT" + inner + "AG"
    dna = "C" * 30 + EXON_1 + intron + EXON_2 + "C" * 30
    end = 37 + len(intron)
    right = cds([(30, 37), (end, end + 8)], 1, "MKPD")
    other = cds([(30, 37 + 62), (end, end + 8)], 1, "MMM", gene="other")
    settings = SpliceWindows(window_nucleotides=20)
    alone = write_genbank(tmp_path / "alone.gb", record("A", dna, [right], "M"))
    both = write_genbank(tmp_path / "both.gb", record("A", dna, [right, other], "M"))
    report = make_dataset(read_records(alone), tmp_path / "alone", settings)
    assert {kind: sum(splits.values()) for kind, splits in report["examples"].items()} == {
        "acceptor": 1,
        "donor": 1,
        "no_donor": 1,
    }
    report = make_dataset(read_records(both), tmp_path / "both", settings)
    assert sum(map(sum, (splits.values() for splits in report["examples"].values()))) == 2
    assert report["left_out"] == {"too_few_decoys": 2, "length_not_multiple_of_3": 1}


def test_decoys_by_hand():
    """Junctions 7 and 27 on the locus: GT at 7 is the site, AG before 27 is the site, AG before 11 none."""
    locus = Locus(encode_nucleotides(EXON_1 + INTRON + EXON_2), ((0, 7), (27, 35)), 0, 35, 1)
    contig = Contig("A", locus.nucleotides, "by hand")
    assert decoys_of(locus, DONOR, [], contig, 1).tolist() == [7, 11]  # GTAAGT
    assert decoys_of(locus, DONOR, [7, 27], contig, 4).tolist() == [11]
    assert decoys_of(locus, DONOR, [7, 27], contig, 5).tolist() == []
    assert decoys_of(locus, ACCEPTOR, [], contig, 1).tolist() == [12, 27]
    assert decoys_of(locus, ACCEPTOR, [7, 27], contig, 5).tolist() == [12]


def test_decoys_keep_away_from_junctions_across_the_origin_of_a_circle():
    nucleotides = encode_nucleotides("CCCC" + "GT" + "C" * 50)
    circle = Contig("A", nucleotides, "by hand", circular=True)
    locus = Locus(nucleotides, ((0, 56),), 0, 56, 1)
    assert decoys_of(locus, DONOR, [55], circle, 6).tolist() == []  # 5 before the GT, around the origin
    assert decoys_of(locus, DONOR, [55], circle, 5).tolist() == [4]
    assert decoys_of(locus, DONOR, [55], replace(circle, circular=False), 6).tolist() == [4]


def test_junctions_of_a_cds_beyond_the_contig_are_not_looked_for():
    exons = (Exon(5, 8, 1), Exon(25, 41, 1))
    contig = Contig("A", encode_nucleotides("ACGT" * 10), "by hand", circular=True)
    assert junctions_of(replace(contig, coding_sequences=(CodingSequence("x", None, exons),))) == {}


def test_windows_beyond_the_contig_are_counted(tmp_path):
    genome = write_by_hand(tmp_path / "hand.gb")
    with pytest.raises(UserError, match=r"none of 2 CDS gives an example \(4 window_beyond_contig\)"):
        make_dataset(read_records(genome), tmp_path / "out", SpliceWindows(window_nucleotides=200))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"window_nucleotides": 41}, "window_nucleotides is no even number"),
        ({"decoys": -1}, "decoys is negative"),
        ({"away_nucleotides": 0}, "away_nucleotides is not positive"),
    ],
)
def test_settings_out_of_range(settings, said):
    with pytest.raises(UserError, match=said):
        SpliceWindows(**settings)


def test_pre_mrnas_by_hand(tmp_path):
    report = make_dataset(read_records(write_by_hand(tmp_path / "hand.gb")), tmp_path / "out", PreMrnas())
    assert report["genes"] == {"exact": 2, "with_introns": 2}
    rows = read(tmp_path / "out", "gene/nucleotide_class")
    assert [row["seq_id"] for row in rows] == ["FORWARD.1:P30", "REVERSE.1:P58"]
    for row in rows:
        assert row["seq"] == EXON_1 + INTRON + EXON_2
        assert row["regions"] == "E" * 7 + "I" * 20 + "E" * 8
        assert row["label"] == "0" * 6 + "2" + "0" * 20 + "1" + "0" * 7
        assert row["exons"] == "0..7,27..35"
    task = tmp_path / "out/gene/nucleotide_class"
    assert (task / "label.txt").read_text() == "label\nnone\nacceptor\ndonor\n"
    with (task / "train/train.csv").open(newline="") as file:
        assert next(csv.reader(file)) == ["seq_id", "seq_type", "seq", "regions", "label"]


def test_pre_mrnas_agree_with_biopython(random_genome, tmp_path):
    report = make_dataset(read_records(random_genome), tmp_path / "out", PreMrnas())
    record = SeqIO.read(random_genome, "genbank")
    expected = {}
    for feature in record.features:
        if len(feature.location.parts) > 1:
            whole = record.seq[int(feature.location.start) : int(feature.location.end)]
            whole = whole if feature.location.strand == 1 else whole.reverse_complement()
            expected[f"RANDOM.1:{feature.qualifiers['protein_id'][0]}"] = (
                str(whole),
                str(feature.extract(record.seq)),
            )
    rows = read(tmp_path / "out", "gene/nucleotide_class")
    assert {row["seq_id"]: row["seq"] for row in rows} == {
        name: whole for name, (whole, _) in expected.items()
    }
    for row in rows:
        regions = np.array(list(row["regions"]))
        assert "".join(np.array(list(row["seq"]))[regions == "E"]) == expected[row["seq_id"]][1]
        borders = np.flatnonzero(regions[1:] != regions[:-1])
        sites = {at: row["label"][at] for at in range(len(regions)) if row["label"][at] != "0"}
        assert sites == {
            int(at) if regions[at] == "E" else int(at) + 1: "2" if regions[at] == "E" else "1"
            for at in borders
        }
    assert report["left_out"] == {"no_intron": 40 - len(expected)}


def test_a_long_pre_mrna_and_equal_exons_are_left_out(tmp_path):
    feature = cds([(30, 37), (57, 65)], 1, "MKPD")
    twice = write_genbank(tmp_path / "twice.gb", record("A", BY_HAND, [feature, feature], "M"))
    report = make_dataset(read_records(twice), tmp_path / "out", PreMrnas(max_nucleotides=35))
    assert report["left_out"] == {"duplicate": 1}
    with pytest.raises(UserError, match="1 too_long"):
        make_dataset(read_records(twice), tmp_path / "no", PreMrnas(max_nucleotides=34))
