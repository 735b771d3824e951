"""Blocks of features of pairs: states of both sides joined, and what the baselines of pairs read."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from lifecode.errors import UserError
from lifecode.tasks.competitors.competitor import ModelReader, Reader
from lifecode.tasks.examples.molecule import Molecule, first_codons
from lifecode.tasks.features.feature import Features
from lifecode.tasks.heads.head import Blocks, FittedHead, Head
from lifecode.tasks.pairs.pair_baselines import PairBaseline, pair_blocks, pair_head, usual_pair_baselines
from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.pairs.pair_head import PairHead, require_for_probe
from lifecode.tasks.pairs.pair_task import PairData
from lifecode.tasks.probe import Probe
from lifecode.tasks.tuned_pairs import TunedPairs


class PairBlocks:
    """As `FeatureBlocks`.

    Args:
        probe: what is read of a model.
        pair: how both sides are joined, and the head.
        data: of the task.
        examples: all of its pairs, as the rounds have them.

    Raises:
        UserError: a probe that is of single sequences, or a join that only gradients can learn.
    """

    def __init__(self, probe: Probe, pair: PairHead, data: PairData, examples: PairExamples) -> None:
        require_for_probe(probe, pair)
        self.probe, self.pair, self.data, self.examples = probe, pair, data, examples
        self.head, self.has_beside = pair.head_for(data.labels.kind), bool(pair.beside)
        self.how: dict[str, Any] = {
            "probe": asdict(replace(probe, cache=None)),
            "pair": asdict(pair),
            "kind": data.labels.kind,
            "sides": [examples.first.kind, examples.second.kind],
        }

    @property
    def usual(self) -> list[PairBaseline]:
        """Those that fit both sides."""
        return usual_pair_baselines(self.examples)

    def why_not(self, reader: Reader) -> str | None:
        """Both sides have to be read."""
        can = all(reader.reads(side.molecule) for side in (self.examples.first, self.examples.second))
        return None if can else "cannot read both sides"

    def of_model(self, reader: Reader, told: Callable[[int, int], None]) -> Blocks:
        """States of both sides, their joins, then what stands beside them."""

        def states(molecule: Molecule) -> Features:
            return reader.states(self._probe_of(molecule), molecule, told)

        return self.pair.joined(self.examples, states)

    def _probe_of(self, molecule: Molecule) -> Probe:
        """Beside a nucleic acid a protein has no frames; those that are asked for are the other side's."""
        mixed = self.examples.first.kind != self.examples.second.kind
        return replace(self.probe, frames=None) if mixed and molecule == "protein" else self.probe

    def notes(self, reader: Reader) -> list[str]:
        """How a model reads both sides."""
        notes: list[str] = []
        for side in (self.examples.first, self.examples.second):
            read = [first_codons(ids, self.probe.max_codons, side.molecule) for ids in side.sequences()]
            notes += reader.notes(side.molecule, read)
        return notes

    def beside(self) -> Blocks:
        """What `pair.beside` names."""
        return self.pair.others(self.examples)

    def of_baseline(self, name: str) -> tuple[Blocks, Head | None]:
        """What its features say."""
        asked: Any = name
        return pair_blocks(asked, self.examples), pair_head(asked, self.data.labels.kind)

    def baseline_key(self, name: str) -> dict[str, Any]:
        """Kinds of the labels and sides.

        Raises:
            UserError: the rule of the central dogma, of other sides than a nucleic acid and a protein.
        """
        if name == "dogma_rule" and name not in self.usual:
            raise UserError(
                "dogma_rule is of a nucleic acid beside a protein",
                source="baselines",
                remedy=f"Use {', '.join(self.usual)}",
            )
        return {"baseline": name, "kind": self.how["kind"], "sides": self.how["sides"]}

    def kept(self, reader: Reader, head: FittedHead, told: dict[str, Any]) -> TunedPairs | None:
        """With the encoder; trees of gradient boosting would be a pickle and are not kept."""
        assert isinstance(reader, ModelReader)
        if self.pair.head == "boosting":
            return None
        sides = (self.examples.first, self.examples.second)
        return TunedPairs(
            labels=self.data.labels,
            kinds=(sides[0].kind, sides[1].kind),
            pair=self.pair,
            features={
                side.molecule: reader.states(
                    replace(self._probe_of(side.molecule), cache=None), side.molecule, lambda *_: None
                )
                for side in sides
            },
            head=head,
            model=reader.model,
            told=told,
        )

    def described(self) -> dict[str, Any]:
        """The probe and the join."""
        return {"probe": asdict(self.probe), "pair": asdict(self.pair)}
