"""`lifecode track` on a small model: files, what it prints, and what stops it."""

from itertools import pairwise

import pytest
from matplotlib.image import imread

from lifecode.app.main import main
from tests.support.html_page import Page
from tests.support.small_models import small_model

QUICK = ("checkpoint=model", "method=unmasked")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small_model(hybrid_ratio="2:0").save_pretrained(tmp_path / "model")
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "model")


def read(path):
    head, *lines = path.read_text().splitlines()
    assert head.startswith("track type=bedGraph ")
    return [(line.split("\t")[0], *map(float, line.split("\t")[1:])) for line in lines]


def test_a_region_of_the_shipped_genome(place, capsys):
    words = ["track", "input=ecoli", "output=out/x.bedgraph", "region=NC_000913.3:5001-9000", *QUICK]
    assert main([*words, "report=true", "igv=true", "figures.blue=tab:red"]) == 0
    out = capsys.readouterr().out
    assert "codons asked about" in out
    assert "out/report.html" in out
    rows = read(place / "out/x.bedgraph")
    assert {row[0] for row in rows} == {"NC_000913.3"}
    assert rows[0][1] == 5000  # in thrC, which goes on to the left
    assert all(one[2] <= other[1] for one, other in pairwise(rows))
    assert (5020.0 in {row[2] for row in rows}, 5233.0 in {row[1] for row in rows}) == (True, True)
    assert max(row[2] for row in rows) <= 9000
    assert names(place / "out") == [
        *("figures", "report.html", "x.bedgraph", "x.igv.bed", "x.igv.fa", "x.igv.fa.fai", "x.igv.json"),
        *("x.igv.xml", "x.png"),
    ]
    assert imread(place / "out/x.png").shape[1] == 1800
    page = Page(place / "out/report.html")
    assert "NC_000913.3:5001-9000" in page.text
    assert "surprisal, nats" in page.text
    assert all(value.startswith("data:") for value in page.loads)


def test_coding_potential_is_six_files(place, small_genome):
    words = ["track", f"input={small_genome}", "output=y.bedGraph", "quantity=coding_potential", *QUICK]
    assert main([*words, "region=NC_000913.3:301-600"]) == 0
    frames = [f"y.{strand}{i}.bedGraph" for strand in ("minus", "plus") for i in (1, 2, 3)]
    assert names(place) == [*frames, "y.png"]
    for frame in frames:
        rows = read(place / frame)
        assert (rows[0][1], rows[-1][2]) == (300, 600)
        assert sum(end - start for _, start, end, _ in rows) == 300


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["output=model"], "model: is none of .bedgraph"),
        (["output=there.bedgraph", "region=NC_000913.3:1-600"], "there.png: is there already"),
        (["region=chrX:1-600"], "region, record chrX: the genome has no such contig. It has NC_000913.3"),
        (["region=NC_000913.3:1-600000"], "1-600000 is no stretch of 60,000 nucleotides"),
        (["method=mask"], "method: 'mask' is unknown"),
        (["quantity=surprise"], "surprise"),
        (["report=true"], "report: shows a region"),
        (["frames=cds", "quantity=coding_potential"], "frames: the coding potential is of all six frames"),
        (["checkpoint=nowhere"], "nowhere"),
    ],
)
def test_what_stops_it(place, small_genome, capsys, words, message):
    (place / "there.png").write_bytes(b"")
    assert main(["track", f"input={small_genome}", "output=x.bedgraph", *QUICK, *words]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert names(place) == ["there.png"]
