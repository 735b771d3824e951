"""The user's own modules: what `plugins=[...]` brings within reach, of whom, and that nobody else can ask."""

import json
import multiprocessing
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import lifecode
from lifecode.app.configs.construct import locate
from lifecode.app.configs.plugins import asked_for, find_plugin, within_reach
from lifecode.app.main import main
from lifecode.errors import UserError
from tests.support.labelled_genes import write_genes
from tests.support.repository import ROOT
from tests.support.small_run import SMALL

DOCUMENT = ROOT / "docs/extending.md"
CODE = """
import json
from os import system as elsewhere


class Own:
    def __init__(self, width: int = 1) -> None:
        self.width = width


def make(width: int = 1):
    return Own(width)


_hidden, number = Own, 3
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module that no other test knows, in the current folder beside one that must stay unknown."""
    monkeypatch.chdir(tmp_path)
    name = f"own_{os.getpid()}_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(CODE)
    (tmp_path / "beside.py").write_text("raise SystemExit('must not run')")
    yield name
    for loaded in [other for other in sys.modules if other.partition(".")[0] == name]:
        del sys.modules[loaded]


def reach(*entries):
    return within_reach({"plugins": list(entries)}, dict.fromkeys(entries, Path.cwd()))


def test_what_a_module_defines_can_be_named_inside_only(own):
    with reach(own):
        assert locate(f"{own}.Own", "x")(width=3).width == 3
        assert locate(f"{own}.make", "x")().width == 1
        for name in ("json", "elsewhere", "_hidden", "number", "json.dumps"):
            with pytest.raises(UserError, match=r"is not made to be configured|there is no"):
                locate(f"{own}.{name}", "x")
        with pytest.raises(UserError, match=rf"there is no '{own}.Onw'. Did you mean {own}.Own?"):
            locate(f"{own}.Onw", "x")
        with pytest.raises(UserError, match=r"plugins=\[beside\] runs it"):
            locate("beside.X", "x")
    with pytest.raises(UserError, match=rf"is not allowed.*plugins=\[{own}\] runs it"):
        locate(f"{own}.Own", "x")


def test_a_package_with_its_submodules_by_its_path(own, tmp_path):
    package = tmp_path / "lib" / f"{own}_package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from .inner import Own\n")
    (package / "inner.py").write_text(CODE)
    with reach(f"lib/{own}_package"):
        assert locate(f"{own}_package.inner.Own", "x") is locate(f"{own}_package.Own", "x")
        with multiprocessing.get_context("spawn").Pool(1) as pool:  # as a loader's worker may be
            assert pool.apply(locate(f"{own}_package.inner.make", "x"), (7,)).width == 7
            with pytest.raises(ModuleNotFoundError):
                pool.apply(__import__, ("beside",))


BROKEN = {
    "x = 1\n1 / 0": "bad_one.py, line 2: cannot be imported: ZeroDivisionError: division by zero",
    "def f(:": "bad_one.py, line 1: cannot be imported: SyntaxError: invalid syntax",
    "import beside": "line 1: cannot be imported: ModuleNotFoundError: No module named 'beside'. "
    "What lies beside it is not within reach: give plugins=[beside,bad_one]",
    "raise SystemExit": "line 1: cannot be imported: SystemExit",
}


@pytest.mark.parametrize("code", BROKEN)
def test_an_import_that_fails_names_the_line(own, code, tmp_path):
    (tmp_path / "bad_one.py").write_text(code)
    with pytest.raises(UserError) as told, reach("bad_one"):
        pass
    assert BROKEN[code] in str(told.value)
    assert "bad_one" not in sys.modules


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("nowhere", "plugins: no such file: .*nowhere.py. A package is a folder with __init__.py"),
        ("lib/nowhere.py", "no such file: .*lib/nowhere.py"),
        ("json", "json is the name of Python's own module"),
        ("lifecode", "lifecode is the name of lifecode's own module"),
        ("torch", r"torch.py: torch is also the name of .*torch/__init__.py. Rename yours"),
        ("my-module", "'my-module' is no name of a module"),
    ],
)
def test_a_name_that_will_not_do(own, entry, said, tmp_path):
    (tmp_path / "torch.py").touch()
    with pytest.raises(UserError, match=said):
        find_plugin(entry, Path.cwd())


def test_an_installed_package_needs_no_file(tmp_path):
    assert find_plugin("yaml", tmp_path) == ("yaml", None)


def test_what_a_command_line_asks_for():
    lines = ["seed=1", "plugins=[a,b/c.py]", "+plugins='d e.py'", "plugins=[f],[g]", "name=plugins"]
    assert list(asked_for(lines)) == ["a", "b/c.py", "d e.py", "f", "g"]


def command(folder, *arguments):
    """The command as it is installed: the current folder is not on its path."""
    root = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    line = [sys.executable, "-P", "-m", "lifecode", *arguments]
    return subprocess.run(
        line, cwd=folder, env={**os.environ, **root}, capture_output=True, text=True, check=False
    )


INFO = ["info", "model=tiny"]


def test_only_the_user_himself_asks(own, tmp_path, capsys):
    """No experiment, sweep or run folder of another does, whatever it says."""
    for name, text in {
        "asks": "plugins: [beside]",
        "by_interpolation": "x: beside\nplugins: ['${x}']",
        "in_a_sweep": "hydra: {sweeper: {params: {plugins: '[beside],[beside]'}}}",
        "names": "model: {_target_: beside.X}",
    }.items():
        file = tmp_path / "conf" / "experiment" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"# @package _global_\n{text}\n")
        sweep = ["-m"] if name == "in_a_sweep" else []
        assert main([*INFO, *sweep, "--config-dir", "conf", f"+experiment={name}"]) == 2
        told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lifecode info: ")]
        assert len(told) == 1
        assert ("'beside.X' is not allowed" if name == "names" else "plugins: a folder may not set") in told[
            0
        ]
    config = lifecode.compose(*INFO)
    config.plugins = ["beside"]  # as that of a run folder would
    with pytest.raises(UserError, match=r"asks for beside, and nothing is imported because a config says so"):
        lifecode.run("info", config)
    assert "beside" not in sys.modules


def test_configs_of_a_folder_name_the_modules_that_were_asked_for(own, tmp_path, capsys):
    (tmp_path / "conf/model").mkdir(parents=True)
    text = f"defaults: [tiny]\nwidth: 64\nextra: {{_target_: {own}.Own}}\n"
    (tmp_path / "conf/model/mine.yaml").write_text(text)
    given = ["info", "--config-dir", "conf", "model=mine", f"plugins=[{own}.py]"]
    assert main([*given, "~model.extra"]) == 0
    assert main(given) == 2
    assert "model.extra: lifecode.models.LifeCode takes no 'extra'" in capsys.readouterr().err
    assert main([*given, f"model.extra._target_={own}.Onw"]) == 2
    assert f"Did you mean {own}.Own?" in capsys.readouterr().err


MEASURES = """
from matplotlib.figure import Figure
from lifecode.analyses import Analysed
from lifecode.report.page import Drawing
from lifecode.tasks import SequenceTask
from lifecode.tasks.suites.benchmark import SequenceSet


class Sizes:
    def analyse(self, input, models, *, seed, say):
        rows = [(one.name, len(input)) for one in models]
        drawing = Drawing(Figure(), "Sizes", "nothing")
        told = dict(verdict="one name", headings=("model", "size"), how_to_read="It counts letters.")
        return Analysed(kind="sizes", rows=rows, drawing=drawing, **told)


class Own:
    def sets(self, root):
        return {"own": SequenceSet(name="own", task=SequenceTask(train=str(root / "genes.csv")))}
"""


def test_an_analysis_and_a_benchmark_of_ones_own(own, tmp_path, capsys):
    (tmp_path / f"{own}.py").write_text(MEASURES)
    write_genes(tmp_path / "genes.csv", 12)
    for group, name in (("kind", "Sizes"), ("suite", "Own")):
        (tmp_path / "conf" / group).mkdir(parents=True)
        (tmp_path / "conf" / group / "mine.yaml").write_text(f"_target_: {own}.{name}\n")
    given = ["-cd", "conf", f"plugins=[{own}]"]
    assert main(["analyse", *given, "kind=mine", "input=abc", "untrained=false", "run_dir=seen"]) == 0
    assert Path("seen/table.csv").read_text() == "model,size\nlifecode-mini,3\n"
    of_suite = ["suite=mine", "root=.", "checkpoints=[]", "baselines=[constant]", "folds=2", "run_dir=table"]
    assert main(["evaluate", *given, *of_suite]) == 0, capsys.readouterr().err
    assert "\nown,constant,baseline,mcc,0.0," in Path("table/results.csv").read_text()


def blocks(language):
    """The files of the document, by the name in their first line."""
    found = re.findall(rf"^```{language}\n# (\S+)\n(.*?)^```", DOCUMENT.read_text(), re.M | re.S)
    return dict(found)


@pytest.fixture
def both(tmp_path):
    """The words of the document's two commands but for the plugins, whose files are in the folder."""
    for name, code in (blocks("python") | blocks("yaml")).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(code)
    lines = re.findall(r"^lifecode (train .*)$", DOCUMENT.read_text(), re.M)
    words = [word for line in lines for word in shlex.split(line)[2:]]
    return [word for word in words if not word.startswith("plugins")]


def test_the_examples_of_the_document_are_short_and_build(both, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for code in blocks("python").values():
        assert len([line for line in code.splitlines() if line.strip()]) <= 11
    plan = ["train", *both, "input=null", "plan=true", "model=tiny"]
    assert main([*plan, "plugins=[my_teacher,my_objective]"]) == 0
    out = capsys.readouterr().out
    assert "RootSum" in out
    assert "Teacher features of width 2" in out


@pytest.mark.slow
def test_the_examples_of_the_document_train(both, small_genome, tmp_path):
    """With two processes a run and a loader's worker in each; then on, without the plugins and with them."""
    (tmp_path / "pickle.py").write_text("raise SystemExit('must not run')")
    plugins = "plugins=[my_teacher,my_objective]"
    small = [*SMALL, "trainer.accelerator=cpu", "trainer.devices=2", "trainer.num_workers=1", "run_dir=run"]
    given = ["train", *small, *both, f"input={small_genome}"]

    done = command(tmp_path, *given, plugins)
    assert done.returncode == 0, done.stdout + done.stderr
    config = yaml.safe_load((tmp_path / "run/config.yaml").read_text())
    assert config["plugins"] == ["my_teacher", "my_objective"]
    assert config["objective"]["joint"] == {"_target_": "my_objective.RootSum"}
    figures = json.loads((tmp_path / "run/metrics.json").read_text())["heldout"]
    assert "teacher_probe_r2" in figures

    lacking = command(tmp_path, *given)
    assert (lacking.returncode, lacking.stderr.count("\n")) == (2, 1)
    assert re.search(r"plugins=\[my_(teacher|objective)\] runs it", lacking.stderr)
    without = ["teacher.model._target_=lifecode.teachers.NearTeacher", "objective/joint=log_sum"]
    other = command(tmp_path, *given, *without)
    assert other.returncode == 2
    assert "was begun with plugins=[my_objective,my_teacher]" in other.stderr
    again = command(tmp_path, *given, plugins.replace("my_teacher", "./my_teacher.py"))
    assert again.returncode == 0, again.stderr
    assert "This run is complete" in again.stdout


@pytest.mark.slow
def test_the_runs_of_a_sweep_side_by_side_have_the_module(own, tmp_path):
    (tmp_path / "conf/model").mkdir(parents=True)
    (tmp_path / "conf/model/mine.yaml").write_text(f"defaults: [tiny]\n_target_: {own}.make\n")
    module = (
        "import lifecode.models\n\n\ndef make(**values):\n    return lifecode.models.LifeCode(**values)\n"
    )
    (tmp_path / f"{own}.py").write_text(module)
    joblib = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "model.width=64,128", "-m"]
    given = ["info", "-cd", "conf", "model=mine", f"plugins=[{own}]", *joblib]
    done = command(tmp_path, *given)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("layers of width") == 2
