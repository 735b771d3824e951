"""One record of a flat file through Biopython, for what gb-io does not read: some GenBank records, EMBL."""

import re
import warnings
from collections.abc import Collection, Iterable, Iterator
from io import StringIO
from typing import Any, Literal, NamedTuple

from Bio import SeqIO
from Bio.SeqFeature import (
    AfterPosition,
    BeforePosition,
    ExactPosition,
    Location,
    LocationParserError,
    SeqFeature,
)
from Bio.SeqRecord import SeqRecord

from lifecode.alphabet import encode_nucleotides
from lifecode.data.formats.insdc.features import (
    Place,
    around_origin,
    coding_sequence_of,
    feature_of,
    is_wanted,
    organelle_of_definition,
    organelle_of_source,
    taxon_id,
)
from lifecode.data.formats.insdc.genes import with_flags_of_genes
from lifecode.data.records import Contig, Exon

_DIALECTS = {"genbank": "GenBank, read by Biopython", "embl": "EMBL"}
_CDS_LINE = {
    form: re.compile(rb"(?m)^%b {3}(?i:CDS) +\S" % mark)
    for form, mark in (("genbank", b"  "), ("embl", b"FT"))
}
_NO_NAME = ("", ".", "<unknown id>", "<unknown name>")


class _Qualifier(NamedTuple):
    key: str
    value: str | None


def record_by_biopython(
    text: bytes,
    form: Literal["genbank", "embl"],
    source: str,
    genetic_code: int,
    name: str,
    features: Collection[str] = (),
) -> Contig | None:
    """The contig of one record, or None where Biopython cannot read all of it.

    Args:
        text: of the record, in UTF-8.
        form: how it is written.
        source: name of the file.
        genetic_code: NCBI code of CDS without a `transl_table`.
        name: of a record that has none of its own.
        features: keys of those that are read beside CDS.

    Raises:
        UserError: a letter of the sequence is no nucleotide.
    """
    if (record := _parsed(text, form)) is None:
        return None
    sequence = bytes(record.seq)
    name = record.id if record.id not in _NO_NAME else name
    circular = record.annotations.get("topology") == "circular"
    organism, taxon, organelle = _origin(record)
    ids: dict[str, int] = {}
    return Contig(
        name=name,
        nucleotides=encode_nucleotides(sequence, source=source, record=name),
        source=source,
        circular=circular,
        organism=organism,
        taxon=taxon,
        genetic_code=genetic_code,
        coding_sequences=with_flags_of_genes(
            (
                coding_sequence_of(
                    _qualifiers(feature), _place(feature, len(sequence), circular), genetic_code, ids
                )
                for feature in record.features
                if feature.type.upper() == "CDS"
            ),
            (
                (_qualifiers(feature), _place(feature, len(sequence), circular))
                for feature in record.features
                if feature.type == "gene"
            ),
        ),
        molecule="rna" if "RNA" in str(record.annotations.get("molecule_type")) else "dna",
        dialect=_DIALECTS[form],
        organelle=organelle or organelle_of_definition(record.description),
        lineage=tuple(record.annotations.get("taxonomy", ())),
        features=tuple(
            feature_of(one.type, _qualifiers(one), _place(one, len(sequence), circular))
            for one in record.features
            if is_wanted(one.type, features)
        ),
    )


def _parsed(text: bytes, form: Literal["genbank", "embl"]) -> Any:
    """The `SeqRecord`, unless Biopython fails or finds other numbers of nucleotides or CDS than are there."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (record,) = SeqIO.parse(StringIO(text.decode("utf-8", errors="replace")), form)
            sequence = bytes(record.seq)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except Exception:  # of many kinds, none of which Biopython documents
        return None
    if not sequence or not _states_length(text, form, len(sequence)):
        return None
    num_cds = sum(feature.type.upper() == "CDS" for feature in record.features)
    return record if num_cds == len(_CDS_LINE[form].findall(text)) else None


def exons_of_location(text: str) -> tuple[Exon, ...]:
    """The exons of a location such as `complement(join(1..9,12..>20))`, 5' to 3'; none if it has none."""
    try:
        parts = Location.fromstring(text).parts
    except (LocationParserError, ValueError):
        return ()
    return _exons(parts)


def _states_length(text: bytes, form: str, num_nucleotides: int) -> bool:
    """Whether the record is whole: its first line says how many letters follow, and it has its last line."""
    words = text.partition(b"\n")[0].replace(b";", b" ").split()
    unit = b"bp" if form == "genbank" else b"BP."
    stated = [words[i - 1] for i, word in enumerate(words) if i and word.lower() == unit.lower()]
    return stated[-1:] == [b"%d" % num_nucleotides] and b"\n//" in text


def _origin(record: SeqRecord) -> tuple[str | None, int | None, str | None]:
    """Organism name, NCBI taxonomy id and organelle, from the source feature where there is one."""
    told: dict[str, Any] = next((one.qualifiers for one in record.features if one.type == "source"), {})
    organism = told.get("organism", [record.annotations.get("organism")])[0]
    taxa = [word[6:] for word in told.get("db_xref", []) if word.startswith("taxon:")]
    organelle, _ = organelle_of_source(str(record.annotations.get("source", "")))
    return organism or None, taxon_id(taxa[0]) if taxa else None, told.get("organelle", [organelle])[0]


def _qualifiers(feature: SeqFeature) -> Iterator[_Qualifier]:
    for key, values in feature.qualifiers.items():
        for value in values:
            yield _Qualifier(key, value)


def _place(feature: SeqFeature, num_nucleotides: int, circular: bool) -> Place:
    """Where a feature lies; Biopython lists the parts of a location in 5' to 3' order."""
    location = feature.location
    if location is None:
        return Place((), False, "the location is malformed")
    ends = [end for part in location.parts for end in (part.start, part.end)]
    partial = any(isinstance(end, BeforePosition | AfterPosition) for end in ends)
    if any(part.ref for part in location.parts):
        return Place((), partial, "a part of the location is on another record")
    known = all(isinstance(end, ExactPosition | BeforePosition | AfterPosition) for end in ends)
    if not known or getattr(location, "operator", "join") not in ("join", "order"):
        return Place((), partial, "the location names no nucleotides")
    exons = _exons(location.parts)
    return Place(around_origin(exons, num_nucleotides) if circular else exons, partial, None)


def _exons(parts: Iterable[Any]) -> tuple[Exon, ...]:
    return tuple(Exon(int(part.start), int(part.end), part.strand or 1) for part in parts)
