"""Annotation files of several genomes in one, each with its sequences, as `cat *.gff` makes of Prokka's."""

import gzip
from itertools import product

import pytest

from lifecode.data import read_records
from lifecode.data.cds.coding_sequence import ExactPair, verify_all
from lifecode.data.formats.annotation.lines import AnnotationLines, carries_sequences
from lifecode.data.formats.opening import opened
from lifecode.genetic_code import residue_letters

GENES = ["ATGAAACCCTAA", "ATGGGGTTTTAA", "ATGCATCATTAA"]
PROTEINS = ["MKP*", "MGF*", "MHH*"]


def annotation(contig, line_end="\n"):
    return f"{contig}\tProdigal:2.6\tCDS\t5\t16\t.\t+\t0\tID=X_1;locus_tag=X_1{line_end}"


def fasta(contig, gene, width=7):
    letters = "CCCC" + gene + "CC"
    return f">{contig}\n" + "".join(letters[i : i + width] + "\n" for i in range(0, len(letters), width))


def prokka(contig, gene, directive="##FASTA\n"):
    head = f"##gff-version 3\n##sequence-region {contig} 1 18\n"
    return head + annotation(contig) + directive + fasta(contig, gene)


@pytest.fixture
def judged(tmp_path):
    def of(text, sequences=None):
        files = [tmp_path / "g.gff", tmp_path / "g.fa"]
        files[0].write_bytes(text if isinstance(text, bytes) else text.encode())
        if sequences is not None:
            files[1].write_text(sequences)
        return [
            (contig.name, residue_letters(one.amino_acids) if isinstance(one, ExactPair) else one.reason)
            for contig in read_records(files[: 1 + (sequences is not None)])
            for one in verify_all(contig)
        ]

    return of


@pytest.mark.parametrize(("directive", "names"), product(["##FASTA\n", ""], ["abc", "aaa"]))
def test_outputs_of_one_program_for_several_genomes(judged, directive, names):
    text = "".join(prokka(name, gene, directive) for name, gene in zip(names, GENES, strict=True))
    expected = list(zip(names, PROTEINS, strict=True))
    assert judged(text) == expected
    assert judged(text.rstrip("\n")) == expected
    assert judged(gzip.compress(text.replace("\n", "\r\n").encode())) == expected


def test_files_that_end_without_a_line_end(judged):
    texts = list(map(prokka, "abc", GENES))
    expected = list(zip("abc", PROTEINS, strict=True))
    assert judged("".join(text.rstrip("\n") for text in texts)) == expected
    annotations = "".join(text.partition("##FASTA")[0].rstrip("\n") for text in texts)
    parts = "a\tx\tCDS\t5\t10\t.\t+\t0\tParent=t\na\tx\tCDS\t11\t16\t.\t+\t0\tParent=t"
    assert judged(annotations, "".join(map(fasta, "abc", GENES))) == expected
    assert (
        judged(
            parts + annotations[annotations.index("##gff-version", 5) :], "".join(map(fasta, "abc", GENES))
        )
        == expected
    )


def test_annotation_behind_the_sequences(judged):
    sequences = "".join(map(fasta, "abc", GENES))
    lines = "".join(map(annotation, "abc"))
    expected = list(zip("abc", PROTEINS, strict=True))
    assert judged("##gff-version 3\n##FASTA\n" + sequences + "###\n" + lines) == expected
    assert judged(annotation("a") + sequences + annotation("b") + annotation("c")) == expected


def test_joined_annotation_beside_a_file_of_all_sequences(judged):
    text = "".join(map(prokka, "abc", GENES))
    assert judged(text, "".join(map(fasta, "cab", GENES))) == [
        ("c", PROTEINS[0]),
        ("a", PROTEINS[1]),
        ("b", PROTEINS[2]),
    ]


def test_a_section_whose_sequence_is_missing_is_counted(tmp_path):
    text = prokka("a", GENES[0]) + "##gff-version 3\n" + annotation("b") + annotation("b")
    (tmp_path / "g.gff").write_text(text)
    with pytest.warns(UserWarning, match=r"record b: its CDS have no sequence \(2 lines\)"):
        list(read_records(tmp_path / "g.gff", on_malformed="skip"))


@pytest.mark.parametrize("width", [7, 1 << 21])
def test_lines_keep_their_numbers(tmp_path, width):
    sequences = fasta("a", GENES[0] * 90_000, width)
    text = annotation("a") + sequences + annotation("a") + ">b\nAC\n" + annotation("b", "")
    (tmp_path / "g.gff").write_text(text)
    assert carries_sequences(tmp_path / "g.gff")
    with opened(tmp_path / "g.gff") as handle:
        lines = AnnotationLines(handle)
        found = [(number, line[:1], lines.section) for number, line in lines]
    behind = sequences.count("\n") + 2
    assert found == [(1, b"a", 0), (behind, b"a", 1), (behind + 3, b"b", 2)]
    assert lines.names == ["a", "b"]


def test_the_code_that_prodigal_says_is_not_that_of_the_next_file(tmp_path):
    model = "# Model Data: version=Prodigal.v2.6.3;run_type=Single;transl_table=11;uses_sd=1\n"
    text = "##gff-version 3\n" + model + annotation("a") + prokka("b", GENES[0]) + fasta("a", GENES[1])
    (tmp_path / "g.gff").write_text(text)
    assert {one.name: one.genetic_code for one in read_records(tmp_path / "g.gff")} == {"a": 11, "b": 1}
