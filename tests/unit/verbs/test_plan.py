"""The plan of a run: the paper's numbers, what is printed, and agreement with what really happens."""

import json
import math
import re
from functools import partial
from io import StringIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from omegaconf import OmegaConf
from rich.console import Console

from benchmarks.measuring.peak_memory import PeakMemory
from benchmarks.training.training_flops import forward_flops as counted_flops
from lifecode.app.from_python import compose
from lifecode.app.main import main
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.mixture import Mixture
from lifecode.data.batches.row_contents import (
    RowContents,
    assumed_contents,
    batch_contents,
    measured_contents,
)
from lifecode.data.batches.stream import TrainingStream
from lifecode.data.corpus.corpus import Corpus
from lifecode.data.reading.read import ReadingSettings
from lifecode.data.splits.split import BlockSplit
from lifecode.data.statistics.training_size import size_of_corpus, size_of_inputs
from lifecode.errors import UserError
from lifecode.models import CodonCodec, LifeCode
from lifecode.models.parts import LAYERS
from lifecode.objectives.cost import StepCost, one_pass
from lifecode.objectives.joint import JointObjective
from lifecode.training.cost.step_cost import activation_bytes, model_flops, step_flops, step_memory
from lifecode.training.plan import plan_stage
from lifecode.training.stages.encoder_stage import EncoderStage
from lifecode.training.stages.optimizer import OptimizerRecipe
from lifecode.training.stages.tokenizer_stage import TokenizerStage
from lifecode.training.trainer import TrainerSettings
from lifecode.verbs.train.life_code.plan import plan_run
from lifecode.verbs.train.plan import RunPlan
from lifecode.verbs.train.plan_tables import curve, plan_tables
from lifecode.verbs.train.printed_numbers import amount, number, size
from tests.support.corpus_batches import RandomFeatures, step_of
from tests.support.repository import ROOT
from tests.support.small_run import SMALL
from tests.support.stages import RECIPE, encoder_stage, tokenizer_stage

# The sizes of model=tiny.
CODEC = {"nucleotide_dim": 64, "conv_channels": 32, "num_heads": 2, "translator_hidden": 384}
MODEL = {"width": 128, "depth": 6, "hybrid_ratio": "5:1", "num_heads": 4, "attention_head_dim": 64}
OF_CDS = partial(assumed_contents, shares={"cds": 1.0})
PROCESSES = ["trainer.devices=1", "trainer.accelerator=cpu"]


def tiny_encoder(codec: dict | None = None, **model) -> EncoderStage:
    whole = LifeCode(codec=CodonCodec(**CODEC, **(codec or {})), teacher_width=8, **{**MODEL, **model})
    return encoder_stage(model=whole)


def tiny_tokenizer(**codec) -> TokenizerStage:
    return tokenizer_stage(**{**CODEC, **codec})


def one_batch(corpus: Corpus, max_codons: int, **mixture):
    """With eight features per residue of every protein."""
    features = RandomFeatures(8, of_all=True)
    return step_of(corpus, max_codons=max_codons, features=features, **mixture)[0]


# The paper's configuration


@pytest.mark.parametrize(
    ("experiment", "in_the_layers", "key_dim"),
    [("life_code", 351_152_544, 32), ("life_code_500m", 549_696_256, 40)],
)
def test_the_numbers_of_the_paper(experiment, in_the_layers, key_dim):
    """Spec 3-5: what follows from Table A2 and A.2; the keys of conf/ are compared with docs/recipe.md."""
    second = plan_run(compose("train", f"experiment={experiment}")).stages[1]
    assert second.stage.tasks == ["mlm", "translation", "distillation"]
    encoder = second.stage.model.encoder
    assert sum(p.numel() for p in encoder.layers.parameters()) == in_the_layers
    assert [i for i, layer in enumerate(encoder.layers, 1) if layer.mixer.kind == "mhsa"] == [12, 24]
    mixer = encoder.layers[0].mixer
    widths = [projection.out_features for projection in (mixer.k_proj, mixer.v_proj)]
    assert widths == [24 * key_dim, 24 * 2 * key_dim]


def test_the_step_does_not_depend_on_the_number_of_processes():
    def batches(*overrides):
        stages = plan_run(compose("train", "experiment=life_code", *overrides)).stages
        return [(p.settings.num_processes, p.num_micro_batches, p.shape.rows) for p in stages]

    assert batches("trainer.devices=2") == [(2, 64, 1024), (2, 64, 256)]
    assert batches("trainer.num_nodes=2") == [(16, 8, 1024), (16, 8, 256)]
    with pytest.raises(UserError, match="256 rows cannot be shared by 3 processes"):
        batches("trainer.devices=3", "stage=encoder")


def test_every_override_of_the_recipe_composes_and_every_settled_value_is_the_one_in_conf():
    """The table of docs/recipe.md: `key: value` is what conf/ holds, the other readings are overrides."""
    text = (ROOT / "docs" / "recipe.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| ") and "`" in line]
    config = compose("train", "experiment=life_code")
    settled, others = [], []
    for row in rows:
        if len(row) == 6:
            settled += re.findall(r"`([\w.]+): ([^`]+)`", row[3])
            others += re.findall(r"`([\w.]+=[^`]+)`", row[4])
    assert len(settled) > 20
    assert len(others) > 15
    for key, value in settled:
        node = config
        for word in key.split("."):
            node = node[word]
        expected = json.loads(value) if re.fullmatch(r"[\d.e+-]+|true|false|null|\".*\"", value) else value
        assert node == expected, key
    by_key: dict[str, list[str]] = {}
    for override in others:
        by_key.setdefault(override.split("=")[0], []).append(override)
    for number_of_reading in range(max(map(len, by_key.values()))):  # several at a time, one a key
        chosen = [of_key[number_of_reading] for of_key in by_key.values() if number_of_reading < len(of_key)]
        plan_run(compose("train", "experiment=life_code", *chosen))


# What is printed


@pytest.mark.parametrize(
    "arguments",
    [
        ["experiment=quickstart"],
        ["model=tiny", "stage=encoder", "objective/joint=max_norm", "plan_flops_per_second=1e11"],
        ["model=tiny", "objective/joint=weighted_sum", "input=nowhere.gbff"],
    ],
    ids=" ".join,
)
def test_the_command_prints_a_plan_and_writes_nothing(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *arguments, "plan=true"]) == 0
    out = capsys.readouterr().out
    assert "nothing is trained, nothing is written" in out
    for title in ("Parameters", "Losses", "Steps and batch", "Learning rate", "Operations", "Disk"):
        assert f"\n{title} " in out
    assert all(len(line) <= 100 for line in out.splitlines() if "─" in line or "≤" in line)
    assert not list(tmp_path.iterdir())


def test_a_value_that_does_not_fit_is_named_as_in_training(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "plan=true", "data.batch.max_codons=3"]) == 2
    assert "data.batch" in capsys.readouterr().err
    assert main(["train", "plan=maybe"]) == 2
    assert "plan" in capsys.readouterr().err


def text_of(run: RunPlan) -> str:
    console = Console(width=100, record=True, file=StringIO())
    console.print(plan_tables(run))
    return console.export_text()


def printed(*overrides: str) -> str:
    return text_of(plan_run(compose("train", *overrides)))


def line_of(text: str, label: str) -> str:
    (line,) = [line.strip() for line in text.splitlines() if line.strip().startswith(label)]
    return " ".join(line.split())


def test_the_lines_of_the_papers_large_plan():
    text = printed("experiment=life_code_500m", "trainer.strategy=fsdp")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    for line in (
        "encoder layers (22 GDN, 2 MHSA) 549,696,256",
        "codon head 49,216 frozen 49,216",
        "masked modelling reads all selected",
        "joined by log_sum, eps 0.001, exact log_sum, eps 0.001, exact",
        "distillation none dino, tau 0.1, 0.1, EMA 0.9",
        "processes x rows x accumulated 8 x 8 x 16 8 x 2 x 16",
        "codons of a row, at most 4,096 1,024, then 4,096",
        "steps with the shorter ones 0 10,000",
        "codons of a step ≤ 4,194,304 ≤ 262,144, then 1,048,576",
        "nucleotides in all ≤ 1.258 T ≤ 3.121 T",
        "end of warm-up step 5,000 2.00e-04 step 10,000 1.00e-04",
        "after 50% step 50,000 1.08e-04 step 500,000 5.13e-05",
        "last step step 100,000 5.47e-14 step 1,000,000 1.00e-06",
        "passes of a step, per process 32 forward, 16 backward 32 forward, 16 backward",
        "FLOP of a step ~ 2.99e+14 ~ 2.44e+15, then 1.00e+16",
        "FLOP in all ~ 2.99e+19 ~ 9.94e+21",
        "weights ~ 3.7 MiB ~ 410.7 MiB",
        "gradients ~ 2.5 MiB ~ 272.5 MiB",
        "optimizer ~ 4.9 MiB ~ 544.9 MiB",
        "activations ~ 6.3 GiB ~ 30.9 GiB",
        "layers kept / checkpointed ~ 30.9 GiB / 5.3 GiB",
        "all (FSDP, bf16-mixed) ~ 6.3 GiB ~ 32.1 GiB",
        "all, at most at a time 196.4 MiB 21.3 GiB",
        "log_sum, eps 0.001, exact * 32 16 1 2.1 GiB",
        "log_sum, eps 0.001, lagged 16 16 1 2.1 GiB",
        "max_norm, eps 0.001 48 48 3 6.4 GiB",
    ):
        assert line in lines
    assert "The size of the data is not known" in text


class Largest(JointObjective):
    """The largest loss alone: a weighting that no file of lifecode knows."""

    def weights(self, losses):
        largest = max(losses, key=lambda name: float(losses[name].mean))
        return {name: 1 / x.count if name == largest else 0 * x.count for name, x in losses.items()}

    def value(self, losses):
        return torch.stack([loss.mean for loss in losses.values()]).amax()


def test_a_weighting_of_its_own_has_a_plan():
    shape = BatchShape(max_codons=64, rows=2, rows_at_once=1)
    stage = tokenizer_stage(**CODEC, objective=Largest())
    text = text_of(RunPlan("own", [plan_stage(stage, shape, Masking(), TrainerSettings(), OF_CDS)], None))
    assert line_of(text, "joined by") == "joined by Largest"
    assert line_of(text, "Largest *").split()[2:5] == ["4", "2", "1"]  # two micro-batches are measured first
    assert line_of(text, "passes of a step").endswith("4 forward, 2 backward")


def test_what_muon_moves_is_a_line_of_its_own():
    assert "by Muon" not in printed("model=mini")
    text = printed("model=mini", "optim.encoder.matrices=muon")
    # Matrices of eleven Gated DeltaNet layers but their gates, of one of attention, of the tokenizer's block.
    assert line_of(text, "by Muon") == "by Muon, parameters 0 2,977,792"


def test_hours_are_said_only_at_a_rate_that_the_user_gives():
    assert "hours" not in printed("model=tiny")
    line = line_of(printed("model=tiny", "plan_flops_per_second=1e10"), "hours at 1e+10")
    plan = plan_run(compose("train", "model=tiny")).stages[1]
    assert line.endswith(number(plan.flops / 1e10 / 3600))


def test_the_curve_by_hand():
    flat = OptimizerRecipe(lr=1.0, min_lr=1.0, total_steps=40)
    assert curve(flat, 40, width=4) == "████"
    ramp = OptimizerRecipe(lr=1.0, total_steps=8, warmup_steps=8)
    # means of (1/8, 2/8), (3/8, 4/8), (5/8, 6/8), (7/8, 1): 0.19, 0.44, 0.69, 0.94 of seven bars
    assert curve(ramp, 8, width=4) == "▂▄▆█"
    assert len(curve(ramp, 2, width=26)) == 26


def test_numbers_read_well():
    assert [amount(x) for x in (0, 9_999_999, 12_345_678, 1.041e12)] == [
        "0",
        "9,999,999",
        "12.35 M",
        "1.041 T",
    ]
    assert [number(x) for x in (0.0123, 5.678, 1234.5)] == ["0.0123", "5.68", "1,234"]
    assert [size(x) for x in (12, 2048, 3.5 * 2**20, 2**41)] == ["12 B", "2.0 KiB", "3.5 MiB", "2.0 TiB"]


# What a row holds


def test_contents_of_rows_by_hand(small_corpus):
    assert assumed_contents(100, {"cds": 0.75, "dna": 0.25}) == RowContents(100, 1, 10_000, 73.5)
    assert assumed_contents(100, {}).num_nucleotides == 294
    stream = TrainingStream(
        small_corpus, shape=BatchShape(max_codons=200, rows=1), masking=Masking(), seed=0, mixture=Mixture()
    )
    rows = [next(iter(stream)).micro_batches[0]]
    rows = [step.micro_batches[0] for step, _ in zip(iter(stream), stream.first_group().rows, strict=False)]
    means = np.mean([batch_contents(row) for row in rows], axis=0)
    np.testing.assert_allclose(measured_contents(stream.first_group()), means)
    nucleotides = np.mean([row.num_nucleotides for row in rows])
    # A window of DNA may end inside a codon, which the batch fills up.
    assert measured_contents(stream.first_group()).num_nucleotides == pytest.approx(nucleotides)


def test_the_size_of_an_input_is_near_that_of_its_corpus(small_genome, small_corpus):
    split = BlockSplit(block_nucleotides=6000, validation=0.1, test=0.2)
    exact = size_of_corpus(small_corpus, Mixture())
    estimate = size_of_inputs(str(small_genome), ReadingSettings(), split)
    assert estimate.estimated
    assert not exact.estimated
    assert estimate.codons["dna"] == pytest.approx(60_000 * 0.7 / 3)
    # Genes on the borders of blocks are lost, of which this genome has many.
    assert 1 < estimate.codons["cds"] / exact.codons["cds"] < 1.6
    assert estimate.codons["rna"] == exact.codons["rna"] == 0
    train = small_corpus.segments("cds", "train")
    assert exact.train_residues == sum(len(train.protein(i)) for i in range(len(train)))


def test_large_inputs_are_not_read(small_genome, monkeypatch):
    monkeypatch.setattr("lifecode.data.statistics.training_size.MOST_BYTES_READ", 1000)
    assert size_of_inputs(str(small_genome), ReadingSettings(), BlockSplit()) is None
    assert "too large" in plan_run(compose("train", f"input={small_genome}")).missing_input


def test_passes_over_a_corpus_by_hand(small_corpus, tmp_path):
    (tmp_path / "corpus").symlink_to(small_corpus.folder)
    config = compose(
        "train", f"run_dir={tmp_path}", "model=tiny", "data.batch.max_codons=200", "teacher=near"
    )
    run = plan_run(config)
    train = small_corpus.report["splits"]["train"]
    plan = run.stages[1]
    used = plan.phases[0].contents.num_codons
    assert 0.5 < used / 200 <= 1
    read = 520 * 2 * used
    assert run.passes["encoder"] == pytest.approx(
        {"cds": 0.75 * read / train["cds_codons"], "dna": 0.25 * read / (train["dna_nucleotides"] / 3)}
    )
    residues = sum(small_corpus.report["splits"][s]["cds_codons"] for s in ("train", "test"))
    residues -= sum(small_corpus.report["splits"][s]["cds"] for s in ("train", "test"))
    assert (run.teacher.width, run.teacher.num_residues) == (256, residues)


# Operations


@pytest.mark.parametrize(
    ("make", "mixture"),
    [
        (tiny_tokenizer, {"cds": 1, "dna": 0}),
        (tiny_encoder, {"cds": 0, "dna": 1}),
        *(
            (make, {"cds": 0.6, "dna": 0.4})
            for make in (
                partial(tiny_tokenizer, stride=3, direction="forward", codon_head="none"),
                partial(tiny_tokenizer, tokenizer="linear"),
                tiny_encoder,
                partial(tiny_encoder, strands="rc"),
                partial(tiny_encoder, strands="forward", hybrid_ratio="0:2", depth=2),
                partial(tiny_encoder, codec={"codon_head": "none", "stride": 3}),
                partial(tiny_encoder, codec={"codon_head": "factorised"}),
            )
        ),
    ],
)
def test_operations_agree_with_those_of_a_real_forward_pass(small_corpus, make, mixture):
    stage, batch = make(), one_batch(small_corpus, 200, **mixture)
    planned = sum(part.forward_flops for part in stage.parts(batch_contents(batch), Masking()))
    counted = counted_flops(stage, lambda: stage.losses(batch))
    print(f"\noperations of a forward pass: planned / counted = {planned / counted:.4f}")
    # How many codons masking selects is chance, and a row without DNA reads one codon as if it were.
    assert planned == pytest.approx(counted, rel=2e-3)


def test_passes_and_frozen_parts_by_hand():
    contents = assumed_contents(100, {"cds": 1.0})

    def parts_of(stage):
        return stage.parts(contents, Masking())

    def passes(stage, name):
        return {part.backward_passes for part in parts_of(stage) if part.name == name and part.forward_flops}

    def forward(*names):
        return sum(part.forward_flops for part in parts_of(stage) if not names or part.name in names)

    stage = tiny_encoder()
    assert passes(stage, "translator") == passes(stage, "codon head") == {1}
    assert passes(stage, LAYERS) == passes(stage, "tokenizer") == {2}
    needed = 3 * forward() - forward("translator", "codon head")
    assert step_flops(parts_of(stage), one_pass(1)) == pytest.approx(needed)
    assert model_flops(stage, contents, Masking()) == pytest.approx(needed)
    measured_first = StepCost(4, 4, 4, 1)
    assert step_flops(parts_of(stage), measured_first) == pytest.approx(4 * (forward() + needed))
    again = tiny_encoder(activation_checkpointing=True)
    assert step_flops(parts_of(again), one_pass(1)) == pytest.approx(needed + forward(LAYERS))
    assert model_flops(again, contents, Masking()) == pytest.approx(needed)  # nothing twice
    stage.model.codec.tokenizer.requires_grad_(False)
    assert (passes(stage, "tokenizer"), passes(stage, LAYERS)) == ({0}, {2})
    assert passes(stage, "encoder projections and norm") == {1, 2}
    stage.distillation = None  # a protein decoder that nothing trains
    assert forward("protein decoder") == 0


def test_looks_at_task_gradients_are_operations_too():
    stage = tiny_tokenizer()
    settings = TrainerSettings()
    shape = BatchShape(max_codons=64, rows=4, rows_at_once=2)
    never = plan_stage(stage, shape, Masking(), settings, OF_CDS).flops
    stage.task_gradients_every_steps = 5
    # A look: 2 tasks x 2 micro-batches, each 1 + 2 passes; a step: 2 + 2 forward, 2 backward worth 2 each.
    assert plan_stage(stage, shape, Masking(), settings, OF_CDS).flops == pytest.approx(
        never * (1 + 12 / 8 / 5)
    )


# Memory


def saved_for_backward(stage, batch, precision: str) -> int:
    """Bytes of all tensors that autograd keeps of the losses, weights apart."""
    storages = {}

    def pack(tensor):
        base = tensor._base if tensor._is_view() else tensor
        if not isinstance(base, torch.nn.Parameter):
            storage = tensor.untyped_storage()
            storages[storage.data_ptr()] = storage
        return tensor

    with (
        torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16-mixed"),
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
    ):
        losses = stage.losses(batch)
    assert losses.tasks
    return sum(storage.nbytes() for storage in storages.values())


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize(
    "make",
    [
        tiny_tokenizer,
        tiny_encoder,
        partial(tiny_encoder, strands="rc"),
        partial(tiny_encoder, strands="forward", hybrid_ratio="0:2", depth=2),
    ],
)
def test_activations_agree_with_what_autograd_keeps(small_corpus, make, precision):
    # So long that the bf16 copies of the weights, which autograd keeps too, weigh little.
    stage, batch = make(), one_batch(small_corpus, 1200, cds=0.8, dna=0.2)
    low = 2 if precision == "bf16-mixed" else 4
    planned = sum(part.kept_bytes(low) for part in stage.parts(batch_contents(batch), Masking()))
    assert planned / saved_for_backward(stage, batch, precision) == pytest.approx(1, abs=0.1)


def test_memory_by_hand():
    stage = tiny_encoder()
    parts = stage.parts(assumed_contents(100, {"cds": 1.0}), Masking())
    every = sum(p.numel() for p in stage.parameters())
    trained = sum(p.numel() for p in stage.parameters() if p.requires_grad)
    assert trained < every
    settings = {"precision": "32-true", "strategy": "auto", "num_processes": 1}
    one = step_memory(stage, parts, one_pass(1), **settings)
    assert one[:3] == (4 * every, 4 * trained, 8 * trained)
    bf16 = step_memory(stage, parts, one_pass(1), **{**settings, "precision": "bf16-mixed"})
    assert bf16.weights == 6 * every
    assert bf16.activations < one.activations
    ddp = step_memory(stage, parts, one_pass(1), **{**settings, "num_processes": 4})
    assert ddp[:3] == (4 * every, 8 * trained, 8 * trained)
    sharded = step_memory(stage, parts, one_pass(1), **{**settings, "strategy": "fsdp", "num_processes": 4})
    assert sharded[:3] == (every, trained, 2 * trained)
    buffers = step_memory(stage, parts, StepCost(0, 3, 3, gradient_buffers=3), **settings)
    assert buffers.gradients == 12 * trained
    assert one.total == sum(one)


@pytest.mark.parametrize(
    ("name", "precision"), [("tokenizer", "32-true"), ("encoder", "32-true"), ("encoder", "bf16-mixed")]
)
def test_the_peak_of_a_real_step_is_near_the_plan(small_corpus, name, precision):
    """A step of `tiny`, within a factor of 1.5 either way; docs/recipe.md has the ratios that -s prints."""
    batch = one_batch(small_corpus, 1000, cds=0.8, dna=0.2)
    make = tiny_encoder if name == "encoder" else tiny_tokenizer

    def step(stage, optimizer):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16-mixed"):
            losses = stage.losses(batch).tasks
        sum(loss.mean for loss in losses.values()).backward()
        optimizer.step()
        optimizer.zero_grad()

    warm = make()
    step(warm, RECIPE.build(warm)[0])
    del warm
    peak = PeakMemory()
    before = peak.reset()
    stage = make()
    optimizer = RECIPE.build(stage)[0]
    for _ in range(2):
        step(stage, optimizer)
    measured = peak.peak() - before
    settings = {"precision": precision, "strategy": "auto", "num_processes": 1}
    parts = stage.parts(batch_contents(batch), Masking())
    plan = step_memory(stage, parts, one_pass(1), **settings)
    print(f"\nmemory of a step, {name}, {precision}: planned / measured = {plan.total / measured:.2f}")
    assert 1 / 1.5 < plan.total / measured < 1.5


def test_checkpointing_saves_most_of_the_activations():
    plans = [
        plan_stage(stage, BatchShape(max_codons=64, rows=1), Masking(), TrainerSettings(), OF_CDS)
        for stage in (tiny_encoder(), tiny_encoder(activation_checkpointing=True))
    ]
    kept, recomputed = (plan.memory.activations for plan in plans)
    for plan in plans:
        either = [activation_bytes(plan.parts, 4, checkpointing=on) for on in (False, True)]
        assert either == [kept, recomputed]
    blocks = [layer.kept_bytes(4) * 2 * 64 for layer in plans[0].stage.model.encoder.layers]
    assert kept - recomputed == pytest.approx(sum(blocks) - max(blocks) - 6 * 2 * 64 * 128 * 4)


# A real run


@pytest.mark.slow
def test_a_real_run_does_what_its_plan_says(small_genome, tmp_path, monkeypatch):
    """Parameters, effective batch, tokens of a step, learning rates and sizes on disk, of both stages."""
    from safetensors import safe_open

    monkeypatch.chdir(tmp_path)
    overrides = [
        f"input={small_genome}",
        "name=small",
        *SMALL,
        "data.batch.rows=4",
        "data.batch.rows_at_once=2",
        "data.tokenizer_batch.rows=3",
        "data.tokenizer_batch.rows_at_once=1",
        "data.batch.warmup_steps=3",
        "data.batch.warmup_codons=128",
        *PROCESSES,
    ]
    seen: dict[str, list[list]] = {"tokenizer": [], "encoder": []}
    from lifecode.training.stages.stage import PretrainingStage

    original = PretrainingStage.training_step

    def spy(stage, micro_batches, batch_idx):
        seen[stage.name].append([(len(b.ids) // 3, b.num_nucleotides) for b in micro_batches])
        return original(stage, micro_batches, batch_idx)

    monkeypatch.setattr(PretrainingStage, "training_step", spy)
    assert main(["train", *overrides]) == 0
    run = plan_run(compose("train", *overrides))
    for plan in run.stages:
        name = plan.stage.name
        steps = seen[name]
        assert len(steps) == plan.num_steps
        assert {len(step) for step in steps} == {plan.num_micro_batches}
        codons = sum(codons for step in steps for codons, _ in step)
        nucleotides = sum(nucleotides for step in steps for _, nucleotides in step)
        # The plan takes the mean of the first group of rows, the run the first rows of it.
        assert plan.num_positions == pytest.approx(codons, rel=0.1)
        planned = plan.in_all(lambda phase: plan.shape.rows * phase.contents.length)
        assert planned == pytest.approx(nucleotides, rel=0.1)
        rows = [line.split(",") for line in Path("runs/small/metrics.csv").read_text().splitlines()]
        rates = [float(x[4]) for x in rows if x[1] == name and x[3] == "learning_rate"]
        planned = [plan.stage.optimizer_recipe.learning_rate(step) for step in range(plan.num_steps)]
        assert rates == pytest.approx(planned)
        for file in Path(f"runs/small/{name}/checkpoints").glob("*.ckpt"):
            overhead = file.stat().st_size - plan.checkpoint_bytes
            assert 0 < overhead < 120_000  # names, and how zip files are padded
        model = Path("runs/small/tokenizer/model" if name == "tokenizer" else "runs/small/model")
        with safe_open(model / "model.safetensors", "pt") as weights:
            saved = sum(math.prod(weights.get_slice(key).get_shape()) for key in weights.keys())  # noqa: SIM118
        assert saved == plan.num_parameters
        assert 0 <= (model / "model.safetensors").stat().st_size - 4 * plan.num_parameters < 30_000
    assert all(first <= second for first, second in pairwise([len(seen["tokenizer"]), len(seen["encoder"])]))
    packs = [x for x in Path("runs/small/teacher").rglob("*.safetensors") if x.parent.name != "sets"]
    assert (
        0.8
        < 2 * run.teacher.width * run.teacher.num_residues / sum(pack.stat().st_size for pack in packs)
        < 1.2
    )


def test_the_corpus_of_another_input_is_not_the_plans(small_corpus, tmp_path):
    (tmp_path / "corpus").symlink_to(small_corpus.folder)
    config = compose("train", f"run_dir={tmp_path}", "input=a.gbk")
    resolved = OmegaConf.to_container(config, resolve=True)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(resolved))
    assert plan_run(config).corpus is not None
    for other in ("input=b.gbk", "seed=1", "data.split.test=0.3"):
        assert plan_run(compose("train", f"run_dir={tmp_path}", "input=a.gbk", other)).corpus is None
