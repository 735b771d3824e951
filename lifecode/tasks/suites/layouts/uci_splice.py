"""UCI splice junctions: lines `class, name, sequence` of 60 nucleotides, classes EI, IE and N."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lifecode.data.formats.opening import opened
from lifecode.errors import UserError
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.examples.table import Table
from lifecode.tasks.examples.task_data import TaskData, data_of
from lifecode.tasks.suites.benchmark import BenchmarkSet, SequenceSet, none_found


@dataclass(frozen=True, slots=True)
class UciSplice:
    """The file, or the one `*.data` of a folder; of equal sequences the first is kept."""

    def sets(self, root: Path) -> Mapping[str, BenchmarkSet]:
        """One set, `splice`, of which folds are held out."""
        files = [root] if root.is_file() else sorted(root.glob("*splice*.data"))
        if len(files) != 1:
            raise none_found(root, "file *splice*.data, or several")
        task = SequenceTask(
            train=str(files[0]), sequence="sequence", label="class", molecule="dna", metric="accuracy"
        )
        return {"splice": SequenceSet(name="splice", task=task, read=_read)}


def _read(task: SequenceTask) -> TaskData:
    path = Path(str(task.train))
    rows: dict[str, str] = {}
    total = 0
    with opened(path) as handle:
        for number, line in enumerate(handle, start=1):
            fields = [field.strip() for field in line.decode("latin-1").split(",")]
            if len(fields) != 3:
                if any(fields):
                    raise UserError("is not `class, name, sequence`", source=path, record=f"line {number}")
                continue
            rows.setdefault(fields[2], fields[0])
            total += 1
    table = Table(str(path), {"sequence": list(rows), "class": list(rows.values())})
    data = data_of(task, {"train": [table]})
    return data._replace(notes=[*data.notes, f"{total - len(rows):,} of {total:,} rows repeat a sequence"])
