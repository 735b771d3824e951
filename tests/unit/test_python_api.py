"""The package as a notebook sees it: its names, and verbs as functions that give back tables."""

import ast
import inspect
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import lifecode
from lifecode.data import BlockSplit, Corpus
from lifecode.datasets.central_dogma import CodingSequenceOnly, Pairs
from lifecode.errors import UserError
from lifecode.verbs.info import ModelInfo
from lifecode.verbs.prepare.prepare import Preparation
from tests.support.genes_with_introns import write_random
from tests.support.run_folders import make_sweep
from tests.support.small_models import small_model

PACKAGE = Path(lifecode.__file__).parent
MODEL = small_model(hybrid_ratio="2:0").eval()
FASTA = ">a first gene\nATGAAACGCTAA\n>b\nATGGCUUAG\n"


def test_dir_shows_the_public_names_and_each_is_there():
    assert set(dir(lifecode)) == set(lifecode.__all__)
    for name in lifecode.__all__:
        assert getattr(lifecode, name) is not None
    assert lifecode.__version__ == version("lifecode")
    with pytest.raises(AttributeError, match="no attribute 'embedd'"):
        lifecode.embedd


def test_no_public_name_is_that_of_a_module():
    """Which would take its place as soon as somebody imports it."""
    modules = {path.stem for path in PACKAGE.iterdir()}
    assert not modules & set(lifecode.__all__)


def test_type_checkers_find_each_name_where_it_is_imported_from():
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    (for_checkers,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module
        for node in for_checkers.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == lifecode._HOMES
    assert set(lifecode.__all__) == {*seen, "__version__"}


def documented_arguments(text: str) -> set[str]:
    section = re.search(r"^Args:\n(.*?)(?=^\S|\Z)", inspect.cleandoc(text), re.M | re.S)
    return set(re.findall(r"^    (\w+):", section[1], re.M)) if section else set()


@pytest.mark.parametrize("name", [name for name in lifecode.__all__ if name != "__version__"])
def test_every_argument_is_documented_and_there(name):
    public = getattr(lifecode, name)
    functions = {name: public}
    if inspect.isclass(public):
        methods = inspect.getmembers(public, lambda x: inspect.isfunction(x) or inspect.ismethod(x))
        functions |= {
            f"{name}.{method}": x
            for method, x in methods
            if not method.startswith("_") and x.__module__.startswith("lifecode.")
        }
    for called, function in functions.items():
        arguments = set(inspect.signature(function).parameters) - {"self"}
        told = documented_arguments(text := function.__doc__ or "")
        assert told <= arguments, called
        assert all(f"`{argument}`" in text for argument in arguments - told), called


def test_the_package_is_imported_without_anything_heavy():
    heavy = "{'torch', 'numpy', 'pandas', 'hydra', 'importlib.metadata'}"
    code = f"import sys, lifecode; dir(lifecode); found = {heavy} & set(sys.modules); assert not found, found"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_pandas_is_imported_where_a_table_is_made():
    """So that neither the package nor a command waits for it."""
    for file in PACKAGE.rglob("*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
                assert not any(name and name.startswith("pandas") for name in names), file


def test_a_genome_is_prepared_checked_and_opened(small_genome, tmp_path, capsys):
    split = BlockSplit(block_nucleotides=6000, validation=0.1, test=0.2)
    prepared = lifecode.prepare(small_genome, tmp_path / "corpus", split=split)
    assert prepared.corpus.folder == tmp_path / "corpus"
    assert prepared.page == tmp_path / "corpus/report.html"
    census = dict(zip(prepared.census["what"], prepared.census["count"], strict=True))
    assert census["nucleotides"] == 60_000
    assert census["CDS"] == census["exact CDS-protein pairs"] + census["rejected"]
    assert len(prepared.rejected) == census["rejected"] + census["dropped by the split"]
    assert list(prepared.splits.index) == ["train", "validation", "test"]
    judged = lifecode.prepare(small_genome, progress=False)
    assert (judged.corpus, judged.page) == (None, None)
    assert judged.counts["pairs"]["kept"] == census["exact CDS-protein pairs"]
    with pytest.raises(UserError, match="Give an output"):
        judged.rejected

    checked = lifecode.check(tmp_path / "corpus")
    assert len(checked.table) == len(checked.leaks)
    assert sum(checked.table["duplicates"]) == 0
    checked.require_no_leaks()
    assert capsys.readouterr().out == ""


def test_what_was_opened_by_a_relative_path_outlives_a_change_of_folder(small_corpus, tmp_path, monkeypatch):
    (tmp_path / "corpus").symlink_to(small_corpus.folder.resolve())
    (tmp_path / "genes.fasta").write_text(FASTA)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/metrics.csv").write_text("step,stage,split,name,value\n0,encoder,train,mlm,4.1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    corpora = [Corpus.open("corpus"), Corpus.open("~/corpus")]
    prepared, run = Preparation(corpora[0], {}, None), lifecode.TrainingRun("run")
    written = lifecode.embed(MODEL, "genes.fasta", "genes.npz", progress=False)
    monkeypatch.chdir("/")
    for corpus in corpora:
        table = corpus.segments("cds", "train")
        assert len(table) == len(small_corpus.segments("cds", "train")) == len(table.names)
        assert corpus.report == small_corpus.report
        corpus.check_files()
    assert repr(corpora[0]) == "Corpus('corpus')"
    assert len(prepared.rejected) > 0
    assert run.metrics["value"].tolist() == [4.1]
    assert written.frame.shape[1] == len(written.vectors[0])


def test_segments_are_counted_from_either_end(small_corpus):
    table = small_corpus.segments("cds", "test")
    last = len(table) - 1
    assert table.protein(-1) == table.protein(last) != ""
    assert table.nucleotides(-1).tolist() == table.nucleotides(last).tolist()
    for index in (last + 1, -last - 2):
        with pytest.raises(IndexError):
            table.protein(index)


def test_the_lines_of_an_open_file_are_no_paths(tmp_path):
    (tmp_path / "genes.fasta").write_text(FASTA)
    with (
        (tmp_path / "genes.fasta").open() as file,
        pytest.raises(UserError, match="inputs: is a TextIOWrapper"),
    ):
        lifecode.read_records(file)


def test_a_labelled_data_set(tmp_path):
    write_random(tmp_path / "genome.gb", 20, seed=5)
    maker = Pairs(dna=CodingSequenceOnly())
    dataset = lifecode.make_dataset(tmp_path / "genome.gb", tmp_path / "set", maker, progress=False)
    assert list(dataset.examples.columns) == ["train", "dev", "test"]
    total = sum(sum(dataset.examples[split]) for split in dataset.examples.columns)
    assert total == len(dataset.origins) > 0
    assert list(dataset.left_out.columns) == ["id", "reason", "detail"]


def test_embeddings_of_a_file_in_memory_and_on_disk(tmp_path):
    (tmp_path / "genes.fasta").write_text(FASTA)
    kept = lifecode.embed(MODEL, tmp_path / "genes.fasta", progress=False)
    written = lifecode.embed(MODEL, tmp_path / "genes.fasta", tmp_path / "genes.npz", progress=False)
    expected = MODEL.embed(["ATGAAACGCTAA", "ATGGCUUAG"]).numpy()
    for embeddings in (kept, written):
        np.testing.assert_allclose(embeddings.vectors, expected, atol=1e-6)
        assert list(embeddings.frame.index) == ["a", "b"]
        assert embeddings.frame.shape == (2, 32)
        assert list(embeddings.units["end"]) == [12, 9]
    assert (kept.path, written.path) == (None, tmp_path / "genes.npz")
    per_codon = lifecode.embed(MODEL, tmp_path / "genes.fasta", pool=None, progress=False)
    assert list(per_codon.frame.index) == [*(("a", i) for i in range(4)), *(("b", i) for i in range(3))]
    assert list(per_codon.units["num_vectors"]) == [4, 3]
    with pytest.raises(UserError, match=r"unit: 'gene' is unknown\. Choose auto, record, cds, window"):
        lifecode.embed(MODEL, tmp_path / "genes.fasta", unit="gene")


def test_long_names_come_back_from_the_file(tmp_path):
    (tmp_path / "genes.fasta").write_text(FASTA.replace(">b", f">{'b' * 300}"))
    units = lifecode.embed(MODEL, tmp_path / "genes.fasta", progress=False).units
    assert list(units["id"]) == list(units["contig"]) == ["a", "b" * 300]


def test_a_model_gives_frames_with_ids(tmp_path):
    (tmp_path / "genes.fasta").write_text(FASTA)
    frame = MODEL.embed(str(tmp_path / "genes.fasta"), as_frame=True)
    assert list(frame.index) == ["a", "b"]
    np.testing.assert_array_equal(frame.to_numpy(), MODEL.embed(tmp_path / "genes.fasta").numpy())
    assert list(MODEL.embed(["ATG", "GCT"], as_frame=True).index) == [0, 1]
    assert list(MODEL.embed("ATGGC", pool=None, as_frame=True).index) == [(0, 0), (0, 1)]
    in_frames = MODEL.embed("ATGG", pool=None, frames="average", as_frame=True)
    assert in_frames.shape == (4, 32)
    assert list(in_frames.index.names) == ["id", "nucleotide"]


def test_a_model_is_described():
    described = lifecode.info(MODEL)
    assert isinstance(described, ModelInfo)
    assert described.num_parameters == sum(p.numel() for p in MODEL.parameters())
    assert sum(described.table["parameters"]) == described.num_parameters
    assert "2 layers of width 32 (2 GDN), strands" in repr(described)


def test_runs_are_compared(tmp_path):
    folder = make_sweep(tmp_path / "sweep")
    report = lifecode.compare_runs(folder)
    assert report.page == folder / "report.html"
    assert list(report.groups.index) == ["12:0", "11:1", "0:12"]
    assert list(report.groups["Seeds"]) == ["2", "1", "0"]
    assert len(report.runs) == 4
    assert list(report.runs["group"]) == ["11:1", "11:1", "12:0", "12:0"]
    assert "by_group" in report.figures
    with pytest.raises(UserError, match="output needs a value"):
        lifecode.compare_runs([folder, folder])


def test_a_run_folder_from_python(tmp_path):
    make_sweep(tmp_path)
    run = lifecode.TrainingRun(tmp_path / "12-0,seed=0")
    assert list(run.metrics.columns) == ["step", "stage", "split", "name", "value"]
    assert len(run.metrics) == 10
    held_out = dict(zip(run.held_out["name"], run.held_out["value"], strict=True))
    assert held_out["masked_codon_cross_entropy"] == 3.8
    assert list(run.held_out["of"]) == ["model", "model", "baseline"]
    with pytest.raises(UserError, match="the run is not finished"):
        lifecode.TrainingRun(tmp_path / "11-1,seed=1").held_out
    with pytest.raises(UserError, match="cannot read the metrics"):
        lifecode.TrainingRun(tmp_path / "nowhere").metrics
