"""InterPro's matches of proteins, out of `protein2ipr.dat` or the TSV of InterProScan, as spans of three
tasks.

A match says which entry of InterPro lies where, and not of what type the entry is: that stands in InterPro's
`entry.list`. Homologous superfamilies and domains are tasks of their own; active, binding and conserved sites
and PTMs are sites; families and repeats are no task. A label is the accession of an entry. Where matches of
one task overlap, the one of the database that LucaOne's data prefer comes later and so counts; of one
database the shorter one does. (The released data keep the first database of a protein alone; here the others
label what it leaves open.)
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lifecode.data.formats.opening import opened
from lifecode.datasets.luca_one.records.left_out import LeftOut
from lifecode.errors import UserError

_TASK_OF_TYPE = {
    "homologous_superfamily": "prot_homo",
    "domain": "prot_domain",
    **dict.fromkeys(("active_site", "binding_site", "conserved_site", "ptm"), "prot_site"),
}
_DATABASES = (("G3DSA",), ("SSF",), ("PS",), ("PF",), ("TIGR", "NF"), ("SM",), ("PR",), ("cd",))
"""How accessions of signatures begin, by database, the most preferred first: CATH-Gene3D, SUPERFAMILY,
PROSITE, Pfam, NCBIfam, SMART, PRINTS, CDD. Any other comes last."""
_SCAN_COLUMNS, _IPR_COLUMNS = 11, 6


class Match(NamedTuple):
    """A line: 0-based, both ends included; `length` is that of the protein, where the file says it."""

    protein: str
    entry: str
    signature: str
    first: int
    last: int
    length: int | None


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries of InterPro that belong to a task.

    Attributes:
        task_of: task of an accession, None for a type that is no task.
    """

    task_of: Mapping[str, str | None]

    @classmethod
    def read(cls, path: str | Path) -> "Entries":
        """From `entry.list`, with accession, type and name in columns.

        Raises:
            UserError: no such file, or no entry in it.
        """
        path = _existing(path)
        found: dict[str, str | None] = {}
        with opened(path) as handle:
            for line in handle:
                columns = line.decode("utf-8", errors="replace").rstrip("\n").split("\t")
                if len(columns) >= 2 and columns[0].startswith("IPR"):
                    found[columns[0]] = _TASK_OF_TYPE.get(columns[1].strip().lower().replace(" ", "_"))
        if not found:
            raise UserError(
                "has no line with the accession and the type of an entry",
                source=path,
                remedy="Give entry.list of InterPro: ENTRY_AC, ENTRY_TYPE, ENTRY_NAME between tabs",
            )
        return cls(found)


def accession_of(name: str) -> str:
    """The accession in a name that UniProt writes into FASTA files (`sp|P12345|A_B`), else the name."""
    parts = name.split("|")
    return parts[1] if len(parts) >= 2 and parts[0] in ("sp", "tr") and parts[1] else name


def interpro_spans(
    files: Sequence[str | Path], entries: Entries, lengths: Mapping[str, int], left_out: LeftOut
) -> dict[str, dict[str, list[tuple[int, int, str]]]]:
    """The spans of proteins by accession and task, in the order in which they are to be read.

    Lines about other proteins are passed over, so that a file of all of UniProt takes no memory.

    Args:
        files: of either kind, plain or compressed.
        entries: which entry belongs to which task.
        lengths: residues of each protein, by accession.
        left_out: counts the lines of these proteins that give no span.

    Raises:
        UserError: no such file, or a line that is none of either kind.
    """
    found: dict[str, dict[str, dict[tuple[int, int, str], int]]] = {}
    for file in map(_existing, files):
        for match in _matches(file, lengths, left_out):
            task = _task(match, entries, lengths[match.protein], left_out)
            if task is not None:
                span = (match.first, match.last, match.entry)
                rank = _rank(match.signature)
                ranks = found.setdefault(match.protein, {}).setdefault(task, {})
                ranks[span] = min(rank, ranks.get(span, rank))
    return {
        protein: {task: _in_order(ranks) for task, ranks in tasks.items()} for protein, tasks in found.items()
    }


def _in_order(ranks: Mapping[tuple[int, int, str], int]) -> list[tuple[int, int, str]]:
    """The least preferred database first, and of one the longest first."""
    return sorted(ranks, key=lambda span: (-ranks[span], span[0] - span[1], span))


def _task(match: Match, entries: Entries, length: int, left_out: LeftOut) -> str | None:
    """The task of a match, or None, counted by its reason."""
    if match.length not in (None, length) or match.last >= length:
        left_out.count("interpro_match_of_another_sequence")
    elif match.entry in ("", "-"):
        left_out.count("interpro_match_without_entry")
    elif match.entry not in entries.task_of:
        left_out.count("interpro_entry_not_listed")
    elif (task := entries.task_of[match.entry]) is None:
        left_out.count("interpro_type_without_task")
    else:
        return task
    return None


def _matches(file: Path, wanted: Mapping[str, int], left_out: LeftOut) -> Iterator[Match]:
    with opened(file) as handle:
        for number, line in enumerate(handle, start=1):
            protein, tab, _ = line.partition(b"\t")
            if not line.strip() or line.startswith(b"#"):
                continue
            name = accession_of(protein.decode("utf-8", errors="replace").strip())
            if not tab or name in wanted:
                yield _match(
                    name, line.decode("utf-8", errors="replace").rstrip("\n"), f"{file}, line {number}"
                )
            else:
                left_out.count("interpro_match_of_no_protein_given")


def _match(protein: str, line: str, where: str) -> Match:
    columns = [column.strip() for column in line.split("\t")]
    try:
        if len(columns) == _IPR_COLUMNS:
            _, entry, _, signature, first, last = columns
            length = None
        elif len(columns) >= _SCAN_COLUMNS:
            signature, first, last, length = columns[4], columns[6], columns[7], int(columns[2])
            entry = columns[11] if len(columns) > _SCAN_COLUMNS else ""
        else:
            raise ValueError(f"{len(columns)} columns")
        found = Match(protein, entry, signature, int(first) - 1, int(last) - 1, length)
        if not 0 <= found.first <= found.last:
            raise ValueError(f"{first} to {last} is no stretch")
    except ValueError as fault:
        raise UserError(
            f"is no match of InterPro ({fault})",
            source=where,
            remedy="Give protein2ipr.dat (6 columns) or the TSV of InterProScan (11 or more)",
        ) from fault
    return found


def _rank(signature: str) -> int:
    """How far down the list of databases a signature's stands."""
    starts = (rank for rank, names in enumerate(_DATABASES) if signature.startswith(names))
    return next(starts, len(_DATABASES))


def _existing(path: str | Path) -> Path:
    path = Path(path).expanduser()
    if not path.is_file():
        raise UserError("there is no such file", source=path)
    return path
