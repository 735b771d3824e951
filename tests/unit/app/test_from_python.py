"""Verbs from Python."""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.singleton import Singleton
from hydra.core.utils import JobRuntime
from hydra.version import VersionBase

import lifecode
from lifecode.errors import UserError
from tests.support.small_run import SMALL


def test_a_composed_config_is_that_of_the_command_line_and_can_be_changed():
    config = lifecode.compose("train", "experiment=quickstart", "model.width=64")
    assert (config.name, config.model.width, config.optim.encoder.total_steps) == ("quickstart", 64, 520)
    config.optim.encoder.total_steps = 20
    assert config.optim.encoder.total_steps == 20


def test_run_does_what_the_verb_does(capsys):
    config = lifecode.compose("info", "model=tiny")
    config.model.depth = 12
    config.model.hybrid_ratio = "11:1"
    described = lifecode.run("info", config)
    assert "3,148,986" in capsys.readouterr().out
    assert described.num_parameters == 3_148_986


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (lambda: lifecode.compose("train", "model.widht=64"), "Did you mean model.width"),
        (lambda: lifecode.compose("train", "model=huge"), "huge"),
        (lambda: lifecode.compose("trian"), "there is no verb 'trian'"),
        (lambda: lifecode.run("trian", lifecode.compose("info")), "there is no verb 'trian'"),
        (lambda: lifecode.run("train", lifecode.compose("train")), "input needs a value"),
        (lambda: lifecode.run(lifecode.compose("train")), "input needs a value"),
        (lambda: lifecode.run("train"), r"no config to run\. Give lifecode\.compose\('train', \.\.\.\)"),
        (lambda: lifecode.run("report", lifecode.compose("report")), "input needs a value"),
    ],
)
def test_a_mistake_is_a_user_error_that_names_it(wrong, named):
    with pytest.raises(UserError, match=named):
        wrong()


def test_compose_in_a_job_of_another_hydra_program_and_from_threads(tmp_path):
    """Which stays in the middle of its own, of another version of Hydra's behaviour."""
    (tmp_path / "theirs.yaml").write_text("a: 1\nb: ${hydra:job.name}\n")
    with initialize_config_dir(str(tmp_path), job_name="host", version_base="1.1"):
        host, base = GlobalHydra.instance().hydra, VersionBase.instance().getbase()
        with ThreadPoolExecutor(8) as threads:
            configs = list(threads.map(lambda seed: lifecode.compose("train", f"seed={seed}"), range(16)))
        assert [config.seed for config in configs] == list(range(16))
        assert "hydra" not in configs[0]
        assert GlobalHydra.instance().hydra is host
        assert VersionBase.instance().getbase() is base
        assert JobRuntime.instance().get("name") == "host"
        with pytest.raises(UserError):
            lifecode.compose("train", "no.such=1")
        assert GlobalHydra.instance().hydra is host
        assert hydra_compose("theirs").a == 1


def test_compose_leaves_nothing_of_hydra_behind():
    before = dict(Singleton._instances)
    for kind in (VersionBase, JobRuntime, GlobalHydra):
        Singleton._instances.pop(kind, None)
    try:
        lifecode.compose("info")
        assert not {VersionBase, JobRuntime, GlobalHydra} & Singleton._instances.keys()
    finally:
        Singleton._instances.update(before)


def test_run_in_a_thread_also_where_signals_are_taken_over(small_genome, tmp_path):
    """As a web worker or a notebook's server does; only the main thread may decide about signals."""
    config = lifecode.compose("train", f"input={small_genome}", f"run_dir={tmp_path}/run", *SMALL)
    config.stage, config.teacher.model = "tokenizer", None
    before = signal.getsignal(signal.SIGTERM)
    with ThreadPoolExecutor(1) as thread:
        run = thread.submit(lifecode.run, config).result()
    assert run.folder == tmp_path / "run"
    assert signal.getsignal(signal.SIGTERM) is before
    assert (tmp_path / "run/tokenizer/model/model.safetensors").exists()


def test_several_processes_need_a_command(small_genome, tmp_path):
    config = lifecode.compose("train", f"input={small_genome}", f"run_dir={tmp_path}/run")
    config.trainer.devices = 2
    config.trainer.accelerator = "cpu"
    with pytest.raises(UserError, match=r"trainer\.devices: asks for 2 processes"):
        lifecode.run("train", config)
    assert not (tmp_path / "run").exists()
