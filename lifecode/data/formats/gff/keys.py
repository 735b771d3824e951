"""Which lines belong together: the transcript, or else the name, that each line of a CDS offers."""

import re
from collections.abc import Iterable
from typing import TypeAlias

from lifecode.data.formats.gff.attributes import BARE
from lifecode.data.formats.gff.families import Families
from lifecode.data.formats.gff.lines import Feature, Role

Key: TypeAlias = tuple[str, ...]
"""`("transcript", name)`, or the attribute and its value; a placeholder has the gene as a third word."""

_GROUPS = (
    "proteinid",
    "id",
    "cds",
    "transcript",
    "mrna",
    "protein_id",
    "name",
    "gene_id",
    "geneid",
    "locus_tag",
    "gene",
    "gene_name",
    "genemark",
    "sequence",
    "model",
    "group",
    BARE,
)
"""What else names the CDS of a line, the most exact first."""
_PLACEHOLDER = re.compile(r"un(?:known|assigned)_transcript")


def keys_of(one: Feature, families: Families, shared: frozenset[str]) -> list[Key]:
    """What a line belongs to: its transcripts, or what else it offers; nothing if that is nothing."""
    if one.parents:
        return [("transcript", parent) for parent in families.own_parents(one.parents)]
    told = one.attributes
    transcript = told.get("transcript_id") or told.get("transcriptid")
    if transcript and transcript != ".":
        if transcript in shared or _PLACEHOLDER.match(transcript):
            gene = told.get("gene_id") or told.get("locus_tag") or told.get("protein_id") or ""
            return [("transcript", transcript, gene)]
        return [("transcript", transcript)]
    if families.has_transcript(origin := told.get("derives_from", "")):
        return [("transcript", origin)]
    for key in _GROUPS:
        if (value := told.get(key)) and value != ".":
            return [("transcript", value) if key == BARE else (key, value)]
    return []


def key_alone(one: Feature) -> Key:
    """The key of a line that names nothing: in GFF3 it is a CDS of its own, if no other line says the same.

    Lines that say the same, or that are numbered, may be parts of one CDS by a name that is not known here.
    """
    told = one.attributes
    if not one.is_gff3 or any(key in told for key in ("exon_number", "exonnumber", "number", "part")):
        return ("alone",)
    return ("alone", *(f"{key}={value}" for key, value in told.items()))


def is_nameless(key: Key) -> bool:
    """Whether a key is that of lines that name nothing."""
    return key[0] == "alone"


def shared_transcripts(features: Iterable[Feature]) -> frozenset[str]:
    """The transcript_ids that several genes have, so that they tell nothing alone."""
    gene_of: dict[str, str] = {}
    shared = set()
    for one in features:
        told = one.attributes
        if one.role is Role.CDS and not one.parents and (gene := told.get("gene_id")):
            transcript = told.get("transcript_id", "")
            if gene_of.setdefault(transcript, gene) != gene:
                shared.add(transcript)
    return frozenset(shared)
