"""Three genes in every dialect of GFF3, GTF and GFF2 that programs and databases write: all are found."""

import pytest

from tests.support.gff_dialects import DIALECTS, PROTEINS
from tests.support.gff_genome import GENES


@pytest.mark.parametrize("isoforms", ["all", "longest"])
@pytest.mark.parametrize("name", DIALECTS)
def test_three_genes_in_every_dialect(judged, name, isoforms):
    label, text = DIALECTS[name]
    found, contig = judged(text, isoforms=isoforms)
    assert (found, contig.dialect) == (PROTEINS, label)
    assert [one.line is not None for one in contig.coding_sequences] == [True] * len(GENES)


ENDS = {
    "Windows": lambda text: text.replace("\n", "\r\n"),
    "old Mac": lambda text: text.replace("\n", "\r"),
    "both": lambda text: text.replace("\n", "\r", 4).replace("\n", "\r\n", 2),
    "byte order mark": lambda text: "\ufeff" + text,
    "no last line end": lambda text: text.rstrip("\n"),
    "blank lines": lambda text: "\n\n" + text.replace("\n", "\n\n") + "  \n",
    "wrong version": lambda text: "##gff-version 2\n" + text,
    "browser lines": lambda text: 'browser position ctg1\ntrack name="x"\n' + text,
    "resolved": lambda text: text.replace("\n", "\n###\n"),
    "comments": lambda text: "# c\n#!genome-build X\n##sequence-region ctg1 1 1674\n" * 2000 + text,
    "backwards": lambda text: "\n".join(text.splitlines()[::-1]) + "\n",
    "protein in comments": lambda text: text.replace("\n", "\n##Protein 1\n##FASTACDTV\n##FASTA\n"),
    "a region first": lambda text: "ctg1\tx\tregion\t1\t1674\t.\t.\t.\tID=ctg1;note\n" + text,
    "a bare line first": lambda text: "ctg1\tx\tsource\t1\t1674\t.\t.\t.\twords of no syntax\n" + text,
    "blanks before": lambda text: "  " + text.replace("\n", "\n  ").rstrip(" "),
    "columns of blanks behind": lambda text: text.replace("\n", "\t\t \n"),
}


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("dialect", ["Ensembl GTF", "TAIR", "AUGUSTUS"])
def test_whatever_stands_around_the_lines(judged, name, dialect):
    found, _ = judged(ENDS[name](DIALECTS[dialect][1]))
    assert sorted(found) == sorted(PROTEINS)


def test_dialects_may_be_mixed(judged):
    lines = [DIALECTS[name][1].splitlines() for name in ("JGI", "TAIR", "Ensembl GTF")]
    texts = [next(row for row in rows) for rows in lines]
    assert len(texts) == 3
    text = "\n".join([*lines[0][:3], *lines[1][6:12], *lines[2][-4:]]) + "\n"
    found, contig = judged(text)
    assert found == PROTEINS
    assert contig.dialect == "GFF2 (JGI) and GFF3 (TAIR) and GTF (Ensembl)"
