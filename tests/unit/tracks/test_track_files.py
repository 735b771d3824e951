"""Files of tracks: bigWig through pybigtools, sessions for IGV, the picture of a region."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree import ElementTree

import numpy as np
import pysam
import pytest

import lifecode
from lifecode.alphabet import encode_nucleotides
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.errors import UserError
from lifecode.report.charts.track_chart import Arrow, Line, track_chart
from lifecode.tracks.bedgraph import write_bedgraph
from lifecode.tracks.bigwig import write_bigwig
from lifecode.tracks.igv_session import write_session
from lifecode.tracks.region import Region
from lifecode.tracks.runs import Runs
from lifecode.verbs.track.outputs import TrackFiles

RUNS = Runs(np.array([3, 9]), np.array([6, 12]), np.array([0.5, -1.25], np.float32))
TRACK = [("two", RUNS), ("one", Runs(RUNS.starts[:1], RUNS.ends[:1], RUNS.values[:1]))]
LENGTHS = {"two": 20, "one": 10, "empty": 5}


def test_bedgraph_is_in_the_order_of_the_genome(tmp_path):
    write_bedgraph(tmp_path / "x.bedgraph", 'a "b"', "in nats", TRACK)
    head = 'track type=bedGraph name="a \'b\'" description="in nats"\n'
    lines = "two\t3\t6\t0.5\ntwo\t9\t12\t-1.25\none\t3\t6\t0.5\n"
    assert (tmp_path / "x.bedgraph").read_text() == head + lines


def test_bigwig_as_pybigtools_reads_it(tmp_path):
    pybigtools = pytest.importorskip("pybigtools")
    write_bigwig(tmp_path / "x.bigWig", TRACK, LENGTHS)
    with pybigtools.open(str(tmp_path / "x.bigWig")) as file:
        assert {"two": 20, "one": 10}.items() <= dict(file.chroms()).items()
        records = file.records if hasattr(file, "records") else file.intervals
        assert [tuple(one[:3]) for one in records("two")] == [(3, 6, 0.5), (9, 12, -1.25)]
        assert [tuple(one[:3]) for one in records("one")] == [(3, 6, 0.5)]
    assert [path.name for path in tmp_path.iterdir()] == ["x.bigWig"]


class Stand:
    """In the place of pybigtools: keeps what it is told; writes nothing if it is to fail."""

    def __init__(self, fails=False):
        self.fails, self.told = fails, None

    def open(self, path, mode="r"):
        def write(chroms, values):
            self.told = chroms, list(values)
            if not self.fails:
                Path(path).write_bytes(b"bigwig")

        if mode == "r":
            Path(path).read_bytes()
        return SimpleNamespace(write=write, chroms=lambda: {})


def test_what_pybigtools_is_told(tmp_path, monkeypatch):
    stand = Stand()
    monkeypatch.setitem(sys.modules, "pybigtools", stand)
    write_bigwig(tmp_path / "x.bigWig", TRACK, LENGTHS)
    assert stand.told == (LENGTHS, [("two", 3, 6, 0.5), ("two", 9, 12, -1.25), ("one", 3, 6, 0.5)])
    assert (tmp_path / "x.bigWig").read_bytes() == b"bigwig"
    assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.setitem(sys.modules, "pybigtools", Stand(fails=True))
    with pytest.raises(UserError, match=r"y.bw: (pybigtools could not write it|cannot be written)"):
        write_bigwig(tmp_path / "y.bw", TRACK, LENGTHS)
    assert len(list(tmp_path.iterdir())) == 1


def test_without_pybigtools_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pybigtools", None)
    with pytest.raises(UserError, match=r"pip install 'lifecode\[bigwig\]'"):
        lifecode.track("lifecode-mini", "ecoli", tmp_path / "x.bw")


def test_a_session_names_files_beside_it(tmp_path):
    exons = (Exon(50, 70, 1), Exon(0, 10, 1))
    genes = (
        CodingSequence("joined", None, (Exon(30, 40, -1), Exon(10, 25, -1))),
        CodingSequence("origin", "ori", exons),
    )
    letters = "ACGT" * 17 + "AC"
    contigs = [
        Contig("c", encode_nucleotides(letters), "test", coding_sequences=genes),
        Contig("d", encode_nucleotides("GG"), "test"),
    ]
    tracks = {"surprisal plus": tmp_path / "x.plus.bw", "surprisal minus": tmp_path / "x.minus.bedgraph"}
    files = write_session(tmp_path / "x", contigs, tracks, Region("c", 4, 60))
    with pysam.FastaFile(str(files["fasta"])) as fasta:  # by the index that was written
        assert fasta.fetch("c", 55, 65) == letters[55:65]
        assert fasta.fetch("d") == "GG"
    assert files["genes"].read_text().splitlines() == [
        "c\t0\t10\tori\t0\t+\t0\t10\t0\t1\t10\t0",
        "c\t10\t40\tjoined\t0\t-\t10\t40\t0\t2\t15,10\t0,20",
        "c\t50\t70\tori\t0\t+\t50\t70\t0\t1\t20\t0",
    ]
    session = json.loads(files["json"].read_text())
    assert session["locus"] == "c:5-60"
    assert [(one["name"], one["url"], one["format"]) for one in session["tracks"]] == [
        ("surprisal plus", "x.plus.bw", "bigwig"),
        ("surprisal minus", "x.minus.bedgraph", "bedgraph"),
        ("coding sequences", "x.igv.bed", "bed"),
    ]
    root = ElementTree.parse(files["xml"]).getroot()
    assert (root.get("genome"), root.get("locus")) == ("x.igv.fa", "c:5-60")
    paths = [one.get("path") for one in root.iter("Resource")]
    assert paths == ["x.plus.bw", "x.minus.bedgraph", "x.igv.bed"]


DOCUMENTED = {
    "browser": {"reference", "locus", "tracks", "loadDefaultGenomes"},
    "reference": {"id", "name", "fastaURL", "indexURL"},
    "wig": {"name", "type", "format", "url", "autoscale"},
    "annotation": {"name", "type", "format", "url"},
}
"""Of the fields that igv.js documents (Browser-Creation, Reference-Genome, Tracks and Wig-Track) those that a
session needs: an index of a plain FASTA file, none of tracks, which are read whole."""


def test_a_session_has_the_documented_fields_of_igv_js_and_asks_for_nothing_but_its_own_files(tmp_path):
    contig = Contig("c", encode_nucleotides("ACGT" * 20), "test")
    stem = tmp_path / "E. coli #1 100%"
    tracks = {"entropy": stem.with_name(f"{stem.name}.bedgraph"), "b": stem.with_name(f"{stem.name}.BW")}
    for path in tracks.values():
        path.touch()
    files = write_session(stem, [contig], tracks, None)
    session = json.loads(files["json"].read_text())
    assert set(session) == DOCUMENTED["browser"]
    assert session["loadDefaultGenomes"] is False
    assert set(session["reference"]) == DOCUMENTED["reference"]
    for one in session["tracks"]:
        assert set(one) == DOCUMENTED[one["type"]]
    assert [one["format"] for one in session["tracks"]] == ["bedgraph", "bigwig", "bed"]
    assert session["locus"] == "c"
    urls = [one["url"] for one in session["tracks"]]
    urls += [session["reference"]["fastaURL"], session["reference"]["indexURL"]]
    base = tmp_path.as_uri() + "/page.html"
    for url in urls:
        found = urlsplit(urljoin(base, url))  # as a browser reads it
        assert (found.scheme, found.query, found.fragment) == ("file", "", "")
        assert Path(unquote(found.path)).is_file()


def test_the_picture_has_a_panel_a_track_and_the_genes_beneath():
    nothing = Line(RUNS.starts[:0], RUNS.ends[:0], RUNS.values[:0])
    lines = {"plus1": Line(*RUNS), "plus2": Line(*RUNS), "minus1": nothing}
    arrows = [Arrow("a", 1, [(0, 9)]), Arrow("b", 1, [(5, 9), (12, 20)]), Arrow("c", -1, [(0, 20)])]
    figure = track_chart("c:1-20", (0, 20), lines, arrows, "surprisal, nats")
    *panels, genes = figure.axes
    assert [axes.get_ylabel() for axes in panels] == ["plus1", "plus2", "minus1"]
    x, y = panels[0].get_lines()[1].get_data()
    known = ~np.isnan(y)
    assert list(zip(x[known], y[known], strict=True)) == [(3.5, 0.5), (6.5, 0.5), (9.5, -1.25), (12.5, -1.25)]
    assert panels[2].get_ylim() == panels[0].get_ylim()
    assert len(genes.patches) == 4
    assert [text.get_text() for text in genes.texts] == ["a", "b", "c"]
    assert [text.get_position()[1] for text in genes.texts] == [0, 1, 2]
    assert genes.get_xlim() == (0.5, 20.5)


def test_a_track_without_a_value_is_no_bigwig(tmp_path):
    pytest.importorskip("pybigtools")
    runs = {"plus": TRACK, "minus": [("one", Runs(*(column[:0] for column in RUNS)))]}
    titles = {"plus": "p", "minus": "m"}
    assert TrackFiles(tmp_path / "x.bw").write(runs, LENGTHS, titles, "") == {"plus": tmp_path / "x.plus.bw"}
    assert [path.name for path in tmp_path.iterdir()] == ["x.plus.bw"]
    written = TrackFiles(tmp_path / "y.bedgraph").write(runs, LENGTHS, titles, "")
    assert [path.name for path in written.values()] == ["y.plus.bedgraph", "y.minus.bedgraph"]
