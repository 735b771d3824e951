"""`lifecode train` of LucaOne: the run folder, going on, figures beside constants, keys and refusals."""

import csv
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from omegaconf import DictConfig
from rich.console import Console

import lifecode
from lifecode.app.from_python import compose
from lifecode.app.main import main
from lifecode.datasets.luca_one.label_names import LabelNames
from lifecode.datasets.luca_one.row_files import write_rows
from lifecode.datasets.luca_one.tasks import TASKS
from lifecode.evaluation.metrics import OF_THE_MACHINE
from lifecode.models.luca_one.heads import LEVELS
from lifecode.verbs.train import train
from lifecode.verbs.train.luca_one.initial_weights import tasks_of_other_labels
from lifecode.verbs.train.plan_tables import plan_tables
from tests.support.html_page import Page
from tests.support.luca_rows import luca_rows
from tests.support.small_models import HEADS
from tests.support.small_run import COMMAND

CHOSEN = ["model=lucaone_tiny", "pretraining=luca_one"]
SMALL = [
    *CHOSEN,
    "model.width=16",
    "model.depth=1",
    "model.num_heads=2",
    *(f"model.heads.{task}={{hidden: {h['hidden']}, classes: {h['classes']}}}" for task, h in HEADS.items()),
    "pretraining.batch.max_tokens=150",
    "pretraining.batch.rows=2",
    "pretraining.batch.rows_at_once=1",
    "optim.encoder.total_steps=6",
    "optim.encoder.warmup_steps=1",
    "objective.task_gradients_every_steps=2",
    "trainer.accelerator=cpu",
    "trainer.log_every_steps=1",
    "trainer.validate_every_steps=4",
    "trainer.checkpoint_every_steps=2",
]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `lifecode rows` makes it."""
    folder = tmp_path_factory.mktemp("rows")
    for number, (split, num_rows) in enumerate({"train": 24, "validation": 8, "test": 12}.items()):
        write_rows(folder / f"{split}.csv", luca_rows(num_rows, seed=number))
    (folder / "labels.json").write_text(LabelNames.of_rows(luca_rows(24)).text)
    return folder


@pytest.fixture(scope="module")
def finished(rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "whole"
    assert main(["train", *SMALL, f"input={rows}", f"run_dir={run}"]) == 0
    return run


def figures(run: Path) -> dict[tuple[str, ...], str]:
    with (run / "metrics.csv").open() as file:
        lines = [tuple(line.values()) for line in csv.DictReader(file)]
    return {line[:4]: line[4] for line in lines if line[3] not in OF_THE_MACHINE}


def test_a_finished_run_has_a_model_and_a_figure_of_each_task(finished: Path, rows: Path) -> None:
    metrics = json.loads((finished / "metrics.json").read_text())
    for task in TASKS:
        figure = metrics["heldout"][task]
        assert figure["n"] == 6  # of 12 rows: genes and proteins in turn
        assert figure["value"] > 0 < metrics["baselines"][f"{task}_constant"]["value"]
    assert metrics["heldout"]["prot_site_accuracy"]["n"] == 6
    assert metrics["data"]["train"]["labelled"] == dict.fromkeys(LEVELS, 12)
    assert "letters_per_second" in metrics["timing"]
    model = lifecode.load(finished / "model")
    assert model.config["heads"]["prot_site"] == HEADS["prot_site"]
    assert model.embed(["MKV"], molecule="protein").shape == (1, 16)
    assert (finished / "labels.json").read_text() == (rows / "labels.json").read_text()
    seen = {key[3] for key in figures(finished) if key[2] == "train"}
    assert {*TASKS, "gene_mask_masked", "weight_prot_site", "gradient_norm_gene_mask", "packing_fill"} <= seen
    validated = {key[3] for key in figures(finished) if key[2] == "validation"}
    assert {*TASKS, "prot_mask_masked"} <= validated


def test_a_finished_run_has_a_page_which_report_makes_again(
    finished: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    page = finished / "report.html"
    text, metrics = Page(page).text, json.loads((finished / "metrics.json").read_text())
    for task in ("gene_mask", "prot_site"):
        own, constant = metrics["heldout"][task]["value"], metrics["baselines"][f"{task}_constant"]["value"]
        named = "letter unigram" if task == "gene_mask" else "best constant"
        assert f"{own:.3f} nats 6 {named} {constant:.3f} nats" in text
    assert f"{metrics['heldout']['prot_structure']['value']:.3f} 6 best constant" in text
    losses = [(metrics["heldout"][task], metrics["baselines"][f"{task}_constant"]) for task in TASKS]
    below = sum(own["value"] < constant["value"] for own, constant in losses)
    assert f"below that of the best constant predictor in {below} of 10 tasks" in text
    assert "split rows letters" in text
    assert f'model = lifecode.load("{finished.as_posix()}/model")' in text
    assert "Configuration" in text
    curves, before = finished / "figures/learning_curves.png", page.read_text()
    drawn = curves.read_bytes()
    page.unlink()
    curves.unlink()
    assert main(["report", f"input={finished}"]) == 0
    assert str(page) in capfd.readouterr().out
    assert page.read_text() == before
    assert curves.read_bytes() == drawn
    assert main(["report", f"input={finished.parent}/none"]) == 2
    assert main(["report", f"input={finished}", f"output={finished.parent}/page"]) == 2
    assert "output: has no effect on one run" in capfd.readouterr().err
    (finished.parent / "begun").mkdir()
    shutil.copy(finished / "config.yaml", finished.parent / "begun")
    assert main(["report", f"input={finished.parent}/begun"]) == 2
    assert "Start it again, and it goes on" in capfd.readouterr().err


def test_cut_short_and_gone_on_it_is_the_same_run(finished: Path, rows: Path, tmp_path: Path) -> None:
    words = ["train", *SMALL, f"input={rows}", f"run_dir={tmp_path}/run"]
    assert main([*words, "trainer.max_steps=3"]) == 0
    torch.manual_seed(1234)
    assert main(words) == 0
    assert figures(tmp_path / "run") == figures(finished)
    ours, theirs = (
        json.loads((run / "metrics.json").read_text())["heldout"] for run in (tmp_path / "run", finished)
    )
    assert ours == theirs


def test_again_it_is_complete_and_other_rows_are_refused(
    finished: Path, rows: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["train", *SMALL, f"input={rows}", f"run_dir={finished}"]
    assert main(words) == 0
    assert "This run is complete" in capfd.readouterr().out
    assert main([*words, "pretraining.masking.fraction=0.2"]) == 2
    assert "pretraining.masking.fraction was 0.15 and is 0.2" in capfd.readouterr().err
    before = (rows / "test.csv").read_bytes()
    try:
        (rows / "test.csv").write_bytes(before + before.splitlines(keepends=True)[-1])
        assert main(words) == 2
        assert "holds other rows than those that this run began with" in capfd.readouterr().err
    finally:
        (rows / "test.csv").write_bytes(before)


def test_it_begins_with_the_weights_of_another_run(finished: Path, rows: Path, tmp_path: Path) -> None:
    one = [
        "optim.encoder.total_steps=1",
        "optim.encoder.lr=1e-9",
        "optim.encoder.min_lr=0",
        "optim.encoder.warmup_steps=0",
    ]
    words = ["train", *SMALL, f"input={rows}", f"run_dir={tmp_path}/run", f"init_from={finished}", *one]
    assert main(words) == 0
    begun, after = (lifecode.load(run / "model") for run in (finished, tmp_path / "run"))
    torch.testing.assert_close(after.embedding.tokens.weight, begun.embedding.tokens.weight)


def test_weights_of_another_shape_are_refused_before_rows_are_made(
    finished: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = [
        "train",
        *SMALL,
        "input=ecoli",
        f"run_dir={tmp_path}/run",
        f"init_from={finished}",
        "model.depth=2",
    ]
    assert main([*words, "plan=true"]) == 2
    capfd.readouterr()
    assert main(words) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert "init_from: lacks encoder.layers.1." in line
    assert "which in the model is of (" in line
    assert not (tmp_path / "run").exists()


def test_rows_that_are_made_keep_homologs_together_unless_they_are_not_to() -> None:
    assert compose("train", *CHOSEN).data.split.clusters == 0.5
    assert compose("train", *CHOSEN, "data/split=taxa").data.split.clusters == 0.5
    assert compose("train", *CHOSEN, "data.split.clusters=null").data.split.clusters is None
    assert compose("train").data.split.clusters is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["model=lucaone_tiny"], "pretraining: a model of family luca_one learns from labelled rows"),
        ([*CHOSEN], "input needs a value"),
        ([*CHOSEN, "teacher=near"], "teacher.model: a model of family luca_one has no teacher"),
        ([*CHOSEN, "pretraining.masking.masked=0.95"], "pretraining.masking: masking shares"),
        (
            [*CHOSEN, "pretraining.batch.rows=3", "pretraining.batch.rows_at_once=2"],
            "pretraining.batch.rows: 3 rows cannot",
        ),
        ([*CHOSEN, "pretraining.joint.weights.gene_mask=-1"], "weights.gene_mask: is -1, expected 0 or more"),
        (
            [*CHOSEN, "model.heads.prot_site.classes=2"],
            "prot_site.classes: is 2, and the training rows have 3",
        ),
        ([*CHOSEN, "init_from=lifecode-mini"], "init_from: is a model of family life_code"),
        ([*CHOSEN, "data.batch.max_codons=9"], "data.batch.max_codons: has no effect on a model of family"),
        ([*CHOSEN, "objective/joint=max_norm"], "objective.joint: has no effect"),
        ([*CHOSEN, "data.split.clusters=0.3"], "data.split.clusters: has no effect where input is a folder"),
        ([*CHOSEN, "pretraining.rows.sites=both"], "no effect where input is a folder of rows. Leave it out"),
    ],
)
def test_what_does_not_fit_is_one_line_and_leaves_nothing(
    words: list[str], said: str, rows: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = [] if said.startswith("input") else [f"input={rows}"]
    assert main(["train", *words, *given, f"run_dir={tmp_path}/run"]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert said in line
    assert not (tmp_path / "run").exists()


def plan_of(config: DictConfig) -> str:
    console = Console(width=100)
    with console.capture() as captured:
        console.print(plan_tables(train.recipe_of(config).plan(config)))
    return captured.get()


def changed() -> Iterator[tuple[str, str]]:
    yield from (("model.max_tokens", "200"), ("pretraining.rows.max_letters", "100"))
    for key, value in {"max_tokens": "8192", "rows": "6", "rows_at_once": "1"}.items():
        yield f"pretraining.batch.{key}", value
    for key, value in {"fraction": "0.3", "masked": "0.5", "random": "0.2"}.items():
        yield f"pretraining.masking.{key}", value
    yield from ((f"pretraining.joint.weights.{task}", "0.7") for task in TASKS)
    yield from ((f"model.heads.{task}.{key}", "77") for task in LEVELS for key in ("hidden", "classes"))


@pytest.fixture(scope="module")
def plan_before() -> str:
    return plan_of(compose("train", *CHOSEN))


@pytest.mark.parametrize(("key", "value"), changed())
def test_a_key_matters(key: str, value: str, plan_before: str) -> None:
    assert plan_of(compose("train", *CHOSEN, f"{key}={value}")) != plan_before


def test_the_plan_of_the_papers_recipe() -> None:
    """Parameters and tokens of a step by hand: 256 sequences of 1,280 tokens."""
    text = plan_of(compose("train", "experiment=lucaone"))
    assert "1,799,898,489" in text
    assert f"≤ {256 * 1280:,}" in text
    assert "weighted_tasks, 4 x 1, 6 x 0.2" in text
    assert "8 x 1 x 4" in text


def test_sequence_files_are_made_into_rows(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Proteins alone, in the run's own folder; labels that nothing here has make no figure."""
    residues = "MKVLAAGIVGLCDEFHNPQRSTWY"
    lines = [f">p{i}\n{residues[i % 24 :]}{residues[: i % 24]}{residues[i % 7 :]}\n" for i in range(40)]
    (tmp_path / "proteins.fa").write_text("".join(lines))
    words = ["train", *SMALL, f"input=protein:{tmp_path}/proteins.fa", f"run_dir={tmp_path}/run"]
    shares = ["data.split.validation=0.1", "data.split.test=0.2", "data.split.clusters=null"]
    assert main([*words, *shares]) == 0
    (made,) = (tmp_path / "run").glob("rows-*/train.csv")
    assert made.read_text().count("\n") > 20
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert set(metrics["heldout"]) == {"prot_mask", "prot_mask_accuracy"}
    assert "prot_mask" in capfd.readouterr().out


@pytest.mark.slow
def test_two_processes_train_as_one(finished: Path, rows: Path, tmp_path: Path) -> None:
    def run(name: str, *more: str) -> dict[tuple[str, ...], float]:
        words = [*COMMAND, "train", *SMALL, f"input={rows}", f"run_dir={tmp_path}/{name}", *more]
        result = subprocess.run(words, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
        return {key: float(value) for key, value in figures(tmp_path / name).items()}

    one = run("one", "model.head_dropout=0.0")
    two = run("two", "model.head_dropout=0.0", "trainer.devices=2")
    assert two == pytest.approx(one, rel=1e-4, abs=1e-6)


def test_heads_whose_classes_had_other_labels_are_named(tmp_path):
    (tmp_path / "run/model").mkdir(parents=True)
    (tmp_path / "run/labels.json").write_text(
        LabelNames({"gene_taxonomy": ("A", "B"), "prot_taxonomy": ("A", "B")}).text
    )
    now = LabelNames({"gene_taxonomy": ("A", "C"), "prot_taxonomy": ("A", "B", "C"), "prot_site": ("x",)})
    for init_from in (tmp_path / "run", tmp_path / "run/model"):
        assert tasks_of_other_labels(str(init_from), now) == ["gene_taxonomy"]
    assert tasks_of_other_labels("lifecode-mini", now) == []
