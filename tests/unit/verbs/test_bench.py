"""`lifecode bench`: what it prints, from figures by hand and from real steps; where the old verbs went."""

import re
from dataclasses import replace

import pytest
import torch

from lifecode.app.main import main
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.training.speed import part_of_one_process
from lifecode.training.trainer import TrainerSettings
from lifecode.verbs import bench
from lifecode.verbs.bench import Bench, StageSpeed, duration, lines

TINY = [
    "model=tiny",
    "model.depth=2",
    "model.hybrid_ratio=1:1",
    "model.width=16",
    "model.num_heads=2",
    "model.attention_head_dim=8",
    "model.codec.nucleotide_dim=16",
    "model.codec.conv_channels=8",
    "model.codec.translator_hidden=16",
    "data.batch.max_codons=128",
    "data.batch.warmup_codons=128",
    "optim.tokenizer.total_steps=100",
    "optim.encoder.total_steps=3000",
    "trainer.max_steps=2000",
    "trainer.accelerator=cpu",
]
STAGES = {"tokenizer": StageSpeed(6000.0, 0.5, 100), "encoder": StageSpeed(1000.0, 3.0, 1200)}
BENCH = Bench(
    stages=STAGES,
    memory_bytes=3 * 2**29,
    prepare_nucleotides_per_second=1e6,
    embed_nucleotides_per_second=5000.0,
    settings={"OMP_NUM_THREADS=1": 0.6, "trainer.precision=bf16-mixed": 1.05},
    kernels={"native": 0.002, "chunked": 0.017},
    load=0.1,
)


def test_lines_by_hand():
    said = lines(BENCH, TrainerSettings(accelerator="cpu"), 3_000_000)
    assert said[0].endswith(" GiB; cpu, 32-true")
    assert said[1:] == [
        "tokenizer: 6,000 nucleotides/s, 500.0 ms per step, 100 steps in 50.0 s",
        "encoder: 1,000 nucleotides/s, 3.0 s per step, 1,200 steps in 60.0 min",
        "both stages: 60.8 min, and teacher, validation and checkpoints on top",
        "memory of a process: 1.50 GiB at most",
        "a genome of 3,000,000 nucleotides: prepared in 3.0 s, "
        "read once by the encoder in training in 50.0 min, embedded in 10.0 min",
        "with OMP_NUM_THREADS=1: 0.60 times as fast",
        "with trainer.precision=bf16-mixed: 1.05 times as fast",
        "gated delta rule: native, 2.0 ms per layer and row; chunked 8.5 times as long",
        "No other number of threads or precision is faster by a tenth: keep what you have.",
    ]


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("OMP_NUM_THREADS=1", "OMP_NUM_THREADS=1 lifecode train ..."),
        ("trainer.precision=bf16-mixed", "lifecode train ... trainer.precision=bf16-mixed"),
    ],
)
def test_the_fastest_setting_is_a_command(name, command):
    faster = BENCH._replace(settings={"trainer.precision=32-true": 1.2, name: 1.3})
    assert lines(faster, TrainerSettings(), 1)[-1] == f"Faster: {command}"


def test_what_a_user_can_do_about_kernels_and_load_is_said():
    said = lines(BENCH._replace(kernels={"chunked": 0.1}, load=0.8), TrainerSettings(), 1)
    assert "No compiled kernel of the gated delta rule runs here: lifecode doctor says why." in said
    assert said[-1] == "The machine was busy before: all is slower than it need be."
    attention_alone = lines(BENCH._replace(kernels={}), TrainerSettings(), 1)
    assert not any("delta rule" in line for line in attention_alone)


def test_durations_have_a_unit_that_fits():
    said = [duration(seconds) for seconds in (0.0123, 1.0, 89.0, 90.0, 5400.0, 1.5 * 86400)]
    assert said == ["12.3 ms", "1.0 s", "89.0 s", "1.5 min", "1.5 h", "1.5 days"]


def test_a_part_of_a_step_has_its_structure():
    whole = BatchShape(max_codons=4096, rows=1024, rows_at_once=8, warmup_steps=500)
    part = part_of_one_process(whole, 8)
    assert part == replace(whole, rows=16, warmup_codons=1024, warmup_steps=1)
    assert part_of_one_process(BatchShape(max_codons=64, rows=4), 1).rows == 4


def test_the_command_measures_real_steps(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bench, "SHORT_ROW", 64)
    threads = torch.get_num_threads()
    assert main(["bench", *TINY, "measure_seconds=0.01", "genome_nucleotides=1000"]) == 0
    out = capsys.readouterr().out
    for line in (
        r"tokenizer: [1-9][\d,]* nucleotides/s, \S+ m?s per step, 100 steps in .*",
        r"encoder: [1-9][\d,]* nucleotides/s, \S+ m?s per step, 2,000 steps in .*",
        r"both stages: .*",
        r"memory of a process: [\d.]+ GiB at most",
        r"a genome of 1,000 nucleotides: prepared in .*",
        r"with trainer.precision=bf16-mixed: [\d.]+ times as fast",
        r"gated delta rule: native, .* per layer and row; chunked [\d.]+ times as long",
    ):
        assert re.search(f"^{line}$", out, re.MULTILINE), line
    assert torch.get_num_threads() == threads
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("genome_nucleotides=0", "genome_nucleotides: is 0, expected greater than 0"),
        ("measure_seconds=-1", "measure_seconds: is -1, expected greater than 0"),
        ("measure_seconds=soon", "measure_seconds: is 'soon', expected number"),
        ("trainer.precision=fp8", "trainer.precision: is 'fp8', expected '32-true' or 'bf16-mixed'"),
        ("trainer.accelerator=gpu", "trainer.accelerator: asks for a GPU, and this machine has none"),
        ("model=tony", "model has no option 'tony'"),
        ("ops", "'ops' is not of the form key=value. See lifecode bench --help"),
    ],
)
def test_a_wrong_value_is_one_line(argument, said, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main(["bench", argument]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"lifecode bench: {said}")
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["op", "train", "data"])
@pytest.mark.parametrize("more", [[], ["--help"], ["repeats=3"]])
def test_the_old_verbs_say_where_they_went(name, more, capsys):
    assert main(["bench", name, *more]) == 2
    assert capsys.readouterr().err == f"lifecode: bench {name} is now `make bench-{name}`, in a clone\n"
