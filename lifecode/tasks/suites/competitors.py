"""Who takes part in an evaluation: each model, its untrained twin, and the baselines."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lifecode.host.checksum import digest_of
from lifecode.models.life_code.model import LifeCode
from lifecode.tasks.baselines import Baseline, features_of, usual_baselines
from lifecode.tasks.contest import Contest
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.examples.sequence_task import TaskData
from lifecode.tasks.features.encoder import LifeCodeEncoder
from lifecode.tasks.features.feature import Features
from lifecode.tasks.finetune import untrained_twin
from lifecode.tasks.probe import Probe, linear_head

Say = Callable[[str], None]
Predictions = list[NDArray[np.float64]]


class Reader(Protocol):
    """A frozen model under evaluation."""

    @property
    def name(self) -> str:
        """In tables."""
        ...

    @property
    def digest(self) -> str:
        """Of its weights and of how it reads."""
        ...

    @property
    def training_genes(self) -> NDArray[np.uint32] | None:
        """Sketches of genes it was trained on, if known."""
        ...

    def untrained(self, seed: int) -> "Reader | None":
        """The same model with new weights; None where it has none to give."""
        ...

    def states(self, probe: Probe, molecule: Molecule, told: Callable[[int, int], None]) -> Features:
        """What a head reads of it."""
        ...


class LifeCodeReader:
    """A Life-Code model, read as the probe says.

    Args:
        name: in tables.
        model: trained or not.
    """

    def __init__(self, name: str, model: LifeCode) -> None:
        self.name, self.model = name, model
        self.encoder = LifeCodeEncoder(model)
        self.digest, self.training_genes = self.encoder.digest, model.training_genes

    def untrained(self, seed: int) -> "LifeCodeReader":
        """By this seed."""
        return LifeCodeReader(f"untrained {self.name}", untrained_twin(self.model, seed))

    def states(self, probe: Probe, molecule: Molecule, told: Callable[[int, int], None]) -> Features:
        """As `Probe.states`."""
        return probe.states(self.encoder, self.name, molecule, told)


class Competitor(NamedTuple):
    """One row of the table of a set.

    Attributes:
        name: of the row.
        role: whether it is asked about or stands beside.
        digest: of all that its predictions depend on beside the examples.
        predictions: for each round.
    """

    name: str
    role: Literal["model", "baseline"]
    digest: str
    predictions: Callable[[Contest], Predictions]


def of_sequences(
    data: TaskData,
    readers: Sequence[Reader],
    probe: Probe,
    baselines: Sequence[Baseline] | None,
    seed: int,
    say: Say,
) -> list[Competitor]:
    """Every competitor of a set of sequences; the models first.

    Args:
        data: of the set.
        readers: models, each under a name of its own.
        probe: what heads read, and which head.
        baselines: None takes `usual_baselines`.
        seed: of the untrained twins.
        say: told what is being read.
    """
    names = usual_baselines(data.molecule) if baselines is None else baselines
    how: dict[str, Any] = {
        "probe": asdict(replace(probe, cache=None)),
        "kind": data.labels.kind,
        "molecule": data.molecule,
    }
    found = [_model(reader, "model", data, probe, how, say) for reader in readers]
    if "untrained" in names:
        twins = {twin.digest: twin for reader in readers if (twin := reader.untrained(seed)) is not None}
        found += [_model(twin, "baseline", data, probe, how, say) for twin in twins.values()]
    if probe.beside:
        found.append(_without_states(data, probe, how))
    return found + [_baseline(name, data) for name in names if name != "untrained"]


def _model(
    reader: Reader,
    role: Literal["model", "baseline"],
    data: TaskData,
    probe: Probe,
    how: dict[str, Any],
    say: Say,
) -> Competitor:
    def predictions(contest: Contest) -> Predictions:
        def told(done: int, total: int) -> None:
            say(f"{reader.name}: {done:,} of {total:,} sequences read")

        features = [reader.states(probe, data.molecule, told), *probe.others(data.train.nucleotides)]
        blocks = [each(contest.examples.nucleotides) for each in features]
        return contest.predictions(blocks, probe.head_for(data.labels.kind))

    return Competitor(reader.name, role, digest_of({"model": reader.digest} | how), predictions)


def _without_states(data: TaskData, probe: Probe, how: dict[str, Any]) -> Competitor:
    def predictions(contest: Contest) -> Predictions:
        blocks = [each(contest.examples.nucleotides) for each in probe.others(data.train.nucleotides)]
        return contest.predictions(blocks, probe.head_for(data.labels.kind))

    return Competitor("without_states", "baseline", digest_of({"model": None} | how), predictions)


def _baseline(name: Baseline, data: TaskData) -> Competitor:
    own = features_of(name, data.train)

    def predictions(contest: Contest) -> Predictions:
        if own is None:
            return contest.predictions([], None)
        return contest.predictions([own(contest.examples.nucleotides)], linear_head(data.labels.kind))

    config = {"baseline": name, "features": own and own.config, "kind": data.labels.kind}
    return Competitor(name, "baseline", digest_of(config), predictions)
