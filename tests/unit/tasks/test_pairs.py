"""Pairs: read, split by what is new, joined, and measured beside the rule of the central dogma."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lifecode
from lifecode.app.main import main
from lifecode.data.translation import reverse_translate
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code
from lifecode.tasks import PairHead, PairTask, Probe
from lifecode.tasks.competitors.without_leaks import rows_without_leaks
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.pairs.boosting import BoostingHead
from lifecode.tasks.pairs.composition import triads
from lifecode.tasks.pairs.dogma_rule import translates_to
from lifecode.tasks.pairs.pair_baselines import pair_blocks, pair_warnings
from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.pairs.pair_leaks import pair_leaks
from lifecode.tasks.pairs.pair_task import PairData, read_pairs
from lifecode.tasks.pairs.side import Side
from lifecode.tasks.suites.benchmark import PairSet
from lifecode.tasks.suites.layouts.lucaone import LucaOne
from lifecode.tasks.suites.layouts.rpi import Rpi
from tests.support.small_models import small_model

INTRON = "GTAAGTTTTTTTTTTTTTTTTTTTTTTTTAG"


def rule(dna, protein):
    return translates_to(dna, protein, genetic_code(1), genetic_code(11))


def pairs(first, second, labels=None):
    labels = np.zeros(len(first), np.int64) if labels is None else np.array(labels)
    ids = [str(i) for i in range(len(first))]
    return PairExamples(ids, Side.of(first, "protein"), Side.of(second, "dna"), labels)


@pytest.mark.parametrize(
    ("dna", "protein", "expected"),
    [
        ("CCATGAAAGTTTAACC", "MKV", True),  # frame 2, a stop behind it
        ("CCATGAAAGTT", "MKV", True),  # the end of the DNA
        ("CCATGAAAGTTGGGCC", "MKV", False),  # it goes on
        ("GTGAAAGTTTAA", "MKV", True),  # a start codon that is read M
        ("AAAAAAGTTTAA", "MKV", False),  # no start codon
        ("ATGAAAGTTTAA", "MRV", False),
        (f"ATGAA{INTRON}AGTTTAA", "MKV", True),  # inside a codon
        (f"ATGAAA{INTRON}GTTTAA", "MKV", True),  # between codons
        (f"ATGAAAGTTT{INTRON}AA", "MKV", True),  # inside the stop
        (f"ATGAA{INTRON[2:]}AGTTTAA", "MKV", False),  # no GT
        ("ATGAAGTTTAGAGTTTAA", "MKV", False),  # too short for an intron
        ("ATG", "MKV", False),
    ],
)
def test_the_rule_translates_in_frames_and_along_introns(dna, protein, expected):
    assert rule(dna, protein) is expected


@settings(max_examples=60, deadline=None)
@given(
    protein=st.text("ACDEFGHIKLMNPQRSTVWY", min_size=2, max_size=12),
    place=st.floats(0, 1),
    flank=st.text("ACGT", max_size=9),
)
def test_what_is_translated_or_spliced_is_found_and_a_changed_residue_is_not(protein, place, flank):
    protein = "M" + protein
    cds = reverse_translate(protein + "*")
    cut = 3 + int(place * (len(cds) - 4))
    assert rule(flank + cds, protein)
    assert rule(flank + cds[:cut] + INTRON + cds[cut:], protein)
    other = "W" if protein[-1] != "W" else "C"
    assert not rule(cds, protein[:-1] + other)


def test_words_for_what_a_side_is(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("first,second,label\nACGU,MAC,1\nAAC,MAV,0\n")
    for first, second in (("rna", "prot"), ("gene", "protein"), ("nucleotide", "protein")):
        data = read_pairs(PairTask(train=str(path), first_kind=first, second_kind=second))
        assert (data.train.first.kind, data.train.second.kind) == ("dna", "protein")
    suite = PairSet(name="one", task=PairTask(train=str(path), first_kind="prot", second_kind="rna"))
    assert "dogma_rule" not in suite.baselines


def test_triads_are_counted_by_hand():
    (row,) = triads(Side.of(["AGVK"], "protein").residues())  # kinds 0 0 0 4: words 000 and 004
    assert row[0] == row[4] == 0.5
    assert row.sum() == 1
    assert triads(Side.of(["AXG"], "protein").residues()).sum() == 0


def test_leaks_of_pairs_are_counted_by_what_is_known():
    examples = pairs(["A", "C", "A", "A", "D"], ["G", "T", "G", "C", "T"])
    split = np.array([0, 0, 1, 1, 1])
    leaks = pair_leaks(examples, split, split == 1)
    assert (leaks.held_out, leaks.equal, leaks.first_known, leaks.second_known) == (3, 1, 2, 2)
    assert examples.groups("first").tolist() == [0, 1, 0, 0, 2]
    both = examples.at(np.array([0, 4])).followed_by(examples.at(np.array([1])))
    assert both.texts() == ["A G", "D T", "C T"]


def test_of_sides_of_one_kind_a_pair_is_the_same_either_way_round():
    ids, labels = [str(i) for i in range(4)], np.zeros(4, np.int64)
    first, second = ["A", "C", "D", "E"], ["C", "A", "A", "D"]
    both = PairExamples(ids, Side.of(first, "protein"), Side.of(second, "protein"), labels)
    split = np.array([0, 1, 1, 1])
    leaks = pair_leaks(both, split, split == 1)
    assert (leaks.equal, leaks.first_known, leaks.second_known) == (1, 1, 2)  # C; A and A
    assert both.groups("pairs")[0] == both.groups("pairs")[1]
    ordered = PairExamples(ids, Side.of(["AC", "CA", "AA", "GG"], "dna"), Side.of(second, "protein"), labels)
    assert len(set(ordered.groups("pairs").tolist())) == 4
    data = PairData(Labels("binary", ("0", "1")), both.at(np.array([0])), 0, both.at(np.array([1, 2])), [])
    assert rows_without_leaks(data, None).tolist() == [1]


def test_a_letter_or_a_label_that_is_wrong_is_named_by_its_row(tmp_path):
    path = tmp_path / "a.csv"
    for rows, said in (
        ("ACGT,MKV,x\nACGA,MK1,y\n", r"in row 2: '1' at position 3 is no residue, in column 'second'"),
        ("ACGT,MKV,x\nACGJ,MK,y\n", r"in row 2: letter 'J' .*in column 'first'"),
        ("ACGT,MKV,x\nACGA,MK,\n", r"in row 2: column 'Label' is empty"),
    ):
        path.write_text("first,second,Label\n" + rows)
        with pytest.raises(UserError, match=said):
            read_pairs(PairTask(train=str(path), first_kind="dna", second_kind="protein"))


def test_a_letter_that_is_wrong_does_not_make_proteins_of_dna(tmp_path):
    """X is a residue, and so are A, C, G and T: the whole column would be read as proteins."""
    path = tmp_path / "pairs.csv"
    path.write_text("first,second,label\nACGTAC,MKV,1\nACGXAC,MKR,0\nACGTAA,MAC,1\n")
    with pytest.raises(
        UserError, match=r"row 2: letter 'X' at position 4 .* in column 'first', the dna side"
    ):
        read_pairs(PairTask(train=str(path)))
    assert read_pairs(PairTask(train=str(path), first_kind="protein")).train.first.kind == "protein"


def test_pairs_of_several_files_have_names_and_rows_of_their_own(tmp_path):
    head = "first,second,label"
    (tmp_path / "a.csv").write_text(f"{head}\nMKV,ATGAAC,1.5\nMKV,ATGAAC,1.5\nMKW,ATGAAC,2.5\n")
    (tmp_path / "b.csv").write_text(f"{head}\nMKV,ATGAAG,2.5\nMKW,ATGAAG,3.5\n")
    files = [str(tmp_path / name) for name in ("a.csv", "b.csv")]
    found = read_pairs(PairTask(train=files, test=files))
    assert found.test is not None
    assert found.test.ids == found.train.ids == ["1", "2", "3", "4", "5"]
    assert read_pairs(PairTask(train=files)).train.ids == ["1", "3", "4", "5"]
    (tmp_path / "a.csv").write_text(f"id,{head}\ng,MKV,ATGAAC,1.5\ng,MKR,ATGAAC,1\nh,MKW,ATGAAC,2.5\n")
    assert read_pairs(PairTask(train=files[0])).train.ids == ["g", "g", "h"]
    for wrong, said in (("x", "'x' in column 'label' is no number"), ("NA", "'NA' stands beside")):
        (tmp_path / "b.csv").write_text(f"{head}\nMKV,ATGAAC,1.5\nMKW,ATGAAG,{wrong}\n")
        with pytest.raises(UserError, match=rf"b\.csv, record in row 2: {said}"):
            read_pairs(PairTask(train=files, kind="regression", id=False))


def test_few_sequences_and_lengths_that_solve_it_are_said():
    tables = {
        "m": {"metric": "accuracy", "differences": {"lengths": {"mean": 0.01, "low": -0.02, "high": 0.04}}}
    }
    first, second, told = pair_warnings(pairs(["A", "C"], ["G", "T"]), tables)
    assert first.startswith("only 2 different first sequences")
    assert second.startswith("only 2 different second")
    assert "not told from lengths alone (+0.010, 95 % from -0.020 to +0.040)" in told
    less = {"m": {"metric": "rmse", "differences": {"lengths": {"mean": -0.4, "low": -0.45, "high": -0.35}}}}
    assert len(pair_warnings(pairs(["A", "C"], ["G", "T"]), less)) == 2  # less of it is better


@pytest.mark.parametrize("unit", [1.0, 1e-60, 1e60])
def test_boosting_learns_from_few_examples_and_in_any_unit(unit):
    """scikit-learn's 20 examples of a leaf make no split of 39; its gradients are float32."""
    x = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    values = unit * (x[:, 0] > 0)
    said = BoostingHead(True).fit([x], values, np.zeros(30, np.int64), 0).predict([x])
    np.testing.assert_allclose(said, values, atol=0.01 * unit)


def test_boosting_gives_a_probability_to_every_class():
    x = np.arange(60, dtype=np.float32)[:, None]
    labels = (x[:, 0] > 30).astype(np.int64) * 2  # class 1 is never seen
    found = BoostingHead(regression=False).fit([x], labels, np.zeros(60, np.int64), 0).predict([x])
    assert found.shape == (60, 3)
    assert found[:, 1].max() == 0
    assert np.mean(found.argmax(1) == labels) > 0.9
    values = BoostingHead(regression=True).fit([x], x[:, 0], np.zeros(60, np.int64), 0).predict([x])
    assert np.corrcoef(values, x[:, 0])[0, 1] > 0.9


def test_rpi_of_the_shared_data_has_the_pairs_that_can_be_used(shared_data):
    sets = Rpi().sets(shared_data("ncrna"))
    assert [name for name in sets if "1807" in name] == [
        "RPI1807.random",
        "RPI1807.new_proteins",
        "RPI1807.new_rnas",
    ]
    data = sets["RPI1807.new_rnas"].data()
    assert len(data.train) == 1_010
    assert data.train.labels.sum() == 629
    assert len(data.train.second.letters) == 368
    assert "1,032 different pairs, 22 of them with two labels" in data.notes[1]


def test_lucaone_pairs(tmp_path):
    for split in ("train", "dev", "test"):
        path = tmp_path / f"dataset/dogma/gene_protein/binary_class/{split}/{split}.csv"
        path.parent.mkdir(parents=True)
        rows = [f"a{i},b{i},gene,prot,{'ACGT' * (i + 1)},MAC,{i % 2}" for i in range(4)]
        header = "seq_id_a,seq_id_b,seq_type_a,seq_type_b,seq_a,seq_b,label\n"
        path.write_text(header + "\n".join(rows) + "\n")
    data = LucaOne().sets(tmp_path)["dogma.gene_protein.binary_class"].data()
    assert (len(data.train), len(data.test)) == (8, 4)
    assert (data.train.first.kind, data.train.second.kind) == ("dna", "protein")  # MAC might be DNA


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Genes and proteins, half of which belong together, and a model."""
    folder = tmp_path_factory.mktemp("pairs")
    small_model(seed=3).save_pretrained(folder / "model")
    draw = np.random.default_rng(0)
    proteins = ["M" + "".join(draw.choice(list("ACDEFGHIKL"), 12)) for _ in range(40)]
    rows = [
        f"{reverse_translate(p + '*')},{p if i % 2 else proteins[i - 3]},{i % 2}"
        for i, p in enumerate(proteins)
    ]
    (folder / "pairs.csv").write_text("first,second,label\n" + "\n".join(rows) + "\n")
    return folder


def test_finetune_on_pairs_by_new_second_sequences(files, capsys):
    arguments = [
        "finetune",
        "task=pair",
        f"task.train={files}/pairs.csv",
        "task.keep_together=second",
        f"checkpoint={files}/model",
        "probe.frames=0",
        "folds=3",
        "baselines=[constant,lengths,composition_boosting,dogma_rule,multi_hot,untrained]",
        f"run_dir={files}/run",
    ]
    assert main(arguments) == 0
    metrics = json.loads((files / "run/metrics.json").read_text())
    assert metrics["baselines"]["dogma_rule"]["accuracy"]["mean"] == 1
    assert metrics["test"]["accuracy"]["mean"] > 0.8  # equal codons: their difference is 0
    assert metrics["split"]["kind"] == "3 folds, groups of pairs of one second sequence"
    assert metrics["leaks"]["second_known"] == 0
    assert any("only 40 different first" in line for line in metrics["warnings"])
    assert (files / "run/predictions.csv").read_text().count("\n") == 41
    assert "dogma_rule" in capsys.readouterr().out
    assert main(arguments) == 2  # the folder is there
    assert main([*arguments[:-1], "probe.head=stack", f"run_dir={files}/other"]) == 2
    assert "probe.head: is of single sequences" in capsys.readouterr().err


def test_the_multi_hot_vectors_of_both_sides():
    residues, words = pair_blocks("multi_hot", pairs(["MKMK", "CX", "MKMK"], ["ACGTACGTA", "NNNNN", "AAAA"]))
    assert residues.sum(1).tolist() == [2, 0, 2]  # MK twice and KM
    assert words.sum(1).tolist() == [4, 0, 1]  # ACGT, CGTA, GTAC, TACG
    assert set(np.unique(words)) == {0, 1}


def test_joined_features_and_what_stands_beside_them(files):
    task = PairTask(train=f"{files}/pairs.csv")
    examples = read_pairs(task).train
    model = small_model(seed=3)
    probe = Probe(frames=0, projected=True)

    def states(molecule):
        from lifecode.tasks.features.encoder import ModelEncoder

        return probe.states(ModelEncoder(model, molecule), "m", molecule)

    head = PairHead(beside=["lengths"])
    first, second, product, difference, lengths = head.joined(examples, states)
    np.testing.assert_allclose(product, first * second)
    np.testing.assert_allclose(difference, np.abs(first - second))
    assert lengths[0].tolist() == pytest.approx([np.log1p(42), lengths[0, 1], np.log1p(13)])
    result = lifecode.finetune(
        task, checkpoint=model, probe=probe, pair=head, folds=2, baselines=["constant"], progress=False
    )
    assert set(result.evidence.predictions) == {"model", "constant", "without_states"}
    assert len(result.predictions) == 40


def test_a_name_without_a_record_is_one_line(tmp_path):
    (tmp_path / "X_pairs.txt").write_text("p1\tr1\t1\np1\tr2\t0\n")
    (tmp_path / "p.fa").write_text(">p1\nMKV\n")
    (tmp_path / "r.fa").write_text(">r1\nACGU\n")
    task = PairTask(
        train=f"{tmp_path}/X_pairs.txt",
        columns=["protein", "rna", "label"],
        first="protein",
        second="rna",
        first_fasta=f"{tmp_path}/p.fa",
        second_fasta=f"{tmp_path}/r.fa",
    )
    with pytest.raises(UserError, match=r"'r2' is no record of .*r\.fa"):
        read_pairs(task)
    (tmp_path / "r.fa").write_text(">r1\nACGU\n>r2\nAC\n>r1\nGGGG\n")
    with pytest.raises(UserError, match=r"r\.fa, record r1: two sequences have this name"):
        read_pairs(task)
