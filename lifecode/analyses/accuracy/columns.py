"""Columns of the held-out rows of a run: of the files of its task, or of a table beside them."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.analyses.accuracy.finished_run import FinishedRun
from lifecode.errors import UserError
from lifecode.tasks.examples.table import Table, read_table
from lifecode.tasks.pairs.pair_task import PairTask

_PLACES = re.compile(r"\d+\.\.\d+(,\d+\.\.\d+)*")
_MOST_WORDS = 20


def columns_of(
    run: FinishedRun, names: Sequence[str], beside: str | None
) -> Iterator[tuple[str, NDArray[Any]]]:
    """Columns of the held-out rows of a run, as numbers or words.

    Args:
        run: whose task names the files.
        names: of the columns.
        beside: a table with further columns of the rows, found by the columns that both tables have.

    Raises:
        UserError: no such column, rows that were left out of the task, a row that `beside` lacks or has
            twice, or a column of too many different words.
    """
    if not names:
        return
    given = [run.task.test] if run.task.test else [run.task.train, run.task.validation]
    files = [path for one in given if one for path in ([one] if isinstance(one, str) else one)]
    headers = run.task.columns if isinstance(run.task, PairTask) else None
    tables = [read_table(path, headers) for path in files]
    if sum(map(len, tables)) != run.num_held_out:
        raise UserError(
            f"{run.num_held_out:,} of the {sum(map(len, tables)):,} rows of {', '.join(files)} were "
            "held out, so that their columns are not known",
            source="kind.columns",
            remedy="Run the task without rows that are left out",
        )
    if beside is not None:
        further = read_table(beside)
        tables = [_joined(table, further) for table in tables]
    for name in names:
        texts = [text for table in tables for text in table.column(name, "kind.columns")]
        yield name, _numbers_or_words(texts, name)


def _joined(table: Table, beside: Table) -> Table:
    """The columns of another table for the same rows, by those that both have."""
    shared = [name for name in table.columns if name in beside.columns]
    if not shared:
        raise UserError(
            f"shares no column with {table.source}", source=beside.source, remedy="Give both an id"
        )

    def keys(of: Table) -> list[tuple[str, ...]]:
        return list(zip(*(of.columns[name] for name in shared), strict=True))

    of_key: dict[tuple[str, ...], int] = {}
    for row, key in enumerate(keys(beside)):
        if of_key.setdefault(key, row) != row:
            raise UserError(
                f"has two rows of {', '.join(shared)} {' '.join(key)[:100]}",
                source=beside.source,
                remedy="Leave one of them out",
            )
    missing = next((key for key in keys(table) if key not in of_key), None)
    if missing is not None:
        raise UserError(
            f"has no row of {', '.join(shared)} {' '.join(missing)[:100]}",
            source=beside.source,
            remedy="Give the table that was made with the rows",
        )
    rows = [of_key[key] for key in keys(table)]
    joined = {name: [values[i] for i in rows] for name, values in beside.columns.items()}
    return Table(beside.source, {**table.columns, **joined})


def _numbers_or_words(texts: list[str], name: str) -> NDArray[Any]:
    """Numbers, NaN for an empty cell; places as their number; or words."""
    numbers = []
    for text in texts:
        if _PLACES.fullmatch(text):
            numbers.append(float(text.count("..")))
            continue
        try:
            numbers.append(float(text) if text else np.nan)
        except ValueError:
            break
    if len(numbers) == len(texts):
        return np.array(numbers)
    words = np.array([text or "not given" for text in texts])
    if len(np.unique(words)) > _MOST_WORDS:
        raise UserError(
            f"has {len(np.unique(words)):,} different words, and a bin is one of at most {_MOST_WORDS}",
            source="kind.columns",
            record=name,
            remedy="Name a column of numbers, or of fewer words",
        )
    return words
