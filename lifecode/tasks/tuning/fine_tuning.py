"""Fine-tuning as a LightningModule: steps that do not depend on how they are cut, and the best epoch kept."""

from typing import Any, NamedTuple

import numpy as np
import torch
from lightning import LightningModule
from numpy.typing import NDArray
from torch import Tensor

from lifecode.errors import UserError
from lifecode.evaluation.metrics import Metric
from lifecode.tasks.scores import score
from lifecode.tasks.tuning.network import TaskNetwork
from lifecode.tasks.tuning.rows import Row
from lifecode.training.stages.optimizer import OptimizerRecipe


class Judged(NamedTuple):
    """How good the weights of an epoch are on validation rows: by the task's metric, then by the loss."""

    value: float
    loss: float


class FineTuning(LightningModule):
    """Learns a task, under any Lightning `Trainer`, from steps that are lists of packed rows.

    After each epoch it is judged on validation rows; the best weights are kept, and `patience` epochs without
    a better one end it. What is drawn in a step depends on the seed and the number of the step alone.

    Args:
        network: encoder and head; what learns is decided in it.
        recipe: optimizer and schedule.
        metric: that epochs are judged by.
        patience: epochs.
        seed: of what a step draws.

    Attributes:
        best: of the epochs so far; None before the first.
        best_state: weights of that epoch.
        curve: what each epoch gave.
    """

    name = "fine-tuning"

    def __init__(
        self, network: TaskNetwork, recipe: OptimizerRecipe, *, metric: Metric, patience: int, seed: int
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.strict_loading = False  # frozen weights are in no checkpoint; the others are compared by name
        self.network, self.recipe, self.metric = network, recipe, metric
        self.patience, self.seed = patience, seed
        self.best: Judged | None = None
        self.best_state: dict[str, Tensor] = {}
        self.curve: list[dict[str, float]] = []
        self._since_best, self._train_total, self._train_count = 0, 0.0, 0.0
        self._judging: list[tuple[NDArray, NDArray, float, float]] = []

    def configure_optimizers(self) -> Any:
        """AdamW with warm-up and cosine."""
        optimizer, schedule = self.recipe.build(self)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def training_step(self, rows: list[Row], batch_idx: int) -> None:
        """One optimizer step: the mean loss over all labels of its rows."""
        torch.manual_seed(np.random.SeedSequence([self.seed, self.global_step]).generate_state(1)[0].item())
        optimizer = self.optimizers()
        optimizer.zero_grad()  # pyright: ignore[reportAttributeAccessIssue]
        count = sum(self.network.num_known(row.labels) for row in rows)
        total = 0.0
        for row in rows:
            loss = self.network.loss(self.network(row), row.labels)
            if count:
                self.manual_backward(loss / count)
            total += loss.item()
        if not np.isfinite(total):
            raise UserError(
                f"the loss is no finite number at step {self.global_step + 1}",
                source="fit",
                remedy="Use a smaller fit.lr",
            )
        torch.nn.utils.clip_grad_norm_(
            [p for p in self.parameters() if p.grad is not None], self.recipe.clip_norm
        )
        optimizer.step()  # pyright: ignore[reportAttributeAccessIssue]
        self.lr_schedulers().step()  # pyright: ignore
        self._train_total, self._train_count = self._train_total + total, self._train_count + count

    def validation_step(self, row: Row, batch_idx: int) -> None:
        """Keeps what the network says of a row."""
        outputs = self.network(row)
        total, count = self.network.loss(outputs, row.labels), self.network.num_known(row.labels)
        labels = row.labels.cpu().numpy()
        self._judging.append((labels, self.network.predictions(outputs), total.item(), count))

    def on_validation_epoch_start(self) -> None:
        """Begins anew, also where a validation was cut short."""
        self._judging = []

    def on_validation_epoch_end(self) -> None:
        """Judges the epoch, keeps the best weights, and ends the fit where nothing is gained any more."""
        judged = self._judged()
        epoch = {"step": float(self.global_step), "validation_loss": judged.loss}
        epoch["train_loss"] = self._train_total / max(1.0, self._train_count)
        if np.isfinite(judged.value):
            epoch[self.metric.name] = judged.value
        self.curve.append(epoch)
        self._train_total = self._train_count = 0.0
        if self.best is None or self._rank(judged) > self._rank(self.best):
            self.best, self._since_best = judged, 0
            self.best_state = {name: x.detach().cpu().clone() for name, x in self.network.learned().items()}
        else:
            self._since_best += 1
            if self._since_best >= self.patience:
                self.trainer.should_stop = True

    def _judged(self) -> Judged:
        labels = np.concatenate([part[0] for part in self._judging])
        predictions = np.concatenate([part[1] for part in self._judging])
        loss = sum(part[2] for part in self._judging) / max(1, sum(part[3] for part in self._judging))
        labels, predictions = self.network.known(labels, predictions)
        defined = len(np.unique(labels)) > 1
        return Judged(score(self.metric.name, labels, predictions) if defined else float("nan"), loss)

    def _rank(self, judged: Judged) -> tuple[float, float]:
        return rank(judged, self.metric)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps what learns, and leaves frozen weights out."""
        learned = {f"network.{name}" for name in self.network.learned()}
        state = checkpoint["state_dict"]
        checkpoint["state_dict"] = {name: value for name, value in state.items() if name in learned}
        checkpoint["fine_tuning"] = {
            "best": None if self.best is None else list(self.best),
            "best_state": self.best_state,
            "curve": self.curve,
            "since_best": self._since_best,
            "train": [self._train_total, self._train_count],
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes all of it up."""
        learned = {f"network.{name}" for name in self.network.learned()}
        if learned != set(checkpoint["state_dict"]):
            raise UserError("the checkpoint is of another tuning", remedy="Delete the unfinished folder")
        kept = checkpoint["fine_tuning"]
        self.best = None if kept["best"] is None else Judged(*kept["best"])
        self.best_state, self.curve = kept["best_state"], kept["curve"]
        self._since_best = kept["since_best"]
        self._train_total, self._train_count = kept["train"]


def rank(judged: Judged, metric: Metric) -> tuple[float, float]:
    """Orders what was judged, the best last; a metric that is undefined leaves it to the loss."""
    sign = -1 if metric.higher_is_better is False else 1
    value = sign * judged.value if np.isfinite(judged.value) else -np.inf
    return value, -judged.loss
