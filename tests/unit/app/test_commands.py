"""The command line: verbs, overrides, sweeps, exit codes and what a mistake looks like."""

import errno
import json
import logging
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import types
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf

from lifecode.app import explain, hydra_app
from lifecode.app import provenance as start
from lifecode.app.configs.construct import checked_value
from lifecode.app.configs.locate_config import config_folder
from lifecode.app.main import VERBS, Verb, main
from lifecode.app.other_processes import OtherProcesses
from lifecode.app.verb_help import config_name, keys_of, verb_help
from lifecode.errors import Interrupted, UserError

TOY = """
defaults:
  - base
  - model: tiny
  - _self_
  - experiment: null

name: toy               # what the run is called
run_dir: runs/${name}   # folder of the run
seed: 0                 # of the weights
model:
  hybrid_ratio: "11:1"  # cheap layers to attention layers
checkpoint: null        # weights to start from

hydra:
  help:
    header: |
      Does nothing much.

      Example:
        lifecode toy seed=1
"""


class Toy:
    """A verb whose `run` a test replaces, run through the real command line in an empty folder."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys, self.configs, self.error = capsys, [], None

    def run(self, config: DictConfig) -> None:
        self.configs.append(config)
        if self.error is not None:
            raise self.error

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        code = main(["toy", *arguments], {"toy": Verb("toy_verb", "a toy")})
        out, err = self.capsys.readouterr()
        return code, out, err


@pytest.fixture
def conf(tmp_path):
    """A config folder with a toy verb and the project's own Hydra settings."""
    folder = tmp_path / "conf"
    shutil.copytree(config_folder() / "hydra", folder / "hydra")
    shutil.copy(config_folder() / "base.yaml", folder)
    for path, text in {
        "toy.yaml": TOY,
        "other.yaml": "defaults: [base, _self_]\nwidth: 1\n",
        "model/tiny.yaml": "width: 16\n",
        "model/mini.yaml": "width: 64\ndepth: 2\n",
        "experiment/quickstart.yaml": "# @package _global_\nseed: 7\n",
        "experiment/sweep.yaml": "# @package _global_\nhydra: {sweeper: {params: {seed: '3,4'}}}\n",
        "data/ecoli.yaml": "x: 1\n",
    }.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture
def toy(conf, tmp_path, monkeypatch, capsys):
    toy = Toy(capsys)
    module = types.ModuleType("toy_verb")
    module.run = toy.run
    monkeypatch.setitem(sys.modules, "toy_verb", module)
    monkeypatch.setattr(hydra_app, "config_folder", lambda: conf)
    monkeypatch.setattr(explain, "config_folder", lambda: conf)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    loggers = [logging.getLogger(name) for name in (None, "lifecode", "hydra")]
    before = [(logger.handlers[:], logger.level) for logger in loggers]
    yield toy
    for logger, (handlers, level) in zip(loggers, before, strict=True):
        logger.handlers, logger.level = handlers, level


# The list of verbs


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_usage_lists_every_verb(arguments, capsys):
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert all(f"  {verb} " in out and VERBS[verb].summary in out for verb in VERBS)


def test_usage_imports_nothing_heavy():
    check = (
        "import sys; from lifecode.app.main import main; main(['--help'])\n"
        "heavy = {'torch', 'lightning', 'hydra', 'numpy'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", check], check=True, capture_output=True)


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.split()[0] == "lifecode"


def test_unknown_verb_names_the_verbs_and_the_nearest(capsys):
    assert main(["trian"]) == 2
    err = capsys.readouterr().err
    assert err == f"lifecode: no verb 'trian'; the verbs are {', '.join(VERBS)}. Did you mean train?\n"


# What arrives


@pytest.mark.parametrize("written", ["11:1", '"11:1"', "'11:1'", "1:0"])
def test_a_ratio_arrives_as_a_string_however_it_is_quoted(toy, written):
    assert toy(f"model.hybrid_ratio={written}")[0] == 0
    assert toy.configs[0].model.hybrid_ratio == written.strip("\"'")


def test_a_ratio_in_yaml_must_be_quoted():
    assert OmegaConf.create("ratio: 11:1").ratio == 661  # YAML 1.1 reads minutes and seconds


@pytest.mark.parametrize("written", ["a b.fa", "genomes/*.gbff.gz", "~/genome.fa", "/data/ß/x-1.fa"])
def test_a_path_arrives_unquoted(toy, written):
    assert toy(f"checkpoint={written}")[0] == 0
    assert toy.configs[0].checkpoint == written


def test_groups_and_experiments(toy):
    assert toy("model=mini", "experiment=quickstart")[0] == 0
    assert (toy.configs[0].model.width, toy.configs[0].seed) == (64, 7)


def test_flags_may_stand_between_overrides(toy):
    code, out, _ = toy("seed=5", "--cfg", "job", "name=x")
    assert (code, toy.configs) == (0, [])
    assert OmegaConf.create(out) == {
        "plugins": [],
        "name": "x",
        "run_dir": "runs/${name}",
        "seed": 5,
        "model": {"width": 16, "hybrid_ratio": "11:1"},
        "checkpoint": None,
    }


def test_a_config_folder_of_the_user_is_found(toy, tmp_path):
    (tmp_path / "mine/model").mkdir(parents=True)
    (tmp_path / "mine/model/huge.yaml").write_text("width: 4096\n")
    assert toy("-cd", str(tmp_path / "mine"), "model=huge")[0] == 0
    assert toy.configs[0].model.width == 4096


def test_nothing_is_left_in_the_current_folder(toy):
    assert toy()[0] == 0
    assert toy("-m", "seed=1,2")[0] == 0
    assert toy("--help")[0] == 0
    assert os.listdir() == []


def test_messages_of_lifecode_are_plain_and_those_of_others_only_warn(toy):
    def talk(config):
        logging.getLogger("lifecode.data").info("4,315 CDS")
        logging.getLogger("noisy").info("chatter")
        logging.getLogger("noisy").warning("careful")

    sys.modules["toy_verb"].run = talk
    assert toy() == (0, "", "4,315 CDS\ncareful\n")


def test_the_users_command_line_and_environment_are_restored(toy, monkeypatch):
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    before = list(sys.argv)
    toy("seed=1")
    assert sys.argv == before
    assert "HYDRA_FULL_ERROR" not in os.environ


# What a mistake looks like: one line, exit code 2


def one_line(result: tuple[int, str, str]) -> str:
    code, _, err = result
    assert code == 2, err
    assert err.startswith("lifecode toy: "), err
    assert err.count("\n") == 1, err
    return err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sed=1"], ["no config key 'sed'", "Did you mean seed?", "lifecode toy --cfg job"]),
        (["model.hybridratio=1"], ["'model.hybridratio'", "Did you mean model.hybrid_ratio?"]),
        (["width=1"], ["'width'", "Did you mean model.width?"]),
        (["modle=tiny"], ["'modle'", "Did you mean model?"]),
        (["lrr.lr=1"], ["no config key 'lrr.lr'. `lifecode toy"]),
        (["lr=1"], ["no config key 'lr'. `lifecode toy"]),
        (["model.depth=1"], ["no config key 'model.depth' here. model=mini has it."]),
        (["checkpoint.x=1"], ["'checkpoint.x'. checkpoint has no keys; +checkpoint.x=... gives it this one"]),
        (["model=null"], ["model has no option null; it has mini, tiny.", "lifecode toy --help"]),
        (["experiment=null"], ["experiment has no option null; it has quickstart, sweep."]),
        (["hydra.sweeper=basic"], ["hydra.sweeper holds keys of its own.", "hydra/sweeper=basic"]),
        (["-m", "hydra.launcher=basic"], ["with a slash: hydra/launcher=basic"]),
        (["hydra.sweeper.params.seed=1,2"], ["Give lifecode toy -m seed=1,2"]),
        (["hydra.job=1"], ["hydra.job=1: Invalid type assigned: int is not a subclass of JobConf"]),
        (["+input="], ["input: is '', which names nothing"]),
        (["+input=['']"], ["input: is '', which names nothing"]),
        (["model=tinny"], ["model has no option 'tinny'; it has mini, tiny.", "Did you mean model=tiny?"]),
        (["experiment=quickstar"], ["experiment has no option", "it has quickstart, sweep."]),
        (["data=ecoli"], ["toy has no config group 'data'", "lifecode toy --help"]),
        (["quickstart"], ["'quickstart' is not of the form key=value", "experiment=quickstart"]),
        (["seed=1,2"], ["seed=1,2", "seed=[1,2]", "lifecode toy -m seed=1,2"]),
        (["seed=-1"], ["seed: is -1, expected 0 or more"]),
        (["seed={1"], ["cannot read 'seed={1'", 'seed="..."']),
        (["--sede"], ["unrecognized arguments: --sede", "lifecode toy --help"]),
        (["--cfg", "jobs"], ["invalid choice: 'jobs'"]),
        (["-cd", "/no/such/place"], ["/no/such/place"]),
        (["checkpoint=???"], ["checkpoint needs a value", "lifecode toy checkpoint=..."]),
        (["-m", "model=tiny,tinny"], ["model has no option 'tinny'"]),
        (["-m", "sed=1,2"], ["no config key 'sed'"]),
    ],
)
def test_a_mistake_on_the_command_line(toy, arguments, said):
    err = one_line(toy(*arguments))
    assert all(words in err for words in said), err
    assert toy.configs == []


def wrapped(cause: Exception) -> Exception:
    error = InstantiationException("Error in call to target 'x'")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UserError("is empty", source="a.fa", remedy="Give another"), "a.fa: is empty. Give another"),
        (wrapped(UserError("is empty", source="a.fa")), "a.fa: is empty"),
        (PermissionError(errno.EACCES, "Permission denied", "/runs"), "/runs: Permission denied"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError(errno.EROFS, "Read-only file system", "x"), "x: Read-only file system"),
    ],
)
def test_a_user_error_of_the_verb(toy, error, said):
    toy.error = error
    assert f"lifecode toy: {said}" in one_line(toy())


def test_a_value_that_refers_to_a_missing_key(toy):
    sys.modules["toy_verb"].run = lambda config: config.name
    assert "nothing_there" in one_line(toy("name=${nothing_there}"))


def test_a_value_of_the_wrong_type(toy):
    sys.modules["toy_verb"].run = lambda config: checked_value(config, "name", Literal["a", "b"])
    assert "name: is 'c', expected 'a' or 'b'" in one_line(toy("name=c"))


@pytest.mark.parametrize("error", [RuntimeError("boom"), FileNotFoundError(errno.ENOENT, "none", "x")])
@pytest.mark.parametrize("sweep", [[], ["-m", "seed=1,2"]])
def test_a_fault_of_the_program_keeps_its_traceback(toy, error, sweep):
    toy.error = error
    with pytest.raises(type(error)):
        toy(*sweep)


def test_tracebacks_of_user_errors_can_be_had(toy, monkeypatch):
    monkeypatch.setattr(hydra_app, "TRACEBACKS", True)
    toy.error = UserError("is empty")
    with pytest.raises(UserError):
        toy()


@pytest.mark.parametrize("sweep", [[], ["-m", "seed=1,2"]])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyboardInterrupt(), "interrupted"),
        (Interrupted("stopped at step 7; go on with X"), "stopped at step 7"),
    ],
)
def test_an_interrupt_ends_a_run_and_a_whole_sweep(toy, error, said, sweep):
    toy.error = error
    code, _, err = toy(*sweep)
    assert (code, len(toy.configs)) == (130, 1)
    assert err.splitlines()[-1].startswith(f"lifecode toy: {said}")


# Sweeps


def run_dirs(toy: Toy) -> list[str]:
    return [config.run_dir for config in toy.configs]


def test_each_job_of_a_sweep_has_its_own_folder(toy):
    assert toy("name=s", "-m", "seed=1,2", "model=tiny,mini")[0] == 0
    assert run_dirs(toy) == [f"runs/s/seed={s},model={m}" for s in (1, 2) for m in ("tiny", "mini")]


def test_a_single_run_keeps_its_folder(toy):
    toy("seed=1")
    assert run_dirs(toy) == ["runs/toy"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["name=a,b"], ["runs/a", "runs/b"]),
        (["name=a,b", "seed=1,2"], [f"runs/{n}/seed={s}" for n in "ab" for s in (1, 2)]),
        (["run_dir=x,y"], ["x", "y"]),
        (["run_dir=x", "seed=1,2"], ["x/seed=1", "x/seed=2"]),
        (["model.hybrid_ratio=11:1,1:0"], [f"runs/toy/model.hybrid_ratio={r}" for r in ("11-1", "1-0")]),
        (["seed=range(0,2)"], ["runs/toy/seed=0", "runs/toy/seed=1"]),
        (["experiment=sweep"], ["runs/toy/seed=3", "runs/toy/seed=4"]),
        (["experiment=sweep", "seed=4"], ["runs/toy/seed=4"]),
        (["experiment=sweep", "seed=5,6", "model=tiny"], ["runs/toy/seed=5", "runs/toy/seed=6"]),
        (["experiment=sweep", "name=a,b"], [f"runs/{n}/seed={s}" for s in (3, 4) for n in "ab"]),
        (["model.hybrid_ratio='11:1','1:0'"], [f"runs/toy/model.hybrid_ratio={r}" for r in ("11-1", "1-0")]),
        (["seed=1"], ["runs/toy/0"]),
    ],
)
def test_the_folder_is_named_by_what_varies(toy, arguments, expected):
    assert toy("-m", *arguments)[0] == 0
    assert run_dirs(toy) == expected


def test_long_values_make_short_and_different_folder_names(toy):
    paths = ["/".join([letter * 200] * 3) for letter in "ab"]
    assert toy("-m", f"checkpoint={','.join(paths)}", "seed=1,2")[0] == 0
    names = [Path(folder).name for folder in run_dirs(toy)]
    assert len(set(names)) == 4
    assert all(len(name.encode()) <= 255 for name in names)


def test_a_user_error_in_one_job_lets_the_others_run(toy):
    def run(config):
        toy.configs.append(config)
        if config.seed == 1:
            raise UserError("no such weights")

    sys.modules["toy_verb"].run = run
    code, _, err = toy("-m", "seed=0,1,2")
    assert (code, [config.seed for config in toy.configs]) == (2, [0, 1, 2])
    assert "lifecode toy: no such weights\n" in err


def test_a_sweep_works_where_temporary_folders_have_odd_names(toy, tmp_path, monkeypatch):
    odd = tmp_path / "it's a {place}"
    odd.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(odd))
    assert toy("-m", "seed=1,2")[0] == 0
    assert list(odd.iterdir()) == []


def test_a_process_of_a_run_knows_how_the_run_was_started(toy, monkeypatch):
    """It is started without -m, by the process that was."""
    start_of_run = start.Start("lifecode toy -m", {"seed": "1"}, {"seed": ["1", "2"]}, 2)
    monkeypatch.setenv(start.HANDED_DOWN, json.dumps(asdict(start_of_run)))
    assert toy("experiment=sweep", "seed=1")[0] == 0
    assert start.handed_down() == start_of_run


def test_the_folder_of_a_sweep_is_not_the_one_of_the_same_name_on_another_machine(tmp_path, monkeypatch):
    others = OtherProcesses(tmp_path)
    assert not others.here()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert others.here()
    (tmp_path / "home").unlink()  # as a launcher makes the folder there
    assert others.elsewhere()
    assert not others.here()


def test_a_config_that_names_the_values_of_a_sweep_wants_one(toy):
    err = one_line(toy("experiment=sweep", "name=a b"))
    assert "runs over values of seed" in err
    assert "Add -m: lifecode toy -m experiment=sweep 'name=a b' (seed=VALUE beside" in err
    assert toy.configs == []


@pytest.mark.parametrize(
    ("overrides", "params", "expected"),
    [
        (["a=1,2", "b=3"], {}, {"a": ["1", "2"]}),
        ([], {"a": "12:0,11:1", "seed": "0,1"}, {"a": ["12:0", "11:1"], "seed": ["0", "1"]}),
        (["a='11:1'"], {"a": "12:0,11:1"}, {"a": ["11:1"]}),
        (["c=range(0,2)"], {"a": "x,y"}, {"a": ["x", "y"], "c": ["0", "1"]}),
        (["a=glob(*)"], {}, {"a": []}),
    ],
)
def test_what_a_sweep_varies(overrides, params, expected):
    assert start.swept_values(overrides, params) == expected


def test_a_job_knows_its_own_values():
    lines = ["a=2\\:0", "x=1", "seed=3", "b='u v'"]
    assert start.own_values(lines, ["a", "b", "seed"]) == {"a": "2:0", "seed": "3", "b": "u v"}


def test_how_many_jobs_share_the_machine(monkeypatch):
    monkeypatch.setattr(start, "usable_cores", lambda: 8)
    sweep = {"seed": ["0", "1", "2"], "a": ["x", "y"]}
    assert [start.jobs_at_a_time({"n_jobs": n}, sweep) for n in (1, 4, 100, -1, -5)] == [1, 4, 6, 6, 4]
    assert start.jobs_at_a_time({}, sweep) == 1


def test_a_run_that_once_shared_its_machine_says_so_for_good(tmp_path):
    def recorded(**how):
        with start.started_as(start.Start("lifecode toy -m seed=1,2", {"seed": "1"}, **how)):
            start.record_provenance(tmp_path, {"name": "a cpu"})
        return json.loads((tmp_path / "provenance.json").read_text())

    assert recorded(runs_at_a_time=2)["runs_at_a_time"] == 2
    last = recorded()
    assert (last["runs_at_a_time"], last["varied"], last["machine"]) == (2, {"seed": "1"}, {"name": "a cpu"})
    assert last["command"] == "lifecode toy -m seed=1,2"
    assert os.listdir(tmp_path) == ["provenance.json"]


def test_a_sweep_leaves_its_multirun_yaml_where_its_runs_are(toy, tmp_path):
    """Once there is such a folder: a job that writes nothing, such as a plan, leaves nothing."""

    def run(config):
        if config.seed == 2:
            Path(config.run_dir).mkdir(parents=True)

    sys.modules["toy_verb"].run = run
    assert toy("-m", "name=s", "seed=1,2", "experiment=quickstart")[0] == 0
    assert sorted(os.listdir("runs/s")) == ["multirun.yaml", "seed=2"]
    config = OmegaConf.load("runs/s/multirun.yaml")
    assert config.hydra.overrides.task == ["name=s", "seed=1,2", "experiment=quickstart"]
    assert (config.hydra.sweep.dir, config.seed) == ("runs/s", 7)
    assert toy("-m", "name=s", "seed=3", "hydra.sweep.dir=mine")[0] == 0
    assert os.listdir("mine") == ["multirun.yaml"]
    assert toy("-m", "name=t", "seed=1,3")[0] == 0
    assert sorted(os.listdir("runs")) == ["s"]


# Hydra's own flags


def test_what_hydra_tells_of_a_config(toy):
    assert toy()[0] == 0  # which leaves Hydra's logger at INFO, as any command of this process does
    code, out, err = toy("--info", "defaults", "model=mini")
    assert (code, err) == (0, "")
    assert "| model/mini " in out
    assert "model: mini" in toy("--info", "defaults-tree", "model=mini")[1]
    assert "hybrid_ratio: '11:1'" in toy("--info", "config")[1]
    assert "Config search path" in toy("--info")[1]
    assert toy("--cfg", "job", "--package", "model") == (
        0,
        "# @package model\nwidth: 16\nhybrid_ratio: '11:1'\n",
        "",
    )
    assert "run_dir: runs/toy\n" in toy("--cfg", "job", "--resolve")[1]
    code, out, err = toy("--hydra-help")
    assert (code, err) == (0, "")
    assert "--config-dir,-cd : Adds an additional config dir" in out
    assert toy("--run", "--config-name", "toy")[0] == 0
    assert len(toy.configs) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--config-name", "mine"], "--config-name: a verb has one config, conf/toy.yaml. Make yours an exp"),
        (["--config-path", "x"], "lifecode toy --config-dir FOLDER"),
        (["--experimental-rerun", "x.pickle"], "The same command goes on"),
        (["--info", "defualts"], "invalid choice: 'defualts'"),
        (["--cfg", "job", "--package", "modle"], "--package: the config has no 'modle'. --cfg job shows all"),
        (["--package", "model"], "--package goes with --cfg"),
        (["--resolve"], "--resolve goes with --cfg"),
        (["-m", "--info"], "exclude each other"),
        (["-m", "--cfg", "job"], "exclude each other"),
        (["--shell-completion", "install=bash"], 'eval "$(lifecode --shell-completion install=bash)"'),
    ],
)
def test_a_flag_that_means_something_else_here(toy, arguments, said):
    assert said in one_line(toy(*arguments))
    assert toy.configs == []


def test_words_are_completed(capsys, monkeypatch):
    def fitting(line):
        monkeypatch.setenv("COMP_LINE", line)
        assert main(["--shell-completion", "query=bash"]) == 0
        return capsys.readouterr().out.split()

    assert fitting("lifecode ") == list(VERBS)
    assert fitting("lifecode do") == ["dogma", "doctor"]
    assert fitting("lifecode info model=ti") == ["model=tiny"]
    assert fitting("lifecode train seed=1 data/split=") == [
        f"data/split={n}" for n in ("blocks", "contigs", "taxa")
    ]
    assert fitting("lifecode train optim.encoder.warm") == ["optim.encoder.warmup_steps="]
    assert fitting("lifecode train --nonsense x") == fitting("lifecode tarin ") == []


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_script_for_a_shell(shell, capsys):
    assert main(["--shell-completion", f"install={shell}"]) == 0
    assert "complete -o nospace -o default -F _lifecode lifecode" in capsys.readouterr().out
    assert main(["--shell-completion", "install=fish"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


# As a process


@pytest.fixture
def process(conf, tmp_path):
    """Starts the toy verb as a program whose `run` has the given body."""

    def start(body: str, *arguments: str, **settings: object) -> subprocess.Popen[str]:
        (tmp_path / "toy_verb.py").write_text("def run(config):\n" + textwrap.indent(body, "    "))
        (tmp_path / "program.py").write_text(
            "import sys, pathlib\n"
            "from lifecode.app import hydra_app, main\n"
            f"hydra_app.config_folder = lambda: pathlib.Path({str(conf)!r})\n"
            "sys.exit(main.main(['toy', *sys.argv[1:]], {'toy': main.Verb('toy_verb', '')}))\n"
        )
        command = [sys.executable, str(tmp_path / "program.py"), *arguments]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **settings
        )

    return start


def test_ctrl_c_exits_with_130_and_one_line(process):
    # A shell that starts the tests in the background has them ignore Ctrl-C.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    program = process("import time\nprint('ready', flush=True)\ntime.sleep(60)", preexec_fn=heed)
    assert program.stdout.readline() == "ready\n"
    program.send_signal(signal.SIGINT)
    _, err = program.communicate(timeout=600)
    assert program.returncode == 130
    assert err.count("\n") == 1
    assert err.startswith("lifecode toy: interrupted")


def test_a_reader_that_leaves_ends_the_program_quietly(process):
    program = process("while True: print('x' * 1000)")
    program.stdout.readline()
    program.stdout.close()
    assert program.stderr.read() == ""
    assert program.wait(timeout=600) == hydra_app.CLOSED_PIPE


def test_a_reader_that_leaves_before_a_short_output(process):
    program = process("import time\ntime.sleep(0.5)\nprint('short')")
    program.stdout.close()
    assert program.stderr.read() == ""
    assert program.wait(timeout=600) == hydra_app.CLOSED_PIPE


def test_a_folder_that_is_gone_is_one_line(process, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    program = process("pass", cwd=gone, preexec_fn=gone.rmdir)
    _, err = program.communicate(timeout=600)
    assert program.returncode == 2
    assert "current folder" in err
    assert err.count("\n") == 1


def test_a_fault_of_the_program_exits_with_1_and_a_traceback(process):
    program = process("raise RuntimeError('boom')")
    _, err = program.communicate(timeout=600)
    assert program.returncode == 1
    assert "Traceback" in err
    assert "in run" in err


IN_PARALLEL = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]


@pytest.mark.slow
def test_jobs_in_other_processes_report_every_mistake_and_let_the_others_run(process, tmp_path):
    body = (
        "import pathlib\nfrom lifecode.errors import UserError\n"
        "pathlib.Path(config.run_dir.replace('/', '_')).touch()\n"
        "if config.seed != 2: raise UserError(f'no weights {config.seed}')\n"
    )
    program = process(body, "-m", "seed=1,2,3", *IN_PARALLEL, cwd=tmp_path)
    _, err = program.communicate(timeout=600)
    assert program.returncode == 2
    told = [line for line in err.splitlines() if line.startswith("lifecode toy: ")]
    assert told == ["lifecode toy: seed=1: no weights 1", "lifecode toy: seed=3: no weights 3"]
    assert "Traceback" not in err
    assert "Error executing" not in err
    assert len(list(tmp_path.glob("runs_toy_seed=*"))) == 3


@pytest.mark.slow
def test_a_fault_in_another_process_shows_where_it_was(process, tmp_path):
    program = process("deep = lambda: 1 / 0\ndeep()", "-m", "seed=1,2", *IN_PARALLEL, cwd=tmp_path)
    _, err = program.communicate(timeout=600)
    assert program.returncode == 1
    assert "deep = lambda: 1 / 0" in err


@pytest.mark.slow
def test_sigterm_stops_jobs_in_other_processes_in_order(process, tmp_path):
    body = (
        "import pathlib, time\npathlib.Path(f'begun{config.seed}').touch()\n"
        "try: time.sleep(60)\nfinally: pathlib.Path(f'saved{config.seed}').touch()\n"
    )
    program = process(body, "-m", "seed=1,2,3,4", *IN_PARALLEL, cwd=tmp_path)
    deadline = time.monotonic() + 600
    while len(list(tmp_path.glob("begun*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    program.send_signal(signal.SIGTERM)
    _, err = program.communicate(timeout=600)
    assert program.returncode == 130
    assert err.splitlines()[-1].startswith("lifecode toy: stopped; the same command goes on")
    assert sorted(path.name for path in tmp_path.glob("*[12345]")) == ["begun1", "begun2", "saved1", "saved2"]


# Help


def test_help_shows_example_groups_and_keys(toy):
    code, out, err = toy("--help")
    assert (code, err, toy.configs) == (0, "", [])
    assert "Example:\n  lifecode toy seed=1\n" in out
    assert "  model       mini, tiny*\n  experiment  quickstart, sweep\n" in out
    assert '  model.hybrid_ratio="11:1"  cheap layers to attention layers\n' in out
    assert "lifecode toy --cfg job" in out
    assert not any(word in out for word in ("hydra", "Hydra", "defaults"))


def test_keys_and_comments_of_a_yaml_file():
    text = "a: 1  # one\nb:\n  c: x y  # two,\n          # and more\n  # of nothing\n  d:  # three\n"
    text += "    e: 2\nf: '#'\nhydra:\n  run: .  # no\ndefaults: [x]\n_target_: y\ng: 0 # last\n"
    assert list(keys_of(text)) == [
        ("a", "1", "one"),
        ("b", "", ""),
        ("b.c", "x y", "two, and more"),
        ("b.d", "", "three"),
        ("b.d.e", "2", ""),
        ("f", "'#'", ""),
        ("g", "0", "last"),
    ]


def test_help_tells_the_keys_of_a_chosen_option(toy, conf):
    (conf / "model/mini.yaml").write_text("defaults: [tiny, _self_]\nwidth: 64\n")
    (conf / "model/tiny.yaml").write_text("width: 16  # of the states\n")
    (conf / "experiment/quickstart.yaml").write_text("# @package _global_\nseed: 7  # a lucky one\n")
    code, out, _ = toy("model=mini", "experiment=quickstart", "name=tiny", "--help")
    assert code == 0
    assert "Keys of model=mini:\n  model.width=64  of the states\n\n" in out
    assert "Keys of experiment=quickstart:\n  seed=7  a lucky one\n\n" in out
    assert "Keys of" not in toy("--help")[1]
    (conf / "model/tiny.yaml").write_text("part:  # of the head\n  width: 16\nfiles:  # to read\n  - a\n")
    assert (
        "\n  model.part.*       of the head\n  model.files=[...]  to read\n" in toy("model=tiny", "--help")[1]
    )
    assert "lifecode toy GROUP=OPTION --help  also the keys of that option\n" in out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_and_its_example_composes(verb, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = verb_help(verb, config_folder())
    assert max(map(len, text.splitlines())) <= 130
    for line in text.split("Example:\n")[1].split("\n\n")[0].splitlines():
        example = shlex.split(line, comments=True)
        assert example[:2] == ["lifecode", verb]
        assert not re.search(r"[][*?]", re.sub(r"'[^']*'|\"[^\"]*\"", "", line)), f"zsh wants quotes: {line}"
        assert main([*example[1:], "--cfg", "job"]) == 0
        shown = capsys.readouterr().out
    config = OmegaConf.create(shown)
    file = config_folder() / f"{config_name(verb)}.yaml"
    written = OmegaConf.load(file)
    keys = {key.name: key for key in keys_of(file.read_text(encoding="utf-8"))}
    for name, key in keys.items():
        above = [".".join(name.split(".")[:n]) for n in range(1, name.count(".") + 1)]
        assert not key.value or any(keys[each].comment for each in (*above, name)), f"{name} is not explained"
    explained = {name.split(".")[0] for name in keys}
    assert set(written) - {"defaults", "hydra"} <= explained | groups_of(written)
    assert set(written) - {"defaults", "hydra"} <= set(config)
    for group in groups_of(written):  # `optional` in the defaults list would let a typo pass
        assert main([verb, f"{group}=no_such_option"]) == 2
        assert f"{group} has no option 'no_such_option'" in capsys.readouterr().err


def groups_of(config: DictConfig) -> set[str]:
    entries = [entry for entry in config.defaults if not isinstance(entry, str)]
    return {str(name).split()[-1] for entry in entries for name in entry}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_run(verb):
    module = __import__(VERBS[verb].module, fromlist=["run"])
    assert callable(module.run)


@pytest.mark.parametrize("name", ["2024_01", "20261201", "1e3", "007", "true", "-1.5", "nan", "a b", "ecoli"])
def test_a_name_is_a_text_be_it_a_number_too(toy, name):
    assert toy(f"name={name}")[0] == 0
    assert toy.configs[-1].name == name
    assert toy("name=null", "run_dir=x")[0] == 0
    assert toy.configs[-1].name is None
