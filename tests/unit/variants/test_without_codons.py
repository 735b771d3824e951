"""RNA genes and pseudogenes are transcripts too, of which no codon is read."""

import pytest

from lifecode.variants.annotate import annotate
from lifecode.variants.consequence.terms import joined
from lifecode.variants.reading.allele_tables import alleles_of_rows
from lifecode.variants.reading.genome import read_genome

SEQUENCE = "A" * 10 + "ATGAAATGGTAA" + "C" * 20 + "GATTACAGGC" * 10 + "T" * 20
"""A gene at 11 to 22; letters 43 to 142 are of what is no CDS."""
CDS = "c\tx\tgene\t11\t22\t.\t+\t.\tID=g\nc\tx\tCDS\t11\t22\t.\t+\t0\tID=cds;Parent=g\n"
RNA = (
    "c\tx\tgene\t43\t142\t.\t+\t.\tID=gr;gene=ssrA\n"
    "c\tx\tncRNA\t43\t142\t.\t+\t.\tID=r;Parent=gr;gene=ssrA\n"
    "c\tx\texon\t43\t82\t.\t+\t.\tParent=r\nc\tx\texon\t103\t142\t.\t+\t.\tParent=r\n"
)


def judged(genome, *rows):
    given = alleles_of_rows([("c", *row, ".") for row in rows], "test")
    return [
        (row.transcript and row.transcript.id, joined(row.effect.terms), row.effect.hgvs_c, row.effect.status)
        for row in annotate(given.alleles, genome, source="test").rows
    ]


def gff(tmp_path, text):
    (tmp_path / "g.fa").write_text(f">c\n{SEQUENCE}\n")
    (tmp_path / "g.gff3").write_text("##gff-version 3\n" + text)
    return read_genome(tmp_path / "g.fa", tmp_path / "g.gff3")


def test_exons_introns_and_splice_sites_of_an_rna(tmp_path):
    genome = gff(tmp_path, CDS + RNA)
    assert judged(
        genome,
        (43, "G", "A"),
        (83, "G", "A"),
        (92, "C", "T"),
        (103, "GA", "G"),
        (30, "C", "G"),
        (14, "A", "G"),
    ) == [
        ("r", "non_coding_transcript_exon_variant", "n.1G>A", "outside_cds"),
        ("r", "splice_donor_variant&non_coding_transcript_variant", "n.40+1G>A", "intron"),
        ("r", "intron_variant&non_coding_transcript_variant", "n.40+10C>T", "intron"),
        ("r", "splice_region_variant&non_coding_transcript_exon_variant", "n.42del", "outside_cds"),
        (None, "intergenic_variant", "", "intergenic"),
        ("cds", "missense_variant", "c.4A>G", "coding"),
    ]
    assert genome.references["c"].transcripts[1].gene == "ssrA"


def test_all_of_an_rna_deleted(tmp_path):
    genome = gff(tmp_path, CDS + RNA)
    ((name, terms, *_),) = judged(genome, (42, SEQUENCE[41:143], "C"))
    assert (name, terms) == ("r", "transcript_ablation")
    ((_, symbolic, _, _),) = judged(genome, (40, "C", "<CNV>"))[:1]
    assert symbolic == "intergenic_variant"


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ("c\tx\ttRNA\t43\t142\t.\t-\t.\tID=t1;locus_tag=L1\n", "t1"),  # as Prokka writes it
        ("c\tx\tpseudogene\t43\t142\t.\t-\t.\tID=p1\n", "p1"),
        (
            "c\tx\tpseudogene\t43\t142\t.\t-\t.\tID=p1;pseudo=true\n"
            "c\tx\tCDS\t43\t142\t.\t-\t0\tID=p;Parent=p1;pseudo=true\n",
            "p",
        ),
        (
            "c\tx\tpseudogene\t43\t142\t.\t-\t.\tID=p1\n"
            "c\tx\tpseudogenic_transcript\t43\t142\t.\t-\t.\tID=p2;Parent=p1\n",
            "p2",
        ),
    ],
)
def test_forms_of_annotation(tmp_path, lines, name):
    assert judged(gff(tmp_path, CDS + lines), (142, "C", "T")) == [
        (name, "non_coding_transcript_exon_variant", "n.1G>A", "outside_cds")
    ]


def test_a_transcript_with_a_cds_is_no_rna(tmp_path):
    lines = CDS.replace("Parent=g", "Parent=m") + "c\tx\ttranscript\t5\t40\t.\t+\t.\tID=m;Parent=g\n"
    assert [row[::3] for row in judged(gff(tmp_path, lines), (14, "A", "G"))] == [("m", "coding")]


def test_a_transcript_of_a_gtf(tmp_path):
    (tmp_path / "g.fa").write_text(f">c\n{SEQUENCE}\n")
    lines = [
        f'c\tx\t{kind}\t{start}\t{end}\t.\t+\t{phase}\tgene_id "{gene}"; transcript_id "{gene}.1";\n'
        for kind, start, end, phase, gene in (
            ("transcript", 11, 22, ".", "g"),
            ("exon", 11, 22, ".", "g"),
            ("CDS", 11, 22, "0", "g"),
            ("transcript", 43, 142, ".", "r"),
            ("exon", 43, 142, ".", "r"),
        )
    ]
    (tmp_path / "g.gtf").write_text("".join(lines))
    genome = read_genome(tmp_path / "g.fa", tmp_path / "g.gtf")
    assert [row[0] for row in judged(genome, (14, "A", "G"), (64, "A", "G"))] == ["g.1", "r.1"]


def test_features_of_a_flat_file(tmp_path):
    (tmp_path / "g.gb").write_text(
        f"""LOCUS       c                  {len(SEQUENCE)} bp    DNA     linear   BCT 01-JAN-2000
FEATURES             Location/Qualifiers
     CDS             11..22
                     /locus_tag="g"
                     /transl_table=11
                     /translation="MKW"
     tRNA            complement(43..142)
                     /gene="trnA"
                     /locus_tag="L1"
ORIGIN
        1 {SEQUENCE.lower()}
//
"""
    )
    genome = read_genome(tmp_path / "g.gb")
    assert judged(genome, (142, "C", "T"))[0][:3] == ("L1", "non_coding_transcript_exon_variant", "n.1G>A")
    assert genome.references["c"].transcripts[1].gene == "trnA"
