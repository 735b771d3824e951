"""What enters a comparison beside the baselines: a probe of an encoder, or an encoder that is tuned."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lifecode.evaluation.metrics import Metric
from lifecode.models.saved import SavedModel
from lifecode.tasks.contest import Contest, Entry
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.sequence_task import TaskData
from lifecode.tasks.features.encoder import ModelEncoder
from lifecode.tasks.features.feature import Features
from lifecode.tasks.heads.head import Blocks
from lifecode.tasks.probe import Probe
from lifecode.tasks.splits.rounds import Round
from lifecode.tasks.tuned_model import TunedModel
from lifecode.tasks.tuning.tuned_network import TunedNetwork, tuned_network
from lifecode.tasks.tuning.tuner import Tuner, TuningPlan

Say = Callable[[str], None]
Told = dict[str, Any]


class Entrant(Protocol):
    """One way to learn a task on an encoder."""

    def enter(self, model: SavedModel, label: str) -> Entry:
        """Measure it on an encoder that is called `label` in tables."""
        ...

    def controls(self) -> dict[str, Entry]:
        """Baselines of its own."""
        ...

    def fitted(self, everything: Round) -> TunedModel | TunedNetwork:
        """The first encoder that entered, with all examples outside the test file."""
        ...

    def described(self) -> dict[str, Any]:
        """How it learns and what it chose, for metrics.json."""
        ...


class ProbeEntrant:
    """`tuning=probe`.

    Args:
        probe: what the head reads, and which head.
        contest: rounds and labels.
        examples: of all rounds.
        data: of the task.
        told: what the model is told to have been tuned on.
        say: told what is being done.
    """

    def __init__(
        self, probe: Probe, contest: Contest, examples: Examples, data: TaskData, told: Told, say: Say
    ) -> None:
        self.probe, self.contest, self.sequences = probe, contest, examples.sequences
        self.data, self.told, self.say = data, told, say
        self.head = probe.head_for(data.labels.kind)
        self.beside = probe.others(data.train.sequences, data.molecule)
        self._beside: Blocks = [features(self.sequences) for features in self.beside]
        self._first: tuple[SavedModel, Features, Blocks] | None = None

    def enter(self, model: SavedModel, label: str) -> Entry:
        """Reads all examples, then fits in every round."""

        def told(done: int, total: int) -> None:
            self.say(f"{label}: {done:,} of {total:,} sequences read")

        self.say(f"{label}: reading {len(self.sequences):,} sequences")
        features = self.probe.states(ModelEncoder(model, self.data.molecule), label, self.data.molecule, told)
        blocks = [features(self.sequences), *self._beside]
        self._first = self._first or (model, features, blocks)
        self.say(f"{label}: fitting")
        return self.contest.enter(blocks, self.head)

    def controls(self) -> dict[str, Entry]:
        """The same head on the features beside the states alone."""
        return {"without_states": self.contest.enter(self._beside, self.head)} if self._beside else {}

    def fitted(self, everything: Round) -> TunedModel:
        """The head of all examples outside the test file."""
        assert self._first is not None
        model, features, blocks = self._first
        return TunedModel(
            labels=self.data.labels,
            features=[features, *self.beside],
            head=self.contest.fitted(blocks, self.head, everything),
            model=model,
            molecule=self.data.molecule,
            told=self.told,
        )

    def described(self) -> dict[str, Any]:
        """The probe."""
        return {"tuning": "probe", "probe": asdict(self.probe)}


class TuningEntrant:
    """`tuning=head`, `lora` and `full`.

    Args:
        plan: what learns, and how.
        contest: rounds and labels.
        examples: of all rounds.
        data: of the task.
        told: what the model is told to have been tuned on.
        metric: that epochs and points of the grid are judged by.
        work: folder that keeps what is done, or None.
        say: told what is being done.
    """

    def __init__(
        self,
        plan: TuningPlan,
        contest: Contest,
        examples: Examples,
        data: TaskData,
        told: Told,
        *,
        metric: Metric,
        work: Path | None,
        say: Say,
    ) -> None:
        self.plan, self.contest, self.examples, self.data = plan, contest, examples, data
        self.told, self.metric = told, metric
        self.work, self.say = work, say
        self._first: Tuner | None = None

    def enter(self, model: SavedModel, label: str) -> Entry:
        """Tunes a copy in every round."""
        train = len(self.data.train)
        tuner = Tuner(
            model,
            self.plan,
            examples=self.examples,
            validation=np.arange(train - self.data.num_validation, train),
            labels=self.data.labels,
            molecule=self.data.molecule,
            metric=self.metric,
            folder=self.work,
            say=lambda text: self.say(f"{label}, {text}"),
        )
        self._first = self._first or tuner
        return self.contest.measure(tuner.predictions)

    def controls(self) -> dict[str, Entry]:
        """None: nothing stands beside the states."""
        return {}

    def fitted(self, everything: Round) -> TunedNetwork:
        """Tuned with all examples outside the test file; with one that is the first seed's."""
        assert self._first is not None
        return tuned_network(self._first, self._first.tuned(everything), self.told)

    def described(self) -> dict[str, Any]:
        """The plan, and for each round the points of the grid, which was chosen, and its learning curve."""
        assert self._first is not None
        chosen = [self._first.chosen(one) for one in self.contest.rounds]
        return {
            **self.plan.described(),
            "chosen": [each.candidate._asdict() for each in chosen],
            "tried": [each.tried for each in chosen],
            "learning_curves": [each.fit.curve for each in chosen],
        }
