"""Variants in, judged rows out: files, names of contigs, faults."""

import gzip
from dataclasses import replace

import pyarrow
import pyarrow.parquet
import pysam
import pytest

from lifecode.alphabet import encode_nucleotides
from lifecode.errors import UserError
from lifecode.variants.annotate import annotate
from lifecode.variants.reading.allele_files import read_alleles
from lifecode.variants.reading.allele_tables import alleles_of_rows, columns_of
from lifecode.variants.reading.genome import Genome, Reference, read_genome
from lifecode.variants.table import table_of
from tests.support.spliced_gene import FORWARD, SplicedGene

HEAD = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
GFF = """##gff-version 3
toy\tx\tgene\t11\t70\t.\t+\t.\tID=g;Name=g
toy\tx\tmRNA\t11\t70\t.\t+\t.\tID=t;Parent=g
toy\tx\texon\t11\t26\t.\t+\t.\tParent=t
toy\tx\texon\t47\t70\t.\t+\t.\tParent=t
toy\tx\tCDS\t17\t26\t.\t+\t0\tID=c;Parent=t
toy\tx\tCDS\t47\t60\t.\t+\t2\tID=c;Parent=t
"""


def vcf(*records: str) -> str:
    return HEAD + "".join(f"{record}\t.\t.\t.\n" for record in records)


@pytest.fixture
def genome(tmp_path) -> Genome:
    (tmp_path / "toy.fa").write_text(f">toy\n{FORWARD}\n")
    (tmp_path / "genes.gff3").write_text(GFF)
    return read_genome(tmp_path / "toy.fa", tmp_path / "genes.gff3")


def rows_of(genome: Genome, text: str, tmp_path, **options) -> list[dict]:
    (tmp_path / "in.vcf").write_text(text)
    given = read_alleles(tmp_path / "in.vcf")
    return table_of(annotate(given.alleles, genome, source="in.vcf", **options).rows).to_pylist()


def test_untranslated_exons_come_from_the_annotation(genome):
    (transcript,) = genome.references["toy"].transcripts
    assert transcript.exons == ((10, 26), (46, 70))
    assert (transcript.cds_start, transcript.cds_end) == (6, 30)
    assert transcript.protein == "MKAWPKT*"


def test_each_file_names_the_contig_in_its_own_form(tmp_path):
    (tmp_path / "toy.fa").write_text(f">lcl|toy\n{FORWARD}\n")
    (tmp_path / "genes.gff3").write_text(GFF.replace("toy", "chrtoy"))
    genome = read_genome(tmp_path / "toy.fa", tmp_path / "genes.gff3")
    assert genome.references["lcl|toy"].transcripts[0].exons == ((10, 26), (46, 70))
    (tmp_path / "in.vcf").write_text(vcf("Toy\t20\t.\tA\tG"))
    done = annotate(read_alleles(tmp_path / "in.vcf").alleles, genome, source="in.vcf")
    assert [row["chrom"] for row in table_of(done.rows).to_pylist()] == ["lcl|toy"]
    assert done.notes == ["contig Toy of the variants is lcl|toy of the genome"]


def test_a_cds_directly_under_its_gene(tmp_path):
    """As in the GFF3 of bacteria from the NCBI; its genetic code is another."""
    gene = "ATGAAATGGTAA"
    (tmp_path / "g.fa").write_text(f">b\nCCCCC{gene}CCCCC\n")
    (tmp_path / "g.gff3").write_text(
        "##gff-version 3\nb\tRefSeq\tregion\t1\t22\t.\t+\t.\tID=b:1..22;Is_circular=true\n"
        "b\tRefSeq\tgene\t6\t17\t.\t+\t.\tID=gene-x;Name=x;gene=x\n"
        "b\tx\tCDS\t6\t17\t.\t+\t0\tID=cds-x;Parent=gene-x;gene=x;protein_id=P1;transl_table=11\n"
    )
    genome = read_genome(tmp_path / "g.fa", tmp_path / "g.gff3")
    (transcript,) = genome.references["b"].transcripts
    assert (transcript.gene, transcript.code.number, transcript.protein) == ("x", 11, "MKW*")
    rows = rows_of(genome, vcf("b\t6\t.\tA\tG", "b\t9\t.\tA\tG", "b\t2\t.\tC\tG"), tmp_path)
    assert [row["hgvs_p"] for row in rows] == ["p.(Met1=)", "p.(Lys2Glu)", None]


def test_exons_of_a_gtf(tmp_path):
    (tmp_path / "toy.fa").write_text(f">toy\n{FORWARD}\n")
    ids = 'gene_id "g"; transcript_id "t";'
    lines = [
        f"toy\tx\t{kind}\t{start}\t{end}\t.\t+\t{phase}\t{ids}\n"
        for kind, start, end, phase in (
            ("exon", 11, 26, "."),
            ("CDS", 17, 26, 0),
            ("exon", 47, 70, "."),
            ("CDS", 47, 57, 2),
            ("stop_codon", 58, 60, 0),
        )
    ]
    (tmp_path / "toy.gtf").write_text("".join(lines))
    (transcript,) = read_genome(tmp_path / "toy.fa", tmp_path / "toy.gtf").references["toy"].transcripts
    assert transcript.exons == ((10, 26), (46, 70))
    assert transcript.protein == "MKAWPKT*"


def test_every_kind_of_file_gives_the_same(tmp_path):
    text = HEAD.replace("#CHROM", "##contig=<ID=toy,length=80>\n#CHROM") + "toy\t20\tv\tA\tG,T\t.\t.\t.\n"
    (tmp_path / "plain.vcf").write_text(text)
    (tmp_path / "zipped.vcf.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "table.tsv").write_text("pos\tchrom\tref\talt\tid\n20\ttoy\tA\tG,T\tv\n")
    (tmp_path / "of_r.tsv").write_text('"chr"\t"pos"\t"ref"\t"alt"\t"id"\n"toy"\t20\t"A"\t"G,T"\t"v"\n')
    with (
        pysam.VariantFile(str(tmp_path / "plain.vcf")) as source,
        pysam.VariantFile(str(tmp_path / "binary.bcf"), "wb", header=source.header) as binary,
    ):
        for record in source:
            binary.write(record)
    found = {
        name: [one._replace(line=0) for one in read_alleles(tmp_path / name).alleles]
        for name in ("plain.vcf", "zipped.vcf.gz", "table.tsv", "of_r.tsv", "binary.bcf")
    }
    assert len({tuple(alleles) for alleles in found.values()}) == 1
    assert [one.alt for one in found["binary.bcf"]] == ["G", "T"]
    assert [one.line for one in read_alleles(tmp_path / "plain.vcf").alleles] == [4, 4]


def test_one_row_an_alt_in_the_order_of_the_file(genome, tmp_path):
    rows = rows_of(genome, vcf("toy\t59\tb\tAA\tA", "toy\t20\ta\tA\tG,T", "toy\t5\t.\tC\tG"), tmp_path)
    assert [(row["input_line"], row["pos"], row["ref"], row["alt"]) for row in rows] == [
        (3, 58, "TA", "T"),
        (4, 20, "A", "G"),
        (4, 20, "A", "T"),
        (5, 5, "C", "G"),
    ]
    assert [row["consequence"] for row in rows[1:]] == [
        "missense_variant",
        "stop_gained",
        "intergenic_variant",
    ]
    assert rows[1]["gene"] == "g"
    assert rows[1]["impact"] == "MODERATE"


def test_another_place_in_the_same_codon_is_flagged(genome, tmp_path):
    rows = rows_of(genome, vcf("toy\t20\t.\tA\tG", "toy\t21\t.\tA\tG", "toy\t24\t.\tC\tT"), tmp_path)
    assert [row["shares_codon"] for row in rows] == [True, True, False]
    rows = rows_of(genome, vcf("toy\t20\t.\tA\tG,C"), tmp_path)
    assert [row["shares_codon"] for row in rows] == [False, False]  # they exclude each other


@pytest.mark.parametrize("alt", ["<DEL>", "*", "A[toy:30["])
def test_symbols_have_a_status(genome, tmp_path, alt):
    (row,) = rows_of(genome, vcf(f"toy\t20\t.\tA\t{alt}"), tmp_path)
    assert (row["status"], row["alt"], row["score"]) == ("symbolic", alt, None)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("toy\t20\t.\tC\tG", "line 3: toy:20 C>G: REF is C, the genome has A there"),
        ("toy\t80\t.\tAC\tG", "lies beyond the contig, which has 80 nucleotides"),
        ("toy\t0\t.\tN\t<DEL>", "line 3: toy:0 N><DEL>: lies before the contig"),
        ("other\t20\t.\tA\tG", "the genome has no such contig"),
    ],
)
def test_what_does_not_fit_stops_or_is_counted(genome, tmp_path, record, message):
    with pytest.raises(UserError, match=message):
        rows_of(genome, vcf(record), tmp_path)
    alleles = read_alleles(tmp_path / "in.vcf").alleles
    done = annotate(alleles, genome, source="in.vcf", on_mismatch="skip")
    assert (done.rows, done.skipped.total()) == ([], 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("toy\tx\t.\tA\tG\n", "line 1: the position is 'x'"),
        ("toy\t" + "9" * 5000 + "\t.\tA\tG\n", "the position is '99999"),
        ("toy\t20\t.\n", "3 tab-separated columns"),
        ("toy\t20\t.\tA\t.\n", "has no variant"),
    ],
)
def test_faults_of_a_vcf(tmp_path, text, message):
    (tmp_path / "in.vcf").write_text("##fileformat=VCFv4.2\n" + text)
    with pytest.raises(UserError, match=message.replace("line 1", "line 2")):
        read_alleles(tmp_path / "in.vcf")


def test_faults_of_letters_and_of_a_table(genome, tmp_path):
    with pytest.raises(UserError, match="ALT is 'GQ', which is no nucleotides"):
        rows_of(genome, vcf("toy\t20\t.\tA\tGQ"), tmp_path)
    (tmp_path / "in.tsv").write_text("chrom\tpos\tref\ntoy\t20\tA\n")
    with pytest.raises(UserError, match="as a table has no column alt"):
        read_alleles(tmp_path / "in.tsv")
    (tmp_path / "in.tsv").write_text("chrom\tpos\tref\talt\tREF\ntoy\t20\tA\tG\tC\n")
    with pytest.raises(UserError, match="has 2 columns ref"):
        read_alleles(tmp_path / "in.tsv")


def test_a_cds_across_the_origin():
    """The gene turned so that the contig begins within its second exon."""
    gene = SplicedGene(1)
    turned = FORWARD[50:] + FORWARD[:50]
    parts = [(16 + 30, 26 + 30), (76, 80), (0, 10)]
    cds = gene.contig.coding_sequences[0]
    exons = tuple(type(cds.exons[0])(start, end, 1) for start, end in parts)
    contig = replace(gene.contig, nucleotides=encode_nucleotides(turned), circular=True)
    reference = Reference(contig, [replace(cds, exons=exons)], {})
    (transcript,) = reference.transcripts
    assert transcript.protein == "MKAWPKT*"
    assert [one.id for one in reference.touched(2, 3)] == ["t"]
    assert [one.id for one in reference.touched(60, 61)] == ["t"]
    assert list(reference.touched(20, 21)) == []
    given = alleles_of_rows([("toy", 80, "C", "CGGG", "."), ("toy", 80, "C", "CG", ".")], "test")
    whole, shifted = annotate(given.alleles, Genome({"toy": reference}), source="test").rows
    assert (whole.effect.hgvs_c, whole.effect.hgvs_p) == ("c.14_15insGGG", "p.(Pro5_Lys6insGly)")
    assert (whole.position, whole.ref, whole.alt) == (1, "A", "GGGA")
    assert shifted.effect.terms == ("frameshift_variant",)


def test_a_table_with_commas_and_columns_in_capitals(tmp_path):
    (tmp_path / "v.csv").write_text('"CHROM","POS","REF","ALT"\n"c",3,"A","C,G"\nc,5,T,A\n')
    found = read_alleles(tmp_path / "v.csv").alleles
    assert [(one.position, one.alt, one.line) for one in found] == [(3, "C", 2), (3, "G", 2), (5, "A", 3)]
    (tmp_path / "v.csv").write_text("\ufeffchrom;pos;ref;alt\r\nc;3;A;C,G\r\n", newline="")
    assert [one.alt for one in read_alleles(tmp_path / "v.csv").alleles] == ["C", "G"]
    pyarrow.parquet.write_table(
        pyarrow.table({"chrom": ["c"], "score": [0.5], "alt": ["G"], "pos": [3.0], "ref": ["A"]}),
        tmp_path / "v.parquet",
    )
    (one,) = read_alleles(tmp_path / "v.parquet").alleles
    assert (one.contig, one.position, one.ref, one.alt, one.line) == ("c", 3, "A", "G", 1)
    assert columns_of(["#CHROM", "x", "POS", "REF", "ALT"], "v") == {"chrom": 0, "pos": 2, "ref": 3, "alt": 4}
