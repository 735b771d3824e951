"""`lifecode train` on a piece of the real genome: the run folder, resumption, and how it refuses."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from lifecode import LifeCode
from lifecode.training.stages.encoder_stage import EncoderStage
from tests.support.small_run import COMMAND, arguments_of, losses, train


@pytest.fixture(scope="module")
def finished(small_genome, tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    folder = tmp_path_factory.mktemp("train")
    result = train(folder, small_genome)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder / "runs" / "small", result


def test_the_run_folder_is_complete(finished):
    run, result = finished
    for name in (
        "config.yaml",
        "metrics.csv",
        "metrics.json",
        "report.html",
        "tokenizer/checkpoints/step=0000006.ckpt",
        "encoder/checkpoints/step=0000008.ckpt",
        "model/config.json",
        "model/model.safetensors",
        "model/SHA256SUMS",
        "figures/learning_curves.png",
        "figures/codon_map.png",
    ):
        assert (run / name).is_file(), name
    assert "report.html" in result.stdout.splitlines()[-1]
    assert result.stderr.count("Traceback") == 0


def test_metrics_json_has_every_figure_with_its_baseline(finished):
    run, _ = finished
    metrics = json.loads((run / "metrics.json").read_text())
    assert set(metrics["heldout"]) == {
        "translation_accuracy",
        "masked_translation_accuracy",
        "masked_codon_cross_entropy",
        "masked_codon_cross_entropy_shuffled",
        "kd_explained",
        "teacher_probe_r2",
    }
    assert set(metrics["baselines"]) == {
        "codon_unigram",
        "codon_bigram",
        "majority_residue",
        "teacher_mean",
        "teacher_codon_r2",
    }
    for section in ("heldout", "baselines"):
        assert all(np.isfinite(figure["value"]) and figure["n"] > 0 for figure in metrics[section].values())
    masked = metrics["heldout"]["masked_codon_cross_entropy"]["n"]
    assert masked == metrics["baselines"]["codon_unigram"]["n"]
    assert metrics["timing"]["seconds"] > 0
    assert metrics["timing"]["peak_memory_bytes"] > 1e8
    assert metrics["data"]["pairs"]["kept"] > 40


def test_the_learning_rate_follows_the_schedule_and_both_stages_log(finished):
    run, _ = finished
    rows = losses(run)
    assert {row[1] for row in rows} == {"tokenizer", "encoder"}
    rates = [float(row[4]) for row in rows if row[1] == "encoder" and row[3] == "learning_rate"]
    assert len(rates) == 8
    assert rates[1:] == sorted(rates[1:], reverse=True)
    assert {"mlm", "translation", "distillation"} <= {row[3] for row in rows if row[1] == "encoder"}


def test_the_same_command_again_says_that_it_is_complete(finished, small_genome, here):
    run, _ = finished
    before = losses(run)
    again = here(run.parents[1], *arguments_of(small_genome))
    assert again.returncode == 0
    assert "complete" in again.stdout
    assert losses(run) == before


def test_another_identity_is_refused_and_the_key_is_named(finished, small_genome, here):
    run, _ = finished
    other = here(run.parents[1], *arguments_of(small_genome, "optim.encoder.lr=0.5"))
    assert other.returncode == 2
    assert "optim.encoder.lr was 0.003 and is 0.5" in other.stderr
    assert len(other.stderr.strip().splitlines()) == 1


@pytest.mark.slow
def test_cut_short_and_gone_on_it_gives_the_same_losses(finished, small_genome, tmp_path):
    """A run stopped by trainer.max_steps and one killed in the middle end as if nothing had happened."""
    run, _ = finished
    first = train(tmp_path, small_genome, "trainer.max_steps=5", "stage=tokenizer")
    assert first.returncode == 0, first.stderr
    process = subprocess.Popen(
        [*COMMAND, *arguments_of(small_genome)],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    resumed = tmp_path / "runs" / "small"
    deadline = time.monotonic() + 600
    while not list(resumed.glob("encoder/checkpoints/step=0000003.ckpt")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    last = train(tmp_path, small_genome, "trainer.num_workers=2")
    assert last.returncode == 0, last.stderr
    assert losses(resumed) == losses(run)
    one, other = (LifeCode.from_pretrained(folder / "model").state_dict() for folder in (run, resumed))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.slow
def test_a_run_that_a_callback_has_ended_is_complete_until_it_is_taken_out(small_genome, tmp_path, here):
    ended = [
        "callbacks=[early_stopping,best_checkpoint]",
        "trainer.callbacks.early_stopping.patience=1",
        "trainer.callbacks.early_stopping.min_delta=100",
        "trainer.validate_every_steps=2",
        "profiler=simple",
    ]
    run = tmp_path / "runs" / "small"
    first = here(tmp_path, *arguments_of(small_genome, *ended))
    assert first.returncode == 0, first.stderr
    assert "encoder: a callback ended it after step 4 of 8" in first.stdout
    assert json.loads((run / "metrics.json").read_text())["model"]["encoder_steps"] == 4
    (best,) = (run / "encoder" / "best").glob("*.ckpt")
    assert EncoderStage.load_from_checkpoint(best).distillation is not None
    for stage in ("tokenizer", "encoder"):
        assert (run / "profile" / stage / "fit-profile.txt").is_file()
    before = losses(run)
    again = here(tmp_path, *arguments_of(small_genome, *ended))
    assert "This run is complete" in again.stdout
    assert losses(run) == before
    further = here(tmp_path, *arguments_of(small_genome, "trainer.validate_every_steps=2"))
    assert "encoder: going on from step 4" in further.stdout
    assert json.loads((run / "metrics.json").read_text())["model"]["encoder_steps"] == 8


def test_sigterm_saves_the_step_and_exits_130(finished, small_genome, tmp_path):
    process = subprocess.Popen(
        [*COMMAND, *arguments_of(small_genome, "optim.tokenizer.total_steps=4000")],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    folder = tmp_path / "runs" / "small" / "tokenizer" / "checkpoints"
    deadline = time.monotonic() + 600
    while not list(folder.glob("*.ckpt")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 130
    assert "the same command goes on from there" in err.splitlines()[-1]
    (newest,) = sorted(folder.glob("*.ckpt"))[-1:]
    assert f"after step {int(newest.stem.removeprefix('step='))} of 4000" in err


def test_embed_gives_one_vector_a_gene(finished, small_genome, here):
    run, _ = finished
    folder = run.parents[1]
    embed = ("embed", f"checkpoint={run}/model")
    done = here(folder, *embed, f"input={small_genome}", "output=genes.npz")
    assert done.returncode == 0, done.stderr
    arrays = np.load(folder / "genes.npz")
    assert arrays["embeddings"].shape == (len(arrays["ids"]), 32)
    fasta = folder / "two.fa"
    fasta.write_text(">a\nATGAAACGC\n>b\nAUGAAACG\n")
    done = here(folder, *embed, f"input={fasta}", "output=two.npz", "pool=null")
    assert done.returncode == 0, done.stderr
    two = np.load(folder / "two.npz")
    assert two["offsets"].tolist() == [0, 3, 6]
    model = LifeCode.from_pretrained(run / "model")
    np.testing.assert_allclose(two["embeddings"][:3], model.embed("ATGAAACGC", pool=None)[0], atol=1e-5)


def test_info_describes_the_trained_model(finished, here):
    run, _ = finished
    done = here(run, "info", "checkpoint=model")
    assert done.returncode == 0, done.stderr
    total = sum(t.numel() for t in LifeCode.from_pretrained(run / "model").parameters())
    assert f"{total:,}" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "input needs a value"),
        (["input=nowhere.gbk"], "nowhere.gbk: no such file"),
        (["input=ecoli", "model.hybrid_ratio=4:1"], "no multiple of 4 + 1"),
        (["input=ecoli", "model.strands=both"], "model.strands"),
        (["input=ecoli", "kd.mode=deep", "teacher=near"], "kd.mode"),
        (["input=ecoli", "teacher=near", "teacher.targets=mine"], "teacher.targets"),
        (["input=ecoli", "teacher=near", "teacher.max_train_residues=few"], "teacher.max_train_residues"),
        (["input=ecoli", "teacher=esm2", "teacher.model.checkpoint=no/such/folder"], "no/such/folder"),
        (["input=ecoli", "optim.encoder.lr=fast"], "optim.encoder.lr"),
        (["input=ecoli", "trainer.precision=16"], "trainer.precision"),
        (["input=ecoli", "stage=encoder"], "no trained tokenizer"),
        (["input=ecoli", "run_dir=/proc/nothing"], "/proc/nothing"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(tmp_path, here, arguments, said):
    done = here(tmp_path, "train", *arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
