"""bcftools csq as an independent judge of consequences, in a child process, since it can abort.

It wants Ensembl's kind of GFF3, made here from our transcripts, and has short terms of its own. The
differences that are known are named by `difference`.
"""

import random
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lifecode.variants.alleles import Allele, Change, moved_right, normal_form
from lifecode.variants.annotate import Annotated, annotate
from lifecode.variants.reading.genome import Genome
from lifecode.variants.transcripts import Transcript

TERMS = {
    "synonymous": "synonymous_variant",
    "missense": "missense_variant",
    "stop_lost": "stop_lost",
    "stop_gained": "stop_gained",
    "stop_retained": "stop_retained_variant",
    "start_lost": "start_lost",
    "start_retained": "start_retained_variant",
    "inframe_deletion": "inframe_deletion",
    "inframe_insertion": "inframe_insertion",
    "inframe_altering": "protein_altering_variant",
    "frameshift": "frameshift_variant",
    "splice_acceptor": "splice_acceptor_variant",
    "splice_donor": "splice_donor_variant",
    "splice_region": "splice_region_variant",
    "5_prime_utr": "5_prime_UTR_variant",
    "3_prime_utr": "3_prime_UTR_variant",
    "intron": "intron_variant",
    "coding_sequence": "coding_sequence_variant",
    "non_coding": "intron_variant",
}
"""The Sequence Ontology's words for those of bcftools csq."""


@dataclass
class Comparison:
    """How many pairs of variant and transcript are judged the same, differently as known, or otherwise."""

    same: int = 0
    known: Counter[str] = field(default_factory=Counter)
    unknown: list[tuple[Annotated, str, str]] = field(default_factory=list)


WITHOUT_TRANSCRIPT = "any"
"""Key of what csq says of a record without naming a transcript: `intron`."""

_RUN = """
import sys, pysam.bcftools
arguments = sys.argv[1:]
pysam.bcftools.csq(*arguments, catch_stdout=False)
"""


def difference(row: Annotated, sequence: str, ours: str, theirs: str, said: dict[str, str]) -> str | None:
    """Which of the known differences one is, by name, or None.

    Args:
        row: as we see it.
        sequence: of the contig.
        ours: terms, by name, joined by `&`.
        theirs: likewise, empty where csq says nothing of the transcript.
        said: all that csq says of the record, by transcript.
    """
    transcript, effect = row.transcript, row.effect
    assert transcript is not None
    start, end, alt = normal_form(row.ref, 0, row.ref, row.alt)
    start, end = start + row.position - 1, end + row.position - 1
    furthest = moved_right(sequence, Change(start, end, alt)).end
    own, other = set(ours.split("&")), set(filter(None, theirs.split("&")))
    borders = {border for part in (*transcript.parts, *transcript.exons) for border in part}
    at_border = any(
        start < border < end or (len(row.ref) != len(row.alt) and start <= border <= furthest)
        for border in borders
    )
    if len(transcript.stretches) > 1:
        return "csq knows no transcript across the origin"
    if ours == "intron_variant" and (theirs or said):
        return "csq says intron only where it says nothing else, and once a record"
    if "start_retained_variant" in own and "start_lost" in other:
        return "another start codon of the genetic code begins the same protein"
    if "start_lost" in other and effect.first_codon <= 0 and start == end and "start_lost" not in own:
        return "an insertion behind the start codon, which stays"
    if "start_lost" in own & other:
        return "a lost start codon, and what csq says beside it"
    if effect.status in ("read_twice", "partial_codon") or transcript.coding_sequence.transl_except:
        return "a codon that is read twice, or in a way of its own"
    if at_border:
        return "a change across the border of an exon or of the CDS"
    if other - {"synonymous_variant"} == own:
        return "csq adds synonymous where a splice site is written anew as it was"
    if (own | other) & {"stop_retained_variant", "stop_lost", "start_lost"} and len(row.ref) != len(row.alt):
        return "what is said beside a stop or start codon that stays or goes"
    if other - own == {"stop_gained"} and effect.status == "inframe_indel":
        return "a stop that an insertion brings behind all residues of the protein"
    if {"stop_gained"} <= own | other and (not transcript.protein.endswith("*") or len(effect.old) > 3):
        return "a stop in a CDS without one at its end, or before its own"
    if "stop_retained_variant" in other and len(row.ref) > 1:
        return "missense beside a stop codon that stays"
    return None


def judged(genome: Genome, alleles: Sequence[Allele], folder: Path, code: int) -> dict[int, dict[str, str]]:
    """Terms, joined by `&`, by transcript, of each allele, by its line.

    Args:
        genome: whose transcripts are asked about.
        alleles: in any order, with different lines.
        folder: to write into.
        code: NCBI genetic code of all of them.
    """
    fasta, gff, vcf, out = (folder / name for name in ("genome.fa", "genes.gff3", "in.vcf", "out.vcf"))
    with fasta.open("w") as file:
        for name, reference in genome.references.items():
            file.write(f">{name}\n{reference.sequence}\n")
    names = write_ensembl_gff(genome, gff)
    order = {name: number for number, name in enumerate(genome.references)}
    with vcf.open("w") as file:
        file.write("##fileformat=VCFv4.2\n")
        for name, reference in genome.references.items():
            file.write(f"##contig=<ID={name},length={len(reference.sequence)}>\n")
        file.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
        for one in sorted(alleles, key=lambda one: (order[one.contig], one.position)):
            file.write(f"{one.contig}\t{one.position}\t{one.line}\t{one.ref}\t{one.alt}\t.\t.\t.\n")
    options = ["-l", "-f", str(fasta), "-g", str(gff), "-o", str(out), "-n", "64"]
    options += [] if code == 1 else ["-C", str(code)]
    child = subprocess.run([sys.executable, "-c", _RUN, *options, str(vcf)], capture_output=True, text=True)
    assert child.returncode == 0, child.stderr
    found: dict[int, dict[str, str]] = {}
    for line in out.read_text().splitlines():
        if line.startswith("#"):
            continue
        cells = line.split("\t")
        tags = [tag[5:] for tag in cells[7].split(";") if tag.startswith("BCSQ=")]
        own: dict[str, set[str]] = defaultdict(set)
        for entry in tags[0].split(",") if tags else ():
            terms, _, transcript, *_ = entry.split("|")
            own[names[transcript] if transcript else WITHOUT_TRANSCRIPT] |= {
                TERMS[term.lstrip("*")] for term in terms.split("&")
            }
        found[int(cells[2])] = {name: "&".join(sorted(terms)) for name, terms in own.items()}
    return found


def differences(genome: Genome, alleles: Sequence[Allele], folder: Path, code: int) -> Comparison:
    """What csq and we say differently of some alleles, arguments as for `judged`.

    csq gets their normal forms, as it asks its users to give.
    """
    rows = annotate(alleles, genome, source="random").rows
    normal = {
        row.allele.line: Allele(row.contig, row.position, row.ref, row.alt, ".", row.allele.line)
        for row in rows
        if row.effect.status != "alt_is_ref"
    }
    theirs = judged(genome, list(normal.values()), folder, code)
    found = Comparison()
    for row in rows:
        if row.transcript is None:
            said = {name for name in theirs.get(row.allele.line, {}) if name != WITHOUT_TRANSCRIPT}
            found.unknown += [(row, "", str(said))] if said else []
            continue
        if not row.transcript.is_coding:
            continue
        said, sequence = theirs.get(row.allele.line, {}), genome.references[row.contig].sequence
        ours = "&".join(sorted(set(row.effect.terms)))
        other = said.get(row.transcript.id, "")
        other = other or (said.get(WITHOUT_TRANSCRIPT, "") if ours == "intron_variant" else "")
        if ours == other:
            found.same += 1
        elif (known := difference(row, sequence, ours, other, said)) is not None:
            found.known[known] += 1
        else:
            found.unknown.append((row, ours, other))
    return found


def write_ensembl_gff(genome: Genome, path: Path) -> dict[str, str]:
    """Write the transcripts of a genome as bcftools csq reads them; ids of ours by those in the file."""
    names: dict[str, str] = {}
    with path.open("w") as file:
        file.write("##gff-version 3\n")
        for contig, reference in genome.references.items():
            for transcript in reference.transcripts:
                if len(transcript.stretches) > 1 or not transcript.is_coding:
                    continue
                own = f"T{len(names)}"
                names[own] = transcript.id
                for kind, start, end, phase, told in _lines(transcript, own):
                    strand = "+" if transcript.strand == 1 else "-"
                    file.write(f"{contig}\tx\t{kind}\t{start + 1}\t{end}\t.\t{strand}\t{phase}\t{told}\n")
    return names


def _lines(transcript: Transcript, own: str) -> Iterable[tuple[str, int, int, object, str]]:
    ((start, end),) = transcript.stretches
    yield "gene", start, end, ".", f"ID=gene:G{own};biotype=protein_coding;Name=G{own}"
    yield "mRNA", start, end, ".", f"ID=transcript:{own};Parent=gene:G{own};biotype=protein_coding"
    parent = f"Parent=transcript:{own}"
    low = min(left for left, _ in transcript.parts)
    high = max(right for _, right in transcript.parts)
    before, behind = ("five", "three") if transcript.strand == 1 else ("three", "five")
    for left, right in transcript.exons:
        yield "exon", left, right, ".", parent
        if left < low:
            yield f"{before}_prime_UTR", left, min(right, low), ".", parent
        if right > high:
            yield f"{behind}_prime_UTR", max(left, high), right, ".", parent
    for (left, right), offset in zip(transcript.parts, transcript.part_offsets, strict=True):
        yield "CDS", left, right, (transcript.frame - offset) % 3, parent


def random_alleles(genome: Genome, number: int, seed: int, near: bool = False) -> list[Allele]:
    """Random alleles: 80 % of one nucleotide, 10 % of two to four, 10 % insertions or deletions of 1 to 9.

    Args:
        genome: on whose contigs with transcripts they lie, in proportion to length.
        number: of them.
        seed: of the draw.
        near: whether only in and around transcripts.
    """
    draw = random.Random(seed)
    names = [name for name, reference in genome.references.items() if reference.transcripts]
    if near:
        places = [
            (name, place)
            for name in names
            for one in genome.references[name].transcripts
            for left, right in one.exons
            for place in (left, right, draw.randrange(left, right))
        ]
    else:
        sizes = [len(genome.references[name].sequence) for name in names]
    alleles = []
    while len(alleles) < number:
        if near:
            name, place = draw.choice(places)
            start = place + draw.randint(-15, 15)
        else:
            name = draw.choices(names, sizes)[0]
            start = draw.randrange(len(genome.references[name].sequence))
        sequence = genome.references[name].sequence
        kind = draw.random()
        size = 1 if kind < 0.8 else draw.randint(2, 4) if kind < 0.9 else draw.randint(1, 9)
        if not 20 <= start < len(sequence) - 40:
            continue
        ref = sequence[start : start + size]
        if kind < 0.9:
            alt = "".join(draw.choice([x for x in "ACGT" if x != letter]) for letter in ref)
            if size > 2:
                alt = alt[0] + "".join(draw.choice("ACGT") for _ in alt[2:]) + alt[-1]
        elif kind < 0.95:
            ref = sequence[start]
            alt = ref + "".join(draw.choice("ACGT") for _ in range(size))
        else:
            ref = sequence[start : start + size + 1]
            alt = ref[0]
        if "N" not in ref and ref != alt:
            alleles.append(Allele(name, start + 1, ref, alt, ".", len(alleles) + 1))
    return alleles
