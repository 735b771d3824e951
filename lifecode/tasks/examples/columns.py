"""Which column is which: the sequence is known by its letters, the id and the label by what is left."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lifecode.alphabet import AMINO_ACIDS, NUCLEOTIDE_LETTERS, RESIDUE_LETTERS, STOP
from lifecode.errors import UserError
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.examples.table import Table

_KNOWN, _NUCLEOTIDES = frozenset("ACGTUN"), frozenset(NUCLEOTIDE_LETTERS)
_RESIDUES, _AMINO_ACIDS = frozenset(RESIDUE_LETTERS), frozenset(AMINO_ACIDS[:STOP])
_GAPS = {False: frozenset("- \n"), True: frozenset("-\n")}
"""Of alignments, prints and cells of several lines: no letters, which reading says, naming the row."""
_LOOKED_AT, _SHARE, _MOST = 1_000, 0.95, 0.5
"""Values of a column; how many of them are of such letters, and how many if no column has so many: the others
are mistakes, which reading says."""
_SHORTEST = 6
"""Letters of a sequence, on average, unless its column says so: `A` and `CAT` may be the names of classes."""
_LONGEST_WORD = 20
"""Letters of the name of a column; what is longer and all capitals is a protein."""
_LABELS = ("label", "labels", "target", "class", "y", "label_index", "label_idx", "output", "score", "value")
_SEQUENCES = ("sequence", "seq", "sequences")
_NUMBERS_OF_ROWS = ("", "index", "__index_level_0__")
ID_NAMES = ("id", "seq_id", "gene_id", "name", "sequence_id", "identifier", "accession")


class Columns(NamedTuple):
    """Names of the columns of a table; `id` is None where no column holds one."""

    sequence: str
    label: str | None
    id: str | None


_OF_TASK = Columns("task.sequence", "task.label", "task.id")
"""Keys that name the columns of a task."""


def find_columns(
    table: Table,
    *,
    sequence: str | None = None,
    label: str | None = None,
    id: str | bool | None = None,
    labelled: bool = True,
    molecule: Molecule | None = None,
    keys: Columns = _OF_TASK,
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
    if any(_is_sequence(name) for name in table.columns):
        raise _no_header(table)
    if id is True:
        raise UserError("is no column", source=keys.id, remedy="Give the name of one, or false for none")
    for key, name in zip(keys, (sequence, label, id or None), strict=True):
        if name is not None:
            table.column(name, str(key))
    own = id or _own_names(table, ())
    if sequence is None:
        sequence = _sequence(table, {label, own if id is not None else None}, molecule, keys.sequence)
        if len(sequence) >= _SHORTEST and _KNOWN.issuperset(sequence.upper()):
            raise _no_header(table)
    if id is None and own in (sequence, label):
        own = _own_names(table, (sequence, label))
    if label is None and labelled:
        label = _label(table, [name for name in table.columns if name not in (sequence, own)], keys.label)
    return Columns(sequence, label, None if id is False else own)


def _own_names(table: Table, taken: Sequence[str | None]) -> str | None:
    """The column that is called an id, or a frame's index that was written beside it and holds names."""
    free = {name: values for name, values in table.columns.items() if name not in taken}
    called = (name for name in free if name.lower() in ID_NAMES)
    of_index = (
        name
        for name, values in free.items()
        if _is_index(name) and len(set(values)) == len(values) and not all(map(str.isdecimal, values))
    )
    return next(called, None) or next(of_index, None)


def _is_index(name: str) -> bool:
    return name.lower() in _NUMBERS_OF_ROWS or name.startswith("Unnamed: ")


def other_sequences(table: Table, columns: Columns) -> list[str]:
    """The columns that hold nucleic acids too, and are neither the sequence, the label nor the id."""
    free = {name: values for name, values in table.columns.items() if name not in columns}
    return list(_lengths(free, _NUCLEOTIDES))


def _is_sequence(name: str) -> bool:
    """Whether the name of a column is none: a sequence of the first row stands in its place."""
    if _KNOWN.issuperset(name.upper()) and len(name) >= 2 * _SHORTEST:
        return True
    return len(name) >= _LONGEST_WORD and _AMINO_ACIDS.issuperset(name)


def _no_header(table: Table) -> UserError:
    return UserError(
        "begins without a header", source=table.source, remedy="Name the columns in the first line"
    )


def _sequence(table: Table, taken: set[str | None], molecule: Molecule | None, key: str) -> str:
    """The longest column of such letters; what is called an id or a label only where there is no other."""
    free = {name: values for name, values in table.columns.items() if name not in taken}
    others = {name: values for name, values in free.items() if name.lower() not in (*_LABELS, *ID_NAMES)}
    letters = _RESIDUES if molecule == "protein" else _NUCLEOTIDES
    with_gaps = letters | _GAPS[molecule == "protein"]
    for names in (others, free):
        for known, share in ((letters, _SHARE), (with_gaps, _SHARE), (with_gaps, _MOST)):
            if lengths := _lengths(names, known, share):
                return _chosen(names, lengths, molecule)
    protein = next(iter(_lengths(others, _RESIDUES) or _lengths(free, _RESIDUES)), None)
    if molecule is not None or protein is None:
        what = "proteins" if molecule == "protein" else "DNA or RNA"
        raise UserError(f"no column holds {what}", source=table.source, remedy=f"Name the column: {key}=...")
    raise UserError(
        f"no column holds DNA or RNA; {protein!r} may hold proteins",
        source=table.source,
        remedy="Say task.molecule=protein if it does",
    )


def _chosen(columns: Mapping[str, list[str]], lengths: Mapping[str, float], molecule: Molecule | None) -> str:
    """Of the columns with these mean lengths the one that is called so, or else the longest.

    Every word is spelt in residues, and so is DNA: of proteins what is neither goes first.
    """
    names = list(lengths)
    if molecule == "protein":
        capitals = [name for name in names if all(map(str.isupper, _looked_at(columns[name])))]
        names = capitals or names
        nucleotides = _lengths({name: columns[name] for name in names}, _NUCLEOTIDES)
        names = [name for name in names if name not in nucleotides] or names
    called = [name for name in names if name.lower() in _SEQUENCES]
    return max(called or names, key=lambda name: lengths[name])


def _looked_at(values: list[str]) -> list[str]:
    return [value for value in values[:_LOOKED_AT] if value]


def _lengths(
    columns: Mapping[str, list[str]], letters: frozenset[str], least: float = _SHARE
) -> dict[str, float]:
    """The mean length of the values of each column of such letters that are long enough for sequences."""
    found = {}
    for name, column in columns.items():
        values = _looked_at(column)
        share = sum(letters.issuperset(value.upper()) for value in values) / max(1, len(values))
        length = sum(map(len, values)) / max(1, len(column[:_LOOKED_AT]))
        if share >= least and (length >= _SHORTEST or (length > 0 and name.lower() in _SEQUENCES)):
            found[name] = length
    return found


def _label(table: Table, names: list[str], key: str | None) -> str:
    named = [name for wanted in _LABELS for name in names if name.lower() == wanted]
    numbers = [name for name in names if _is_index(name)]
    nested = [
        name for name in names if all(value.startswith("[") for value in _looked_at(table.columns[name]))
    ]
    likely = [name for name in names if name not in (*numbers, *nested)]
    if named or len(names) == 1 or len(likely) == 1:
        return (named or likely or names)[0]
    if not names:
        raise UserError(
            "no column is left for the label (which a FASTA header may say as label=VALUE)",
            source=table.source,
            remedy="Add the labels",
        )
    raise UserError(
        f"several columns could be the label: {', '.join(names)}",
        source=table.source,
        remedy=f"Name it: {key}=...",
    )
