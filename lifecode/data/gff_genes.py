"""Features of one contig put together to coding sequences: which lines are one CDS, and of which gene.

GFF3 gives the lines of one CDS one ID; files that number them (`…CDS.1`, `…CDS.2`) or give none mean the
lines of one parent. A line with several parents belongs to each of them: isoforms share exons. GTF goes
by transcript_id.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from lifecode.data.gff_exons import exons_of, ordered_parts, with_stop_codon
from lifecode.data.gff_lines import Dialect, Feature
from lifecode.data.records import CodingSequence

_DEEPEST_FAMILY = 8
_OPEN_ENDS = ("cds_start_NF", "cds_end_NF")
_BIOTYPES = ("biotype", "gene_biotype", "transcript_biotype", "gene_type", "transcript_type", "pseudogene")


class _Model(NamedTuple):
    """The lines of one CDS, its stop codons, and the features above it, the nearest first."""

    parent: str | None
    parts: list[Feature]
    stops: list[Feature]
    above: list[Feature]


def coding_sequences(
    features: Sequence[Feature], dialect: Dialect, num_nucleotides: int, circular: bool, genetic_code: int
) -> tuple[CodingSequence, ...]:
    """The CDS of a contig in the order in which the file first names them.

    Args:
        features: of this contig, in file order.
        dialect: `GFF3` or `GTF`.
        num_nucleotides: length of the contig.
        circular: whether the contig is.
        genetic_code: NCBI code of CDS without a `transl_table`.
    """
    used: dict[str, int] = {}
    models = _gff3_models(features) if dialect == "GFF3" else _gtf_models(features)
    return tuple(_coding_sequence(model, num_nucleotides, circular, genetic_code, used) for model in models)


def _gff3_models(features: Sequence[Feature]) -> Iterator[_Model]:
    named = {one.attributes["ID"]: one for one in features if one.kind != "CDS" and "ID" in one.attributes}
    lines: dict[str | None, dict[str, list[Feature]]] = defaultdict(lambda: defaultdict(list))
    stops: dict[str, list[Feature]] = defaultdict(list)
    for number, one in enumerate(features):
        parents = [parent for parent in one.attributes.get("Parent", "").split(",") if parent]
        if one.kind == "stop_codon":
            for parent in parents:
                stops[parent].append(one)
        elif one.kind == "CDS":
            for parent in parents or [None]:
                nameless = "" if parent else f"line {number}"
                lines[parent][one.attributes.get("ID", nameless)].append(one)
    for parent, by_id in lines.items():
        groups = list(by_id.values())
        if parent is not None and _are_one_cds(groups):
            groups = [[part for group in groups for part in group]]
        above = list(_above(parent, named))
        own_stops = stops.get(parent, []) if parent is not None and len(groups) == 1 else []
        for parts in groups:
            yield _Model(parent, parts, own_stops, above)


def _are_one_cds(groups: list[list[Feature]]) -> bool:
    """Whether lines of one parent, under an ID each, are one CDS: they follow each other on a strand."""
    if len(groups) < 2 or any(len(group) > 1 for group in groups):
        return False
    parts = sorted((group[0] for group in groups), key=lambda part: part.start)
    return len({part.strand for part in parts}) == 1 and all(a.end <= b.start for a, b in pairwise(parts))


def _above(parent: str | None, named: dict[str, Feature]) -> Iterator[Feature]:
    """The parent, its first parent, and so on; a circle of parents ends too."""
    for _ in range(_DEEPEST_FAMILY):
        if parent is None or parent not in named:
            return
        yield named[parent]
        parent = named[parent].attributes.get("Parent", "").partition(",")[0] or None


def _gtf_models(features: Sequence[Feature]) -> Iterator[_Model]:
    parts: dict[str, list[Feature]] = defaultdict(list)
    stops: dict[str, list[Feature]] = defaultdict(list)
    for number, one in enumerate(features):
        told = one.attributes
        transcript = told.get("transcript_id") or told.get("gene_id") or f"line {number}"
        (stops if one.kind == "stop_codon" else parts)[transcript].append(one)
    for transcript, lines in parts.items():
        yield _Model(transcript, lines, stops.get(transcript, []), [])


def _coding_sequence(
    model: _Model, num_nucleotides: int, circular: bool, genetic_code: int, used: dict[str, int]
) -> CodingSequence:
    """A CDS; `used` counts the ids of this contig, so that a repeated one gets a number."""
    told = model.parts[0].attributes
    family = [told, *(one.attributes for one in model.above)]
    problem = next((part.problem for part in (*model.parts, *model.stops) if part.problem), None)
    parts = ordered_parts(with_stop_codon(model.parts, model.stops), num_nucleotides, circular)
    exons = exons_of(parts, num_nucleotides, circular) if problem is None else ()
    name = _name(model, told)
    used[name] = used.get(name, 0) + 1
    exception = told.get("exception", "")
    table = told.get("transl_table", "")
    return CodingSequence(
        id=name if used[name] == 1 else f"{name}#{used[name]}",
        gene=next((each[key] for each in family for key in ("gene", "gene_name") if each.get(key)), None)
        or next((one.attributes.get("Name") for one in model.above if one.kind == "gene"), None),
        exons=exons,
        codon_start=parts[0].phase + 1,
        genetic_code=(int(table) if table.isdecimal() and len(table) < 5 else 0) if table else genetic_code,
        pseudo=_is_pseudo(model, family),
        partial=told.get("partial") == "true" or any(end in told.get("tag", "") for end in _OPEN_ENDS),
        ribosomal_slippage=bool(re.search("ribosomal.slippage", exception)),
        trans_splicing=bool(re.search("trans.splicing", exception)),
        transl_except=(told["transl_except"],) if told.get("transl_except") else (),
        location_problem=problem,
        protein_source="translated",
        gene_id=told.get("gene_id") or _gene_id(model) or told.get("locus_tag"),
        genetic_code_given=bool(table),
    )


def _name(model: _Model, told: dict[str, str]) -> str:
    """The protein, else the transcript, else the CDS itself, else where it lies."""
    transcript = None if model.above and model.above[0].kind == "gene" else model.parent
    place = f"cds:{model.parts[0].start + 1}..{model.parts[-1].end}"
    return told.get("protein_id") or transcript or told.get("ID") or told.get("locus_tag") or place


def _gene_id(model: _Model) -> str | None:
    return model.above[-1].attributes["ID"] if model.above else None


def _is_pseudo(model: _Model, family: list[dict[str, str]]) -> bool:
    """Whether the CDS or what stands above it is called a pseudogene, in any of the usual ways."""
    kinds = [one.kind for one in model.above]
    return (
        any("pseudogen" in kind for kind in kinds)
        or any(each.get("pseudo") == "true" for each in family)
        or any("pseudogene" in each.get(key, "") for each in family for key in _BIOTYPES)
    )
