"""Gene types of LucaOne's rows: which features lie where on which strand, and windows of them."""

import gzip
import re
from collections import Counter

import numpy as np
import pytest

from lifecode.alphabet import decode_nucleotides, encode_nucleotides, reverse_complement
from lifecode.data import packaged_genomes, read_records
from lifecode.datasets.luca_one import RowSettings, rows_of
from lifecode.datasets.luca_one.records.gene_regions import FEATURES, gene_regions
from lifecode.datasets.luca_one.records.gene_rows import windows_of
from lifecode.datasets.luca_one.records.left_out import LeftOut
from tests.support.luca_records import genbank, sequence

LETTERS = sequence(120)
FEATURES_OF_RECORD = [
    ("CDS", "complement(join(11..40,61..90))", '/locus_tag="a"'),
    ("tRNA", "101..110", '/gene="t"'),
    ("mRNA", "join(1..5,31..50)"),
    ("-10_signal", "complement(95..98)"),
    ("misc_feature", "1..120"),
]


@pytest.fixture
def written(tmp_path):
    def write(features=FEATURES_OF_RECORD, letters=LETTERS, **more):
        (tmp_path / "hand.gb").write_text(genbank(features, letters, **more))
        return tmp_path / "hand.gb"

    return write


def regions(file, **settings):
    left_out = LeftOut()
    (contig,) = read_records(file, features=FEATURES)
    return {tuple(region) for region in gene_regions(contig, left_out, **settings)}, left_out


def test_features_lie_where_the_record_says(written):
    found, left_out = regions(written())
    assert found == {
        (10, 40, -1, "CDS"),
        (60, 90, -1, "CDS"),
        (40, 60, -1, "intron"),
        (100, 110, 1, "tRNA"),
        (5, 30, 1, "intron"),
        (94, 98, -1, "regulatory"),
    }
    assert not left_out.reasons


def test_each_strand_has_its_own_annotation_the_reverse_one_mirrored(written):
    forward, backward = rows_of(written())
    assert (forward.id, backward.id) == ("HAND.1:1-120(+)", "HAND.1:1-120(-)")
    assert forward.sequence == LETTERS
    assert backward.sequence == decode_nucleotides(reverse_complement(encode_nucleotides(LETTERS)))
    assert sorted(forward.spans["gene_type"]) == [(5, 29, "intron"), (100, 109, "tRNA")]
    assert sorted(backward.spans["gene_type"]) == [
        (22, 25, "regulatory"),  # 95..98 of 120 from the other end
        (30, 59, "CDS"),
        (60, 79, "intron"),
        (80, 109, "CDS"),
    ]
    assert forward.labels == backward.labels == {"gene_taxonomy": "Saccharomycetales"}


def test_what_a_span_says_is_what_its_letters_are(written):
    """The letters under the CDS of the reverse row are the coding sequence that the library cuts out."""
    _, backward = rows_of(written())
    (contig,) = read_records(written())
    exons = [row for row in sorted(backward.spans["gene_type"]) if row[2] == "CDS"]
    spliced = "".join(backward.sequence[first : last + 1] for first, last, _ in exons)
    cut = [contig.nucleotides[exon.start : exon.end] for exon in contig.coding_sequences[0].exons]
    assert spliced == decode_nucleotides(np.concatenate([reverse_complement(piece) for piece in cut]))


def test_windows_cut_spans_and_lose_no_nucleotide(written):
    settings = RowSettings(max_letters=50)
    rows = list(rows_of(written(), settings))
    assert [len(row.sequence) for row in rows] == [40] * 6
    forward = [row for row in rows if row.id.endswith("(+)")]
    assert "".join(row.sequence for row in forward) == LETTERS
    backward = [row for row in rows if row.id.endswith("(-)")]
    assert [sorted(row.spans.get("gene_type", ())) for row in backward] == [
        [(0, 29, "CDS")],
        [(0, 19, "CDS"), (20, 39, "intron")],
        [(22, 25, "regulatory"), (30, 39, "CDS")],
    ]
    assert [list(row.spans) for row in forward] == [["gene_type"], [], ["gene_type"]]


def test_a_shorter_region_is_read_after_a_longer_one(written):
    features = [("tRNA", "21..30"), ("CDS", "11..100"), ("regulatory", "25..28"), ("intron", "11..101")]
    (row, _) = rows_of(written(features))
    assert [label for _, _, label in row.spans["gene_type"]] == ["intron", "CDS", "tRNA", "regulatory"]


@pytest.mark.parametrize(
    ("features", "types", "reason"),
    [
        ([("CDS", "join(1..30,45..60)")], {"CDS"}, "gap_shorter_than_an_intron"),
        ([("CDS", "join(1..30,46..60)")], {"CDS", "intron"}, None),
        ([("CDS", "join(1..30,46..60)", "/ribosomal_slippage")], {"CDS"}, None),
        ([("CDS", "join(1..30,46..60)", "/trans_splicing")], {"CDS"}, None),
        ([("mRNA", "join(1..30,46..60)", '/exception="trans-splicing"')], set(), None),
        ([("CDS", "join(1..30,46..60)", "/pseudo")], {"CDS"}, None),
        ([("tRNA", "join(1..30,46..60)", "/Pseudo")], {"tRNA"}, None),
        ([("tRNA", "join(1..30,complement(46..60))")], {"tRNA"}, None),
        ([("tRNA", "join(1..30,46..60)")], {"tRNA", "intron"}, None),
        ([("tRNA", "join(1..30,42..60)")], {"tRNA", "intron"}, None),
        ([("mRNA", "join(1..30,42..60)")], set(), "gap_shorter_than_an_intron"),
        ([("rRNA", "join(1..30,46..60)")], {"rRNA"}, None),
        ([("tRNA", "1.5..30")], set(), "unreadable_location"),
        ([("tRNA", "100..130")], set(), "out_of_range"),
        ([("snoRNA", "1..30"), ("terminator", "50..60")], {"ncRNA", "regulatory"}, None),
    ],
)
def test_gaps_and_places_that_are_none(written, features, types, reason):
    found, left_out = regions(written(features))
    assert {region[3] for region in found} == types
    assert list(left_out.reasons) == ([reason] if reason else [])


def test_pseudogenes_may_be_left_out(written):
    file = written([("CDS", "1..30", "/pseudo"), ("tRNA", "41..60", '/pseudogene="unknown"')])
    assert {region[3] for region in regions(file)[0]} == {"CDS", "tRNA"}
    found, left_out = regions(file, pseudogenes=False)
    assert (found, left_out.reasons) == (set(), {"pseudogene": 2})


def test_an_rna_has_one_strand(written):
    (row,) = rows_of(written(molecule="mRNA"))
    assert row.id.endswith("(+)")
    (row, _) = rows_of(written())
    assert [row.id for row in rows_of(written(), RowSettings(reverse_strand=False))] == [row.id]


def test_windows_of_unknown_letters_are_left_out(written):
    file = written([], "N" * 60 + LETTERS[:60])
    assert [row.id for row in rows_of(file, RowSettings(max_letters=60, reverse_strand=False))] == [
        "HAND.1:61-120(+)"
    ]


@pytest.mark.parametrize(("end", "lengths"), [(0, []), (1, [1]), (10, [10]), (11, [5, 6]), (29, [9, 10, 10])])
def test_windows_are_few_and_even(end, lengths):
    found = windows_of(7, 7 + end, 10)
    assert [window.end - window.start for window in found] == lengths
    assert [window.start for window in found[1:]] == [window.end for window in found[:-1]]


def test_features_of_embl_are_read_too(tmp_path):
    letters = LETTERS[:60].lower()
    (tmp_path / "hand.embl").write_text(
        "ID   HAND; SV 1; linear; genomic DNA; STD; FUN; 60 BP.\nAC   HAND;\nOS   Hand made\n"
        "OC   Eukaryota; Fungi; Saccharomycetales.\nFH   Key             Location/Qualifiers\n"
        "FT   tRNA            complement(11..30)\nSQ   Sequence 60 BP;\n"
        f"     {' '.join(letters[at : at + 10] for at in range(0, 60, 10))}        60\n//\n"
    )
    _, backward = rows_of(tmp_path / "hand.embl")
    assert backward.spans == {"gene_type": [(30, 49, "tRNA")]}
    assert backward.labels == {"gene_taxonomy": "Saccharomycetales"}


def test_the_shipped_genome_has_as_many_regions_as_features():
    """Counted in the file itself: exons of every location on each strand, and no intron."""
    expected: Counter[tuple[str, int]] = Counter()
    with gzip.open(packaged_genomes()["ecoli"], "rt") as file:
        table = file.read().partition("\nORIGIN")[0]
    for key, location in re.findall(r"\n {5}(\S+) +(\S+(?:\n {21}[^/\s]\S*)*)", table):
        if key in ("CDS", "tRNA", "rRNA", "ncRNA", "tmRNA"):
            num_exons = len(re.findall(r"\d+\.\.>?\d+", location))
            expected[key, -1 if location.startswith("complement") else 1] += num_exons
    found, left_out = regions("ecoli")
    assert Counter((label, strand) for _, _, strand, label in found) == expected
    assert sum(expected[key, strand] for key in ("tRNA", "rRNA") for strand in (1, -1)) == 86 + 22
    assert not left_out.reasons
