"""Genes that stand at several places of a contig under one ID, told apart by these."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from lifecode.data.formats.gff.splitting import loci
from lifecode.data.records import CodingSequence

_COPY = re.compile(r"(.+)_dup\d+|([NX]M_\d+(?:\.\d+)?)_\d+")
"""What UCSC calls a transcript of RefSeq at its second place."""


def genes_apart(
    coding: Sequence[CodingSequence], places_of_gene: Callable[[str], Sequence[tuple[int, int]]]
) -> tuple[CodingSequence, ...]:
    """The CDS of a contig with a number behind the gene where it is not the first place of its gene.

    Args:
        coding: the CDS of the contig.
        places_of_gene: start and end of the places, apart from each other, at which a gene stands by lines of
            its own; one or none where these do not tell. Then transcripts that UCSC numbers do.
    """
    of_gene: defaultdict[str, list[int]] = defaultdict(list)
    for i, cds in enumerate(coding):
        if cds.gene_id and cds.exons:
            of_gene[cds.gene_id].append(i)
    changed = list(coding)
    for gene, members in of_gene.items():
        if len(members) == 1:
            continue
        if len(places := places_of_gene(gene)) > 1:
            numbers = [_place_of(coding[i], places) for i in members]
        elif any(_COPY.fullmatch(coding[i].id) for i in members):
            numbers = loci([coding[i].exons for i in members])
        else:
            continue
        for i, number in zip(members, numbers, strict=True):
            if number > 1:
                changed[i] = replace(coding[i], gene_id=f"{gene}#{number}")
    return tuple(changed)


def _place_of(cds: CodingSequence, places: Sequence[tuple[int, int]]) -> int:
    first = cds.exons[0]
    overlapping = (n for n, (start, end) in enumerate(places, 1) if start < first.end and first.start < end)
    return next(overlapping, 1)
