"""Loggers beside metrics.csv, as one run each over all sittings of a run folder."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from typing import Any

from lightning.pytorch.loggers import Logger, WandbLogger
from omegaconf import DictConfig, OmegaConf

from lifecode.app.configs.construct import construct
from lifecode.errors import UserError
from lifecode.evaluation.evaluate import SPLIT
from lifecode.evaluation.tally import Mean
from lifecode.host.durable import disk_faults_named, replacing

_WANDB_RUN = "wandb_run.txt"


@contextmanager
def run_loggers(config: DictConfig, folder: Path) -> Iterator[list[Logger]]:
    """The loggers that `config.logger` names, with the run's config; closed at the end, whatever it is.

    A sweep has many runs in one process, and each is a run of its own to W&B; a run that goes on in another
    sitting is the same one again (`wandb sync --append` for what was written offline). Where W&B does not let
    this user in, or cannot be reached, the run is logged offline.

    Args:
        config: of the run.
        folder: of the run.
    """
    resolved: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # pyright: ignore
    loggers: list[Logger] = []
    try:
        for node in config.logger.values():
            loggers.append(_opened(node, folder, resolved))
        yield loggers
    except BaseException:
        _close(loggers, failed=True)
        raise
    _close(loggers, failed=False)


def check_loggers(config: DictConfig) -> None:
    """Checks what can be known of them without starting one."""
    for node in config.logger.values():
        construct({**node, "_partial_": True})
        if str(node._target_).endswith(".TensorBoardLogger") and not find_spec("tensorboard"):
            raise UserError(
                "needs the package tensorboard, which is not installed",
                source="logger=tensorboard",
                remedy="pip install 'lifecode[tensorboard]'",
            )


def log_held_out(loggers: list[Logger], figures: Mapping[str, Mean], step: int) -> None:
    """The figures on genes that were never seen, as `test/...`."""
    for logger in loggers:
        logger.log_metrics({f"{SPLIT}/{name}": figure.value for name, figure in figures.items()}, step)


def _logger(node: DictConfig, folder: Path) -> Logger:
    if not str(node.get("_target_", "")).endswith(".WandbLogger"):
        return construct(node)
    online = {} if node.get("offline") else {"resume": "allow"}
    return construct(node, id=_wandb_run(folder), **online)


def _opened(node: DictConfig, folder: Path, config: dict[str, Any]) -> Logger:
    """The logger with the run's config, which begins a W&B run."""
    from wandb.errors import Error as WandbError  # two thirds of a second, for those who log

    logger = _logger(node, folder)
    try:
        logger.log_hyperparams(config)
    except WandbError as error:
        print(
            f"logger.wandb: W&B cannot be used ({error}). This sitting is logged offline: `wandb login`, "
            f"then `wandb sync {node.save_dir}/wandb/offline-run-*`",
            file=sys.stderr,
        )
        # `offline` alone sets an environment variable, which W&B reads once a process.
        logger = construct(node, id=_wandb_run(folder), offline=True, mode="offline")
        logger.log_hyperparams(config)
    return logger


def _wandb_run(folder: Path) -> str:
    """The name by which W&B knows the run of a folder."""
    path = folder / _WANDB_RUN
    if not path.exists():
        with disk_faults_named(path), replacing(path) as file:
            file.write(token_hex(4).encode())
    return path.read_text()


def _close(loggers: list[Logger], *, failed: bool) -> None:
    for logger in loggers:
        logger.finalize("failed" if failed else "success")
        if isinstance(logger, WandbLogger):
            logger.experiment.finish(exit_code=int(failed))
