"""Names of one sequence that an annotation and its sequence file write in two forms."""

import pytest

from lifecode.data import read_records
from lifecode.data.formats.annotation.name_forms import matched_names, paired_names
from lifecode.data.reading.dry_reading import read_without_writing
from lifecode.data.reading.lines import how_read_lines
from lifecode.data.reading.read import ReadingSettings
from lifecode.errors import UserError

SAME = [
    ("NC_000913.3", "gi|556503834|ref|NC_000913.3|"),
    ("NC_000913", "NC_000913.3"),
    ("U00096", "ENA|U00096|U00096.3"),
    ("AE014075.1", "gb|AE014075.1|AE014075"),
    ("contig_1", "lcl|contig_1"),
    ("contig_1", "gnl|Prokka|contig_1"),
    ("scaffold_7", "jgi|Phchr2|scaffold_7"),
    ("NC_000913.3 Escherichia coli, complete genome", "NC_000913.3"),
    (">ctg1", "ctg1"),
    ("ctg1", "ctg1,"),
    ("chr1", "1"),
    ("NZ_CP012345.1", "CP012345.1"),
    ("scaffold_7", "scaffold7"),
    ("scaffold_7", "scaffold_7|size1234"),
    ("psu|Pf3D7_01", "Pf3D7_01"),
    ('"ctg1"', "ctg1"),
    ("chromosome_1", "Chr1"),
    ("Chr01", "1"),
    ("chrX", "x"),
    ("chrM", "MT"),
    ("chrM", "mitochondrion_genome"),
    ("Pt", "ChrC"),
    ("chr1_KI270706v1_random", "KI270706.1"),
    ("chrUn_gl000220", "GL000220.1"),
]
OTHER = [
    ("NC_000913.2", "NC_000913.3"),
    ("gi|1|ref|NC_000913.2|", "NC_000913.3"),
    ("chr1_KI270706v1_random", "KI270706.2"),
    ("AT1G01010.1", "AT1G01010"),
    ("gi|556503834|ref|NC_1.1|", "556503834"),
    ("chrI", "1"),
    ("NZ_CP012345.1", "CP012345.2"),
    ("ctg1_1", "ctg11"),
    ("CP012345", "CP12345"),
    ("chr1", "11"),
    ("chr10", "1"),
    ("contig_1", "contig_10"),
    ("chrM", "Pt"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_sequence(one, other):
    assert matched_names([one], [other, "another"]).names == {one: other}
    assert matched_names([other], ["another", one]).names == {other: one}


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_two_sequences(one, other):
    assert matched_names([one], [other]) == matched_names([other], [one]) == ({}, {})


def test_what_several_answer_to_is_not_guessed():
    assert matched_names(["NC_1"], ["NC_1.1", "NC_1.2"]) == ({}, {"NC_1": ["NC_1.1", "NC_1.2"]})
    names, several = matched_names(["2L", "chr2L", "nowhere"], ["2L", "3L"])
    assert (names, several) == ({"2L": "2L", "chr2L": "2L"}, {})


def test_pairs_are_one_to_one():
    assert paired_names(["chr1", "chr2"], ["2", "1", "3"]).names == {"chr1": "1", "chr2": "2"}
    assert paired_names(["chr1", "1"], ["1"]) == ({}, {})  # that name is taken
    assert paired_names(["chr1", "Chr1"], ["1"]) == ({}, {"chr1": ["1"], "Chr1": ["1"]})
    assert paired_names(["chr1"], ["1", "1"]).several == {"chr1": ["1", "1"]}


GENE = "ATGAAACCCTAA"


@pytest.fixture
def genome(tmp_path):
    def write(annotated, named):
        lines = [f"{name}\tx\tCDS\t1\t12\t.\t+\t0\tID=c{i}\n" for i, name in enumerate(annotated)]
        (tmp_path / "g.gff").write_text("".join(lines))
        records = [f">{name}\n{GENE}{'ACGT'[i % 4] * (i + 1)}\n" for i, name in enumerate(named)]
        (tmp_path / "g.fa").write_text("".join(records))
        return [tmp_path / "g.gff", tmp_path / "g.fa"]

    return write


def test_annotation_is_read_under_the_names_of_the_sequences_and_that_is_said(genome):
    files = genome(["chr1", "chr2", "chrM", "3"], ["3", "MT", "2", "1", "scaffold"])
    found = {contig.name: contig for contig in read_records(files, genetic_code=1)}
    assert [len(contig.coding_sequences) for contig in found.values()] == [1, 1, 1, 1, 0]
    assert [contig.annotated_as for contig in found.values()] == [None, "chrM", "chr2", "chr1", None]
    lines = how_read_lines(read_without_writing(files, ReadingSettings(genetic_code=1)))
    assert "g.gff names sequences in another form than g.fa: chrM is MT, chr2 is 2, chr1 is 1" in lines


@pytest.mark.parametrize("name", ["MT", "chrM"])
def test_a_genetic_code_for_either_name(genome, name):
    files = genome(["chr1", "chrM"], ["1", "MT"])
    found = list(read_records(files, genetic_code={name: 2}))
    assert [contig.genetic_code for contig in found] == [1, 2]
    assert [contig.coding_sequences[0].genetic_code for contig in found] == [1, 2]


def test_names_that_are_the_same_are_not_mentioned(genome):
    lines = how_read_lines(read_without_writing(genome(["1"], ["1", "chr2"]), ReadingSettings()))
    assert not any("another form" in line for line in lines)


@pytest.mark.parametrize(
    ("annotated", "named", "problem"),
    [
        (["chr1"], ["1", "Chr1"], r"this file names chr1, and it may be 1 or Chr1"),
        (["chr1", "Chr1"], ["1"], r"this file names chr1, and others may be 1 too"),
        (["NC_1.1"], ["NC_1.2"], r"no sequence of .*g\.fa is annotated here; this file names NC_1\.1\."),
        (["1", "chr1"], ["1"], r"record chr1: its CDS have no sequence \(1 line\): .*g\.fa has no such"),
        (["1", "chr2"], ["1", "2", "Chr2"], r"record chr2: .* no such record, and it may be 2 or Chr2"),
    ],
)
def test_what_may_be_several_stays_an_error(genome, annotated, named, problem):
    with pytest.raises(UserError, match=problem):
        list(read_records(genome(annotated, named)))
