"""`python -m benchmarks.train`: training steps of our encoder over hybrid ratios, and of peers its size."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from rich.table import Table

from benchmarks.contenders import missing_package
from benchmarks.measuring.command import OnProgress, Results, main
from benchmarks.measuring.fresh_process import ContenderFailed, FreshProcess
from benchmarks.measuring.machine import Precision, describe_machine
from benchmarks.measuring.measurement import (
    Column,
    Key,
    Measurement,
    Record,
    ratio,
    records,
    summarise,
    table,
)
from benchmarks.measuring.rounds import Schedule, measure_rounds
from benchmarks.training.learners import Learner, LifeCodeLearner, PeerLearner
from benchmarks.training.peers import PEERS, PeerSize
from benchmarks.training.throughput_figures import throughput_by_length, throughput_by_ratio
from benchmarks.training.training_step import PART, TrainingStep, sequences_a_step
from lifecode.errors import UserError
from lifecode.models.layers.mixers import layer_kinds, parsed_ratio
from lifecode.models.life_code.model import LifeCode
from lifecode.report.charts.figure_style import save_png

PROFILED_RATIO = "11:1"

COLUMNS = (
    Column("nucleotides", "length", form=","),
    Column("contender", "contender"),
    Column("parameters", "parameters", form=",.0f"),
    Column("s per step\nmin / median", "time"),
    Column("nucleotides/s", "nucleotides_per_second", form=",.0f"),
    Column("extra\nMiB", "extra_bytes", 2**-20, ",.0f"),
    Column("GFLOP\nper step", "flops", 1e-9, ",.3g"),
    Column("% of matrix\nproducts' rate", "matmul_share", 100, ".1f"),
)

COMPARISONS = (
    (("11:1", 4096), ("0:12", 4096)),
    (("11:1", 16384), ("0:12", 16384)),
    (("11:1", 4096), ("12:0", 4096)),
    (("12:0", 65536), ("12:0", 4096)),
)
"""Pairs of (contender, nucleotides) whose throughputs are compared."""


@dataclass(slots=True)
class TrainingBenchmark:
    """What is measured; the keys of `conf/train.yaml`."""

    model: LifeCode
    ratios: list[str]
    peers: list[str]
    num_nucleotides: list[int]
    nucleotides_per_step: int
    precision: Precision
    repeats: int
    threads: int | None
    max_seconds: float
    profile: bool
    output: Path

    def __post_init__(self) -> None:
        self.ratios, self.peers = (list(dict.fromkeys(names)) for names in (self.ratios, self.peers))
        self.num_nucleotides = sorted(set(self.num_nucleotides))
        self.threads = torch.get_num_threads() if self.threads is None else self.threads
        for each in self.ratios:
            layer_kinds(each, self.model.config["depth"], source="ratios")
        unknown = [name for name in self.peers if name not in PEERS]
        if unknown:
            raise UserError(
                f"there is no peer {unknown[0]!r}", source="peers", remedy=f"Choose from {', '.join(PEERS)}"
            )
        if not self.contenders or not self.num_nucleotides:
            raise UserError("num_nucleotides, and ratios or peers, must not be empty")
        if min(*self.num_nucleotides, self.nucleotides_per_step, self.repeats, self.threads) < 1:
            raise UserError("num_nucleotides, nucleotides_per_step, repeats and threads must be positive")
        if self.max_seconds <= 0:
            raise UserError("must be positive", source="max_seconds")
        if self.profile and PROFILED_RATIO not in self.ratios:
            raise UserError(
                f"profiles the steps of {PROFILED_RATIO}",
                source="profile",
                remedy=f"Have {PROFILED_RATIO} among the ratios",
            )

    @property
    def contenders(self) -> list[str]:
        """Names in the order of the table."""
        return [*self.ratios, *self.peers]

    @property
    def num_calls(self) -> int:
        """Timed and warm-up calls of a whole run."""
        return len(self.contenders) * len(self.num_nucleotides) * (self.repeats + 1)

    def nucleotides(self, length: int) -> int:
        """Nucleotides of a step on sequences of this length."""
        return length * sequences_a_step(length, self.nucleotides_per_step)

    def learner(self, contender: str) -> Callable[[], Learner]:
        """Makes the learner of a contender; picklable."""
        config = self.model.config
        if contender in PEERS:
            size = PeerSize(
                config["depth"],
                config["width"],
                config["attention_head_dim"],
                sum(p.numel() for p in self.model.parameters()),
                max(self.num_nucleotides),
            )
            return partial(PeerLearner, PEERS[contender], size)
        pattern = None if parsed_ratio(contender) else contender
        stack = {"hybrid_ratio": config["hybrid_ratio"] if pattern else contender, "mixers": pattern}
        return partial(LifeCodeLearner, {**config, **stack})

    def measure(self, on_progress: OnProgress) -> Results:
        """Measures all contenders; peers whose package is missing are left out, with the reason."""
        assert self.threads is not None
        results = Results(describe_machine(self.threads, self.precision))
        if missing := missing_package("transformers"):
            results.rows += [
                Measurement(name, length, PART, 0, "left out", note=missing)
                for name in self.peers
                for length in self.num_nucleotides
            ]
            on_progress("start", len(results.rows) * (self.repeats + 1))
        present = self.ratios if missing else self.contenders
        schedule = Schedule(
            self.num_nucleotides, (PART,), self.repeats, self.max_seconds, units=self.nucleotides
        )
        with ExitStack() as stack:
            processes = {
                name: stack.enter_context(
                    FreshProcess(
                        partial(TrainingStep, self.learner(name), self.nucleotides_per_step, self.precision),
                        threads=self.threads,
                    )
                )
                for name in present
            }
            measured = measure_rounds(processes, schedule, on_progress=on_progress)
            if self.profile and not measured.interrupted:
                text = _profile(processes[PROFILED_RATIO], measured.rows)
                (self.output / "profile.txt").write_text(text, encoding="utf-8")
        results.rows += measured.rows
        results.facts, results.interrupted = measured.facts, measured.interrupted
        return results

    def records(self, results: Results) -> list[Record]:
        """Points by length, and what follows from the least time of each.

        `matmul_share` are the operations per second over the machine's rate of matrix products, 0 to 1.
        """
        points, rate = summarise(results.rows), results.machine.matmul_gflops * 1e9

        def figures(key: Key) -> Record:
            seconds = points[key].seconds
            flops = results.facts.get(key[:2], {}).get("flops")
            return {
                "nucleotides_per_second": ratio(self.nucleotides(key[1]), seconds),
                "matmul_share": ratio(ratio(flops, rate), seconds),
            }

        return sorted(records(points, results.facts, figures), key=lambda record: record["length"])

    def table(self, records: list[Record]) -> Table:
        """One row a length and contender; `~` marks what was extrapolated."""
        step = f"{self.nucleotides_per_step:,} nucleotides per step or one sequence"
        return table(f"Training steps, {self.precision}, {step}", COLUMNS, records, "length")

    def lines(self, results: Results, records: list[Record]) -> list[str]:
        """Comparisons whose points exist, and what was not counted."""
        known = {(r["contender"], r["length"]): r for r in records if r["nucleotides_per_second"]}
        lines = [f"Rounds: {self.repeats}. Throughput and share are of the minimum; ~ is extrapolated."]
        for pair in COMPARISONS:
            if all(point in known for point in pair):
                upper, lower = (known[point] for point in pair)
                marked = "~" if "extrapolated" in (upper["status"], lower["status"]) else ""
                named = " over ".join(f"{name} at {length:,}" for name, length in pair)
                times = upper["nucleotides_per_second"] / lower["nucleotides_per_second"]
                lines.append(f"nucleotides/s of {named}: {marked}{times:.2f}")
        positions = {r["contender"]: r.get("position_parameters") for r in records}
        return lines + [
            f"{name}: {count:,.0f} parameters of learned positions not counted"
            for name, count in positions.items()
            if count
        ]

    def write_more(self, results: Results, records: list[Record]) -> None:
        """Two figures of the throughput."""
        by_length = throughput_by_length(records, self.ratios, self.peers, self.num_nucleotides)
        save_png(by_length, self.output / "throughput_by_length.png")
        by_ratio = throughput_by_ratio(records, self.ratios, self.num_nucleotides)
        save_png(by_ratio, self.output / "throughput_by_ratio.png")


def _profile(process: FreshProcess, rows: list[Measurement]) -> str:
    """The profile of one more step at the greatest length that was measured."""
    measured = [
        length
        for (name, length, _), point in summarise(rows).items()
        if name == PROFILED_RATIO and point.status == "measured"
    ]
    if not measured:
        return f"No step of {PROFILED_RATIO} was measured.\n"
    try:
        process.call("prepare", max(measured))  # a longer one that failed may be what it holds
        profile = process.call("profile")
    except ContenderFailed as error:
        profile = f"{error}\n"
    return f"One step of {PROFILED_RATIO}, sequences of {max(measured):,} nucleotides\n\n{profile}"


if __name__ == "__main__":
    sys.exit(main("train", TrainingBenchmark))
