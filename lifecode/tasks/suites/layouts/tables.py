"""Tables in one folder: each set of the suite is a task whose files are named relative to it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lifecode.errors import UserError
from lifecode.tasks.examples.sequence_task import Files, SequenceTask, listed
from lifecode.tasks.suites.benchmark import BenchmarkSet, SequenceSet, none_found


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSuite:
    """A suite of tables, such as the field's codon tasks or some of a user's own.

    Args:
        tasks: by the name of the set; paths are relative to the root.
    """

    tasks: dict[str, SequenceTask]

    def __post_init__(self) -> None:
        for name, task in self.tasks.items():
            if task.unit != "sequence":
                raise UserError(
                    f"is {task.unit}, and a suite compares labels of whole sequences",
                    source=f"suite.tasks.{name}.unit",
                    remedy="Use lifecode finetune for it",
                )

    def sets(self, root: Path) -> Mapping[str, BenchmarkSet]:
        """Those whose training file is there."""
        found = {
            name: SequenceSet(
                name=name,
                task=replace(
                    task,
                    train=_below(root, task.train),
                    validation=None if task.validation is None else _below(root, task.validation),
                    test=None if task.test is None else _below(root, task.test),
                    fasta=None if task.fasta is None else str(root / task.fasta),
                ),
            )
            for name, task in self.tasks.items()
        }
        there = {name: one for name, one in found.items() if all(map(_exists, listed(one.task.train)))}
        if not there:
            names = sorted({name for task in self.tasks.values() for name in listed(task.train)})
            raise none_found(root, f"file of {', '.join(names)}")
        return there


def _below(root: Path, files: Files) -> Files:
    return str(root / files) if isinstance(files, str) else [str(root / name) for name in files]


def _exists(path: str) -> bool:
    return Path(path).exists()
