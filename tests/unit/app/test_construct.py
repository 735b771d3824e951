"""Config nodes to objects: what passes, what is refused, and which key the refusal names."""

import sys
import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
import yaml
from omegaconf import OmegaConf

from lifecode.app.configs import configurable
from lifecode.app.configs.construct import checked_value, construct, locate
from lifecode.app.configs.locate_config import config_folder
from lifecode.errors import UserError

MODULE = "lifecode.toy"  # a module that exists for this test only


@dataclass
class Shape:
    codons: int
    slack: float = 0.0


class Everything:
    """A constructor with every kind of annotation the library uses."""

    def __init__(
        self,
        *,
        count: int = 1,
        rate: float = 0.5,
        flag: bool = False,
        word: str = "",
        mode: Literal["near", "far"] = "near",
        maybe: int | None = None,
        place: Path = Path(),
        pair: tuple[float, float] = (0.0, 0.0),
        numbers: Sequence[int] = (),
        stream: Iterable[int] = (),
        by_name: dict[str, float] | None = None,
        shape: Shape | None = None,
        shapes: Sequence[Shape] = (),
        part: object = None,
        typed_part: torch.nn.Module | None = None,
        parts: list[torch.nn.Module] | None = None,
        maker: Callable[[], Any] | None = None,
        untyped=None,
    ) -> None:
        self.__dict__.update({name: value for name, value in locals().items() if name != "self"})


class Written:
    """Its annotations are text, as under `from __future__ import annotations`."""

    def __init__(self, width: "int", shape: "Shape | None" = None) -> None:
        self.width, self.shape = width, shape


class Child(Written):
    """Inherits its constructor."""


class Open:
    """Takes anything by name."""

    def __init__(self, width: int = 1, **more: Any) -> None:
        self.width, self.more = width, more


class Picky:
    def __init__(self, width: int, *, source: str | None = None, plain: bool = False) -> None:
        if plain:
            raise ValueError(f"{width} is odd")
        raise UserError(f"{width} is odd", source=source, remedy="Take an even one")


def double(width: int) -> int:
    return 2 * width


TOYS = (Shape, Everything, Written, Child, Open, Picky)


@pytest.fixture(autouse=True)
def toy_module(monkeypatch):
    module = types.ModuleType(MODULE)
    for thing in (*TOYS, double):
        monkeypatch.setattr(thing, "__module__", MODULE)
        setattr(module, thing.__name__, thing)
    module.system = __import__("os").system
    module.Path = Path
    monkeypatch.setitem(sys.modules, MODULE, module)
    names = {f"{MODULE}.{toy.__name__}" for toy in TOYS}
    named = configurable.names_in_configs() | names
    monkeypatch.setattr("lifecode.app.configs.configurable.names_in_configs", lambda: named)


def node(name: str, **values: Any) -> Any:
    return OmegaConf.create({"model": {"_target_": f"{MODULE}.{name}", **values}, "width": 3}).model


@pytest.mark.parametrize(
    ("name", "value", "received"),
    [
        ("count", 3, 3),
        ("rate", 3, 3.0),
        ("rate", 1e-4, 1e-4),
        ("flag", True, True),
        ("word", "11:1", "11:1"),
        ("mode", "far", "far"),
        ("maybe", None, None),
        ("maybe", 3, 3),
        ("place", "runs/ß", Path("runs/ß")),
        ("pair", [1, 0.5], (1.0, 0.5)),
        ("numbers", [1, 2], [1, 2]),
        ("stream", [1, 2], [1, 2]),
        ("by_name", {"a": 1}, {"a": 1.0}),
        ("shape", {"codons": 4}, Shape(4)),
        ("shapes", [{"codons": 4, "slack": 1}], [Shape(4, 1.0)]),
        ("untyped", {"a": [1]}, {"a": [1]}),
    ],
)
def test_a_value_of_the_right_type_arrives(name, value, received):
    got = getattr(construct(node("Everything", **{name: value})), name)
    assert got == received
    assert type(got) is type(received)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("count", 3.0, "integer"),
        ("count", True, "integer"),
        ("count", "3", "integer"),
        ("count", None, "integer"),
        ("rate", "1e-4", "number"),
        ("rate", True, "number"),
        ("rate", float("nan"), "a number in place of nan"),
        ("by_name", {"a": float("nan")}, "a number in place of nan"),
        ("rate", float("inf"), "a finite number"),
        ("pair", [1, float("-inf")], "a finite number"),
        ("flag", 1, "boolean"),
        ("flag", "yes", "boolean"),
        ("word", 661, "string"),
        ("mode", "fra", "'near' or 'far'"),
        ("maybe", "x", "integer"),
        ("pair", [1], "tuple[float, float]"),
        ("numbers", "12", "array"),
        ("numbers", [1, "2"], "integer at 1"),
        ("stream", [1, "2"], "integer"),
        ("by_name", {"a": "b"}, "number at a"),
        ("shape", {"codons": "4"}, "integer at codons"),
        ("shape", {"codon": 4}, "Shape"),
        ("typed_part", "relu", "torch.nn.modules.module.Module | None"),
        ("maker", "os.system", "callable"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(name, value, expected):
    with pytest.raises(UserError) as caught:
        construct(node("Everything", **{name: value}))
    assert str(caught.value).startswith(f"model.{name}: is {value!r}, expected ")
    assert expected in str(caught.value)


@pytest.mark.parametrize("name", ["Written", "Child"])
def test_annotations_that_are_text_are_checked_too(name):
    built = construct(node(name, width=3, shape={"codons": 2}))
    assert built.shape == Shape(2)
    with pytest.raises(UserError, match=r"model\.width: is 'x', expected integer"):
        construct(node(name, width="x"))


def test_nested_nodes_are_built_first_and_objects_pass():
    linear = torch.nn.Linear(1, 1)
    inner = {"_target_": f"{MODULE}.Shape", "codons": "${width}"}
    built = construct(node("Everything", part=inner, by_name=None), parts=[linear], typed_part=linear)
    assert built.part == Shape(3)
    assert built.parts == [linear]


def test_nodes_inside_lists_and_mappings_are_built():
    inner = {"_target_": f"{MODULE}.Shape", "codons": 1}
    assert construct(node("Everything", untyped=[inner, inner])).untyped == [Shape(1)] * 2
    assert construct(node("Everything", untyped={"a": inner})).untyped == {"a": Shape(1)}


def test_a_fault_in_a_nested_node_names_its_full_key():
    inner = {"_target_": f"{MODULE}.Shape", "codons": "x"}
    for place, values in {"part": {"part": inner}, "untyped[1]": {"untyped": [1, inner]}}.items():
        with pytest.raises(UserError) as caught:
            construct(node("Everything", **values))
        assert str(caught.value).startswith(f"model.{place}.codons: is 'x'")


def test_partial_waits_for_the_rest():
    make = construct(node("Written", _partial_=True, shape={"codons": 2}))
    assert (make(3).width, make(3).shape) == (3, Shape(2))
    with pytest.raises(UserError, match=r"model\.shape"):
        construct(node("Written", _partial_=True, shape=5))
    with pytest.raises(UserError, match=r"model\._partial_: is 'yes'"):
        construct(node("Written", _partial_="yes"))


def test_a_plain_dict():
    assert construct({"_target_": f"{MODULE}.Written", "width": 4}).width == 4
    with pytest.raises(UserError, match=r"^lifecode\.toy\.Written\.width: is 'x'"):
        construct({"_target_": f"{MODULE}.Written", "width": "x"})


def targets(node):
    if isinstance(node, dict):
        yield from [node["_target_"]] if "_target_" in node else []
        yield from (target for value in node.values() for target in targets(value))


def test_what_our_configs_name_can_be_built_and_what_they_do_not_cannot():
    files = [yaml.safe_load(path.read_text()) for path in config_folder().rglob("*.yaml")]
    named = {target for file in files for target in targets(file)}
    assert named | {f"{MODULE}.{toy.__name__}" for toy in TOYS} == configurable.names_in_configs()
    assert all(locate(target, "") for target in named)
    loggers = {name for name in named if configurable.is_our_logger(locate(name, ""))}
    assert loggers == {f"lightning.pytorch.loggers.{name}Logger" for name in ("TensorBoard", "Wandb")}
    assert {name for name in named if configurable.is_ours(locate(name, ""))} == {
        name for name in named if name.startswith("lifecode.")
    }
    with pytest.raises(UserError, match="not made to be configured"):
        locate("lifecode.training.run.run_folder.RunFolder", "")


def test_extra_arguments_win():
    assert construct(node("Written", width="ignored"), width=7).width == 7


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("Written", {"widht": 3}, "model.widht: lifecode.toy.Written takes no 'widht'. Did you mean width?"),
        ("Written", {"x": 3}, "model.x: lifecode.toy.Written takes no 'x'. It takes width, shape"),
        ("Written", {"_args_": [3]}, "takes no '_args_'"),
        ("Written", {}, "model.width: lifecode.toy.Written needs a value. Give it as +model.width=..."),
        ("Written", {"width": "???"}, "model.width: needs a value. Give it as model.width=..."),
        (
            "Writen",
            {},
            "model._target_: there is no 'lifecode.toy.Writen'. Did you mean lifecode.toy.Written?",
        ),
        ("Written.nothing", {}, "model._target_: there is no 'lifecode.toy.Written.nothing'"),
        ("Picky", {"width": 3}, "model: 3 is odd. Take an even one"),
        ("Picky", {"width": 3, "source": "a.fa"}, "a.fa: 3 is odd. Take an even one"),
        ("Picky", {"width": 3, "plain": True}, "model: 3 is odd"),
    ],
)
def test_what_a_mistake_says(name, values, said):
    with pytest.raises(UserError) as caught:
        construct(node(name, **values))
    assert said in str(caught.value)


def test_names_that_a_constructor_leaves_open_pass():
    assert construct(node("Open", width=2, other=[1])).more == {"other": [1]}


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.exec",
        "torch.load",
        "torch.hub.load",
        "lifecode",
        "lifecodex.run",
        f"{MODULE}.double",
        f"{MODULE}.system",
        f"{MODULE}.Path",
        "lifecode.app.hydra_app.shutil.rmtree",
        "lifecode.app.hydra_app._report",
        "lifecode.app.hydra_app.os",
        "lightning.fabric.utilities.cloud_io._load",
        "lightning.pytorch.cli.LightningCLI",
        "lightning.pytorch.core.saving.load_hparams_from_yaml",
        # Of ours, what deletes, writes, starts a process or runs a verb.
        "lifecode.training.run.checkpoint_file.delete_checkpoint",
        "lifecode.training.run.checkpoint_file.keep_checkpoints",
        "lifecode.host.durable.delete_partials",
        "lifecode.host.durable.new_file",
        "lifecode.host.durable.replacing",
        "lifecode.host.checksum.write_json",
        "lifecode.data.corpus.prepare.prepare_corpus",
        "lifecode.data.prepare_corpus",
        "lifecode.data.corpus.folder.partial_folder",
        "lifecode.data.corpus.unit_folder.store_unit",
        "lifecode.verbs.train.metrics_file.write_metrics",
        "lifecode.app.hydra_app.run_verb",
        "lifecode.app.main.main",
        "lifecode.app.from_python.run",
        "lifecode.run",
        "lifecode.load",
        "lifecode.models.families.load",
        "lifecode.models.pretrained.save",
        "lifecode.report.charts.figure_style.save_png",
        "lifecode.training.run.run_folder.RunFolder",
        "lifecode.training.run.metrics_csv.MetricsCsv",
        "lifecode.teachers.cache.FeatureCache",
        "lifecode.verbs.embed.embedding_store.EmbeddingStore",
        "lifecode.models.life_code.model.LifeCode.from_pretrained",
        "lightning.pytorch.tuner.Tuner",
        "lightning.pytorch.strategies.DeepSpeedStrategy",
        "lightning.pytorch.plugins.io.AsyncCheckpointIO",
        "torch.optim.swa_utils.update_bn",
        "torch.optim.lr_scheduler.partial",
        7,
    ],
)
def test_a_config_reaches_only_what_is_made_to_be_configured(target):
    with pytest.raises(UserError, match=r"^model\._target_: "):
        construct(OmegaConf.create({"model": {"_target_": target}}).model)


def test_the_optimizers_and_callbacks_that_configs_name():
    config = OmegaConf.create(
        {
            "optim": {"_target_": "torch.optim.AdamW", "_partial_": True, "lr": 1, "betas": [0.9, 0.95]},
            "schedule": {"_target_": "torch.optim.lr_scheduler.StepLR", "_partial_": True, "step_size": 3},
            "keep": {"_target_": "lightning.pytorch.callbacks.ModelCheckpoint", "monitor": "x"},
        }
    )
    optimizer = construct(config.optim)([torch.nn.Parameter(torch.zeros(1))])
    assert optimizer.defaults["betas"] == (0.9, 0.95)
    assert construct(config.schedule)(optimizer).step_size == 3
    assert construct(config.keep).monitor == "x"
    with pytest.raises(UserError, match=r"optim: Invalid learning rate: -1"):
        construct(
            OmegaConf.merge(config, {"optim": {"lr": -1, "_partial_": False}}).optim,
            params=optimizer.param_groups,
        )
    with pytest.raises(UserError, match=r"keep: Invalid value for save_top_k=-2"):
        construct(OmegaConf.merge(config, {"keep": {"save_top_k": -2}}).keep)
    with pytest.raises(UserError, match=r"keep\.save_top_k: is True, expected integer"):
        construct(OmegaConf.merge(config, {"keep": {"save_top_k": True}}).keep)


def test_a_trainer_of_lightning(tmp_path):
    values = {"max_steps": 3, "accelerator": "cpu", "devices": 1, "precision": "bf16-mixed", "logger": False}
    target = {"_target_": "lightning.pytorch.Trainer", "default_root_dir": str(tmp_path)}
    trainer = construct(OmegaConf.create({"trainer": target | values}).trainer)
    assert trainer.max_steps == 3
    for key, value in {"max_steps": "3", "precision": "bf15", "devices": 1.5}.items():
        with pytest.raises(UserError, match=rf"^trainer\.{key}: is "):
            construct(OmegaConf.create({"trainer": target | values | {key: value}}).trainer)


def test_a_missing_package_is_named(monkeypatch):
    def absent(name: str) -> None:
        raise ModuleNotFoundError("No module named 'rare'", name="rare")

    monkeypatch.setattr("lifecode.app.configs.construct.import_module", absent)
    with pytest.raises(UserError, match=r"needs the package 'rare', which is not installed"):
        construct(node("Written"))


def test_single_values_are_checked_under_their_key():
    config = OmegaConf.create({"data": {"split": "train"}, "input": ["a.fa", "b.fa"], "again": "${input}"})
    assert checked_value(config, "data.split", Literal["train", "test"]) == "train"
    assert checked_value(config, "again", str | list[str]) == ["a.fa", "b.fa"]
    with pytest.raises(UserError, match=r"^input: is \['a.fa', 'b.fa'\], expected string"):
        checked_value(config, "input", str)
