"""LucaOne's own form of rows: a CSV file with the columns `obj_id,obj_type,obj_seq,obj_label`.

The label is a dictionary as Python writes it, read as a literal and never evaluated:

    {"span_level": {"gene_type": [[0, 98, "CDS"]]}, "seq_level": {"gene_taxonomy": "Enterobacterales"},
     "structure_level": {"prot_structure": [[0.1, 0.7, 0.3], [-100, -100, -100]]}}

Spans are [start, end, label], 0-based and the end included; coordinates of an unknown atom are -100 thrice. A
label that is text is a name, `'91347'` too; one that is a number, 17, is that of a class, as the released
pipeline has it. The number of a gene type stands for its name. What else those files have (a column
`obj_source`, NCBI taxonomy ids, the place on a contig, -1 for an atom that is unknown) is passed over.
"""

import ast
import csv
import io
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import IGNORE
from lifecode.data.formats.opening import opened
from lifecode.datasets.luca_one.rows import (
    COORDINATES,
    GENE_TYPES,
    SEVERAL_LABELS,
    Label,
    LucaOneRow,
    molecule_of,
)
from lifecode.errors import UserError
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.models.luca_one.vocabulary import molecule_kind, tokens_of_letters
from lifecode.names import csv_cell

COLUMNS = ("obj_id", "obj_type", "obj_seq", "obj_label")
UNKNOWN = -100.0
"""Each coordinate of an atom that is unknown."""
_NO_ATOM = -1
"""The same of all three in files of the released pipeline."""

_TYPES = {"gene": "gene", "protein": "prot"}
_LEVELS = ("span_level", "seq_level", "structure_level", "token_level")
_NOT_LEARNT = frozenset(
    {"prot_binding", "prot_secondary", "prot_contact", "gene_taxid", "prot_taxid", "gene_mask", "prot_mask"}
)
"""What stands among the tasks in files of the released pipeline and has no head, or no labels of its own."""
_BESIDE_LEVELS = frozenset({"seq_start_p", "seq_end_p", "ref", "refs"})
"""What stands beside the levels there: where on its contig a sequence lies, and marked letters."""
_LONGEST_CELL = 1 << 24


def write_rows(path: str | Path, rows: Iterable[LucaOneRow]) -> int:
    """Writes rows, whole or not at all; an existing file is replaced.

    Args:
        path: of the CSV file.
        rows: in the order of the file.

    Returns:
        Number of rows.

    Raises:
        UserError: the file cannot be written.
    """
    path, count = Path(path), 0
    with disk_faults_named(path), replacing(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for count, row in enumerate(rows, start=1):  # noqa: B007
            cells = (row.id, _TYPES[row.molecule], row.sequence, repr(_label_of(row)))
            writer.writerow([csv_cell(cell) for cell in cells])
        text.detach()
    return count


def read_rows(path: str | Path) -> Iterator[LucaOneRow]:
    """The rows of a CSV file, plain or compressed, one after another.

    Raises:
        UserError: no such file, one without the four columns, or a row that is none; it names file and line.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise UserError(
            "there is no such file", source=path, remedy=f"Give a CSV file with {', '.join(COLUMNS)}"
        )
    with opened(path) as handle, io.TextIOWrapper(handle, encoding="utf-8-sig", newline="") as text:
        longest, line = csv.field_size_limit(_LONGEST_CELL), 1
        try:
            reader = csv.DictReader(text, strict=True)
            header = list(reader.fieldnames or ())
            wrong = [name for name in COLUMNS if header.count(name) != 1]
            if wrong:
                has = "two columns" if wrong[0] in header else "no column"
                raise UserError(f"has {has} {wrong[0]}", remedy=f"Its first line must be {','.join(COLUMNS)}")
            line = reader.line_num + 1
            for cells in reader:
                yield _row(cells)
                line = reader.line_num + 1
        except UserError as fault:
            remedy = fault.remedy or "Correct or delete the row"
            where = f"{path}, line {line}"
            raise UserError(fault.problem, source=where, record=fault.record, remedy=remedy) from fault
        except (csv.Error, UnicodeDecodeError) as fault:
            raise UserError(f"is no CSV ({fault})", source=f"{path}, line {line}") from fault
        finally:
            csv.field_size_limit(longest)


def _row(cells: Mapping[str | None, Any]) -> LucaOneRow:
    if None in cells or None in cells.values():
        raise UserError(f"the row has not {len(COLUMNS)} values")
    name, molecule, sequence, label = (_as_written(cells[column]) for column in COLUMNS)
    try:
        levels = _levels(label)
        tokens_of_letters(sequence.strip(), molecule_kind(molecule))  # for its error, while the line is known
        return LucaOneRow(
            id=name,
            molecule=molecule_of(molecule),
            sequence=sequence.strip(),
            spans={task: _spans(task, value) for task, value in levels["span_level"].items()},
            labels={task: _labels(task, value) for task, value in levels["seq_level"].items()},
            coordinates=_coordinates(levels["structure_level"]),
        )
    except UserError as fault:
        raise UserError(fault.problem, record=name, remedy=fault.remedy) from fault


def _as_written(cell: str) -> str:
    """A cell without the ' that keeps a spreadsheet from taking it for a formula."""
    return cell[1:] if cell.startswith("'") and csv_cell(cell[1:]) == cell else cell


def _levels(text: str) -> dict[str, dict[str, Any]]:
    try:
        with warnings.catch_warnings():  # of a backslash in a name
            warnings.simplefilter("ignore")
            label = ast.literal_eval(text.strip()) if text.strip() else {}
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as fault:
        raise UserError(
            f"obj_label is no literal of Python: {text[:60]!r}",
            remedy="Write it as Python does: None for null, [-100, -100, -100] for an atom that is nan",
        ) from fault
    if isinstance(label, dict):
        label = {level: tasks for level, tasks in label.items() if level not in _BESIDE_LEVELS}
    if not isinstance(label, dict) or not all(isinstance(tasks, dict) for tasks in label.values()):
        raise UserError("obj_label is no dictionary of dictionaries, one for each level")
    if unknown := [level for level in label if level not in _LEVELS]:
        raise UserError(f"obj_label has the level {unknown[0]!r}", remedy=f"Levels are {', '.join(_LEVELS)}")
    tasks = {level: label.get(level, {}) for level in _LEVELS}
    return {
        level: {
            task: value for task, value in own.items() if task not in _NOT_LEARNT and not _is_empty(value)
        }
        for level, own in tasks.items()
    }


def _is_empty(value: Any) -> bool:
    if type(value) is int and value == IGNORE:
        return True
    return value is None or (isinstance(value, str | list | tuple) and not len(value))


def _is_known(label: Any) -> bool:
    """Whether a label is one; -100 stands for what is not known."""
    return not (type(label) is int and label == IGNORE)


def _spans(task: str, value: Any) -> list[tuple[int, int, Label]]:
    def is_span(item: Any) -> bool:
        return isinstance(item, list | tuple) and len(item) == 3 and {type(item[0]), type(item[1])} == {int}

    if not isinstance(value, list | tuple) or not all(map(is_span, value)):
        raise UserError(f"{task} is no list of [start, end, label]")
    return [(start, end, _label(task, label)) for start, end, label in value if _is_known(label)]


def _labels(task: str, value: Any) -> Label | tuple[Label, ...] | None:
    if task == SEVERAL_LABELS:
        if not isinstance(value, list | tuple):
            raise UserError(f"{task} is no list of labels")
        return tuple(_label(task, item) for item in value if _is_known(item)) or None
    if isinstance(value, list | tuple):
        if len(value) != 1:
            raise UserError(f"{task} has {len(value)} labels, and a sequence has one")
        value = value[0]
    return _label(task, value) if _is_known(value) else None


def _label(task: str, value: Any) -> Label:
    if type(value) not in (str, int):
        raise UserError(f"{task} has the label {value!r}, which is neither a name nor a number of a class")
    if type(value) is int and value < 0:
        raise UserError(
            f"{task} has the label {value}, and classes count from 0", remedy="Write -100 for none"
        )
    if task == "gene_type" and type(value) is int and 0 <= value < len(GENE_TYPES):
        return GENE_TYPES[value]
    return value


def _coordinates(tasks: Mapping[str, Any]) -> NDArray[np.float32] | None:
    if unknown := [task for task in tasks if task != COORDINATES]:
        raise UserError(f"{unknown[0]!r} is no task of structures, which is {COORDINATES}")
    if not tasks:
        return None
    try:
        atoms = [[UNKNOWN] * 3 if atom == _NO_ATOM else atom for atom in tasks[COORDINATES]]
        found = np.array(atoms, dtype=np.float32)
    except (ValueError, TypeError, OverflowError) as fault:
        raise UserError(f"{COORDINATES} is no list of [x, y, z]") from fault
    if found.ndim != 2 or found.shape[1] != 3:
        raise UserError(f"{COORDINATES} is no list of [x, y, z]")
    if not np.isfinite(found).all():
        raise UserError(f"{COORDINATES} has a number beyond any structure")
    found[(found == UNKNOWN).all(axis=1)] = np.nan
    return found


def _label_of(row: LucaOneRow) -> dict[str, dict[str, Any]]:
    label: dict[str, dict[str, Any]] = {}
    if row.spans:
        label["span_level"] = {task: [list(span) for span in spans] for task, spans in row.spans.items()}
    if row.labels:
        label["seq_level"] = {
            task: list(value) if isinstance(value, tuple) else value for task, value in row.labels.items()
        }
    if row.coordinates is not None:
        known = np.where(np.isnan(row.coordinates).any(axis=1, keepdims=True), UNKNOWN, row.coordinates)
        label["structure_level"] = {COORDINATES: [[_shortest(x) for x in atom] for atom in known]}
    return label


def _shortest(value: np.floating) -> float:
    """The shortest decimal that is the same in float32."""
    return float(str(np.float32(value)))
