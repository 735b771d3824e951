"""Rows of LucaOne divided and written: no split shares anything with another, and labels are counted."""

import csv
import json
from itertools import pairwise

import numpy as np
import pytest

from lifecode.alphabet import decode_nucleotides, encode_nucleotides, reverse_complement
from lifecode.data import BlockSplit, ContigSplit
from lifecode.data.splits.twins import strandless_digest
from lifecode.datasets.luca_one import LucaOneRow, RowSettings, RowSources, make_rows, rows_of
from lifecode.datasets.luca_one.label_counts import LabelCounts
from lifecode.datasets.luca_one.label_names import LabelNames
from lifecode.datasets.luca_one.row_files import read_rows
from lifecode.datasets.luca_one.rows import GENE_TYPES
from lifecode.errors import UserError
from tests.support.luca_records import genbank, sequence, swissprot

SPLITS = ("train", "validation", "test")
SMALL = RowSettings(max_letters=100)
BLOCKS = BlockSplit(block_nucleotides=1000, validation=0.1, test=0.2)


def protein(seed, length=60):
    return "".join(np.random.default_rng(seed).choice(list("ACDEFGHIKLMNPQRSTVWY"), length))


@pytest.fixture
def made(tmp_path):
    """Writes files, makes rows of them and reads these, by split."""

    def make(files, split=BLOCKS, settings=SMALL, **more):
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        sources = RowSources(input=[tmp_path / name for name in files], **more)
        folder = tmp_path / f"rows{len(list(tmp_path.glob('rows*')))}"
        report = make_rows(sources, folder, split=split, settings=settings)
        return {name: list(read_rows(folder / f"{name}.csv")) for name in SPLITS}, report, folder

    return make


def test_windows_lie_in_the_blocks_of_one_split(made, tmp_path):
    letters = sequence(20_000)
    rows, report, _ = made({"one.gb": genbank([("CDS", "1..20000")], letters)})
    assert {name: report["rows"][name]["gene"] for name in SPLITS} == {
        "train": 280,
        "validation": 40,
        "test": 80,
    }
    places = {name: {row.id.partition("(")[0] for row in rows[name]} for name in SPLITS}
    assert not places["train"] & (places["test"] | places["validation"])
    ends = sorted(
        tuple(map(int, place.partition(":")[2].split("-"))) for own in places.values() for place in own
    )
    assert (ends[0][0], ends[-1][1]) == (1, 20_000)
    assert all(before[1] + 1 == behind[0] for before, behind in pairwise(ends))
    undivided = {row.sequence for row in rows_of(tmp_path / "one.gb", SMALL)}
    assert {row.sequence for name in SPLITS for row in rows[name]} == undivided


def test_repeats_of_a_genome_stay_in_the_most_held_out_split(made):
    """The same 1,000 nucleotides in every block, in half of them on the other strand."""
    repeat = sequence(1000, seed=1)
    other = decode_nucleotides(reverse_complement(encode_nucleotides(repeat)))
    letters = "".join(repeat if block % 2 else other for block in range(20))
    rows, report, _ = made({"one.gb": genbank([], letters)})
    assert [len(rows[name]) for name in SPLITS] == [0, 0, 4 * 20]
    assert report["left_out"] == {"duplicate_across_splits": 160}


def test_similar_windows_are_left_out_where_that_is_asked_for(made):
    """Of a repeat every hundredth nucleotide has changed; it is held out, and elsewhere on either strand."""
    repeat = sequence(1000, seed=1)
    blocks = [sequence(1000, seed=10 + block) for block in range(20)]
    whole, _, _ = made({"one.gb": genbank([], "".join(blocks))})
    numbers = {row.id: (int(row.id.split(":")[1].split("-")[0]) - 1) // 1000 for row in whole["test"]}
    held_out = min(numbers.values())
    elsewhere = [block for block in range(20) if block not in numbers.values()][:6]
    for count, block in enumerate([held_out, *elsewhere]):
        changed = list(repeat)
        for at in range(20 + 2 * count, 1000, 100):
            changed[at] = "ACGT"["TGCA".index(changed[at])]
        letters = "".join(changed)
        back = decode_nucleotides(reverse_complement(encode_nucleotides(letters)))
        blocks[block] = back if count % 2 else letters
    text = genbank([], "".join(blocks))
    split = BlockSplit(block_nucleotides=1000, validation=0.1, test=0.2, clusters=0.3)
    without, report, _ = made({"one.gb": text}, split)
    assert report["left_out"] == {"similar_across_splits": 6 * 10}
    assert sum(map(len, without.values())) == 400 - 2 * 60
    assert {row.id for row in without["test"]} == set(numbers)
    whole, report, _ = made({"one.gb": text})
    assert (sum(map(len, whole.values())), report["left_out"]) == (400, {})


def test_similar_proteins_lie_in_one_split(made):
    families = [protein(seed) for seed in range(30)]
    entries = {f"P{i}x{j}": family[j:] + "GS" * j for i, family in enumerate(families) for j in range(3)}
    text = "".join(swissprot(name, letters) for name, letters in entries.items())
    clustered = BlockSplit(validation=0.1, test=0.2, clusters=0.5)
    rows, report, _ = made({"all.dat": text}, clustered)
    split_of = {row.id: name for name in SPLITS for row in rows[name]}
    assert set(split_of) == set(entries)
    assert all(len({split_of[f"P{i}x{j}"] for j in range(3)}) == 1 for i in range(30))
    assert 5 <= report["rows"]["test"]["protein"] <= 30
    apart, _, _ = made({"all.dat": text})
    split_of = {row.id: name for name in SPLITS for row in apart[name]}
    assert any(len({split_of[f"P{i}x{j}"] for j in range(3)}) > 1 for i in range(30))


def test_equal_proteins_of_two_names_lie_in_one_split(made):
    text = "".join(swissprot(f"{name}{i}", protein(i)) for i in range(20) for name in "PQ")
    rows, _, _ = made({"all.dat": text})
    names = [{row.id[1:] for row in rows[name]} for name in SPLITS]
    assert sum(map(len, names)) == 20


def test_labels_of_training_rows_are_named_sorted_and_counted(made):
    lineage = "Bacteria; {}ales; Ix."
    files = {
        "a.gb": genbank([("tRNA", "1..90")], sequence(100, 1), name="A", lineage=lineage.format("Zeta")),
        "b.gb": genbank([("CDS", "1..90")], sequence(100, 2), name="B", lineage=lineage.format("Alpha")),
        "c.gb": genbank([("CDS", "1..90")], sequence(100, 3), name="C", lineage=lineage.format("Nova")),
    }
    settings = RowSettings(reverse_strand=False)
    rows, report, folder = made(files, ContigSplit(validation=[], test=["C"]), settings)
    names = LabelNames.read(folder / "labels.json")
    assert names == LabelNames.of_rows(rows["train"])
    assert names.of_task == {"gene_type": GENE_TYPES, "gene_taxonomy": ("Alphaales", "Zetaales")}
    assert report["tasks"]["gene_type"] == {"classes": 8, "train": 2, "validation": 0, "test": 1}
    assert report["unknown_labels"] == {"gene_taxonomy": {"test": 1}}
    with (folder / "labels.csv").open(newline="") as file:
        table = [row for row in csv.DictReader(file) if row["train_rows"] != "0"]
    assert [list(row.values()) for row in table] == [
        ["gene_type", "5", "tRNA", "1", "0", "0"],
        ["gene_type", "7", "CDS", "1", "0", "1"],
        ["gene_taxonomy", "0", "Alphaales", "1", "0", "0"],
        ["gene_taxonomy", "1", "Zetaales", "1", "0", "0"],
    ]


def test_a_label_counts_once_a_row():
    counts = LabelCounts()
    row = LucaOneRow("a", "gene", "ACGT", spans={"gene_type": [(0, 0, "CDS"), (1, 2, "CDS"), (3, 3, "tRNA")]})
    assert list(counts.counting("train", [row, row])) == [row, row]
    assert counts.of_label == {("train", "gene_type", "CDS"): 2, ("train", "gene_type", "tRNA"): 2}
    assert counts.of_task["train", "gene_type"] == 2


def test_the_same_command_writes_the_same_bytes(made, tmp_path):
    files = {"one.gb": genbank([("CDS", "1..90")], sequence(5000)), "p.dat": swissprot("P1", protein(1))}
    _, report, first = made(files)
    _, again, second = made(files)
    assert report == again == json.loads((first / "report.json").read_text())
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name


def test_contigs_of_one_name_are_told_apart_and_equal_ones_refused(made):
    files = {"a.gb": genbank([], sequence(5000, 1)), "b.gb": genbank([], sequence(5000, 2))}
    rows, _, _ = made(files)
    assert {row.id.partition(":")[0] for name in SPLITS for row in rows[name]} == {"HAND.1@a", "HAND.1@b"}
    with pytest.raises(UserError, match=r"already used in a\.gb, for the same sequence"):
        made({"a.gb": files["a.gb"], "b.gb": files["a.gb"]})


def test_too_little_to_divide_is_said(made):
    with pytest.raises(UserError, match="1 different sequences cannot be split into 3 parts"):
        made({"one.dat": swissprot("P1", protein(1))})
    rows, _, _ = made({"one.dat": swissprot("P1", protein(1))}, BlockSplit(validation=0, test=0))
    assert [len(rows[name]) for name in SPLITS] == [1, 0, 0]


def test_nothing_to_make_a_row_of_is_said(made, tmp_path):
    with pytest.raises(UserError, match="nothing to make a row of"):
        made({"n.gb": genbank([], "N" * 9000)})
    with pytest.raises(UserError, match="no input was given"):
        list(rows_of(RowSources()))
    assert not any(path.is_dir() for path in tmp_path.iterdir())


def test_the_shipped_genome_leaks_nothing(tmp_path):
    """Neither a window nor its reverse complement is in two splits; 10 % of the blocks are for the test."""
    report = make_rows(RowSources(input="ecoli"), tmp_path / "rows", split=BlockSplit())
    digests = {
        name: {
            strandless_digest(encode_nucleotides(row.sequence))[0]
            for row in read_rows(tmp_path / f"rows/{name}.csv")
        }
        for name in SPLITS
    }
    assert not digests["train"] & (digests["test"] | digests["validation"])
    assert not digests["validation"] & digests["test"]
    total = sum(report["rows"][name]["gene"] for name in SPLITS)
    assert report["rows"]["test"]["gene"] == pytest.approx(0.1 * total, rel=0.02)
    assert report["gene_types"] == {"CDS": 4337, "ncRNA": 99, "rRNA": 22, "tRNA": 86}
    assert report["tasks"]["gene_taxonomy"]["classes"] == 1
