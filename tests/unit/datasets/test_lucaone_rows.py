"""LucaOne's rows: what one may hold, and its CSV form."""

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lifecode.alphabet import IGNORE
from lifecode.datasets.luca_one.label_names import LabelNames
from lifecode.datasets.luca_one.row_files import read_rows, write_rows
from lifecode.datasets.luca_one.rows import GENE_TYPES, LucaOneRow
from lifecode.datasets.luca_one.table import row_table
from lifecode.errors import UserError

GENE = LucaOneRow(
    "=b0001, thr",
    "gene",
    "ACGTN",
    spans={"gene_type": [(0, 2, "CDS"), (4, 4, "tRNA")]},
    labels={"gene_taxonomy": "Enterobacterales"},
)
PROTEIN = LucaOneRow(
    "P1",
    "protein",
    "MKV",
    spans={"prot_site": [(1, 1, "Active 'site'")]},
    labels={"prot_keyword": ("ATP-binding", "Zinc")},
    coordinates=np.array([[0.1, -2.5, 1e-7], [np.nan] * 3, [3, 4, 5]], np.float32),
)
HEADER = "obj_id,obj_type,obj_seq,obj_label\n"


def same(a: LucaOneRow, b: LucaOneRow) -> None:
    for name in ("id", "molecule", "sequence", "labels"):
        assert getattr(a, name) == getattr(b, name)
    assert {task: list(x) for task, x in a.spans.items()} == {task: list(x) for task, x in b.spans.items()}
    assert (a.coordinates is None) == (b.coordinates is None)
    if a.coordinates is not None:
        np.testing.assert_array_equal(a.coordinates, b.coordinates)


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    assert write_rows(path, iter([GENE, PROTEIN])) == 2
    for written, read in zip([GENE, PROTEIN], read_rows(path), strict=True):
        same(written, read)
    packed = tmp_path / "rows.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert len(list(read_rows(packed))) == 2


def test_rows_of_the_released_form(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    label = "{'span_level': {'prot_domain': [[0, 1, 7]], 'prot_binding': [[0, 1, 3]], 'prot_homo': []},"
    label += "'seq_level': {'prot_taxonomy': [12], 'prot_keyword': [3, 4]}, 'structure_level':"
    label += "{'prot_structure': [[0.5, 0, 1], [-100, -100, -100]]}}"
    unknown = "{'span_level': {'prot_site': [[0, 1, -100], [1, 1, 2]]}, 'seq_level': {'prot_taxonomy': -100,"
    unknown += "'prot_keyword': [-100]}, 'structure_level': {'prot_structure': -100}}"
    types = "{'span_level': {'gene_type': [[0, 1, 7]]}}"
    path.write_text(f'{HEADER}a,prot,MK,"{label}"\nb,gene,acgu,"{types}"\nc,prot,MK,"{unknown}"\n')
    protein, gene, unlabelled = read_rows(path)
    assert unlabelled.spans == {"prot_site": [(1, 1, 2)]}
    assert not any(unlabelled.labels.values())
    assert unlabelled.coordinates is None
    assert protein.spans == {"prot_domain": [(0, 1, 7)]}
    assert protein.labels == {"prot_taxonomy": 12, "prot_keyword": (3, 4)}
    np.testing.assert_array_equal(protein.coordinates, np.array([[0.5, 0, 1], [np.nan] * 3], np.float32))
    assert (gene.molecule, gene.sequence, dict(gene.labels)) == ("gene", "acgu", {})
    assert gene.spans == {"gene_type": [(0, 1, "CDS")]}


def test_rows_as_the_released_pipeline_writes_them(tmp_path: Path) -> None:
    """With a fifth column, ids of taxa, places on the contig, and -1 for an atom; and a byte order mark."""
    gene = "{'span_level': {'gene_type': [[0, 3, 0]]}, 'seq_start_p': 0, 'seq_end_p': 2045,"
    gene += "'seq_level': {'gene_taxonomy': 17, 'gene_taxid': '28141'}}"
    protein = "{'span_level': {'prot_homo': []}, 'seq_level': {'prot_taxonomy': '', 'prot_taxid': '',"
    protein += "'prot_keyword': []}, 'structure_level': {'prot_structure': [-1, [1.5, 2, 3]],"
    protein += "'prot_contact': [[0, 1]]}, 'refs': [1]}"
    path = tmp_path / "rows.csv"
    rows = f'NC_1,gene,ACGT,"{gene}",refseq\nP1,prot,MK,"{protein}",uniprot\n'
    path.write_text(f"obj_id,obj_type,obj_seq,obj_label,obj_source\n{rows}", encoding="utf-8-sig")
    first, second = read_rows(path)
    assert (first.id, first.spans) == ("NC_1", {"gene_type": [(0, 3, "regulatory")]})
    assert (first.labels, first.coordinates) == ({"gene_taxonomy": 17}, None)
    assert (second.spans, second.labels) == ({}, {})
    np.testing.assert_array_equal(second.coordinates, np.array([[np.nan] * 3, [1.5, 2, 3]], np.float32))


def of_taxa(*taxa: str | int) -> list[LucaOneRow]:
    """A gene of each of some taxa."""
    return [LucaOneRow(f"g{i}", "gene", "ACGT", labels={"gene_taxonomy": x}) for i, x in enumerate(taxa)]


def test_text_is_a_name_and_an_integer_the_number_of_a_class() -> None:
    names = LabelNames.of_rows(of_taxa(3, 0, 1))
    assert names.of_task == {"gene_taxonomy": ("0", "1", "2", "3")}
    assert row_table(of_taxa(3, 0, 2, 4), names, 9).arrays["gene_taxonomy"].tolist() == [3, 0, 2, IGNORE]
    names = LabelNames.of_rows(of_taxa("9443", "91347", "10"))  # ids of taxa
    assert names.of_task == {"gene_taxonomy": ("10", "91347", "9443")}
    assert row_table(of_taxa("9443", "91347"), names, 9).arrays["gene_taxonomy"].tolist() == [2, 1]


def test_rows_keep_what_a_label_is(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.csv", of_taxa(17, "17"))
    assert [row.labels["gene_taxonomy"] for row in read_rows(tmp_path / "rows.csv")] == [17, "17"]


def test_labels_that_could_be_either_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"record g1: gene_taxonomy has the name '5', and the number 5 .* g0"):
        LabelNames.of_rows(of_taxa(5, "5"))
    with pytest.raises(UserError, match=r"9606000, which is no number of a class.*ids of taxa, as text"):
        LabelNames.of_rows(of_taxa(9606000))
    with pytest.raises(UserError, match=r"is 735, and .* the number 91347 as a class .* taxa, as text; else"):
        LabelNames.of_rows(of_taxa(91347, 3)).require_room({"gene_taxonomy": 735})
    named, numbered = LabelNames.of_rows(of_taxa("a")), LabelNames.of_rows(of_taxa(1))
    with pytest.raises(UserError, match=r"record g0: .* the number 0, and the training rows have names"):
        row_table(of_taxa(0), named, 9)
    with pytest.raises(UserError, match=r"record g0: .* the name '0', and the training rows have numbers"):
        row_table(of_taxa("0"), numbered, 9)


def test_a_list_of_names_takes_either(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text('{"gene_taxonomy": ["Primates", "91347"]}')
    names = LabelNames.read(path)
    assert row_table(of_taxa("91347", 0, 1, "x"), names, 9).arrays["gene_taxonomy"].tolist() == [
        1,
        0,
        1,
        IGNORE,
    ]
    with pytest.raises(UserError, match="the class 2, and there are 2 names of classes"):
        row_table(of_taxa(2), names, 9)
    for damaged in (
        '{"gene_taxonomy": "Primates"}',
        '{"gene_taxonomy": ["a", "a"]}',
        "[]",
        '{"prot_site": [1]}',
    ):
        path.write_text(damaged)
        with pytest.raises(UserError, match=r"labels\.json"):
            LabelNames.read(path)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,prot,MK,open('x')", "line 3, record a: obj_label is no literal"),
        ("a,prot,MK,{'seq_level': null}", r"no literal .* None for null"),
        ("a,prot,MK,[1]", "no dictionary"),
        ("a,prot,MK,{'level': {}}", "the level 'level'"),
        ("a,fish,MK,{}", "'fish' is unknown"),
        ("a,gene,,{}", "there is no sequence"),
        ("a,prot", "not 4 values"),
        ("a,prot,MK,{},more", "not 4 values"),
        ("a,prot,MK,\"{'span_level': {'prot_site': [[0, 2, 'x']]}}\"", "span 0 to 2 in a sequence of 2"),
        ("a,prot,MK,\"{'span_level': {'prot_site': [[0, 1]]}}\"", r"no list of \[start, end, label\]"),
        (
            "a,prot,MK,{'span_level': {'gene_type': [[0, 1, 'x']]}}".replace(",{", ',"{') + '"',
            "no task of a protein",
        ),
        ("a,prot,MK,{'span_level': {'gene_kind': 'x'}}", "no list of"),
        ("a,prot,MK,{'seq_level': {'prot_site': 'x'}}", "'prot_site' is no task of sequence labels"),
        ("a,prot,MK,{'seq_level': {'prot_keyword': 'x'}}", "no list of labels"),
        ("a,prot,MK,{'seq_level': {'prot_taxonomy': 0.5}}", "neither a name"),
        ("a,prot,MK,{'structure_level': {'prot_structure': [1]}}", r"no list of \[x, y, z\]"),
        ("a,prot,MK,\"{'structure_level': {'prot_structure': [[1, 2, 3]]}}\"", r"shape \(1, 3\)"),
        ("a,prot,MK,{[1]: 2}", "record a: obj_label is no literal"),
        ("a,prot,MK,{{}}", "no literal"),
        ("a,prot,MK," + "[" * 5000, "no literal"),
        ("a,prot,MK,{'seq_level': {'prot_taxonomy': -1}}", "classes count from 0"),
        ("a,prot,MK,{'seq_level': {'prot_taxonomy': '\\ud800'}}", "no text"),
        ("a,gene,ACGT,\"{'span_level': {'gene_type': [[0, 1, 'cds']]}}\"", "'cds'. Labels are regulatory"),
        ("a,gene,ACGT,\"{'span_level': {'gene_type': [[0, 1, 8]]}}\"", "label 8. Labels are regulatory"),
        ("a,gene,AC7T,{}", "record a: '7' at position 3 is no letter"),
    ],
)
def test_a_row_that_is_none_is_named_with_its_line(tmp_path: Path, row: str, said: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"{HEADER}first,gene,ACGT,{{}}\n{row}\n")
    with pytest.raises(UserError, match=said) as fault:
        list(read_rows(path))
    assert f"{path}, line 3" in str(fault.value)


@pytest.mark.filterwarnings("error")
def test_a_backslash_in_a_name_is_nothing_to_warn_of(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"{HEADER}a,prot,MK,{{'seq_level': {{'prot_taxonomy': '\\d'}}}}\n")
    assert next(read_rows(path)).labels == {"prot_taxonomy": "\\d"}


def test_rows_that_are_cut_are_counted() -> None:
    names = LabelNames({"gene_type": GENE_TYPES})
    table = row_table([GENE, PROTEIN], names, longest=3)
    assert (len(table), table.num_cut) == (3, 1)
    assert [len(table.letters(row)) for row in range(3)] == [2, 3, 3]
    assert [table.label_of_letters("gene_type", row).tolist() for row in range(2)] == [
        [7, 7],
        [7, IGNORE, 5],
    ]


def test_files_that_hold_no_rows(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        list(read_rows(tmp_path / "none.csv"))
    path = tmp_path / "rows.csv"
    path.write_text("obj_id,obj_seq\n1,ACGT\n")
    with pytest.raises(UserError, match="no column obj_type"):
        list(read_rows(path))
    path.write_text("obj_id,obj_type,obj_seq,obj_label,obj_seq\n1,gene,ACGT,{},TTTT\n")
    with pytest.raises(UserError, match="two columns obj_seq"):
        list(read_rows(path))


def test_what_a_row_may_not_hold() -> None:
    with pytest.raises(UserError, match=r"record P1: prot_taxonomy is .* not a name"):
        replace(PROTEIN, labels={"prot_taxonomy": ("a", "b")})
    with pytest.raises(UserError, match="neither gene nor protein"):
        replace(GENE, molecule="dna")
    with pytest.raises(UserError, match="prot_structure is no task of a gene"):
        replace(GENE, coordinates=np.zeros((5, 3), np.float32))
