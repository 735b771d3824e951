"""Labels of each nucleotide or codon: read, learnt by a probe and by gradient, predicted a row a position."""

import csv

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import lifecode
from lifecode.alphabet import IGNORE, encode_nucleotides
from lifecode.app.main import main
from lifecode.errors import UserError
from lifecode.tasks import Fit, Probe, SequenceTask, TrainedHead
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.examples.position_labels import labels_in, position_numbers
from lifecode.tasks.examples.task_data import read_task
from lifecode.tasks.families.life_code import LifeCodeReading, read_states
from lifecode.tasks.families.place import Place
from lifecode.tasks.families.position_index import state_index
from lifecode.tasks.features.at_positions import OneHotAround, StatesAtPositions
from lifecode.tasks.features.encoder import ModelEncoder
from lifecode.tasks.scores import scores
from lifecode.tasks.tuning.rows import Framing, rows_of
from lifecode.tasks.tuning.task_heads.task_head import TaskHead
from tests.support.labelled_genes import labelled_genes
from tests.support.small_models import small_model

MODEL = small_model()
TEXTS = labelled_genes(6)[0]
SEQUENCES = [encode_nucleotides(text + "AC"[: i % 3]) for i, text in enumerate(TEXTS)]


def test_states_of_nucleotides_by_hand():
    """Segments of 4 nucleotides in three frames: states 1 2, 5 6 and 9 10 between special tokens."""
    by_place = state_index(4, "nucleotide", "stack")[:, :, 0].tolist()
    assert by_place == [[1, 5, 9], [10, 1, 5], [6, 10, 1], [2, 6, 10]]
    by_frame = state_index(4, "nucleotide", "average")[:, :, 0].tolist()
    assert by_frame == [[1, 5, 9], [1, 5, 10], [1, 6, 10], [2, 6, 10]]
    assert state_index(4, "nucleotide", 0)[:, :, 0].tolist() == [
        [1, -1, -1],
        [-1, 1, -1],
        [-1, -1, 1],
        [2, -1, -1],
    ]
    assert state_index(9, "codon", 0, 3)[:, 0].tolist() == [[-1, 1, 2], [1, 2, 3], [2, 3, -1]]


def test_the_average_over_frames_is_that_of_embed():
    features = StatesAtPositions(
        encoder=ModelEncoder(MODEL), unit="nucleotide", frames="average", place=Place(projected=True)
    )
    expected = MODEL.embed(
        [text + "AC"[: i % 3] for i, text in enumerate(TEXTS)], pool=None, frames="average"
    )
    for number, found in features(SEQUENCES):
        np.testing.assert_allclose(found, expected[number], atol=1e-5)


@pytest.mark.parametrize(
    ("unit", "frames", "window"),
    [("nucleotide", "stack", 1), ("nucleotide", "average", 3), ("nucleotide", 2, 2), ("codon", 0, 3)],
)
def test_a_trained_head_reads_what_the_probe_reads(unit, frames, window):
    features = StatesAtPositions(
        encoder=ModelEncoder(MODEL), unit=unit, frames=frames, place=Place(), window=window
    )
    expected = dict(features(SEQUENCES))
    family = LifeCodeReading("dna")
    framing = Framing(family=family, frames=frames, row_codons=40, unit=unit, window=window)
    head = TaskHead(
        64,
        2,
        TrainedHead(),
        frames=frames,
        window=window,
        unit=unit,
        blocks=family.num_blocks(unit, frames),
    )
    for row in rows_of(SEQUENCES, np.arange(6), framing):
        with torch.no_grad():
            found = head.features(read_states(MODEL, row.packed, Place()), row)
        of_row = np.concatenate([expected[number] for number in row.examples.tolist()])
        np.testing.assert_allclose(found, of_row, atol=1e-5)


def test_letters_around_a_position_by_hand():
    ids = encode_nucleotides("ACGT")
    ((_, table),) = OneHotAround(unit="nucleotide", letters="nucleotide", window=3)([ids])
    letters = [
        "".join("-" if not place.any() else "ACGT"[int(place.argmax())] for place in row)
        for row in table.reshape(4, 3, 4)
    ]
    assert [sorted(set(x)) for x in letters] == [sorted(set(x)) for x in ("-AC", "ACG", "CGT", "GT-")]
    ((_, codons),) = OneHotAround(unit="codon", letters="codon", window=1)([encode_nucleotides("AAATTT")])
    assert codons.sum(1).tolist() == [1, 1]
    assert (codons[0] != codons[1]).sum() == 2


def test_labels_are_letters_or_separated():
    assert labels_in("011.") == ["0", "1", "1", "."]
    assert labels_in("0.5, 1,.") == ["0.5", "1", "."]
    assert labels_in("[1, null, NaN]") == labels_in("[1 nan None]") == ["1", ".", "."]
    classes = Labels("binary", ("0", "1"), "nucleotide")
    assert position_numbers(["01.", "1"], [3, 1], classes, "f", "y")[0].tolist() == [0, 1, IGNORE]
    values = position_numbers(["0.5 . 2"], [9], Labels("regression", (), "codon"), "f", "y")[0]
    np.testing.assert_array_equal(values, [0.5, np.nan, 2])


@pytest.mark.parametrize(
    ("unit", "label", "said"),
    [
        ("nucleotide", "00110", r"in row 2.*column 'y' has 5 labels, and the sequence 6 nucleotides"),
        ("codon", "0 1 1", r"in row 2.*has 3 labels, and the sequence 2 codons"),
        ("nucleotide", "00112x", r"in row 2.*label '[2x]' is none of"),
    ],
)
def test_labels_that_do_not_fit_are_one_line_with_their_row(unit, label, said, tmp_path):
    good = "010101" if unit == "nucleotide" else "01"
    (tmp_path / "a.csv").write_text(f"sequence,y\nACGTAC,{good}\nACGTAA,{good}\n")
    (tmp_path / "b.csv").write_text(f"sequence,y\nACGTAC,{good}\nACGTAA,{label}\n")
    task = SequenceTask(train=f"{tmp_path}/a.csv", test=f"{tmp_path}/b.csv", label="y", unit=unit)
    with pytest.raises(UserError, match=said):
        lifecode.finetune(task, checkpoint=MODEL)


@pytest.mark.parametrize(
    ("labels", "kind", "classes", "expected"),
    [
        ([[0, 1, None], [1, None, 0]], pa.list_(pa.int8()), ("0", "1"), [0, 1, IGNORE]),
        ([[0, 1, -100], [1, -100, 0]], pa.list_(pa.int8()), ("0", "1"), [0, 1, IGNORE]),  # Hugging Face
        ([[0.0, 1.0, -100.0], [1.0, 1.0, 0.0]], pa.list_(pa.float32()), ("0.0", "1.0"), [0, 1, IGNORE]),
        ([[False, True, None], [True, False, True]], pa.list_(pa.bool_()), ("false", "true"), [0, 1, IGNORE]),
        ([[0, 1, 1], [1, 0, 1]], pa.list_(pa.int8(), 3), ("0", "1"), [0, 1, 1]),
        ([[0.5, -100.0, None], [0.25, 1.5, 2.0]], pa.list_(pa.float64()), (), [0.5, -100, np.nan]),
        (["0 1 -100", "1 1 0"], pa.string(), ("0", "1"), [0, 1, IGNORE]),
    ],
)
def test_positions_without_a_label_as_others_write_them(tmp_path, labels, kind, classes, expected):
    table = pa.table({"sequence": ["ACG", "TCA"], "label": pa.array(labels, kind)})
    pq.write_table(table, tmp_path / "a.parquet")
    data = read_task(SequenceTask(train=str(tmp_path / "a.parquet"), sequence="sequence", unit="nucleotide"))
    assert data.labels.classes == classes
    np.testing.assert_array_equal(data.train.labels[0], expected)
    said = any("positions whose label is -100 are taken for such without one" in note for note in data.notes)
    assert said == ("-100" in str(labels) and bool(classes))


def test_positions_without_a_label_do_not_count():
    labels, predictions = np.empty(2, object), np.empty(2, object)
    labels[0], labels[1] = np.array([0, 1, IGNORE]), np.array([1])
    predictions[0] = np.array([[0.9, 0.1], [0.2, 0.8], [0.9, 0.1]])
    predictions[1] = np.array([[0.7, 0.3]])
    assert scores("binary", labels, predictions, "")["accuracy"] == pytest.approx(2 / 3)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """G and C are `s`, A and T `w`; of codons the number of G and C. A few nucleotides have no label."""
    folder = tmp_path_factory.mktemp("positions")
    MODEL.save_pretrained(folder / "model")
    for name, num, seed in (("train", 24, 0), ("test", 8, 1)):
        genes = labelled_genes(num, seed)[0]
        strong = ["".join("s" if x in "GC" else "w" for x in gene) for gene in genes]
        counts = [" ".join(str(y[i : i + 3].count("s") / 2) for i in range(0, len(y), 3)) for y in strong]
        rows = [
            f"{name}{i},{gene},.{y[1:]},{c}\n"
            for i, (gene, y, c) in enumerate(zip(genes, strong, counts, strict=True))
        ]
        (folder / f"{name}.csv").write_text("id,sequence,strong,counts\n" + "".join(rows))
    return folder


@pytest.mark.parametrize("tuning", ["probe", "head"])
def test_nucleotides_through_the_command(files, tuning, capsys, tmp_path):
    run, output = tmp_path / "run", tmp_path / "said.tsv"
    given = [f"task.train={files}/train.csv", f"task.test={files}/test.csv", "task.label=strong"]
    arguments = ["fit.lr=3e-2", "fit.epochs=8", "fit.batch=8", "baselines=[constant,nucleotide_one_hot]"]
    command = ["finetune", f"checkpoint={files}/model", "task.unit=nucleotide", f"tuning={tuning}"]
    assert main([*command, *given, *arguments, "probe.max_positions=400", f"run_dir={run}"]) == 0
    assert "binary of each nucleotide: s, w" in " ".join(capsys.readouterr().out.split())
    with (run / "predictions.csv").open() as file:
        told = list(csv.DictReader(file))
    lengths = [len(gene) for gene in labelled_genes(8, 1)[0]]
    assert [row["position"] for row in told[: lengths[0]]] == [str(i + 1) for i in range(lengths[0])]
    assert len(told) == sum(lengths)
    labelled = [row for row in told if row["label"]]
    assert len(labelled) == sum(lengths) - 8
    assert np.mean([row["label"] == row["prediction"] for row in labelled]) > 0.9
    assert (
        main(
            [
                "predict",
                f"checkpoint={run}",
                f"input={files}/test.csv",
                "sequence=sequence",
                f"output={output}",
            ]
        )
        == 0
    )
    with output.open() as file:
        again = list(csv.DictReader(file, delimiter="\t"))
    assert [row["id"] for row in again] == [row["id"] for row in told]
    expected = [float(row["p(s)"]) for row in told]
    np.testing.assert_allclose([float(row["p(s)"]) for row in again], expected, atol=1e-4)


@pytest.mark.parametrize("tuning", ["probe", "full"])
def test_values_of_codons_from_python(files, tuning):
    task = SequenceTask(train=f"{files}/train.csv", label="counts", unit="codon")
    result = lifecode.finetune(
        task,
        checkpoint=MODEL,
        tuning=tuning,
        folds=2,
        probe=Probe(pools=["centre"], window=3, max_positions=200),
        head=TrainedHead(),
        fit=Fit(lr=1e-2, epochs=4, batch=4),
        baselines=["constant", "codon_one_hot"],
    )
    assert result.metrics["unit"] == "codon"
    assert result.metrics["test"]["spearman"]["mean"] > 0.7
    assert result.metrics["baselines"]["constant"]["spearman"]["mean"] == 0
    assert len(result.predictions) == sum(len(gene) // 3 for gene in labelled_genes(24)[0])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"probe": Probe(pools=["mean"])}, "probe.pools: pools whole sequences"),
        ({"probe": Probe(beside=["start"])}, "probe.beside: is given, and task.unit is codon"),
        ({"probe": Probe(frames="stack")}, "probe.frames: is stack, and task.unit is codon"),
        ({"tuning": "head", "head": TrainedHead(max_codons=3)}, "head.max_codons: is given"),
        ({"baselines": ["3mers"]}, "'3mers' is of whole sequences or of another unit than codon"),
    ],
)
def test_what_only_whole_sequences_have_is_one_line(files, settings, said):
    task = SequenceTask(train=f"{files}/train.csv", label="counts", unit="codon")
    with pytest.raises(UserError, match=said):
        lifecode.finetune(task, checkpoint=MODEL, folds=2, **{"fit": Fit(epochs=1), **settings})
