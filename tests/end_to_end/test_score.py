"""`lifecode score` on a small model: tables and VCF, what it prints, and what stops it."""

import gzip
import re

import pandas as pd
import pysam
import pytest

from lifecode.app.main import main
from tests.support.small_models import small_model

RECORDS = [("340", "C", "G,T"), ("341", "G", "GTTT"), ("100", "T", "A"), ("337", "ATG", "GTG")]


@pytest.fixture
def place(tmp_path, monkeypatch, small_genome):
    monkeypatch.chdir(tmp_path)
    small_model(hybrid_ratio="2:0").save_pretrained(tmp_path / "model")
    lines = "".join(f"NC_000913\t{pos}\t.\t{ref}\t{alt}\t.\tPASS\tDP=3\n" for pos, ref, alt in RECORDS)
    head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    (tmp_path / "in.vcf").write_text(head + lines)
    return tmp_path, small_genome


def score(place, *words: str) -> int:
    return main(["score", "input=in.vcf", f"genome={place[1]}", "checkpoint=model", *words])


def test_a_table_in_each_form(place, capsys):
    assert score(place, "output=a.tsv", "quantile=true") == 0
    assert "contig NC_000913 of the variants is NC_000913.3 of the genome" in capsys.readouterr().out
    table = pd.read_csv("a.tsv", sep="\t")
    assert table["input_line"].tolist() == [3, 3, 4, 5, 6]
    assert table["status"].tolist() == ["scored", "stop_gained", "inframe_indel", "scored", "scored"]
    assert table["score"].notna().tolist() == [True, False, False, True, True]
    assert table["consequence"][4] == "start_retained_variant"
    assert score(place, "output=a.parquet") == 0
    again = pd.read_parquet("a.parquet")
    assert again["score"][0] == pytest.approx(table["score"][0])
    assert sorted(path.name for path in place[0].iterdir()) == ["a.parquet", "a.tsv", "in.vcf", "model"]


def test_a_vcf_that_other_programs_read(place):
    assert score(place, "output=b.vcf.gz") == 0
    with pysam.VariantFile("b.vcf.gz") as records:
        words = records.header.info["LIFECODE"].description.split("Format: ")[1].split("|")
        found = [record.info["LIFECODE"] for record in records]
    assert len(found) == 4
    entries = [dict(zip(words, entry.split("|"), strict=True)) for entry in found[0]]
    assert [entry["Allele"] for entry in entries] == ["G", "T"]
    assert entries[0]["HGVSp"] == "p.(Arg2Gly)"
    assert float(entries[0]["Score"]) != 0
    assert dict(zip(words, found[3][0].split("|"), strict=True))["HGVSp"] == "p.(Met1%3D)"
    assert gzip.decompress((place[0] / "b.vcf.gz").read_bytes()).count(b"DP=3;LIFECODE=") == 4


def test_the_header_is_what_split_vep_parses(place):
    """As its C code does: behind the first `Format: `, fields by bars, up to a quote or a bracket."""
    assert score(place, "output=b.vcf") == 0
    lines = (place[0] / "b.vcf").read_text().splitlines()
    (header,) = (line for line in lines if line.startswith("##INFO=<ID=LIFECODE,"))
    description = header[header.index('Description="') + len('Description="') : -1]
    assert description.startswith("Consequence annotations from lifecode score")
    fields = re.split(r'["(]', description.split("Format: ", 1)[1])[0].split("|")
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", field) for field in fields)
    assert fields[:5] == ["Allele", "Consequence", "IMPACT", "SYMBOL", "Feature"]
    assert len(set(fields)) == len(fields)
    records = [line.split("\t")[7] for line in lines if not line.startswith("#")]
    entries = [info.split("LIFECODE=")[1].split(";")[0].split(",") for info in records]
    assert [len(own) for own in entries] == [2, 1, 1, 1]
    assert {len(entry.split("|")) for own in entries for entry in own} == {len(fields)}


def test_a_mutational_scan(place):
    (place[0] / "scan.csv").write_text("mutant,DMS_score\nR2G,1\nR2L:V3A,2\n")
    cds = "ATGCGAGTGTAA"
    words = ["score", "input=scan.csv", f"cds={cds}", "checkpoint=model", "output=s.csv"]
    assert main(words) == 0
    assert pd.read_csv("s.csv")["status"].tolist() == ["scored", "scored"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["output=in.vcf"], "in.vcf: is there already"),
        (["output=a.xlsx"], "is none of .tsv, .csv, .parquet, .vcf, .vcf.gz"),
        (["protein=MK"], "needs either a genome, for variants, or a protein or cds"),
        (["heat_map=a.png"], "heat_map: has no effect on variants of a genome"),
        (["method=mask"], "method: 'mask' is unknown"),
        (["annotation=none.gff"], "none.gff: no such file"),
    ],
)
def test_what_stops_it(place, capsys, words, message):
    assert score(place, *words) == 2
    assert message in capsys.readouterr().err
    assert sorted(path.name for path in place[0].iterdir()) == ["in.vcf", "model"]


def test_a_mismatch_stops_or_is_skipped(place, capsys):
    text = (place[0] / "in.vcf").read_text().replace("100\t.\tT\tA", "100\t.\tG\tA")
    (place[0] / "in.vcf").write_text(text)
    assert score(place, "output=a.tsv") == 2
    assert "line 5: NC_000913:100 G>A: REF is G, the genome has T there" in capsys.readouterr().err
    assert score(place, "output=a.tsv", "on_mismatch=skip", "checkpoint=null") == 0
    assert "1 variants skipped: REF differs" in capsys.readouterr().out
    assert len(pd.read_csv("a.tsv", sep="\t")) == 4
