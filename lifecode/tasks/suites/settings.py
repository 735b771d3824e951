"""How every set of an evaluation is measured."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from lifecode.errors import UserError
from lifecode.tasks.names_in_tables import AnyBaseline
from lifecode.tasks.pairs.pair_head import PairHead
from lifecode.tasks.probe import Probe
from lifecode.tasks.tuning.settings import TuningSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How every set of an evaluation is measured.

    Attributes:
        probe: what heads of probes read, and which head.
        by_gradient: how every model is tuned instead; None takes the probe.
        seeds: splits into folds; with a test file, choices of the head's strength.
        folds: held out in turn, where a set has no test file.
        seed: the first of the seeds.
        baselines: None takes all that fit; of those that are named each set takes the ones that it has.
        without: baselines that are left out.
        drop_leaks: leave out of test files what is learnt from, or has been read by one of the models.
        pair: how both sides of a pair are joined, and the head of pairs.
    """

    probe: Probe
    by_gradient: TuningSettings | None = None
    seeds: int = 1
    folds: int = 5
    seed: int = 0
    baselines: Sequence[AnyBaseline] | None = None
    without: Sequence[AnyBaseline] = ()
    drop_leaks: bool = False
    pair: PairHead = field(default_factory=PairHead)

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise UserError("is less than 1", source="seeds")

    @property
    def learnt(self) -> dict[str, Any]:
        """How models learn, for metrics.json."""
        if self.by_gradient is not None:
            return self.by_gradient.described()
        return {"tuning": "probe", "probe": asdict(self.probe)}

    @property
    def all_seeds(self) -> list[int]:
        """From the first on."""
        return [self.seed + i for i in range(self.seeds)]

    def baselines_among(self, fitting: Sequence[str], notes: list[str]) -> list[str] | None:
        """Those of a set that are named; None where none are named.

        Args:
            fitting: names that can be asked for, of this set.
            notes: gets a line with the named ones that are of other sets.
        """
        if self.baselines is None:
            return None
        others = [name for name in self.baselines if name not in fitting]
        if others:
            notes.append(f"no baselines of these examples, and left out: {', '.join(others)}")
        return [name for name in self.baselines if name in fitting]
