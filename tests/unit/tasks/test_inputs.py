"""Tables as others write them: what is read as it was meant, and what is one line."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lifecode.errors import UserError
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.examples.table import read_table
from lifecode.tasks.examples.table_parts import table_parts
from lifecode.tasks.examples.task_data import read_task
from lifecode.tasks.splits.folds import groups_of

GENES = ["ATGAAACGC", "ATGGGTTAA", "ATGCCCTAA", "ATGTTTTGC"]
PROTEINS = ["MKRWLLACA", "MKRWLLACC", "MKRWLLACD", "MKRWLLACE"]


def table(labels, sequences=GENES, header="sequence,label"):
    return header + "\n" + "".join(f"{a},{b}\n" for a, b in zip(sequences, labels, strict=False))


def read(folder, content, **task):
    path = folder / "a.csv"
    if isinstance(content, pa.Table):
        pq.write_table(content, path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_task(SequenceTask(train=str(path), **task))


XY = ("x", "y")
WRITTEN = {
    "Windows-1252": (table(["café", "thé"]).encode("cp1252"), ("café", "thé")),
    "a header in Windows-1252": (table("xy", header="sequence,étiquette").encode("cp1252"), XY),
    "UTF-16": (table("xy").encode("utf-16"), XY),
    "an index of pandas": (",sequence,activity\n0,ATGAAACGC,x\n1,ATGGGTTAA,y\n", XY),
    "the same, read again": ("Unnamed: 0,sequence,activity\n0,ATGAAACGC,x\n1,ATGGGTTAA,y\n", XY),
    "blanks before quotes": ('sequence, "label"\nATGAAACGC, "x"\n"ATGGGTTAA", "y"\n', XY),
    "separators in quotes": ('"a;b;c;d",sequence,label\n"u;v",ATGAAACGC,x\n"w",ATGGGTTAA,y\n', XY),
    "lines in quotes": ('sequence,note,label\nATGAAACGC,"a\nb",x\nATGGGTTAA,"c ""d""",y\n', XY),
    "an id of DNA": ("id,dna,label\nGATTACAGATTACA,ATGAAACGC,x\nGATTACAGATTACC,ATGGGTTAA,y\n", XY),
    "spellings of numbers": (table(["0.0", "1", "0", "1.0"]), ("0", "1")),
    "comments above the header": ("# made by hand\n\n# on Monday, at 5\n" + table("xy"), XY),
    "a header behind #": ("#id\tsequence\tlabel\na\tATGAAACGC\tx\nb\tATGGGTTAA\ty\n", XY),
    "the separator of Excel": ("sep=;\r\nsequence;label\r\nATGAAACGC;x\r\nATGGGTTAA;y\r\n", XY),
    "empty rows and columns": ("sequence,label,,\nATGAAACGC,x,,\n,,,\nATGGGTTAA,y,,\n,,,\n", XY),
    "separators behind the rows": ("sequence,label\nATGAAACGC,x,\nATGGGTTAA,y,\n", XY),
    "R's row names": ('"sequence" "label"\n"1" "ATGAAACGC" "x"\n"2" "ATGGGTTAA" "y"\n', XY),
    "R's row names, tabs": ('"sequence"\t"label"\n"a"\t"ATGAAACGC"\t"x"\n"b"\t"ATGGGTTAA"\t"y"\n', XY),
    "characters without width": (table(["x", "y\u200b"], ["\u200bATGAAACGC", GENES[1]]), XY),
    "an index of pandas, kept": (
        pa.table({"seq": GENES, "activity": list("xyxy"), "__index_level_0__": [3, 5, 7, 9]}),
        XY,
    ),
    "bytes": (pa.table({"seq": [g.encode() for g in GENES], "y": list("xyxy")}), XY),
    "token ids": (pa.table({"seq": GENES, "activity": list("xyxy"), "input_ids": [[1, 2]] * 4}), XY),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_others_write_is_read_as_it_was_meant(tmp_path, name):
    content, classes = WRITTEN[name]
    data = read(tmp_path, content)
    assert data.labels.classes == classes
    assert [len(ids) for ids in data.train.sequences] == [9] * len(data.train)
    assert data.train.labels.tolist() == [0, 1, 0, 1][: len(data.train)]
    parts = list(table_parts(tmp_path / "a.csv", 1))
    assert [part.rows[0] for part in parts] == list(range(1, len(data.train) + 1))
    whole = read_table(tmp_path / "a.csv").columns
    assert {name for part in parts for name in part.columns} == set(whole)
    assert [list(column) for column in whole.values()] == [
        [part.columns[name][0] for part in parts] for name in whole
    ]


LISTS = {
    "JSON": '"[""a"", ""b""]"',
    "Python": "\"['a', 'b']\"",
    "NumPy": "['a' 'b']",
    "bare": '"[a, b]"',
    "joined": "b; a",
}


@pytest.mark.parametrize("name", LISTS)
def test_several_classes_may_be_a_list(tmp_path, name):
    data = read(tmp_path, table([LISTS[name], "[a]" if name != "joined" else "a", ""]), kind="multilabel")
    assert data.labels.classes == ("a", "b")
    assert data.train.labels.tolist() == [[1, 1], [1, 0], [0, 0]]


def test_lists_of_parquet(tmp_path):
    given = pa.table({"seq": GENES, "labels": [["a", "b"], ["a"], [], ["b"]]})
    assert read(tmp_path, given, kind="multilabel").train.labels.tolist() == [[1, 1], [1, 0], [0, 0], [0, 1]]
    given = pa.table({"seq": GENES[:2], "labels": [[0, 1, 0], [1, 1, 0]]})
    assert [x.tolist() for x in read(tmp_path, given, unit="codon").train.labels] == [[0, 1, 0], [1, 1, 0]]


@pytest.mark.parametrize("text", ['"[0, 1, 0]"', "[0 1 0]", "\"['0', '1', '0']\"", "0 1 0", "010"])
def test_labels_of_positions_may_be_a_list(tmp_path, text):
    data = read(tmp_path, table([text, text]), unit="codon")
    assert data.labels.classes == ("0", "1")
    assert data.train.labels[0].tolist() == [0, 1, 0]


@pytest.mark.parametrize("others", ["dna", "label"])
def test_a_protein_is_neither_dna_nor_a_word(tmp_path, others):
    first = GENES if others == "dna" else ["Extracellular", "Mitochondrion"] * 2
    rows = "".join(f"{a}{a},{b},{i % 2}\n" for i, (a, b) in enumerate(zip(first, PROTEINS, strict=True)))
    data = read(tmp_path, "other,peptide,class\n" + rows, molecule="protein", label="class")
    assert data.train.texts() == PROTEINS


def test_the_column_that_is_called_sequence_goes_before_a_longer_one(tmp_path):
    rows = "".join(f"{gene}AAAAAA,{gene},{i % 2}\n" for i, gene in enumerate(GENES))
    data = read(tmp_path, "gene,sequence,label\n" + rows)
    assert data.train.texts() == GENES
    assert any("'gene' of" in note and "task=pair" in note for note in data.notes)


SPELT_WRONG = {
    "no header": (table("xyxy").partition("\n")[2], {}, "begins without a header"),
    "no header, proteins": (f"{'MKTAYIAKQR' * 2},0\n{'MKTAYIAKQW' * 2},1\n", {}, "begins without a header"),
    "no label is known": (table(["pos", "neg", "nan"]), {}, "in row 3: 'nan' stands beside classes"),
    "NA of R": (table(["pos", "neg", "NA"]), {}, "'NA' stands beside classes"),
    "an error of Excel": (table(["pos", "neg", "#DIV/0!"]), {}, "'#DIV/0!' stands beside classes"),
    "too large to be squared": (table(["1.5", "-2e150", "3.5"]), {}, "row 2: '-2e150' .* is above 1e\\+100"),
    "infinite": (table(["1.5", "2.5", "inf"]), {}, "'inf' stands beside numbers"),
    "percents": (table(["45%", "50 %", "7"]), {}, "numbers with a %, such as '45%'"),
    "a title above the header": (
        "Screen of May,,\nsequence,label,note\nATG,x,a\n",
        {},
        "columns without a name",
    ),
    "row names without quotes": (
        "sequence,label\n1,ATGAAA,x\n2,ATGAAC,y\n",
        {},
        r"row 1: .*R: col\.names=NA",
    ),
    "lists": (table(['"[""a""]"', '"[""b""]"']), {}, "holds lists, such as .*task.kind=multilabel"),
    "zeros and ones": (
        table(['"[1, 0, 1]"', '"[0, 1, 0]"']),
        {"kind": "multilabel"},
        "in row 1: .* names a class twice",
    ),
    "other signs": (table(["a|b", "a", "b"]), {"kind": "multilabel"}, r"'a\|b' in .* Join the classes"),
    "decimal commas": (
        "sequence;level\n" + "".join(f"{gene};1,{i}\n" for i, gene in enumerate(GENES)),
        {},
        "numbers with a comma, such as '1,0'",
    ),
    "JSON": ('{"sequence": "ATGAAACGC", "label": 1}\n', {}, "is JSON"),
    "a workbook": (b"PK\x03\x04" + bytes(99), {}, "perhaps an Excel workbook"),
    "a web page": ("<!DOCTYPE html><html></html>", {}, "is a web page"),
    "gaps": (table("xy", ["ATG-AACGC", "ATGGG-TAA"]), {}, "record 1: letter '-' at position 4"),
    "a slip in a short table": (
        table("xyx", [*GENES[:2], "ATGAAAJGC"]),
        {},
        "record 3: letter 'J' at position 7",
    ),
    "an empty sequence": (table("xyx", ["ATGAAACGC", "", "ATGGGTTAA"]), {}, "in row 2: .* is empty"),
    "FASTA without labels": (">a\nATGAAA\n>b\nATGGGT\n", {}, "no column is left for the label .*label=VALUE"),
}


@pytest.mark.parametrize("name", SPELT_WRONG)
def test_what_cannot_be_meant_is_one_line(tmp_path, name):
    content, task, said = SPELT_WRONG[name]
    with pytest.raises(UserError, match=said):
        read(tmp_path, content, **task)


@pytest.mark.parametrize("task", [{}, {"unit": "codon"}, {"kind": "multilabel"}])
def test_a_label_that_is_not_known_is_named_by_its_file_and_row(tmp_path, task):
    between = " " if task.get("unit") else ";"
    known = between.join(["1.5", "2", "3"]) if task else "1.5"
    unknown = known.replace("1.5", "NA")
    (tmp_path / "b.csv").write_text(table([known.replace("5", "7"), known, unknown, known]))
    (tmp_path / "a.csv").write_text(table([known] * 4))
    with pytest.raises(UserError, match=r"b\.csv, record in row 3: 'NA' stands beside numbers"):
        read_task(SequenceTask(train=[str(tmp_path / "a.csv"), str(tmp_path / "b.csv")], **task))


def test_rows_of_several_files_are_numbered_on_where_there_are_no_ids(tmp_path):
    (tmp_path / "b.csv").write_text(table("xy", GENES[2:]))
    files = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    data = read(tmp_path, table("xyx", GENES), validation=files[1], test=files)
    assert data.train.ids == ["1", "2", "3", "4", "5"]
    assert data.test is not None
    assert data.test.ids == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "index"])
def test_an_index_of_names_holds_the_ids(tmp_path, name):
    rows = "".join(f"{name},{gene},{y}\n" for name, gene, y in zip("abcd", GENES, "xyxy", strict=True))
    assert read(tmp_path, f"{name},sequence,activity\n{rows}").train.ids == list("abcd")
    assert read(tmp_path, f"{name},gene_id,activity\n{rows}", sequence="gene_id").train.ids == list("abcd")
    again = rows.replace("b,", "a,", 1)
    assert not read(tmp_path, f"{name},sequence,activity\n{again}").train.has_ids


def test_classes_like_words_of_unknown_and_chemical_names_stay(tmp_path):
    assert read(tmp_path, table(["none", "site"])).labels.classes == ("none", "site")
    data = read(tmp_path, table(['"2,4-D;MCPA"', "MCPA"]), kind="multilabel")
    assert data.labels.classes == ("2,4-D", "MCPA")


def test_what_looks_like_a_number_to_python_alone_is_a_class(tmp_path):
    assert read(tmp_path, table(["1_0", "10", "1_1", "11"])).labels.classes == ("10", "11", "1_0", "1_1")
    assert read(tmp_path, table(["\u22121.5", "2", "3.5"])).train.labels.tolist() == [-1.5, 2, 3.5]


def test_an_empty_id_is_none(tmp_path):
    given = "id,sequence,label\n,ATGAAACGC,x\n,ATGGGTTAA,y\na,ATGCCCTAA,x\na,ATGTTTTGC,y\n"
    (tmp_path / "b.csv").write_text(given.replace("\na,", "\nb,"))
    data = read(tmp_path, given, test=str(tmp_path / "b.csv"))
    assert len(set(groups_of(data.train).tolist())) == 3


def test_what_is_odd_is_said(tmp_path):
    notes = read(tmp_path, table(["Yes", "No", "yes", "no"])).notes
    assert any(note.endswith("in case or blanks alone: 'No', 'no'; 'Yes', 'yes'") for note in notes)
    notes = read(tmp_path, table(["1", "True", "0", "false"])).notes
    assert any(note.endswith("may mean the same: '0', 'false'; '1', 'True'") for note in notes)
    data = read(tmp_path, table("xyxy", ["ATGAAACG", "ATGTAAAAA", "ATGAAACGC", "ATGAAACGC"]), molecule="cds")
    assert any(note.startswith("2 of 4 coding sequences are not whole codons") for note in data.notes)
    assert "1 different sequences stand there with different labels" in data.notes
    assert len(read(tmp_path, table("xyxy")).notes) == 1


def test_parts_of_a_table_that_is_none_are_one_line_too(tmp_path):
    for text, said in (('\n{"sequence": "ATG"}\n', "is JSON"), ("@r1\nACGT\n+\nIIII\n", "is FASTQ")):
        (tmp_path / "a").write_text(text)
        with pytest.raises(UserError, match=said):
            next(table_parts(tmp_path / "a", 10))


def test_names_in_a_table_and_letters_in_a_fasta_file(tmp_path):
    (tmp_path / "a.fa").write_text(">g2 x\nATGGGT\nTAA\n>g1\nATGAAACGC\n")
    fasta = str(tmp_path / "a.fa")
    for content in ("gene,kind\ng1,x\ng2,y\n", "label,id\nx,g1\ny,g2\n"):
        data = read(tmp_path, content, fasta=fasta)
        assert data.train.texts() == ["ATGAAACGC", "ATGGGTTAA"]
        assert data.train.ids == ["g1", "g2"]
        assert data.labels.classes == ("x", "y")
    for content, task, said in (
        ("gene,label\ng1,x\ng3,y\n", {"sequence": "gene"}, r"in row 2: 'g3' is no record of .*a\.fa"),
        ("gene,label\ng1,x\ng3,y\n", {}, "has no column of names of"),
        ("gene,label\ng1,x\n", {"sequence": "name"}, "has no column 'name'"),
    ):
        with pytest.raises(UserError, match=said):
            read(tmp_path, content, fasta=fasta, **task)


def test_a_column_of_splits_is_said_to_split_nothing(tmp_path):
    rows = "sequence,label,split\nATGAAACGC,x,train\nATGGGTTAA,y,test\n"
    assert any("'split' of" in note and "says test, train" in note for note in read(tmp_path, rows).notes)


def test_ids_that_only_the_training_file_has_are_none(tmp_path):
    (tmp_path / "b.csv").write_text(table("xy"))
    data = read(tmp_path, "id,sequence,label\n3,ATGAAACGC,x\n1,ATGGGTTAA,y\n", test=str(tmp_path / "b.csv"))
    assert data.train.ids == ["1", "2"]
    assert any("b.csv has no column 'id': rows are known by their numbers" in note for note in data.notes)
    (tmp_path / "b.csv").write_text(table("xy", header="sequence,y"))
    with pytest.raises(UserError, match=r"b\.csv: has no column 'label'"):
        read(tmp_path, table("xy"), test=str(tmp_path / "b.csv"))
