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


def test_a_wild_type_may_be_longer_than_a_name_of_a_file_and_hgvs_is_read(tmp_path):
    from tests.support.small_models import small_model

    protein = "MKAWPKT" * 50
    (tmp_path / "scan.csv").write_text("hgvs_pro,score\np.Ala3Leu,1\np.=,0\np.[Lys2Glu;Pro5Ala],1\n")
    found = lifecode.score_scan(
        small_model(hybrid_ratio="1:1").eval(), tmp_path / "scan.csv", protein=protein, progress=False
    )
    assert found.frame["status"].tolist() == ["scored", "wild_type", "scored"]
