"""Predictions of a fine-tuned model for the sequences of a file: ids and order kept, some rows at a time.

Into a file they go by way of a folder beside it, a part for each thousand sequences; a run that is killed
goes on behind the last part, and the folder goes when the file is whole.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lifecode.host.checksum import sha256, write_json
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.host.own_folder import require_own
from lifecode.tasks.examples.columns import Columns, find_columns
from lifecode.tasks.examples.examples import examples_of
from lifecode.tasks.examples.table import Table
from lifecode.tasks.examples.table_chunks import table_chunks
from lifecode.tasks.predictions import predictions_table
from lifecode.tasks.tables import write_tables
from lifecode.tasks.tuned_model import DESCRIPTION, ENCODER, TunedModel
from lifecode.tasks.tuning.tuned_network import TunedNetwork

SEQUENCES_AT_ONCE = 1_000
UNFINISHED, OF = ".unfinished", "of.json"
"""End of the name of the folder of parts, and the file in it that says of what they are."""


def predicted_parts(
    model: TunedModel | TunedNetwork,
    path: str | Path,
    *,
    sequence: str | None = None,
    id: str | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
    folder: Path | None = None,
) -> Iterator[pa.Table]:
    """Columns `id` and `prediction`, and of classes the probability `p(NAME)` of each, a row a sequence.

    Where positions have labels, a row a position, with its number in `position`.

    Args:
        model: fine-tuned.
        path: CSV, TSV, Parquet or FASTA.
        sequence: column of the sequences; None finds it by its letters in the first rows.
        id: column of the ids; None takes one that is called so, else numbers the rows from 1.
        on_progress: told how many sequences are done.
        folder: that keeps each part, and has those that are done; None keeps none.

    Raises:
        UserError: the file cannot be read, or a sequence has a letter that is no nucleotide, or no residue.
    """
    columns: Columns | None = None
    for table in table_chunks(path, SEQUENCES_AT_ONCE):
        if columns is None:
            columns = find_columns(table, sequence=sequence, id=id, labelled=False, molecule=model.molecule)
        on_progress(table.first)
        part = None if folder is None else folder / f"{table.first:09d}.parquet"
        if part is not None and part.is_file():
            yield pq.read_table(part)
            continue
        predictions = _predicted(model, table, columns)
        if part is not None:
            with disk_faults_named(part), replacing(part) as file:
                pq.write_table(predictions, file)
        yield predictions


def predict_into(
    checkpoint: Path,
    model: TunedModel | TunedNetwork,
    path: Path,
    output: Path,
    *,
    sequence: str | None = None,
    id: str | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Write what `predicted_parts` gives into a table, and return its rows.

    Args:
        checkpoint: the folder of the model.
        model: loaded from there.
        path: of the sequences.
        output: .csv, .tsv or .parquet.
        sequence: as for `predicted_parts`.
        id: likewise.
        on_progress: likewise.

    Raises:
        UserError: likewise, or the disk is full.
    """
    folder = output.with_name(output.name + UNFINISHED)
    require_own(folder)
    described = {"of": _digest(checkpoint, path), "sequence": sequence, "id": id}
    with disk_faults_named(folder):
        if folder.exists() and _said(folder) != described:
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / OF, described)
    parts = predicted_parts(model, path, sequence=sequence, id=id, on_progress=on_progress, folder=folder)
    num_rows = write_tables(parts, output)
    shutil.rmtree(folder, ignore_errors=True)
    return num_rows


def _predicted(model: TunedModel | TunedNetwork, table: Table, columns: Columns) -> pa.Table:
    for key, name in (("sequence", columns.sequence), ("id", columns.id)):
        if name is not None:
            table.column(name, key)
    examples = examples_of(table, columns, molecule=model.molecule)
    return predictions_table(examples, model.labels, model.predict(examples.sequences), labelled=False)


def _digest(checkpoint: Path, path: Path) -> str:
    """Of the model and the sequences: parts of others are made anew."""
    checkpoint = checkpoint.expanduser()
    files = [checkpoint / DESCRIPTION, *sorted((checkpoint / ENCODER).iterdir()), path.expanduser()]
    return hashlib.sha256("".join(sha256(file) for file in files if file.is_file()).encode()).hexdigest()


def _said(folder: Path) -> object:
    try:
        return json.loads((folder / OF).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
