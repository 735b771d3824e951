"""A folder of configs that a stranger gave: what it may say, and that it never runs code."""

import os
from types import SimpleNamespace

import pytest

from lifecode.app import launch
from lifecode.app.configs.unread_keys import require_read
from lifecode.app.main import main
from lifecode.app.provenance import Start, started_as
from lifecode.errors import UserError

MARK = "{mark}"
HANDLER = "hydra: {job_logging: {handlers: {console: "
FILE = "{class: logging.FileHandler, filename: '{mark}'}}}}"
CODE = {
    "a callback": "hydra: {callbacks: {x: {_target_: os.system, command: 'touch {mark}'}}}",
    "a callback of callbacks": "hydra: {callbacks: {x: {_target_: lifecode.Y, y: [{_target_: os.system}]}}}",
    "a launcher": "hydra: {launcher: {_target_: hydra_plugins.evil.Launcher}}",
    "a line of a launcher's script": "hydra: {launcher: {setup: ['touch {mark}']}}",
    "a sweeper": "hydra: {sweeper: {_target_: os.system}}",
    "a factory of log handlers": HANDLER + "{(): os.system, command: 'touch {mark}'}}}}",
    "a class of log handlers": HANDLER + FILE,
    "Hydra's own log": HANDLER.replace("job", "hydra") + FILE,
    "an environment variable": "hydra: {job: {env_set: {CXX: '{mark}'}}}",
    "a folder to change to": "hydra: {job: {chdir: true}, run: {dir: '{mark}'}}",
    "a folder to write to": "hydra: {output_subdir: '{mark}'}",
    "a package to search": "hydra: {searchpath: ['pkg://antigravity']}",
    "values of a sweep that are Hydra's": "hydra: {sweeper: {params: {+hydra.job.env_set.CXX: a}}}",
    "overrides for the processes of a run": "hydra: {overrides: {task: ['+hydra.job.env_set.CXX={mark}']}}",
    "overrides for the jobs of a sweep": "hydra: {overrides: {hydra: ['+hydra.job.env_set.CXX={mark}']}}",
    "overrides by interpolation": "y: [model=tiny]\nhydra: {overrides: {task: '${y}'}}",
    "where Hydra writes": "hydra: {runtime: {output_dir: '{mark}'}}",
    "a value of a sweep": "hydra: {sweeper: {params: {x: {_target_: os.mkdir, path: '{mark}'}}}}",
    "an object for a sweep's values": "hydra: {sweeper: {params: {_target_: os.mkdir, path: '{mark}'}}}",
    "objects in a sweep's values": "hydra: {sweeper: {params: {x: [{_target_: os.mkdir, path: '{mark}'}]}}}",
    "a sweep's values by interpolation": "y: {_target_: os.mkdir}\nhydra: {sweeper: {params: {x: '${y}'}}}",
    "an object among the choices": "hydra: {runtime: {choices: {x: {_target_: os.mkdir}}}}",
    "a function of another package": "model: {_target_: os.system}",
    "a function of ours": "model: {_target_: lifecode.host.durable.delete_partials, path: x}",
    "code of a model": "model: {trust_remote_code: true}",
    "code of a model by interpolation": "y: true\nmodel: {trust_remote_code: '${y}'}",
    "in a list": "x: [1, [{a: {_target_: lifecode.app.hydra_app.run_verb}}]]",
    "bound only": "model: {codec: {_target_: lifecode.host.durable.replacing, _partial_: true}}",
    "by interpolation": "y: os.system\nmodel: {_target_: '${y}'}",
    "a trainer": "model: {_target_: lightning.pytorch.Trainer}",
    "made by oc.create": "model: '${oc.create:{_target_: lifecode.models.nothing}}'",
    "made by oc.decode": "model: '${oc.decode:\"{_target_: lifecode.models.nothing}\"}'",
    "a default of oc.select": "model: '${oc.select:nothing,{_target_: lifecode.models.nothing}}'",
    "by other words": "z: create\nmodel: '${oc.${z}:{_target_: lifecode.models.nothing}}'",
    "a password": "name: '${oc.env:LIFECODE_SECRET}'",
    "a password by other words": "z: env\nname: '${oc.${z}:LIFECODE_SECRET}'",
}
GROUPS = ["hydra/launcher", "hydra/job_logging", "hydra/callbacks", "model", "logger"]

REASONS = [
    *(
        "a folder may not set this",
        "is not allowed",
        "is not made to be configured",
        "a folder may not use ${oc.",
    ),
    # Hydra's own refusals, and ours of a sweep without -m
    *("Key 'setup' not in", "Error merging", "only supported from the primary config", "runs over values of"),
]


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """Runs a verb with an experiment of a stranger."""
    monkeypatch.setenv("LIFECODE_SECRET", "password")
    monkeypatch.chdir(tmp_path)

    def run(content, *arguments, verb="info", name="experiment/theirs.yaml"):
        file = tmp_path / "conf" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        content = content.replace(MARK, str(tmp_path / "mark"))
        file.write_text(f"# @package _global_\n{content}\n", "utf-8", "surrogateescape")
        code = main([verb, "--config-dir", str(tmp_path / "conf"), *arguments])
        assert not (tmp_path / "mark").exists()
        assert os.environ.get("CXX") != str(tmp_path / "mark")
        return code

    return run


@pytest.mark.parametrize("what", CODE)
@pytest.mark.parametrize("multirun", [[], ["-m"]])
def test_no_code_runs(what, multirun, stranger, capsys):
    assert stranger(CODE[what], "+experiment=theirs", "model=tiny", *multirun) == 2
    out, err = capsys.readouterr()
    told = [line for line in err.splitlines() if line.startswith("lifecode info: ")]
    assert len(told) == 1
    assert any(reason in err for reason in REASONS), err
    assert "Traceback" not in err
    assert "password" not in out + err


BOMB = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
PARAMS = "hydra: {sweeper: {params: {"
MALFORMED = {
    "exponential anchors": ("a0: &a0 [1]\n" + BOMB, "it has YAML anchors"),
    "a list within itself": ("a: &a [*a]", "it has YAML anchors"),
    "deep lists": ("a: " + "[" * 3000 + "]" * 3000, "nest"),
    "no text": ("a: \udcff", "no text in UTF-8"),
    "a number": ("5", "no mapping"),
    "a large file": ("a: 1\n" + "# \n" * (1 << 19), "larger than"),
    "no YAML": ("a: [", "no YAML"),
    "a number of more digits than Python reads": ("a: " + "1" * 5000, "cannot be composed"),
    "a config that includes itself": ("defaults: [theirs]", "includes itself"),
    "defaults of no kind": ("defaults: [{a: {b: c}}]", "cannot be composed"),
    "a long range": (PARAMS + "seed: 'range(0,100000000000)'}}}", "more than 10,000 jobs"),
    "a shuffled range": (PARAMS + "seed: 'shuffle(range(0,1e11))'}}}", "more than 10,000 jobs"),
    "a range without end": (PARAMS + "seed: 'range(0,inf)'}}}", "more than 10,000 jobs"),
    "deep values of a sweep": (PARAMS + "seed: '" + "[" * 3000 + "]" * 3000 + "'}}}", "nested too deeply"),
    "ranges of many jobs": (PARAMS + "a: 'range(0,999)', b: 'range(0,999)'}}}", "more than 10,000 jobs"),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_files_that_are_no_plain_configs(what, stranger, capsys):
    content, said = MALFORMED[what]
    assert stranger(content, "-m", "+experiment=theirs", "model=tiny") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("lifecode info: ")
    assert said in line
    assert len(line) < 600


def test_a_sweep_over_their_experiments_is_checked_job_by_job(stranger, capsys):
    stranger("model: {width: 64}", "+experiment=fine", name="experiment/fine.yaml")
    assert stranger(CODE["an environment variable"], "-m", "+experiment=fine,theirs") == 2
    assert "hydra.job.env_set.CXX: a folder may not set this" in capsys.readouterr().err


@pytest.mark.parametrize(
    "group", ["hydra/launcher", "hydra/job_logging", "hydra/callbacks", "model", "logger"]
)
def test_a_group_of_theirs_in_place_of_ours(group, stranger, capsys):
    content = "_target_: os.system\nhandlers: {x: {class: os.system}}"
    choice = "default" if group == "hydra/callbacks" else "theirs"
    verb = ["input=ecoli", "plan=true"]
    assert (
        stranger(
            content,
            f"+{group}@{group.replace('/', '.')}={choice}",
            *verb,
            verb="train",
            name=f"{group}/{choice}.yaml",
        )
        == 2
    )
    assert capsys.readouterr().err.startswith("lifecode train: ")


def test_a_verb_of_theirs_in_place_of_ours(stranger, capsys):
    assert stranger("hydra: {searchpath: ['pkg://antigravity']}", name="info.yaml") == 2
    assert "would take the place of the verb's own config" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["save_dir: '{mark}'", "offline: false", "settings: {x: 1}"])
def test_loggers_write_where_ours_do(line, stranger, capsys):
    content = f"defaults: [{{override /logger: wandb}}]\nlogger: {{wandb: {{{line}}}}}"
    assert stranger(content, "experiment=theirs", "input=ecoli", "plan=true", verb="train") == 2
    assert "logger.wandb" in capsys.readouterr().err


BEST = "lightning.pytorch.callbacks.ModelCheckpoint"


@pytest.mark.parametrize(
    "content",
    [
        f"trainer: {{callbacks: {{x: {{_target_: {BEST}, dirpath: '{{mark}}'}}}}}}",
        "defaults: [{override /callbacks: best_checkpoint}]\n"
        "trainer: {callbacks: {best_checkpoint: {dirpath: '{mark}'}}}",
        "trainer: {profiler: {_target_: lightning.pytorch.profilers.SimpleProfiler, dirpath: '{mark}'}}",
    ],
)
def test_what_a_trainer_calls_is_not_the_folders(content, stranger, capsys):
    assert stranger(content, "experiment=theirs", "input=ecoli", "plan=true", verb="train") == 2
    assert "a folder may not set this" in capsys.readouterr().err


@pytest.mark.parametrize(
    "own",
    [
        ["callbacks=early_stopping", "trainer.callbacks.early_stopping.patience=3"],
        ["callbacks=[early_stopping,best_checkpoint]", "profiler=simple"],
        ["+trainer.callbacks.x._target_=lightning.pytorch.callbacks.DeviceStatsMonitor"],
    ],
)
def test_what_a_trainer_calls_is_the_command_lines(own, stranger):
    content = "model: {width: 64}"
    assert stranger(content, "experiment=theirs", "input=ecoli", "plan=true", *own, verb="train") == 0


def test_what_a_folder_is_for(stranger, capsys):
    good = (
        "defaults: [{override /model: tiny}]\nmodel: {width: 64}\nhydra: {sweeper: {params: {seed: '1,2'}}}"
    )
    assert stranger(good, "experiment=theirs", "input=ecoli", "plan=true", verb="train") == 2
    assert "the config runs over values of seed" in capsys.readouterr().err
    assert stranger(good, "-m", "experiment=theirs", "input=ecoli", "plan=true", "name=x", verb="train") == 0
    assert capsys.readouterr().out.count("Plan of x") == 2


def test_the_command_line_stays_free(stranger, capsys):
    own = ["+hydra.job.env_set.LIFECODE_OWN=1", "hydra/launcher=joblib", "hydra.launcher.n_jobs=1"]
    assert stranger("model: {width: 64}", "+experiment=theirs", *own) == 0
    assert "12 layers of width 64" in capsys.readouterr().out


def test_the_processes_of_a_run_get_what_was_typed(stranger, monkeypatch):
    given = []
    monkeypatch.setattr("lifecode.verbs.info.run", lambda config: given.append(launch._overrides("it's")))
    own = ["+experiment=fine", "model=tiny", "hydra.verbose=false"]
    assert stranger("model: {width: 64}", *own, name="experiment/fine.yaml") == 0
    assert stranger("model: {width: 64}", *own, "+seed=1,2", "-m", name="experiment/fine.yaml") == 0
    start = ["+experiment=fine", "model=tiny"]
    run_dir = r"run_dir='it\'s'"
    assert [line[1:] for line in given] == [
        [*start, run_dir],
        *([*start, f"+seed={seed}", run_dir] for seed in (1, 2)),
    ]
    settings = SimpleNamespace(overrides=SimpleNamespace(task=["model=theirs"]), runtime=SimpleNamespace())
    settings.runtime.config_sources = []
    monkeypatch.setattr("lifecode.app.launch.HydraConfig", SimpleNamespace(get=lambda: settings))
    with started_as(Start("lifecode info", overrides=start)):
        assert launch._overrides("r") == [*start, "run_dir='r'"]


def test_a_ratio_that_yaml_takes_for_a_number(stranger, capsys):
    assert stranger("model: {hybrid_ratio: 5:1}", "+experiment=theirs") == 2
    assert 'YAML reads 5:1 without quotes as the number 301: write "5:1"' in capsys.readouterr().err


def test_a_key_that_nothing_reads_is_refused(tmp_path, capsys):
    folder = tmp_path / "experiment"
    folder.mkdir()
    for text, said in {
        "seeed: 3": "--config-dir: no config key 'seeed'. Did you mean seed?",
        "mine: 1": "",  # given on the command line too
    }.items():
        (folder / "own.yaml").write_text(f"# @package _global_\n{text}\n")
        given = ["++mine=2"] if "mine" in text else []
        code = main(["train", "-cd", str(tmp_path), "experiment=own", *given, "--cfg", "job", "-p", "seed"])
        assert (code, said in capsys.readouterr().err) == (2 if said else 0, True)


def test_which_keys_are_read():
    known = {"seed", "objective.freeze_tokenizer", "pretraining.labels"}
    read = {"seed": 1, "base": 2, "lr": "${base}", "model": {"_target_": "x", "y": 1}, "mine": {"a": 1}}
    require_read({**read, "pretraining": {"labels": {"any": "thing"}}}, known, ["++mine.a=1", "+mine.b=2"])
    with pytest.raises(UserError, match=r"'objective\.freeze_tokeniser'.*mean objective\.freeze_tokenizer\?"):
        require_read({"objective": {"freeze_tokeniser": True}}, known, [])
