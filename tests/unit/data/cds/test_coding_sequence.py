import gzip
from collections import Counter
from dataclasses import replace

import pytest
from Bio import SeqIO
from Bio.Data import CodonTable

from lifecode.alphabet import AMINO_ACIDS, decode_nucleotides, encode_nucleotides
from lifecode.data import packaged_genomes, read_records
from lifecode.data.cds.coding_sequence import ExactPair, Rejected, verify, verify_all
from lifecode.data.records import CodingSequence, Contig, Exon

GENE = "ATGAAACCCTAA"
STARTS = CodonTable.unambiguous_dna_by_id[11].start_codons


def judge(dna=GENE, protein="MKP", code=11, **changes):
    cds = CodingSequence("cds", None, (Exon(0, len(dna), 1),), genetic_code=code, protein=protein)
    return verify(replace(cds, **changes), Contig("contig", encode_nucleotides(dna), "by hand"))


def verdicts(inputs):
    """How many CDS are exact pairs (None) and how many are rejected for each reason."""
    judged = [verify(cds, contig) for contig in read_records(inputs) for cds in contig.coding_sequences]
    return Counter(None if isinstance(verdict, ExactPair) else verdict.reason for verdict in judged)


def test_ecoli_has_4295_exact_pairs():
    assert verdicts("ecoli") == {None: 4295, Rejected.PSEUDO: 17, Rejected.TRANSL_EXCEPT: 3}


def test_ecoli_pairs_are_those_that_biopython_translates_exactly():
    (contig,) = read_records("ecoli")
    exact = {cds.id for cds in contig.coding_sequences if isinstance(verify(cds, contig), ExactPair)}
    with gzip.open(packaged_genomes()["ecoli"], "rt") as handle:
        record = SeqIO.read(handle, "genbank")
    expected = set()
    for feature in record.features:
        if feature.type == "CDS" and "translation" in feature.qualifiers:
            protein = feature.extract(record.seq).translate(table=11, cds=False)
            start = "M" if str(feature.extract(record.seq)[:3]) in STARTS else str(protein[:1])
            if start + str(protein[1:]) == feature.qualifiers["translation"][0] + "*":
                expected.add(feature.qualifiers["protein_id"][0])
    assert len(expected) == 4295
    assert exact == expected


@pytest.mark.parametrize(
    ("name", "pairs"), [("phiX174_NC_001422.gbk", 11), ("yersinia_plasmid_NC_005816.gb", 10)]
)
def test_small_genomes_are_all_exact(shared_data, name, pairs):
    assert verdicts(shared_data(f"genomes/{name}")) == {None: pairs}


def test_exact_pair_holds_one_residue_a_codon_with_the_stop():
    pair = judge()
    assert decode_nucleotides(pair.nucleotides) == GENE
    assert pair.amino_acids.tolist() == [AMINO_ACIDS.index(residue) for residue in "MKP*"]


def test_alternative_start_is_methionine():
    assert AMINO_ACIDS[judge("GTGAAACCCTAA").amino_acids[0]] == "M"
    assert judge("GTGAAACCCTAA", code=1).reason == Rejected.TRANSLATION_DIFFERS


def test_start_codon_is_only_read_as_one_at_the_first_nucleotide_of_the_cds():
    shifted = judge("C" + "GTGAAATAA", "VK", codon_start=2)
    assert decode_nucleotides(shifted.nucleotides) == "GTGAAATAA"
    assert judge("C" + "GTGAAATAA", "MK", codon_start=2).reason == Rejected.TRANSLATION_DIFFERS


def test_cds_without_stop_is_exact_when_it_translates():
    assert len(judge("ATGAAACCC").amino_acids) == 3


def test_own_genetic_code_decides():
    assert judge("ATGTGATAA", "MW", code=4).amino_acids.tolist()[1] == AMINO_ACIDS.index("W")
    assert judge("ATGTGATAA", "MW", code=11).reason == Rejected.INTERNAL_STOP


def test_codon_that_is_residue_and_stop_ends_a_cds():
    assert judge("ATGTGATGA", "MW", code=27).amino_acids.tolist()[2] == AMINO_ACIDS.index("*")
    assert judge("ATGTGATGA", "MWW", code=27).amino_acids.tolist()[2] == AMINO_ACIDS.index("W")


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        (Rejected.PSEUDO, {"pseudo": True}),
        (Rejected.PARTIAL, {"partial": True}),
        (Rejected.UNREADABLE_LOCATION, {"exons": ()}),
        (Rejected.UNREADABLE_LOCATION, {"location_problem": "remote"}),
        (Rejected.OUT_OF_RANGE, {"exons": (Exon(0, 15, 1),)}),
        (Rejected.OUT_OF_RANGE, {"exons": (Exon(-1, 2, 1),)}),
        (Rejected.OUT_OF_RANGE, {"exons": (Exon(9, 3, 1),)}),
        (Rejected.OUT_OF_RANGE, {"codon_start": 0}),
        (Rejected.NO_PROTEIN, {"protein": None}),
        (Rejected.UNKNOWN_GENETIC_CODE, {"code": 7}),
        (Rejected.TRANSL_EXCEPT, {"protein": "MUP", "transl_except": ("(pos:4..6,aa:Sec)",)}),
        (Rejected.RIBOSOMAL_SLIPPAGE, {"protein": "MKR", "ribosomal_slippage": True}),
        (Rejected.AMBIGUOUS_NUCLEOTIDE, {"dna": "ATGNAACCCTAA"}),
        (Rejected.AMBIGUOUS_NUCLEOTIDE, {"dna": "ATGNAACCCTAA", "protein": "MXP"}),
        (Rejected.LENGTH_NOT_MULTIPLE_OF_3, {"dna": "ATGAAACCCTA"}),
        (Rejected.LENGTH_NOT_MULTIPLE_OF_3, {"dna": "ATGAAACCCTAAA"}),
        (Rejected.LENGTH_NOT_MULTIPLE_OF_3, {"dna": "A", "protein": "M", "codon_start": 3}),
        (Rejected.INTERNAL_STOP, {"dna": "ATGTAACCCTAA"}),
        (Rejected.TRANSLATION_DIFFERS, {"protein": "MKPP"}),
        (Rejected.TRANSLATION_DIFFERS, {"protein": "MKR"}),
    ],
)
def test_reason_of_each_rejection(reason, changes):
    assert judge(**changes).reason == reason


@pytest.mark.parametrize("flag", [{"ribosomal_slippage": True}, {"transl_except": ("(pos:1..3,aa:Met)",)}])
def test_flag_does_not_reject_what_translates_exactly(flag):
    assert isinstance(judge(**flag), ExactPair)


def test_stop_codon_that_polyadenylation_completes_is_left_out():
    changes = {"protein": "MKP", "transl_except": ("(pos:10..11,aa:TERM)",)}
    pair = judge("ATGAAACCCTA", **changes)
    assert decode_nucleotides(pair.nucleotides) == "ATGAAACCC"
    assert judge("ATGAAACCCTA", protein="MKP").reason == Rejected.LENGTH_NOT_MULTIPLE_OF_3
    reverse = {"exons": (Exon(0, 11, -1),), "transl_except": ("(pos:complement(1..2),aa:TERM)",)}
    assert decode_nucleotides(judge("TAGGGTTTCAT", **reverse).nucleotides) == "ATGAAACCC"


@pytest.mark.parametrize(
    ("dna", "exons", "protein", "value", "reason"),
    [
        ("ATGTGACCCTAA", [(0, 12, 1)], "MUP", "(pos:4..6,aa:Sec)", Rejected.TRANSL_EXCEPT),
        ("ATGTAGCCCTAA", [(0, 12, 1)], "MOP", "(pos:4..6,aa:Pyl)", Rejected.TRANSL_EXCEPT),
        ("TTAGGGTCACAT", [(0, 12, -1)], "MUP", "(pos:complement(7..9),aa:Sec)", Rejected.TRANSL_EXCEPT),
        (
            "ATGTCCGACCCTAA",
            [(0, 4, 1), (6, 14, 1)],
            "MUP",
            "(pos:join(4,7..8),aa:Sec)",
            Rejected.TRANSL_EXCEPT,
        ),
        ("ATGTGACCCTAA", [(0, 12, 1)], "MUR", "(pos:4..6,aa:Sec)", Rejected.INTERNAL_STOP),
        ("ATGTGACCCTAA", [(0, 12, 1)], "MUP", "(pos:7..9,aa:Sec)", Rejected.INTERNAL_STOP),
        ("ATGTGACCCTAA", [(0, 12, 1)], "MUP", "(pos:99..101,aa:Sec)", Rejected.INTERNAL_STOP),
        ("ATGTGACCCTAA", [(0, 12, 1)], "MUP", "(pos:?,aa:Sec", Rejected.INTERNAL_STOP),
        ("ATGTGACCCTAA", [(0, 12, 1)], "MUP", "(pos:4..6,aa:Foo)", Rejected.INTERNAL_STOP),
    ],
)
def test_recoding_is_the_reason_only_where_it_explains_the_protein(dna, exons, protein, value, reason):
    exons = tuple(Exon(*exon) for exon in exons)
    assert judge(dna, protein, exons=exons, transl_except=(value,)).reason == reason


def test_all_cds_of_a_contig_are_judged_as_one_by_one():
    (contig,) = read_records("ecoli")
    some = replace(contig, coding_sequences=contig.coding_sequences[::20])
    for cds, verdict in zip(some.coding_sequences, verify_all(some), strict=True):
        alone = verify(cds, contig)
        assert type(alone) is type(verdict)
        if isinstance(alone, ExactPair):
            assert alone.coding_sequence is cds
            assert (alone.nucleotides == verdict.nucleotides).all()
            assert (alone.amino_acids == verdict.amino_acids).all()
        else:
            assert alone == verdict


def test_cds_of_several_codes_and_lengths_do_not_disturb_each_other():
    dna = "ATGTGATAA" + "ATGAAACC" + "ATGNAATAA" + "ATGAAATAA"
    places = [(0, 9, 4, "MW"), (9, 17, 1, "MK"), (17, 26, 1, "MX"), (26, 35, 1, "MK"), (0, 9, 1, "MW")]
    cds = [CodingSequence("x", None, (Exon(s, e, 1),), genetic_code=c, protein=p) for s, e, c, p in places]
    contig = Contig("c", encode_nucleotides(dna), "by hand", coding_sequences=tuple(cds))
    verdicts = [None if isinstance(one, ExactPair) else one.reason for one in verify_all(contig)]
    assert verdicts == [
        None,
        Rejected.LENGTH_NOT_MULTIPLE_OF_3,
        Rejected.AMBIGUOUS_NUCLEOTIDE,
        None,
        Rejected.INTERNAL_STOP,
    ]


def test_detail_says_where_the_proteins_part():
    assert judge(protein="MRP").detail == "codon 2 reads K, annotated R"
    assert judge("GTGAAACCCTAA", "VKR").detail == "codon 3 reads P, annotated R"
    assert judge(protein="MKPP").detail == "3 residues, annotated 4"
    assert judge("ATGTAACCCTAA").detail == "codon 2 of 4"
