"""Proteins as coding sequences: FASTA and Swiss-Prot, most frequent and sampled codons, against Biopython."""

import gzip
from collections import Counter

import numpy as np
import pytest
import python_codon_tables
from Bio import SeqIO, SwissProt
from Bio.Seq import Seq

from lifecode.alphabet import decode_nucleotides
from lifecode.data import read_records
from lifecode.data.cds.coding_sequence import ExactPair, Rejected, verify_all
from lifecode.data.formats.swissprot import parse_entry
from lifecode.data.translation import reverse_translate
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code
from tests.support.flat_records import SWISSPROT_ENTRY


@pytest.fixture
def read(tmp_path):
    """The contigs of a file with the given content."""

    def of(content, prefix="", **settings):
        path = tmp_path / "p.txt"
        path.write_bytes(content)
        return list(read_records(f"{prefix}{path}", **settings))

    return of


def test_protein_is_one_cds_of_three_nucleotides_a_residue(read):
    (contig,) = read(b">sp|P1|X some words\nMKV\nlefqipw\n")
    (pair,) = verify_all(contig)
    assert (contig.molecule, contig.name, len(contig.nucleotides)) == ("protein", "sp|P1|X", 30)
    assert decode_nucleotides(pair.nucleotides) == reverse_translate("MKVLEFQIPW")
    assert pair.coding_sequence.protein_source == "annotated"


@pytest.mark.parametrize(
    ("protein", "reason", "detail"),
    [
        ("MKU", Rejected.TRANSL_EXCEPT, "(pos:7..9,aa:Sec)"),
        ("OMK", Rejected.TRANSL_EXCEPT, "(pos:1..3,aa:Pyl)"),
        ("MKUX", Rejected.TRANSL_EXCEPT, "(pos:7..9,aa:Sec)"),
        ("MBZJ", Rejected.AMBIGUOUS_NUCLEOTIDE, "9 of 12 nucleotides"),
        ("MK*P", Rejected.INTERNAL_STOP, "codon 3 of 4"),
    ],
)
def test_residues_without_a_codon_of_their_own(read, protein, reason, detail):
    (contig,) = read(f">p\n{protein}\n".encode(), "protein:")
    (verdict,) = verify_all(contig)
    assert (verdict.reason, verdict.detail) == (reason, detail)


def test_stop_at_the_end_of_a_protein_is_a_stop_codon(read):
    (contig,) = read(b">p\nMK*\n", "protein:")
    (pair,) = verify_all(contig)
    assert decode_nucleotides(pair.nucleotides)[6:] in ("TAA", "TAG", "TGA")


@pytest.mark.parametrize("residue", "LVI")
def test_first_residue_written_as_a_start_codon_stays_what_it_is(read, residue):
    # L is often CTG, which can start a CDS and would then read M.
    (contig,) = read(f">p\n{residue}K\n".encode(), "protein:", genetic_code=11)
    assert isinstance(next(verify_all(contig)), ExactPair)


def test_sampled_codons_are_a_function_of_seed_and_name(read):
    content = b">a\n" + b"LSR" * 40 + b"\n>b\n" + b"LSR" * 40 + b"\n"

    def codons(content=content, **settings):
        contigs = read(content, "protein:", codon_choice="sampled", **settings)
        return {contig.name: decode_nucleotides(contig.nucleotides) for contig in contigs}

    first = codons(seed=1)
    assert first["a"] != first["b"]
    assert codons(seed=1) == first
    assert codons(seed=2)["a"] != first["a"]
    assert codons(content[content.index(b">b") :], seed=1)["b"] == first["b"]


def test_sampled_codons_have_the_shares_of_the_table():
    dna = genetic_code(1).reverse_translate(
        "L" * 20_000, "h_sapiens_9606", generator=np.random.default_rng(0)
    )
    found = Counter(dna[i : i + 3] for i in range(0, len(dna), 3))
    shares = python_codon_tables.get_codons_table("h_sapiens_9606")["L"]
    for codon, share in shares.items():
        assert found[codon] / 20_000 == pytest.approx(share / sum(shares.values()), abs=0.015)


def test_organism_chooses_the_codon(read):
    dna = {}
    for organism in ("e_coli", "s_cerevisiae_4932"):
        (contig,) = read(b">p\nMLLLLLEFQ\n", "protein:", organism=organism)
        dna[organism] = decode_nucleotides(contig.nucleotides)
    assert (dna["e_coli"][3:6], dna["s_cerevisiae_4932"][3:6]) == ("CTG", "TTG")


@pytest.mark.parametrize("setting", [{"organism": "yeti"}, {"genetic_code": 7}])
def test_setting_that_does_not_exist_is_told_before_reading(setting):
    with pytest.raises(UserError, match=r"yeti|code 7"):
        read_records("ecoli", **setting)


def test_entry_of_swissprot_by_hand(read):
    (contig,) = read(SWISSPROT_ENTRY.replace(b"\n", b"\r\n"))
    (one,) = contig.coding_sequences
    assert (contig.name, contig.organism, contig.taxon) == ("P12345", "Escherichia coli", 83333)
    assert (one.gene, one.protein) == ("abcD", "MKVLEFQIPWY")


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ((b"IPW Y", b"IPW"), "P12345 states 11 residues and has 10"),
        ((b"   11 AA;", b"    x AA;"), "no number of residues"),
        ((b"//", b""), "does not go from an ID line"),
        ((b"\nSQ ", b"\nXX "), "does not go from an ID line"),
        ((b"//", b"//\ngarbage"), "does not go from an ID line"),
        ((b"AC   P12345; Q1;", b""), "no accession"),
    ],
)
def test_damaged_entry(damage, complaint):
    with pytest.raises(UserError, match=complaint):
        parse_entry(SWISSPROT_ENTRY.replace(*damage))


def test_letter_that_is_no_residue_names_record_and_position(read):
    with pytest.raises(UserError, match=r"p\.txt, record q: letter '1' at position 3 is not an amino acid"):
        read(b">p\nMKV\n>q\nMK1\n", "protein:")


def test_swissprot_file_against_biopython(shared_data):
    path = shared_data("proteins/swissprot_100.dat.gz")
    with gzip.open(path, "rt") as handle:
        theirs = list(SwissProt.parse(handle))
    ours = list(read_records(path))
    assert len(ours) == 100
    for contig, record in zip(ours, theirs, strict=True):
        (one,) = contig.coding_sequences
        assert (contig.name, one.protein) == (record.accessions[0], record.sequence)
        assert str(contig.taxon) == record.taxonomy_id[0]
        assert record.organism.startswith(contig.organism)
    verdicts = [next(verify_all(contig)) for contig in ours]
    # P35707 has an X.
    rejected = [one.reason for one in verdicts if not isinstance(one, ExactPair)]
    assert rejected == [Rejected.AMBIGUOUS_NUCLEOTIDE]


@pytest.mark.slow
@pytest.mark.parametrize("choice", ["frequent", "sampled"])
def test_20000_uniprot_proteins_come_back_exactly(shared_data, choice):
    path = shared_data("proteins/mmseqs2_uniprot_20000.fasta.gz")
    with gzip.open(path, "rt") as handle:
        proteins = [str(record.seq) for record in SeqIO.parse(handle, "fasta")]
    verdicts = []
    for contig, protein in zip(read_records(path, codon_choice=choice), proteins, strict=True):
        back = str(Seq(decode_nucleotides(contig.nucleotides)).translate())
        assert back == protein.translate(str.maketrans("BZ", "XX"))
        verdicts += verify_all(contig)
    assert len(verdicts) == 20_000
    # 236 proteins hold a B, X or Z, which no codon spells.
    kept = [isinstance(verdict, ExactPair) for verdict in verdicts]
    assert kept == [not set("BXZ") & set(protein) for protein in proteins]
    assert sum(kept) == 19_764
