"""Names and terms worked out by hand, the same on both strands."""

import pytest

from lifecode.data.records import CodingSequence, Exon
from lifecode.variants.alleles import normal_form
from lifecode.variants.consequence.effects import effect_on
from lifecode.variants.consequence.protein_names import in_frame
from lifecode.variants.transcripts import Transcript
from tests.support.spliced_gene import FIRST, FORWARD, SplicedGene

GENES = {1: SplicedGene(1), -1: SplicedGene(-1)}
EXON_2 = 46
both_strands = pytest.mark.parametrize("strand", [1, -1])


# place on the forward contig, REF, ALT, c., p., terms
NAMED = [
    # substitutions
    (FIRST + 3, "A", "G", "c.4A>G", "p.(Lys2Glu)", "missense_variant"),
    (FIRST + 5, "A", "G", "c.6A>G", "p.(Lys2=)", "synonymous_variant"),
    (FIRST + 3, "A", "T", "c.4A>T", "p.(Lys2Ter)", "stop_gained"),
    (FIRST, "A", "C", "c.1A>C", "p.(Met1?)", "start_lost"),
    (EXON_2 + 11, "T", "C", "c.22T>C", "p.(Ter8GlnextTer3)", "stop_lost"),
    (EXON_2 + 13, "A", "G", "c.24A>G", "p.(Ter8=)", "stop_retained_variant"),
    # a codon across the border of the exons: T|GG, W
    (FIRST + 9, "T", "A", "c.10T>A", "p.(Trp4Arg)", "missense_variant&splice_region_variant"),
    (EXON_2, "G", "T", "c.11G>T", "p.(Trp4Leu)", "missense_variant&splice_region_variant"),
    # outside of the CDS
    (FIRST - 1, "A", "T", "c.-1A>T", "", "5_prime_UTR_variant"),
    (FIRST - 6, "G", "T", "c.-6G>T", "", "5_prime_UTR_variant"),
    (EXON_2 + 14, "C", "A", "c.*1C>A", "", "3_prime_UTR_variant"),
    (EXON_2 + 23, "C", "A", "c.*10C>A", "", "3_prime_UTR_variant"),
    # introns
    (FIRST + 10, "G", "A", "c.10+1G>A", "", "splice_donor_variant"),
    (FIRST + 14, "G", "A", "c.10+5G>A", "", "splice_region_variant"),
    (FIRST + 19, "T", "G", "c.10+10T>G", "", "intron_variant"),
    (FIRST + 20, "T", "G", "c.11-10T>G", "", "intron_variant"),
    (FIRST + 28, "A", "T", "c.11-2A>T", "", "splice_acceptor_variant"),
    # several letters
    (FIRST + 6, "GCT", "TGA", "c.7_9delinsTGA", "p.(Ala3Ter)", "stop_gained&splice_region_variant"),
    (FIRST + 6, "GCT", "AGC", "c.7_9inv", "p.(Ala3Ser)", "missense_variant&splice_region_variant"),
    (FIRST + 4, "AAG", "CAT", "c.5_7delinsCAT", "p.(Lys2_Ala3delinsThrSer)", "missense_variant"),
    # deletions, furthest 3': of the run of A at c.4 to 6, at c.15 to 19
    (FIRST + 3, "A", "", "c.6del", "p.(Ala3LeufsTer?)", "frameshift_variant"),
    (EXON_2 + 4, "AAA", "", "c.17_19del", "p.(Lys6del)", "inframe_deletion"),
    (FIRST + 8, "T", "", "c.10del", "p.(Trp4GlyfsTer?)", "frameshift_variant&splice_region_variant"),
    (FIRST + 12, "A", "", "c.10+4del", "", "splice_region_variant"),
    (FIRST + 3, "AAAGCT", "", "c.4_9del", "p.(Lys2_Ala3del)", "inframe_deletion&splice_region_variant"),
    # duplications come before insertions
    (FIRST + 3, "", "A", "c.6dup", "p.(Ala3SerfsTer?)", "frameshift_variant"),
    (EXON_2 + 4, "", "AAA", "c.17_19dup", "p.(Lys6dup)", "inframe_insertion"),
    (FIRST + 6, "", "AAA", "c.4_6dup", "p.(Lys2dup)", "inframe_insertion"),
    (FIRST + 9, "", "T", "c.10dup", "p.(Trp4LeufsTer?)", "frameshift_variant&splice_region_variant"),
    # insertions
    (
        EXON_2 + 2,
        "",
        "TTT",
        "c.12_13insTTT",
        "p.(Trp4_Pro5insPhe)",
        "inframe_insertion&splice_region_variant",
    ),
    (EXON_2 + 2, "", "GG", "c.11_12dup", "p.(Pro5GlyfsTer?)", "frameshift_variant&splice_region_variant"),
    (FIRST + 6, "", "TGA", "c.6_7insTGA", "p.(Ala3Ter)", "stop_gained&inframe_insertion"),
    (FIRST + 6, "", "CCTGA", "c.6_7insCCTGA", "p.(Ala3ProfsTer?)", "frameshift_variant"),
    # a stop behind new residues ends what is said
    (FIRST + 6, "", "CCTTGA", "c.6_7insCCTTGA", "p.(Lys2_Ala3insProTer)", "stop_gained&inframe_insertion"),
    (FIRST + 5, "", "CCTAGC", "c.5_6insCCTAGC", "p.(Lys2delinsAsnLeuAla)", "inframe_insertion"),
    (FIRST + 5, "", "CTAACC", "c.5_6insCTAACC", "p.(Lys2delinsAsnTer)", "stop_gained&inframe_insertion"),
    (
        FIRST + 3,
        "AAAGCT",
        "CAATGA",
        "c.4_9delinsCAATGA",
        "p.(Lys2_Ala3delinsGlnTer)",
        "stop_gained&splice_region_variant",
    ),
    (FIRST - 2, "", "T", "c.-3_-2insT", "", "5_prime_UTR_variant"),
    (EXON_2 + 16, "", "AC", "c.*2_*3insAC", "", "3_prime_UTR_variant"),
]


@both_strands
@pytest.mark.parametrize(("at", "ref", "alt", "hgvs_c", "hgvs_p", "terms"), NAMED, ids=[x[3] for x in NAMED])
def test_names_and_terms(strand, at, ref, alt, hgvs_c, hgvs_p, terms):
    effect = GENES[strand].effect(at, ref, alt)
    assert (effect.hgvs_c, effect.hgvs_p) == (hgvs_c, hgvs_p)
    assert set(effect.terms) == set(terms.split("&"))


@both_strands
def test_without_untranslated_exons_positions_go_on_and_reading_too(strand):
    """Then what follows on the contig is read: TAA becomes CAA CTG CCT TAA."""
    gene = SplicedGene(strand, untranslated=False)
    assert gene.effect(EXON_2 + 11, "T", "C").hgvs_p == "p.(Ter8GlnextTer3)"
    assert gene.effect(FIRST + 3, "A", "").hgvs_p == "p.(Ala3LeufsTer11)"


@both_strands
def test_codons_and_residues(strand):
    effect = GENES[strand].effect(FIRST + 9, "T", "A")
    assert (effect.codons, effect.amino_acids, effect.first_codon) == ("TGG/AGG", "W/R", 3)
    assert GENES[strand].effect(FIRST + 5, "A", "G").amino_acids == "K"


@both_strands
@pytest.mark.parametrize(
    ("at", "ref", "hgvs_c", "terms"),
    [
        (FIRST - 2, "CAAT", "c.-2_2del", "start_lost&5_prime_UTR_variant"),
        (EXON_2 + 12, "AACT", "c.23_*2del", "stop_lost&3_prime_UTR_variant"),
        (FIRST + 8, "TTGT", "c.9_10+2del", "coding_sequence_variant&splice_donor_variant"),
    ],
)
def test_across_borders(strand, at, ref, hgvs_c, terms):
    effect = GENES[strand].effect(at, ref, "")
    assert effect.hgvs_c == hgvs_c
    assert set(effect.terms) == set(terms.split("&"))


@pytest.mark.parametrize(
    ("altered", "name"),
    [
        ("MKWK*L*", "p.(Trp3_Ter4insLys)"),
        ("MEW*L*", "p.(Lys2Glu)"),
        ("MKWQL*", "p.(Ter4Gln)"),
        ("MKW*L*P", "p.(=)"),
    ],
)
def test_a_stop_within_a_protein_ends_no_name(altered, name):
    """As a pseudogene has one, or a gene that is read by the wrong code."""
    assert in_frame("MKW*L*", altered, 1, "") == name


@both_strands
def test_all_of_a_cds_deleted(strand):
    """From its first letter to its last one, and with the untranslated ends."""
    gene = GENES[strand]
    own = gene.effect(FIRST, FORWARD[FIRST : EXON_2 + 14], "")
    assert {"start_lost", "stop_lost", "splice_donor_variant"} < set(own.terms)
    assert (own.hgvs_c, own.hgvs_p, own.status) == ("c.1_24del", "p.0?", "cds_deleted")
    whole = gene.effect(8, FORWARD[8:72], "")
    assert (whole.terms, whole.hgvs_p) == (("transcript_ablation",), "p.0?")
    most = gene.effect(FIRST + 3, FORWARD[FIRST + 3 : 72], "")
    assert most.status == "exon_border"


def test_a_start_that_is_written_anew_stays():
    """A ATG without its first A is what it was, as far as the minus strand's left-aligned form tells."""
    kept = GENES[-1].effect(FIRST, "A", "")
    assert (kept.terms, kept.hgvs_c, kept.hgvs_p) == (("start_retained_variant",), "c.1del", "p.(=)")


def test_a_stop_that_is_written_anew_stays():
    kept = GENES[1].effect(EXON_2 + 13, "A", "AA")
    assert (kept.terms, kept.hgvs_c, kept.hgvs_p) == (("stop_retained_variant",), "c.24dup", "p.(Ter8=)")
    behind = GENES[-1].effect(EXON_2 + 13, "A", "AA")
    assert (behind.terms, behind.hgvs_c) == (("3_prime_UTR_variant",), "c.24dup")


def effect_in(letters: str, at: int, ref: str, alt: str, cds_length: int):
    """Of an edit in a contig that begins with a CDS."""
    cds = CodingSequence(id="t", gene=None, exons=(Exon(0, cds_length, 1),))
    return effect_on(Transcript(cds, letters), letters, normal_form(letters, at, ref, alt))


def test_a_name_in_the_cds_of_letters_before_it_says_that_the_protein_is_not_known():
    letters = "GGCGC" + "ATGAAATGGTTATGA" + "CGTCGG"
    cds = CodingSequence(id="t", gene=None, exons=(Exon(5, 20, 1),))
    transcript = Transcript(cds, letters, [(0, 26)])
    copied = effect_on(transcript, letters, normal_form(letters, 5, "", "ATGAAA"))
    assert copied[:3] == (("5_prime_UTR_variant",), "c.1_6dup", "p.?")
    assert effect_on(transcript, letters, normal_form(letters, 3, "", "T")).hgvs_p == ""


@pytest.mark.parametrize(
    ("inserted", "terms", "hgvs_p"),
    [
        ("TGA", "stop_retained_variant", "p.(Ter5=)"),
        ("TGAC", "stop_retained_variant", "p.(Ter5=)"),  # was a frameshift with p.(=)
        ("TAGGGG", "stop_retained_variant", "p.(Ter5=)"),  # was stop_gained with p.(=)
        ("CCC", "inframe_insertion", "p.(Leu4_Ter5insPro)"),
        ("CCCTGACCC", "inframe_insertion", "p.(Leu4_Ter5insPro)"),  # was stop_gained
        ("C", "frameshift_variant", "p.(Ter5LeuextTer?)"),
    ],
)
def test_a_stop_before_the_stop_takes_no_residue(inserted, terms, hgvs_p):
    effect = effect_in("ATGAAATGGTTATGACGTCGGTACGGG", 11, "A", "A" + inserted, 15)
    assert set(effect.terms) == set(terms.split("&"))
    assert effect.hgvs_p == hgvs_p


@pytest.mark.parametrize(
    ("alt", "term", "hgvs_p"),
    [
        ("ACGTCATAA", "stop_lost", "p.(Leu4_Ter5delinsThrSerTer)"),  # was called a frameshift
        ("CCCCCCTAA", "stop_lost", "p.(Leu4_Ter5delinsProProTer)"),
        ("TTACCCTAA", "stop_lost", "p.(Ter5ProextTer1)"),
        ("TAACCCCCC", "stop_gained", "p.(Leu4Ter)"),
        ("CCCCCCAA", "stop_lost", "p.(Leu4ProfsTer?)"),
    ],
)
def test_letters_replaced_across_the_end_shift_no_frame(alt, term, hgvs_p):
    effect = effect_in("ATGAAATGGTTATGACGTCGGTACTAAGGGTAGG", 9, "TTATGACGT", alt, 15)
    assert effect.terms[-1] == term
    assert effect.hgvs_p == hgvs_p


def test_a_deletion_behind_the_start_codon_leaves_it_also_where_it_can_stand_within():
    """ATG GGCTCGG CTC: the same letters are left where GGGCTCG goes."""
    effect = effect_in("ATGGGCTCGGCTCACTAA", 3, "GGCTCGG", "", 18)
    assert (effect.terms, effect.hgvs_c) == (("frameshift_variant",), "c.4_10del")
    assert effect.hgvs_p == "p.(Gly2LeufsTer?)"


def test_a_stop_of_another_frame_counts_also_where_the_contig_ends_as_the_cds_begins():
    effect = effect_in("ATGCGACGATAA" + "GGTAAATG", 3, "", "G", 12)
    assert (effect.hgvs_c, effect.hgvs_p) == ("c.3dup", "p.(Arg2AlafsTer5)")


@pytest.mark.parametrize(
    ("behind", "name"),
    [
        ("LVL*", "p.(Arg4_Ter5delinsValLeuTer)"),
        ("LRVL*", "p.(Ter5ValextTer2)"),
        ("*", "p.(Leu3Ter)"),
        ("", "p.?"),
    ],
)
def test_a_deletion_with_the_stop_is_named_from_the_first_residue_that_differs(behind, name):
    assert in_frame("MRLR*", "MR", 1, behind) == name
