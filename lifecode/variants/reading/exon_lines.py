"""The exons of the transcripts in a GFF3 or GTF file, which the readers of coding sequences leave out.

They tell what is untranslated. A CDS finds those of its transcript by its own line: both name the same
parent. Transcripts without a CDS are found by lines of their own: RNA other than mRNA, and pseudogenes.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from lifecode.data.formats.annotation.lines import AnnotationLines
from lifecode.data.formats.gff.lines import NUM_COLUMNS, Feature, feature
from lifecode.data.formats.opening import Format, file_format, opened
from lifecode.data.records import CodingSequence, Exon

_EXON, _CDS = b"exon", b"cds"
_MESSENGER = b"mrna"
_TRANSCRIPTS = (b"rna", b"transcript", b"pseudogene")
"""What the third column of a line about a transcript ends with."""


class ExonLines:
    """Exons by contig and transcript, and these by the line of a CDS; empty for a file in another format.

    Args:
        file: any.
    """

    def __init__(self, file: Path) -> None:
        self._exons: dict[tuple[bytes, str], list[tuple[int, int]]] = defaultdict(list)
        self._parents: dict[int, tuple[bytes, tuple[str, ...]]] = {}
        self._transcripts: dict[tuple[bytes, str], Feature] = {}
        if file_format(file) not in (Format.GFF3, Format.GTF):
            return
        with opened(file) as handle:
            for number, line in AnnotationLines(handle):
                columns = line.split(b"\t", 3)
                if len(columns) < 4 or not _matters(columns[2].lower()):
                    continue
                if line.startswith(b"#") or line.count(b"\t") != NUM_COLUMNS - 1:
                    continue
                one = feature(b"%d\t%b" % (number, line))
                if one.problem is None:
                    self._add(one, columns[0])

    def _add(self, one: Feature, contig: bytes) -> None:
        transcript = one.attributes.get("transcript_id")
        parents = one.parents or ((transcript,) if transcript else ())
        if one.kind == "cds":
            self._parents[one.line] = contig, parents
        elif one.kind != "exon":
            if name := one.attributes.get("id") or transcript:
                self._transcripts.setdefault((contig, name), one)
        else:
            for parent in parents:
                self._exons[contig, parent].append((one.start, one.end))

    def of(self, cds: CodingSequence) -> tuple[tuple[int, int], ...] | None:
        """(start, end) of the exons that a CDS is a part of, 5' to 3'; None where no lines tell them."""
        contig, parents = self._parents.get(cds.line or 0, (b"", ()))
        for parent in (cds.id, *parents) if cds.id in parents else parents:
            exons = sorted(set(self._exons.get((contig, parent), ())))
            if exons and _hold(exons, cds):
                return tuple(exons if cds.exons[0].strand == 1 else exons[::-1])
        return None

    def without_cds(self, contig: str) -> Iterator[CodingSequence]:
        """Transcripts of a contig that have no CDS and no transcript as a part, as CDS of their exons."""
        above = {(own, parent) for own, parents in self._parents.values() for parent in parents}
        above |= {(own, parent) for (own, _), one in self._transcripts.items() for parent in one.parents}
        name = contig.encode()
        for (own, identity), one in self._transcripts.items():
            if own == name and (own, identity) not in above:
                exons = sorted(set(self._exons.get((own, identity), [(one.start, one.end)])))
                told = one.attributes
                gene = told.get("gene") or told.get("gene_name") or told.get("gene_id")
                yield CodingSequence(
                    id=identity,
                    gene=gene or told.get("locus_tag") or next(iter(one.parents), None),
                    exons=tuple(Exon(*place, one.strand) for place in exons[:: one.strand]),
                )


def _matters(kind: bytes) -> bool:
    return kind in (_EXON, _CDS) or (kind.endswith(_TRANSCRIPTS) and kind != _MESSENGER)


def _hold(exons: Sequence[tuple[int, int]], cds: CodingSequence) -> bool:
    """Whether exons overlap nowhere, what they hold of the CDS is the CDS, and it is read in their order."""
    if any(other[0] < one[1] for one, other in pairwise(exons)):
        return False
    if len({strand for _, _, strand in cds.exons}) > 1:
        return False
    parts = [(start, end) for start, end, _ in cds.exons][:: cds.exons[0].strand]
    first, last = parts[0][0], parts[-1][1]
    inside = [(max(start, first), min(end, last)) for start, end in exons if start < last and end > first]
    return inside == parts
