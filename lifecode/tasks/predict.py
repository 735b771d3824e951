"""Predictions of a fine-tuned model for the sequences or pairs of a file: ids and order kept, in parts.

Into a file they go by way of a folder beside it, a part for each thousand sequences; a run that is killed
goes on behind the last part, and the folder goes when the file is whole.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.host.checksum import sha256, write_json
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.host.own_folder import require_own
from lifecode.tasks.examples.columns import ID_NAMES, Columns, find_columns, other_sequences
from lifecode.tasks.examples.examples import examples_of
from lifecode.tasks.examples.molecule import Molecule, first_codons, is_in_frame
from lifecode.tasks.examples.named_letters import fasta_by_name, letters_of_rows
from lifecode.tasks.examples.table import Table
from lifecode.tasks.examples.table_parts import table_parts
from lifecode.tasks.families.registry import reading_of
from lifecode.tasks.features.states import StateFeatures
from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.pairs.side import SideKind, require_letters
from lifecode.tasks.predictions import predictions_table
from lifecode.tasks.tables import write_tables
from lifecode.tasks.tuned_model import DESCRIPTION, ENCODER, Tuned, TunedModel
from lifecode.tasks.tuned_pairs import TunedPairs
from lifecode.tasks.tuning.tuned_network import TunedNetwork

SEQUENCES_AT_ONCE, VERSION = 1_000, 2
"""Of a part, and of what stands in it: parts of another version are made anew."""
UNFINISHED, OF = ".unfinished", "of.json"
_KEYS = Columns("sequence", None, "id")
"""End of the name of the folder of parts, and the file in it that says of what they are."""
logger = logging.getLogger(__name__)


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
        return _pair_reader(model, kinds, first, columns)
    for name in ("first", "second", "first_fasta", "second_fasta"):
        if getattr(columns, name) is not None:
            raise UserError(
                "is given, and the model is of single sequences", source=name, remedy="Leave it out"
            )
    molecule = model.molecule  # pyright: ignore[reportAttributeAccessIssue]
    named = columns.sequence or _of_training(model, "sequence", first) or _of_fasta(first)
    found = find_columns(
        first,
        sequence=named,
        id=columns.id or _of_training(model, "id", first),
        labelled=False,
        molecule=molecule,
        keys=_KEYS,
    )
    if found.id is None:
        found = found._replace(id=_like_ids(first, found.sequence))

    if named is None and molecule != "protein" and (others := other_sequences(first, found)):
        logger.warning(
            "%s: the sequences are those of column %r; %s holds sequences too, which sequence=... would take",
            first.source,
            found.sequence,
            ", ".join(map(repr, others)),
        )

    said = False
    tell = _teller(model)

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


def _teller(model: Tuned) -> Callable[[Table, Molecule, Sequence[NDArray[np.uint8]]], None]:
    """Says of each molecule once how its sequences are read, such as long ones in windows, where need be."""
    told: set[Molecule] = set()

    def tell(table: Table, molecule: Molecule, sequences: Sequence[NDArray[np.uint8]]) -> None:
        if molecule in told:
            return
        read = [first_codons(ids, _most_codons(model), molecule) for ids in sequences]
        for note in reading_of(model.model, molecule).notes(read):
            told.add(molecule)
            logger.warning("%s, up to row %s: %s", table.source, f"{table.rows[-1]:,}", note)

    return tell


def _most_codons(model: Tuned) -> int | None:
    """Of each sequence a model reads so many codons, or residues; None for all."""
    if isinstance(model, TunedNetwork):
        return model.settings.max_codons
    features = model.features.values() if isinstance(model, TunedPairs) else model.features
    return next((each.max_codons for each in features if isinstance(each, StateFeatures)), None)


def _of_fasta(table: Table) -> str | None:
    """The column of the letters where there are `id` and `sequence` alone, as of FASTA."""
    return "sequence" if list(table.columns) == ["id", "sequence"] else None


def _like_ids(table: Table, *others: str) -> str | None:
    """The first column whose name ends in `id` and whose values all differ in the first rows."""
    names = (name for name in table.columns if name.lower().endswith("id") and name not in others)
    return next((name for name in names if len(set(table.columns[name])) == len(table)), None)


def _of_training(model: Tuned, key: str, table: Table) -> str | None:
    """The column that the model's task named, where a table has it too."""
    task = model.told.get("task", {})
    name = None if key == "sequence" and task.get("fasta") else task.get(key)
    return name if isinstance(name, str) and name in table.columns else None


def _pair_reader(
    model: Tuned, kinds: tuple[SideKind, SideKind], first: Table, columns: InputColumns
) -> Callable[[Table], pa.Table]:
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
    own = _of_training(model, "id", first) or next(called, None) or _like_ids(first, *names)
    id = own if columns.id is None else columns.id
    tell = _teller(model)

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
