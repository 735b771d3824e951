"""What single programs and databases write in a way of their own."""

import pytest
from Bio.Seq import Seq

from lifecode.data import read_records
from tests.support.gff_dialects import GENE_AND_MRNA, GENOME, PROTEINS, gff3
from tests.support.gff_genome import GENES, annotated, coding

TERM = "TAA stop codon is completed by the addition of 3' A residues to the mRNA"


def row(kind, start, end, strand, phase, column, source="x"):
    return "\t".join(map(str, ("ctg1", source, kind, start, end, ".", strand, phase, column))) + "\n"


def name(g, i):
    return f'CDS "B.{g.number}"'


SPANS = [row("CDS", g.exons[0][0], g.exons[-1][1], g.strand, ".", f"{name(g, 0)} ; Note x") for g in GENES]


@pytest.mark.parametrize("spans", [SPANS, SPANS[:1], SPANS[2:]], ids=["all", "first", "last"])
@pytest.mark.parametrize("first", [True, False])
def test_a_cds_line_over_all_coding_exons_is_no_cds(judged, spans, first):
    """GFF2 of WormBase."""
    exons = annotated(name, kind="coding_exon")
    text = "".join(spans) + exons if first else exons + "".join(spans)
    verdicts, contig = judged(text)
    assert sorted(verdicts) == sorted(PROTEINS)
    assert sorted(len(cds.exons) for cds in contig.coding_sequences) == [1, 3, 3]


def test_coding_exons_that_are_the_cds_lines_again_are_nothing(judged):
    again = annotated(lambda g, i: f"ID=e{g.number}{i};Parent=e{g.number}", kind="coding_exon")
    for text in (again, annotated(gff3, kind="coding_exon")):
        assert judged(annotated(gff3, GENE_AND_MRNA) + text)[0] == PROTEINS


def test_exonerate_names_genes_alone(judged):
    text, source = "", "exonerate:protein2genome:local"
    for g in GENES:
        span = g.exons[0][0], g.exons[-1][1], g.strand
        text += "# --- START OF GFF DUMP ---\n#\n##gff-version 2\n"
        text += row("gene", *span, ".", f"gene_id 0 ; sequence prot{g.number} ; gene_orientation +", source)
        for start, end, _ in g.parts:
            text += row("cds", start, end, g.strand, ".", "", source)
            text += row("exon", start, end, g.strand, ".", "insertions 0 ; deletions 0", source)
        text += row("similarity", *span, ".", f"alignment_id 0 ; Query prot{g.number} ; Align 1 2 3", source)
    verdicts, contig = judged(text)
    assert verdicts == PROTEINS
    assert [cds.id for cds in contig.coding_sequences] == ["prot1:4", "prot2:15", "prot3:26"]


@pytest.mark.parametrize("isoforms", ["all", "longest"])
def test_a_gene_id_at_several_places_is_several_genes(judged, isoforms):
    above = [
        [("gene", "ID=g"), ("mRNA", f"ID=rna{g.number};Parent=g"), ("mRNA", f"ID=b{g.number};Parent=g")]
        for g in GENES
    ]
    text = annotated(lambda g, i: f"ID=c{g.number};Parent=rna{g.number}", lambda g: above[g.number - 1])
    text += annotated(lambda g, i: f"ID=d{g.number};Parent=b{g.number}")
    verdicts, contig = judged(text, isoforms=isoforms)
    assert verdicts == PROTEINS + (PROTEINS if isoforms == "all" else ["shorter_isoform"] * 3)
    assert [cds.gene_id for cds in contig.coding_sequences] == ["g", "g#2", "g#3"] * 2


@pytest.mark.parametrize(
    ("names", "genes"),
    [
        (("NM_1", "NM_1_dup1", "NM_1_dup2"), ["S", "S#2", "S#3"]),
        (("NM_1.2", "NM_1.2_2", "NM_1.2_3"), ["S", "S#2", "S#3"]),
        (("NM_1", "NM_2", "NM_3"), ["S", "S", "S"]),  # isoforms whose CDS lie apart
    ],
)
def test_transcripts_that_ucsc_numbers_are_copies_of_a_gene(judged, names, genes):
    text = annotated(lambda g, i: f'gene_id "S"; transcript_id "{names[g.number - 1]}";', source="refGene")
    assert [cds.gene_id for cds in judged(text)[1].coding_sequences] == genes


def test_lines_that_begin_like_a_header(judged):
    assert judged(annotated(gff3).replace("ctg1", ">ctg1"))[0] == PROTEINS


def test_names_in_latin_1_stay_apart(judged):
    text = annotated(lambda g, i: f"Parent=g{'éèê'[g.number - 1]}ne")
    verdicts, contig = judged(text.encode("latin-1"))
    assert verdicts == PROTEINS
    assert [cds.id for cds in contig.coding_sequences] == ["géne", "gène", "gêne"]


def test_a_sequence_named_by_its_whole_header(tmp_path):
    """MetaGeneMark."""
    text = annotated(gff3)
    (tmp_path / "g.gff").write_text(text.replace("ctg1", "ctg 1") + text.replace("ctg1", "ctg 2"))
    (tmp_path / "g.fa").write_text(f">ctg 1\n{GENOME}\n>ctg 2\n{GENOME}A\n")
    found = list(read_records(str(tmp_path / "g.*")))
    assert [len(contig.coding_sequences) for contig in found] == [3, 3]
    assert [contig.annotated_as for contig in found] == ["ctg 1", "ctg 2"]


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize(
    ("note", "letters", "expected"),
    [
        (f"Note={TERM}", "TA", "MKP"),
        (f"Note={TERM}", "T", "MKP"),
        ("Note=other%2C termination codon completed by polyadenylation", "T", "MKP"),
        ("Note=complete", "TA", "length_not_multiple_of_3"),
        (f"Note={TERM};transl_except=(pos:1..3%2Caa:Met)", "TA", "length_not_multiple_of_3"),
        (f"Note={TERM}", "TAA", "MKP*"),
        (f"Note={TERM}", "", "no_stop_codon"),
    ],
)
def test_a_note_that_polyadenylation_completes_the_stop_codon(judged, strand, note, letters, expected):
    gene = "ATGAAACCC" + letters
    sequence = "CC" + gene + "CCCC"
    place = (3, 2 + len(gene))
    if strand == "-":
        sequence = str(Seq(sequence).reverse_complement())
        place = (5, 4 + len(gene))
    assert judged(row("CDS", *place, strand, 0, f"ID=c;{note}"), sequence)[0] == [expected]


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        ("RNA editing", "exception"),
        ("trans-splicing%2C RNA%20editing", "exception"),
        ("rearrangement required for product", "exception"),
        ("annotated by transcript or proteomic data", PROTEINS[2]),  # an allele
        ("nonconsensus splice site", PROTEINS[2]),
    ],
)
@pytest.mark.parametrize("where", ["CDS", "mRNA"])
def test_codons_that_the_protein_does_not_follow(judged, exception, expected, where):
    told = {where: f";exception={exception}"}
    above = [("gene", "ID=gene3"), ("mRNA", "ID=rna3;Parent=gene3" + told.get("mRNA", ""))]
    text = annotated(lambda g, i: gff3(g, i) + told.get("CDS", ""), lambda g: above, genes=GENES[2:])
    assert judged(text)[0] == [expected]


@pytest.mark.parametrize(
    ("kind", "codon"),
    [
        ("stop_codon_redefined_as_selenocysteine", "TGA"),
        ("SO:0000885", "TGA"),
        ("stop_codon_redefined_as_pyrrolysine", "TAG"),
    ],
)
def test_recoded_stop_codons_by_their_terms(judged, kind, codon):
    frame = coding(50, 8)
    frame = frame[:60] + codon + frame[63:]
    text = row("mRNA", 11, 160, "+", ".", "ID=t") + row("CDS", 11, 160, "+", 0, "ID=c;Parent=t")
    text += row(kind, 71, 73, "+", ".", "ID=s;Parent=t")
    verdicts, contig = judged(text, "C" * 10 + frame + "CCC")
    assert verdicts == ["transl_except"]
    assert ("Pyl" in contig.coding_sequences[0].transl_except[0]) == ("pyrro" in kind)


def test_blanks_around_positions(judged):
    text = annotated(gff3).replace("\t1490\t.\t+\t0\t", "\t 1490 \t.\t + \t 0 \t")
    assert judged(text)[0] == PROTEINS
