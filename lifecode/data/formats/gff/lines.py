"""Lines of GFF3, GTF and GFF2 as features.

A position that cannot be read is kept as the feature's problem, so that the CDS it is a part of is rejected
and no other one.
"""

import re
from enum import Enum
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from lifecode.data.formats.gff.attributes import attributes, is_gff3
from lifecode.errors import UserError

NUM_COLUMNS = 9
_PHASES = {"0": 0, "1": 1, "2": 2}
_LONGEST_NUMBER = 15
_SHOWN_LETTERS = 60
_CDS = frozenset({"cds", "so:0000316"})
_STOPS = frozenset({"stop_codon", "so:0000319"})
_RECODED = {
    "selenocysteine": "Sec",
    "stop_codon_redefined_as_selenocysteine": "Sec",
    "so:0000885": "Sec",
    "stop_codon_redefined_as_pyrrolysine": "Pyl",
    "so:0000884": "Pyl",
}
"""The residue of a codon that a line of its own names."""
_EXON_MODELS = frozenset(
    {
        *("Einit", "Exon", "Eterm", "Esngl"),  # SNAP
        *("First", "Internal", "Terminal", "Single"),  # geneid
        *("initial", "internal", "terminal", "single"),  # AUGUSTUS, beside its CDS or, of old, alone
        *("Init", "Intr", "Term", "Sngl"),  # GENSCAN
        *("CDSf", "CDSi", "CDSl", "CDSo"),  # FGENESH
        *("initial-exon", "internal-exon", "final-exon", "single-exon"),  # GeneZilla
        *("coding_exon", "SO:0000195"),
    }
)
_METAEUK_ID = "tcs_id"
_METAEUK_EXON = re.compile(r"_exon_\d+$")
_NEVER_ABOVE = ("exon", "intron", "utr", "codon", "match", "repeat", "snp", "snv", "splice", "tss")


class Role(Enum):
    """What a line means for a CDS.

    Attributes:
        CDS: a part of one.
        EXON_MODEL: a part of one by the words of SNAP, geneid and others, where its column 2 has no CDS.
        STOP: its stop codon, which may lie outside.
        RECODED: the codon of a selenocysteine or pyrrolysine.
        ABOVE: a gene, transcript or sequence, whose flags may concern a CDS.
        NONE: nothing.
    """

    CDS = 0
    EXON_MODEL = 1
    STOP = 2
    RECODED = 3
    ABOVE = 4
    NONE = 5


class Feature(NamedTuple):
    """One line: 0-based half-open positions; strand +1 or -1.

    Attributes:
        kind: column 3 in lower case.
        source: column 2.
        start, end: as written, so `end` may lie before `start` on a circular sequence.
        phase: None where the line gives none.
        is_gff3: whether its attributes are `key=value`.
        attributes: see `gff_attributes.attributes`.
        parents: of GFF3, each once.
        marked: whether the attributes may tell of a partial CDS, a pseudogene or an exception.
        open_end: a position is written as `<1` or `>90`.
        problem: why it has no usable position, or None.
        line: 1-based number in the file.
    """

    role: Role
    kind: str
    source: str
    start: int
    end: int
    strand: int
    phase: int | None
    is_gff3: bool
    attributes: dict[str, str]
    parents: tuple[str, ...]
    marked: bool
    open_end: bool
    problem: str | None
    line: int


@lru_cache(maxsize=1000)
def role_of(kind: str) -> Role:
    """What lines with this word in their third column mean."""
    kind = kind.strip()
    low = kind.lower()
    if low in _CDS:
        return Role.CDS
    if kind in _EXON_MODELS:
        return Role.EXON_MODEL
    if low in _STOPS:
        return Role.STOP
    if low in _RECODED:
        return Role.RECODED
    return Role.NONE if any(word in low for word in _NEVER_ABOVE) else Role.ABOVE


def feature(line: bytes) -> Feature:
    """Read a line of nine columns that stands behind its number and a tab."""
    number, _, source, kind, start, end, _, strand, phase, column = _text(line).rstrip("\t ").split("\t")
    role = role_of(kind)
    open_end = start[:1] in ("<", ">") or end[:1] in ("<", ">")
    if open_end:
        start, end = start.lstrip("<>"), end.lstrip("<>")
    gff3, told, parents, marked = _told(column)
    problem = None
    first = last = 0
    if not (_is_number(start) and _is_number(end) and strand in ("+", "-")):
        start, end, strand, phase = (text.strip() for text in (start, end, strand, phase))
    if not (_is_number(start) and _is_number(end)):
        problem = f"no position from {start[:20]!r} to {end[:20]!r}"
    elif not (first := int(start)) or not (last := int(end)):
        problem = f"no stretch from {start} to {end}"
    elif strand not in ("+", "-"):
        problem = f"the strand is {strand[:20]!r}"
    elif phase not in _PHASES and phase != "." and told.get("codon_start") not in ("1", "2", "3"):
        problem = f"the phase is {phase[:20]!r}"
    return Feature._make(
        (
            role,
            kind.lower(),
            source,
            first - 1 if problem is None else 0,
            last if problem is None else 0,
            -1 if strand == "-" else 1,
            _PHASES.get(phase),
            gff3,
            told,
            parents,
            marked,
            open_end,
            problem,
            int(number),
        )
    )


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")  # so that names stay apart


@lru_cache(maxsize=8)
def _told(column: str) -> tuple[bool, dict[str, str], tuple[str, ...], bool]:
    """What a ninth column says, which in many files is the same for all lines of a CDS; not to be changed."""
    if column[:1] == '"' == column[-1:]:  # a spreadsheet has been here
        column = column[1:-1].replace('""', '"')
    if "##" in column:  # the first line of the next file, where this one has no line end
        column = column.partition("##gff-version")[0]
    gff3 = is_gff3(column)
    told = attributes(column, gff3)
    parent = told.get("parent")
    if parent and _METAEUK_ID in told:  # its CDS lines lie each below an exon of its own
        parent = _METAEUK_EXON.sub("_mRNA", parent)
    if parent and ("," in parent or "%" in parent):
        parents = tuple(dict.fromkeys(unquote(one.strip()) for one in parent.split(",") if one.strip()))
    else:
        parents = (parent,) if parent else ()
    return gff3, told, parents, is_marked(column.lower().encode())


def is_marked(line: bytes) -> bool:
    """Whether a line in lower case has words that `gff_flags` or a circular sequence are known by."""
    return (
        b"partial" in line
        or b"pseudo" in line
        or b"incomplete" in line
        or b"not_found" in line
        or b"exception" in line
        or b"_nf" in line
        or b"_range" in line
        or b"truncat" in line
        or b"type:" in line
        or b"type%3a" in line
        or b"_spli" in line
        or b"_slip" in line
        or b"circular" in line
    )


def sequence_name(line: bytes) -> str:
    """The sequence that a line is about.

    Raises:
        UserError: the line does not have nine columns.
    """
    num_columns = line.rstrip(b"\t ").count(b"\t") + 1
    if num_columns != NUM_COLUMNS:
        blanks = num_columns < NUM_COLUMNS <= len(line.split())
        why = ": its columns are separated by blanks" if blanks else ""
        raise UserError(
            f"the line has {num_columns} tab-separated columns instead of {NUM_COLUMNS}{why}: {shown(line)}"
        )
    return unquote(line.partition(b"\t")[0].decode("utf-8", errors="replace").strip())


def shown(line: bytes, tail: bool = False) -> str:
    """The beginning of a line, for messages, or that of its ninth column behind its position."""
    if tail:
        columns = line.split(b"\t", 8)
        line = b" ".join((columns[0][:20], columns[2][:20], columns[3][:20], columns[4][:20], columns[8]))
    text = line[: 4 * _SHOWN_LETTERS].decode("utf-8", errors="replace").replace("\t", " ").rstrip()
    return ascii(text[:_SHOWN_LETTERS] + ("..." if len(text) > _SHOWN_LETTERS else ""))


def recoded_residue(kind: str) -> str:
    """`Sec` or `Pyl`, of a line whose role is `RECODED`."""
    return _RECODED[kind.strip()]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER
