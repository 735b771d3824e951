"""`lifecode bench train`: training steps of our encoder over hybrid ratios, and of peers of its size."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from lifecode.benchmarks.fresh_process import ContenderFailed, FreshProcess
from lifecode.benchmarks.learners import Learner, LifeCodeLearner, PeerLearner
from lifecode.benchmarks.machine import Machine, Precision, describe_machine
from lifecode.benchmarks.measurement import Measurement, summarise
from lifecode.benchmarks.operator_contenders import missing_package
from lifecode.benchmarks.peers import PEERS, PeerSize
from lifecode.benchmarks.rounds import Schedule, measure_rounds
from lifecode.benchmarks.training_step import PART, TrainingStep, sequences_a_step
from lifecode.errors import UserError
from lifecode.model.encoder import layer_kinds

PROFILED_RATIO = "11:1"


@dataclass(frozen=True, slots=True)
class TrainingBenchmark:
    """What is measured; see `conf/bench_train.yaml`.

    Attributes:
        model: shape of our model, as in config.json; each ratio replaces its own.
        num_parameters: of that model, which the peers meet.
        ratios: `"a:b"`, Gated DeltaNet to MHSA layers.
        peers: of `PEERS`.
        num_nucleotides: of a sequence, ascending.
        nucleotides_a_step: sequences of a length fill this.
        precision: `fp32`, or `bf16` for autocast.
        repeats: timed rounds.
        max_seconds: a step that would take longer is extrapolated.
        threads: of every contender.
        profile: also profile the longest step of 11:1.
    """

    model: dict[str, Any]
    num_parameters: int
    ratios: Sequence[str]
    peers: Sequence[str]
    num_nucleotides: Sequence[int]
    nucleotides_a_step: int
    precision: Precision
    repeats: int
    max_seconds: float
    threads: int
    profile: bool

    def __post_init__(self) -> None:
        for ratio in self.ratios:
            layer_kinds(ratio, self.model["depth"])
        unknown = [name for name in self.peers if name not in PEERS]
        if unknown:
            raise UserError(
                f"there is no peer {unknown[0]!r}", source="peers", remedy=f"Choose from {', '.join(PEERS)}"
            )
        if not self.contenders or not self.num_nucleotides:
            raise UserError("num_nucleotides, and ratios or peers, must not be empty")
        if min(*self.num_nucleotides, self.nucleotides_a_step, self.repeats, self.threads) < 1:
            raise UserError("num_nucleotides, nucleotides_a_step, repeats and threads must be positive")
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
        return length * sequences_a_step(length, self.nucleotides_a_step)

    def learner(self, contender: str) -> Callable[[], Learner]:
        """Makes the learner of a contender; picklable."""
        if contender in PEERS:
            size = PeerSize(
                self.model["depth"],
                self.model["width"],
                self.model["attention_head_dim"],
                self.num_parameters,
                max(self.num_nucleotides),
            )
            return partial(PeerLearner, PEERS[contender], size)
        return partial(LifeCodeLearner, {**self.model, "hybrid_ratio": contender})


class TrainingResults(NamedTuple):
    """What came of it.

    Attributes:
        machine: it ran on.
        rows: all measurements.
        facts: parameters and operations of a step, by (contender, length).
        profile: the profiler's table, or None.
        interrupted: whether Ctrl-C ended the run.
    """

    machine: Machine
    rows: list[Measurement]
    facts: dict[tuple[str, int], dict[str, float]]
    profile: str | None
    interrupted: bool = False


def run_training_benchmark(
    benchmark: TrainingBenchmark, on_progress: Callable[[str, int], None]
) -> TrainingResults:
    """Measures all contenders; peers whose package is missing are left out, with the reason."""
    machine = describe_machine(benchmark.threads, benchmark.precision)
    missing = missing_package("transformers")
    absent = [name for name in benchmark.peers if missing]
    rows = [
        Measurement(name, length, PART, 0, "left out", note=missing or "")
        for name in absent
        for length in benchmark.num_nucleotides
    ]
    on_progress("start", len(rows) * (benchmark.repeats + 1))
    schedule = Schedule(
        benchmark.num_nucleotides,
        (PART,),
        benchmark.repeats,
        benchmark.max_seconds,
        units=benchmark.nucleotides,
    )
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(
                FreshProcess(
                    partial(
                        TrainingStep,
                        benchmark.learner(name),
                        benchmark.nucleotides_a_step,
                        benchmark.precision,
                    ),
                    threads=benchmark.threads,
                )
            )
            for name in benchmark.contenders
            if name not in absent
        }
        results = measure_rounds(processes, schedule, on_progress=on_progress)
        wanted = benchmark.profile and not results.interrupted
        profile = _profile(processes[PROFILED_RATIO], results.rows) if wanted else None
    return TrainingResults(machine, rows + results.rows, results.facts, profile, results.interrupted)


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
        table = process.call("profile")
    except ContenderFailed as error:
        table = f"{error}\n"
    return f"One step of {PROFILED_RATIO}, sequences of {max(measured):,} nucleotides\n\n{table}"
