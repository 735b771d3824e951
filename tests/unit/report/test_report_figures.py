from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.image import imread
from matplotlib.patches import Rectangle

from lifecode.alphabet import CODONS
from lifecode.evaluation.metric_rows import MetricRow, read_whole_metric_rows
from lifecode.genetic_code import genetic_code, residue_letters
from lifecode.report.charts.codons.codon_map import RESIDUE_CLASSES, codon_map
from lifecode.report.charts.figure_style import (
    BLUE,
    INK,
    FigureColours,
    new_figure,
    save_png,
    use_colours,
)
from lifecode.report.charts.learning_curves import learning_curves
from lifecode.report.charts.predictions.accuracy_by_bins import BinsPanel, accuracy_by_bins
from lifecode.report.run.time_breakdown import duration, time_breakdown

AMINO_ACIDS = residue_letters(genetic_code(1).residues[:64])
BASELINES = {"codon unigram": 3.929, "both neighbours": 3.762}


def falling(stage, name, split="train", steps=range(0, 100, 5), level=3.0):
    return [MetricRow(step, stage, split, name, level + np.exp(-step / 20)) for step in steps]


def panels(figure):
    return {axes.get_title("left"): axes for axes in figure.axes}


@pytest.fixture(scope="module")
def embeddings():
    rng = np.random.default_rng(0)
    of_residue = {letter: rng.normal(size=16) for letter in sorted(set(AMINO_ACIDS))}
    return np.stack([of_residue[letter] + 0.3 * rng.normal(size=16) for letter in AMINO_ACIDS])


def test_each_stage_has_a_panel_for_each_metric_it_recorded():
    rows = falling("tokenizer", "mlm") + falling("tokenizer", "translation")
    rows += falling("encoder", "mlm") + falling("encoder", "distillation") + falling("encoder", "unknown")
    figure = learning_curves(rows)
    assert [axes.get_title("left").split(" (")[0] for axes in figure.axes] == [
        "Masked modelling loss",
        "Translation loss",
        "Masked modelling loss",
        "Distillation loss",
    ]


def test_curves_hold_the_recorded_numbers():
    rows = falling("tokenizer", "mlm") + falling("tokenizer", "mlm", "validation", [20, 60])
    raw, mean, validation = learning_curves(rows[::-1]).axes[0].get_lines()
    np.testing.assert_allclose(raw.get_xydata(), [(row.step, row.value) for row in rows[:20]])
    assert mean.get_ydata().min() > raw.get_ydata().min()
    np.testing.assert_allclose(validation.get_xydata(), [(row.step, row.value) for row in rows[20:]])


def test_the_running_mean_leaves_a_straight_line_straight():
    rows = [MetricRow(step, "tokenizer", "train", "mlm", 100.0 - step) for step in range(80)]
    raw, mean = learning_curves(rows).axes[0].get_lines()
    np.testing.assert_allclose(mean.get_ydata()[2:-2], raw.get_ydata()[2:-2])


def test_a_step_repeated_after_a_restart_is_drawn_once():
    rows = [MetricRow(1, "tokenizer", "train", "mlm", 2.0), MetricRow(1, "tokenizer", "train", "mlm", 1.0)]
    np.testing.assert_allclose(learning_curves(rows).axes[0].get_lines()[0].get_xydata(), [(1, 1.0)])


def test_baselines_are_drawn_in_the_encoders_codon_panel_alone():
    name = "masked_codon_cross_entropy"
    rows = falling("tokenizer", name) + falling("encoder", name) + falling("encoder", "mlm")
    figure = learning_curves(rows, {name: BASELINES})
    assert [len(axes.get_lines()) for axes in figure.axes] == [2, 4, 2]
    assert [line.get_ydata()[0] for line in figure.axes[1].get_lines()[2:]] == [3.929, 3.762]
    texts = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert texts == ["codon unigram 3.929", "both neighbours 3.762"]


def test_a_loss_that_falls_by_orders_of_magnitude_has_a_logarithmic_axis():
    rows = [MetricRow(step, "tokenizer", "train", "translation", 10.0**-step) for step in range(5)]
    figure = learning_curves(rows + falling("tokenizer", "mlm"))
    assert [axes.get_yscale() for axes in figure.axes] == ["linear", "log"]


def test_no_rows_and_values_that_are_not_finite_draw_nothing():
    assert not learning_curves([]).axes
    assert not learning_curves([MetricRow(0, "encoder", "train", "mlm", float("nan"))]).axes


def test_the_codon_map_shows_every_codon_once_in_its_class(embeddings):
    figure = codon_map(embeddings, AMINO_ACIDS)
    (axes,) = figure.axes
    texts = [text.get_text() for text in axes.texts]
    assert sorted(text for text in texts if len(text) == 3) == sorted(CODONS)
    assert sorted(text for text in texts if len(text) == 1) == sorted(AMINO_ACIDS.replace("*", ""))
    sizes = {
        to_hex(points.get_facecolor()[0]).upper(): len(points.get_offsets()) for points in axes.collections
    }
    for residues, colour in RESIDUE_CLASSES.values():
        assert sizes[to_hex(colour).upper()] == sum(letter in residues for letter in AMINO_ACIDS)
    assert len(axes.collections[-1].get_offsets()) == 3


def test_codons_of_one_residue_lie_together_and_none_covers_another(embeddings):
    (axes,) = codon_map(embeddings, AMINO_ACIDS).axes
    position = {text.get_text(): np.array(text.xy) for text in axes.texts if len(text.get_text()) == 3}
    points = np.stack([position[codon] for codon in CODONS])
    distances = np.linalg.norm(points[:, None] - points, axis=-1) + np.diag(np.full(64, np.inf))
    assert distances.min() > 0.3
    same = [AMINO_ACIDS[i] == AMINO_ACIDS[j] for i, j in enumerate(distances.argmin(axis=1))]
    assert np.mean(same) > 0.8


def test_the_codon_map_is_the_same_every_time(embeddings, tmp_path):
    for name in ("first.png", "second.png"):
        save_png(codon_map(embeddings, AMINO_ACIDS), tmp_path / name)
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()


@pytest.mark.parametrize("num_distinct", [1, 2])
def test_collapsed_embeddings_are_still_a_map(num_distinct):
    collapsed = np.arange(64)[:, None] % num_distinct * np.ones((64, 8))
    (axes,) = codon_map(collapsed, AMINO_ACIDS).axes
    assert np.isfinite([text.xy for text in axes.texts if len(text.get_text()) == 3]).all()


def test_bars_are_sorted_and_carry_time_and_share():
    (axes,) = time_breakdown({"evaluation": 30.0, "encoder_stage": 269.0, "report": 1.0}).axes
    assert [bar.get_width() for bar in axes.patches] == [1.0, 30.0, 269.0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["report", "evaluation", "encoder stage"]
    assert [text.get_text() for text in axes.texts] == ["1.0 s  (<1%)", "30 s  (10%)", "4 min 29 s  (90%)"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.44, "0.4 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (3599.7, "1 h 00 min"), (3840, "1 h 04 min")],
)
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_metric_rows_are_read_in_order(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text(
        "step,stage,split,name,value\n0,tokenizer,train,mlm,1.5\n10,encoder,validation,mlm,2e-1\n"
    )
    rows, damaged = read_whole_metric_rows(path)
    assert rows == [
        MetricRow(0, "tokenizer", "train", "mlm", 1.5),
        MetricRow(10, "encoder", "validation", "mlm", 0.2),
    ]
    assert damaged == []


@pytest.mark.parametrize(
    "line", ["1,encoder,train,mlm", "1,encoder,train,mlm,much", "one,encoder,train,mlm,1"]
)
def test_the_number_of_a_line_that_is_no_row_is_said(tmp_path, line):
    path = tmp_path / "metrics.csv"
    path.write_text(f"step,stage,split,name,value\n0,tokenizer,train,mlm,1.5\n{line}\n")
    rows, damaged = read_whole_metric_rows(path)
    assert (len(rows), damaged) == (1, [3])


def test_figures_are_drawn_in_the_colours_asked_for(tmp_path):
    """Also where a colour is looked up as late as in saving."""

    def drawn() -> set[str]:
        figure = new_figure(0.5)
        figure.add_artist(Rectangle((0, 0), 0.5, 0.5, color=BLUE))
        figure.text(0.5, 0.5, "letters", color=INK)
        save_png(figure, tmp_path / "figure.png")
        pixels = np.round(255 * imread(tmp_path / "figure.png")[::2, ::2, :3]).astype(np.uint8)
        return {to_hex(pixel / 255) for pixel in np.unique(pixels.reshape(-1, 3), axis=0)}

    mine = FigureColours(blue="#123456", ink="#654321")
    before = drawn()
    use_colours(mine)
    after = drawn()
    use_colours(FigureColours())
    default = FigureColours()
    for now, then in ((mine.blue, default.blue), (mine.ink, default.ink)):
        assert (then.lower() in before, now in before) == (True, False)
        assert (then.lower() in after, now in after) == (False, True)
    with pytest.raises(ValueError, match="ink='inky' is no colour"):
        FigureColours(ink="inky")


@pytest.mark.parametrize("num_bins", [4, 6, 8])
def test_texts_below_bins_leave_room_for_their_neighbours(num_bins):
    texts = [f"0.0{i}698 to 0.0{i + 1}698" for i in range(num_bins)]
    figures = {"ours": [(0.5, 0.4, 0.6)] * num_bins}
    panel = BinsPanel("distance", texts, [1000] * num_bins, figures)
    figure = accuracy_by_bins([panel, panel])
    figure.canvas.draw()
    for axes in figure.axes[:2]:
        boxes = [text.get_window_extent() for text in axes.get_xticklabels()]
        assert len(boxes) == num_bins
        assert not any(one.overlaps(other) for one, other in pairwise(boxes))
