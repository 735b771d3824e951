"""Other ways to run the same command: sweeps, loggers, precision, stages apart, no teacher."""

import json

import numpy as np
import pytest

from tests.end_to_end.test_train import train

pytestmark = pytest.mark.slow


def heldout(run):
    return json.loads((run / "metrics.json").read_text())["heldout"]


def test_a_sweep_over_hybrid_ratios(small_genome, tmp_path):
    done = train(tmp_path, small_genome, "-m", "model.hybrid_ratio=2:0,1:1,0:2", "trainer.max_steps=1")
    assert done.returncode == 0, done.stderr
    runs = sorted((tmp_path / "runs/small").iterdir())
    assert [json.loads((run / "model/config.json").read_text())["hybrid_ratio"] for run in runs] == [
        "0:2",
        "1:1",
        "2:0",
    ]
    assert len({heldout(run)["masked_codon_cross_entropy"]["value"] for run in runs}) == 3


def test_without_a_teacher_nothing_is_said_about_one(small_genome, tmp_path):
    done = train(tmp_path, small_genome, "teacher.model=null", "trainer.max_steps=1")
    assert done.returncode == 0, done.stderr
    assert "kd_explained" not in heldout(tmp_path / "runs/small")
    assert "teacher" not in json.loads((tmp_path / "runs/small/metrics.json").read_text())["data"]


def test_bf16(small_genome, tmp_path):
    done = train(tmp_path, small_genome, "trainer.precision=bf16-mixed", "trainer.max_steps=2")
    assert done.returncode == 0, done.stderr
    assert 3 < heldout(tmp_path / "runs/small")["masked_codon_cross_entropy"]["value"] < 6


def test_wandb_offline_needs_no_account(small_genome, tmp_path):
    done = train(tmp_path, small_genome, "logger=wandb", "trainer.max_steps=2")
    assert done.returncode == 0, done.stderr
    (log,) = (tmp_path / "runs/small/wandb").glob("offline-run-*/*.wandb")
    assert log.stat().st_size > 1000


def test_the_stages_apart(small_genome, tmp_path):
    first = train(tmp_path, small_genome, "stage=tokenizer", "trainer.max_steps=2")
    assert first.returncode == 0, first.stderr
    assert not (tmp_path / "runs/small/model").exists()
    second = train(
        tmp_path,
        small_genome,
        "stage=encoder",
        "trainer.max_steps=2",
        "run_dir=runs/second",
        "tokenizer_checkpoint=runs/small",
    )
    assert second.returncode == 0, second.stderr
    assert not (tmp_path / "runs/second/tokenizer").exists()
    assert heldout(tmp_path / "runs/second")


def test_a_tokenizer_of_another_shape_is_refused(small_genome, tmp_path):
    assert train(tmp_path, small_genome, "stage=tokenizer", "trainer.max_steps=1").returncode == 0
    other = train(
        tmp_path,
        small_genome,
        "stage=encoder",
        "run_dir=runs/second",
        "tokenizer_checkpoint=runs/small",
        "model.codec.direction=forward",
    )
    assert other.returncode == 2
    assert "direction" in other.stderr


def test_going_on_with_a_trained_model(small_genome, tmp_path):
    assert train(tmp_path, small_genome, "trainer.max_steps=3").returncode == 0
    on = ["init_from=runs/small", "run_dir=runs/second", "trainer.max_steps=2", "optim.encoder.lr=1e-9"]
    second = train(tmp_path, small_genome, *on)
    assert second.returncode == 0, second.stderr
    assert "resemble genes" not in second.stdout
    assert not (tmp_path / "runs/second/tokenizer").exists()
    before, after = heldout(tmp_path / "runs/small"), heldout(tmp_path / "runs/second")
    name = "masked_codon_cross_entropy"
    assert after[name]["value"] == pytest.approx(before[name]["value"], abs=1e-5)
    again = train(tmp_path, small_genome, *on[1:])
    assert again.returncode == 2
    assert "init_from was 'runs/small' and is None" in again.stderr
    both = train(tmp_path, small_genome, "init_from=runs/small", "tokenizer_checkpoint=runs/small")
    assert both.returncode == 2
    assert "init_from: begins stage 2 with a whole model" in both.stderr


def test_held_out_genes_that_the_first_model_was_trained_on_are_left_out(small_genome, tmp_path):
    assert train(tmp_path, small_genome, "trainer.max_steps=1").returncode == 0
    on = ["init_from=runs/small", "run_dir=runs/b", "trainer.max_steps=1", "data.split.test=0.4"]
    second = train(tmp_path, small_genome, *on)
    assert second.returncode == 0, second.stderr
    assert "held-out genes resemble genes that the model of init_from was trained on" in second.stdout
    metrics = [json.loads((tmp_path / run / "metrics.json").read_text()) for run in ("runs/small", "runs/b")]
    first, second = (entry["split"]["genes_left_out"] for entry in metrics)
    assert first == 0 < second < metrics[1]["data"]["splits"]["test"]["cds"]
    genes = [np.load(tmp_path / run / "model/training_genes.npy") for run in ("runs/small", "runs/b")]
    assert len(genes[0]) > 20
    assert {tuple(gene) for gene in genes[0]} <= {tuple(gene) for gene in genes[1]}  # it travels on
