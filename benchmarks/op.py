"""`python -m benchmarks.op`: the gated delta rule, forward and backward, beside other implementations."""

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from rich.table import Table

from benchmarks.contenders import (
    CONTENDERS,
    PARTS,
    OperatorCall,
    OperatorShape,
    bound_flops,
    default_contenders,
    obstacle,
)
from benchmarks.measuring.command import OnProgress, Results, main
from benchmarks.measuring.fresh_process import ContenderFailed, FreshProcess
from benchmarks.measuring.machine import describe_machine
from benchmarks.measuring.measurement import (
    Column,
    Key,
    Measurement,
    Record,
    Status,
    ratio,
    records,
    summarise,
    table,
)
from benchmarks.measuring.rounds import Schedule, measure_rounds
from lifecode.errors import UserError

LARGEST_ERROR = {"cpu": 1e-4, "cuda": 1e-2}
"""Beyond this a contender computes something else; the CUDA kernels multiply in TF32."""

COLUMNS = (
    Column("T", "length", form=","),
    Column("contender", "contender"),
    Column("pass", "part"),
    Column("ms\nmin / median", "time", 1e3),
    Column("us per\nposition", "microseconds_per_position", form=".3g"),
    Column("transformers'\ntime / own", "speedup_over_transformers", form=".2f"),
    Column("extra\nMiB", "extra_bytes", 2**-20, ",.0f"),
    Column("of\nchunked's", "memory_of_chunked", form=".2f"),
    Column("bound\nms", "bound_seconds", 1e3, ".3g"),
    Column("own time\n/ bound", "bound_factor", form=".2f"),
)


@dataclass(slots=True)
class OperatorBenchmark:
    """What is measured; the keys of `conf/op.yaml`."""

    batch: int
    heads: int
    key_dim: int
    value_dim: int
    positions: list[int]
    contenders: list[str] | None
    device: Literal["cpu", "cuda"]
    repeats: int
    threads: int | None
    keep_memory: bool
    max_seconds: float
    output: Path

    def __post_init__(self) -> None:
        self.positions = sorted(set(self.positions))
        named = default_contenders(self.device) if self.contenders is None else self.contenders
        self.contenders = list(dict.fromkeys(named))
        self.threads = torch.get_num_threads() if self.threads is None else self.threads
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

    @property
    def shape(self) -> OperatorShape:
        """B, H, K and V."""
        return OperatorShape(self.batch, self.heads, self.key_dim, self.value_dim)

    @property
    def calls_of_a_contender(self) -> int:
        """Timed and warm-up calls of each."""
        return len(self.positions) * len(PARTS) * (self.repeats + 1)

    @property
    def num_calls(self) -> int:
        """Timed and warm-up calls of a whole run."""
        return len(self.contenders or ()) * self.calls_of_a_contender

    def measure(self, on_progress: OnProgress) -> Results:
        """Checks every contender against the recurrence, then measures those that pass."""
        assert self.threads is not None
        assert self.contenders is not None
        results, errors = Results(describe_machine(self.threads)), dict[str, dict[str, float]]()
        with ExitStack() as stack:
            processes = dict[str, FreshProcess]()
            for name in self.contenders:
                if problem := obstacle(name, self.device):
                    results.rows += self._absent(name, "left out", problem)
                    on_progress(f"{name} left out", self.calls_of_a_contender)
                    continue
                call = partial(OperatorCall, name, self.shape, self.device, keep_memory=self.keep_memory)
                process = FreshProcess(call, threads=self.threads, device=self.device)
                processes[name] = stack.enter_context(process)
            for name in list(processes):
                on_progress(f"check {name}", 0)
                try:
                    errors[name] = processes[name].call("largest_errors")
                    problem = wrong_result(errors[name], self.device)
                except ContenderFailed as error:
                    problem = str(error)
                if problem:
                    results.rows += self._absent(name, "failed", problem)
                    on_progress(f"{name} failed", self.calls_of_a_contender)
                    del processes[name]
            batch = self.batch
            schedule = Schedule(
                self.positions, PARTS, self.repeats, self.max_seconds, lambda length: batch * length
            )
            measured = measure_rounds(processes, schedule, on_progress=on_progress)
        results.rows += measured.rows
        results.interrupted, results.more = measured.interrupted, {"errors": errors}
        return results

    def _absent(self, name: str, status: Status, note: str) -> list[Measurement]:
        """The rows of a contender that is not timed at all."""
        return [
            Measurement(name, length, part, 0, status, note=note)
            for length in self.positions
            for part in PARTS
        ]

    def records(self, results: Results) -> list[Record]:
        """Points by length, and what follows from the least time of each.

        `bound_seconds` are what the operations of `native` take at the machine's rate of matrix products.
        """
        points, rate = summarise(results.rows), results.machine.matmul_gflops * 1e9

        def figures(key: Key) -> Record:
            name, length, part = key
            own, peer, chunked = (
                points.get((other, length, part)) for other in (name, "transformers", "chunked")
            )
            assert own is not None
            bound = bound_flops(self.shape, length, part) / rate if name == "native" else None
            return {
                "microseconds_per_position": ratio(own.seconds, self.batch * length / 1e6),
                "speedup_over_transformers": ratio(peer.seconds if peer else None, own.seconds),
                "memory_of_chunked": ratio(own.extra_bytes, chunked.extra_bytes if chunked else None),
                "bound_seconds": bound,
                "bound_factor": ratio(own.seconds, bound),
            }

        return sorted(records(points, results.facts, figures), key=lambda record: record["length"])

    def table(self, records: list[Record]) -> Table:
        """One row a length, contender and pass; `~` marks what was extrapolated."""
        sizes = f"B {self.batch}, H {self.heads}, K {self.key_dim}, V {self.value_dim}"
        return table(f"Gated delta rule, {sizes}, fp32", COLUMNS, records, "length")

    def lines(self, results: Results, records: list[Record]) -> list[str]:
        """The errors, and how the time per position of `native` grows."""
        lines = [f"Rounds: {self.repeats}. Ratios are of the minima; ~ is extrapolated."]
        lines += [
            f"{name}: largest error beside the recurrence {max(errors.values()):.1e}"
            for name, errors in results.more["errors"].items()
        ]
        ends = [
            record
            for record in records
            if record["contender"] == "native"
            and record["part"] == "forward_backward"
            and record["status"] == "measured"
            and record["length"] in (self.positions[0], self.positions[-1])
        ]
        if len(ends) == 2:
            growth = ends[1]["microseconds_per_position"] / ends[0]["microseconds_per_position"]
            last, first = self.positions[-1], self.positions[0]
            lines.append(f"native: time per position at T = {last:,} over T = {first:,}: {growth:.2f}")
        return lines

    def write_more(self, results: Results, records: list[Record]) -> None:
        """Nothing more."""


def wrong_result(errors: dict[str, float], device: str) -> str | None:
    """Why these errors keep a contender from being timed, or None."""
    worst = max(errors, key=lambda name: errors[name] if errors[name] == errors[name] else float("inf"))
    if errors[worst] <= LARGEST_ERROR[device]:
        return None
    return f"computes something else: error {errors[worst]:.1g} in {worst}"


if __name__ == "__main__":
    sys.exit(main("op", OperatorBenchmark))
