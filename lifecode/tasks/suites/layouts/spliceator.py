"""Spliceator: `;`-separated positives and GS_1 negatives to learn from, a test set for each species."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lifecode.alphabet import NUCLEOTIDE_LETTERS, encode_nucleotides
from lifecode.data.formats.opening import opened
from lifecode.errors import UserError
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.examples.table import Table
from lifecode.tasks.examples.task_data import TaskData, data_of
from lifecode.tasks.suites.benchmark import BenchmarkSet, SequenceSet, none_found
from lifecode.tasks.suites.published import SPLICEATOR, Published

_SITES, _SPECIES = ("acceptor", "donor"), ("Danio", "Fly", "Thaliana", "Worm")
_WINDOW = 400
_SHORTEST = 100
_SEQUENCE = re.compile(rf"[{NUCLEOTIDE_LETTERS}]{{{_SHORTEST},}}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Spliceator:
    """The folder that holds `POS_*_600.csv`, `GS_1/` and the species, at any depth."""

    def sets(self, root: Path) -> Mapping[str, BenchmarkSet]:
        """Such as `acceptor_fly`; the middle 400 nucleotides are read; F1 of the sites."""
        found = {}
        for site in _SITES:
            train = {
                "site": _files(root, f"POS_{site}_600.csv"),
                "none": _files(root, f"GS_1/NEG_600_{site}.csv"),
            }
            for species in _SPECIES:
                stem = f"{species}/SA_sequences_{site}_400_Final_3"
                test = {
                    "site": _files(root, f"{stem}.positive.txt"),
                    "none": _files(root, f"{stem}.negative.txt"),
                }
                if all([*train.values(), *test.values()]):
                    name = f"{site}_{species.lower()}"
                    task = _task(train, test, SPLICEATOR.get(name))
                    found[name] = SequenceSet(name=name, task=task, read=_reader(train, test))
        if not found:
            raise none_found(root, "POS_{acceptor,donor}_600.csv, GS_1/NEG_600_* and SPECIES/SA_sequences_*")
        return found


Classes = Mapping[str, list[Path]]


def _files(root: Path, pattern: str) -> list[Path]:
    return sorted(root.rglob(pattern))[:1]


def _task(train: Classes, test: Classes, published: Published | None) -> SequenceTask:
    return SequenceTask(
        train=[str(path) for paths in train.values() for path in paths],
        test=[str(path) for paths in test.values() for path in paths],
        sequence="sequence",
        label="label",
        molecule="dna",
        metric="f1",
        published=published,
    )


def _reader(train: Classes, test: Classes) -> Callable[[SequenceTask], TaskData]:
    def read(task: SequenceTask) -> TaskData:
        return data_of(task, {"train": _tables(train), "test": _tables(test)})

    return read


def _tables(classes: Classes) -> Sequence[Table]:
    return [_table(path, label) for label, paths in classes.items() for path in paths]


def _table(path: Path, label: str) -> Table:
    """The first field of each line that is a sequence of 100 letters or more, its middle 400.

    Raises:
        UserError: no line has one, or a field is as long and has a letter that is no nucleotide.
    """
    sequences = []
    with opened(path) as handle:
        for number, line in enumerate(handle, start=1):
            fields = [field.strip() for field in line.decode("latin-1").split(";")]
            found = next((field for field in fields if _SEQUENCE.fullmatch(field)), None)
            spelt = next((field for field in fields if len(field) >= _SHORTEST and " " not in field), None)
            if found is None and spelt is not None:
                encode_nucleotides(spelt, source=path, record=f"line {number}")
            if found is not None:
                start = max(0, (len(found) - _WINDOW) // 2)
                sequences.append(found[start : start + _WINDOW])
    if not sequences:
        raise UserError("holds no sequence of 100 nucleotides or more", source=path)
    return Table(str(path), {"sequence": sequences, "label": [label] * len(sequences)})
