"""GUE, 28 sets of DNABERT-2's paper: `EMP/H3/{train,dev,test}.csv`, or flat as `emp_H3/`, `human_tf_0/`.

Files of three columns, as its loader has it, are pairs of sequences and a label.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lifecode.errors import UserError
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.examples.table_parts import table_parts
from lifecode.tasks.pairs.pair_task import PairTask
from lifecode.tasks.suites.benchmark import BenchmarkSet, PairSet, SequenceSet, none_found
from lifecode.tasks.suites.published import GUE

_MARKS = ("H3", "H3K14ac", "H3K36me3", "H3K4me1", "H3K4me2", "H3K4me3", "H3K79me3", "H3K9ac", "H4", "H4ac")
_PROMOTERS = [f"prom_{length}_{kind}" for length in ("core", "300") for kind in ("all", "notata", "tata")]
PLACES = {
    **{f"emp_{mark}": f"EMP/{mark}" for mark in _MARKS},
    **{name: f"prom/{name}" for name in _PROMOTERS},
    "splice_reconstructed": "splice/reconstructed",
    "virus_covid": "virus/covid",
    **{f"mouse_{number}": f"mouse/{number}" for number in range(5)},
    **{f"human_tf_{number}": f"tf/{number}" for number in range(5)},
}
"""Folder of each set in the download; flat mirrors have its name."""


@dataclass(frozen=True, slots=True)
class Gue:
    """The folder GUE, or the one above it."""

    def sets(self, root: Path) -> Mapping[str, BenchmarkSet]:
        """Those of the 28 that are there; Matthews correlation, dev is learnt from."""
        found = dict(self._folders(root))
        if not found:
            raise none_found(root, "set of GUE, such as EMP/H3/train.csv or emp_H3/train.csv")
        return {name: _set(name, folder) for name, folder in found.items()}

    def _folders(self, root: Path) -> Iterator[tuple[str, Path]]:
        for name, place in PLACES.items():
            for folder in (root / place, root / "GUE" / place, root / name, root / "GUE" / name):
                if (folder / "train.csv").is_file() and (folder / "test.csv").is_file():
                    yield name, folder
                    break


def _set(name: str, folder: Path) -> BenchmarkSet:
    files: dict[str, Any] = {"train": str(folder / "train.csv"), "test": str(folder / "test.csv")}
    files["published"] = GUE.get(name)
    files |= {"validation": str(folder / "dev.csv")} if (folder / "dev.csv").is_file() else {}
    columns = _columns(folder / "train.csv")
    if len(columns) == 3 and "sequence" not in columns:
        first, second, label = columns
        kinds: dict[str, Any] = {"first_kind": "dna", "second_kind": "dna"}
        task = PairTask(**files, **kinds, first=first, second=second, label=label, metric="mcc")
        return PairSet(name=name, task=task)
    of_one = SequenceTask(**files, sequence="sequence", label="label", molecule="dna", metric="mcc")
    return SequenceSet(name=name, task=of_one)


def _columns(path: Path) -> list[str]:
    """Names of the columns; none of a file that cannot be read, which is said when it is its turn."""
    try:
        return list(next(table_parts(path, 1)).columns)
    except UserError:
        return []
