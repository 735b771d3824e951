"""Verbs from Python."""

import pytest

import lifecode
from lifecode.errors import UserError


def test_a_composed_config_is_that_of_the_command_line_and_can_be_changed():
    config = lifecode.compose("train", "experiment=quickstart", "model.width=64")
    assert (config.name, config.model.width, config.optim.encoder.total_steps) == ("quickstart", 64, 520)
    config.optim.encoder.total_steps = 20
    assert config.optim.encoder.total_steps == 20


def test_run_does_what_the_verb_does(capsys):
    config = lifecode.compose("info", "model=tiny")
    config.model.depth = 12
    config.model.hybrid_ratio = "11:1"
    lifecode.run("info", config)
    assert "3,148,986" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (lambda: lifecode.compose("train", "model.widht=64"), "Did you mean model.width"),
        (lambda: lifecode.compose("train", "model=huge"), "huge"),
        (lambda: lifecode.compose("trian"), "there is no verb 'trian'"),
        (lambda: lifecode.run("trian", lifecode.compose("info")), "there is no verb 'trian'"),
        (lambda: lifecode.run("train", lifecode.compose("train")), "input needs a value"),
        (lambda: lifecode.run("report", lifecode.compose("report")), "input needs a value"),
    ],
)
def test_a_mistake_is_a_user_error_that_names_it(wrong, named):
    with pytest.raises(UserError, match=named):
        wrong()


def test_several_processes_need_a_command(small_genome, tmp_path):
    config = lifecode.compose("train", f"input={small_genome}", f"run_dir={tmp_path}/run")
    config.trainer.devices = 2
    config.trainer.accelerator = "cpu"
    with pytest.raises(UserError, match=r"trainer\.devices: asks for 2 processes"):
        lifecode.run("train", config)
    assert not (tmp_path / "run").exists()
