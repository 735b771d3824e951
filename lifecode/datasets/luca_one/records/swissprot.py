"""What a Swiss-Prot (UniProtKB) entry says of a protein: keywords, lineage, and the sites of its features.

Biopython reads the features, of the old layout too; `lifecode.data.formats.swissprot` verifies that the entry
is whole. Sites are those of the paper's four types: active sites, binding sites, conserved sites (`SITE`) and
modified residues. Their label is the key of the feature, and keys that UniProt has merged into BINDING count
as that. A place that the entry doubts (`?34`) is none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import BinaryIO

from Bio import SwissProt
from Bio.SeqFeature import ExactPosition

from lifecode.data.formats.flat_records import split_before
from lifecode.data.formats.insdc.features import lineage_of
from lifecode.data.formats.malformed import Settle
from lifecode.data.formats.swissprot import parse_entry
from lifecode.datasets.luca_one.records.left_out import LeftOut
from lifecode.errors import UserError

_LABEL_OF_KEY = {
    **{key: key for key in ("ACT_SITE", "BINDING", "SITE", "MOD_RES", "LIPID", "CARBOHYD")},
    **dict.fromkeys(("METAL", "NP_BIND", "CA_BIND"), "BINDING"),
}
_BONDS = frozenset({"DISULFID", "CROSSLNK"})
"""Keys whose two places are the ends of a bond, with nothing in between."""
_EVIDENCE = re.compile(r"\s*\{[^}]*\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Protein:
    """A protein with what its record says of it.

    Attributes:
        id: accession, or the first word of a FASTA header.
        sequence: all its residues.
        source: name of the file.
        lineage: taxa from the root on; empty where the record names none.
        taxon: NCBI taxonomy id, or None.
        keywords: empty where there are none, or nothing says.
        sites: (first, last, label), 0-based, the last one included.
    """

    id: str
    sequence: str
    source: str
    lineage: tuple[str, ...] = ()
    taxon: int | None = None
    keywords: tuple[str, ...] = ()
    sites: tuple[tuple[int, int, str], ...] = ()


def swissprot_proteins(handle: BinaryIO, source: str, settle: Settle, left_out: LeftOut) -> Iterator[Protein]:
    """Yield the entries of a flat file.

    Args:
        handle: uncompressed bytes of the file.
        source: its name.
        settle: takes the fault of an entry.
        left_out: takes sites at no known place.
    """
    for number, text in enumerate(split_before(handle, b"ID   "), start=1):
        try:
            protein = _protein(text, source, left_out)
        except UserError as fault:
            settle(UserError(fault.problem, source=source, record=f"entry {number}", remedy=fault.remedy))
        else:
            yield protein


def _protein(text: bytes, source: str, left_out: LeftOut) -> Protein:
    entry = parse_entry(text)
    try:
        record = SwissProt.read(StringIO(text.decode("utf-8", errors="replace")))
    except (ValueError, TypeError, AttributeError, AssertionError, LookupError) as fault:
        problem = f"{entry.accession} is no entry that Biopython reads ({' '.join(str(fault).split())[:100]})"
        raise UserError(problem, remedy="Download it again") from fault
    length = len(entry.protein)
    return Protein(
        id=entry.accession,
        sequence=entry.protein.upper(),
        source=Path(source).name,
        lineage=lineage_of(_lines(text, "OC")),
        taxon=entry.taxon,
        keywords=_keywords(_lines(text, "KW")),
        sites=tuple(_sites(record.features, entry.accession, length, left_out)),
    )


def _lines(text: bytes, code: str) -> str:
    """What stands behind a line code, its lines joined by blanks; by nothing where one ends in a hyphen."""
    joined = ""
    for line in text.splitlines():
        if line.startswith(f"{code}   ".encode()):
            part = line[5:].decode("utf-8", errors="replace").strip()
            joined += part if joined.endswith("-") else f" {part}"
    return joined


def _keywords(written: str) -> tuple[str, ...]:
    """The keywords of an entry, sorted, each once, without the evidence that may stand behind them."""
    plain = (word.strip() for word in _EVIDENCE.sub("", written).rstrip(". ").split(";"))
    return tuple(sorted({word for word in plain if word}))


def _sites(features: list, accession: str, length: int, left_out: LeftOut) -> Iterator[tuple[int, int, str]]:
    """The sites of an entry, the longest first, so that of two that overlap the shorter one counts."""
    found: list[tuple[int, int, str]] = []
    for feature in features:
        label = _LABEL_OF_KEY.get(feature.type, feature.type if feature.type in _BONDS else None)
        if label is None:
            continue
        place = feature.location
        if place is None or place.ref not in (None, accession):
            left_out.add(accession, "site_of_another_isoform", feature.type)
        elif not all(type(end) is ExactPosition for end in (place.start, place.end)):  # no `?34`, a subclass
            left_out.add(accession, "site_at_no_known_place", feature.type)
        elif not 0 <= place.start < place.end <= length:
            left_out.add(accession, "site_beyond_the_sequence", feature.type)
        else:
            first, last = int(place.start), int(place.end) - 1
            ends = {(first, first), (last, last)} if feature.type in _BONDS else {(first, last)}
            found += ((*end, label) for end in sorted(ends))
    yield from sorted(dict.fromkeys(found), key=lambda site: (site[0] - site[1], site))
