"""A figure over several seeds: its mean and how far the seeds lie apart."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import NamedTuple

from lifecode.evaluation.metrics import NUCLEOTIDES_PER_SECOND, Metric
from lifecode.report.run.metric_table import measured
from lifecode.report.sweep.run_groups import Group
from lifecode.report.sweep.runs import Run


class Spread(NamedTuple):
    """Values of one figure, by seed.

    Attributes:
        by_seed: finite values only.
    """

    by_seed: Mapping[str, float]

    @property
    def values(self) -> list[float]:
        """In the order of the seeds."""
        return list(self.by_seed.values())

    @property
    def mean(self) -> float | None:
        """None where nothing was measured."""
        return statistics.fmean(self.values) if self.by_seed else None

    @property
    def deviation(self) -> float | None:
        """Sample standard deviation (n - 1); None for fewer than two seeds."""
        return statistics.stdev(self.values) if len(self.by_seed) > 1 else None

    def minus(self, other: "Spread") -> "Spread":
        """Differences over the seeds that both have; a seed has its own split of the genome."""
        shared = [seed for seed in self.by_seed if seed in other.by_seed]
        return Spread({seed: self.by_seed[seed] - other.by_seed[seed] for seed in shared})


class Formatted(NamedTuple):
    """A spread in digits: `3.803 ± 0.012`, and `3.791 to 3.815` beneath it; empty where not measured."""

    value: str
    range: str


def heldout_spread(group: Group, name: str) -> Spread:
    """A held-out figure of the finished runs of a group."""
    return spread_over(group, lambda run: measured(run.metrics, "heldout", name))


def spread_over(group: Group, figure: Callable[[Run], float | None]) -> Spread:
    """A figure of each finished run of a group; two runs of one seed both count."""
    values: dict[str, float] = {}
    for run in group.finished:
        value, seed = figure(run), str(run.seed)
        if value is not None and isfinite(value):
            values[seed if seed not in values else f"{seed} in {run.folder}"] = value
    return Spread(values)


def throughput(run: Run) -> float | None:
    """Nucleotides per second: the median over the logged steps of the encoder."""
    return (run.metrics.get("timing") or {}).get(NUCLEOTIDES_PER_SECOND.name)


def num_parameters(run: Run) -> int:
    """Of the whole model without the protein decoder, which belongs to a teacher."""
    parts = (run.metrics.get("model") or {}).get("parts") or {}
    return sum(count for name, count in parts.items() if name != "protein decoder")


def formatted(spread: Spread, metric: Metric, *, signed: bool = False) -> Formatted:
    """Shares in percent with two decimals, nats with three, other numbers with four digits."""
    if spread.mean is None:
        return Formatted("", "")
    value = in_unit(spread.mean, metric, signed=signed)
    if spread.deviation is None:
        return Formatted(value, "")
    low, high = (in_unit(x, metric, signed=signed) for x in (min(spread.values), max(spread.values)))
    return Formatted(f"{value} ± {in_unit(spread.deviation, metric)}", f"{low} to {high}")


def in_unit(value: float, metric: Metric, *, signed: bool = False) -> str:
    """One number without its unit, which `unit` names."""
    sign = "+" if signed else ""
    if metric.unit == "share":
        return f"{100 * value:{sign}.2f}"
    return f"{value:{sign}.3f}" if metric.unit == "nats" else f"{value:{sign}.4g}"


def unit(metric: Metric, *, difference: bool = False) -> str:
    """What stands behind the name of a figure in a heading."""
    if metric.unit == "share":
        return "points" if difference else "%"
    return "nats" if metric.unit == "nats" else ""


def figure_names(groups: Sequence[Group]) -> list[str]:
    """Names of every held-out figure that some run has."""
    return list(dict.fromkeys(name for g in groups for run in g.finished for name in run.metrics["heldout"]))
