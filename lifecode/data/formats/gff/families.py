"""The genes and transcripts above the CDS of a contig, by whatever name the lines below call them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from lifecode.data.formats.gff.attributes import BARE
from lifecode.data.formats.gff.lines import Feature, Role

_DEEPEST_FAMILY = 8
_MOST_NAMES = 32
_MOST_LINES_OF_A_NAME = 100
_AUGUSTUS_TRANSCRIPT = re.compile(r"(.+)\.t\d+")
_PROTEINS = frozenset({"protein", "polypeptide", "so:0000104"})


class Families:
    """What stands above the CDS of one contig.

    Args:
        features: of the contig, in any order.
    """

    def __init__(self, features: Iterable[Feature]) -> None:
        self._genes: dict[str, list[Feature]] = defaultdict(list)
        self._transcripts: dict[str, list[Feature]] = defaultdict(list)
        self._genes_by_tag: dict[str, list[Feature]] = defaultdict(list)
        for one in features:
            if one.role is not Role.ABOVE:
                continue
            if name := id_of(one):
                (self._genes if is_gene(one) else self._transcripts)[name].append(one)
            if is_gene(one) and (tag := one.attributes.get("locus_tag")):
                self._genes_by_tag[tag].append(one)

    def has_gene(self, name: str) -> bool:
        """Whether there is a gene of this name."""
        return name in self._genes

    def places_of_gene(self, name: str) -> list[tuple[int, int]]:
        """Where the lines of a gene lie, in order; one place, or none, where they overlap or there is one."""
        lines = self._genes.get(name, ())
        if len(lines) < 2:
            return []
        places = sorted({(one.start, one.end) for one in lines[:_MOST_LINES_OF_A_NAME]})
        return [] if any(a[1] > b[0] for a, b in pairwise(places)) else places

    def has_transcript(self, name: str) -> bool:
        """Whether there is a transcript of this name."""
        return name in self._transcripts

    def own_parents(self, parents: Sequence[str]) -> Sequence[str]:
        """Of several parents those whose CDS it is: not a gene or protein beside a transcript."""
        if len(parents) == 1:
            return parents
        among = frozenset(parents)
        others = [
            parent
            for parent in parents
            if not any(one.kind in _PROTEINS for one in self._transcripts.get(parent, ()))
            and not (parent.endswith("-Protein") and parent.removesuffix("-Protein") in among)
        ]
        transcripts = [one for one in others if one not in self._genes or one in self._transcripts]
        return transcripts or others or parents[:1]

    def by_locus(self, key: tuple[str, ...], lines: list[Feature]) -> list[list[Feature]]:
        """The lines of a transcript by the places at which it stands, where its own lines say several."""
        named = self._transcripts.get(key[1]) or self._genes.get(key[1]) or [] if len(key) > 1 else []
        places = sorted({(one.start, one.end) for one in named[:_MOST_LINES_OF_A_NAME]})
        if len(places) < 2 or any(a[1] > b[0] for a, b in pairwise(places)):
            return [lines]
        at = [[one for one in lines if start <= one.start and one.end <= end] for start, end in places]
        return [here for here in at if here] if sum(map(len, at)) == len(lines) else [lines]

    def above(self, key: tuple[str, ...], lines: Sequence[Feature]) -> list[Feature]:
        """The parents of lines, the parents of these and so on; a circle of parents ends too.

        Args:
            key: what the lines belong to, see `gff_keys`.
            lines: of one CDS.
        """
        if not (self._transcripts or self._genes or self._genes_by_tag):
            return []
        told = lines[0].attributes
        names = [key[1]] if key[0] == "transcript" else []
        parents = lines[0].parents
        if names and (names[0] in self._transcripts or names[0] in self._genes):  # the others have their own
            parents = tuple(name for name in parents if name in self._genes and name not in self._transcripts)
        names += [*parents[:_DEEPEST_FAMILY], told.get("derives_from", ""), told.get("gene_id", "")]
        if not (lines[0].parents or told.get("gene_id")):
            names += [name[1] for name in [_AUGUSTUS_TRANSCRIPT.fullmatch(key[1])] if name]
        first, last = min(one.start for one in lines), max(one.end for one in lines)
        found: list[Feature] = []
        seen: set[str] = set()
        while names and len(seen) < _MOST_NAMES:
            name = names.pop(0)
            if not name or name in seen:
                continue
            seen.add(name)
            for level in (self._transcripts, self._genes):
                here = level.get(name, [])[:_MOST_LINES_OF_A_NAME]
                here = [one for one in here if one.start < last and first < one.end] or here
                found += here
                for one in here[:1]:
                    names += [*one.parents[:_DEEPEST_FAMILY], one.attributes.get("derives_from", "")]
                    names.append(one.attributes.get("gene_id", ""))
        if not found and (tag := told.get("locus_tag")):
            genes = self._genes_by_tag.get(tag, [])[:_MOST_LINES_OF_A_NAME]
            found = [one for one in genes if one.start < last and first < one.end]
        return found


def is_gene(one: Feature) -> bool:
    """Whether a line is a gene or pseudogene, rather than a transcript or protein."""
    return one.kind.endswith("gene")


def id_of(one: Feature) -> str:
    """What lines below call a gene or transcript."""
    told = one.attributes
    if name := told.get("id") or told.get("tcs_id"):  # the second is MetaEuk's
        return name
    key = "gene_id" if is_gene(one) else "transcript_id"
    return told.get(key) or told.get(BARE) or ""
