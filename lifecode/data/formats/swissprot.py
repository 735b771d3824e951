"""One entry of a Swiss-Prot (UniProtKB) flat file: accession, gene, organism and sequence.

Read are the lines AC, GN, OS, OX and SQ. The length that the entry states must be that of its sequence, so a
truncated entry is seen.
"""

import re
from dataclasses import dataclass

from lifecode.errors import UserError

_LINE_CODES = ("AC", "GN", "OS", "OX")
_LENGTH = re.compile(rb"SQ   SEQUENCE\s+(\d{1,9}) AA;")
_GENE = re.compile(r"\bName=([^;{]+)")
_TAXON = re.compile(r"NCBI_TaxID=(\d{1,9})")
_WHITE_SPACE = b" \t\r\n\v\f"
_REMEDY = "Check that the file is complete, or download it again"


@dataclass(frozen=True, slots=True)
class SwissProtEntry:
    """A protein with what its entry says of it."""

    accession: str
    protein: str
    gene: str | None = None
    organism: str | None = None
    taxon: int | None = None


def parse_entry(text: bytes) -> SwissProtEntry:
    """Read an entry, from its ID line to `//`.

    Raises:
        UserError: it has no accession, no sequence, no end, or not as many residues as it says.
    """
    head, found, rest = text.partition(b"\nSQ   ")
    body, end, after = rest.partition(b"\n//")
    if not text.startswith(b"ID   ") or not found or not end or after.strip():
        raise UserError("the entry does not go from an ID line over SQ to //", remedy=_REMEDY)
    values = _values(head.decode("utf-8", errors="replace"))
    accession = values["AC"].partition(";")[0].strip()
    if not accession or len(accession.split()) != 1:
        raise UserError("the entry has no accession (AC)", remedy=_REMEDY)
    length = _LENGTH.match(b"SQ   " + body)
    letters = body.partition(b"\n")[2].translate(None, _WHITE_SPACE)
    if length is None or int(length[1]) != len(letters) or not letters:
        said = int(length[1]) if length else "no number of"
        raise UserError(f"{accession} states {said} residues and has {len(letters)}", remedy=_REMEDY)
    gene, taxon = _GENE.search(values["GN"]), _TAXON.search(values["OX"])
    return SwissProtEntry(
        accession=accession,
        protein=letters.decode("latin-1"),
        gene=gene[1].strip() if gene else None,
        organism=values["OS"].partition("(")[0].strip().rstrip(".") or None,
        taxon=int(taxon[1]) if taxon else None,
    )


def _values(head: str) -> dict[str, str]:
    """The text behind each line code, its lines joined by blanks."""
    lines: dict[str, list[str]] = {code: [] for code in _LINE_CODES}
    for line in head.splitlines():
        if line[:2] in lines:
            lines[line[:2]].append(line[5:].strip())
    return {code: " ".join(texts) for code, texts in lines.items()}
