"""Several columns of 0 and 1 as the one column that says which classes a sequence has."""

from collections.abc import Sequence
from dataclasses import replace

from lifecode.errors import UserError
from lifecode.tasks.examples.joined_classes import BETWEEN_LABELS
from lifecode.tasks.examples.table import Table

_SAYS = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}


def classes_of_columns(names: Sequence[str]) -> tuple[str, ...]:
    """The columns as classes, sorted by their letters.

    Raises:
        UserError: fewer than two, one twice, or a name that holds what stands between labels.
    """
    if len(set(names)) < 2 or len(set(names)) < len(names):
        problem = "names a column twice" if len(set(names)) < len(names) else "names fewer than two columns"
        raise UserError(problem, source="task.label", remedy="Name each class's column once, or one column")
    for name in names:
        if BETWEEN_LABELS in name:
            raise UserError(
                f"names a column {name!r} with a {BETWEEN_LABELS!r}", source="task.label", remedy="Rename it"
            )
    return tuple(sorted(names))


def with_joined_labels(table: Table, classes: Sequence[str]) -> Table:
    """The same table, with the classes of each row joined in one column, under their joined names.

    Raises:
        UserError: a column is missing, or a cell is neither 0 nor 1; it names the row.
    """
    columns = [table.column(name, "task.label") for name in classes]
    for name, values in zip(classes, columns, strict=True):
        for row, value in zip(table.rows, values, strict=True):
            if value.lower() not in _SAYS:
                raise UserError(
                    f"{value!r} in column {name!r} is neither 0 nor 1",
                    source=table.source,
                    record=f"in row {row}",
                    remedy="Give 1 where the sequence has the class, else 0",
                )
    joined = [
        BETWEEN_LABELS.join(name for name, value in zip(classes, row, strict=True) if _SAYS[value.lower()])
        for row in zip(*columns, strict=True)
    ]
    others = {name: values for name, values in table.columns.items() if name not in classes}
    return replace(table, columns={**others, BETWEEN_LABELS.join(classes): joined})
