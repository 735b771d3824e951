"""Sequences as a caller gives them, text, records or a file, as nucleotide ids with a name each."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import as_sequences, encode_nucleotides
from lifecode.data.reading.read import read_records
from lifecode.data.records import Contig
from lifecode.errors import UserError


class NamedSequences(NamedTuple):
    """Sequences and what they are called.

    Attributes:
        names: of each: the name of a record, else its index, from 0.
        nucleotides: ids (length,) of each.
    """

    names: Sequence[str | int]
    nucleotides: Sequence[NDArray[np.uint8]]


class NamedRecords(NamedTuple):
    """What a caller gave, not yet read.

    Attributes:
        names: of each: the name of a record, else its index, from 0.
        records: text, bytes, a Seq or SeqRecord of Biopython, or a `Contig`.
    """

    names: Sequence[str | int]
    records: Sequence[Any]


def named_records(given: Any) -> NamedRecords:
    """One or several sequences as they were given, with their names; see `named_sequences`."""
    if _is_path(given):
        records: list[Any] = list(read_records(Path(given)))
    else:
        records = [given] if isinstance(given, Contig) else as_sequences(given)
    return NamedRecords([given_name(record) or index for index, record in enumerate(records)], records)


def named_sequences(given: Any, *, coding: bool = False) -> NamedSequences:
    """Nucleotide ids and names of one or several sequences.

    Args:
        given: text or bytes, a Seq or SeqRecord of Biopython, a `Contig` of `read_records`, or several of
            these as for `alphabet.as_sequences`; or the path of a sequence file, whose records are meant:
            a `Path`, or text with a dot or a slash, which no sequence has.
        coding: whether coding sequences are wanted, so that a protein, whose codons would be made up, is
            refused.

    Raises:
        UserError: something that is none, a protein where codons are wanted, a letter that is no nucleotide,
            or a file that cannot be read.
    """
    names, records = named_records(given)
    for record in records if coding else ():
        require_no_protein(record)
    nucleotides = [
        record.nucleotides if isinstance(record, Contig) else encode_nucleotides(record, record=name)
        for name, record in zip(names, records, strict=True)
    ]
    return NamedSequences(names, nucleotides)


def require_no_protein(record: Any) -> None:
    """Raises a `UserError` for a record of a protein file, which has no codons of its own."""
    if isinstance(record, Contig) and record.molecule == "protein":
        raise UserError(
            "is a protein, and its coding sequence is wanted",
            source=record.source,
            record=record.name,
            remedy="Give nucleotides",
        )


def _is_path(given: Any) -> bool:
    return isinstance(given, os.PathLike) or (type(given) is str and ("." in given or "/" in given))


def given_name(record: Any) -> str | None:
    """The name of a `Contig` or of a SeqRecord that has one of its own."""
    name = record.name if isinstance(record, Contig) else getattr(record, "id", None)
    return name if isinstance(name, str) and name not in ("", "<unknown id>") else None
