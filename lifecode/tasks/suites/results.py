"""The table of an evaluation: rows, what a set gave, and what would be made."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from lifecode.tasks.evidence import Evidence

if TYPE_CHECKING:
    from pandas import DataFrame

Role = Literal["model", "baseline", "published"]


class Row(NamedTuple):
    """One figure of one row of a table.

    Attributes:
        set: name of the set.
        model: name of the competitor.
        role: `model` is asked about; `published` is another's figure, of other rounds.
        metric: name.
        mean: over rounds.
        sd: over rounds; None for one.
        minus_best: our mean minus that of the best baseline, in the metric of the set, of models.
        low: end of its 95 % interval.
        high: the other end.
        best_baseline: its name.
        held_out: examples that were predicted, of all rounds.
    """

    set: str
    model: str
    role: Role
    metric: str
    mean: float
    sd: float | None
    minus_best: float | None = None
    low: float | None = None
    high: float | None = None
    best_baseline: str | None = None
    held_out: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one set gave.

    Attributes:
        name: of the set.
        metrics: as `Contest.table` has them, for each model, and notes, leaks and the split.
        rows: of the table.
        evidence: what every model says of the held-out examples.
    """

    name: str
    metrics: dict[str, Any]
    rows: list[Row]
    evidence: Evidence

    @property
    def task_metrics(self) -> dict[str, Any]:
        """The metrics of the first model, or of the best baseline, as metrics.json of a task has them."""
        found, name = dict(self.metrics), self.evidence.model
        models, differences = found.pop("models"), found.pop("differences").get(name)
        others = models | found["baselines"]
        found |= {"encoder": name, "test": others.pop(name), "baselines": others}
        if differences:
            best = next(row.best_baseline for row in self.rows if row.model == name and row.best_baseline)
            found |= {"differences": differences, "best_baseline": best}
        return found


class PlannedCell(NamedTuple):
    """A cell of the table, and whether it is there."""

    set: str
    model: str
    done: bool
    learnt_from: int
    held_out: int
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The table of a suite.

    Attributes:
        sets: what each gave, in the order of the suite.
        left_out: why sets are not in the table, by name.
    """

    sets: list[Measured]
    left_out: dict[str, str]

    @property
    def rows(self) -> list[Row]:
        """Of all sets."""
        return [row for one in self.sets for row in one.rows]

    @property
    def frame(self) -> "DataFrame":
        """`rows` as a pandas frame."""
        from pandas import DataFrame

        return DataFrame(self.rows, columns=list(Row._fields))
