"""Two genomes whose contigs have the same names."""

import json

import pyarrow.parquet as pq
import pytest

from lifecode.data import BlockSplit, prepare_corpus
from lifecode.data.corpus.engine import LocalEngine
from lifecode.data.reading.dry_reading import read_without_writing
from lifecode.data.reading.lines import renamed_line
from lifecode.data.reading.read import ReadingSettings
from lifecode.data.splits.split import ContigSplit
from lifecode.errors import UserError

WORM, YEAST = "ATGAAACCCTAA", "ATGGGGTTTTAA"
HERE = LocalEngine(1)
WHOLE = BlockSplit(validation=0.0, test=0.0)


@pytest.fixture
def genome(tmp_path):
    def write(name, *genes, contig="I", cds=True):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{contig}\tx\tCDS\t1\t12\t.\t+\t0\tID=c{i}" for i, _ in enumerate(genes)]
        sequences = [f">{contig}\n{dna}" for dna in genes]
        path.write_text("\n".join(["##gff-version 3", *lines[:1] * cds, "##FASTA", *sequences]) + "\n")
        return path

    return write


def contigs(corpus):
    table = pq.read_table(corpus.folder / "shards" / "dna-00000.parquet").to_pydict()
    pairs = pq.read_table(corpus.folder / "shards" / "cds-00000.parquet").to_pydict()
    return dict(zip(table["contig"], table["nucleotides"], strict=True)), set(pairs["contig"])


@pytest.mark.parametrize("on_malformed", ["stop", "skip"])
@pytest.mark.parametrize("split", [WHOLE, ContigSplit(validation=0.0, test=0.0)])
def test_they_are_told_apart_by_their_files(genome, tmp_path, on_malformed, split):
    files = [genome("worm.gff", WORM), genome("yeast.gff", YEAST)]
    reading = ReadingSettings(on_malformed=on_malformed)
    corpora = [
        prepare_corpus(some, tmp_path / f"corpus{i}", split=split, reading=reading, engine=HERE)
        for i, some in enumerate([files, files[::-1]])
    ]
    for corpus in corpora:
        dna, of_cds = contigs(corpus)
        assert dna == {"I@worm": WORM, "I@yeast": YEAST}
        assert of_cds == {"I@worm", "I@yeast"}
    assert "I@worm, I@yeast" in (renamed_line(corpora[0].report) or "")
    assert read_without_writing(files, reading)["renamed"] == corpora[0].report["renamed"]


def test_files_of_one_name_go_by_their_folders(genome, tmp_path):
    files = [
        genome("worm/genomic.gff", WORM),
        genome("yeast/genomic.gff", YEAST),
        genome("fly.gff", WORM, contig="X"),
    ]
    dna, _ = contigs(prepare_corpus(files, tmp_path / "corpus", split=WHOLE, engine=HERE))
    assert set(dna) == {"I@worm/genomic", "I@yeast/genomic", "X"}


def test_the_table_of_the_rejected_has_the_new_names_too(genome, tmp_path):
    files = [genome("worm.gff", WORM), genome("yeast.gff", "ATGTAATTTTAA")]
    corpus = prepare_corpus(files, tmp_path / "corpus", split=WHOLE, engine=HERE)
    (row,) = pq.read_table(corpus.folder / "rejected.parquet").to_pylist()
    assert (row["contig"], row["reason"]) == ("I@yeast", "internal_stop")
    (entry,) = json.loads((corpus.folder / "report.json").read_text())["left_out"]
    assert entry["examples"][0]["contig"] == "I@yeast"


def test_the_same_record_twice_is_a_mistake(genome, tmp_path):
    files = [genome("worm.gff", WORM), genome("copy.gff", WORM)]
    for read in (
        lambda: prepare_corpus(files, tmp_path / "corpus", engine=HERE),
        lambda: read_without_writing(files, ReadingSettings()),
    ):
        with pytest.raises(UserError, match=r"already used in worm\.gff, for the same sequence"):
            read()
