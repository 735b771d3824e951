"""The presets for clusters: what they compose to, and the job that SLURM would be given."""

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.plugins import Plugins
from omegaconf import OmegaConf
from submitit.slurm.slurm import _make_sbatch_string

from lifecode.app.configs.construct import construct
from lifecode.app.configs.locate_config import config_folder
from lifecode.app.launch import _wait
from lifecode.errors import AlreadyReported, UserError
from lifecode.objectives import LogSum, MaxNorm, WeightedSum
from lifecode.training.processes import ALONE, _exit_code, joined
from lifecode.training.trainer import TrainerSettings


def composed(*overrides: str, hydra: bool = False):
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        return compose("train", overrides=list(overrides), return_hydra_config=hydra)


@pytest.mark.parametrize(
    ("preset", "processes", "precision"),
    [("default", 1, "32-true"), ("gpus_8", 8, "bf16-mixed"), ("nodes", 16, "bf16-mixed")],
)
def test_the_paper_composes_with_every_trainer(preset, processes, precision):
    config = composed("experiment=life_code", f"trainer={preset}", f"trainer.devices={min(8, processes)}")
    settings: TrainerSettings = construct(config.trainer)
    assert settings.num_processes == processes
    assert settings.precision == precision
    assert construct(config.data.batch).rows_together(processes) == 2
    with torch.device("meta"):
        model = construct(config.model, teacher_width=1280)
    assert all(p.is_meta for p in model.parameters())


@pytest.mark.parametrize(
    ("override", "kind"),
    [
        ("objective/joint=log_sum", LogSum),
        ("objective/joint=max_norm", MaxNorm),
        ("objective/joint=weighted_sum", WeightedSum),
    ],
)
def test_a_joint_objective_is_one_word(override, kind):
    assert type(construct(composed(override).objective.joint)) is kind


def test_lagged_weights_are_one_value():
    assert construct(composed().objective.joint).ahead is False
    assert construct(composed("objective.joint.weights=lagged").objective.joint).ahead is True
    with pytest.raises(UserError, match=r"objective\.joint\.weights"):
        construct(composed("objective.joint.weights=stale").objective.joint)


def test_what_slurm_is_asked_for():
    config = composed("hydra/launcher=lifecode_slurm", "trainer=nodes", "trainer.num_nodes=4", hydra=True)
    config.hydra.runtime.cwd = "/shared/project"
    parameters = OmegaConf.to_container(config.hydra.launcher, resolve=True)
    assert parameters["submitit_folder"] == "/shared/project/.submitit/%j"
    launcher = Plugins.instance()._instantiate(config.hydra.launcher)
    assert type(launcher).__name__ == "SlurmLauncher"
    asked = {"nodes": parameters["nodes"], "ntasks_per_node": parameters["tasks_per_node"]}
    asked |= {"gpus_per_node": parameters["gpus_per_node"], "time": parameters["timeout_min"]}
    script = _make_sbatch_string(command="run", folder="/shared/project", **asked)
    for line in ("--nodes=4", "--ntasks-per-node=8", "--gpus-per-node=8", "--time=1440"):
        assert f"#SBATCH {line}" in script


def test_processes_that_were_not_started_are_missed():
    with pytest.raises(UserError, match="16, and 1 processes were started"), joined(16, gpu=False):
        pass
    with joined(1, gpu=False) as processes:
        assert processes is ALONE
        assert processes.from_first(lambda: 3) == processes.first_then_others(lambda: 3) == 3


def test_exit_codes_of_what_ends_the_others():
    errors = [UserError("x"), KeyboardInterrupt(), AlreadyReported(130), SystemExit("text"), ValueError()]
    assert [_exit_code(error) for error in errors] == [2, 130, 130, 1, 1]


class Child:
    """A process that ends by itself after some looks at it, or when it is killed."""

    def __init__(self, code: int, looks: float) -> None:
        self.code, self.looks = code, looks

    def poll(self):
        self.looks -= 1
        return self.code if self.looks < 0 else None

    def kill(self):
        if self.looks >= 0:
            self.code, self.looks = -9, 0

    def wait(self):
        assert self.looks <= 0
        return self.code


def test_the_others_are_killed_some_time_after_one_failed(monkeypatch):
    monkeypatch.setattr("lifecode.app.launch.GRACE_SECONDS", 0.2)
    assert _wait([Child(1, 0), Child(0, float("inf"))]) == [1, -9]
    assert _wait([Child(0, 0), Child(130, 20)]) == [0, 130]  # who saves is not hurried
