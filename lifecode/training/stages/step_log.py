"""Figures of one training step: for callbacks and progress bars through `log`, for loggers at once."""

from collections.abc import Collection, Mapping

import torch
from lightning import LightningModule, Trainer
from torch import Tensor


def log_step(
    module: LightningModule,
    figures: Mapping[str, Tensor | float],
    *,
    step: int,
    to_loggers: bool = True,
    on_bar: Collection[str] = (),
) -> None:
    """Logs figures of one training step, from a step or from a hook at its end.

    Callbacks see all of them in `trainer.callback_metrics`, and a figure that the step lacks with its last
    value, as in Lightning. Loggers get them here, as from Lightning's own `LearningRateMonitor`: through
    `LightningModule.log` they would get every figure that the step lacks once more, and only after the hooks
    in which the step is saved, so that a kill between the two would lose them.

    Args:
        module: that is trained.
        figures: by their full names, `stage/split/name`.
        step: 0-based.
        to_loggers: whether the loggers get them, too.
        on_bar: names of those that progress bars show.
    """
    for name, value in figures.items():
        module.log(name, value, on_step=True, on_epoch=False, logger=False, prog_bar=name in on_bar)
    trainer = module.trainer
    if not to_loggers or not figures or not isinstance(trainer, Trainer):
        return
    trainer.logged_metrics.update({name: torch.as_tensor(value).detach() for name, value in figures.items()})
    plain = {name: float(value) for name, value in figures.items()}
    for logger in trainer.loggers:
        logger.log_metrics(plain, step)
