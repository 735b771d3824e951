"""Other ways to run the same command: sweeps, loggers, precision, stages apart, no teacher."""

import csv
import json

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.support.small_run import arguments_of, runs_of, train
from tests.support.wandb_file import history, records

pytestmark = pytest.mark.slow


@pytest.fixture
def trained(here, small_genome, tmp_path):
    """`small_run.train` in this process."""
    return lambda *arguments: here(tmp_path, *arguments_of(small_genome, *arguments))


def heldout(run):
    return json.loads((run / "metrics.json").read_text())["heldout"]


def test_a_sweep_over_hybrid_ratios(tmp_path, trained):
    done = trained("-m", "model.hybrid_ratio=2:0,1:1,0:2", "trainer.max_steps=1")
    assert done.returncode == 0, done.stderr
    runs = runs_of(tmp_path / "runs/small")
    assert [json.loads((run / "model/config.json").read_text())["hybrid_ratio"] for run in runs] == [
        "0:2",
        "1:1",
        "2:0",
    ]
    assert len({heldout(run)["masked_codon_cross_entropy"]["value"] for run in runs}) == 3


def test_without_a_teacher_nothing_is_said_about_one(tmp_path, trained):
    done = trained("teacher.model=null", "trainer.max_steps=1")
    assert done.returncode == 0, done.stderr
    assert "kd_explained" not in heldout(tmp_path / "runs/small")
    assert "teacher" not in json.loads((tmp_path / "runs/small/metrics.json").read_text())["data"]


def test_bf16(tmp_path, trained):
    done = trained("trainer.precision=bf16-mixed", "trainer.max_steps=2")
    assert done.returncode == 0, done.stderr
    assert 3 < heldout(tmp_path / "runs/small")["masked_codon_cross_entropy"]["value"] < 6


PICTURES = {
    "tokenizer/validation/codon_map",
    "encoder/validation/codon_map",
    "encoder/validation/sample_predictions",
    "test/codon_map",
    "test/sample_predictions",
}
LOGGED = ["trainer.log_every_steps=1", "trainer.validate_every_steps=2", "trainer.max_steps=2"]


def logged_figures(run) -> set[tuple[int, str, float]]:
    """Step, name and value of every row of metrics.csv."""
    with (run / "metrics.csv").open() as file:
        rows = csv.DictReader(file)
        return {
            (int(row["step"]), f"{row['stage']}/{row['split']}/{row['name']}", float(row["value"]))
            for row in rows
        }


def test_wandb_offline_holds_all_that_metrics_csv_holds_and_pictures(small_genome, tmp_path):
    done = train(tmp_path, small_genome, "-m", "seed=0,1", "logger=wandb", *LOGGED)
    assert done.returncode == 0, done.stderr
    ids = set()
    for run in runs_of(tmp_path / "runs/small"):
        (log,) = (run / "wandb").glob("offline-run-*/*.wandb")
        logged = history(log)
        figures = {
            (int(row["trainer/global_step"]), name, float(f"{float(value):.8g}"))
            for row in logged
            for name, value in row.items()
            if name.count("/") == 2 and name.startswith(("tokenizer/", "encoder/"))
        }
        assert figures == logged_figures(run)
        names = {name for _, name, _ in figures}
        train_names = {"learning_rate", "mlm", "weight_translation", "gradient_norm", "packing_fill", "mfu"}
        assert {f"encoder/train/{name}" for name in train_names} <= names
        shown = {name.removesuffix("/_type") for row in logged for name in row if name.endswith("/_type")}
        assert shown == PICTURES
        final = {name: value for row in logged for name, value in row.items() if name.startswith("test/")}
        entropy = heldout(run)["masked_codon_cross_entropy"]["value"]
        assert float(final["test/masked_codon_cross_entropy"]) == entropy
        begun = next(r.run for r in records(log) if r.WhichOneof("record_type") == "run")
        ids.add(begun.run_id)
        assert (run / "wandb_run.txt").read_text() == begun.run_id
        assert next(r.exit.exit_code for r in records(log) if r.WhichOneof("record_type") == "exit") == 0
        settings = [r.config for r in records(log) if r.WhichOneof("record_type") == "config"]
        updates = {item.key: item.value_json for config in settings for item in config.update}
        assert updates["seed"] == run.name.rpartition("=")[2][-1]
    assert len(ids) == 2


def test_tensorboard_holds_all_that_metrics_csv_holds_and_pictures(tmp_path, trained):
    done = trained("logger=tensorboard", *LOGGED)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs/small"
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    scalars = [name for name in events.Tags()["scalars"] if name.count("/") == 2]
    written = {(event.step, name, event.value) for name in scalars for event in events.Scalars(name)}
    assert {(step, name) for step, name, _ in written} == {row[:2] for row in logged_figures(run)}
    expected = {row[:2]: row[2] for row in logged_figures(run)}
    assert {row[:2]: row[2] for row in written} == pytest.approx(expected, rel=1e-6)
    assert set(events.Tags()["images"]) == PICTURES


def test_the_stages_apart(tmp_path, trained):
    first = trained("stage=tokenizer", "trainer.max_steps=2")
    assert first.returncode == 0, first.stderr
    assert not (tmp_path / "runs/small/model").exists()
    second = trained(
        "trainer.max_steps=2",
        "run_dir=runs/second",
        "tokenizer_checkpoint=runs/small",
    )
    assert second.returncode == 0, second.stderr
    assert not (tmp_path / "runs/second/tokenizer").exists()
    assert heldout(tmp_path / "runs/second")


def test_a_tokenizer_that_was_trained_further_begins_stage_2_anew_and_nothing_is_lost(tmp_path, trained):
    short = ["optim.tokenizer.total_steps=2", "optim.tokenizer.warmup_steps=1", "optim.encoder.total_steps=2"]
    assert trained("trainer.max_steps=1", *short).returncode == 0
    longer = trained(*short)
    assert longer.returncode == 0, longer.stderr
    assert "tokenizer was trained further since, so it begins anew" in longer.stdout
    (aside,) = (tmp_path / "runs/small/encoder").glob("checkpoints_of_tokenizer_*")
    assert (aside / "step=0000001.ckpt").is_file()


def test_a_damaged_model_of_a_finished_run_is_written_again(tmp_path, trained):
    assert trained("trainer.max_steps=1").returncode == 0
    weights = tmp_path / "runs/small/model/model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    (tmp_path / "runs/small/report.html").unlink()
    again = trained("trainer.max_steps=1")
    assert again.returncode == 0, again.stderr
    assert weights.read_bytes() == whole
    assert (tmp_path / "runs/small/report.html").is_file()
    assert "complete" in trained("trainer.max_steps=1").stdout


def test_a_tokenizer_of_another_shape_is_refused(tmp_path, trained):
    assert trained("stage=tokenizer", "trainer.max_steps=1").returncode == 0
    other = trained(
        "stage=encoder",
        "run_dir=runs/second",
        "tokenizer_checkpoint=runs/small",
        "model.codec.direction=forward",
    )
    assert other.returncode == 2
    assert "direction" in other.stderr
    assert not (tmp_path / "runs/second").exists()


def test_going_on_with_a_trained_model(tmp_path, trained):
    assert trained("trainer.max_steps=3").returncode == 0
    hardly = ["optim.encoder.lr=1e-9", "optim.encoder.min_lr=0"]
    on = ["init_from=runs/small", "run_dir=runs/second", "trainer.max_steps=2", *hardly]
    second = trained(*on)
    assert second.returncode == 0, second.stderr
    assert "resemble genes" not in second.stdout
    assert not (tmp_path / "runs/second/tokenizer").exists()
    before, after = heldout(tmp_path / "runs/small"), heldout(tmp_path / "runs/second")
    name = "masked_codon_cross_entropy"
    assert after[name]["value"] == pytest.approx(before[name]["value"], abs=1e-5)
    assert trained("trainer.max_steps=4").returncode == 0  # another model since
    kept = sorted((tmp_path / "runs/second/encoder/checkpoints").iterdir())
    moved = trained(*on)
    assert moved.returncode == 2
    assert "runs/small/model: holds other weights than those that stage 2 of this run began" in moved.stderr
    assert sorted((tmp_path / "runs/second/encoder/checkpoints").iterdir()) == kept
    again = trained(*on[1:])
    assert again.returncode == 2
    assert "init_from was 'runs/small' and is None" in again.stderr
    both = trained("init_from=runs/small", "tokenizer_checkpoint=runs/small")
    assert both.returncode == 2
    assert "init_from: begins stage 2 with a whole model" in both.stderr


def test_held_out_genes_that_the_first_model_was_trained_on_are_left_out(tmp_path, trained):
    assert trained("trainer.max_steps=1").returncode == 0
    on = ["init_from=runs/small", "run_dir=runs/b", "trainer.max_steps=1", "data.split.test=0.4"]
    second = trained(*on)
    assert second.returncode == 0, second.stderr
    assert "held-out genes resemble genes that what stage 2 begins with was trained on" in second.stdout
    metrics = [json.loads((tmp_path / run / "metrics.json").read_text()) for run in ("runs/small", "runs/b")]
    first, second = (entry["split"]["genes_left_out"] for entry in metrics)
    assert first == 0 < second < metrics[1]["data"]["splits"]["test"]["cds"]
    genes = [np.load(tmp_path / run / "model/training_genes.npy") for run in ("runs/small", "runs/b")]
    third = trained("tokenizer_checkpoint=runs/small", "run_dir=runs/c", *on[2:])
    assert third.returncode == 0, third.stderr
    tokenizer = json.loads((tmp_path / "runs/c/metrics.json").read_text())
    assert tokenizer["split"]["genes_left_out"] == metrics[1]["split"]["genes_left_out"]
    assert len(genes[0]) > 20
    assert {tuple(gene) for gene in genes[0]} <= {tuple(gene) for gene in genes[1]}  # it travels on


def test_the_shipped_model_goes_on_with_genes_that_are_new_to_it(small_genome, tmp_path, here):
    """Of this piece of E. coli it has seen every gene, of a genome of chance none."""
    draw = np.random.default_rng(0)
    lines = [f">g{i}\nATG{''.join(draw.choice(['GCA', 'CTG', 'AAC', 'GGT'], 60))}TAA\n" for i in range(60)]
    (tmp_path / "chance.fa").write_text("".join(lines))
    on = [
        "init_from=lifecode-mini",
        "data.split.test=0.2",
        "trainer.max_steps=1",
        "data.batch.max_codons=256",
    ]
    new = here(tmp_path, "train", "input=cds:chance.fa", "run_dir=new", *on)
    assert new.returncode == 0, new.stderr
    assert "resemble genes" not in new.stdout
    metrics = json.loads((tmp_path / "new/metrics.json").read_text())
    assert metrics["split"]["genes_left_out"] == 0
    again = here(tmp_path, "train", f"input={small_genome}", "run_dir=again", *on)
    assert again.returncode == 2
    assert "trained on the like of every held-out gene" in again.stderr


def test_wandb_online_without_a_login_is_logged_offline(small_genome, tmp_path, monkeypatch):
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))  # without a .netrc
    done = train(tmp_path, small_genome, "logger=wandb", "logger.wandb.offline=false", "trainer.max_steps=1")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "logger.wandb: W&B cannot be used" in done.stderr
    assert "wandb sync runs/small/wandb/offline-run-*" in done.stderr
    assert len(list((tmp_path / "runs/small/wandb").glob("offline-run-*/*.wandb"))) == 1
