"""Features of one contig put together to coding sequences: which lines are one CDS, and of which gene.

A CDS line belongs to its `Parent`, else to its transcript_id, else to what else it offers. Of several parents
the transcripts count: a gene or a protein beside them means the same CDS again. Lines of one transcript are
one CDS, unless they say otherwise (another protein_id, locus_tag or `Derives_from`, ids of several lines
each) or spell several intact frames: an operon, or one id at two loci.
"""

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lifecode.data.gff_attributes import BARE
from lifecode.data.gff_exons import (
    exons_of,
    on_sequence,
    phase_contradiction,
    possible_orders,
    with_stop_codon,
)
from lifecode.data.gff_flags import exceptions, is_partial, is_pseudo
from lifecode.data.gff_frames import Frames
from lifecode.data.gff_lines import Feature, Role
from lifecode.data.records import CodingSequence
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code as code_of

_Key: TypeAlias = tuple[str, ...]

_DEEPEST_FAMILY = 8
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
_TELLS_APART = ("derives_from", "protein_id", "locus_tag", "gene_id", "gene", "proteinid")
_PLACEHOLDER = re.compile(r"un(?:known|assigned)_transcript")
_AUGUSTUS_TRANSCRIPT = re.compile(r"(.+)\.t\d+")
_PROTEINS = frozenset({"protein", "polypeptide", "so:0000104"})


class _Model(NamedTuple):
    """The parts of one CDS from 5' to 3', and the features above it, the nearest first.

    Attributes:
        name: of its parent or transcript, None where the lines have none.
        gene_copy: 2 and more for a further CDS that the same lines spell.
    """

    name: str | None
    parts: list[Feature]
    above: list[Feature]
    gene_copy: int = 1


class Contents(NamedTuple):
    """The CDS of a contig in the order in which the file first names them, and the lines that name no gene."""

    coding_sequences: tuple[CodingSequence, ...]
    nameless: list[Feature]


class GeneReader:
    """Puts together the features of one contig.

    Args:
        nucleotides: (num_nucleotides,) ids of the contig.
        circular: whether it is circular.
        genetic_code: NCBI code of CDS without a `transl_table`.
        genetic_code_given: whether that code is the file's own word.
        with_phases: column 2 of lines whose phases mean something; others write 0 on every line.
    """

    def __init__(
        self,
        nucleotides: NDArray[np.uint8],
        circular: bool,
        genetic_code: int,
        genetic_code_given: bool,
        with_phases: Container[str],
    ) -> None:
        self._nucleotides = nucleotides
        self._circular = circular
        self._code = genetic_code
        self._code_given = genetic_code_given
        self._with_phases = with_phases
        self._frames_of: dict[int, Frames] = {}
        self._genes: dict[str, list[Feature]] = defaultdict(list)
        self._transcripts: dict[str, list[Feature]] = defaultdict(list)

    def read(self, features: Sequence[Feature]) -> Contents:
        """The CDS that the features of the contig, in file order, describe."""
        for one in features:
            if one.role is Role.ABOVE and (name := _id_of(one)):
                (self._genes if one.kind.endswith("gene") else self._transcripts)[name].append(one)
        lines: dict[_Key, list[Feature]] = defaultdict(list)
        stops: dict[_Key, list[Feature]] = defaultdict(list)
        selenocysteines: dict[_Key, list[Feature]] = defaultdict(list)
        nameless = []
        shared = _shared_transcripts(features)
        for one in features:
            role = one.role
            if role is Role.ABOVE:
                continue
            keys = self._keys(one, shared)
            place = stops if role is Role.STOP else selenocysteines if role is Role.SELENOCYSTEINE else lines
            if not keys and place is lines:
                if (alone := _alone(one)) in lines or not alone:
                    nameless.append(one)
                else:
                    keys = [alone]
            one = on_sequence(one, len(self._nucleotides), self._circular)
            for key in keys:
                place[key].append(one)
        used: dict[str, int] = {}
        found = []
        for key, parts in lines.items():
            for model in self._models(key, parts, stops.get(key, [])):
                found.append(self._coding_sequence(model, selenocysteines.get(key, []), used))
        return Contents(tuple(found), nameless)

    def _keys(self, one: Feature, shared: frozenset[str]) -> list[_Key]:
        """What a line belongs to: its transcripts, or what else it offers; nothing where it offers nothing."""
        if one.parents:
            return [("transcript", parent) for parent in self._own_parents(one.parents)]
        told = one.attributes
        transcript = told.get("transcript_id") or told.get("transcriptid")
        if transcript and transcript != ".":
            if transcript in shared or _PLACEHOLDER.match(transcript):
                gene = told.get("gene_id") or told.get("locus_tag") or told.get("protein_id") or ""
                return [("transcript", transcript, gene)]
            return [("transcript", transcript)]
        for key in _GROUPS:
            if (value := told.get(key)) and value != ".":
                return [("transcript", value) if key == BARE else (key, value)]
        return []

    def _own_parents(self, parents: Sequence[str]) -> Sequence[str]:
        """Of several parents those whose CDS it is: not a gene or protein beside a transcript."""
        if len(parents) == 1:
            return parents
        others = [
            parent
            for parent in parents
            if not any(one.kind in _PROTEINS for one in self._transcripts.get(parent, ()))
            and not (parent.endswith("-Protein") and parent.removesuffix("-Protein") in parents)
        ]
        transcripts = [one for one in others if one not in self._genes or one in self._transcripts]
        return transcripts or others or parents[:1]

    def _models(self, key: _Key, lines: list[Feature], stops: list[Feature]) -> Iterator[_Model]:
        """The CDS that the lines of one transcript are."""
        name = key[1] if key[0] == "transcript" and len(key) == 2 else None
        if len(lines) == 1:
            above = self._above(key, lines)
            yield _Model(name, self._ordered(with_stop_codon(lines, stops), above), above)
            return
        found = []
        for bucket in _told_apart(with_stop_codon(lines, stops)):
            above = self._above(key, bucket)
            found += [(parts, above) for parts in self._split(bucket, above)]
        copies = _loci([parts for parts, _ in found])
        for (parts, above), copy in zip(found, copies, strict=True):
            yield _Model(name, parts, above, copy)

    def _split(self, lines: list[Feature], above: list[Feature]) -> Iterator[list[Feature]]:
        """The lines as one CDS or as several, each from 5' to 3'."""
        together = self._ordered(lines, above)
        by_id: dict[str, list[Feature]] = defaultdict(list)
        for one in lines:
            by_id[one.attributes.get("id", "")].append(one)
        strands = {part.strand for part in lines}
        frames = self._frames(lines)
        one_strand_and_id = len(by_id) == len(strands) == 1
        if (
            len(lines) == 1
            or any(exceptions([*lines, *above]))
            or (one_strand_and_id and not frames.may_end_inside(together))
            or frames.is_intact(together)
        ):
            yield together
            return
        if any(one.problem for one in lines):
            yield from by_id.values()
            return
        if len(by_id) > 1 and any(len(group) > 1 for group in by_id.values()):
            for group in by_id.values():
                yield from self._split(group, above)
            return
        runs = [frames.runs(self._ordered([o for o in lines if o.strand == s], above)) for s in sorted(strands)]
        whole = [run for several in runs for run in several or ()]
        if all(runs) and len(whole) > 1:
            yield from sorted(whole, key=_first_line)
        elif len(by_id) == 1 or (
            len(strands) == 1 and _are_disjoint(lines) and not all(map(frames.ends_in_stop, lines))
        ):
            yield together
        else:
            yield from by_id.values()

    def _ordered(self, lines: list[Feature], above: list[Feature]) -> list[Feature]:
        """The parts from 5' to 3', in the order that is an intact frame where several are possible."""
        if len(lines) == 1:
            return lines
        _, trans = exceptions([*lines, *above])
        orders = possible_orders(lines, len(self._nucleotides), self._circular, trans)
        first = next(orders)
        if not (trans or self._circular or len({part.strand for part in lines}) > 1):
            return first
        frames = self._frames(lines)
        if frames.is_intact(first):
            return first
        return next((order for order in orders if frames.is_intact(order)), first)

    def _frames(self, lines: Sequence[Feature]) -> Frames:
        """Reading frames by the genetic code of a CDS, or by the default where there is no such code."""
        number = _table(lines) or self._code
        if number not in self._frames_of:
            try:
                code = code_of(number)
            except UserError:
                code = code_of(self._code)
            self._frames_of[number] = Frames(self._nucleotides, self._circular, code)
        return self._frames_of[number]

    def _above(self, key: _Key, lines: list[Feature]) -> list[Feature]:
        """The parents of lines, the parents of these and so on; a circle of parents ends too."""
        told = lines[0].attributes
        names = [key[1]] if key[0] == "transcript" else []
        names += [*lines[0].parents, told.get("derives_from", ""), told.get("gene_id", "")]
        if not (lines[0].parents or told.get("gene_id")) and (found := _AUGUSTUS_TRANSCRIPT.fullmatch(key[1])):
            names.append(found[1])
        above: list[Feature] = []
        seen: set[str] = set()
        while names and len(seen) < _DEEPEST_FAMILY:
            name = names.pop(0)
            if not name or name in seen:
                continue
            seen.add(name)
            for level in (self._transcripts, self._genes):
                here = level.get(name, [])
                here = [one for one in here if one.start < lines[0].end and lines[0].start < one.end] or here
                above += here
                for one in here[:1]:
                    names += [*one.parents, one.attributes.get("derives_from", "")]
                    names.append(one.attributes.get("gene_id", ""))
        return above

    def _coding_sequence(
        self, model: _Model, selenocysteines: list[Feature], used: dict[str, int]
    ) -> CodingSequence:
        """A CDS; `used` counts the ids of this contig, so that a repeated one gets a number."""
        parts = model.parts
        told = min(parts, key=_line).attributes
        family = [*parts, *model.above]
        slips, trans = exceptions(family)
        problem = next((part.problem for part in parts if part.problem), None)
        phase, contradiction = self._phase(parts, told, slips)
        if problem is None:
            parts = self._frames(parts).with_following_stop(parts)
        exons = exons_of(parts, len(self._nucleotides), self._circular) if problem is None else ()
        name = _name(model, told)
        used[name] = used.get(name, 0) + 1
        table = _table(parts)
        recoded = [f"(pos:{one.start + 1}..{one.end},aa:Sec)" for one in selenocysteines if not one.problem]
        gene_id = self._gene_id(model, told)
        return CodingSequence(
            id=name if used[name] == 1 else f"{name}#{used[name]}",
            gene=_gene_name(told, model.above),
            exons=exons,
            codon_start=phase + 1,
            genetic_code=self._code if table is None else table,
            genetic_code_given=table is not None or self._code_given,
            pseudo=is_pseudo(family),
            partial=is_partial(family),
            ribosomal_slippage=slips,
            trans_splicing=trans,
            transl_except=tuple([told["transl_except"]] if told.get("transl_except") else recoded),
            location_problem=problem,
            phase_problem=contradiction,
            protein_source="translated",
            gene_id=gene_id if gene_id is None or model.gene_copy == 1 else f"{gene_id}#{model.gene_copy}",
            line=_first_line(parts),
        )

    def _phase(self, parts: list[Feature], told: dict[str, str], slips: bool) -> tuple[int, str | None]:
        """Nucleotides before the first codon, and how the phases contradict the lengths of the parts."""
        codon_start = told.get("codon_start", "")
        if codon_start.isascii() and codon_start.isdigit() and len(codon_start) < 5:
            return int(codon_start) - 1, None
        if not (slips or parts[0].source in self._with_phases):
            return 0, None
        return parts[0].phase or 0, phase_contradiction(parts)

    def _gene_id(self, model: _Model, told: dict[str, str]) -> str | None:
        if told.get("gene_id"):
            return told["gene_id"]
        if (origin := told.get("derives_from", "")) in self._genes:
            return origin
        genes = [one for one in model.above if one.kind.endswith("gene")]
        nearest = [*genes, *model.above[-1:]]
        return _id_of(nearest[0]) if nearest else told.get("locus_tag")


def _alone(one: Feature) -> _Key:
    """The key of a GFF3 line that names nothing, so that it is a CDS of its own; none where it may be a part.

    Lines that say the same, or that are numbered, may be parts of one CDS under a name that is not known here.
    """
    told = one.attributes
    if not one.is_gff3 or any(key in told for key in ("exon_number", "exonnumber", "number", "part")):
        return ()
    return ("alone", *(f"{key}={value}" for key, value in told.items()))


def _id_of(one: Feature) -> str:
    """What lines below call a gene or transcript."""
    told = one.attributes
    if name := told.get("id"):
        return name
    key = "gene_id" if one.kind.endswith("gene") else "transcript_id"
    return told.get(key) or told.get(BARE) or ""


def _shared_transcripts(features: Iterable[Feature]) -> frozenset[str]:
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


def _told_apart(lines: list[Feature]) -> list[list[Feature]]:
    """The lines by what each of them says of its protein or gene; lines with an id in common stay together."""
    name = lines[0].attributes.get("id")
    if name and all(one.attributes.get("id") == name for one in lines):
        return [lines]
    for key in _TELLS_APART:
        if not lines[0].attributes.get(key):
            continue
        values = [one.attributes.get(key) for one in lines]
        if all(values) and len(set(values)) > 1:
            buckets: dict[str, list[Feature]] = defaultdict(list)
            for one, value in zip(lines, values, strict=True):
                buckets[value or ""].append(one)
            return list(buckets.values())
    return [lines]


def _loci(found: Sequence[list[Feature]]) -> list[int]:
    """For each CDS the 1-based number of the stretch that it and those overlapping it lie on."""
    spans = sorted((min(map(_start, parts)), max(map(_end, parts)), i) for i, parts in enumerate(found))
    stretch_of: dict[int, int] = {}
    stretch, reach = 0, -1
    for start, end, i in spans:
        stretch += start >= reach
        reach = max(reach, end)
        stretch_of[i] = stretch
    numbers: dict[int, int] = {}
    return [numbers.setdefault(stretch_of[i], len(numbers) + 1) for i in range(len(found))]


def _table(lines: Sequence[Feature]) -> int | None:
    """The genetic code that the lines name; 0 for one that is no number."""
    table = next((one.attributes["transl_table"] for one in lines if one.attributes.get("transl_table")), None)
    if table is None:
        return None
    return int(table) if table.isascii() and table.isdigit() and len(table) < 5 else 0


def _name(model: _Model, told: dict[str, str]) -> str:
    """The protein, else the transcript, else the CDS itself, else where it lies."""
    transcript = None if model.above and model.above[0].kind.endswith("gene") else model.name
    place = f"cds:{min(part.start for part in model.parts) + 1}..{max(part.end for part in model.parts)}"
    named = told.get("protein_id") or transcript or told.get("id") or told.get("locus_tag") or told.get("name")
    return named or told.get("gene_id") or told.get(BARE) or place


def _gene_name(told: dict[str, str], above: Sequence[Feature]) -> str | None:
    family = [told, *(one.attributes for one in above)]
    named = next((each[key] for each in family for key in ("gene", "gene_name") if each.get(key)), None)
    return named or next((one.attributes.get("name") for one in above if one.kind.endswith("gene")), None)


def _are_disjoint(parts: Sequence[Feature]) -> bool:
    return all(a.end <= b.start for a, b in pairwise(sorted(parts, key=_start)))


def _start(part: Feature) -> int:
    return part.start


def _end(part: Feature) -> int:
    return part.end


def _first_line(parts: Sequence[Feature]) -> int:
    return min(part.line for part in parts)


def _line(part: Feature) -> int:
    return part.line
