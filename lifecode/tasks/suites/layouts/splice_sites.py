"""Splice sites at every nucleotide, as SpliceAI asks for them: long windows whose central third is scored.

There is no canonical file. A folder holds `train.csv`, `test.csv` and perhaps `validation.csv` with the
columns `id,sequence,labels` (a digit a nucleotide: 0 none, 1 acceptor, the first nucleotide of an exon; 2
donor, the last one; `.` not scored), or it is what `lifecode dogma dataset=premrna` makes of an annotation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from lifecode.errors import UserError
from lifecode.tasks.examples.position_labels import UNLABELLED
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.examples.table import Table, read_table
from lifecode.tasks.examples.task_data import TaskData, data_of
from lifecode.tasks.suites.benchmark import BenchmarkSet, SequenceSet, none_found

_SITES = ("none", "acceptor", "donor")
"""Classes, by their digits."""
_NONE = "0"
_COLUMNS = (("id", "sequence", "labels"), ("seq_id", "seq", "label"))
_SPLITS = {"train": ("train",), "validation": ("validation", "dev"), "test": ("test",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpliceSites:
    """None, acceptor or donor at each nucleotide.

    Args:
        scored: nucleotides of the central third of a window; as many are read on either side, where they are.
        none_per_site: nucleotides without a site that are learnt from, drawn, for each site; None takes all.
            All of the test are scored.
        seed: of the draw.
    """

    scored: int = 1_000
    none_per_site: int | None = 20
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("scored", "none_per_site"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError("is less than 1", source=f"suite.{name}")

    def sets(self, root: Path) -> Mapping[str, BenchmarkSet]:
        """A set for each folder of a train and a test file; compared by the mean average precision."""
        found = {}
        for train in sorted([*root.glob("train.csv"), *root.rglob("nucleotide_class/train/train.csv")]):
            nested = train.parent.name == "train"
            folder = train.parent.parent if nested else train.parent
            files = {
                split: str(path)
                for split, names in _SPLITS.items()
                for name in names
                if (path := folder / (name if nested else "") / f"{name}.csv").is_file()
            }
            name = folder.parent.parent.name if nested else "splice_sites"
            if "test" in files:
                task = SequenceTask(
                    train=files["train"],
                    validation=files.get("validation"),
                    test=files["test"],
                    sequence="sequence",
                    label="labels",
                    id="id",
                    molecule="dna",
                    unit="nucleotide",
                    kind="multiclass",
                    metric="macro_auprc",
                )
                found[name] = SequenceSet(name=name, task=task, read=partial(self._read, files))
        if not found:
            raise none_found(root, "train.csv and test.csv, nor gene/nucleotide_class/ of lifecode dogma")
        return found

    def _read(self, files: Mapping[str, str], task: SequenceTask) -> TaskData:
        tables = {
            split: [self._windows(path, None if split == "test" else self.none_per_site)]
            for split, path in files.items()
        }
        data = data_of(task, tables)
        if len(data.labels.classes) != len(_SITES):
            raise UserError(
                f"has labels {', '.join(data.labels.classes)} alone",
                source=files["train"],
                remedy="Give 0 for none, 1 for acceptor and 2 for donor, each at least once",
            )
        return data._replace(labels=replace(data.labels, classes=_SITES))

    def _windows(self, path: str, none_per_site: int | None) -> Table:
        """Windows of the sequences of a file, those without a label left out."""
        ids, sequences, labels = self._columns(path)
        kept = [np.frombuffer(text.encode("latin-1"), dtype="S1").copy() for text in labels]
        if none_per_site is not None:
            _thin(kept, none_per_site, self.seed)
        columns: dict[str, list[str]] = {"id": [], "sequence": [], "labels": []}
        for name, sequence, own in zip(ids, sequences, kept, strict=True):
            for start in range(0, len(sequence), self.scored):
                begin, end = max(0, start - self.scored), min(len(sequence), start + 2 * self.scored)
                window = np.full(end - begin, UNLABELLED.encode(), dtype="S1")
                scored = own[start : start + self.scored]
                window[start - begin : start - begin + len(scored)] = scored
                if (scored != UNLABELLED.encode()).any():
                    columns["id"].append(name)
                    columns["sequence"].append(sequence[begin:end])
                    columns["labels"].append(window.tobytes().decode())
        return Table(path, columns)

    def _columns(self, path: str) -> list[list[str]]:
        table = read_table(path)
        names = next((each for each in _COLUMNS if each[0] in table.columns), _COLUMNS[0])
        found = [table.column(name, "columns") for name in names]
        for row, (sequence, labels) in enumerate(zip(found[1], found[2], strict=True), start=1):
            wrong = sorted(set(labels) - {*"012", UNLABELLED})
            if len(sequence) != len(labels) or wrong:
                problem = (
                    f"{wrong[0]!r} in column {names[2]!r} is none of 0, 1, 2 and {UNLABELLED}"
                    if wrong
                    else f"has {len(labels):,} labels for {len(sequence):,} nucleotides"
                )
                raise UserError(
                    problem, source=path, record=f"in row {row}", remedy="Give a digit for each nucleotide"
                )
        return found


def _thin(labels: list[np.ndarray], none_per_site: int, seed: int) -> None:
    """Leaves so many nucleotides without a site, drawn among all, for each site; changes the arrays."""
    flat = np.concatenate(labels)
    none = np.flatnonzero(flat == _NONE.encode())
    sites = np.count_nonzero((flat == b"1") | (flat == b"2"))
    unlabelled = np.random.default_rng(seed).permutation(none)[none_per_site * max(1, sites) :]
    flat[unlabelled] = UNLABELLED.encode()
    borders = np.cumsum([0, *(len(each) for each in labels)])
    for number in range(len(labels)):
        labels[number] = flat[borders[number] : borders[number + 1]]
