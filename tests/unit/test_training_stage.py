"""One optimizer step: the same gradient however the batch is cut, frozen parts, schedule."""

import copy
from itertools import islice

import numpy as np
import pytest
import torch
from lightning import Trainer

from lifecode.data.batch_shape import BatchShape
from lifecode.data.masking import Masking
from lifecode.data.mixture import Mixture
from lifecode.data.stream import TrainingStream
from lifecode.model import CodonCodec, LifeCode
from lifecode.objectives import DistillationLoss, LogSum
from lifecode.training.encoder_stage import EncoderStage
from lifecode.training.joint_gradient import accumulate_joint_gradient
from lifecode.training.optimizer import AdamWCosine
from lifecode.training.tokenizer_stage import TokenizerStage

RECIPE = AdamWCosine(lr=1e-3, total_steps=100, warmup_steps=10)


class RandomFeatures:
    """Two features a residue for every second protein."""

    def get(self, protein):
        if len(protein) % 2:
            return None
        return np.random.default_rng(len(protein)).normal(size=(len(protein), 2)).astype(np.float16)


def codec() -> CodonCodec:
    torch.manual_seed(1)
    return CodonCodec(nucleotide_dim=16, conv_channels=8, num_heads=2, translator_hidden=16)


def encoder_stage(**flags) -> EncoderStage:
    shape = {"width": 32, "depth": 2, "hybrid_ratio": "1:1", "num_heads": 2, "attention_head_dim": 16}
    model = LifeCode(codec=codec(), teacher_width=2, **shape)
    kd = DistillationLoss(width=2)
    return EncoderStage(model, objective=LogSum(), optimizer=RECIPE, distillation=kd, **flags)


def step_of(corpus, rows: int, micro_batches: int):
    shape = BatchShape(max_codons=120, rows=rows * micro_batches, rows_at_once=rows)
    settings = {"masking": Masking(), "mixture": Mixture(), "seed": 0, "features": RandomFeatures()}
    return next(iter(TrainingStream(corpus, shape=shape, **settings))).micro_batches


def gradients(stage, micro_batches):
    stage = copy.deepcopy(stage)
    stage._trainer = Trainer(logger=False, accelerator="cpu", enable_checkpointing=False)
    stage.manual_backward = lambda loss: loss.backward()
    stage.before_step(micro_batches)
    losses = accumulate_joint_gradient(stage, micro_batches).losses
    return losses, [p.grad for p in stage.parameters() if p.grad is not None]


@pytest.mark.parametrize(
    "make", [encoder_stage, lambda: TokenizerStage(codec(), objective=LogSum(), optimizer=RECIPE)]
)
@pytest.mark.parametrize(("rows", "micro_batches"), [(4, 2), (2, 4), (1, 8)])
def test_the_gradient_does_not_depend_on_how_the_batch_is_cut(small_corpus, make, rows, micro_batches):
    stage = make()
    whole, expected = gradients(stage, step_of(small_corpus, 8, 1))
    losses, got = gradients(stage, step_of(small_corpus, rows, micro_batches))
    assert len(got) == len(expected) > 10
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)
    for name, loss in whole.tasks.items():
        assert float(losses.tasks[name].mean) == pytest.approx(float(loss.mean), rel=1e-4)


def test_a_task_that_is_absent_from_the_step_has_no_weight(small_corpus):
    shape = BatchShape(max_codons=120, rows=1)
    only = Mixture(cds=0, dna=1)
    stream = TrainingStream(small_corpus, shape=shape, masking=Masking(), seed=0, mixture=only)
    losses, grads = gradients(encoder_stage(), next(iter(stream)).micro_batches)
    assert float(losses.tasks["translation"].count) == float(losses.tasks["distillation"].count) == 0
    assert all(torch.isfinite(g).all() for g in grads)


def test_stage_2_freezes_what_reads_the_codon_embedding():
    stage = encoder_stage()
    frozen = {name for name, p in stage.model.named_parameters() if not p.requires_grad}
    assert {name.split(".")[1] for name in frozen} == {"detokenizer", "codon_head", "translator"}
    assert all(p.requires_grad for p in stage.model.codec.tokenizer.parameters())
    everything = encoder_stage(freeze_tokenizer=True, freeze_readout=False)
    assert not any(p.requires_grad for p in everything.model.codec.tokenizer.parameters())
    assert everything.model.codec.codon_head.weight.requires_grad


def test_schedule_by_hand():
    recipe = AdamWCosine(lr=1.0, min_lr=0.2, warmup_steps=4, total_steps=12)
    rates = [recipe.learning_rate(step) for step in (0, 3, 4, 8, 12, 50)]
    assert rates == pytest.approx([0.25, 1.0, 1.0, 0.6, 0.2, 0.2])


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
    stage = TokenizerStage(codec(), objective=LogSum(), optimizer=AdamWCosine(lr=1e-2, total_steps=120))
    optimizer, _ = stage.optimizer_recipe.build(stage)
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
