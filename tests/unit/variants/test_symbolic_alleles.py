"""Symbols as ALT: how far they reach, what they touch, and what is known of what comes of them."""

import pytest

from lifecode.errors import UserError
from lifecode.variants.alleles import Allele
from lifecode.variants.annotate import Annotation, annotate
from lifecode.variants.consequence.terms import impact_of, joined
from lifecode.variants.reading.allele_files import read_alleles
from lifecode.variants.reading.allele_tables import alleles_of_rows
from lifecode.variants.reading.found_alleles import AlleleFile
from lifecode.variants.reading.genome import Genome, Reference
from tests.support.spliced_gene import SplicedGene

HEAD = "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


def annotated(alleles: list[Allele], strand: int = 1, **options) -> Annotation:
    gene = SplicedGene(strand)
    reference = Reference(gene.contig, gene.contig.coding_sequences, {"t": gene.transcript.exons})
    return annotate(alleles, Genome({"toy": reference}), source="test", **options)


def read(tmp_path, *records: tuple[int, str, str]) -> AlleleFile:
    lines = (f"toy\t{pos}\t.\tN\t{alt}\t.\t.\t{info}\n" for pos, alt, info in records)
    (tmp_path / "in.vcf").write_text(HEAD + "".join(lines))
    return read_alleles(tmp_path / "in.vcf")


@pytest.mark.parametrize(
    ("pos", "alt", "info", "terms", "hgvs_c", "hgvs_p"),
    [
        # the letters are known: as a deletion, duplication or inversion that is written out
        (19, "<DEL>", "SVTYPE=DEL;END=22", "inframe_deletion", "c.4_6del", "p.(Lys2del)"),
        (19, "<del>", "SVLEN=-3", "inframe_deletion", "c.4_6del", "p.(Lys2del)"),
        (19, "<DEL:ME>", "SVLEN=3;END=.", "inframe_deletion", "c.4_6del", "p.(Lys2del)"),
        (19, "<DUP:TANDEM>", "END=22", "inframe_insertion", "c.4_6dup", "p.(Lys2dup)"),
        (20, "<DEL>", "END=21", "frameshift_variant&feature_truncation", "c.6del", "p.(Ala3LeufsTer?)"),
        (22, "<INV>", "END=25", "missense_variant&splice_region_variant", "c.7_9inv", "p.(Ala3Ser)"),
        (8, "<INV>", "END=11", "sequence_variant", "", ""),  # CAG to CTG, of which G alone is in the exon
        (5, "<DEL>", "END=78", "transcript_ablation", "c.-11_*18del", "p.0?"),
        (5, "<DUP>", "END=78", "transcript_amplification", "c.-11_*18dup", ""),
        (5, "<CN0>", "END=78", "transcript_ablation", "c.-11_*18del", "p.0?"),
        (5, "<CN3>", "END=78", "transcript_amplification", "", ""),
        (30, "<DEL>", "END=33", "splice_region_variant", "c.10+5_10+7del", ""),
        # of an insertion its size at most
        (20, "<INS:ME:ALU>", "SVLEN=281", "frameshift_variant&feature_elongation", "c.4_5insN[281]", ""),
        (20, "<INS>", "END=20", "feature_elongation&coding_sequence_variant", "", ""),
        # only what is touched is known
        (
            20,
            "<DEL>",
            "END=50;IMPRECISE",
            "splice_acceptor_variant&splice_donor_variant&feature_truncation&coding_sequence_variant",
            "",
            "",
        ),
        (5, "<DEL>", "END=78;IMPRECISE", "transcript_ablation", "", ""),
        (20, "<CNV>", "END=60", "coding_sequence_variant&intron_variant", "", ""),
        (20, "A[toy:30[", "SVTYPE=BND", "coding_sequence_variant", "", ""),
        (27, ".A", "END=60", "splice_donor_variant", "", ""),
        (20, "*", ".", "sequence_variant", "", ""),
        (20, "<DEL>", "END=3", "feature_truncation&coding_sequence_variant", "", ""),
        (1, "<DEL>", "END=3", "intergenic_variant", "", ""),
    ],
)
def test_what_a_symbol_does(tmp_path, pos, alt, info, terms, hgvs_c, hgvs_p):
    (row,) = annotated(read(tmp_path, (pos, alt, info)).alleles).rows
    effect = row.effect
    assert (joined(effect.terms), effect.hgvs_c, effect.hgvs_p) == (terms, hgvs_c, hgvs_p)
    assert (effect.status, effect.codons, row.alt, row.position) == ("symbolic", "", alt, pos)


def test_on_the_other_strand(tmp_path):
    """Of GAT TTT... the last letters of the gene come first."""
    (row,) = annotated(read(tmp_path, (20, "<DEL>", "END=23")).alleles, strand=-1).rows
    assert (row.effect.hgvs_c, row.effect.hgvs_p) == ("c.22_24del", "p.(Ter8LeuextTer2)")


def test_each_symbol_of_a_record_has_its_own_length(tmp_path):
    given = read(tmp_path, (19, "<DEL>,<DUP>", "END=78;SVLEN=-3,6"))
    assert [row.effect.hgvs_c for row in annotated(given.alleles).rows] == ["c.4_6del", "c.4_9dup"]


def test_what_stands_for_alleles_that_were_not_seen_is_none(tmp_path):
    given = read(tmp_path, (20, "<NON_REF>", "END=60"), (20, "<*>", "."), (19, "<DEL>,<*>", "END=22"))
    assert [one.alt for one in given.alleles] == ["<DEL>"]
    assert given.without_alt == 2


def test_in_a_table_end_and_svlen_are_columns(tmp_path):
    (tmp_path / "v.tsv").write_text("chrom\tpos\tend\tref\talt\ntoy\t19\t22\tN\t<DEL>\ntoy\t20\t20\tA\tG\n")
    deleted, other = annotated(read_alleles(tmp_path / "v.tsv").alleles).rows
    assert (deleted.effect.hgvs_c, other.effect.hgvs_c) == ("c.4_6del", "c.4A>G")
    given = alleles_of_rows([("toy", 19, "N", "<DEL>", ".", float("nan"), -3.0)], "frame")
    assert annotated(given.alleles).rows[0].effect.hgvs_c == "c.4_6del"


def test_an_end_beyond_the_contig_does_not_fit(tmp_path):
    given = read(tmp_path, (20, "<DEL>", "END=81"))
    with pytest.raises(UserError, match="lies beyond the contig, which has 80 nucleotides"):
        annotated(given.alleles)
    assert annotated(given.alleles, on_mismatch="skip").skipped.total() == 1


def test_impact_is_that_of_the_most_severe_term():
    assert impact_of(("feature_truncation", "inframe_deletion")) == "HIGH"
    assert impact_of(("transcript_amplification",)) == "HIGH"


@pytest.mark.parametrize("comment", ["## of a pipeline", "# of a pipeline"])
def test_a_table_may_begin_with_comments(tmp_path, comment):
    (tmp_path / "v.tsv").write_text(f"{comment}\n#chrom\tpos\tref\talt\tid\ntoy\t20\tA\tG\trs1\n")
    (allele,) = read_alleles(tmp_path / "v.tsv").alleles
    assert (allele.ref, allele.alt, allele.id) == ("A", "G", "rs1")
