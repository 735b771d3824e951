"""Where sequences and ids stand in a file to be predicted: as the user says, as in the training, or found."""

from dataclasses import dataclass

from lifecode.tasks.examples.table import Table
from lifecode.tasks.tuned_model import Tuned


@dataclass(frozen=True, slots=True, kw_only=True)
class InputColumns:
    """Where sequences and ids stand in a file.

    Args:
        sequence: column of the sequences; None takes that of the training, where the task named it and it is
            there, else finds it by its letters in the first rows.
        first: of a model of pairs the column of the first sequences; None takes that of its training.
        second: likewise of the second ones.
        first_fasta: file that holds the first sequences by the names in their column; None where they stand
            in the table.
        second_fasta: likewise.
        id: column of the ids; None takes that of the training likewise, else one that is called so, or whose
            name ends in `id` and that has no value twice in the first rows, else numbers the rows from 1.
    """

    sequence: str | None = None
    first: str | None = None
    second: str | None = None
    first_fasta: str | None = None
    second_fasta: str | None = None
    id: str | None = None


def like_ids(table: Table, *others: str) -> str | None:
    """The first column whose name ends in `id` and whose values all differ in the first rows."""
    names = (name for name in table.columns if name.lower().endswith("id") and name not in others)
    return next((name for name in names if len(set(table.columns[name])) == len(table)), None)


def column_of_training(model: Tuned, key: str, table: Table) -> str | None:
    """The column that the model's task named, where a table has it too."""
    task = model.told.get("task", {})
    name = None if key == "sequence" and task.get("fasta") else task.get(key)
    return name if isinstance(name, str) and name in table.columns else None
