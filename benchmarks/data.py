"""`python -m benchmarks.data`: GenBank beside Biopython, the training loader, preparing more and more.

The three are measured one after the other, and the contenders of each in turns. In the measurements `length`
is what each is measured over: nucleotides of the file for `read`, codons of a row for `load`, copies of the
genome for `prepare`.
"""

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.table import Table

from benchmarks.genbank_reading import BIOPYTHON, LIFECODE, Counts, GenBankReading
from benchmarks.measuring.command import OnProgress, Results, main
from benchmarks.measuring.fresh_process import ContenderFailed, FreshProcess
from benchmarks.measuring.machine import describe_machine
from benchmarks.measuring.measurement import Column, Key, Record, ratio, records, summarise, table
from benchmarks.measuring.rounds import Measurable, Schedule, measure_rounds
from benchmarks.preparation import MANY_FILES, ONE_FILE, Preparation
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.mixture import Mixture
from lifecode.data.batches.steps import Step
from lifecode.data.batches.stream import TrainingStream
from lifecode.data.corpus.engine import LocalEngine
from lifecode.data.corpus.prepare import prepare_corpus
from lifecode.data.formats.opening import Format, file_format
from lifecode.data.reading.inputs import resolve_inputs
from lifecode.errors import UserError

READ, LOAD, PREPARE = "read", "load", "prepare"
LOADER = "loader"
PARTS = {READ: (LIFECODE, BIOPYTHON), LOAD: (LOADER,), PREPARE: (MANY_FILES, ONE_FILE)}
"""The contenders of each part."""

COLUMNS = (
    Column("measured", "part"),
    Column("contender", "contender"),
    Column("nucleotides, codons\nper row, or copies", "length", form=","),
    Column("s\nmin / median", "time"),
    Column("M nucleotides/s", "nucleotides_per_second", 1e-6, ".3g"),
    Column("peak\nMiB", "peak_bytes", 2**-20, ",.0f"),
    Column("time over\nfirst's", "time_ratio", form=".2f"),
    Column("memory over\nfirst's", "memory_ratio", form=".2f"),
)


class LoaderCall:
    """The workload of `load`: one core makes packed and masked rows of CDS and DNA windows of one genome.

    A call goes on where the last one stopped, so that packing groups of rows counts as often as in training.
    Special tokens and what a row leaves empty do not count as nucleotides.

    Args:
        file: the genome.
        folder: where its corpus is made.
        num_nucleotides: that a call delivers, at least.
    """

    def __init__(self, file: Path, folder: Path, num_nucleotides: int) -> None:
        self.corpus = prepare_corpus(file, folder, engine=LocalEngine(1))
        self.num_nucleotides = num_nucleotides
        self.steps: Iterator[Step] = iter(())

    def prepare(self, length: int) -> dict[str, float]:
        """Begins a stream of rows of `length` codons; returns how full its first 256 rows are."""
        stream = TrainingStream(
            self.corpus, shape=BatchShape(max_codons=length), mixture=Mixture(), masking=Masking(), seed=0
        )
        self.steps = iter(stream)
        group = stream.first_group()
        return {"filled": group.filled, "num_cut": group.num_cut}

    def run(self, part: str) -> None:
        """Takes steps until they hold enough nucleotides."""
        taken = 0
        while taken < self.num_nucleotides:
            taken += sum(batch.num_nucleotides for batch in next(self.steps).micro_batches)


@dataclass(slots=True)
class DataBenchmark:
    """What is measured; the keys of `conf/data.yaml`."""

    input: str
    parts: list[str]
    max_codons: list[int]
    loader_nucleotides: int
    copies: list[int]
    workers: int
    repeats: int
    output: Path

    def __post_init__(self) -> None:
        self.parts = list(dict.fromkeys(self.parts))
        self.max_codons, self.copies = sorted(set(self.max_codons)), sorted(set(self.copies))
        unknown = [part for part in self.parts if part not in PARTS]
        if unknown:
            raise UserError(
                f"there is no part {unknown[0]!r}", source="parts", remedy=f"Choose from {', '.join(PARTS)}"
            )
        if not self.parts or not self.max_codons or not self.copies:
            raise UserError("parts, max_codons and copies must not be empty")
        if min(*self.max_codons, self.loader_nucleotides, *self.copies, self.workers, self.repeats) < 1:
            raise UserError("max_codons, loader_nucleotides, copies, workers and repeats must be positive")
        genome_file(self.input)

    @property
    def num_calls(self) -> int:
        """Timed and warm-up calls of a whole run."""
        points = {READ: 2, LOAD: len(self.max_codons), PREPARE: 2 * len(self.copies)}
        return sum(points[part] for part in self.parts) * (self.repeats + 1)

    def measure(self, on_progress: OnProgress) -> Results:
        """Measures every part that was chosen; copies and corpora are kept in `output` meanwhile.

        Raises:
            UserError: the two readings of the file do not find the same.
        """
        results, genome = Results(describe_machine(threads=1)), genome_file(self.input)
        with (
            TemporaryDirectory(dir=self.output, ignore_cleanup_errors=True) as scratch,
            ExitStack() as stack,
        ):
            readers = {
                name: stack.enter_context(FreshProcess(partial(GenBankReading, name, genome), threads=1))
                for name in PARTS[READ]
            }
            on_progress("read by both", 0)
            counts = agreed_counts(readers, genome)
            results.more["counts"] = counts._asdict()
            lengths = {READ: [counts.nucleotides], LOAD: self.max_codons, PREPARE: self.copies}
            for part in self.parts:
                # Everything is measured, nothing extrapolated.
                schedule = Schedule(lengths[part], (part,), self.repeats, math.inf, lambda length: 1)
                with self._contenders(part, readers, genome, Path(scratch)) as contenders:
                    measured = measure_rounds(contenders, schedule, on_progress=on_progress)
                results.rows += measured.rows
                results.facts |= measured.facts
                results.interrupted = measured.interrupted
                if results.interrupted:
                    break
        return results

    @contextmanager
    def _contenders(
        self, part: str, readers: Mapping[str, Measurable], genome: Path, scratch: Path
    ) -> Iterator[Mapping[str, Measurable]]:
        """Whoever takes part, by name."""
        if part == READ:
            yield readers
        elif part == LOAD:
            call = partial(LoaderCall, genome, scratch / "corpus", self.loader_nucleotides)
            with FreshProcess(call, threads=1) as process:
                yield {LOADER: process}
        else:
            yield {
                layout: Preparation(genome, scratch / "copies", layout, self.workers)
                for layout in PARTS[part]
            }

    def records(self, results: Results) -> list[Record]:
        """Points, and what follows from the least time of each.

        Both ratios are over lifecode's reading, or over the least copies in the same layout.
        """
        points, nucleotides = summarise(results.rows), results.more["counts"]["nucleotides"]

        def figures(key: Key) -> Record:
            name, length, part = key
            first = {READ: (LIFECODE, length, part), PREPARE: (name, self.copies[0], part)}.get(part, key)
            own, beside = points[key], points.get(first)
            of_a_call = {READ: nucleotides, LOAD: self.loader_nucleotides, PREPARE: length * nucleotides}
            return {
                "nucleotides_per_second": ratio(of_a_call[part], own.seconds),
                "time_ratio": ratio(own.seconds, beside.seconds if beside else None),
                "memory_ratio": ratio(own.peak_bytes, beside.peak_bytes if beside else None),
            }

        return records(points, results.facts, figures)

    def table(self, records: list[Record]) -> Table:
        """One row a contender and length; ratios are over the first row of a kind."""
        return table(f"Corpora, {genome_file(self.input).name}", COLUMNS, records, "part")

    def lines(self, results: Results, records: list[Record]) -> list[str]:
        """The ratios in words."""
        counts = results.more["counts"]
        return [
            f"Rounds: {self.repeats}. Ratios are of the minima. Both readings find {counts['pairs']:,} exact "
            f"pairs in {counts['cds']:,} CDS.",
            *(line for record in records if record["seconds"] and (line := self._line(record))),
        ]

    def _line(self, record: Record) -> str | None:
        name, length, times = record["contender"], record["length"], record["time_ratio"]
        if name == BIOPYTHON and times:
            return f"GenBank to pairs: {times:.2f} times as fast as Biopython's SeqIO"
        if name == LOADER:
            millions = record["nucleotides_per_second"] / 1e6
            return (
                f"Loader at {length:,} codons: {millions:.2f} M nucleotides/s on one core, "
                f"rows {record['filled']:.2%} full"
            )
        if record["part"] != PREPARE or length == self.copies[0] or not times:
            return None
        memory = record["memory_ratio"]
        return f"Preparing {length:,} copies over {self.copies[0]:,} as {name}: {times:.2f} times as long" + (
            "" if memory is None else f", {memory:.2f} times the memory"
        )

    def write_more(self, results: Results, records: list[Record]) -> None:
        """Nothing more."""


def genome_file(name: str) -> Path:
    """The one GenBank file that an input names.

    Raises:
        UserError: it names none, several, or a file of another format.
    """
    files: Sequence[Path] = [file for unit in resolve_inputs(name) for file in unit.files]
    if len(files) != 1 or file_format(files[0]) is not Format.GENBANK:
        raise UserError("is not one GenBank file", source=name, remedy="Give one, or ecoli")
    return files[0]


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


if __name__ == "__main__":
    sys.exit(main("data", DataBenchmark))
