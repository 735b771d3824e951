"""`lifecode bench op`: the gated delta rule, forward and backward, beside other implementations."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from lifecode.benchmarks.fresh_process import ContenderFailed, FreshProcess
from lifecode.benchmarks.machine import Machine, describe_machine
from lifecode.benchmarks.measurement import Measurement, Status
from lifecode.benchmarks.operator_contenders import (
    CONTENDERS,
    PARTS,
    OperatorCall,
    OperatorShape,
    default_contenders,
    obstacle,
)
from lifecode.benchmarks.rounds import Schedule, measure_rounds
from lifecode.errors import UserError

LARGEST_ERROR = {"cpu": 1e-4, "cuda": 1e-2}
"""Beyond this a contender computes something else; the CUDA kernels multiply in TF32."""


@dataclass(frozen=True, slots=True)
class OperatorBenchmark:
    """What is measured; see `conf/bench_op.yaml`.

    Attributes:
        shape: B, H, K and V.
        positions: T, ascending.
        contenders: who, of `CONTENDERS`.
        repeats: timed rounds.
        max_seconds: a call that would take longer is extrapolated.
        threads: of every contender.
        device: `cpu` or `cuda`.
        keep_memory: whether every contender's process keeps what it frees.
    """

    shape: OperatorShape
    positions: Sequence[int]
    contenders: Sequence[str]
    repeats: int
    max_seconds: float
    threads: int
    device: str
    keep_memory: bool

    def __post_init__(self) -> None:
        unknown = [name for name in self.contenders if name not in CONTENDERS]
        if unknown:
            raise UserError(
                f"there is no contender {unknown[0]!r}",
                source="contenders",
                remedy=f"Choose from {', '.join(CONTENDERS)}",
            )
        if not self.contenders or not self.positions:
            raise UserError("contenders and positions must not be empty")
        if min(*self.shape, *self.positions, self.repeats, self.threads) < 1 or self.max_seconds <= 0:
            raise UserError("sizes, positions, repeats, threads and max_seconds must be positive")


class OperatorResults(NamedTuple):
    """What came of it.

    Attributes:
        machine: it ran on.
        rows: all measurements.
        errors: of each contender that ran, by tensor.
        interrupted: whether Ctrl-C ended the run.
    """

    machine: Machine
    rows: list[Measurement]
    errors: dict[str, dict[str, float]]
    interrupted: bool = False


def named_contenders(names: Sequence[str] | None, device: str) -> tuple[str, ...]:
    """The contenders of a config, each once; None stands for those that make sense on the device."""
    return tuple(dict.fromkeys(names)) if names is not None else default_contenders(device)


def run_operator_benchmark(
    benchmark: OperatorBenchmark, on_progress: Callable[[str, int], None]
) -> OperatorResults:
    """Checks every contender against the recurrence, then measures those that pass."""
    machine = describe_machine(benchmark.threads)
    rows, errors = list[Measurement](), dict[str, dict[str, float]]()
    with ExitStack() as stack:
        processes = dict[str, FreshProcess]()
        for name in benchmark.contenders:
            if problem := obstacle(name, benchmark.device):
                rows += absent_rows(benchmark, name, "left out", problem)
                on_progress(f"{name} left out", num_calls(benchmark) // len(benchmark.contenders))
                continue
            processes[name] = stack.enter_context(
                FreshProcess(
                    partial(
                        OperatorCall,
                        name,
                        benchmark.shape,
                        benchmark.device,
                        keep_memory=benchmark.keep_memory,
                    ),
                    threads=benchmark.threads,
                    device=benchmark.device,
                )
            )
        for name in list(processes):
            on_progress(f"check {name}", 0)
            try:
                errors[name] = processes[name].call("largest_errors")
                problem = wrong_result(errors[name], benchmark.device)
            except ContenderFailed as error:
                problem = str(error)
            if problem:
                rows += absent_rows(benchmark, name, "failed", problem)
                on_progress(f"{name} failed", num_calls(benchmark) // len(benchmark.contenders))
                del processes[name]
        schedule = Schedule(
            benchmark.positions,
            PARTS,
            benchmark.repeats,
            benchmark.max_seconds,
            units=lambda length: benchmark.shape.batch * length,
        )
        results = measure_rounds(processes, schedule, on_progress=on_progress)
    return OperatorResults(machine, rows + results.rows, errors, results.interrupted)


def num_calls(benchmark: OperatorBenchmark) -> int:
    """Timed and warm-up calls of a whole run."""
    points = len(benchmark.contenders) * len(benchmark.positions) * len(PARTS)
    return points * (benchmark.repeats + 1)


def wrong_result(errors: dict[str, float], device: str) -> str | None:
    """Why these errors keep a contender from being timed, or None."""
    worst = max(errors, key=lambda name: errors[name] if errors[name] == errors[name] else float("inf"))
    if errors[worst] <= LARGEST_ERROR[device]:
        return None
    return f"computes something else: error {errors[worst]:.1g} in {worst}"


def absent_rows(benchmark: OperatorBenchmark, name: str, status: Status, note: str) -> list[Measurement]:
    """The rows of a contender that is not timed at all."""
    return [
        Measurement(name, length, part, 0, status, note=note)
        for length in benchmark.positions
        for part in PARTS
    ]
