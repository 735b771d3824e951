"""`lifecode bench data`: reading GenBank beside Biopython, the training loader, preparing more and more.

The three are measured one after the other, and the contenders of each in turns. In the measurements `length`
is what each is measured over: nucleotides of the file for `read`, codons of a row for `load`, copies of the
genome for `prepare`.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from lifecode.benchmarks import genbank_reading, loading, preparation
from lifecode.benchmarks.fresh_process import ContenderFailed, FreshProcess
from lifecode.benchmarks.genbank_reading import BIOPYTHON, LIFECODE, Counts, GenBankReading
from lifecode.benchmarks.loading import LOADER, LoaderCall
from lifecode.benchmarks.machine import Machine, describe_machine
from lifecode.benchmarks.measurement import Measurement
from lifecode.benchmarks.preparation import MANY_FILES, ONE_FILE, Preparation
from lifecode.benchmarks.rounds import Measurable, Schedule, measure_rounds
from lifecode.data.inputs import resolve_inputs
from lifecode.data.opening import Format, file_format
from lifecode.errors import UserError

PARTS = {
    genbank_reading.PART: (LIFECODE, BIOPYTHON),
    loading.PART: (LOADER,),
    preparation.PART: (MANY_FILES, ONE_FILE),
}
"""The contenders of each part."""


@dataclass(frozen=True, slots=True)
class DataBenchmark:
    """What is measured; see `conf/bench_data.yaml`.

    Attributes:
        genome: GenBank file.
        parts: of `PARTS`.
        max_codons: of a packed row of the loader, ascending.
        loader_nucleotides: that a call of the loader delivers.
        copies: of the genome in one preparation, ascending.
        workers: processes of a preparation.
        repeats: timed rounds.
    """

    genome: Path
    parts: Sequence[str]
    max_codons: Sequence[int]
    loader_nucleotides: int
    copies: Sequence[int]
    workers: int
    repeats: int

    def __post_init__(self) -> None:
        unknown = [part for part in self.parts if part not in PARTS]
        if unknown:
            raise UserError(
                f"there is no part {unknown[0]!r}", source="parts", remedy=f"Choose from {', '.join(PARTS)}"
            )
        if not self.parts or not self.max_codons or not self.copies:
            raise UserError("parts, max_codons and copies must not be empty")
        if min(*self.max_codons, self.loader_nucleotides, *self.copies, self.workers, self.repeats) < 1:
            raise UserError("max_codons, loader_nucleotides, copies, workers and repeats must be positive")

    @property
    def num_calls(self) -> int:
        """Timed and warm-up calls of a whole run."""
        points = {
            genbank_reading.PART: 2,
            loading.PART: len(self.max_codons),
            preparation.PART: 2 * len(self.copies),
        }
        return sum(points[part] for part in self.parts) * (self.repeats + 1)


@dataclass(slots=True)
class DataResults:
    """What came of it.

    Attributes:
        machine: it ran on.
        counts: what both readings of the file found.
        rows: all measurements.
        facts: how full the rows of the loader are, bytes of the inputs, by (contender, length).
        interrupted: whether Ctrl-C ended the run.
    """

    machine: Machine
    counts: Counts
    rows: list[Measurement] = field(default_factory=list)
    facts: dict[tuple[str, int], dict[str, float]] = field(default_factory=dict)
    interrupted: bool = False


def genome_file(name: str) -> Path:
    """The one GenBank file that an input names.

    Raises:
        UserError: it names none, several, or a file of another format.
    """
    files = [file for unit in resolve_inputs(name) for file in unit.files]
    if len(files) != 1 or file_format(files[0]) is not Format.GENBANK:
        raise UserError("is not one GenBank file", source=name, remedy="Give one, or ecoli")
    return files[0]


def run_data_benchmark(
    benchmark: DataBenchmark, folder: Path, on_progress: Callable[[str, int], None]
) -> DataResults:
    """Measures every part that was chosen.

    Args:
        benchmark: what is measured.
        folder: where copies and corpora are kept for as long as it takes.
        on_progress: told a label and how many calls are done.

    Raises:
        UserError: the two readings of the file do not find the same.
    """
    machine = describe_machine(threads=1)
    with TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as scratch, ExitStack() as stack:
        readers = {
            name: stack.enter_context(
                FreshProcess(partial(GenBankReading, name, benchmark.genome), threads=1)
            )
            for name in PARTS[genbank_reading.PART]
        }
        on_progress("read by both", 0)
        results = DataResults(machine, agreed_counts(readers, benchmark.genome))
        for part in benchmark.parts:
            with _contenders(benchmark, part, readers, Path(scratch)) as contenders:
                schedule = _schedule(benchmark, part, results.counts)
                measured = measure_rounds(contenders, schedule, on_progress=on_progress)
            results.rows += measured.rows
            results.facts |= measured.facts
            results.interrupted = measured.interrupted
            if results.interrupted:
                break
    return results


def agreed_counts(readers: Mapping[str, Measurable], genome: Path) -> Counts:
    """What both readers find in the file.

    Raises:
        UserError: one cannot read it, or they find different things: then they do not do the same work.
    """
    found = dict[str, Counts]()
    for name, reader in readers.items():
        try:
            found[name] = reader.call("counts")
        except ContenderFailed as failure:
            raise UserError(f"{name} cannot read it: {failure}", source=genome) from failure
    if len(set(found.values())) > 1:
        said = "; ".join(
            f"{name} finds {counts.pairs:,} exact pairs in {counts.cds:,} CDS on {counts.contigs:,} contigs"
            for name, counts in found.items()
        )
        raise UserError(f"the two readings differ, so their times say nothing: {said}", source=genome)
    return found[LIFECODE]


@contextmanager
def _contenders(
    benchmark: DataBenchmark, part: str, readers: Mapping[str, FreshProcess], scratch: Path
) -> Iterator[Mapping[str, Measurable]]:
    """Whoever takes part, by name."""
    if part == genbank_reading.PART:
        yield readers
    elif part == loading.PART:
        call = partial(LoaderCall, benchmark.genome, scratch / "corpus", benchmark.loader_nucleotides)
        with FreshProcess(call, threads=1) as process:
            yield {LOADER: process}
    else:
        yield {
            layout: Preparation(benchmark.genome, scratch / "copies", layout, benchmark.workers)
            for layout in PARTS[part]
        }


def _schedule(benchmark: DataBenchmark, part: str, counts: Counts) -> Schedule:
    """The lengths of a part; everything is measured, nothing extrapolated."""
    lengths = {
        genbank_reading.PART: [counts.nucleotides],
        loading.PART: benchmark.max_codons,
        preparation.PART: benchmark.copies,
    }
    return Schedule(lengths[part], (part,), benchmark.repeats, math.inf, units=lambda length: 1)
