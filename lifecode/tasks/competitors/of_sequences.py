"""Blocks of features of whole sequences: states, what stands beside them, and what baselines read."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from lifecode.tasks.baselines import Baseline, features_of, head_of, usual_baselines
from lifecode.tasks.competitors.competitor import ModelReader, Reader
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.molecule import first_codons
from lifecode.tasks.examples.task_data import TaskData
from lifecode.tasks.features.feature import Features
from lifecode.tasks.heads.head import Blocks, FittedHead, Head
from lifecode.tasks.probe import Probe
from lifecode.tasks.tuned_model import TunedModel


class SequenceBlocks:
    """As `FeatureBlocks`.

    Args:
        probe: what heads read, and which head.
        data: of the task.
        examples: all of them, as the rounds have them.
    """

    def __init__(self, probe: Probe, data: TaskData, examples: Examples) -> None:
        self.probe, self.data, self.sequences = probe, data, examples.sequences
        self.head, self.has_beside = probe.head_for(data.labels.kind), bool(probe.beside)
        self.how: dict[str, Any] = {
            "probe": asdict(replace(probe, cache=None)),
            "kind": data.labels.kind,
            "molecule": data.molecule,
        }
        self._others: list[Features] = probe.others(data.train.sequences, data.molecule)
        self._beside: Blocks | None = None

    @property
    def usual(self) -> list[Baseline]:
        """Those that fit the molecule and the labels."""
        return usual_baselines(self.data.molecule, self.data.labels.kind)

    def why_not(self, reader: Reader) -> str | None:
        """Models of proteins want a frame."""
        can = reader.reads(self.data.molecule)
        return None if can else "reads proteins, not sequences without a frame"

    def notes(self, reader: Reader) -> list[str]:
        """How it reads the sequences."""
        molecule, most = self.data.molecule, self.probe.max_codons
        return reader.notes(molecule, [first_codons(ids, most, molecule) for ids in self.sequences])

    def of_model(self, reader: Reader, told: Callable[[int, int], None]) -> Blocks:
        """States, then what stands beside them."""
        return [reader.states(self.probe, self.data.molecule, told)(self.sequences), *self.beside()]

    def beside(self) -> Blocks:
        """What `probe.beside` names."""
        if self._beside is None:
            self._beside = [features(self.sequences) for features in self._others]
        return self._beside

    def of_baseline(self, name: str) -> tuple[Blocks, Head | None]:
        """What its features say."""
        own = features_of(name, self.data.train, self.data.molecule)  # pyright: ignore[reportArgumentType]
        if own is None:
            return [], None
        head = head_of(name, self.data.labels.kind)  # pyright: ignore[reportArgumentType]
        return [own(self.sequences)], head

    def baseline_key(self, name: str) -> dict[str, Any]:
        """Its features, and the kind of the labels."""
        own = features_of(name, self.data.train, self.data.molecule)  # pyright: ignore[reportArgumentType]
        return {"baseline": name, "features": own and own.config, "kind": self.data.labels.kind}

    def kept(self, reader: Reader, head: FittedHead, told: dict[str, Any]) -> TunedModel:
        """With the encoder, which has to be ours."""
        assert isinstance(reader, ModelReader)
        states = reader.states(self.probe, self.data.molecule, lambda *_: None)
        return TunedModel(
            labels=self.data.labels,
            features=[states, *self._others],
            head=head,
            model=reader.model,
            molecule=self.data.molecule,
            told=told,
        )

    def described(self) -> dict[str, Any]:
        """The probe."""
        return {"probe": asdict(self.probe)}
