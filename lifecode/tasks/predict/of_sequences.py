"""Predictions of a model of single sequences, for the rows of a part of a file."""

import logging
from collections.abc import Callable

import pyarrow as pa

from lifecode.errors import UserError
from lifecode.tasks.examples.columns import Columns, find_columns, other_sequences
from lifecode.tasks.examples.examples import examples_of
from lifecode.tasks.examples.molecule import is_in_frame
from lifecode.tasks.examples.table import Table
from lifecode.tasks.predict.how_read import teller
from lifecode.tasks.predict.input_columns import InputColumns, column_of_training, like_ids
from lifecode.tasks.predictions import predictions_table
from lifecode.tasks.tuned_model import Tuned

_KEYS = Columns("sequence", None, "id")
logger = logging.getLogger(__name__)


def reader_of_sequences(model: Tuned, first: Table, columns: InputColumns) -> Callable[[Table], pa.Table]:
    """What predicts for a part of a file whose first part is `first`."""
    for name in ("first", "second", "first_fasta", "second_fasta"):
        if getattr(columns, name) is not None:
            raise UserError(
                "is given, and the model is of single sequences", source=name, remedy="Leave it out"
            )
    molecule = model.molecule  # pyright: ignore[reportAttributeAccessIssue]
    named = columns.sequence or column_of_training(model, "sequence", first) or _of_fasta(first)
    found = find_columns(
        first,
        sequence=named,
        id=columns.id or column_of_training(model, "id", first),
        labelled=False,
        molecule=molecule,
        keys=_KEYS,
    )
    if found.id is None:
        found = found._replace(id=like_ids(first, found.sequence))

    if named is None and molecule != "protein" and (others := other_sequences(first, found)):
        logger.warning(
            "%s: the sequences are those of column %r; %s holds sequences too, which sequence=... would take",
            first.source,
            found.sequence,
            ", ".join(map(repr, others)),
        )

    said = False
    tell = teller(model)

    def predicted(table: Table) -> pa.Table:
        nonlocal said
        for key, name in (("sequence", found.sequence), ("id", found.id)):
            if name is not None:
                table.column(name, key)
        examples = examples_of(table, found, molecule=molecule)
        out = [] if said or molecule != "cds" else [ids for ids in examples.sequences if not is_in_frame(ids)]
        if out:
            said = True
            logger.warning(
                "%s: %s of the sequences up to row %s are not whole codons without a stop inside; the model "
                "learnt from coding sequences and reads codons from the first letter on",
                table.source,
                f"{len(out):,}",
                f"{table.rows[-1]:,}",
            )
        tell(table, molecule, examples.sequences)
        return predictions_table(examples, model.labels, model.predict(examples.sequences), labelled=False)

    return predicted


def _of_fasta(table: Table) -> str | None:
    """The column of the letters where there are `id` and `sequence` alone, as of FASTA."""
    return "sequence" if list(table.columns) == ["id", "sequence"] else None
