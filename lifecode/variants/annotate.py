"""Alleles of a file on a genome: checked, brought into normal form, and seen from each transcript."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from lifecode.data.formats.annotation.name_forms import matched_names
from lifecode.errors import UserError
from lifecode.names import display_name
from lifecode.variants.alleles import (
    Allele,
    Change,
    as_in_vcf,
    is_ambiguous,
    normal_form,
    nucleotides,
    plain,
    symbol_kind,
)
from lifecode.variants.consequence.effect import Effect
from lifecode.variants.consequence.effects import effect_on
from lifecode.variants.consequence.structural_effects import UNTOUCHED, stretch_of, structural_effect
from lifecode.variants.reading.genome import Genome, Reference
from lifecode.variants.transcripts import Transcript

OnMismatch = Literal["stop", "skip"]
_INTERGENIC = Effect(("intergenic_variant",), "", status="intergenic")
_UNCHANGED = Effect(("sequence_variant",), "", status="alt_is_ref")


class Annotated(NamedTuple):
    """An ALT seen from one transcript, or from none.

    Attributes:
        allele: as in the file.
        contig: name in the genome.
        position, ref, alt: 1-based normal form, as a VCF writes it; of a symbolic allele as in the file.
        transcript: None where it touches none.
        effect: what it does there.
    """

    allele: Allele
    contig: str
    position: int
    ref: str
    alt: str
    transcript: Transcript | None
    effect: Effect


@dataclass(slots=True)
class Annotation:
    """What `annotate` gives.

    Attributes:
        rows: one an ALT and transcript, in the order of the alleles.
        skipped: how many alleles were left out, by reason.
        notes: what was decided about names of contigs, and how many alleles have ambiguous letters.
    """

    rows: list[Annotated] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def annotate(
    alleles: Sequence[Allele],
    genome: Genome,
    *,
    source: str,
    on_mismatch: OnMismatch = "stop",
    on_progress: Callable[[int, int], None] | None = None,
) -> Annotation:
    """The effect of each allele on each transcript that it touches.

    Args:
        alleles: of one file.
        genome: that they are about.
        source: name of the file, for errors.
        on_mismatch: `stop` at the first allele that does not fit the genome, or `skip` and count it.
        on_progress: called now and then with how many alleles of how many are done.

    Raises:
        UserError: a contig that the genome does not have, a place beyond its end, a REF that is not what the
            genome has there (with `stop`), or letters that are no nucleotides.
    """
    done = Annotation()
    names, _ = matched_names((allele.contig for allele in alleles), genome.references)
    done.notes = [
        f"contig {name} of the variants is {one} of the genome" for name, one in names.items() if name != one
    ]
    letters: Counter[str] = Counter()
    for number, allele in enumerate(alleles):
        if on_progress is not None and number % 1000 == 0:
            on_progress(number, len(alleles))
        name = names.get(allele.contig)
        fault = (
            "the genome has no such contig" if name is None else _mismatch(allele, genome.references[name])
        )
        if fault is not None:
            if on_mismatch == "stop":
                raise _stopped(allele, fault, genome, source)
            done.skipped[_REASONS.get(fault.partition(" ")[0], "contig unknown")] += 1
            continue
        assert name is not None
        done.rows += _rows(allele, genome.references[name], source)
        letters[_UNCHECKED] += _is_unchecked(allele, genome.references[name])
        letters[_CODES] += is_ambiguous((nucleotides(allele.alt) or "").replace("N", ""))
    done.notes += [f"{count:,} {what}" for what, count in letters.items() if count]
    return done


_UNCHECKED = "alleles with A, C, G or T in REF where the genome has an ambiguity code or N: not checked there"
_CODES = "alleles with IUPAC codes in ALT, which VCF does not allow: they have no score; name each nucleotide"
_REASONS = {"REF": "REF differs", "the": "contig unknown", "lies": "beyond the contig"}


def _mismatch(allele: Allele, reference: Reference) -> str | None:
    """Why an allele is not about this contig, or None.

    A genome is kept with N for every ambiguity code, in whose place the VCF specification has REF name a
    nucleotide. So any letter fits an N.
    """
    begin = allele.position - 1
    length = len(reference.sequence)
    if begin < 0:
        return "lies before the contig, whose positions are counted from 1"
    end = allele.extent.end if allele.extent is not None else None
    if max(begin + len(allele.ref), end or 0) > length:
        return f"lies beyond the contig, which has {length:,} nucleotides"
    found = reference.sequence[begin : begin + len(allele.ref)]
    ref = nucleotides(allele.ref)
    if ref in (None, found) or (symbol_kind(allele.alt) and set(allele.ref) == {"N"}):
        return None
    if all(own in (letter, "N") for letter, own in zip(ref, found, strict=True)):
        return None
    shown = display_name(allele.ref, 40)
    return f"REF is {shown}, the genome has {display_name(found, 40)} there"


def _is_unchecked(allele: Allele, reference: Reference) -> bool:
    """Whether REF of an allele that fits names nucleotides that the genome leaves open."""
    found = reference.sequence[allele.position - 1 : allele.position - 1 + len(allele.ref)]
    return "N" in found and any(own == "N" != plain(a) for a, own in zip(allele.ref, found, strict=True))


def _stopped(allele: Allele, fault: str, genome: Genome, source: str) -> UserError:
    names = ", ".join(list(genome.references)[:5])
    where = f"{allele.contig}:{allele.position} {display_name(allele.ref, 40)}>{display_name(allele.alt, 40)}"
    return UserError(
        f"{where}: {fault}",
        source=source,
        record=f"line {allele.line}",
        remedy=f"Give the genome the variants were called on (this one has {names}), or on_mismatch=skip",
    )


def _rows(allele: Allele, reference: Reference, source: str) -> list[Annotated]:
    ref, alt = nucleotides(allele.ref), nucleotides(allele.alt)
    sequence, name = reference.sequence, reference.name
    start = allele.position - 1
    if ref is None:
        raise _no_letters(allele, "REF", allele.ref, source)
    if alt is None:
        if not symbol_kind(allele.alt):
            raise _no_letters(allele, "ALT", allele.alt, source)
        raw = (allele, name, allele.position, allele.ref, allele.alt)
        stretch = stretch_of(allele, sequence)
        rows = [
            Annotated(*raw, one, structural_effect(one, sequence, stretch))
            for one in reference.touched(stretch.start, stretch.end)
        ]
        return rows or [Annotated(*raw, None, UNTOUCHED)]
    change = normal_form(sequence, start, ref, alt)
    if change.start == change.end and not change.alt:
        return [Annotated(allele, name, allele.position, allele.ref, allele.alt, None, _UNCHANGED)]
    if reference.circular and change.start == change.end == len(sequence):
        change = Change(0, 0, change.alt)
    normal = as_in_vcf(sequence, change)
    found = [
        Annotated(allele, name, *normal, transcript, effect_on(transcript, sequence, change))
        for transcript in reference.touched(change.start, change.end)
    ]
    return found or [Annotated(allele, name, *normal, None, _INTERGENIC)]


def _no_letters(allele: Allele, what: str, letters: str, source: str) -> UserError:
    return UserError(
        f"{what} is {display_name(letters, 40)!r}, which is no nucleotides",
        source=source,
        record=f"line {allele.line}",
        remedy="Write A, C, G and T, or a symbolic ALT such as <DEL>; of an insertion or deletion the letter "
        "before it too, as a VCF does",
    )


__all__ = ["Annotated", "Annotation", "Change", "OnMismatch", "annotate"]
