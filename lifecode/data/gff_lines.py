"""Lines of GFF3 and GTF as features with their attributes.

GFF3 writes `key=value;key=value` with percent escapes, GTF `key "value";`. A position that cannot be read is
kept as the feature's problem, so that the CDS it is a part of is rejected and no other one.
"""

import re
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import unquote

from lifecode.errors import UserError

Dialect: TypeAlias = Literal["GFF3", "GTF"]

NUM_COLUMNS = 9
_GTF_PAIR = re.compile(r'(\w+)\s+(?:"([^"]*)"|([^\s";]+))')
_PHASES = {"0": 0, "1": 1, "2": 2, ".": 0}
_LONGEST_NUMBER = 15


class Feature(NamedTuple):
    """One line: 0-based half-open positions; strand +1 or -1; phase of the first nucleotide.

    Attributes:
        attributes: repeated keys are joined by commas.
        problem: why it has no usable position, or None.
    """

    kind: str
    start: int
    end: int
    strand: int
    phase: int
    attributes: dict[str, str]
    problem: str | None


def feature(line: bytes, dialect: Dialect) -> Feature:
    """Read a line of nine columns."""
    columns = line.decode("utf-8", errors="replace").rstrip("\r\n").split("\t")
    kind, start, end, strand, phase = (columns[i] for i in (2, 3, 4, 6, 7))
    problem = None
    if not (_is_number(start) and _is_number(end)):
        problem = f"no position from {start[:20]!r} to {end[:20]!r}"
    elif not 1 <= int(start) <= int(end):
        problem = f"no stretch from {start} to {end}"
    elif strand not in ("+", "-"):
        problem = f"the strand is {strand[:20]!r}"
    elif phase not in _PHASES:
        problem = f"the phase is {phase[:20]!r}"
    return Feature(
        kind=kind,
        start=int(start) - 1 if problem is None else 0,
        end=int(end) if problem is None else 0,
        strand=-1 if strand == "-" else 1,
        phase=_PHASES.get(phase, 0),
        attributes=_gff3_attributes(columns[8]) if dialect == "GFF3" else _gtf_attributes(columns[8]),
        problem=problem,
    )


def sequence_name(line: bytes) -> str:
    """The sequence that a line is about.

    Raises:
        UserError: the line does not have nine columns.
    """
    num_columns = line.count(b"\t") + 1
    if num_columns != NUM_COLUMNS:
        raise UserError(f"the line has {num_columns} tab-separated columns instead of {NUM_COLUMNS}")
    return unquote(line.partition(b"\t")[0].decode("utf-8", errors="replace"))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER


def _gff3_attributes(column: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in column.split(";") if pair.strip())
    return {key.strip(): unquote(value.strip()) for key, _, value in pairs}


def _gtf_attributes(column: str) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for key, quoted, bare in _GTF_PAIR.findall(column):
        value = quoted or bare
        attributes[key] = f"{attributes[key]},{value}" if key in attributes else value
    return attributes
