"""The shards as others read them: the Python of docs/corpus.md, and its table of columns."""

import re

import pytest

from lifecode.data.corpus.shards import SHARD_SCHEMA
from tests.support.repository import ROOT

PAGE = (ROOT / "docs/corpus.md").read_text(encoding="utf-8")
SNIPPETS = {
    library: code for code, library in re.findall(r"^```python\n(import (\w+).*?)^```", PAGE, re.M | re.S)
}


@pytest.fixture
def run(small_corpus, tmp_path, monkeypatch):
    """Run the snippet of a library beside a corpus of that name; gives its variables."""
    (tmp_path / "corpus").symlink_to(small_corpus.folder.resolve())
    monkeypatch.chdir(tmp_path)

    def execute(library):
        names = {}
        exec(SNIPPETS[library], names)
        return names

    return execute


def test_pyarrow_reads_the_test_pairs(run, small_corpus):
    pairs, table = run("pyarrow")["pairs"], small_corpus.segments("cds", "test")
    assert pairs["id"].to_pylist() == table.names
    assert pairs["protein"].to_pylist() == [table.protein(i) for i in range(len(table))]


def test_polars_counts_by_split(run, small_corpus):
    found = {split: (rows, nucleotides) for split, rows, nucleotides in run("polars")["lengths"].iter_rows()}
    for split in ("train", "validation", "test"):
        table = small_corpus.segments("cds", split)
        assert found[split] == (len(table), table.num_nucleotides.sum())


def test_duckdb_finds_the_longest(run, small_corpus):
    longest = run("duckdb")["longest"]
    tables = [small_corpus.segments("cds", split) for split in ("train", "validation", "test")]
    lengths = sorted((len(table.protein(i)) for table in tables for i in range(len(table))), reverse=True)
    assert [residues for _, _, residues in longest] == lengths[:5]


def test_the_page_lists_every_column_with_its_type():
    lines = re.findall(
        r"^\| (`[^|]*) \| (\w+) \|", PAGE.partition("## Rows")[2].partition("## Read")[0], re.M
    )
    listed = {name: kind for names, kind in lines for name in re.findall(r"`(\w+)`", names)}
    assert listed == {field.name: str(field.type) for field in SHARD_SCHEMA}
