"""One optimizer step: the same gradient however the batch is cut, frozen parts, schedule."""

import copy
import signal
from contextlib import nullcontext
from dataclasses import fields, replace
from itertools import islice

import pytest
import torch
from lightning import Trainer

from lifecode.data.batches.batch import Batch
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.mixture import Mixture
from lifecode.data.batches.stream import TrainingStream
from lifecode.errors import UserError
from lifecode.models import CodonCodec, LifeCode
from lifecode.objectives import LogSum, MaxNorm
from lifecode.training.stages.encoder_stage import EncoderStage
from lifecode.training.stages.joint_gradient import accumulate_joint_gradient, task_gradient_norms
from lifecode.training.stages.optimizer import OptimizerRecipe
from lifecode.training.stages.tokenizer_stage import TokenizerStage
from lifecode.training.trainer import TrainerSettings, train_stage
from tests.support.corpus_batches import data_module, step_of
from tests.support.small_models import small_codec
from tests.support.stages import OBJECTIVES, RECIPE, encoder_stage, seen, tokenizer_stage


def attach(stage):
    stage.trainer = Trainer(logger=False, accelerator="cpu", enable_checkpointing=False)
    stage.manual_backward = lambda loss: loss.backward()


def gradients(stage, micro_batches):
    stage = copy.deepcopy(stage)
    attach(stage)
    stage.before_step(micro_batches)
    found = accumulate_joint_gradient(stage, micro_batches)
    return found, [p.grad for p in stage.parameters() if p.grad is not None]


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("make", [encoder_stage, tokenizer_stage])
def test_the_gradient_does_not_depend_on_how_the_batch_is_cut(small_corpus, make, objective):
    stage = make(objective).double()
    whole, expected = gradients(stage, step_of(small_corpus, 8, 1))
    assert len(expected) > 10
    for rows, micro_batches in [(4, 2), (2, 4), (1, 8)]:
        found, got = gradients(stage, step_of(small_corpus, rows, micro_batches))
        assert_close_in_float64(got, expected)
        for name, loss in whole.losses.tasks.items():
            assert float(found.losses.tasks[name].mean) == pytest.approx(float(loss.mean), rel=1e-10)
            assert float(found.weights[name]) == pytest.approx(float(whole.weights[name]), rel=1e-10)


def assert_close_in_float64(got, expected, relative=1e-10):
    """Relative to the largest gradient of all: sums may cancel."""
    largest = max(float(g.abs().max()) for g in expected)
    for one, other in zip(got, expected, strict=True):
        assert one.dtype == torch.float64
        torch.testing.assert_close(one, other, atol=relative * largest, rtol=0)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_nor_with_tasks_absent_from_a_part(small_corpus, objective):
    """DNA in one micro-batch, CDS in the other: each lacks tasks of the other."""
    apart = [*step_of(small_corpus, 4, 1, cds=0, dna=1), *step_of(small_corpus, 4, 1, cds=1, dna=0)]
    together = [joined(*apart)]
    stage = encoder_stage(objective).double()
    _, expected = gradients(stage, together)
    _, got = gradients(stage, apart)
    assert_close_in_float64(got, expected)


def joined(first: Batch, second: Batch) -> Batch:
    """Two batches as one row."""
    both = {f.name: [getattr(first, f.name), getattr(second, f.name)] for f in fields(Batch)}
    num_codons = len(first.codon_labels)
    offsets = {"cu_seqlens": num_codons, "teacher_positions": num_codons}
    values = {}
    for name, (one, other) in both.items():
        if name == "num_nucleotides":
            values[name] = one + other
        elif name == "teacher_features":
            values[name] = torch.cat([x for x in (one, other) if len(x)])
        elif name == "cu_seqlens":
            values[name] = torch.cat([one, other[1:] + num_codons])
        else:
            values[name] = torch.cat([one, other + offsets.get(name, 0) if name in offsets else other])
    return Batch(**values)


@pytest.mark.parametrize("kinds", [{"cds": 0, "dna": 1}, {"cds": 1, "dna": 0}, {"cds": 1, "dna": 1}])
@pytest.mark.parametrize("make", [encoder_stage, tokenizer_stage])
def test_every_parameter_has_a_gradient_whatever_the_row_holds(small_corpus, make, kinds):
    """Otherwise processes with other rows would wait for it."""
    stage = make()
    found, _ = gradients(stage, step_of(small_corpus, 1, 1, **kinds))
    absent = {name for name, loss in found.losses.tasks.items() if loss.count == 0}
    assert "translation" in absent or kinds["cds"]
    assert all(float(found.weights[name]) == 0.0 for name in absent)
    attach(stage)
    accumulate_joint_gradient(stage, step_of(small_corpus, 1, 1, **kinds))
    without = [name for name, p in stage.named_parameters() if p.requires_grad and p.grad is None]
    assert without == []
    assert all(torch.isfinite(p.grad).all() for p in stage.parameters() if p.grad is not None)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_step_that_no_task_has_a_position_in_moves_nothing(small_corpus, objective):
    (dna,) = step_of(small_corpus, 1, 1, cds=0, dna=1)
    nothing = replace(dna, nucleotide_selected=torch.zeros_like(dna.nucleotide_selected))
    found, got = gradients(encoder_stage(objective), [nothing])
    assert set(found.losses.tasks) == {"mlm", "translation", "distillation"}
    assert all(float(weight) == 0.0 for weight in found.weights.values())
    assert len(got) > 10
    assert all((gradient == 0).all() for gradient in got)


@pytest.mark.parametrize("make", [encoder_stage, tokenizer_stage])
def test_counts_are_those_of_the_losses(small_corpus, make):
    stage = make()
    for kinds in ({"cds": 0, "dna": 1}, {"cds": 1, "dna": 1}):
        (batch,) = step_of(small_corpus, 4, 1, **kinds)
        losses = stage.losses(batch).tasks
        counts = stage.counts(batch)
        assert {n: int(c) for n, c in counts.items()} == {n: int(x.count) for n, x in losses.items()}


def test_task_gradients_add_up_to_the_joint_one(small_corpus):
    """Each task alone through autograd: weighted, and for max-norm stretched, they sum to the step's."""
    batches = step_of(small_corpus, 4, 2)
    for objective in (LogSum(eps=0.01), MaxNorm(eps=0.01)):
        stage = encoder_stage(objective).double()
        attach(stage)
        shared = [
            name for name, p in stage.named_parameters() if any(p is q for q in stage.shared_parameters())
        ]
        losses = [stage.losses(batch).tasks for batch in batches]
        means = {n: sum(x[n].total for x in losses) / sum(x[n].count for x in losses) for n in losses[0]}
        named = {n: p for n, p in stage.named_parameters() if p.requires_grad}
        by_task = {}
        for name, mean in means.items():
            found = torch.autograd.grad(mean, list(named.values()), retain_graph=True, materialize_grads=True)
            by_task[name] = dict(zip(named, found, strict=True))
        norms = {n: torch.cat([g[p].flatten() for p in shared]).norm() for n, g in by_task.items()}
        weights = {n: 1 / (float(mean) + 0.01) for n, mean in means.items()}
        largest = max(weights[n] * float(norms[n]) for n in norms)
        stretch = {n: largest / (weights[n] * float(norms[n])) for n in norms}
        result = accumulate_joint_gradient(stage, batches)
        found, expected = [], []
        for name, parameter in named.items():
            factor = (
                stretch if name in shared and isinstance(objective, MaxNorm) else dict.fromkeys(norms, 1.0)
            )
            found.append(parameter.grad)
            expected.append(sum(factor[n] * weights[n] * by_task[n][name] for n in norms))
        # Norms are float32, and max-norm stretches by them.
        assert_close_in_float64(found, expected, relative=1e-6)
        stage.zero_grad()
        measured = result.norms or task_gradient_norms(stage, batches)
        assert {n: float(x) for n, x in measured.items()} == pytest.approx(
            {n: float(x) for n, x in norms.items()}, rel=1e-6
        )
    assert all(p.grad is None for p in gradients_left_by_measuring(small_corpus))


def gradients_left_by_measuring(corpus):
    stage = encoder_stage()
    attach(stage)
    task_gradient_norms(stage, step_of(corpus, 2, 1))
    return list(stage.parameters())


def test_stage_2_freezes_what_reads_the_codon_embedding():
    stage = encoder_stage()
    frozen = {name for name, p in stage.model.named_parameters() if not p.requires_grad}
    assert {name.split(".")[1] for name in frozen} == {"detokenizer", "codon_head", "translator"}
    assert all(p.requires_grad for p in stage.model.codec.tokenizer.parameters())
    everything = encoder_stage(freeze_tokenizer=True, freeze_readout=False)
    assert not any(p.requires_grad for p in everything.model.codec.tokenizer.parameters())
    assert everything.model.codec.codon_head.weight.requires_grad


def test_schedule_by_hand():
    recipe = OptimizerRecipe(lr=1.0, min_lr=0.2, warmup_steps=4, total_steps=12)
    rates = [recipe.learning_rate(step) for step in (0, 3, 4, 8, 12, 50)]
    assert rates == pytest.approx([0.25, 1.0, 1.0, 0.6, 0.2, 0.2])


def test_schedule_that_stays_and_then_falls_by_hand():
    recipe = OptimizerRecipe(lr=1.0, min_lr=0.2, warmup_steps=4, total_steps=12, decay_steps=4)
    rates = [recipe.learning_rate(step) for step in (0, 3, 4, 8, 10, 12, 50)]
    assert rates == pytest.approx([0.25, 1.0, 1.0, 1.0, 0.6, 0.2, 0.2])
    for wrong in (0, 9):
        with pytest.raises(UserError, match=f"decay_steps {wrong} do not fit into total_steps 12"):
            OptimizerRecipe(lr=1.0, warmup_steps=4, total_steps=12, decay_steps=wrong)


def test_only_matrices_decay():
    optimizer, _ = RECIPE.build(encoder_stage())
    decayed, spared = optimizer.param_groups
    assert decayed["weight_decay"] == 0.01
    assert spared["weight_decay"] == 0.0
    assert {p.ndim for p in spared["params"]} <= {0, 1}
    assert min(p.ndim for p in decayed["params"]) == 2


def test_a_tokenizer_learns_to_translate_in_seconds(small_corpus):
    """A sanity run that has to converge: the genetic code is a table of 64 entries."""
    torch.manual_seed(0)
    stage = tokenizer_stage()
    optimizer, _ = OptimizerRecipe(lr=1e-2, total_steps=120).build(stage)
    shape = BatchShape(max_codons=400, rows=2)
    only = Mixture(cds=1, dna=0)
    stream = TrainingStream(small_corpus, shape=shape, masking=Masking(), seed=0, mixture=only)
    curve = []
    for (batch,), _ in islice(stream, 120):
        optimizer.zero_grad()
        losses = stage.losses(batch).tasks
        sum(loss.mean for loss in losses.values()).backward()
        optimizer.step()
        curve.append(float(losses["translation"].mean.detach()))
    # 13.5 % of the codons are corrupted and can only be guessed, at about 2.9 nats
    assert sum(curve[-10:]) / 10 < 0.55


def test_what_the_objective_remembers_stands_in_the_checkpoint():
    stage = tokenizer_stage(seen(LogSum(weights="lagged")))
    checkpoint = {}
    stage.on_save_checkpoint(checkpoint)
    resumed = tokenizer_stage(LogSum(weights="lagged"))
    resumed.on_load_checkpoint(checkpoint)
    assert resumed.objective.state_dict() == stage.objective.state_dict() != {}
    exact = {}
    tokenizer_stage().on_save_checkpoint(exact)
    assert exact == {}


def test_stages_do_not_share_what_an_objective_remembers():
    objective = LogSum(weights="lagged")
    first, second = tokenizer_stage(objective), tokenizer_stage(objective)
    seen(first.objective)
    assert second.objective.state_dict() == objective.state_dict() == {}


def test_without_distillation_the_protein_decoder_is_not_trained():
    """A model with a decoder, evaluated beside others: no loss reaches it, so neither may weight decay."""
    distilled = encoder_stage()
    without = EncoderStage(encoder_stage().model, objective=LogSum(), optimizer=RECIPE)
    trained, left = (
        {name for name, p in stage.model.named_parameters() if p.requires_grad}
        for stage in (distilled, without)
    )
    assert {name.partition(".")[0] for name in trained - left} == {"protein_decoder"}


def test_without_a_translator_there_is_no_translation_task(small_corpus):
    bare = CodonCodec(**{**small_codec(1).config, "tokenizer": "linear", "translator_hidden": None})
    shape = {"width": 32, "depth": 0, "num_heads": 2, "attention_head_dim": 16}
    stages = [
        TokenizerStage(bare, objective=LogSum(), optimizer=RECIPE),
        EncoderStage(LifeCode(codec=bare, **shape), objective=LogSum(), optimizer=RECIPE),
    ]
    for stage in stages:
        found, grads = gradients(stage, step_of(small_corpus, 2, 1))
        assert set(found.losses.tasks) == {"mlm"}
        assert all(torch.isfinite(g).all() for g in grads)


@pytest.mark.parametrize("fails", [False, True])
def test_signals_are_given_back_however_training_ends(small_corpus, tmp_path, monkeypatch, fails):
    """So that SIGTERM ends the process again, after a stage as before it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    stage, settings = tokenizer_stage(), TrainerSettings(max_steps=1, accelerator="cpu")
    if fails:
        monkeypatch.setattr(stage, "losses", None)
    with pytest.raises(TypeError) if fails else nullcontext():
        train_stage(stage, data_module(small_corpus), settings, tmp_path, [])
    assert {number: signal.getsignal(number) for number in before} == before
