"""EMBL flat files to contigs, through Biopython: some seconds for a bacterial genome."""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import BinaryIO

from lifecode.data.formats.flat_records import split_before
from lifecode.data.formats.insdc.biopython_records import record_by_biopython
from lifecode.data.formats.insdc.genbank_text import utf8
from lifecode.data.formats.insdc.location_text import with_standard_locations
from lifecode.data.formats.malformed import Settle
from lifecode.data.formats.organelles import organelle_named
from lifecode.data.records import Contig
from lifecode.errors import UserError

_FIRST_LINE = b"ID   "
_HEAD_BYTES = 1 << 12
_ORGANELLE = re.compile(rb"\nOG   (\S.*)")
_TABLE = re.compile(rb"\nFT   ")
_NO_LINES = re.compile(rb"\n(?:[ \t]*(?=\n)|CO   .*)")
_STATED = re.compile(rb"\nSQ .*?(\d+) BP", re.IGNORECASE)
_FIRST = re.compile(rb"ID   +([^\s;]+)(.*)")
_STATED_FIRST = re.compile(rb"(\d+) BP", re.IGNORECASE)
_SUBMITTED_NAME = re.compile(rb"\nAC \* +_(\S+)")


def read_embl(
    handle: BinaryIO, source: str, genetic_code: int, settle: Settle, features: Collection[str] = ()
) -> Iterator[Contig]:
    """Yield the records of an EMBL flat file one at a time.

    Args:
        handle: uncompressed bytes of the file.
        source: name of the file, for messages and for `Contig.source`.
        genetic_code: NCBI code of CDS without a `transl_table` qualifier (INSDC: 1).
        settle: takes the fault of a record that is damaged, ends early or has no sequence.
        features: keys of those that are read beside CDS.
    """
    for number, text in enumerate(split_before(handle, _FIRST_LINE), start=1):
        words = text[5:200].replace(b";", b" ").split(maxsplit=1)
        name = words[0].decode("utf-8", errors="replace") if words else f"record_{number}"
        try:
            text = with_standard_locations(utf8(text), "embl", of_all=bool(features))
            contig = record_by_biopython(text, "embl", source, genetic_code, name, features)
            if contig is None and (mended := _mended(text, name)) is not None:
                contig = record_by_biopython(mended, "embl", source, genetic_code, name, features)
            if contig is None:
                raise UserError(
                    "not a readable EMBL record with its sequence",
                    source=source,
                    record=name,
                    remedy="Check that the file is complete, or download it again",
                )
        except UserError as fault:
            settle(fault)
        else:
            if contig.organelle is None and (told := _ORGANELLE.search(text[:_HEAD_BYTES])):
                contig = replace(contig, organelle=organelle_named(told[1].decode("utf-8", errors="replace")))
            if contig.name == "XXX" and (found := _SUBMITTED_NAME.search(text[:_HEAD_BYTES])):
                contig = replace(contig, name=found[1].decode("utf-8", errors="replace"))
            yield contig


def _mended(text: bytes, name: str) -> bytes | None:
    """A record as Biopython wants it: its first and last line, the head of its table, no blank or CO lines.

    None where no line of it says how long the sequence is, so that one which ends early would not be seen.
    """
    first, _, others = text.partition(b"\n")
    length = _STATED_FIRST.search(first) or _STATED.search(text)
    if length is None or not _FIRST.match(first):
        return None
    topology = b"circular" if b"circular" in first.lower() else b"linear"
    standard = b"ID   %b; SV 1; %b; genomic DNA; STD; UNC; %b BP." % (name.encode(), topology, length[1])
    others = _NO_LINES.sub(b"", b"\n" + others)
    if b"\nFH " not in others and (table := _TABLE.search(others)):
        head = b"\nFH   Key             Location/Qualifiers\nFH"
        others = others[: table.start()] + head + others[table.start() :]
    return standard + others.rstrip() + (b"\n" if b"\n//" in others else b"\n//\n")
