import base64
import os

import numpy as np
import pytest
from matplotlib.colors import to_hex

from lifecode.alphabet import CODONS
from lifecode.errors import UserError
from lifecode.evaluation.metric_rows import MetricRow
from lifecode.evaluation.sample import SamplePredictions
from lifecode.report.charts.codons.sample_chart import sample_chart
from lifecode.report.charts.figure_style import BLUE, GREEN
from lifecode.report.run.html import write_report
from lifecode.report.run.metric_table import held_out_metrics, verdict
from tests.support.html_page import Page

METRICS = {
    "schema_version": 1,
    "split": {"name": "test", "block_nucleotides": 50_000},
    "heldout": {
        "translation_accuracy": {"value": 0.99998, "n": 132_000},
        "masked_translation_accuracy": {"value": 0.142, "n": 19_800},
        "masked_codon_cross_entropy": {"value": 3.803, "n": 19_801},
        "masked_codon_cross_entropy_shuffled": {"value": 3.92, "n": 19_800},
        "kd_explained": {"value": 0.112, "n": 50_000},
    },
    "baselines": {
        "codon_unigram": {"value": 3.929, "n": 19_800},
        "codon_bigram": {"value": 3.762, "n": 19_800},
        "majority_residue": {"value": 0.107, "n": 19_800},
        "teacher_mean": {"value": 0.0, "n": 50_000},
    },
    "timing": {
        "seconds": 843.1,
        "nucleotides_per_second": 5123.4,
        "peak_memory_bytes": 3 * 2**30,
        "parts": {"tokenizer_stage": 180.0, "encoder_stage": 560.0},
    },
    "data": {
        "contigs": 1,
        "nucleotides": 4_641_652,
        "cds": {"total": 4315},
        "pairs": {"kept": 4295, "rejected": {"pseudo": 12, "bad_length": 8}, "dropped": {}},
        "splits": {"train": {"cds": 3400, "cds_codons": 1_060_000}, "test": {"cds": 419}},
        "teacher": {"name": "near-1", "proteins": 1500, "proteins_available": 4257},
    },
    "model": {"parts": {"tokenizer": 132_000, "encoder": 1_830_000}},
    "sources": {
        "ecoli.gbff.gz": {
            "genes": 383,
            "back_translated": False,
            "heldout": {
                "masked_codon_cross_entropy": {"value": 3.7941, "n": 18_530},
                "masked_translation_accuracy": {"value": 0.12671, "n": 18_530},
            },
            "baselines": {"codon_unigram": {"value": 3.914, "n": 18_530}},
        },
    },
}
ROWS = [MetricRow(step, "encoder", "train", "mlm", 3.0 - step / 10) for step in range(10)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "quickstart"
    embeddings = np.random.default_rng(0).normal(size=(64, 8))
    write_report(
        folder, METRICS, name="quickstart", rows=ROWS, codon_embeddings=embeddings, config="seed: 17"
    )
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return Page(folder / "report.html")


def test_everything_is_inside_the_file(page, folder):
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert page.tags.count("img") == len(page.loads) == 3
    assert all(load.startswith("data:image/png;base64,") for load in page.loads)
    source = (folder / "report.html").read_text()
    assert not any(loader in source for loader in ("http://", "https://", "url(", "@import"))


def test_the_images_are_the_figures_of_the_folder(page, folder):
    files = [folder / "figures" / f"{name}.png" for name in ("learning_curves", "codon_map", "time")]
    embedded = [base64.b64decode(load.partition(",")[2]) for load in page.loads]
    assert embedded == [file.read_bytes() for file in files]
    assert sorted(os.listdir(folder)) == ["figures", "report.html"]


@pytest.mark.parametrize(
    "words",
    [
        "quickstart 0.126 nats below the codon unigram, 0.041 nats above both neighbours",
        "14 min 03 s",
        "Measured on the test split.",
        "3.803 nats 19,801 codon unigram 3.929 nats ✓ 0.126 nats lower",
        "both neighbours 3.762 nats ✗ 0.041 nats higher",
        "3.920 nats 19,800 genes in order 3.803 nats ✓ 0.117 nats higher",
        "14.20 % 19,800 most frequent residue 10.70 % ✓ 3.50 points higher",
        "99.9980 % 132,000",
        "exact CDS-protein pairs 4,295 rejected 20 pseudo 12 bad length 8",
        "split CDS codons train 3,400 1,060,000 test 419",
        "ecoli.gbff.gz 383 genes 3.794 3.914 12.67% 18,530",
        "Teacher near-1: features of 1,500 of 4,257 proteins.",
        "tokenizer 132,000 encoder 1,830,000 all 1,962,000",
        "seed: 17",
        "lifecode",
    ],
)
def test_the_report_says(page, words):
    assert words in page.text


def test_the_line_that_loads_the_model(page, folder):
    assert f'model = lifecode.LifeCode.from_pretrained("{folder.as_posix()}/model")' in page.text


def test_what_was_not_measured_is_left_out(tmp_path):
    metrics = {
        "heldout": {
            "kd_explained": {"value": float("nan"), "n": 0},
            "translation_accuracy": {"value": 0.5, "n": 2},
        },
        "baselines": {"codon_unigram": {"value": 3.9, "n": 1}},
        "timing": {"seconds": 1.0, "nucleotides_per_second": None},
    }
    page = Page(write_report(tmp_path, metrics, name="no teacher"))
    assert "50.00 %" in page.text
    for absent in (
        "Teacher explained",
        "nan",
        "None",
        "codon unigram",
        "Learning curves",
        "Data",
        "Configuration",
    ):
        assert absent not in page.text
    assert "img" not in page.tags
    assert not list((tmp_path / "figures").iterdir())


def test_genes_that_were_left_out_are_counted(page, tmp_path):
    assert "resemble" not in page.text
    metrics = {**METRICS, "split": {"name": "test", "genes_left_out": 1234}}
    left_out = Page(write_report(tmp_path, metrics, name="left out"))
    assert (
        "Measured on the test split, without 1,234 of its genes that resemble training genes" in left_out.text
    )


def test_guesses_at_masked_codons_are_a_picture(tmp_path):
    probabilities = np.full((2, 64), 0.25 / 63, np.float32)
    probabilities[:, CODONS.index("AAG")] = 0.75
    codons = np.array([CODONS.index("AAA"), CODONS.index("AAG")], np.int16)
    sample = SamplePredictions("thrA", np.array([3, 8]), codons, probabilities, genetic_code=11)
    page = Page(write_report(tmp_path, METRICS, name="sample", sample=sample))
    assert "What the model makes of masked codons" in page.text
    assert page.tags.count("img") == 2
    chart = sample_chart(sample)
    texts = [text.get_text() for text in chart.axes[0].texts]
    assert {"4", "9", "AAA  K", "AAG  K", "AAG K  75 %", "0 %", "75 %"} <= set(texts)
    cells = [to_hex(patch.get_facecolor()) for patch in chart.axes[0].patches]
    assert len(cells) == 10
    assert (cells[0], cells[5]) == (to_hex(BLUE), to_hex(GREEN))  # its residue; the codon
    diverged = sample._replace(probabilities=probabilities * np.nan)
    assert "masked codons" not in Page(write_report(tmp_path, {}, name="nan", sample=diverged)).text


def test_a_run_that_measured_nothing_still_has_a_report(tmp_path):
    assert "nothing yet" in Page(write_report(tmp_path, {}, name="nothing yet")).text


def test_embeddings_of_a_diverged_model_are_left_out(tmp_path):
    path = write_report(tmp_path, {}, name="diverged", codon_embeddings=np.full((64, 8), np.nan))
    assert "img" not in Page(path).tags


def test_names_are_text_not_markup(tmp_path):
    evil = '<script>alert("x")</script>'
    metrics = {
        "heldout": {},
        "model": {"parts": {evil: 1}},
        "data": {"splits": {evil: {evil: 1}}},
        "split": {"name": evil},
    }
    page = Page(write_report(tmp_path, metrics, name=evil, config=evil))
    assert "script" not in page.tags
    assert page.text.count(evil) >= 5


def test_verdict_says_above_when_the_model_is_worse_than_the_unigram():
    metrics = {
        "heldout": {"masked_codon_cross_entropy": {"value": 4.0}},
        "baselines": {"codon_unigram": {"value": 3.9}},
    }
    assert verdict(metrics) == "0.100 nats above the codon unigram"
    assert [known.better for known in held_out_metrics(metrics)[0].comparisons] == [False]
    assert verdict({"heldout": metrics["heldout"]}) is None


def test_a_model_that_ignores_context_is_marked_by_the_shuffled_genes():
    same = {"value": 3.9, "n": 1}
    heldout = {"masked_codon_cross_entropy": same, "masked_codon_cross_entropy_shuffled": same}
    assert not held_out_metrics({"heldout": heldout})[1].comparisons[0].better


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file/run: cannot write the report"):
        write_report(tmp_path / "file" / "run", {}, name="run")


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ("own", "features of 1 of 2 proteins."),
        ("shuffled", "features of 1 of 2 proteins, shuffled among residues in training, as a control."),
        ("none", "features of 1 of 2 proteins, which only the evaluation reads."),
    ],
)
def test_the_report_says_what_training_saw_of_the_teacher(tmp_path, targets, words):
    teacher = {"name": "near-1", "proteins": 1, "proteins_available": 2, "targets": targets}
    page = Page(write_report(tmp_path, {"heldout": {}, "data": {"teacher": teacher}}, name="arm"))
    assert words in page.text
