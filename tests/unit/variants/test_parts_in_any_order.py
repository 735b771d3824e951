"""A CDS is read in the order of its parts, wherever on the contig they lie and on whichever strand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas
import pytest

import lifecode
from lifecode.alphabet import encode_nucleotides
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.variants.alleles import normal_form, reverse_complement_letters
from lifecode.variants.annotate import Annotated, annotate
from lifecode.variants.reading.allele_tables import alleles_of_rows
from lifecode.variants.reading.genome import Genome, Reference

GENE = "ATGAAAGCTTGGCCACGAACGGAGTTCATCCATTAA"  # MKAWPRTEFIH*
PARTS = {
    "out_of_order": [(60, 76, 1), (20, 40, 1)],
    "out_of_order_minus": [(20, 40, -1), (60, 76, -1)],
    "three": [(40, 52, 1), (70, 82, 1), (10, 22, 1)],
    "both_strands": [(60, 76, -1), (20, 40, 1)],
    "both_strands_with_an_intron": [(20, 30, 1), (80, 96, -1), (50, 60, -1)],
    "origin": [(88, 100, 1), (0, 24, 1)],
    "origin_minus": [(0, 24, -1), (88, 100, -1)],
    "origin_with_an_intron": [(70, 82, 1), (10, 34, 1)],
    "slippage": [(20, 33, 1), (34, 57, 1)],
    "slippage_minus": [(43, 66, -1), (29, 42, -1)],
}


def contig_with(parts: list[tuple[int, int, int]], gene: str = GENE, circular: bool = False) -> Contig:
    """100 letters that hold the gene in these parts."""
    letters = np.random.default_rng(1).choice(list("ACGT"), 100)
    read = 0
    for start, end, strand in parts:
        piece = gene[read : read + end - start]
        letters[start:end] = list(piece if strand == 1 else reverse_complement_letters(piece))
        read += end - start
    cds = CodingSequence(id="t", gene="g", exons=tuple(Exon(*part) for part in parts))
    return Contig(
        name="toy",
        nucleotides=encode_nucleotides("".join(letters)),
        source="toy",
        coding_sequences=(cds,),
        circular=circular,
    )


def judged(contig: Contig, *variants: tuple[int, str, str]) -> list[Annotated]:
    """Of variants, by positions from 0."""
    genome = Genome({"toy": Reference(contig, contig.coding_sequences, {})})
    rows = [("toy", position + 1, ref, alt, ".") for position, ref, alt in variants]
    return annotate(alleles_of_rows(rows, "test").alleles, genome, source="test").rows


def letters_of(contig: Contig) -> str:
    return Reference(contig, (), {}).sequence


@pytest.mark.parametrize("strand", [1, -1])
def test_the_widest_gap_of_a_trans_spliced_cds_in_order_is_no_intron(strand):
    """As of rps12 in many plastids, whose first part lies 100,000 nucleotides before the others."""
    parts = [(5, 15, 1), (60, 70, 1), (82, 98, 1)]
    parts = parts if strand == 1 else [(100 - end, 100 - start, -1) for start, end, _ in parts]
    contig = contig_with(parts)
    flagged = replace(contig.coding_sequences[0], trans_splicing=True)
    letters = letters_of(contig)
    places = [30, 75] if strand == 1 else [69, 24]
    asked = [(at, letters[at], "A" if letters[at] != "A" else "C") for at in places]
    terms = [
        [row.effect.terms for row in judged(replace(contig, coding_sequences=(one,)), *asked)]
        for one in (contig.coding_sequences[0], flagged)
    ]
    assert terms[0] == [("intron_variant",), ("splice_region_variant",)]
    assert terms[1] == [("intergenic_variant",), ("splice_region_variant",)]


@pytest.mark.parametrize("name", PARTS)
def test_every_letter_of_the_cds_is_numbered_and_read_in_the_order_of_the_parts(name):
    parts = PARTS[name]
    contig = contig_with(parts, circular=name.startswith("origin"))
    letters = letters_of(contig)
    order = [at for start, end, strand in parts for at in range(start, end)[::strand]]
    strands = [strand for start, end, strand in parts for _ in range(start, end)]
    alts = [{"A": "C", "C": "G", "G": "T", "T": "A"}[letters[at]] for at in order]
    rows = judged(contig, *((at, letters[at], alt) for at, alt in zip(order, alts, strict=True)))
    assert len(rows) == len(GENE)
    for number, (row, alt, strand) in enumerate(zip(rows, alts, strands, strict=True)):
        new = alt if strand == 1 else reverse_complement_letters(alt)
        assert row.effect.hgvs_c == f"c.{number + 1}{GENE[number]}>{new}"
        first = number - number % 3
        old = GENE[first : first + 3]
        codon = old[: number % 3] + new + old[number % 3 + 1 :]
        assert row.effect.codons == f"{old}/{codon}"
        assert row.effect.first_codon == number // 3
        assert row.transcript is not None
        assert row.transcript.strand_at(row.position - 1, row.position) == strand
        residues = lifecode.translate(old), lifecode.translate(codon)
        if number >= 3 and "*" not in "".join(residues):
            same = residues[0] == residues[1]
            expected = "synonymous_variant" if same else "missense_variant"
            assert expected in row.effect.terms


def test_what_lies_between_trans_spliced_parts_is_no_part_of_the_gene():
    contig = contig_with(PARTS["both_strands_with_an_intron"])
    letters = letters_of(contig)
    between, intron, behind = (judged(contig, (at, letters[at], "N"))[0] for at in (45, 70, 98))
    assert (between.effect.status, behind.effect.status) == ("intergenic", "intergenic")
    assert intron.effect.terms == ("intron_variant",)
    assert intron.effect.hgvs_c == f"c.26+10{reverse_complement_letters(letters[70])}>N"
    donor = judged(contig, (79, letters[79], "N"))[0]  # the intron is read on the reverse strand
    assert donor.effect.terms == ("splice_donor_variant",)
    contig = contig_with(PARTS["out_of_order"])
    letters = letters_of(contig)
    rows = judged(contig, *((at, letters[at], "N") for at in (5, 50, 90)))
    assert [row.effect.status for row in rows] == ["intergenic"] * 3


@pytest.mark.parametrize("name", ["origin", "origin_minus", "origin_with_an_intron"])
def test_across_the_origin_everything_is_as_on_a_contig_that_begins_elsewhere(name):
    by, size = 50, 100
    contig = contig_with(PARTS[name], circular=True)
    turned = [((start - by) % size, (end - 1 - by) % size + 1, strand) for start, end, strand in PARTS[name]]
    other = contig_with(turned, circular=True)
    letters = letters_of(contig)
    object.__setattr__(other, "nucleotides", np.roll(contig.nucleotides, -by))
    changes = [
        (at, letters[at], letters[at] + extra) for at in range(1, size) for extra in ("A", "GC", "TTT")
    ]
    changes += [(at, letters[at : at + 3], letters[at]) for at in range(1, size - 3)]
    found, compared = 0, 0
    for at, ref, alt in changes:
        ours = [row for row in judged(contig, (at, ref, alt)) if row.transcript is not None]
        start = (at - by) % size
        if start + len(ref) > size:
            continue
        theirs = [row for row in judged(other, (start, ref, alt)) if row.transcript is not None]
        # left-aligned to the very edge of a contig both are cut short elsewhere
        edge = min(
            normal_form(letters, at, ref, alt).start, normal_form(letters_of(other), start, ref, alt).start
        )
        if edge < 2:
            continue
        assert [row.effect for row in ours] == [row.effect for row in theirs], (at, ref, alt)
        found, compared = found + len(ours), compared + 1
    assert compared > 300
    assert found > 100


def test_an_insertion_at_the_origin_repeats_what_lies_before_it():
    contig = contig_with(PARTS["origin"], circular=True)
    assert letters_of(contig)[97:] == GENE[9:12]
    (row,) = judged(contig, (99, GENE[11], GENE[11] + GENE[9:12]))
    assert row.effect.hgvs_c == "c.10_12dup"


def test_a_letter_that_is_read_twice_has_no_score():
    contig = contig_with([(20, 33, 1), (32, 55, 1)], GENE[:13] + GENE[12:35])
    letters = letters_of(contig)
    (twice,) = judged(contig, (32, letters[32], "A" if letters[32] != "A" else "C"))
    assert twice.effect.status == "read_twice"
    before, behind = judged(contig, (31, letters[31], "N"), (33, letters[33], "N"))
    assert before.effect.hgvs_c.startswith("c.12")
    assert behind.effect.hgvs_c.startswith("c.15")


GENBANK = """LOCUS       toy                 100 bp    DNA     linear   PLN 01-JAN-2000
FEATURES             Location/Qualifiers
     CDS             {place}
                     /locus_tag="g"
                     /trans_splicing
                     /transl_table=1
ORIGIN
{letters}
//
"""


def test_a_flat_file_with_parts_on_both_strands(tmp_path: Path):
    letters = letters_of(contig_with(PARTS["both_strands"]))
    lines = [f"{at + 1:>9} {letters[at : at + 60].lower()}" for at in range(0, 100, 60)]
    text = GENBANK.format(place="join(complement(61..76),21..40)", letters="\n".join(lines))
    (tmp_path / "g.gb").write_text(text)
    ref = letters[75]
    frame = pandas.DataFrame([("toy", 76, ref, "G"), ("toy", 21, letters[20], "N")])
    frame.columns = ["chrom", "pos", "ref", "alt"]
    found = lifecode.score(None, frame, tmp_path / "g.gb", progress=False)
    assert found.frame["hgvs_c"].tolist()[0] == "c.1A>C"
    assert found.frame["strand"].tolist() == [-1, 1]
    assert found.frame["hgvs_c"].tolist()[1].startswith("c.17")


GFF = """##gff-version 3
toy\tx\texon\t21\t40\t.\t+\t.\tParent=t
toy\tx\texon\t61\t76\t.\t+\t.\tParent=t
toy\tx\tCDS\t61\t76\t.\t+\t0\tID=c;Parent=t;exception=trans-splicing;part=1
toy\tx\tCDS\t21\t40\t.\t+\t2\tID=c;Parent=t;exception=trans-splicing;part=2
"""


def test_exon_lines_do_not_put_the_parts_into_another_order(tmp_path: Path):
    letters = letters_of(contig_with(PARTS["out_of_order"]))
    (tmp_path / "g.fa").write_text(f">toy\n{letters}\n")
    (tmp_path / "g.gff3").write_text(GFF)
    frame = pandas.DataFrame([("toy", 61, letters[60], "C"), ("toy", 40, letters[39], "C")])
    frame.columns = ["chrom", "pos", "ref", "alt"]
    found = lifecode.score(None, frame, tmp_path / "g.fa", annotation=tmp_path / "g.gff3", progress=False)
    assert found.frame["hgvs_c"].tolist() == ["c.1A>C", "c.36A>C"]
