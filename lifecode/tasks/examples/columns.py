"""Which column is which: the sequence is known by its letters, the id and the label by what is left."""

from typing import NamedTuple

from lifecode.errors import UserError
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.examples.table import Table

_KNOWN, _NUCLEOTIDES = frozenset("ACGTUN"), frozenset("ACGTUNRYSWKMBDHV")
_RESIDUES = frozenset("ACDEFGHIKLMNPQRSTVWYUOBJXZ*")
_LOOKED_AT, _SHARE = 1_000, 0.95
_SHORTEST = 6
"""Letters of a sequence, on average: `A` and `CAT` may be the names of classes."""
_LABELS = ("label", "labels", "target", "class", "y", "label_index", "label_idx", "output", "score", "value")
ID_NAMES = ("id", "seq_id", "gene_id", "name", "sequence_id", "identifier", "accession")


class Columns(NamedTuple):
    """Names of the columns of a table; `id` is None where no column holds one."""

    sequence: str
    label: str | None
    id: str | None


OF_TASK = Columns("task.sequence", "task.label", "task.id")
"""Keys that name the columns of a task."""


def find_columns(
    table: Table,
    *,
    sequence: str | None = None,
    label: str | None = None,
    id: str | bool | None = None,
    labelled: bool = True,
    molecule: Molecule | None = None,
    keys: Columns = OF_TASK,
) -> Columns:
    """The columns that are given, and the others by their letters and names.

    Args:
        table: as read.
        sequence: where the user says it.
        label: where the user says it.
        id: where the user says it; False for none.
        labelled: whether there must be a label.
        molecule: what the sequences are; None looks for DNA or RNA.
        keys: by which a user names the columns.

    Raises:
        UserError: no header, a column that is given and not there, none that holds such sequences, or several
            that could be the label.
    """
    if any(set(name.upper()) <= _KNOWN and len(name) >= 2 * _SHORTEST for name in table.columns):
        raise UserError(
            "begins without a header", source=table.source, remedy="Name the columns in the first line"
        )
    if id is True:
        raise UserError("is no column", source=keys.id, remedy="Give the name of one, or false for none")
    for key, name in zip(keys, (sequence, label, id or None), strict=True):
        if name is not None:
            table.column(name, str(key))
    own = id or next((name for name in table.columns if name.lower() in ID_NAMES), None)
    if sequence is None:
        sequence = _sequence(table, {label, own if id is not None else None}, molecule, keys.sequence)
    if id is None and own in (sequence, label):
        others = (name for name in table.columns if name not in (sequence, label))
        own = next((name for name in others if name.lower() in ID_NAMES), None)
    if label is None and labelled:
        label = _label(table, [name for name in table.columns if name not in (sequence, own)], keys.label)
    return Columns(sequence, label, None if id is False else own)


def _sequence(table: Table, taken: set[str | None], molecule: Molecule | None, key: str) -> str:
    letters = _RESIDUES if molecule == "protein" else _NUCLEOTIDES
    free = {name: values[:_LOOKED_AT] for name, values in table.columns.items() if name not in taken}
    lengths = {
        name: sum(map(len, values)) / max(1, len(values))
        for name, values in free.items()
        if _share_of_texts(values, letters) >= _SHARE
    }
    if lengths and (longest := max(lengths.values())) >= _SHORTEST:
        return next(name for name, length in lengths.items() if length == longest)
    protein = next(
        (name for name, values in free.items() if _share_of_texts(values, _RESIDUES) >= _SHARE), None
    )
    if molecule is not None or protein is None:
        what = "proteins" if molecule == "protein" else "DNA or RNA"
        raise UserError(f"no column holds {what}", source=table.source, remedy=f"Name the column: {key}=...")
    raise UserError(
        f"no column holds DNA or RNA; {protein!r} may hold proteins",
        source=table.source,
        remedy="Say task.molecule=protein if it does",
    )


def _share_of_texts(values: list[str], letters: frozenset[str]) -> float:
    return sum(bool(value) and letters.issuperset(value.upper()) for value in values) / max(1, len(values))


def _label(table: Table, names: list[str], key: str | None) -> str:
    named = [name for wanted in _LABELS for name in names if name.lower() == wanted]
    if named or len(names) == 1:
        return (named or names)[0]
    problem = (
        f"several columns could be the label: {', '.join(names)}"
        if names
        else "no column is left for the label"
    )
    raise UserError(problem, source=table.source, remedy=f"Name it: {key}=...")
