"""The page of a task and of a suite say what the metrics say, and show where the model errs."""

import re
from dataclasses import replace

import numpy as np
import pytest

from lifecode.report.charts.predictions.class_charts import confusion_matrix
from lifecode.report.task.evaluation_page import write_evaluation_report
from lifecode.report.task.page import write_task_report
from lifecode.report.task.tables import leak_lines, model_rows, seed_rows, verdict, worst_errors
from lifecode.tasks.evidence import Evidence
from lifecode.tasks.examples.labels import Labels

LEAKS = {"held_out": 4, "equal": 1, "named": ["a and b: equal"], "seen_by_encoder": None}


def figure(*values):
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "sd": sd, "values": list(values)}


def metrics_of(name, ours, baselines, **more):
    """Two folds of two seeds."""
    differences = {
        other: {"mean": np.mean(ours) - np.mean(values), "low": -0.01, "high": 0.2, "method": "t"}
        for other, values in baselines.items()
    }
    return {
        "metric": name,
        "encoder": "mine",
        "test": {name: figure(*ours)},
        "baselines": {other: {name: figure(*values)} for other, values in baselines.items()},
        "differences": differences,
        "best_baseline": max(baselines, key=lambda other: np.mean(baselines[other])),
        "published": {"theirs": {name: 0.7}},
        "split": {"kind": "2 folds", "seeds": [3, 4], "held_out": [2, 2, 2, 2]},
        "leaks": LEAKS,
        **more,
    }


def evidence(classes=("no", "yes")):
    draw = np.random.default_rng(0)
    sure = np.concatenate([[0.99, 0.1], 0.1 + 0.8 * draw.random(38)])
    labels = np.concatenate([[0, 1], np.arange(38) % 2]).astype(np.int64)
    predictions = np.stack([1 - sure, sure], axis=1)
    if not classes:
        predictions, labels = sure, sure + draw.normal(size=40) / 9
    return Evidence(
        classes=classes,
        model="mine",
        ids=[f"id{i}" for i in range(40)],
        texts=["ACGT" * (200 if i == 0 else 5) for i in range(40)],
        labels=labels,
        predictions={"mine": predictions, "3mers": predictions[::-1].copy()},
    )


METRICS = metrics_of("accuracy", [0.8, 0.6, 0.7, 0.9], {"3mers": [0.5, 0.5, 0.7, 0.7], "cnn": [0.4] * 4})


def test_words_and_tables_are_those_of_the_metrics():
    expected = "Accuracy 0.750, not told from the best baseline, 3mers (+0.150, 95 % from -0.010 to +0.200)"
    assert verdict(METRICS) == expected
    told = {**METRICS, "differences": {"3mers": {"mean": 0.15, "low": 0.01, "high": 0.2}}}
    assert "above the best baseline" in verdict(told)
    worse = {"mean": 0.5, "low": 0.1, "high": 0.9}
    errors = metrics_of("rmse", [1.0] * 4, {"3mers": [0.5] * 4}) | {"differences": {"3mers": worse}}
    assert "below the best baseline" in verdict(errors)  # less is better
    headings, rows = model_rows(METRICS)
    assert headings == ["Accuracy"]
    assert [(row.name, row.role, row.cells[0]) for row in rows] == [
        ("mine", "model", "0.750 ± 0.129"),
        ("3mers", "baseline", "0.600 ± 0.115"),
        ("cnn", "baseline", "0.400 ± 0.000"),
        ("theirs", "published", "0.700"),
    ]
    headings, rows = seed_rows(METRICS)
    assert headings == ["seed 3", "seed 4", "mean", "sd"]
    assert rows[0].cells == ["0.700", "0.800", "0.750", "0.071"]
    assert leak_lines(LEAKS) == ["4 held out", "1 of them are learnt from too", "a and b: equal"]


def test_the_worst_errors_come_first():
    first, second, *others = worst_errors(evidence())
    assert len(others) == 8
    assert (first.id, first.label, first.prediction) == ("id0", "no", "yes (99 %)")
    assert first.text.endswith("… (800 letters)")
    assert evidence().errors[0] == pytest.approx(0.99)
    assert second.id != "id0"


def test_errors_in_logarithms_are_shown_in_the_units_of_the_labels():
    found = replace(evidence(()), of=Labels("regression", transform="log"))
    found.labels[:], found.ours[:] = 0.0, 0.0
    found.labels[7], found.ours[7] = np.log(200), np.log(25)
    assert worst_errors(found)[0][:3] == ("id7", "200", "25")


@pytest.mark.parametrize(("classes", "pictures"), [(("no", "yes"), 4), (("a", "b", "c"), 3), ((), 2)])
def test_a_page_for_every_kind_of_labels(tmp_path, classes, pictures):
    found = evidence(classes[:2])
    if len(classes) == 3:
        three = {
            name: np.concatenate([p * 0.9, np.full((40, 1), 0.1)], axis=1)
            for name, p in found.predictions.items()
        }
        found = Evidence(
            classes=classes,
            model="mine",
            ids=found.ids,
            texts=found.texts,
            labels=found.labels,
            predictions=three,
        )
    curves = [
        [{"step": 1.0, "validation_loss": 2.0, "train_loss": 2.2}, {"step": 2.0, "validation_loss": 1.0}]
    ]
    metrics = METRICS | ({"learning_curves": curves} if not classes else {})
    metrics |= {"warnings": ["lengths alone <do> it"], "baselines": {"3mers": METRICS["baselines"]["3mers"]}}
    page = write_task_report(tmp_path, metrics, found, name="mine <b>", notes=["a note"], config="seed: 1")
    text = page.read_text()
    assert len(re.findall("<img", text)) == pictures + (not classes)
    assert len(list((tmp_path / "figures").glob("*.png"))) == pictures + (not classes)
    assert "mine &lt;b&gt;" in text
    assert "lengths alone &lt;do&gt; it" in text
    assert "seed: 1" in text
    assert text.count("ACGTACGTACGT") >= 10
    assert "<script" not in text


def test_a_suite_has_a_line_and_a_link_for_each_set(tmp_path):
    one = {
        "metric": "accuracy",
        "models": {"mine": METRICS["test"]},
        "baselines": METRICS["baselines"],
        "differences": {"mine": {name: {"mean": 0.2, "low": 0.1, "high": 0.3} for name in ("3mers", "cnn")}},
        "published": METRICS["published"],
        "warnings": [],
    }
    sets = {"first": one, "second.set": one | {"warnings": ["few pairs"], "differences": {"mine": {}}}}
    sets["fourth"] = one | {"models": {}, "differences": {}}  # which it cannot read
    page = write_evaluation_report(tmp_path, sets, {"third": "several labels"}, name="suite")
    text = page.read_text()
    assert "mine is above every baseline in 1 of 3 sets" in text
    assert 'href="sets/second.set/report.html"' in text
    assert "0.600<small>3mers</small>" in text
    assert "0.700<small>theirs, other rounds</small>" in text
    assert "few pairs" in text
    assert "several labels" in text
    assert (tmp_path / "figures/accuracy.png").stat().st_size > 5_000


def test_a_confusion_matrix_names_no_more_classes_than_there_is_room_for():
    numbers = np.arange(100)
    (axes,) = confusion_matrix(numbers, numbers, [f"c{i}" for i in numbers]).axes
    for axis in (axes.xaxis, axes.yaxis):
        named = {
            int(place): label.get_text() for place, label in zip(axis.get_ticklocs(), axis.get_ticklabels())
        }
        assert named == {i: f"c{i}" for i in range(0, 100, 3)}
    for names, turned in ((("no", "yes"), 0), (("a long name of one", "a long name of other"), 45)):
        (axes,) = confusion_matrix(numbers % 2, numbers % 2, names).axes
        assert [label.get_rotation() for label in axes.get_xticklabels()] == [turned] * 2
