"""Species by windows of chromosomes: `SPECIES/chr*.{fa,fna}(.gz)`, split by the chromosome's number."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from lifecode.alphabet import UNK, decode_nucleotides
from lifecode.data.formats.fasta import nucleotide_records
from lifecode.data.formats.opening import opened
from lifecode.errors import UserError, require_at_least
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.examples.table import Table
from lifecode.tasks.examples.task_data import TaskData, data_of
from lifecode.tasks.suites.benchmark import BenchmarkSet, SequenceSet, none_found
from lifecode.tasks.suites.published import SPECIES

_VALIDATION, _TEST = frozenset({"1", "3", "12", "13"}), frozenset({"5", "7", "9", "10", "11"})
_CHROMOSOME = re.compile(r"chr(?:omosome)?[._-]?([^\W_]+)\.(?:fa|fna|fasta)(?:\.gz)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeciesByChromosome:
    """Which species a window is of.

    Args:
        windows: lengths in nucleotides; each is a set.
        train: windows a species to learn from.
        validation: likewise.
        test: likewise.
        seed: of the places of the windows.
    """

    windows: list[int]
    train: int = 1_000
    validation: int = 100
    test: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        require_at_least(1, self, "train", "validation", "test", within="suite")
        if not self.windows or min(self.windows) < 3:
            raise UserError("gives no length of 3 or more", source="suite.windows")

    def sets(self, root: Path) -> Mapping[str, BenchmarkSet]:
        """A set for each length, such as `1000_nt`."""
        files = {
            folder.name: {path: found[1] for path in sorted(folder.iterdir()) if (found := _chromosome(path))}
            for folder in sorted(root.iterdir())
            if folder.is_dir()
        }
        files = {species: paths for species, paths in files.items() if paths}
        if len(files) < 2:
            raise none_found(root, "two folders SPECIES with chr*.fa, .fna or .gz of these")
        task = SequenceTask(
            train=[str(path) for paths in files.values() for path in paths],
            sequence="sequence",
            label="species",
            molecule="dna",
            metric="accuracy",
        )
        return {
            name: SequenceSet(
                name=name,
                task=replace(task, published=SPECIES.get(name)),
                read=partial(self._read, files, window),
            )
            for window in self.windows
            for name in [f"{window}_nt"]
        }

    def _read(self, files: Mapping[str, Mapping[Path, str]], window: int, task: SequenceTask) -> TaskData:
        tables: dict[str, list[Table]] = {"train": [], "validation": [], "test": []}
        numbers = {"train": self.train, "validation": self.validation, "test": self.test}
        for species, paths in files.items():
            of_split: dict[str, list[np.ndarray]] = {split: [] for split in tables}
            for path, chromosome in paths.items():
                of_split[split_of(chromosome)] += _sequences(path)
            for split, chromosomes in of_split.items():
                if not chromosomes:
                    raise UserError(
                        f"no chromosome of {species} is one of {split}",
                        source=next(iter(paths)).parent,
                        remedy="Validation is 1, 3, 12, 13, test 5, 7, 9, 10, 11, the rest training",
                    )
                drawn = self._drawn(chromosomes, window, numbers[split], f"{species} {split}")
                columns = {"sequence": drawn, "species": [species] * len(drawn)}
                tables[split].append(Table(f"{species}, {split} chromosomes", columns))
        return data_of(task, tables)

    def _drawn(self, chromosomes: list[np.ndarray], window: int, number: int, words: str) -> list[str]:
        """Windows at random places, chromosomes by their lengths; short ones are padded with N."""
        draw = np.random.default_rng([self.seed, window, *words.encode()])
        lengths = np.array([len(ids) for ids in chromosomes], dtype=np.float64)
        found = []
        for at in draw.choice(len(lengths), size=number, p=lengths / lengths.sum()).tolist():
            start = int(draw.integers(max(1, len(chromosomes[at]) - window + 1)))
            part = chromosomes[at][start : start + window]
            found.append(decode_nucleotides(np.pad(part, (0, window - len(part)), constant_values=UNK)))
        return found


def split_of(chromosome: str) -> str:
    """The split that a chromosome is in, by its name without `chr`; `05` is 5."""
    chromosome = chromosome.lstrip("0")
    return "validation" if chromosome in _VALIDATION else "test" if chromosome in _TEST else "train"


def _chromosome(path: Path) -> re.Match[str] | None:
    """None for pieces without a place, such as `chr5_GL000208_random` and `chrUn`."""
    found = _CHROMOSOME.fullmatch(path.name)
    return None if found is None or found[1].startswith("Un") else found


def _sequences(path: Path) -> list[np.ndarray]:
    def refuse(fault: UserError) -> None:
        raise fault

    with opened(path) as handle:
        return [record.nucleotides for record in nucleotide_records(handle, str(path), refuse)]
