"""Predictions of a fine-tuned model for the sequences or pairs of a file: ids and order kept, in parts.

Into a file they go by way of a folder beside it, a part for each thousand sequences; a run that is killed
goes on behind the last part, and the folder goes when the file is whole.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lifecode.errors import UserError
from lifecode.host.checksum import sha256, write_json
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.host.own_folder import require_own
from lifecode.tasks.examples.table import Table
from lifecode.tasks.examples.table_parts import table_parts
from lifecode.tasks.predict.input_columns import InputColumns
from lifecode.tasks.predict.of_pairs import reader_of_pairs
from lifecode.tasks.predict.of_sequences import reader_of_sequences
from lifecode.tasks.tables import write_tables
from lifecode.tasks.tuned_model import DESCRIPTION, ENCODER, Tuned, TunedModel

SEQUENCES_AT_ONCE, VERSION = 1_000, 2
"""Of a part, and of what stands in it: parts of another version are made anew."""
UNFINISHED, OF = ".unfinished", "of.json"
"""End of the name of the folder of parts, and the file in it that says of what they are."""


def predicted_parts(
    model: Tuned,
    path: str | Path,
    columns: InputColumns | None = None,
    *,
    on_progress: Callable[[int], None] = lambda _: None,
    folder: Path | None = None,
) -> Iterator[pa.Table]:
    """Columns `id` and `prediction`, and of classes the probability `p(NAME)` of each, a row a sequence.

    Where positions have labels, a row a position, with its number in `position`.

    Args:
        model: fine-tuned.
        path: CSV, TSV, Parquet or FASTA; of pairs a table.
        columns: where sequences and ids stand in it.
        on_progress: told how many sequences are done.
        folder: that keeps each part, and has those that are done; None keeps none.

    Raises:
        UserError: the file cannot be read, or a sequence has a letter that is no nucleotide, or no residue.
    """
    reads: Callable[[Table], pa.Table] | None = None
    for table in table_parts(path, SEQUENCES_AT_ONCE):
        if reads is None:
            reads = _reader(model, table, columns or InputColumns())
        on_progress(table.first)
        part = None if folder is None else folder / f"{table.first:09d}.parquet"
        if part is not None and part.is_file():
            yield pq.read_table(part)
            continue
        predictions = reads(table)
        if part is not None:
            with disk_faults_named(part), replacing(part) as file:
                pq.write_table(predictions, file)
        yield predictions
    if reads is None:
        raise UserError("has no rows", source=path, remedy="Check that the file is complete")


def predict_into(
    checkpoint: Path,
    model: Tuned,
    path: Path,
    output: Path,
    columns: InputColumns | None,
    *,
    on_progress: Callable[[int], None],
) -> int:
    """Write what `predicted_parts` gives into a table, and return its rows.

    Args:
        checkpoint: the folder of the model.
        model: loaded from there.
        path: of the sequences.
        output: .csv, .tsv or .parquet.
        columns: as for `predicted_parts`.
        on_progress: likewise.

    Raises:
        UserError: likewise, or the disk is full.
    """
    folder = output.with_name(output.name + UNFINISHED)
    require_own(folder)
    columns = columns or InputColumns()
    described = {"version": VERSION, "of": _digest(checkpoint, path, columns), **asdict(columns)}
    with disk_faults_named(folder):
        if folder.exists() and _said(folder) != described:
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / OF, described)
    parts = predicted_parts(model, path, columns, on_progress=on_progress, folder=folder)
    try:
        num_rows = write_tables(parts, output)
    except UserError:
        if not any(folder.glob("*.parquet")):  # nothing that another call could go on with
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    return num_rows


def _reader(model: Tuned, first: Table, columns: InputColumns) -> Callable[[Table], pa.Table]:
    """What predicts for a part of a file whose first part is `first`."""
    kinds = None if isinstance(model, TunedModel) else model.kinds
    if kinds is not None:
        return reader_of_pairs(model, kinds, first, columns)
    return reader_of_sequences(model, first, columns)


def _digest(checkpoint: Path, path: Path, columns: InputColumns) -> str:
    """Of the model and the sequences: parts of others are made anew."""
    checkpoint = checkpoint.expanduser()
    files = [checkpoint / DESCRIPTION, *sorted((checkpoint / ENCODER).iterdir()), path.expanduser()]
    files += [Path(each).expanduser() for each in (columns.first_fasta, columns.second_fasta) if each]
    return hashlib.sha256("".join(sha256(file) for file in files if file.is_file()).encode()).hexdigest()


def _said(folder: Path) -> object:
    try:
        return json.loads((folder / OF).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
