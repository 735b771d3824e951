"""Malformed records of every kind: the run stops, or the record is named, left out and the next one read."""

import gzip
import warnings

import pytest

from lifecode.data import read_records
from lifecode.data.formats.flat_records import split_before
from lifecode.data.reading.inputs import resolve_inputs
from lifecode.data.reading.read import ReadingSettings, read_unit
from lifecode.errors import UserError
from tests.support.flat_records import SWISSPROT_ENTRY, genbank_record

A, B, C = (genbank_record(name=f"{letter}.1") for letter in "ABC")
P, Q, R = (SWISSPROT_ENTRY.replace(b"P12345", name) for name in (b"P", b"Q", b"R"))


@pytest.fixture
def skipped(tmp_path):
    """Read files while skipping; gives the names of the contigs and what was reported."""

    def of(prefix="", **files):
        paths = []
        for name, content in files.items():
            path = tmp_path / name.replace("__", ".")
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            paths.append(f"{prefix}{path}")
        reports = []
        settings = ReadingSettings(on_malformed="skip")
        names = [
            contig.name
            for unit in resolve_inputs(paths)
            for contig in read_unit(unit, settings, lambda *row: reports.append(row))
        ]
        with pytest.raises(UserError):
            list(read_records(paths))
        return names, reports

    return of


@pytest.mark.parametrize(
    ("middle", "where", "problem"),
    [
        (B[:-40] + "\n", "2 (after A.1)", "not a readable GenBank record"),
        (B.replace("12 bp", "99 bp"), "2 (after A.1)", "promised 99"),
        (B.replace("aaccc", "aa!cc"), "2 (after A.1)", "Unexpected char"),
        (B.replace("aaccc", "aaéccc"), "2 (after A.1)", "not a readable"),
        (B.partition("ORIGIN")[0] + "//\n", "B.1", "no sequence"),
        (B + "garbage\n", "3 (after B.1)", "garbage"),
        (B.replace("CDS             1..12", "CDS             " + "join(" * 999), "2 (after A.1)", "nested"),
    ],
)
def test_genbank_goes_on_behind_a_damaged_record(skipped, middle, where, problem):
    names, ((source, record, said),) = skipped(g__gb=A + middle + C)
    assert names == ["A.1", *(["B.1"] if "garbage" in middle else []), "C.1"]
    assert source.endswith("g.gb")
    assert (record, problem in said) == (where, True)


@pytest.mark.parametrize(
    ("middle", "where", "problem"),
    [
        (">b\nAC!T\n", "b", "letter '!' at position 3"),
        (">b\n\n", "b", "no sequence"),
        (">\nACGT\n", "2", "names no sequence"),
        (">b\nACé\n", "b", "letter"),
    ],
)
def test_fasta_goes_on_behind_a_damaged_record(skipped, middle, where, problem):
    names, ((_, record, said),) = skipped(g__fa=">a\nACGT\n" + middle + ">c\r\nAC\r\nGT\r\n")
    assert names == ["a", "c"]
    assert (record, problem in said) == (where, True)


def test_proteins_go_on_behind_a_damaged_record(skipped):
    names, ((_, record, said),) = skipped("protein:", g__fa=">a\nMKV\n>b\nM1V\n>c\nMKV\n")
    assert (names, record, "letter '1' at position 2" in said) == (["a", "c"], "b", True)


@pytest.mark.parametrize("damage", [(b"IPW Y", b"IPW"), (b"//", b"")])
def test_swissprot_goes_on_behind_a_damaged_entry(skipped, damage):
    names, ((_, record, _),) = skipped(s__dat=P + Q.replace(*damage) + R)
    assert (names, record) == (["P", "R"], "entry 2")


def test_gff_goes_on_behind_a_damaged_line(skipped):
    line = "c\t.\tCDS\t1\t3\t.\t+\t0\tID={}\n"
    names, ((source, record, said),) = skipped(
        g__fa=">c\nATG\n", g__gff=line.format("a") + "c\t.\tCDS\t1\n" + line.format("b")
    )
    assert names == ["c"]
    assert (source[-5:], record, said[:22]) == ("g.gff", "line 2", "the line has 4 tab-sep")


def test_bed_goes_on_behind_a_damaged_line(skipped):
    line = "chr1\t0\t9\t{}\t0\t+\t0\t9\t0\t1\t9\t{}\n"
    names, ((source, record, _),) = skipped(
        m__fa=">a\nATGAAATAA\n>b\nATGAAATAA\n", m__bed=line.format("a", 0) + line.format("b", "x")
    )
    assert names == ["a", "b"]
    assert (source[-5:], record) == ("m.bed", "line 2")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"PK\x03\x04",
        gzip.compress(b">a\nACGT\n" * 99, mtime=0)[:-9],
        b"\x1f\x8bnonsense",
        b"LOCUS",
        b">",
    ],
)
def test_file_that_cannot_be_read_is_left_out_whole(skipped, content):
    names, reports = skipped(a__fa=content, b__fa=b">b\nACGT\n")
    assert names[-1] == "b"
    assert reports
    assert {row[0].endswith("a.fa") for row in reports} == {True}


def test_skipping_without_a_report_warns(tmp_path):
    (tmp_path / "a.fa").write_text(">a\nACGT\n>b\n!\n")
    with pytest.warns(UserWarning, match=r"a\.fa, record b: letter '!'"):
        assert [contig.name for contig in read_records(tmp_path / "a.fa", on_malformed="skip")] == ["a"]


def test_disk_that_cannot_be_read_stops_even_when_skipping(tmp_path, monkeypatch):
    (tmp_path / "a.fa").write_text(">a\nACGT\n")
    units = resolve_inputs(tmp_path / "a.fa")

    def fail(*_, **__):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("pathlib.Path.open", fail)
    with pytest.raises(UserError, match=r"cannot be read \(Input/output error\)"):
        list(read_unit(units[0], ReadingSettings(on_malformed="skip")))


def test_gigantic_lines(tmp_path):
    path = tmp_path / "a.fa"
    path.write_bytes(b">" + b"n" * 3_000_000 + b"\n" + b"ACGT" * 2_000_000 + b"\n>b\nAC")
    names = [(len(contig.name), len(contig.nucleotides)) for contig in read_records(path)]
    assert names == [(3_000_000, 8_000_000), (1, 2)]
    (tmp_path / "g.gff").write_bytes(b"b\t.\tCDS\t1\t3\t.\t+\t0\tID=" + b"x" * 3_000_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        contigs = list(read_records(f"{tmp_path / 'g.gff'}+{path}"))
    assert len(contigs[1].coding_sequences[0].id) == 3_000_000


@pytest.mark.parametrize("block", [1, 2, 3, 7, 100])
def test_records_are_cut_the_same_whatever_the_block(monkeypatch, tmp_path, block):
    monkeypatch.setattr("lifecode.data.formats.flat_records._BLOCK_BYTES", block)
    path = tmp_path / "x"
    path.write_bytes(b"head\n>a\nAC>GT\n\n>b\n>c\nA")
    with path.open("rb") as handle:
        assert [piece.strip() for piece in split_before(handle, b">")] == [
            b"head",
            b">a\nAC>GT",
            b">b",
            b">c\nA",
        ]
