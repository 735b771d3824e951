"""Features of one contig put together to coding sequences: which lines are one CDS, and of which gene.

A CDS line belongs to its `Parent`, else to its transcript_id, else to what else it offers (`gff_keys`). Of
several parents the transcripts count: a gene or a protein beside them means the same CDS again
(`gff_families`). Lines of one transcript are one CDS, unless they say or spell several (`gff_splitting`).
"""

from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.data.cds.recoding import protein_exception, stop_told_to_be_completed
from lifecode.data.formats.gff.attributes import BARE
from lifecode.data.formats.gff.coding_exons import choose_parts
from lifecode.data.formats.gff.exons import exons_of, on_sequence, phase_contradiction, with_stop_codon
from lifecode.data.formats.gff.families import Families, id_of, is_gene
from lifecode.data.formats.gff.flags import exceptions, is_partial, is_pseudo
from lifecode.data.formats.gff.gene_copies import genes_apart
from lifecode.data.formats.gff.keys import Key, is_nameless, key_alone, keys_of, shared_transcripts
from lifecode.data.formats.gff.lines import Feature, Role, recoded_residue
from lifecode.data.formats.gff.splitting import Splitter, first_line, loci, table_of, told_apart
from lifecode.data.records import CodingSequence

_LABELS = ("protein_id", "locus_tag", "gene_id", "gene", "name")
"""What the lines of one CDS have in common where each has an id of its own, the most exact first."""
_MOST_PARTS = 1000


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
    """The CDS of a contig in the order in which the file first names them, and the lines that name none."""

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
        with_models: column 2 of those whose coding parts have other names than CDS.
    """

    def __init__(
        self,
        nucleotides: NDArray[np.uint8],
        circular: bool,
        genetic_code: int,
        genetic_code_given: bool,
        with_phases: Container[str],
        with_models: Container[str] = (),
    ) -> None:
        self._nucleotides = nucleotides
        self._circular = circular
        self._code = genetic_code
        self._code_given = genetic_code_given
        self._with_phases = with_phases
        self._with_models = with_models
        self._splitter = Splitter(nucleotides, circular, genetic_code)
        self._families = Families(())

    def read(self, features: Sequence[Feature]) -> Contents:
        """The CDS that the features of the contig, in file order, describe."""
        self._families = Families(features)
        lines: dict[Key, list[Feature]] = defaultdict(list)
        stops: dict[Key, list[Feature]] = defaultdict(list)
        recoded_lines: dict[Key, list[Feature]] = defaultdict(list)
        length = len(self._nucleotides)
        shared = shared_transcripts(features)
        for one in features:
            role = one.role
            if role is Role.ABOVE:
                continue
            keys = keys_of(one, self._families, shared)
            place = stops if role is Role.STOP else recoded_lines if role is Role.RECODED else lines
            if not keys and place is lines:
                keys = [key_alone(one)]
            if one.end <= one.start or one.start >= length or one.problem:
                one = on_sequence(one, length, self._circular)
            for key in keys:
                place[key].append(one)
        choose_parts(lines, self._with_models)
        nameless = [
            one
            for key in [key for key in lines if is_nameless(key)]
            if not key[1:] or len(lines[key]) > 1
            for one in lines.pop(key)
        ]
        self._join_parts(lines)
        used: dict[str, int] = {}
        found: dict[tuple[Any, ...], CodingSequence] = {}
        of_gene: set[tuple[Any, ...]] = set()
        for key, parts in lines.items():
            for model in self._models(key, parts, stops.get(key, [])):
                cds = self._coding_sequence(model, recoded_lines.get(key, []), used)
                same = _same(cds, model)
                found.setdefault(same, cds)
                if model.name and model.above and is_gene(model.above[0]):
                    of_gene.add(same)
        coding = genes_apart(_once_a_gene(found, of_gene), self._families.places_of_gene)
        return Contents(coding, sorted(nameless, key=_line))

    def _join_parts(self, lines: dict[Key, list[Feature]]) -> None:
        """Join the lines of one gene that have an id each and no parent, if together they are its CDS."""
        pools: dict[str, list[Key]] = defaultdict(list)
        for key, parts in lines.items():
            if key[0] == "id" and len(parts) == 1:
                told = parts[0].attributes
                label = next((told[name] for name in _LABELS if told.get(name)), None)
                if label is not None:
                    pools[label].append(key)
        for keys in pools.values():
            if 1 < len(keys) <= _MOST_PARTS and self._are_parts([lines[key][0] for key in keys]):
                for key in keys[1:]:
                    lines[keys[0]] += lines.pop(key)

    def _are_parts(self, parts: list[Feature]) -> bool:
        """Whether lines are an intact frame together and not each alone, or slip or are spliced in trans."""
        if any(part.problem for part in parts):
            return False
        if any(exceptions(parts)):
            return all(any(exceptions([part])) for part in parts)
        frames = self._splitter.frames(parts)
        return frames.is_intact(self._splitter.ordered(parts, [])) and not all(
            frames.is_intact([part]) for part in parts
        )

    def _models(self, key: Key, lines: list[Feature], stops: list[Feature]) -> Iterator[_Model]:
        """The CDS that the lines of one transcript are."""
        name = key[1] if key[0] == "transcript" and len(key) == 2 else None
        lines = with_stop_codon(_each_once(lines), stops, len(self._nucleotides), self._circular)
        if len(lines) == 1:
            above = self._families.above(key, lines)
            yield _Model(name, lines, above)
            return
        found = []
        for bucket in (here for part in told_apart(lines) for here in self._by_locus(key, part)):
            above = self._families.above(key, bucket)
            found += [
                (parts, self._families.above(key, parts)) for parts in self._splitter.split(bucket, above)
            ]
        copies = loci([parts for parts, _ in found]) if len(found) > 1 else [1]
        for (parts, above), copy in zip(found, copies, strict=True):
            yield _Model(name, parts, above, copy)

    def _by_locus(self, key: Key, lines: list[Feature]) -> list[list[Feature]]:
        """The lines by the places of their transcript or gene, whose pieces those may be as well.

        A gene across an origin or one that is spliced in trans has a line for each of its pieces.
        """
        places = self._families.by_locus(key, lines)
        if len(places) > 1:
            above = self._families.above(key, lines)
            _, trans = exceptions([*lines, *above])
            if trans or self._splitter.frames(lines).is_intact(self._splitter.ordered(lines, above)):
                return [lines]
        return places

    def _coding_sequence(
        self, model: _Model, recoded_lines: list[Feature], used: dict[str, int]
    ) -> CodingSequence:
        """A CDS; `used` counts the ids of this contig, so that a repeated one gets a number."""
        parts = model.parts
        told = min(parts, key=_line).attributes
        family = [*parts, *model.above]
        slips, trans = exceptions(family)
        problem = next((part.problem for part in parts if part.problem), None)
        phase, contradiction = self._phase(parts, slips)
        exons = ()
        if problem is None:
            parts = self._splitter.frames(family).with_following_stop(parts)
            exons = exons_of(parts, len(self._nucleotides), self._circular)
        name = _name(model, told)
        used[name] = used.get(name, 0) + 1
        table = table_of(family)
        told_so = (one.attributes.get("transl_except", "") for one in family)
        exceptional = tuple(dict.fromkeys(filter(None, told_so)))
        recoded = [
            f"(pos:{one.start + 1}..{one.end},aa:{recoded_residue(one.kind)})"
            for one in recoded_lines
            if not one.problem
        ]
        if exons and not exceptional and (sum([end - start for start, end, _ in exons]) - phase) % 3:
            notes = (one.attributes.get("note", "") for one in family)
            completed = stop_told_to_be_completed(notes, exons)
            exceptional = (completed,) if completed else ()
        told_of = (one.attributes.get("exception", "") for one in family if one.marked)
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
            transl_except=exceptional or tuple(recoded),
            location_problem=problem,
            phase_problem=contradiction,
            protein_source="translated",
            gene_id=gene_id if gene_id is None or model.gene_copy == 1 else f"{gene_id}#{model.gene_copy}",
            line=first_line(parts),
            exception=next(filter(None, map(protein_exception, told_of)), None),
        )

    def _phase(self, parts: list[Feature], slips: bool) -> tuple[int, str | None]:
        """Nucleotides before the first codon, and how the phases contradict the lengths of the parts."""
        starts = (part.attributes.get("codon_start") for part in parts)
        codon_start = next((start for start in starts if start), "")
        if codon_start.isascii() and codon_start.isdigit() and len(codon_start) < 5:
            return int(codon_start) - 1, None
        if not (slips or parts[0].source in self._with_phases):
            return 0, None
        return parts[0].phase or 0, phase_contradiction(parts)

    def _gene_id(self, model: _Model, told: dict[str, str]) -> str | None:
        if told.get("gene_id"):
            return told["gene_id"]
        if self._families.has_gene(origin := told.get("derives_from", "")):
            return origin
        genes = [one for one in model.above if is_gene(one)]
        nearest = [*genes, *model.above[-1:]]
        return id_of(nearest[0]) if nearest else told.get("locus_tag")


def _each_once(lines: list[Feature]) -> list[Feature]:
    """The lines without those that a file has twice."""
    if len(lines) == 1:
        return lines
    seen = {(one.start, one.end, one.strand, one.attributes.get("id")): one for one in reversed(lines)}
    return lines if len(seen) == len(lines) else list(reversed(seen.values()))


def _same(cds: CodingSequence, model: _Model) -> tuple[Any, ...]:
    """What is equal for transcripts of a gene that share one CDS: its lines, which have an ID."""
    genes = tuple(id_of(one) for one in model.above if is_gene(one))
    transcript = None if all(part.attributes.get("id") for part in model.parts) else model.name
    lines = frozenset(map(_line, model.parts))
    return lines, transcript, genes, cds.exons, cds.codon_start, cds.partial, cds.pseudo


def _once_a_gene(
    found: dict[tuple[Any, ...], CodingSequence], of_gene: set[tuple[Any, ...]]
) -> tuple[CodingSequence, ...]:
    """The CDS without those whose parent is a gene that has the same one again by a transcript."""
    if not of_gene or len(of_gene) == len(found):
        return tuple(found.values())
    by_transcript = {(cds.gene_id, cds.exons) for same, cds in found.items() if same not in of_gene}
    return tuple(
        cds
        for same, cds in found.items()
        if same not in of_gene or (cds.gene_id, cds.exons) not in by_transcript
    )


def _name(model: _Model, told: dict[str, str]) -> str:
    """The protein, else the transcript, else the CDS itself, else where it lies."""
    transcript = None if model.above and is_gene(model.above[0]) else model.name
    named = (
        told.get("protein_id") or transcript or told.get("id") or told.get("locus_tag") or told.get("name")
    )
    if named := named or told.get("gene_id") or told.get(BARE):
        return named
    return f"cds:{min(part.start for part in model.parts) + 1}..{max(part.end for part in model.parts)}"


def _gene_name(told: dict[str, str], above: Sequence[Feature]) -> str | None:
    family = [told, *(one.attributes for one in above)]
    named = next((each[key] for each in family for key in ("gene", "gene_name") if each.get(key)), None)
    return named or next((one.attributes.get("name") for one in above if is_gene(one)), None)


def _line(part: Feature) -> int:
    return part.line
