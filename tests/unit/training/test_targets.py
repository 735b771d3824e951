"""Names of classes in configs: a run that was begun with other names goes on, and an old config builds."""

import pytest
import yaml
from omegaconf import OmegaConf

from lifecode.app.configs.configurable import is_ours
from lifecode.app.configs.construct import construct, locate
from lifecode.app.configs.locate_config import config_folder
from lifecode.app.from_python import compose
from lifecode.errors import UserError
from lifecode.training.run.run_folder import RunFolder, read_run_config
from lifecode.training.run.targets import _TODAY, todays_target
from tests.support.old_runs import BEFORE


def todays_config(*overrides):
    config = compose("train", "experiment=quickstart", "data/split=contigs", *overrides)
    return OmegaConf.to_container(config, resolve=True)


def test_a_run_that_was_begun_with_other_names_of_classes_goes_on(tmp_path):
    (tmp_path / "config.yaml").write_text(BEFORE.read_text())
    assert "lifecode.data.batch_shape.BatchShape" in BEFORE.read_text()
    with RunFolder(tmp_path, todays_config()).begun():
        pass
    assert "batch_shape" not in (tmp_path / "config.yaml").read_text()
    with pytest.raises(UserError, match=r"data\.split\._target_ was 'lifecode\.data\.ContigSplit'"):
        RunFolder(tmp_path, todays_config("data.split._target_=lifecode.data.split.BlockSplit"))


def test_a_run_of_today_goes_on_with_a_config_of_before(tmp_path):
    today = todays_config()
    for node in (today["model"], today["model"]["codec"]):
        del node["short_conv_width"]  # which came later
    del today["data"]["mixture"]["joined"]  # likewise
    with RunFolder(tmp_path, today).begun():
        pass
    RunFolder(tmp_path, yaml.safe_load(BEFORE.read_text())).close()


def test_an_old_config_builds():
    config = OmegaConf.create(yaml.safe_load(BEFORE.read_text()))
    for key in ("data.batch", "data.split", "data.mixture", "optim.encoder", "heldout"):
        node = OmegaConf.select(config, key)
        assert todays_target(node._target_) != node._target_
        assert is_ours(type(construct(node)))


def test_every_old_name_leads_to_a_class_that_configs_name_today():
    ours = {line.split()[-1] for path in config_folder().rglob("*.yaml") for line in _targets(path)}
    assert set(_TODAY.values()) <= ours
    assert not ours & _TODAY.keys()
    for old, today in _TODAY.items():
        assert locate(old, "") is locate(today, "")
        assert is_ours(locate(today, ""))


def _targets(path):
    return [line for line in path.read_text().splitlines() if "_target_:" in line]


def test_the_names_of_a_run_folder_are_those_of_today():
    config = read_run_config(BEFORE)
    assert config["data"]["tokenizer_batch"]["_target_"] == "lifecode.data.BatchShape"
    assert config["optim"]["encoder"]["_target_"] == "lifecode.training.OptimizerRecipe"
