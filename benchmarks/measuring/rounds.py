"""All contenders at all lengths, interleaved: what disturbs the machine for a while disturbs all of them.

A process keeps the memory of its calls, as training does, and its next call is faster for it. At a length
where the contenders cannot all keep theirs, each makes its rounds in a row, after one more call to take its
memory again.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, product
from typing import Any, NamedTuple, Protocol

import psutil

from benchmarks.measuring.fresh_process import ContenderFailed, Measured
from benchmarks.measuring.measurement import Measurement, Points, Status, summarise


def available_bytes() -> int:
    """Memory that new allocations can use without swapping."""
    return psutil.virtual_memory().available


class Measurable(Protocol):
    """A contender: a `FreshProcess`, or what stands for one."""

    def call(self, method: str, *arguments: Any) -> Any:
        """What a method of the workload returns; `prepare` of a length at least."""
        ...

    def measure(self, part: str, *, with_memory: bool = False) -> Measured:
        """Times one call."""
        ...

    def release(self) -> None:
        """Gives freed memory back to the system."""
        ...


class Schedule(NamedTuple):
    """What is measured.

    Attributes:
        lengths: of a sequence, ascending.
        parts: that a workload's `run` knows.
        repeats: timed rounds after the warm-up call.
        max_seconds: a call that would take longer is extrapolated.
        units: positions or nucleotides that a call works through, by length.
    """

    lengths: Sequence[int]
    parts: Sequence[str]
    repeats: int
    max_seconds: float
    units: Callable[[int], int]


_Pair = tuple[str, str]
"""A contender and a part."""


@dataclass(slots=True)
class Rounds:
    """What came of them.

    Attributes:
        rows: every call, and every point that was not measured.
        facts: what `Workload.prepare` told, by (contender, length).
        interrupted: whether Ctrl-C ended the run; points not reached have a row that says so.
    """

    rows: list[Measurement] = field(default_factory=list)
    facts: dict[tuple[str, int], dict[str, float]] = field(default_factory=dict)
    interrupted: bool = False


def measure_rounds(
    processes: Mapping[str, Measurable],
    schedule: Schedule,
    *,
    on_progress: Callable[[str, int], None] = lambda label, calls: None,
) -> Rounds:
    """Measures every contender at every length, round by round.

    A contender that fails is not tried at greater lengths. One that would exceed `max_seconds` or the memory
    that is free, by the law of its own shorter lengths, is extrapolated. Ctrl-C ends the run, and what was
    measured stays.

    Args:
        processes: by name of the contender.
        schedule: what is measured.
        on_progress: told a label and how many calls are now done or will not be made.
    """
    results = Rounds()
    try:
        run = _Run(processes, schedule, results, on_progress)
        for length in schedule.lengths:
            run.measure(length)
    except KeyboardInterrupt:
        results.interrupted = True
        reached = {(row.contender, row.length, row.part) for row in results.rows if row.status != "warm-up"}
        results.rows += [
            Measurement(*point, 0, "interrupted", note="not reached before the run was stopped")
            for point in product(processes, schedule.lengths, schedule.parts)
            if point not in reached
        ]
    return results


class _Run:
    """Fills `results`, a length at a time; see `measure_rounds`."""

    def __init__(
        self,
        processes: Mapping[str, Measurable],
        schedule: Schedule,
        results: Rounds,
        on_progress: Callable[[str, int], None],
    ) -> None:
        self.processes, self.schedule, self.results = processes, schedule, results
        self.on_progress = on_progress
        self.failed: dict[_Pair, str] = {}

    def measure(self, length: int) -> None:
        """Every contender at one length."""
        for process in self.processes.values():
            process.release()
        pairs = self._prepared(length)
        free, rounds = available_bytes(), range(1, self.schedule.repeats + 1)
        for pair in pairs:
            self._release_others(pair)
            self._call(pair, length, 0)
        if _fit_together(self.results.rows, length, free):
            for number, pair in product(rounds, pairs):
                self._call(pair, length, number)
            return
        for _, own in groupby(pairs, key=lambda pair: pair[0]):
            own_pairs = list(own)
            self._release_others(own_pairs[0])
            for pair in own_pairs:
                self._call(pair, length, 0, again=True)
            for number, pair in product(rounds, own_pairs):
                self._call(pair, length, number)

    def _prepared(self, length: int) -> list[_Pair]:
        """Contenders and parts whose inputs are made; the others get a row that says why not."""
        points, pairs = summarise(self.results.rows), list[_Pair]()
        for name, process in self.processes.items():
            parts = list[str]()
            for part in self.schedule.parts:
                failure = self.failed.get((name, part))
                row = _unmeasured(points, self.schedule, (name, length, part), failure)
                if row is None:
                    parts.append(part)
                else:
                    self.results.rows.append(row)
                    self.on_progress(f"{name} at {length:,}", self.schedule.repeats + 1)
            if not parts:
                continue
            try:
                self.results.facts[name, length] = process.call("prepare", length)
                pairs += [(name, part) for part in parts]
            except ContenderFailed as error:
                self._fail(name, parts, length, str(error))
                self.on_progress(f"{name} at {length:,}", len(parts) * (self.schedule.repeats + 1))
        return pairs

    def _call(self, pair: _Pair, length: int, number: int, *, again: bool = False) -> None:
        """One call: a round, or the warm-up (number 0), whose memory is taken unless it is made again."""
        name, part = pair
        self.on_progress(f"{name} at {length:,}", 0 if again else 1)
        if pair in self.failed:
            return
        status: Status = "measured" if number else "warm-up"
        try:
            measured = self.processes[name].measure(part, with_memory=not (number or again))
            self.results.rows.append(Measurement(name, length, part, number, status, *measured))
        except ContenderFailed as error:
            self._fail(name, [part], length, str(error))

    def _fail(self, name: str, parts: Sequence[str], length: int, reason: str) -> None:
        for part in parts:
            self.failed[name, part] = reason
            self.results.rows.append(Measurement(name, length, part, 0, "failed", note=reason))

    def _release_others(self, pair: _Pair) -> None:
        """Has the other contenders give back what they keep, so that it does not take this one's room."""
        for name, process in self.processes.items():
            if name != pair[0]:
                process.release()


def _unmeasured(
    points: Points, schedule: Schedule, key: tuple[str, int, str], failure: str | None
) -> Measurement | None:
    """The row of a point that need not or must not run, or None if it may."""
    name, length, part = key
    if failure is not None:
        return Measurement(name, length, part, 0, "failed", note=failure)
    seconds = _predicted(points, schedule, key, "seconds")
    memory = _predicted(points, schedule, key, "extra_bytes")
    available = available_bytes()
    if seconds is not None and seconds > schedule.max_seconds:
        note = f"would take {seconds:.3g} s, more than max_seconds"
    elif memory is not None and memory > available:
        note = f"would take {memory / 2**30:.3g} GiB, more than is free"
    else:
        return None
    return Measurement(name, length, part, 0, "extrapolated", seconds, memory, note=note)


def _predicted(points: Points, schedule: Schedule, key: tuple[str, int, str], quantity: str) -> float | None:
    """Seconds or bytes of a call by the law of the measured shorter ones; None without any."""
    name, length, part = key
    costs = [
        (shorter, value / schedule.units(shorter))
        for shorter in schedule.lengths
        if (point := points.get((name, shorter, part))) is not None
        and point.status == "measured"
        and (value := getattr(point, quantity)) is not None
    ]
    return power_law(costs, length) * schedule.units(length) if costs else None


def power_law(points: Sequence[tuple[int, float]], length: int) -> float:
    """The cost at a length by the power law through the last two of (length, cost) points, lengths ascending.

    The cost is that of one position or nucleotide: a kernel of linear time has the exponent 0 and one of
    quadratic time the exponent 1. A fall with the length is taken as none (exponent 0), since overheads that
    melt away do so only once; and one point alone tells no law, so it too is carried on unchanged, which is
    the least that a longer input can cost.
    """
    (earlier, before), (at, cost) = points[-2:] if len(points) > 1 else (points[0], points[0])
    if at == earlier or before <= 0 or cost <= before:
        return max(cost, 0.0)
    return cost * (length / at) ** (math.log(cost / before) / math.log(at / earlier))


def _fit_together(rows: Sequence[Measurement], length: int, free: int) -> bool:
    """Whether all contenders can keep the memory of their calls at a length at the same time."""
    needed: dict[str, float] = {}
    for row in rows:
        if row.length == length and row.status == "warm-up":
            needed[row.contender] = max(needed.get(row.contender, 0), row.extra_bytes or 0)
    return 1.2 * sum(needed.values()) <= free
