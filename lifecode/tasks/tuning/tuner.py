"""Fine-tuning in every round of a comparison: the grid on validation rows, each fit kept against a kill."""

import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lifecode.evaluation.metrics import Metric
from lifecode.host.checksum import digest_of
from lifecode.models.life_code.evaluation_mode import in_evaluation
from lifecode.models.saved import SavedModel
from lifecode.tasks.examples.examples import Examples, flat
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.families.place import Place
from lifecode.tasks.features.encoder import ModelEncoder
from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.splits.rounds import Round
from lifecode.tasks.tuning.adapters import with_adapters
from lifecode.tasks.tuning.chosen_framing import chosen_framing
from lifecode.tasks.tuning.fine_tuning import rank
from lifecode.tasks.tuning.fitting import KeptFit, finished_fit, fit_network, trainer_settings
from lifecode.tasks.tuning.frozen_states import FrozenStates
from lifecode.tasks.tuning.network import TaskNetwork, predicted
from lifecode.tasks.tuning.new_network import class_weights, network_of
from lifecode.tasks.tuning.rows import rows_of
from lifecode.tasks.tuning.settings import Candidate, TrainedHead, TuningSettings
from lifecode.tasks.tuning.steps import Steps

_STANDARDISED_ON = 1_024
"""Training examples, at most, that mean and deviation of the features are taken from."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The point of the grid that was best in a round.

    Attributes:
        candidate: the point.
        fit: its fit, whose weights are on the disk where a folder keeps them.
        tried: every point with what it gave on the validation rows; a metric that is undefined there is None.
    """

    candidate: Candidate
    fit: KeptFit
    tried: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Tuned:
    """A network at its best epoch.

    Attributes:
        network: in evaluation mode.
        adapted: the `peft.PeftModel` around its encoder, of `lora`.
        head: its settings, of a grid the point that was chosen.
    """

    network: TaskNetwork
    adapted: Any
    head: TrainedHead


class Tuner:
    """Tunes one encoder on rounds of one task.

    Args:
        model: which stays as it is.
        settings: how.
        examples: of all rounds.
        validation: (n,) rows that a user has set apart; in a round that has none of them a fifth of its
            training rows is, in whole groups.
        labels: kind and classes.
        molecule: what sequences are; the sides of pairs say it themselves.
        metric: that epochs and points of the grid are judged by.
        folder: that keeps what is done; None keeps nothing.
        say: told what is being done.
    """

    def __init__(
        self,
        model: SavedModel,
        settings: TuningSettings,
        *,
        examples: Examples | PairExamples,
        validation: NDArray[np.int64],
        labels: Labels,
        molecule: Molecule | None = None,
        metric: Metric,
        folder: Path | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.model, self.settings, self.examples = in_evaluation(model), settings, examples
        self.validation, self.labels, self.metric = validation, labels, metric
        self.folder, self.say = folder, say
        head = settings.head
        self.sequences: list[Any] = examples.sequences
        self._parts = examples.parts
        self.framing = chosen_framing(model, settings, examples, labels, molecule)
        self.place = Place(None if head.layer == "mix" else head.layer, head.projected)
        self.framing.family.require_place(model, self.place, "head")
        self._key = {"model": ModelEncoder(model).digest, "plan": settings.described()}
        self._key |= {"reading": self.framing.described()}
        self._chosen: dict[str, Chosen] = {}
        self._last: tuple[str, Tuned] | None = None
        self._frozen: SavedModel | None = None
        self._states = FrozenStates(self.model, self.place, self.framing, self.sequences)

    def tuned(self, one: Round) -> Tuned:
        """The network of a round: the best point of the grid on its validation rows."""
        chosen, train = self.chosen(one), self.split(one)[0]
        key = self._digest(*self.split(one), one.seed)
        if self._last is None or self._last[0] != key:  # one alone is held in memory
            network, adapted = self._network(chosen.candidate, one.seed, train)
            network.load_learned(chosen.fit.state())
            device = trainer_settings(self.settings.fit, 1).device
            head = replace(self.settings.head, encoder=chosen.candidate.encoder)
            self._last = key, Tuned(network.eval().to(device), adapted, head)
        return self._last[1]

    def chosen(self, one: Round) -> Chosen:
        """What was best in a round, after the trainings that are not done yet."""
        train, validation = self.split(one)
        key = self._digest(train, validation, one.seed)
        if key not in self._chosen:
            self._chosen[key] = self._search(train, validation, one.seed, key)
        return self._chosen[key]

    def predictions(self, one: Round) -> NDArray[Any]:
        """What the network of a round says of its test rows."""
        network = self.tuned(one).network
        return predicted(network, self.framing, [self.sequences[row] for row in one.test])

    def split(self, one: Round) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows that a round learns from, and those that epochs are judged by."""
        set_apart = np.isin(one.train, self.validation)
        if not set_apart.any() or set_apart.all():
            set_apart = one.inner == 0
        return one.train[~set_apart], one.train[set_apart]

    def _search(self, train: NDArray[np.int64], validation: NDArray[np.int64], seed: int, key: str) -> Chosen:
        best: tuple[Candidate, KeptFit] | None = None
        settings = self.settings
        candidates = list(settings.fit.candidates(settings.tuning, settings.lora, settings.head))
        tried = []
        for number, candidate in enumerate(candidates, 1):
            of_grid = f", {number} of {len(candidates)} of the grid" if len(candidates) > 1 else ""
            self.say(f"{self.settings.tuning}: learning from {len(train):,} examples{of_grid}")
            folder = None if self.folder is None else self.folder / f"{key}-{number}"
            network, _ = self._network(candidate, seed, train)
            if folder is None or finished_fit(folder) is None:
                self._set_scales(network, train, seed)
            steps = Steps(
                self.sequences,
                self.examples.labels,
                train,
                self.framing,
                batch=candidate.batch,
                seed=seed,
                states=self._kept_states(network),
            )
            result = fit_network(
                network,
                steps,
                validation,
                candidate,
                self.settings.fit,
                metric=self.metric,
                seed=seed,
                folder=folder,
            )
            value, loss = result.judged
            gave = {"value": value if np.isfinite(value) else None, "loss": loss}  # JSON has no NaN
            tried.append({**candidate._asdict(), **gave, "epochs_done": len(result.curve)})
            if best is None or rank(result.judged, self.metric) > rank(best[1].judged, self.metric):
                best = (candidate, result)
        assert best is not None
        return Chosen(*best, tried)

    def _network(self, candidate: Candidate, seed: int, train: NDArray[np.int64]) -> tuple[TaskNetwork, Any]:
        """Before its first step, by a seed; of `lora` also the `peft.PeftModel` around the encoder."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            adapted = None
            if self.settings.tuning == "lora":
                adapted = with_adapters(self.model, self.settings.lora, candidate.rank, candidate.alpha)
            model = self._copy() if adapted is None else adapted.base_model.model
            weights = class_weights(self.settings.fit, self.labels, self.examples.labels[train])
            head = replace(self.settings.head, encoder=candidate.encoder)
            network = network_of(
                model, self.settings.tuning, head, self.framing, self.labels, self.settings.pair, weights
            )
        return network, adapted

    def _copy(self) -> SavedModel:
        """A model to change, or of `head` one that all networks share."""
        if self.settings.tuning != "head":
            return copy.deepcopy(self.model)
        frozen = self._frozen
        if frozen is None:
            frozen = self._frozen = copy.deepcopy(self.model)
        return frozen

    @torch.no_grad()
    def _set_scales(self, network: TaskNetwork, train: NDArray[np.int64], seed: int) -> None:
        """Mean and deviation of the labels, and of the features as they are before the first step."""
        if self.labels.kind == "regression":
            labels = flat(self.examples.labels[train])
            network.value_mean.fill_(float(np.nanmean(labels)))
            network.value_deviation.fill_(float(np.nanstd(labels)) or 1.0)
        looked_at = np.random.default_rng(seed).permutation(train)[:_STANDARDISED_ON]
        self.say(f"{self.settings.tuning}: reading {len(looked_at):,} examples")
        states = self._kept_states(network)
        rows = rows_of(self.sequences, np.sort(looked_at), self.framing, states=states)
        device = trainer_settings(self.settings.fit, 1).device  # where an earlier round left a shared encoder
        network.eval().to(device)
        moved = (row.to(device) for row in rows)
        network.head.standardise(network.head.features(network.states(row), row) for row in moved)

    def _kept_states(self, network: TaskNetwork) -> FrozenStates | None:
        """What every training of a head reads, where it does not change and is not too much."""
        if self.settings.tuning != "head" or network.layer_logits is not None:
            return None
        return self._states if self._states.fit_in_memory(network.width) else None

    def _digest(self, train: NDArray[np.int64], validation: NDArray[np.int64], seed: int) -> str:
        """Of all that a fit depends on, so that one that is done is known again."""
        found = hashlib.sha256(json.dumps(self._key, sort_keys=True).encode())
        for rows in (train, validation):
            for row in rows.tolist():
                found.update(self._parts[row] + b";")
                found.update(np.asarray(self.examples.labels[row]).tobytes() + b";")
            found.update(b"|")
        others = {"seed": seed, "metric": self.metric.name, **self.labels.identity}
        return digest_of({"data": found.hexdigest(), **others})
