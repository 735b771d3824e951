"""`lifecode rows`: what it prints and writes, from Python too, and the mistakes it names."""

import os
import re
import sys

import pytest

import lifecode
from lifecode.app.main import main
from lifecode.data import BlockSplit
from lifecode.datasets.luca_one.row_files import read_rows
from tests.support.luca_records import genbank, sequence, swissprot
from tests.support.repository import ROOT

DOCUMENT = ROOT / "docs/extending.md"
PROTEIN = "MKRISTTITTTITITTGNGAG"


@pytest.fixture
def rows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "genome.gb").write_text(genbank([("CDS", "11..8990")], sequence(9000)))
    (tmp_path / "proteins.dat").write_text(swissprot("P1", PROTEIN, keywords="Zinc"))
    (tmp_path / "matches.tsv").write_text("P1\tIPR000001\tD\tPF00001\t2\t9\n")
    (tmp_path / "entry.list").write_text("IPR000001\tDomain\tD\n")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["rows", "input=[genome.gb,proteins.dat]", *arguments])
        return code, *capsys.readouterr()

    return run


def test_files_become_rows(rows, tmp_path):
    matches = ("interpro=matches.tsv", "interpro_entries=entry.list")
    code, out, err = rows(*matches, "output=out/rows", "data.split.block_nucleotides=3000")
    assert (code, err) == (0, "")
    assert "The rows are in out/rows" in out
    lines = [line.split() for line in out.splitlines()]
    assert all([*what, "1"] in lines for what in (["stretches", "of", "CDS"], ["contigs"], ["proteins"]))
    assert ["with", "prot_domain", "1", "1", "0", "0"] in lines
    found = [row for name in ("train", "validation", "test") for row in read_rows(f"out/rows/{name}.csv")]
    assert sum(len(row.sequence) for row in found if row.molecule == "gene") == 18_000
    (protein,) = (row for row in found if row.molecule == "protein")
    assert protein.spans == {"prot_domain": [(1, 8, "IPR000001")]}
    assert {path.name for path in (tmp_path / "out/rows").iterdir()} == {
        *(
            "train.csv",
            "validation.csv",
            "test.csv",
            "labels.json",
            "labels.csv",
            "left_out.csv",
            "report.json",
        )
    }


@pytest.fixture
def own_source(tmp_path):
    """Words of a command for the example of docs/extending.md and a table with these lines."""
    code = re.search(r"^```python\n# my_domains.py\n(.*?)^```", DOCUMENT.read_text(), re.M | re.S)
    assert code is not None
    module = f"domains_{os.getpid()}_{tmp_path.name}"
    (tmp_path / f"{module}.py").write_text(code[1])

    def words(lines):
        (tmp_path / "domains.csv").write_text("protein,first,last,domain\n" + lines)
        made = f"+labels.own._target_={module}.Domains"
        return f"plugins=[{module}]", made, "+labels.own.file=domains.csv"

    yield words
    sys.modules.pop(module, None)


def test_a_source_of_the_users_own_adds_its_labels(rows, own_source):
    own = own_source("P1,3,4,own\nQ9,1,2,of no protein here\n")
    matches = ("interpro=matches.tsv", "interpro_entries=entry.list", "data.split.block_nucleotides=3000")
    assert rows(*own, *matches, "output=out/rows")[0] == 0
    found = [row for name in ("train", "validation", "test") for row in read_rows(f"out/rows/{name}.csv")]
    (protein,) = (row for row in found if row.molecule == "protein")
    assert protein.spans == {"prot_domain": [(1, 8, "IPR000001"), (2, 3, "own")]}


def test_labels_that_do_not_fit_name_source_and_protein(rows, own_source, tmp_path):
    own = own_source("P1,3,400,own\n")
    code, _, err = rows(*own, "output=out/rows")
    assert (code, err.count("\n")) == (2, 1)
    assert "labels.own, record P1: prot_domain has the span 2 to 399 in a sequence of" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "output needs a value. Give it: lifecode rows output=..."),
        (["output=out", "rows.max_letters=1279"], "max_letters: is 1279, expected 1 to 1,278"),
        (["output=out", "rows.max_unknown_share=2"], "max_unknown_share: is 2"),
        (["output=out", "rows.sites=all"], "rows.sites: is 'all', expected"),
        (["output=out", "rows.window=3"], "no config key 'rows.window'"),
        (["output=out", "interpro=matches.tsv"], "interpro: matches do not say of what type an entry is"),
        (["output=out", "interpro=absent.tsv", "interpro_entries=entry.list"], "absent.tsv: no such file"),
        (["output=out", "structures=entry.list"], "entry.list: is neither mmCIF nor PDB"),
        (["output=out", "orders=absent"], "absent: there is no such file or folder"),
        (["output=out", "input=null"], "no input was given"),
        (["output=genome.gb"], "genome.gb: is there already"),
    ],
)
def test_a_mistake_is_one_line(rows, tmp_path, arguments, said):
    code, out, err = rows(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_same_from_python(rows, tmp_path):
    made = lifecode.make_rows(
        ["genome.gb", "proteins.dat"],
        "made",
        split=BlockSplit(block_nucleotides=3000, clusters=0.5),
        progress=False,
    )
    assert rows("output=out", "data.split.block_nucleotides=3000")[0] == 0
    for path in (tmp_path / "made").iterdir():
        if path.suffix == ".csv" or path.name == "labels.json":
            assert path.read_bytes() == (tmp_path / "out" / path.name).read_bytes()
    assert made.tasks.loc["gene_type", "classes"] == 8
    assert list(made.labels["label"][made.labels["task"] == "prot_keyword"]) == ["Zinc"]
    assert len(made.left_out) == made.counts["left_out"].get("similar_across_splits", 0)
