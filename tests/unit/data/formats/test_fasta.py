"""FASTA as coding sequences and as RNA; the yeast's CDS against Biopython."""

import gzip
from collections import Counter

import pytest
from Bio import SeqIO

from lifecode.alphabet import decode_nucleotides
from lifecode.data import read_records
from lifecode.data.cds.coding_sequence import ExactPair, Rejected, Rejection, verify_all
from lifecode.genetic_code import residue_letters


@pytest.fixture
def judge(tmp_path):
    """The verdict on the only CDS of a FASTA record."""

    def of(sequence, header="x", **settings):
        (tmp_path / "c.fa").write_text(f">{header}\n{sequence}\n")
        (contig,) = read_records(f"cds:{tmp_path / 'c.fa'}", **settings)
        assert contig.molecule == "cds"
        (verdict,) = verify_all(contig)
        return verdict

    return of


@pytest.mark.parametrize(
    ("sequence", "reason"),
    [
        ("AAAAAATAA", Rejected.NO_START_CODON),
        ("ATGAAAAAA", Rejected.NO_STOP_CODON),
        ("ATGTAAAAATAA", Rejected.INTERNAL_STOP),
        ("ATGAAATA", Rejected.LENGTH_NOT_MULTIPLE_OF_3),
        ("ATGNAATAA", Rejected.AMBIGUOUS_NUCLEOTIDE),
        ("NTGAAATAA", Rejected.AMBIGUOUS_NUCLEOTIDE),
        ("ATGAAATAN", Rejected.AMBIGUOUS_NUCLEOTIDE),
        ("AT", Rejected.LENGTH_NOT_MULTIPLE_OF_3),
        ("TAA", Rejected.NO_START_CODON),
    ],
)
def test_cds_that_is_no_intact_reading_frame(judge, sequence, reason):
    assert judge(sequence).reason == reason


def test_intact_cds_is_kept_with_its_translation(judge):
    pair = judge("augaaauaa")
    assert decode_nucleotides(pair.nucleotides) == "ATGAAATAA"
    assert pair.coding_sequence.protein_source == "translated"


def test_genetic_code_and_alternative_starts(judge):
    assert judge("ATTAAATAA").reason == Rejected.NO_START_CODON
    assert isinstance(judge("ATTAAATAA", genetic_code=11), ExactPair)
    assert judge("ATGTGATAA").reason == Rejected.INTERNAL_STOP
    assert isinstance(judge("ATGTGATAA", genetic_code=4), ExactPair)
    assert isinstance(judge("ATGTGATGA", genetic_code=27), ExactPair)


@pytest.mark.parametrize(
    ("sequence", "exception", "location", "expected"),
    [
        ("ATGAAATGGT", "(pos:110,aa:TERM)", "101..110", "MKW"),
        ("ATGAAATGGT", "(pos:complement(101),aa:TERM)", "complement(101..110)", "MKW"),
        ("ATGAAATGGT", "(pos:201,aa:TERM)", "join(101..109,201)", "MKW"),
        ("ATGAAATGGTA", "(pos:complement(50..51),aa:TERM)", "complement(join(50..52,101..108))", "MKW"),
        ("ACGAAATGGTAA", "(pos:101..103,aa:Met)", "101..112", "MKW*"),
        ("ATGTGATGGTAA", "(pos:104..106,aa:Sec)", "101..112", Rejected.TRANSL_EXCEPT),
        ("ATGTGATGGTAA", "(pos:4..6,aa:Sec)", "101..112", Rejected.INTERNAL_STOP),
        ("ATGTGATGGTAA", "(pos:4..6,aa:Sec)", "mitochondrion", Rejected.TRANSL_EXCEPT),
    ],
)
def test_transl_except_of_a_cds_on_its_genome(judge, sequence, exception, location, expected):
    verdict = judge(sequence, f"x [transl_except={exception}] [location={location}]", genetic_code=1)
    found = verdict.reason if isinstance(verdict, Rejection) else residue_letters(verdict.amino_acids)
    assert found == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("[transl_table=4]", 4),
        ("[gcode=4]", 4),
        ("[location=mitochondrion] [gcode=1] [mgcode=4]", 4),
        ("# 1 # 9 # 1 # ID=1_1;partial=00;start_type=ATG;genetic_code=4;gc_cont=0.3", 4),
        ("transl_table=4", 4),
        ("[gcode=four]", 1),
    ],
)
def test_the_genetic_code_in_a_header(judge, header, expected):
    verdict = judge("ATGTGGTAA", f"x {header}")
    assert isinstance(verdict, ExactPair)
    assert (verdict.coding_sequence.genetic_code, verdict.coding_sequence.genetic_code_given) == (
        expected,
        expected != 1,
    )
    assert isinstance(judge("ATGTGATAA", f"x {header}"), ExactPair) == (expected == 4)


def test_header_of_ncbi(judge):
    header = "lcl|c_cds_P.1_1 [gene=abc] [locus_tag=b1] [protein_id=P.1] [gbkey=CDS]"
    one = judge("ATGAAATAA", header).coding_sequence
    assert (one.id, one.gene, one.gene_id) == ("P.1", "abc", "b1")
    assert judge("ATGAAATAA", header + " [pseudo=true]").reason == Rejected.PSEUDO
    assert judge("ATGAAATAA", header + " [partial=5']").reason == Rejected.PARTIAL
    assert judge("CATGAAATAA", header + " [frame=2]").reason == Rejected.PARTIAL
    assert judge("CATGAAATAA", header + " [codon_start=2]").reason == Rejected.PARTIAL
    assert judge("ATGAAATAA", header + " [exception=RNA editing]").reason == Rejected.EXCEPTION
    for words in ("[pseudogene=unknown]", "cds gene_biotype:polymorphic_pseudogene"):
        assert judge("ATGAAATAA", f"x {words}").reason == Rejected.PSEUDO
    for place in ("<1..9", "complement(join(1..3,6..>9))"):
        assert judge("ATGAAATAA", f"x [location={place}]").reason == Rejected.PARTIAL
    for words in (
        "# 1 # 9 # 1 # ID=1_1;partial=10;start_type=Edge",
        "ORF type:5prime_partial len:2",
        "Genus species abc (abc) gene, partial cds",
    ):
        assert judge("ATGAAATAA", f"x {words}").reason == Rejected.PARTIAL
    assert isinstance(judge("ATGAAATAA", "x # 1 # 9 # 1 # ID=1_1;partial=00;"), ExactPair)
    recoded = judge("ATGTGATAA", header + " [transl_except=(pos:4..6,aa:Sec)]")
    assert recoded.reason == Rejected.TRANSL_EXCEPT


def test_rna_has_no_cds(shared_data):
    path = shared_data("ncrna/human_noncoding_RNA_4000.fa.gz")
    contigs = list(read_records(f"rna:{path}"))
    assert len(contigs) == 4000
    assert {contig.molecule for contig in contigs} == {"rna"}
    assert not any(contig.coding_sequences for contig in contigs)


def test_yeast_cds_against_biopython(shared_data):
    path = shared_data("genomes/yeast_cds_R64_ensembl107.fa.gz")
    expected = set()
    with gzip.open(path, "rt") as handle:
        for record in SeqIO.parse(handle, "fasta"):
            protein = record.seq.translate() if len(record) % 3 == 0 else ""
            starts = str(record.seq[:3]) in ("ATG", "CTG", "TTG")
            if starts and protein.find("*") == len(protein) - 1:
                expected.add(record.id)
    kept, reasons = set(), Counter()
    for contig in read_records(f"cds:{path}"):
        (verdict,) = verify_all(contig)
        if isinstance(verdict, ExactPair):
            kept.add(contig.name)
        else:
            reasons[verdict.reason] += 1
            # Mitochondrial genes (Q…) have code 3; four nuclear ones lack their short first exon here.
            assert contig.name[0] == "Q" or verdict.reason == Rejected.NO_START_CODON
    assert kept == expected
    assert (len(kept), reasons) == (6575, {Rejected.INTERNAL_STOP: 16, Rejected.NO_START_CODON: 9})
