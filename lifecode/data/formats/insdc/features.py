"""CDS features of INSDC flat files (GenBank, EMBL) to coding sequences, whatever parsed the file."""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import NamedTuple, Protocol

from lifecode.data.cds.recoding import protein_exception, stop_told_to_be_completed
from lifecode.data.records import CodingSequence, Exon, Feature, span

_PSEUDO = frozenset({"pseudo", "pseudogene"})
_FLAGS = _PSEUDO | frozenset({"partial", "ribosomal_slippage", "trans_splicing"})
_VALUES = frozenset({"protein_id", "locus_tag", "gene", "codon_start", "transl_table", "translation"})
_STARTS = frozenset({"rna_editing", "alternative_start_codon"})
"""Values of `/exception` by which the first codon may read M though the genetic code has it as no start."""
_OTHERS = _FLAGS | {"transl_except", "exception", "note"}

_ORGANELLES = frozenset(
    {
        "mitochondrion",
        "chloroplast",
        "plastid",
        "apicoplast",
        "kinetoplast",
        "cyanelle",
        "chromoplast",
        "leucoplast",
        "chromatophore",
        "hydrogenosome",
    }
)
_ORGANELLE_GENOME = re.compile(
    r"\b(?:(mitochondrion|chloroplast|plastid|apicoplast|kinetoplast|cyanelle)"
    r"(?:\.?$|,(?! (?:complete|partial) cds)| (?:complete|partial)(?! cds)"
    r"| (?:DNA|genome|chromosome|sequence|isolate|strain|haplo(?:type|group)|voucher|breed|clone|cultivar)\b)"
    r"|(mitochondrial),?(?: (?:complete|partial))? (?:DNA|genome|chromosome|sequence)\b)",
    re.IGNORECASE,
)


class Qualifier(Protocol):
    """`/key=value` of a feature; a flag has no value."""

    @property
    def key(self) -> str: ...  # noqa: D102

    @property
    def value(self) -> str | None: ...  # noqa: D102


class Place(NamedTuple):
    """Exons in 5' to 3' order, whether an end is missing, and why the location cannot be read, or None."""

    exons: tuple[Exon, ...]
    partial: bool
    problem: str | None


def coding_sequence_of(
    qualifiers: Iterable[Qualifier], place: Place, genetic_code: int, ids: dict[str, int]
) -> CodingSequence:
    """A CDS feature as annotated.

    Args:
        qualifiers: of the feature, in file order; of a repeated one the first counts.
        place: where it lies.
        genetic_code: NCBI code where it has no `transl_table`.
        ids: counts the names used on this contig, so that a repeated one gets a number.
    """
    values: dict[str, str] = {}
    flags: set[str] = set()
    transl_except: list[str] = []
    exception = None
    notes: list[Qualifier] = []
    for qualifier in qualifiers:
        key = qualifier.key
        if key in _VALUES:
            if key not in values:
                values[key] = qualifier.value or ""
        elif key not in _OTHERS:
            if key.islower() or (key := key.lower()) not in _FLAGS:
                continue
            flags.add(key)
        elif key in _FLAGS:
            flags.add(key)
        elif key == "transl_except":
            transl_except.append(qualifier.value or "")
        elif key == "note":
            notes.append(qualifier)
        else:
            flags.update(_flags_of_exception(qualifier.value))
            exception = exception or protein_exception(qualifier.value or "")
    gene = values.get("gene")
    locus_tag = values.get("locus_tag")
    name = values.get("protein_id") or locus_tag or gene or f"cds:{span(place.exons)}"
    ids[name] = ids.get(name, 0) + 1
    protein = "".join(values.get("translation", "").split()).upper().removesuffix("*")
    table = values.get("transl_table")
    codon_start = _number(values.get("codon_start"), 1)
    if notes and place.exons and not transl_except and (_num_nucleotides(place.exons) - codon_start + 1) % 3:
        completed = stop_told_to_be_completed((note.value or "" for note in notes), place.exons)
        transl_except += [completed] if completed else []
    return CodingSequence(
        id=name if ids[name] == 1 else f"{name}#{ids[name]}",
        gene=gene,
        exons=place.exons,
        codon_start=codon_start,
        genetic_code=_number(table, genetic_code),
        protein=protein or None,
        pseudo="pseudo" in flags or "pseudogene" in flags,
        partial=place.partial or "partial" in flags,
        ribosomal_slippage="ribosomal_slippage" in flags,
        trans_splicing="trans_splicing" in flags,
        transl_except=tuple(transl_except),
        location_problem=place.problem,
        protein_source="annotated" if protein else "translated",
        gene_id=locus_tag or gene,
        genetic_code_given=table is not None,
        start_edited=not flags.isdisjoint(_STARTS),
        exception=exception,
    )


def _num_nucleotides(exons: tuple[Exon, ...]) -> int:
    return sum([end - start for start, end, _ in exons])


def feature_of(kind: str, qualifiers: Iterable[Qualifier], place: Place) -> Feature:
    """A feature that is no CDS as annotated; arguments as for `coding_sequence_of`."""
    flags: set[str] = set()
    names = {"gene": "", "locus_tag": ""}
    for qualifier in qualifiers:
        key = qualifier.key.lower()
        flags |= _flags_of_exception(qualifier.value) if key == "exception" else {key}
        if key in names:
            names[key] = names[key] or qualifier.value or ""
    return Feature(kind, place.exons, bool(flags & _PSEUDO), "trans_splicing" in flags, **names)


def _flags_of_exception(value: str | None) -> set[str]:
    """What `/exception` says, which older records have for `/ribosomal_slippage` and `/trans_splicing`."""
    words = (value or "").lower().replace("-", " ").split(",")
    return {"_".join(one.split()) for one in words}


def is_wanted(kind: str, features: Collection[str]) -> bool:
    """Whether a feature is one of the kinds that a reader was asked for, beside the CDS."""
    return kind in features and kind.upper() != "CDS"


def lineage_of(text: str) -> tuple[str, ...]:
    """The taxa of a lineage in flat files, `Bacteria; Pseudomonadota.`, line ends and blanks aside."""
    taxa = (" ".join(name.split()) for name in text.strip().rstrip(".").split(";"))
    return tuple(name for name in taxa if name)


def around_origin(exons: tuple[Exon, ...], num_nucleotides: int) -> tuple[Exon, ...]:
    """The exons on a circular record; one across its origin, such as 261..140 or 261..440 of 300, is two."""
    for start, end, _ in exons:
        if not start < end <= num_nucleotides:
            return tuple(piece for exon in exons for piece in _pieces(exon, num_nucleotides))
    return exons


def _pieces(exon: Exon, length: int) -> tuple[Exon, ...]:
    start, end, strand = exon
    if 0 < end < start < length:
        before, behind = Exon(start, length, strand), Exon(0, end, strand)
    elif length <= start < end <= 2 * length:
        return (Exon(start - length, end - length, strand),)
    elif start < length < end <= start + length:
        before, behind = Exon(start, length, strand), Exon(0, end - length, strand)
    else:
        return (exon,)
    return (before, behind) if strand == 1 else (behind, before)


def organelle_of_definition(definition: str) -> str | None:
    """The organelle whose DNA a record is by its title, as in `Homo sapiens mitochondrion, complete genome`.

    A nuclear gene of a mitochondrial protein does not count.
    """
    found = _ORGANELLE_GENOME.search(" ".join(definition.split()))
    return (found[1] or found[2]).lower() if found and "nuclear gene" not in definition else None


def organelle_of_source(name: str) -> tuple[str | None, str]:
    """The organelle before the organism on a SOURCE line, `mitochondrion Homo sapiens`, and the organism."""
    first, _, others = name.partition(" ")
    kind = first.rpartition(":")[2].lower()
    return (kind, others) if others and kind in _ORGANELLES else (None, name)


def taxon_id(text: str) -> int | None:
    """An NCBI taxonomy id, or None."""
    return _number(text, 0) or None


@lru_cache(maxsize=64)
def _number(value: str | None, default: int) -> int:
    """The qualifier as a number; 0, which no rule accepts, where it is none."""
    if value is None:
        return default
    value = value.strip()
    return int(value) if value.isdecimal() and len(value) < 10 else 0
