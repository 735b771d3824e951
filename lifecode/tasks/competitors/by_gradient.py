"""`tuning=head`, `lora` and `full`: a network for each round, beside the baselines of a probe."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lifecode.evaluation.metrics import Metric
from lifecode.host.checksum import digest_of
from lifecode.tasks.competitors.competitor import Competitor, ModelReader, Predictions, Reader, Role, Say
from lifecode.tasks.competitors.learner import Learner
from lifecode.tasks.competitors.opened_task import OpenedTask, probe_learner
from lifecode.tasks.examples.task_data import TaskData
from lifecode.tasks.pairs.pair_head import PairHead, require_for_gradient
from lifecode.tasks.probe import Probe
from lifecode.tasks.splits.rounds import Round
from lifecode.tasks.tuning.settings import TuningSettings
from lifecode.tasks.tuning.tuned_network import TunedNetwork, tuned_network
from lifecode.tasks.tuning.tuner import Tuner


class ByGradient:
    """A `Learner` whose heads, adapters or encoders learn by gradient.

    Args:
        settings: what learns, and how.
        opened: the task.
        probing: whose baselines stand beside it.
        metric: that epochs and points of the grid are judged by.
        work: folder that keeps what is done, or None.
        say: told what is being done.
    """

    def __init__(
        self,
        settings: TuningSettings,
        opened: OpenedTask,
        probing: Learner,
        *,
        metric: Metric,
        work: Path | None,
        say: Say,
    ) -> None:
        self.settings, self.opened, self.probing = settings, opened, probing
        self.metric, self.work, self.say = metric, work, say
        self._first: tuple[Reader, Tuner] | None = None

    @property
    def usual(self) -> Sequence[str]:
        """As of the probe."""
        return self.probing.usual

    def why_not(self, reader: Reader) -> str | None:
        """Peers are read, not tuned."""
        return None if isinstance(reader, ModelReader) else "is not tuned by gradient"

    def notes_on(self, reader: Reader) -> list[str]:
        """As of the probe."""
        return self.probing.notes_on(reader)

    def model(self, reader: Reader, role: Role) -> Competitor:
        """A copy that is tuned in every round."""

        def predictions() -> Predictions:
            tuner = self._tuner(reader)
            return [tuner.predictions(one) for one in self.opened.contest.rounds]

        how = {"plan": self.settings.described(), "metric": self.metric.name, **self.opened.told}
        digest = digest_of({"model": reader.digest, **how, **self.opened.data.labels.identity})
        return Competitor(reader.name, role, digest, predictions)

    def baseline(self, name: str) -> Competitor:
        """As of the probe."""
        return self.probing.baseline(name)

    def controls(self) -> list[Competitor]:
        """None: nothing stands beside the states."""
        return []

    def fitted(self, reader: Reader, everything: Round, told: dict[str, Any]) -> TunedNetwork:
        """Tuned with all examples outside the test file; with one that is the first seed's."""
        tuner = self._tuner(reader)
        return tuned_network(tuner, tuner.tuned(everything), told)

    def described(self) -> dict[str, Any]:
        """The settings, and of each round the points of the grid, the chosen one, and its learning curve."""
        assert self._first is not None
        chosen = [self._first[1].chosen(one) for one in self.opened.contest.rounds]
        return {
            **self.settings.described(),
            "chosen": [each.candidate._asdict() for each in chosen],
            "tried": [each.tried for each in chosen],
            "learning_curves": [each.fit.curve for each in chosen],
        }

    def notes(self) -> list[str]:
        """Those of the probe that concern its baselines."""
        return self.probing.notes()

    def _tuner(self, reader: Reader) -> Tuner:
        """The first is kept: it is asked for its model again."""
        if self._first is not None and self._first[0] is reader:
            return self._first[1]
        assert isinstance(reader, ModelReader)
        data = self.opened.data
        train = len(data.train)
        tuner = Tuner(
            reader.model,
            self.settings,
            examples=self.opened.examples,
            validation=np.arange(train - data.num_validation, train),
            labels=data.labels,
            molecule=data.molecule if isinstance(data, TaskData) else None,
            metric=self.metric,
            folder=self.work,
            say=lambda text: self.say(f"{reader.name}, {text}"),
        )
        self._first = self._first or (reader, tuner)
        return tuner


def learner_of(
    opened: OpenedTask,
    by_gradient: TuningSettings | None,
    probe: Probe,
    pair: PairHead,
    *,
    metric: Metric,
    work: Path | None,
    say: Say,
) -> Learner:
    """How a task is learnt.

    Args:
        opened: the task.
        by_gradient: how to tune; None takes the probe.
        probe: what the head of a probe reads, and which head.
        pair: of pairs, how both sides are joined.
        metric: that epochs and points of the grid are judged by.
        work: folder that keeps what tuning has done, or None.
        say: told what is being done.

    Raises:
        UserError: settings that the examples, or a gradient, do not allow.
    """
    if by_gradient is None:
        return probe_learner(opened, probe, pair, say)
    if opened.pairs is not None:
        require_for_gradient(pair)
        by_gradient = replace(by_gradient, pair=pair)
    max_codons = by_gradient.head.max_codons if opened.unit == "sequence" else None
    of_baselines = Probe(max_positions=probe.max_positions, max_codons=max_codons)
    probing = probe_learner(opened, of_baselines, PairHead(), say)
    return ByGradient(by_gradient, opened, probing, metric=metric, work=work, say=say)
