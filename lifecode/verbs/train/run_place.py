"""Where a run of any family trains: its folder, and the loggers of the first process."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, OmegaConf

from lifecode.app.configs.construct import checked_value
from lifecode.training.processes import Processes
from lifecode.training.run.run_folder import RunFolder
from lifecode.verbs.train.loggers import run_loggers


@contextmanager
def run_place(config: DictConfig, processes: Processes, require: Callable[[], None]) -> Iterator[RunFolder]:
    """The run folder, once nothing is wrong with the config; the first process opens it first.

    Args:
        config: of the run.
        processes: that train together.
        require: raises a `UserError` where something is wrong, before anything is written.
    """

    def opened() -> RunFolder:
        require()
        resolved: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # pyright: ignore
        return RunFolder(checked_value(config, "run_dir", str), resolved, writes=processes.is_first)

    with closing(processes.first_then_others(opened)) as folder:
        yield folder


@contextmanager
def with_loggers(config: DictConfig, folder: Path, processes: Processes) -> Iterator[list[Logger]]:
    """The loggers that a config names, on the first process."""
    with run_loggers(config, folder) if processes.is_first else nullcontext([]) as loggers:
        yield loggers
