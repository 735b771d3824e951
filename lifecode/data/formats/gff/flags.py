"""Flags that make a CDS partial, a pseudogene or an exception, wherever in its family they stand.

The family of a CDS are its own lines, the transcript and the gene. Programs write the same thing in many
ways: `partial=true`, Prodigal's `partial=10`, NCBI's `start_range=.,1`, GENCODE's tag `cds_start_NF`,
Havana's `start_not_found`, TransDecoder's `type:5prime_partial`, `Note=partial`, `status=incomplete`, a
position `<1`. An unconfirmed end of the mRNA alone (`mRNA_start_NF`) says nothing of the CDS.
"""

import re
from collections.abc import Iterable, Sequence

from lifecode.data.formats.gff.lines import Feature

_OPEN_ENDS = ("cds_start_nf", "cds_end_nf")
_OPEN_KEYS = ("start_nf", "end_nf", "start_not_found", "end_not_found")
_RANGES = ("start_range", "end_range")
_NO = frozenset({"", ".", "0", "00", "false", "no", "none", "null", "na", "n/a", "f", "n", "complete"})
_NOTES = ("note", "name", "description", "completeness", "status")
_PARTIAL_NOTE = re.compile(
    r"(?:(?:5'|3'|five.prime|three.prime)[\s_-]*)?(?:partial|incomplete)(?: cds| gene| mrna| sequence)?"
    r"(?: (?:at|on) (?:the )?(?:5'|3'|five.prime|three.prime)(?:[ -]end)?)?"
)
_ORF_TYPE = re.compile(r"type:\s*(?:5prime_partial|3prime_partial|internal)\b")
_BETWEEN_NOTES = re.compile(r"[,;]")
_PSEUDOGENE_NOTE = re.compile(r"(?:(?:un)?processed |unitary )?pseudogene")
_BIOTYPES = ("type", "class", "so_term_name")
"""Ends of the keys that say of what kind a gene or transcript is: `gene_biotype`, `locus_type`, `class`."""


def is_partial(family: Sequence[Feature]) -> bool:
    """Whether an end of the CDS lies beyond what was sequenced."""
    return any(one.open_end or (one.marked and _says_partial(one.attributes)) for one in family)


def is_pseudo(family: Sequence[Feature]) -> bool:
    """Whether the CDS or what stands above it is called a pseudogene."""
    return any(
        "pseudogen" in one.kind
        or "pseudogene" in one.source.lower()
        or (one.marked and _says_pseudo(one.attributes))
        for one in family
    )


def exceptions(family: Iterable[Feature]) -> tuple[bool, bool]:
    """Whether the ribosome slips, and whether exons come from different transcripts."""
    slips = trans = False
    for one in family:
        if not one.marked:
            continue
        told = one.attributes
        text = told.get("exception", "").lower()
        slips = slips or bool(re.search("ribosomal.slippage", text)) or _is_set(told, "ribosomal_slippage")
        trans = trans or bool(re.search("trans.splic", text)) or _is_set(told, "trans_splicing")
    return slips, trans


def _says_partial(told: dict[str, str]) -> bool:
    for key, value in told.items():
        low = value.strip().lower()
        if ("partial" in key or key.startswith("truncated")) and low not in _NO:
            return True
        if key == "orf_type" and low in ("5prime_partial", "3prime_partial", "internal"):
            return True
        if key.startswith("incomplete") and low not in _NO:
            return True
        if key == "partial" and not low:  # GFF3 without a value
            return True
        if key in _RANGES and low:
            return True
        if key in ("tag", "tags") and any(end in low for end in _OPEN_ENDS):
            return True
        if key.endswith(_OPEN_KEYS) and not key.startswith("mrna") and low not in _NO:
            return True
        if key in _NOTES and (_ORF_TYPE.search(low) or _says(_PARTIAL_NOTE, low)):
            return True
    return False


def _says_pseudo(told: dict[str, str]) -> bool:
    if told.get("pseudo", "false").strip().lower() not in _NO - {""}:
        return True
    if any(_is_set(told, key) for key in ("pseudogene", "is_pseudo", "is_pseudogene")):
        return True
    return any(
        (key.endswith(_BIOTYPES) and "pseudogene" in value.lower())
        or (key in _NOTES and _says(_PSEUDOGENE_NOTE, value.lower()))
        for key, value in told.items()
    )


def _says(pattern: re.Pattern[str], note: str) -> bool:
    return any(pattern.fullmatch(part.strip()) for part in _BETWEEN_NOTES.split(note))


def _is_set(told: dict[str, str], key: str) -> bool:
    return told.get(key, "false").strip().lower() not in _NO - {""}
