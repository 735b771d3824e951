"""Muon for the matrices of the layers beside AdamW: what each moves, one state, going on, plans."""

import copy

import pytest
import torch
from torch.optim import AdamW

from lifecode.errors import UserError
from lifecode.models import CodonCodec
from lifecode.objectives import LogSum
from lifecode.training.run.checkpoint_file import latest_checkpoint
from lifecode.training.stages.optimizer import OptimizerRecipe
from lifecode.training.stages.tokenizer_stage import TokenizerStage
from lifecode.training.trainer import TrainerSettings, train_stage
from tests.support.corpus_batches import data_module
from tests.support.small_models import small_codec
from tests.support.stages import encoder_stage

RECIPE = OptimizerRecipe(lr=1e-2, total_steps=8, warmup_steps=2, weight_decay=0.1, matrices="muon")
ATTENTION = {"q_proj", "k_proj", "v_proj", "o_proj"}
FEED_FORWARD = {"gate_proj", "up_proj", "down_proj"}


def with_gradients(stage, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for parameter in stage.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    return stage


def test_muon_moves_the_matrices_of_the_layers_and_adamw_the_rest():
    stage = encoder_stage(freeze_readout=False)
    optimizer, _ = RECIPE.build(stage)
    name_of = {id(p): name for name, p in stage.named_parameters()}
    groups = [{name_of[id(p)] for p in group["params"]} for group in optimizer.param_groups]
    muon, matrices, vectors = groups
    in_layer = {name.split("layers.")[1] for name in muon if "layers." in name}
    mixers = {f"0.mixer.{name}.weight" for name in (*ATTENTION, "g_proj")}
    mixers |= {f"1.mixer.{name}.weight" for name in ATTENTION}
    assert in_layer == mixers | {f"{i}.feed_forward.{name}.weight" for i in (0, 1) for name in FEED_FORWARD}
    others = {name for name in muon if "layers." not in name}
    assert {name.split(".block.")[0] for name in others} == {"model.codec.tokenizer"}
    assert len(others) == len(ATTENTION) + 1 + len(FEED_FORWARD)
    for word in ("a_proj", "b_proj", "conv1d", "embedding", "codon_head", "in_proj", "protein_decoder"):
        assert any(word in name for name in matrices), word
    assert any("A_log" in name for name in vectors)
    assert sum(map(len, groups)) == len(name_of)
    decays = [group["weight_decay"] for group in optimizer.param_groups]
    assert decays == [0.1, 0.1, 0.0]
    frozen, _ = RECIPE.build(encoder_stage(freeze_tokenizer=True))
    assert len(frozen.param_groups[0]["params"]) == len(in_layer)


def test_its_steps_are_those_of_the_two_optimizers():
    stage = encoder_stage(freeze_readout=False)
    apart = copy.deepcopy(stage)
    optimizer, schedule = RECIPE.build(stage)
    matrices = RECIPE.moved_by_muon(apart)
    chosen = set(map(id, matrices))
    rest = [p for p in apart.parameters() if id(p) not in chosen]
    muon = torch.optim.Muon(matrices, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    adamw = AdamW(
        [
            {"params": [p for p in rest if p.ndim > 1], "weight_decay": 0.1},
            {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0},
        ],
        betas=(0.9, 0.98),
    )
    for step in range(3):
        rate = RECIPE.learning_rate(step)
        assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([rate] * 3)
        for group in (*muon.param_groups, *adamw.param_groups):
            group["lr"] = rate
        for one in (with_gradients(stage, step), with_gradients(apart, step)):
            one.model.encoder.out_proj.weight.grad = None  # passed by, as in a step that is not finite
            one.model.encoder.layers[0].mixer.q_proj.weight.grad = None
        for one in (optimizer, muon, adamw):
            one.step()
        schedule.step()
    for ours, theirs in zip(stage.parameters(), apart.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    untouched = encoder_stage(freeze_readout=False).model.encoder.layers[0].mixer.q_proj.weight
    assert torch.equal(stage.model.encoder.layers[0].mixer.q_proj.weight, untouched)


def test_an_update_is_orthogonal_and_of_the_size_of_adamws():
    """0.2 sqrt(longer side) times an orthogonal matrix: a root mean square of 0.2 lr."""
    stage = encoder_stage()
    matrix = stage.model.encoder.layers[1].mixer.q_proj.weight
    before = matrix.detach().clone()
    recipe = OptimizerRecipe(lr=1.0, total_steps=1, weight_decay=0.0, matrices="muon")
    optimizer, _ = recipe.build(with_gradients(stage))
    optimizer.step()
    update = before - matrix.detach()
    assert float(update.square().mean().sqrt()) == pytest.approx(0.2, rel=0.2)
    values = torch.linalg.svdvals(update) / (0.2 * 32**0.5)
    assert 0.5 < float(values.min()) < float(values.max()) < 1.3


def test_without_muon_nothing_is_new():
    optimizer, _ = OptimizerRecipe(lr=1e-2, total_steps=8).build(encoder_stage())
    assert type(optimizer) is AdamW
    assert len(optimizer.param_groups) == 2
    linear = CodonCodec(**{**small_codec(1).config, "tokenizer": "linear"})
    assert type(RECIPE.build(linear)[0]) is AdamW  # no layer, no matrix of one


def test_the_state_is_what_a_plan_says():
    for recipe in (RECIPE, OptimizerRecipe(lr=1e-2, total_steps=8)):
        stage = encoder_stage()
        stage.optimizer_recipe = recipe
        optimizer, _ = recipe.build(with_gradients(stage))
        optimizer.step()
        state = optimizer.state_dict()["state"]
        kept = sum(x.numel() for own in state.values() for name, x in own.items() if name != "step")
        assert recipe.num_state_values(stage) == kept
    matrix = stage.model.encoder.layers[1].feed_forward.gate_proj.weight
    short, long = sorted(matrix.shape)
    of_one = 5 * (2 * short * short * long + 2 * short**3 + 2 * short * short * long)
    only = copy.deepcopy(stage.model.encoder.layers[1].feed_forward)
    assert RECIPE.flops(only) == 0  # no block
    assert RECIPE.flops(stage) > 2 * 3 * of_one
    assert OptimizerRecipe(lr=1e-2, total_steps=8).flops(stage) == 0


def test_a_stage_goes_on_exactly_where_it_stopped(small_corpus, tmp_path):
    def weights(folder, *max_steps):
        for steps in max_steps:
            stage = TokenizerStage(small_codec(1), objective=LogSum(), optimizer=RECIPE)
            settings = TrainerSettings(max_steps=steps, accelerator="cpu", validate_every_steps=100)
            assert train_stage(stage, data_module(small_corpus), settings, tmp_path / folder, []) == steps
        return stage.state_dict()

    once, twice = weights("once", 4), weights("twice", 2, 4)
    assert all(torch.equal(twice[name], value) for name, value in once.items())
    saved = torch.load(latest_checkpoint(tmp_path / "twice/tokenizer/checkpoints"), weights_only=True)
    (state,) = saved["optimizer_states"]
    assert saved["global_step"] == 4
    assert {frozenset(own) for own in state["state"].values()} == {
        frozenset({"momentum_buffer"}),
        frozenset({"step", "exp_avg", "exp_avg_sq"}),
    }


def test_a_torch_without_muon_is_one_line(monkeypatch):
    monkeypatch.delattr(torch.optim, "Muon")
    OptimizerRecipe(lr=1e-2, total_steps=8)
    with pytest.raises(UserError, match="has no Muon") as error:
        OptimizerRecipe(lr=1e-2, total_steps=8, matrices="muon")
    assert "matrices=adamw" in error.value.remedy
