"""The contigs of a genome with the transcripts on them, found by position.

Memory holds the genome: a byte a nucleotide, and as much again of contigs that variants lie on.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path

from lifecode.alphabet import decode_nucleotides
from lifecode.data.formats.opening import ANNOTATION, file_format
from lifecode.data.reading.inputs import InputUnit, resolve_inputs
from lifecode.data.reading.read import ReadingSettings, read_unit
from lifecode.data.records import CodingSequence, Contig, span
from lifecode.errors import UserError
from lifecode.variants.reading.exon_lines import ExonLines
from lifecode.variants.transcripts import Transcript

_RNA = ("tRNA", "rRNA", "tmRNA", "ncRNA", "misc_RNA", "precursor_RNA")
"""Keys of the feature table for transcripts that are no CDS."""
_BIN = 12
"""Transcripts are looked up by stretches of 2 ** 12 nucleotides."""


class Reference:
    """A contig with its transcripts.

    Args:
        contig: as read.
        coding_sequences: those of it whose places can be read.
        exons: of the transcripts of some of them, 5' to 3', by id.
        without_codons: transcripts that are no CDS: RNA and pseudogenes, with their exons in place of one.

    Attributes:
        nucleotides: ids (length,).
    """

    def __init__(
        self,
        contig: Contig,
        coding_sequences: Sequence[CodingSequence],
        exons: Mapping[str, Sequence[tuple[int, int]]],
        without_codons: Sequence[CodingSequence] = (),
    ) -> None:
        self._without_codons = without_codons
        self.name, self.circular = contig.name, contig.circular
        self.nucleotides, self._coding_sequences, self._exons = contig.nucleotides, coding_sequences, exons

    @cached_property
    def sequence(self) -> str:
        """Letters A, C, G, T and N."""
        return decode_nucleotides(self.nucleotides)

    @cached_property
    def transcripts(self) -> list[Transcript]:
        """In the order of the annotation, those without codons behind the others."""
        return [
            Transcript(cds, self.sequence, self._exons.get(cds.id), circular=self.circular)
            for cds in self._coding_sequences
        ] + [
            Transcript(one, self.sequence, circular=self.circular, coding=False)
            for one in self._without_codons
        ]

    @cached_property
    def _bins(self) -> dict[int, list[int]]:
        bins: dict[int, list[int]] = defaultdict(list)
        for number, transcript in enumerate(self.transcripts):
            for start, end in transcript.stretches:
                for place in range(start >> _BIN, (end - 1 >> _BIN) + 1):
                    if bins[place][-1:] != [number]:
                        bins[place].append(number)
        return bins

    def touched(self, start: int, end: int) -> Iterator[Transcript]:
        """Transcripts that a stretch overlaps, or an insertion (`start == end`) falls into; in order.

        An insertion between the last nucleotide and the first one of a circle stands at 0.
        """
        first, last = (start - 1, start) if start == end else (start, end - 1)
        bins = self._bins
        one, other = first >> _BIN, last >> _BIN
        if one == other:
            found = bins.get(one, ())
        else:
            found = sorted(set(chain.from_iterable(bins.get(i, ()) for i in range(one, other + 1))))
        for number in found:
            transcript = self.transcripts[number]
            if start == end == 0 and transcript.turned:
                yield transcript
                continue
            for left, right in transcript.stretches:
                if (left < start < right) if start == end else (start < right and end > left):
                    yield transcript
                    break


@dataclass(frozen=True, slots=True)
class Genome:
    """What variants are read against.

    Attributes:
        references: by the name of the contig.
        left_out: how many CDS are no transcripts here, by reason.
        source: file of the sequences.
    """

    references: Mapping[str, Reference]
    left_out: Counter[str] = field(default_factory=Counter)
    source: str = ""


def read_genome(
    genome: str | Path,
    annotation: str | Path | None = None,
    genetic_code: int | Mapping[str, int] | None = None,
) -> Genome:
    """Reads a genome with its coding sequences.

    Args:
        genome: FASTA, GenBank or EMBL; a GFF3 file with sequences; or a packaged genome such as `ecoli`.
        annotation: GFF3 or GTF of a FASTA genome.
        genetic_code: NCBI code of every contig, or by contig; None as for `lifecode prepare`.

    Raises:
        UserError: a file that is not there or cannot be read, a contig that comes twice or is named by
            `genetic_code` and not there, or no coding sequence at all.
    """
    if annotation is None:
        units = resolve_inputs(genome)
    else:
        files = [unit.files[0] for name in (genome, annotation) for unit in _one_file(name)]
        files.sort(key=lambda file: file_format(file) in ANNOTATION)  # who swaps them means the same
        units = [InputUnit((files[0], files[1]))]
    code = dict(genetic_code) if isinstance(genetic_code, Mapping) else genetic_code
    settings = ReadingSettings(genetic_code=code)
    references: dict[str, Reference] = {}
    left_out: Counter[str] = Counter()
    asked, found_keys = settings.asked_codes(), set[str]()
    num_usable = 0
    for unit in units:
        exon_lines = ExonLines(unit.files[-1])
        for contig in read_unit(unit, settings, features=_RNA):
            if contig.name in references:
                raise UserError(
                    "the contig comes twice",
                    source=unit.files[0],
                    record=contig.name,
                    remedy="Give each sequence once, under its own name",
                )
            if (key := asked.key_of(contig)) is not None:
                found_keys.add(key)
            usable = []
            for cds in contig.coding_sequences:
                if (reason := why_left_out(cds, contig)) is not None:
                    left_out[reason] += 1
                else:
                    usable.append(cds)
            exons = {cds.id: found for cds in usable if (found := exon_lines.of(cds))}
            others = [
                one for one in _without_codons(contig, exon_lines) if one.exons and _lies_on(one, contig)
            ]
            references[contig.name] = Reference(contig, usable, exons, others)
            num_usable += len(usable)
    asked.require_found(found_keys, [*references])
    if not num_usable:
        reasons = ", ".join(f"{count:,} left out: {reason}" for reason, count in left_out.items())
        raise UserError(
            f"no coding sequence to judge variants by ({reasons or 'the files annotate none'})",
            source=units[0].files[0],
            remedy="Give annotation=, a GFF3 or GTF file, or a GenBank file with CDS",
        )
    return Genome(references, left_out, str(units[0].files[0]))


def _one_file(name: str | Path) -> list[InputUnit]:
    path = Path(name).expanduser()
    if not path.is_file():
        raise UserError("no such file", source=name, remedy="Give a FASTA genome and its GFF3 or GTF file")
    return [InputUnit((path,))]


def _without_codons(contig: Contig, exon_lines: ExonLines) -> Iterator[CodingSequence]:
    """Transcripts of a contig that are no CDS, or that of a pseudogene, as CDS of their exons."""
    yield from (cds for cds in contig.coding_sequences if cds.pseudo)
    for one in contig.features:
        name = one.locus_tag or one.gene or f"{one.kind}:{span(one.exons)}"
        yield CodingSequence(name, one.gene or None, one.exons, gene_id=one.locus_tag or None)
    yield from exon_lines.without_cds(contig.annotated_as or contig.name)


def _lies_on(cds: CodingSequence, contig: Contig) -> bool:
    return all(0 <= start < end <= len(contig.nucleotides) for start, end, _ in cds.exons)


def why_left_out(cds: CodingSequence, contig: Contig) -> str | None:
    """Why nothing can be said about the codons of a CDS, or None."""
    choice = contig.code_choice
    if choice is not None and choice.because == "organelle" and not cds.genetic_code_given:
        return f"nothing says by which genetic code {contig.name} is read: genetic_code={{{contig.name}: 2}}"
    if cds.pseudo:
        return "pseudogene"
    if cds.location_problem is not None or not cds.exons:
        return "location that cannot be read"
    if not _lies_on(cds, contig):
        return "location beyond the contig"
    if sum(end - start for start, end, _ in cds.exons) - cds.codon_start < 2:
        return "no complete codon"
    return None
