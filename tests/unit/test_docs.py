"""What the documents, the Makefile and the constraints promise is there."""

import doctest
import re
import shlex
import shutil
import subprocess
import tomllib

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lifecode
from lifecode.app.main import VERBS, main
from tests.support.floors import FLOORS
from tests.support.repository import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "lifecode").rglob("*.md")])
by_name = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)

TARGET = re.compile(r"^([a-z-]+):.*?(## .+)?$", re.MULTILINE)


def makefile_targets() -> dict[str, str]:
    return dict(TARGET.findall((ROOT / "Makefile").read_text()))


@by_name
def test_links_lead_somewhere(document):
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if not link.startswith(("http:", "https:", "#", "mailto:")):
            assert (document.parent / link.split("#")[0]).exists(), link


@by_name
def test_links_to_headings_lead_to_one(document):
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        file, mark, heading = link.partition("#")
        if mark and not file.startswith(("http:", "https:")):
            assert heading in headings(document.parent / file if file else document), link


def headings(document) -> set[str]:
    """As GitHub names them in links."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
    found = re.findall(r"^#+ +(.*)$", text, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in found}


def test_the_tables_of_verbs_have_all_of_them():
    for name, without in (("README.md", set()), ("docs/python.md", {"doctor", "bench"})):
        told = set(re.findall(r"^\| `lifecode ([a-z]+)", (ROOT / name).read_text(encoding="utf-8"), re.M))
        assert told == set(VERBS) - without, name


@by_name
def test_make_targets_that_are_named_exist(document):
    named = re.findall(r"`make ([a-z-]+)", document.read_text(encoding="utf-8"))
    assert set(named) <= set(makefile_targets())


@by_name
def test_commands_compose(document, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    shell = "".join(block for language, block in blocks if language in ("", "bash", "sh", "console"))
    names_old_ones = document.name == "CHANGELOG.md"
    in_sentences = [] if names_old_ones else re.findall(r"`(lifecode [a-z]+ [^`…]+)`", text)
    for line in [*shell.replace("\\\n", " ").splitlines(), *in_sentences]:
        line = line.strip().removeprefix("$ ").removeprefix(".venv/bin/")
        words = shlex.split(line, comments=True) if line.startswith("lifecode ") else []
        if {"-m", "--multirun"} & set(words):  # of a sweep its first job
            words = [first_value(word) for word in words if word not in ("-m", "--multirun")]
        # test_plugins.py writes the files that the others name.
        others = re.search(r"--help|--cfg|--config-dir|-cd |plugins=|=NAME|\.\.\.", line)
        if len(words) > 1 and words[1] in VERBS and not others:
            assert main([*words[1:], "--cfg", "job"]) == 0, capsys.readouterr().err


def test_no_shell_takes_a_command_for_a_pattern():
    """zsh refuses a word with a bracket, an asterisk or a question mark that no quotes keep from it."""
    quoted = re.compile(r"""\\.|"[^"]*"|'[^']*'|(?<!\S)#.*""", re.S)
    texts = [path.read_text(encoding="utf-8") for path in DOCUMENTS]
    blocks = [
        block for text in texts for block in re.findall(r"^```(?:bash|sh)\n(.*?)^```", text, re.M | re.S)
    ]
    configs = [path.read_text(encoding="utf-8") for path in (ROOT / "conf").rglob("*.yaml")]
    commands = [
        line.strip()
        for text in (*blocks, *configs)
        for line in text.replace("\\\n", " ").splitlines()
        if line.strip().startswith("lifecode ")
    ]
    assert len(commands) > 100
    assert [line for line in commands if re.search(r"[\[\]*?]", quoted.sub("", line))] == []


def first_value(word: str) -> str:
    """The override itself, or the one of the first job of the sweep that it asks for."""
    if "=" not in word:
        return word
    override = OverridesParser.create().parse_override(word)
    if not override.is_sweep_override():
        return word
    return f"{override.get_key_element()}={next(override.sweep_string_iterator())}"


@pytest.fixture
def beside_a_genome(small_genome, tmp_path, monkeypatch) -> None:
    """A folder with the `genome.gbk` and `genes.fasta` of docs/python.md."""
    shutil.copy(small_genome, tmp_path / "genome.gbk")
    thr_l = "ATGAAACGCATTAGCACCACCATTACCACCACCATCACCATTACCACAGGTAACGGTGCGGGCTGA"
    (tmp_path / "genes.fasta").write_text(f">thrL\n{thr_l}\n>piece\n{thr_l[:15]}\n")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("beside_a_genome")
def test_the_examples_in_python_give_what_they_say():
    failed, tried = doctest.testfile(str(ROOT / "docs/python.md"), module_relative=False, encoding="utf-8")
    assert failed == 0
    assert tried > 20


@pytest.mark.slow
@pytest.mark.usefixtures("beside_a_genome")
def test_the_training_in_python_runs():
    text = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(config = .*?)^```", text, re.M | re.S)
    names: dict = {"lifecode": lifecode}
    exec(example, names)
    assert set(names["run"].held_out["of"]) == {"model", "baseline"}
    assert len(names["run"].metrics)


def test_make_lists_every_target():
    targets = makefile_targets()
    listed = subprocess.run(["make", "-C", ROOT], capture_output=True, text=True, check=True).stdout
    assert {"setup", "train", "test", "test-slow", "lint", "clean"} <= set(targets)
    for target, comment in targets.items():
        assert comment, f"{target} has no ## comment"
        assert f"make {target} " in listed


def test_every_direct_dependency_is_pinned_inside_its_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [Requirement(line) for line in project["dependencies"] + extras["near"] + extras["dev"]]
    lines = (ROOT / "constraints/ci.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    for requirement in wanted:
        if requirement.name != "lifecode":
            assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def test_the_layers_in_contributing_are_the_ones_that_are_checked():
    tree = re.search(
        r"^```\nlifecode/\n(.*?)^conf/", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.M | re.S
    )
    assert tree
    assert re.findall(r"^  (\w+)", tree[1], re.M) == FLOORS[""]
    assert re.findall(r"^    (\w+)", tree[1], re.M) == FLOORS["data"]


def test_the_full_check_demands_its_data():
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & 0o111
    text = script.read_text()
    assert re.findall(r"^make ([a-z-]+)$", text, re.M) == ["lint", "test", "test-slow"]
    assert "export LIFECODE_REQUIRE_SHARED=1" in text
