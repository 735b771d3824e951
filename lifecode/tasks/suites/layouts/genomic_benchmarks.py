"""Genomic Benchmarks: a folder a class of one sequence a file, or a table of intervals a class."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from lifecode.errors import UserError
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.examples.table import Table, read_table
from lifecode.tasks.examples.task_data import TaskData, data_of
from lifecode.tasks.suites.benchmark import BenchmarkSet, SequenceSet, none_found
from lifecode.tasks.suites.layouts.intervals import Interval, sequences_of
from lifecode.tasks.suites.published import GENOMIC_BENCHMARKS

_METADATA, _TABLES = "metadata.yaml", (".csv.gz", ".csv")
_SPLITS = ("train", "test")


@dataclass(frozen=True, slots=True)
class GenomicBenchmarks:
    """A folder of sets `NAME/{train,test}/CLASS/ID.txt`, or `NAME/{train,test}/CLASS.csv.gz`.

    Args:
        genomes: folder with the FASTA files that `metadata.yaml` of the intervals names by their URL; None is
            `genomes` below the root.
    """

    genomes: str | None = None

    def sets(self, root: Path) -> Mapping[str, BenchmarkSet]:
        """Every set that is there; accuracy, classes sorted by name."""
        names = [path.name for path in sorted(root.iterdir()) if all((path / x).is_dir() for x in _SPLITS)]
        if not names:
            raise none_found(root, "set NAME with train/CLASS/ and test/CLASS/, or CLASS.csv.gz")
        genomes = root / "genomes" if self.genomes is None else Path(self.genomes).expanduser()
        return {
            name: SequenceSet(
                name=name,
                task=SequenceTask(
                    train=str(root / name / "train"),
                    test=str(root / name / "test"),
                    sequence="sequence",
                    label="class",
                    molecule="dna",
                    metric="accuracy",
                    published=GENOMIC_BENCHMARKS.get(name),
                ),
                read=partial(_read, genomes),
            )
            for name in names
        }


def _read(genomes: Path, task: SequenceTask) -> TaskData:
    tables = {"train": list(_tables(Path(str(task.train)), genomes))}
    return data_of(task, tables | {"test": list(_tables(Path(str(task.test)), genomes))})


def _tables(split: Path, genomes: Path) -> Iterator[Table]:
    """A table for each class."""
    shown = (path for path in split.iterdir() if not path.name.startswith("."))
    classes = sorted(path for path in shown if path.is_dir() or path.name.endswith(_TABLES))
    if not classes:
        raise UserError(f"holds no folder and no {_TABLES[0]} of a class", source=split)
    for path in classes:
        name = path.name if path.is_dir() else path.name.removesuffix(".gz").removesuffix(".csv")
        sequences = _files(path) if path.is_dir() else _intervals(path, name, genomes)
        yield Table(str(path), {"sequence": sequences, "class": [name] * len(sequences)})


def _files(folder: Path) -> list[str]:
    paths = sorted(folder.glob("*.txt"), key=lambda path: (len(path.stem), path.stem))
    if not paths:
        raise UserError("holds no ID.txt", source=folder)
    return ["".join(path.read_text(encoding="latin-1").split()) for path in paths]


def _intervals(path: Path, name: str, genomes: Path) -> list[str]:
    table = read_table(path)
    columns = [table.column(key, "columns") for key in ("region", "start", "end", "strand")]
    try:
        intervals = [Interval(a, int(b), int(c), d) for a, b, c, d in zip(*columns, strict=True)]
    except ValueError as fault:
        raise UserError(f"has a start or end that is no whole number ({fault})", source=path) from fault
    return sequences_of(intervals, _genome(path.parent.parent / _METADATA, name, genomes), str(path))


def _genome(metadata: Path, name: str, genomes: Path) -> Path:
    """The FASTA file, gzip or not, that a class of `metadata.yaml` names by its URL."""
    try:
        described: Any = OmegaConf.to_container(OmegaConf.load(metadata))
        file = str(described["classes"][name]["url"]).rpartition("/")[2]
    except (OSError, KeyError, TypeError, ValueError) as fault:
        raise UserError(
            f"names no genome of class {name!r} ({fault})", source=metadata, remedy="Download the set again"
        ) from fault
    options: Sequence[Path] = [genomes / file, genomes / file.removesuffix(".gz")]
    found = next((path for path in options if path.is_file()), None)
    if found is None:
        raise UserError(
            "there is no such file",
            source=options[0],
            remedy=f"Download {described['classes'][name]['url']} into suite.genomes=FOLDER",
        )
    return found
