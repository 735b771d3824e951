"""What a step is said to make of its machine."""

from types import SimpleNamespace

import pytest
import torch

from benchmarks.training.training_flops import forward_flops as counted_flops
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.masking import Masking
from lifecode.ops.cpu.matmul_rate import matmul_flops
from lifecode.training.callbacks import efficiency
from tests.support.corpus_batches import step_of
from tests.support.stages import encoder_stage

SHAPE = BatchShape(max_codons=200, rows=2, rows_at_once=1, warmup_codons=100, warmup_steps=5)


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(efficiency.time, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(efficiency, "matmul_flops", lambda *arguments: 1e9)
    return clock


def step(callback, batch, *, global_step, world_size=1):
    """A stage, its trainer, the figures of its last step, and what ends a step of two micro-batches."""
    figures = {}
    stage = encoder_stage(freeze_readout=False)
    stage.record = figures.update
    stage.over_processes = lambda x: x * world_size
    trainer = SimpleNamespace(world_size=world_size, global_step=global_step, precision="32-true")
    if callback._rate == 0:
        callback.on_train_start(trainer, stage)
    return stage, trainer, figures, lambda: callback.on_train_batch_end(trainer, stage, None, [batch] * 2, 0)


@pytest.fixture
def logged(monkeypatch):
    """Lets a test say of the class whether its steps are logged, and forgets it."""
    monkeypatch.setattr(type(encoder_stage()), "is_logged", True, raising=False)


def test_figures_of_a_step_by_hand(small_corpus, clock, logged):
    (batch,) = step_of(small_corpus, max_codons=200, cds=1, dna=0)
    callback = efficiency.Efficiency(SHAPE, Masking())
    stage, _, figures, end = step(callback, batch, global_step=6)
    clock.now = 0.5
    end()
    codons = len(batch.ids) // 3
    assert figures["nucleotides_per_second"] == 4 * batch.num_nucleotides
    assert figures["packing_fill"] == codons / 200
    # Nothing is frozen, so the backward pass has twice the products of the forward pass.
    flops = 2 * 3 * counted_flops(stage, lambda: stage.losses(batch))
    assert figures["mfu"] == pytest.approx(flops / 0.5 / 1e9, rel=1e-2)
    assert figures["peak_memory_gib"] > 0.1
    clock.now = 0.75
    end()
    assert figures["nucleotides_per_second"] == 8 * batch.num_nucleotides
    assert figures["mfu"] == pytest.approx(flops / 0.25 / 1e9, rel=1e-2)


def test_a_validation_is_not_training_time(small_corpus, clock, logged):
    (batch,) = step_of(small_corpus, max_codons=200, cds=1, dna=0)
    callback = efficiency.Efficiency(SHAPE, Masking())
    stage, trainer, figures, end = step(callback, batch, global_step=6)
    clock.now = 100.0
    callback.on_validation_end(trainer, stage)
    clock.now = 101.0
    end()
    assert figures["nucleotides_per_second"] == 2 * batch.num_nucleotides


@pytest.mark.parametrize(("global_step", "budget"), [(5, 100), (6, 200)])
def test_the_budget_is_that_of_the_step(small_corpus, clock, logged, global_step, budget):
    (batch,) = step_of(small_corpus, max_codons=100, cds=1, dna=0)
    callback = efficiency.Efficiency(SHAPE, Masking())
    *_, figures, end = step(callback, batch, global_step=global_step)
    clock.now = 1.0
    end()
    assert figures["packing_fill"] == len(batch.ids) // 3 / budget


def test_speed_is_that_of_all_processes_and_the_rest_of_this_one(small_corpus, clock, logged):
    (batch,) = step_of(small_corpus, max_codons=200, cds=1, dna=0)
    shape = BatchShape(max_codons=200, rows=4, rows_at_once=1)
    callback = efficiency.Efficiency(shape, Masking())
    stage, _, figures, end = step(callback, batch, global_step=1, world_size=2)
    clock.now = 1.0
    end()
    assert figures["nucleotides_per_second"] == 4 * batch.num_nucleotides
    assert figures["packing_fill"] == len(batch.ids) // 3 / 200
    assert figures["mfu"] == pytest.approx(
        2 * 3 * counted_flops(stage, lambda: stage.losses(batch)) / 1e9, rel=1e-2
    )


def test_between_logged_steps_only_the_speed_is_known(small_corpus, clock, monkeypatch):
    monkeypatch.setattr(type(encoder_stage()), "is_logged", False, raising=False)
    (batch,) = step_of(small_corpus, max_codons=200, cds=1, dna=0)
    *_, figures, end = step(efficiency.Efficiency(SHAPE, Masking()), batch, global_step=6)
    clock.now = 1.0
    end()
    assert list(figures) == ["nucleotides_per_second"]


def test_the_rate_of_products_leaves_the_random_numbers_alone():
    before = torch.random.get_rng_state()
    assert 1e8 < matmul_flops("cpu", torch.float32, 256) < 1e14
    assert torch.equal(torch.random.get_rng_state(), before)
