"""Predictions of a model of pairs, for the rows of a part of a table."""

from collections.abc import Callable

import pyarrow as pa

from lifecode.errors import UserError
from lifecode.tasks.examples.columns import ID_NAMES
from lifecode.tasks.examples.named_letters import fasta_by_name, letters_of_rows
from lifecode.tasks.examples.table import Table
from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.pairs.side import SideKind, require_letters
from lifecode.tasks.predict.how_read import teller
from lifecode.tasks.predict.input_columns import InputColumns, column_of_training, like_ids
from lifecode.tasks.predictions import predictions_table
from lifecode.tasks.tuned_model import Tuned


def reader_of_pairs(
    model: Tuned, kinds: tuple[SideKind, SideKind], first: Table, columns: InputColumns
) -> Callable[[Table], pa.Table]:
    """What predicts for a part of a table whose first part is `first`; `kinds` are those of the two sides."""
    if columns.sequence is not None:
        raise UserError(
            "is given, and the model is of pairs", source="sequence", remedy="Give first=... and second=..."
        )
    task = model.told.get("task", {})
    names = [getattr(columns, side) or str(task.get(side, side)) for side in ("first", "second")]
    for side, name in zip(("first", "second"), names, strict=True):
        said = getattr(columns, side), getattr(columns, f"{side}_fasta")
        if task.get(f"{side}_fasta") and said == (None, None):
            raise UserError(
                f"the model learnt from names in {name!r}, whose letters stood in a FASTA file",
                source=f"{side}_fasta",
                remedy=f"Give {side}_fasta=FILE, or {side}=COLUMN where the letters stand in the table",
            )
    fasta = [fasta_by_name(path) for path in (columns.first_fasta, columns.second_fasta)]
    called = (name for name in first.columns if name.lower() in ID_NAMES and name not in names)
    own = column_of_training(model, "id", first) or next(called, None) or like_ids(first, *names)
    id = own if columns.id is None else columns.id
    tell = teller(model)

    def predicted(table: Table) -> pa.Table:
        sides = [
            letters_of_rows(table, name, key, by_name, path)
            for name, key, by_name, path in zip(
                names,
                ("first", "second"),
                fasta,
                (columns.first_fasta, columns.second_fasta),
                strict=True,
            )
        ]
        for side, kind, name in zip(sides, kinds, names, strict=True):
            require_letters(side, kind, name, table.source, table.first + 1)
        ids = [str(row) for row in table.rows]
        ids = ids if id is None else table.column(id, "id")
        pairs = PairExamples.of(list(zip(*sides, strict=True)), kinds, ids)
        for side in (pairs.first, pairs.second):
            tell(table, side.molecule, side.sequences())
        return predictions_table(pairs, model.labels, model.predict(pairs), labelled=False)

    return predicted
