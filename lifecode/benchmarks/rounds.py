"""All contenders at all lengths, interleaved: what disturbs the machine for a while disturbs all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple, Protocol

from lifecode.benchmarks.extrapolation import fit_power_law
from lifecode.benchmarks.fresh_process import ContenderFailed, Reading
from lifecode.benchmarks.measurement import Measurement, Points, Status, summarise
from lifecode.benchmarks.peak_memory import available_bytes


class Measurable(Protocol):
    """A contender: a `FreshProcess`, or what stands for one."""

    def call(self, method: str, *arguments: Any) -> Any:
        """What a method of the workload returns; `prepare` of a length at least."""
        ...

    def measure(self, part: str, *, with_memory: bool = False) -> Reading:
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


@dataclass(slots=True)
class Results:
    """What came of it.

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
) -> Results:
    """Measures every contender at every length, round by round.

    A contender that fails is not tried at greater lengths. One that would exceed `max_seconds` or the memory
    that is free, by the law of its own shorter lengths, is extrapolated. Ctrl-C ends the run, and what was
    measured stays.

    Args:
        processes: by name of the contender.
        schedule: what is measured.
        on_progress: told a label and how many calls are now done or will not be made.
    """
    results = Results()
    try:
        _measure(processes, schedule, results, on_progress)
    except KeyboardInterrupt:
        results.interrupted = True
        reached = {(row.contender, row.length, row.part) for row in results.rows if row.status != "warm-up"}
        results.rows += [
            Measurement(*point, 0, "interrupted", note="not reached before the run was stopped")
            for point in product(processes, schedule.lengths, schedule.parts)
            if point not in reached
        ]
    return results


def _measure(
    processes: Mapping[str, Measurable],
    schedule: Schedule,
    results: Results,
    on_progress: Callable[[str, int], None],
) -> None:
    """Fills `results`; see `measure_rounds`."""
    failed = dict[tuple[str, str], str]()

    def fail(name: str, parts: Sequence[str], length: int, reason: str) -> None:
        for part in parts:
            failed[name, part] = reason
            results.rows.append(Measurement(name, length, part, 0, "failed", note=reason))

    for length in schedule.lengths:
        for process in processes.values():
            process.release()
        points, running = summarise(results.rows), list[tuple[str, str]]()
        for name, process in processes.items():
            parts = list[str]()
            for part in schedule.parts:
                row = _unmeasured(points, schedule, (name, length, part), failed.get((name, part)))
                if row is None:
                    parts.append(part)
                else:
                    results.rows.append(row)
                    on_progress(f"{name} at {length:,}", schedule.repeats + 1)
            if not parts:
                continue
            try:
                results.facts[name, length] = process.call("prepare", length)
                running += [(name, part) for part in parts]
            except ContenderFailed as error:
                fail(name, parts, length, str(error))
                on_progress(f"{name} at {length:,}", len(parts) * (schedule.repeats + 1))
        for number in range(schedule.repeats + 1):
            for name, part in running:
                on_progress(f"{name} at {length:,}", 1)
                if (name, part) in failed:
                    continue
                status: Status = "measured" if number else "warm-up"
                _make_room(processes, results.rows, (name, length, part))
                try:
                    reading = processes[name].measure(part, with_memory=number == 0)
                    results.rows.append(Measurement(name, length, part, number, status, *reading))
                except ContenderFailed as error:
                    fail(name, [part], length, str(error))


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
    elif memory is not None and available is not None and memory > available:
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
    return fit_power_law(costs).predict(length) * schedule.units(length) if costs else None


def _make_room(
    processes: Mapping[str, Measurable], rows: Sequence[Measurement], key: tuple[str, int, str]
) -> None:
    """Has the other contenders give back what they keep, where a call may not fit beside it.

    What a process keeps makes its next call faster, as in training, so it is left alone while there is room.
    """
    warm_up = next((row for row in rows if (row.contender, row.length, row.part) == key), None)
    used = None if warm_up is None else warm_up.extra_bytes
    available = available_bytes()
    if available is not None and (used is None or available < 1.2 * used):
        for name, process in processes.items():
            if name != key[0]:
                process.release()
