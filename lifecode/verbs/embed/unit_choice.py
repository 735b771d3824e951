"""Which units of which contigs are embedded, under which names: genes and whole contigs are never mixed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lifecode.data.formats.opening import Format
from lifecode.data.records import Contig
from lifecode.errors import UserError
from lifecode.verbs.embed.embed_units import Unit, UnitKind, units_of

_WITHOUT_CDS = "records without CDS"
RENAMED = "names that occur again, which end with #2 and so on"
NO_RESIDUES = "letters of proteins that no codon means: B, J, X, Z are read as NNN, U as TGA, O as TAG"
NOTES = (RENAMED, NO_RESIDUES)
"""What is counted though nothing is left out."""
_CANNOT_ANNOTATE = frozenset({Format.FASTA, Format.PROTEIN_FASTA, Format.SWISS_PROT})
"""Formats that have no place for a CDS."""


class OfContig(NamedTuple):
    """A contig and what of it gets a vector."""

    contig: Contig
    units: Iterator[Unit]


def chosen_units(
    contigs: Iterable[Contig], kind: UnitKind, window_codons: int, noted: Counter[str]
) -> Iterator[OfContig]:
    """The units of all contigs, in order, each under a name of its own.

    Args:
        contigs: as read.
        kind: as for `units_of`; `auto` is `cds` for all where a contig has any, else `record`.
        window_codons: length of a window.
        noted: counts what is left out and what is renamed, by reason.

    Raises:
        UserError: for `auto`, CDS behind records that were embedded as wholes.
    """
    times: Counter[str] = Counter()
    if kind == "auto":
        pairs = _by_what_there_is(contigs, noted)
    else:
        pairs: Iterator[tuple[Contig, UnitKind]] = ((contig, kind) for contig in contigs)
    for contig, own_kind in pairs:
        units = units_of(contig, own_kind, window_codons, noted)
        if own_kind == "window":  # whose names differ where those of the contigs do
            name = _own_name(contig.name, times, noted)
            renamed = (unit._replace(id=name + unit.id.removeprefix(contig.name)) for unit in units)
        else:
            renamed = (unit._replace(id=_own_name(unit.id, times, noted)) for unit in units)
        yield OfContig(contig, renamed)


def letters_counted(units: Iterable[OfContig], noted: Counter[str]) -> Iterator[OfContig]:
    """The same units, for a model that reads codons: letters of their proteins that have none are counted."""

    def counted(unit: Unit) -> Unit:
        if number := sum(map((unit.protein or "").count, "BJOUXZ")):
            noted[NO_RESIDUES] += number
        return unit

    for contig, own in units:
        yield OfContig(contig, map(counted, own))


def _by_what_there_is(contigs: Iterable[Contig], noted: Counter[str]) -> Iterator[tuple[Contig, UnitKind]]:
    """Genes from the first contig with CDS on, else whole records, once it is certain that there are none."""
    held: list[Contig] = []
    kind: UnitKind | None = None
    for contig in contigs:
        if contig.molecule in ("cds", "protein"):  # which is a gene as a whole
            yield contig, "cds"
        elif contig.coding_sequences:
            if kind == "record":
                raise UserError(
                    "has coding sequences, and records before it have none: genes would stand among wholes",
                    source=contig.source,
                    record=contig.name,
                    remedy="Say unit=cds or unit=record, or embed the files apart",
                )
            if held:
                noted[_WITHOUT_CDS] += len(held)
            held, kind = [], "cds"
            yield contig, "cds"
        elif kind == "cds":
            noted[_WITHOUT_CDS] += 1
        elif kind is None and contig.dialect not in _CANNOT_ANNOTATE:
            held.append(contig)
        else:
            for each in (*held, contig):
                yield each, "record"
            held, kind = [], "record"
    for each in held:
        yield each, "record"


def _own_name(name: str, times: Counter[str], noted: Counter[str]) -> str:
    """The name, with a number behind it where it has been given before."""
    times[name] += 1
    if times[name] == 1:
        return name
    noted[RENAMED] += 1
    number = times[name]
    while f"{name}#{number}" in times:
        number += 1
    times[f"{name}#{number}"] += 1
    return f"{name}#{number}"
