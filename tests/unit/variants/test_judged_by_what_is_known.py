"""What a genome leaves open is said, and not judged as if it were known."""

import pandas
import pytest

import lifecode
from lifecode.errors import UserError

GENE = "ATGAAATGGTTATGATAA"  # M K W L * by code 1, W inside by code 2


def genome(folder, name="chr1", gene=GENE, code=1, qualifiers=""):
    letters = "CCCCCCCCCC" + gene + "GGGGGGGGGG"
    (folder / "g.fa").write_text(f">{name}\n{letters}\n")
    line = f"{name}\tx\tCDS\t11\t{10 + len(gene)}\t.\t+\t0\tID=c;Name=g{qualifiers}\n"
    (folder / "g.gff3").write_text("##gff-version 3\n" + line)
    return folder / "g.fa", folder / "g.gff3"


def judged(files, *variants, **options):
    frame = pandas.DataFrame(
        [(files[2] if len(files) > 2 else "chr1", *each) for each in variants],
        columns=["chrom", "pos", "ref", "alt"],
    )
    return lifecode.score(None, frame, files[0], annotation=files[1], progress=False, **options)


def test_a_mitochondrion_without_a_code_is_not_judged_by_the_standard_one(tmp_path):
    files = (*genome(tmp_path, "chrM"), "chrM")
    with pytest.raises(UserError, match=r"nothing says by which genetic code chrM is read: genetic_code="):
        judged(files, (19, "G", "A"))
    (row,) = judged(files, (19, "G", "A"), genetic_code={"chrM": 2}).frame.itertuples()
    assert (row.consequence, row.hgvs_p) == ("synonymous_variant", "p.(Trp3=)")
    with pytest.raises(UserError, match="no contig is named MT"):
        judged(files, (19, "G", "A"), genetic_code={"MT": 2})


def test_without_a_coding_sequence_nothing_is_called_intergenic(tmp_path):
    fasta, _ = genome(tmp_path)
    with pytest.raises(UserError, match="no coding sequence to judge variants by"):
        judged((fasta, None), (19, "G", "A"))


def test_each_allele_of_a_table_has_its_own_record_in_vcf(tmp_path):
    files = genome(tmp_path)
    (tmp_path / "v.tsv").write_text("#chrom\tpos\tref\talt\nchr1\t19\tG\tA\nchr1\t19\tG\tC\n")
    output = tmp_path / "out.vcf"
    lifecode.score(None, tmp_path / "v.tsv", files[0], annotation=files[1], output=output, progress=False)
    records = [line.split("\t") for line in output.read_text().splitlines() if not line.startswith("#")]
    entries = [record[7].removeprefix("LIFECODE=").split(",") for record in records]
    assert [[entry.split("|")[0] for entry in of_record] for of_record in entries] == [["A"], ["C"]]


GENBANK = """LOCUS       toy                  38 bp    DNA     linear   BCT 01-JAN-2000
FEATURES             Location/Qualifiers
     CDS             {place}
                     /locus_tag="g"
                     /transl_table=11
                     /translation="{protein}"
ORIGIN
        1 {letters}
//
"""


@pytest.mark.parametrize(
    ("place", "protein", "term"),
    [("<11..28", "LKWL", "missense_variant"), ("11..28", "MKWL", "start_lost")],
)
def test_the_first_codon_of_a_gene_that_is_cut_off_is_no_start(tmp_path, place, protein, term):
    gene = "TTGAAATGGTTATAATAA"[:15] + "TAA"
    letters = ("CCCCCCCCCC" + gene + "GGGGGGGGGG").lower()
    (tmp_path / "g.gb").write_text(GENBANK.format(place=place, protein=protein, letters=letters))
    frame = pandas.DataFrame([("toy", 12, "T", "C")], columns=["chrom", "pos", "ref", "alt"])
    (row,) = lifecode.score(None, frame, tmp_path / "g.gb", progress=False).frame.itertuples()
    assert row.consequence == term


def test_a_start_behind_which_something_is_inserted_is_still_m(tmp_path):
    letters = ("CCCCCCCCCC" + "GTGAAATGGTTATAA" + "GGGGGGGGGGGGG").lower()
    text = GENBANK.format(place="11..25", protein="MKWL", letters=letters)
    (tmp_path / "g.gb").write_text(text)
    rows = [("toy", 13, "G", "GCCC"), ("toy", 13, "G", "GC")]
    frame = pandas.DataFrame(rows, columns=["chrom", "pos", "ref", "alt"])
    whole, shifted = lifecode.score(None, frame, tmp_path / "g.gb", progress=False).frame["hgvs_p"]
    assert whole == "p.(Met1_Lys2insPro)"
    assert shifted.startswith("p.(Lys2")


def test_what_ends_or_shifts_a_codon_shares_it_with_others_too(tmp_path):
    """TAC and its neighbours: C>A alone makes a stop, with T>C in the same codon it makes Q."""
    files = genome(tmp_path, gene="ATGAAATACTTATAA")
    found = judged(
        files, (17, "T", "C"), (19, "C", "A"), (21, "T", "A"), (15, "AA", "A"), (14, "A", "G")
    ).frame
    assert found["consequence"].tolist() == [
        "missense_variant",
        "stop_gained",
        "stop_gained",
        "frameshift_variant",
        "missense_variant",
    ]
    assert found["shares_codon"].tolist() == [True, True, False, True, True]
    found = judged(files, (11, "A", "C"), (13, "G", "A")).frame
    assert found["consequence"].tolist() == ["start_lost", "start_lost"]
    assert found["shares_codon"].tolist() == [True, True]


@pytest.mark.parametrize(("code", "expected"), [(11, ("p.(Lys2Gln)", "MK/MQ")), (1, ("p.(Met1?)", "M/V"))])
def test_another_start_and_what_changes_behind_it(tmp_path, code, expected):
    """ATGAAA becomes GTGCAA."""
    files = genome(tmp_path, gene="ATGAAATGGTTATAA")
    (row,) = judged(files, (11, "ATGA", "GTGC"), genetic_code=code).frame.itertuples()
    assert (row.hgvs_p, row.amino_acids) == expected
    terms = {11: {"start_retained_variant", "missense_variant"}, 1: {"start_lost"}}
    assert set(row.consequence.split("&")) == terms[code]
    (row,) = judged(files, (12, "T", "N"), genetic_code=code).frame.itertuples()
    assert (row.status, row.hgvs_p) == ("ambiguous", "p.?")


def test_a_codon_that_the_annotated_protein_reads_as_its_m_is_a_start(tmp_path):
    """CTG begins a protein by the standard code too, though the code does not name it."""
    letters = ("CCCCCCCCCC" + "CTGAAATGGTTATAA" + "GGGGGGGGGGGGG").lower()
    text = GENBANK.replace("table=11", "table=1").format(place="11..25", protein="MKWL", letters=letters)
    (tmp_path / "g.gb").write_text(text)
    rows = [("toy", 12, "T", "C"), ("toy", 11, "C", "A"), ("toy", 15, "A", "C")]
    frame = pandas.DataFrame(rows, columns=["chrom", "pos", "ref", "alt"])
    found = lifecode.score(None, frame, tmp_path / "g.gb", progress=False).frame
    assert found["consequence"].tolist() == ["start_lost", "start_retained_variant", "missense_variant"]
    assert found["amino_acids"].tolist() == ["M/P", "M", "K/T"]


@pytest.mark.parametrize(("code", "codon", "inner"), [(27, "TGA", "W"), (28, "TAA", "Q"), (31, "TAG", "E")])
def test_a_codon_that_is_a_residue_too_is_the_stop_at_the_end(tmp_path, code, codon, inner):
    files = genome(tmp_path, gene=f"ATGAAA{codon}TTA{codon}")
    found = judged(
        files, (23, "T", "C"), (25, codon[2], "C"), (18, codon[1], "C"), (22, "A", "AAAA"), genetic_code=code
    ).frame
    assert found["consequence"].tolist() == [
        "stop_lost",
        "stop_lost",
        "missense_variant",
        "inframe_insertion",
    ]
    assert found["amino_acids"].str[0].tolist() == ["*", "*", inner, "L"]
    if code == 31:
        (row,) = judged(files, (25, "G", "A"), genetic_code=code).frame.itertuples()
        assert (row.consequence, row.hgvs_p) == ("stop_retained_variant", "p.(Ter5=)")


def test_a_codon_that_is_cut_off_at_the_end(tmp_path):
    files = genome(tmp_path, gene="ATGAAATGGTT")
    (row,) = judged(files, (21, "T", "G")).frame.itertuples()
    assert row.consequence == "incomplete_terminal_codon_variant&coding_sequence_variant"
    assert (row.impact, row.hgvs_p, row.status) == ("LOW", "p.?", "partial_codon")


def test_the_letter_beside_a_deletion_is_no_place_of_it(tmp_path):
    files = genome(tmp_path, gene="ATGCATTGGTTATAA")
    found = judged(files, (15, "AT", "A"), (15, "A", "G")).frame
    assert found["shares_codon"].tolist() == [True, True]
    for alone in ([(15, "AT", "A"), (15, "ATT", "AT")], [(15, "A", "G,AC")]):
        assert not judged(files, *alone).frame["shares_codon"].any()


def test_columns_of_a_frame_that_became_floats(tmp_path):
    rows = [("chr1", 19.0, "G", "A", float("nan")), ("chr1", 20.0, "T", "A", "x")]
    frame = pandas.DataFrame(rows, columns=["chrom", "pos", "ref", "alt", "id"])
    files = genome(tmp_path)
    found = lifecode.score(None, frame, files[0], annotation=files[1], progress=False).frame
    assert found["pos"].tolist() == [19, 20]
    assert found["id"].tolist() == [".", "x"]


def test_a_vcf_that_ends_with_alt_has_a_column_for_what_is_written(tmp_path):
    files = genome(tmp_path)
    head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\n"
    (tmp_path / "v.vcf").write_text(head + "chr1\t19\t.\tG\tA\n")
    output = tmp_path / "out.vcf"
    lifecode.score(None, tmp_path / "v.vcf", files[0], annotation=files[1], output=output, progress=False)
    columns, record = output.read_text().splitlines()[-2:]
    assert columns == "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
    assert record.startswith("chr1\t19\t.\tG\tA\t.\t.\tLIFECODE=A|")


def test_an_alt_that_is_not_known_is_no_letters(tmp_path):
    files = genome(tmp_path)
    found = judged(files, (19, "G", "A"), (19, "G", None), (19, "G", float("nan")))
    assert len(found.frame) == 1
    assert "2 records without an ALT" in found.notes
    (tmp_path / "v.tsv").write_text("chrom\tpos\tref\talt\nchr1\t19\tG\tNA\nchr1\t19\tG\tC\n")
    found = lifecode.score(None, tmp_path / "v.tsv", files[0], annotation=files[1], progress=False)
    assert found.frame["alt"].tolist() == ["C"]
    assert "1 records without an ALT" in found.notes


def test_exons_of_a_transcript_of_the_same_name_on_another_contig_are_not_its_own(tmp_path):
    letters = "CCCCCCCCCC" + "ATGAAATACTTATAA" + "G" * 20
    (tmp_path / "g.fa").write_text(f">chr1\n{letters}\n>chrY\n{letters}\n")
    name = 'gene_id "g"; transcript_id "t";'
    lines = [
        f"{contig}\tx\t{kind}\t{start}\t{end}\t.\t+\t{phase}\t{name}\n"
        for contig, exons in (("chr1", [(5, 30)]), ("chrY", [(5, 30), (36, 40)]))
        for kind, places, phase in (("exon", exons, "."), ("CDS", [(11, 25)], "0"))
        for start, end in places
    ]
    (tmp_path / "g.gtf").write_text("".join(lines))
    frame = pandas.DataFrame(
        [("chr1", 37, "G", "A"), ("chr1", 28, "G", "A"), ("chrY", 37, "G", "A")],
        columns=["chrom", "pos", "ref", "alt"],
    )
    found = lifecode.score(None, frame, tmp_path / "g.fa", annotation=tmp_path / "g.gtf", progress=False)
    assert found.frame["consequence"].tolist() == [
        "intergenic_variant",
        "3_prime_UTR_variant",
        "3_prime_UTR_variant",
    ]


def test_a_wild_type_may_be_longer_than_a_name_of_a_file_and_hgvs_is_read(tmp_path):
    from tests.support.small_models import small_model

    protein = "MKAWPKT" * 50
    (tmp_path / "scan.csv").write_text("hgvs_pro,score\np.Ala3Leu,1\np.=,0\np.[Lys2Glu;Pro5Ala],1\n")
    found = lifecode.score_scan(
        small_model(hybrid_ratio="1:1").eval(), tmp_path / "scan.csv", protein=protein, progress=False
    )
    assert found.frame["status"].tolist() == ["scored", "wild_type", "scored"]


@pytest.mark.parametrize(
    ("gene", "term"),
    [
        ("ATGAAATGGTTAAAACGT", "start_lost"),  # cut off at its end
        ("ATGAAATGGTTAAAACG", "start_lost"),
        ("ATGAAATGGTTAAAATAA", "missense_variant"),  # at its beginning: a Met inside
    ],
)
def test_which_end_of_a_partial_cds_without_a_protein_is_missing(tmp_path, gene, term):
    files = genome(tmp_path, gene=gene, qualifiers=";partial=true", code=11)
    (row,) = judged(files, (12, "T", "C"), genetic_code=11).frame.itertuples()
    assert row.consequence == term


def test_ambiguity_codes_of_the_file_are_shown_and_counted(tmp_path):
    """IUPAC codes in ALT, and the nucleotide that a VCF names where the genome has one."""
    files = genome(tmp_path, gene="ATGAAAYGGTTATGATAA")
    found = judged(files, (14, "A", "R"), (17, "C", "A"), (17, "Y", "T"), (5, "C", "N"))
    frame = found.frame
    assert frame["alt"].tolist() == ["R", "A", "T", "N"]
    assert frame["hgvs_c"].tolist()[:1] == ["c.4A>R"]
    assert frame["status"].tolist() == ["ambiguous"] * 4
    assert [note.partition(" alleles")[0] for note in found.notes] == ["1", "1"]
    assert "ambiguity code or N: not checked" in found.notes[0]
    assert "IUPAC codes in ALT" in found.notes[1]
    for ref in "GR":
        with pytest.raises(UserError, match=rf"14 {ref}>T: REF is {ref}, the genome has A there"):
            judged(files, (14, ref, "T"))


def test_ambiguity_codes_on_the_other_strand(tmp_path):
    files = genome(tmp_path, gene="TTATCATAACCATTTCAT")
    files[1].write_text(files[1].read_text().replace("\t+\t", "\t-\t"))
    assert judged(files, (23, "T", "R")).frame["hgvs_c"][0] == "c.6A>Y"
