"""By which genetic code a contig is read, and why: the key, /transl_table, the proteins, the default."""

import numpy as np
import pytest

from lifecode.alphabet import encode_nucleotides
from lifecode.data import read_records
from lifecode.data.cds.coding_sequence import ExactPair, Rejected, verify_all
from lifecode.data.formats.organelles import organelle_named
from lifecode.data.reading.contig_codes import AskedCodes, with_genetic_code
from lifecode.data.reading.lines import genetic_code_lines
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.data.translation import translate
from lifecode.errors import UserError

SENSE = (
    "GCA",
    "TGC",
    "GAC",
    "GAG",
    "TTC",
    "GGT",
    "CAT",
    "ATT",
    "AAG",
    "CTG",
    "CCA",
    "CAG",
    "CGT",
    "TCT",
    "ACT",
)
NOTHING = AskedCodes.of(None)


def contig(*genes, name="c", **fields):
    """A contig of genes (start, inner codons, code of its protein or None, fields of its CDS)."""
    dna, coding = "", []
    for number, (start, inner, code, more) in enumerate(genes):
        gene = start + "".join(inner) + "TAA"
        protein = None if code is None else "M" + translate(gene, code)[1:-1]
        coding.append(
            CodingSequence(
                f"g{number}",
                None,
                (Exon(len(dna), len(dna) + len(gene), 1),),
                protein=protein,
                protein_source="annotated" if protein else "translated",
                **more,
            )
        )
        dna += gene
    return Contig(name, encode_nucleotides(dna), "by hand", coding_sequences=tuple(coding), **fields)


def gene(code, start="ATG", inner=(), **more):
    return (start, (*SENSE, *inner), code, more)


def chosen(contig, asked=NOTHING):
    read = with_genetic_code(contig, asked)
    kept = sum(isinstance(verdict, ExactPair) for verdict in verify_all(read))
    return (*read.code_choice[:2], kept)


ATA = gene(1, inner=("ATA",))
MITO = gene(2, inner=("ATA", "TGA"))
GIVEN = gene(4, inner=("TGA",), genetic_code=4, genetic_code_given=True)
PLAIN = gene(None)
READ_THROUGH = gene(16, inner=("TAG",), transl_except=("(pos:49..51,aa:Leu)",))
"""Of which the last codon but one is a stop that the ribosome reads through, as in many viruses."""


@pytest.mark.parametrize(
    ("genes", "expected"),
    [
        ([gene(1)], (1, "vote", 1)),
        ([gene(1), gene(1), gene(11, "GTG")], (11, "vote", 3)),
        ([gene(11, "GTG")], (11, "vote", 1)),
        ([gene(16, inner=("TAG",))], (16, "vote", 1)),
        ([READ_THROUGH], (1, "default", 0)),
        ([gene(1), gene(1), gene(28, inner=("TAG", "TGA"))], (1, "vote", 2)),  # by code 28 all three
        ([gene(1), gene(28, inner=("TAG", "TGA")), gene(28, inner=("TAA",))], (28, "vote", 3)),
        ([READ_THROUGH, gene(1)], (1, "vote", 1)),
        ([MITO, MITO], (2, "vote", 2)),
        ([gene(4, inner=("TGA",))], (4, "vote", 1)),
        ([gene(3, inner=("ATA", "TGA", "CTG"))], (3, "vote", 1)),
        ([gene(5, inner=("ATA", "TGA", "AGA"))], (5, "vote", 1)),
        ([gene(12)], (12, "vote", 1)),  # CTG is serine
        ([MITO, ATA, ATA], (1, "vote", 2)),
        ([MITO, PLAIN], (2, "vote", 2)),
        ([GIVEN, PLAIN], (4, "transl_table", 2)),
        ([GIVEN, MITO, MITO], (4, "transl_table", 1)),
        ([PLAIN], (1, "default", 1)),
        ([], (1, "default", 0)),
    ],
)
def test_transl_table_goes_before_the_vote_and_the_vote_before_the_default(genes, expected):
    assert chosen(contig(*genes)) == expected


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (4, (4, "key", 1)),
        (1, (1, "key", 0)),
        ({"NC_1.2": 4}, (4, "key", 1)),
        ({"NC_1": 1}, (1, "key", 0)),
        ({"other": 1}, (4, "transl_table", 1)),
        ({"other": 1, "default": 1}, (4, "transl_table", 1)),
    ],
)
def test_the_key_goes_before_transl_table_and_its_default_does_not(setting, expected):
    assert chosen(contig(GIVEN, name="NC_1.2"), AskedCodes.of(setting)) == expected


def test_a_key_against_the_word_of_the_file_is_counted():
    read = with_genetic_code(contig(GIVEN, GIVEN, MITO), AskedCodes.of(1))
    assert read.code_choice == (1, "key", 0, 2)
    entry = {
        "genetic_code": 1,
        "because": "key",
        "agree": 0,
        "voters": 2,
        "contigs": 1,
        "cds": 3,
        "first": ["c"],
    }
    said = "genetic code 1 as data.reading.genetic_code says, against /transl_table of 2 CDS: c (3 CDS)"
    assert genetic_code_lines({"read": [{"genetic_codes": [entry]}]}) == [said]
    entry |= {"agree": 2}
    assert "against" not in genetic_code_lines({"read": [{"genetic_codes": [entry]}]})[0]


def test_the_number_of_proteins_that_agree_is_told():
    read = with_genetic_code(contig(MITO, MITO, gene(1, inner=("TGG", "ATA"))), NOTHING)
    assert read.code_choice == (2, "vote", 2, 3)


@pytest.mark.parametrize("setting", [None, {"other": 2}])
def test_an_organelle_without_proteins_is_left_out_by_a_reason_of_its_own(setting):
    for known in ({"name": "MT"}, {"name": "x", "organelle": "mitochondrion"}):
        read = with_genetic_code(contig(gene(None, inner=("ATA",)), **known), AskedCodes.of(setting))
        assert [verdict.reason for verdict in verify_all(read)] == [Rejected.ORGANELLE_GENETIC_CODE]


@pytest.mark.parametrize(
    ("genes", "setting", "expected"),
    [
        ([PLAIN], 2, (2, "key", 1)),
        ([PLAIN], {"MT": 2, "default": 1}, (2, "key", 1)),
        ([PLAIN], {"default": 1}, (1, "default", 1)),
        ([MITO], None, (2, "vote", 1)),
        ([GIVEN], None, (4, "transl_table", 1)),
    ],
)
def test_an_organelle_is_read_where_something_says_how(genes, setting, expected):
    assert chosen(contig(*genes, name="MT"), AskedCodes.of(setting)) == expected


@pytest.mark.parametrize(
    "name",
    [
        "MT",
        "M",
        "chrM",
        "chrMT",
        "ChrM",
        "Mito",
        "mito",
        "MtDNA",
        "mitochondrion",
        "mitochondrion_genome",
        "dmel_mitochondrion_genome",
        "Pt",
        "chrPt",
        "ChrC",
        "Pltd",
        "chloroplast",
        "Chloroplast",
        "chrMito",
        "chr_M",
        "Pf_M76611_mitochondrion",
        "Pf3D7_MIT_v3",
        "Pf3D7_API_v3",
        "PKNH_MIT",
        "scaffold_MT",
        "SUPER_MT",
        "contig_chloro",
        "mt_genome",
        "mtGenome",
    ],
)
def test_names_of_organelles(name):
    assert organelle_named(name)


@pytest.mark.parametrize(
    "name",
    [
        "1",
        "X",
        "chr1",
        "C",
        "I",
        "IV",
        "chrUn_MT1",
        "Prochlorococcus_MIT_9313",
        "NODE_1_MIT",
        "MTX1",
        "scaffold_M12",
        "scaffold_M",
        "contig_c",
        "ctg_P",
        "NC_012920.1",
        "Mt3.5_chr1",
        "chrX",
        "P",
        "p",
    ],
)
def test_names_of_others(name):
    assert organelle_named(name) is None


def fasta(path, **records):
    path.write_text("".join(f">{name}\n{dna}\n" for name, dna in records.items()))
    return path


def test_keys_by_name_reach_every_reader_and_unknown_names_are_told(tmp_path):
    path = fasta(tmp_path / "a.fa", one="ATGTGATAA", two="GTGAAATAA")
    kept = [
        isinstance(verdict, ExactPair)
        for contig in read_records(f"cds:{path}", genetic_code={"one": 4, "default": 11})
        for verdict in verify_all(contig)
    ]
    assert kept == [True, True]
    with pytest.raises(UserError, match=r"no contig is named MT.*There are one, two"):
        list(read_records(path, genetic_code={"MT": 2}))
    with pytest.raises(UserError, match="genetic code 7 does not exist"):
        read_records(path, genetic_code={"one": 7})


def test_proteins_are_written_by_the_key_or_its_default(tmp_path):
    (tmp_path / "p.fa").write_text(">p\nMWWW\n")
    for setting, code in ((None, 1), (4, 4), ({"default": 4}, 4)):
        (read,) = read_records(f"protein:{tmp_path / 'p.fa'}", genetic_code=setting)
        assert read.genetic_code == read.coding_sequences[0].genetic_code == code


@pytest.mark.parametrize(
    ("header", "left_out"),
    [
        ("q cds chromosome:R64-1-1:Mito:13818:26701:1 gene:q", True),
        ("q cds chromosome:R64-1-1:IV:13818:26701:1 gene:q description:mitochondrial protein", False),
    ],
)
def test_ensembl_says_on_which_contig_a_cds_lies(tmp_path, header, left_out):
    (tmp_path / "c.fa").write_text(f">{header}\nATGAAATAA\n")
    (read,) = read_records(f"cds:{tmp_path / 'c.fa'}")
    (verdict,) = verify_all(read)
    assert isinstance(verdict, ExactPair) != left_out


def test_a_vote_does_not_depend_on_the_order_of_the_genes():
    genes = [MITO, gene(1), MITO, gene(11, "GTG"), MITO]
    orders = [np.random.default_rng(seed).permutation(5) for seed in range(5)]
    choices = {with_genetic_code(contig(*[genes[i] for i in order]), NOTHING).code_choice for order in orders}
    assert len(choices) == 1


def test_a_cds_is_named_by_its_chromosome_too(tmp_path):
    path = tmp_path / "a.fa"
    path.write_text(">T1 cds chromosome:GRCh38:MT:3307:3315:1 gene:G1\nATGTGATAA\n")
    (contig,) = read_records(f"cds:{path}", genetic_code={"MT": 2})
    assert (contig.organelle, contig.genetic_code) == ("mitochondrion", 2)
    path.write_text(">T1 [location=mitochondrion] [organism=x]\nATGTGATAA\n")
    assert [contig.organelle for contig in read_records(path)] == ["mitochondrion"]
