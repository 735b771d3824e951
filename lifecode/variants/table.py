"""Rows of annotated and scored variants as a table."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from lifecode.variants.alleles import normal_form
from lifecode.variants.annotate import Annotated
from lifecode.variants.consequence.terms import impact_of, joined
from lifecode.variants.nucleotide_scores import status_without_score
from lifecode.variants.variant_scores import SCORES

COLUMNS = pa.schema(
    [
        ("chrom", pa.string()),
        ("pos", pa.int64()),
        ("ref", pa.string()),
        ("alt", pa.string()),
        ("id", pa.string()),
        ("input_line", pa.int64()),
        ("gene", pa.string()),
        ("transcript", pa.string()),
        ("strand", pa.int8()),
        ("consequence", pa.string()),
        ("impact", pa.string()),
        ("hgvs_c", pa.string()),
        ("hgvs_p", pa.string()),
        ("codons", pa.string()),
        ("amino_acids", pa.string()),
        ("shares_codon", pa.bool_()),
        ("score", pa.float64()),
        ("score_residue", pa.float64()),
        ("score_synonymous", pa.float64()),
        ("entropy", pa.float64()),
        ("quantile", pa.float64()),
        ("method", pa.string()),
        ("context", pa.string()),
        ("model", pa.string()),
        ("status", pa.string()),
    ]
)
"""Names and types of the columns, in order; docs/scores.md says what they mean."""


def table_of(rows: Sequence[Annotated], scores: dict[str, list[Any]] | None = None) -> pa.Table:
    """One row an ALT and transcript.

    Args:
        rows: annotated.
        scores: a column for each of `SCORES`, and `status`; None where no model was asked.
    """
    effects = [row.effect for row in rows]
    transcripts = [row.transcript for row in rows]
    words: dict[tuple[str, ...], tuple[str, str]] = {}
    for effect in effects:
        if effect.terms not in words:
            words[effect.terms] = joined(effect.terms), impact_of(effect.terms)
    columns: dict[str, Any] = {
        "chrom": [row.contig for row in rows],
        "pos": [row.position for row in rows],
        "ref": [row.ref for row in rows],
        "alt": [row.alt for row in rows],
        "id": [row.allele.id for row in rows],
        "input_line": [row.allele.line for row in rows],
        "gene": [one.gene if one else None for one in transcripts],
        "transcript": [one.id if one else None for one in transcripts],
        "strand": [_strand(row) for row in rows],
        "consequence": [words[effect.terms][0] for effect in effects],
        "impact": [words[effect.terms][1] for effect in effects],
        "hgvs_c": [effect.hgvs_c or None for effect in effects],
        "hgvs_p": [effect.hgvs_p or None for effect in effects],
        "codons": [effect.codons or None for effect in effects],
        "amino_acids": [effect.amino_acids or None for effect in effects],
        "shares_codon": sharing(rows),
        "status": [status_without_score(row) for row in rows],
    }
    columns |= scores or {name: [None] * len(rows) for name in SCORES}
    return pa.table(columns, schema=COLUMNS)


def _strand(row: Annotated) -> int | None:
    """On which the transcript reads this place."""
    start = row.position - 1
    return None if row.transcript is None else row.transcript.strand_at(start, start + len(row.ref))


def _replaced(row: Annotated) -> tuple[int, int, bool]:
    """First letter (0-based) that goes, that behind the last one, and whether as many come.

    The letter beside an indel is none of them. In a run of a letter that one of them goes and that the first
    is replaced are two changes, though the normal form has both at one place.
    """
    start, end, _ = normal_form(row.ref, 0, row.ref, row.alt)
    return row.position - 1 + start, row.position - 1 + end, len(row.ref) == len(row.alt)


def sharing(rows: Sequence[Annotated]) -> list[bool]:
    """Whether another record of the input changes the same codon of the same transcript at another place."""
    changes: dict[tuple[int, int], set[tuple[int, tuple[int, int, bool]]]] = defaultdict(set)

    def codons(row: Annotated) -> list[tuple[int, int]]:
        effect = row.effect
        if row.transcript is None or effect.first_codon < 0:
            return []
        count = len(effect.codons.partition("/")[0]) // 3
        return [(id(row.transcript), effect.first_codon + i) for i in range(count)]

    touched = [codons(row) for row in rows]
    own = [
        (row.allele.line, _replaced(row)) if found else (0, (0, 0, True))
        for row, found in zip(rows, touched, strict=True)
    ]
    for change, found in zip(own, touched, strict=True):
        for codon in found:
            changes[codon].add(change)
    return [
        any(line != change[0] and place != change[1] for codon in found for line, place in changes[codon])
        for change, found in zip(own, touched, strict=True)
    ]
