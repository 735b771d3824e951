"""The table of an evaluation: rows, what a set gave, and what would be made."""

from dataclasses import dataclass
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from lifecode.tasks.evidence import Evidence

if TYPE_CHECKING:
    import pyarrow as pa
    from pandas import DataFrame

Role = Literal["model", "baseline", "published"]
_AVERAGE = "average"
"""In place of the name of a set, before the group."""


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
        examples: as read and split; None where they have not one class each.
    """

    name: str
    metrics: dict[str, Any]
    rows: list[Row]
    evidence: Evidence
    examples: "pa.Table | None" = None

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


def _averages(sets: list[Measured], group: str | None) -> list[Row]:
    """The mean over what sets are averaged by, of the means of each of these; the sd is over the former."""
    metric = sets[0].metrics["metric"]
    found: dict[tuple[str, Role], dict[str, list[float]]] = {}
    for one in sets:
        for row in one.rows:
            if row.metric == metric:
                of_all = found.setdefault((row.model, row.role), {})
                of_all.setdefault(one.metrics["averaged_by"], []).append(row.mean)
    name = _AVERAGE if group is None else f"{_AVERAGE}, {group}"
    rows = []
    for (model, role), by_name in found.items():
        means = [mean(values) for values in by_name.values()]
        rows.append(Row(name, model, role, metric, mean(means), stdev(means) if len(means) > 1 else None))
    return rows


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
        """Of all sets, and the averages over sets that are averaged."""
        return [row for one in self.sets for row in one.rows] + self.averages

    @property
    def averages(self) -> list[Row]:
        """Of each competitor over all sets and over each group, of means by what sets are averaged by."""
        scored = [one for one in self.sets if "averaged_by" in one.metrics]
        groups = sorted({one.metrics["group"] for one in scored})
        return [
            row
            for group in ([None, *groups] if scored else [])
            for row in _averages([one for one in scored if group in (None, one.metrics["group"])], group)
        ]

    @property
    def frame(self) -> "DataFrame":
        """`rows` as a pandas frame."""
        from pandas import DataFrame

        return DataFrame(self.rows, columns=list(Row._fields))
