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
from lifecode.data.records import Contig
from lifecode.errors import UserError

_FIRST_LINE = b"ID   "
_HEAD_BYTES = 1 << 12
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
            if contig.name == "XXX" and (found := _SUBMITTED_NAME.search(text[:_HEAD_BYTES])):
                contig = replace(contig, name=found[1].decode("utf-8", errors="replace"))
            yield contig
