"""torch.compile: clean breaks at the ops, the results of eager mode, checkpoints without traces of it."""

import copy
import os
import subprocess
import sys

import pytest
import torch
from lightning import Trainer
from torch import _dynamo as dynamo

from lifecode import LifeCode
from lifecode.app.configs.construct import construct
from lifecode.app.from_python import compose
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.mixture import Mixture
from lifecode.data.batches.module import CorpusDataModule
from lifecode.data.batches.packing import pack
from lifecode.errors import UserError
from lifecode.models.layers.block import Block
from lifecode.objectives import LogSum
from lifecode.training import compilation
from lifecode.training.run.checkpoint_file import latest_checkpoint
from lifecode.training.stages.encoder_stage import EncoderStage
from lifecode.training.stages.joint_gradient import accumulate_joint_gradient
from lifecode.training.stages.optimizer import AdamWCosine
from lifecode.training.trainer import TrainerSettings, train_stage
from tests.support.corpus_batches import step_of
from tests.support.stages import encoder_stage

ROW = pack(["ATGAAACGC", "ACGTTT"])
OTHER_ROW = pack(["ATGAAACGCAAATTTCCC", "ACGTTT", "ACG"])


@pytest.fixture(autouse=True)
def fresh_compiler():
    dynamo.reset()
    yield
    dynamo.reset()


def tiny(**changes) -> LifeCode:
    """`model=tiny` with fewer layers."""
    torch.manual_seed(0)
    shape = {"depth": 2, "hybrid_ratio": "'1:1'", **changes}
    overrides = [f"model.{key}={value}" for key, value in shape.items()]
    return construct(compose("info", "model=tiny", *overrides).model)


def blocks(module: torch.nn.Module) -> list[Block]:
    return [part for part in module.modules() if isinstance(part, Block)]


@pytest.mark.slow
@pytest.mark.parametrize("strands", ["paper", "forward"])
def test_the_graph_breaks_at_the_ops_and_nowhere_else(strands):
    found = dynamo.explain(tiny(strands=strands))(ROW.ids, ROW.cu_seqlens)
    assert found.graph_count == found.graph_break_count + 1 > 10
    reasons = [reason.reason for reason in found.break_reasons]
    assert reasons
    assert [reason for reason in reasons if "a kernel boundary of lifecode" not in reason] == []


@pytest.mark.slow
def test_a_compiled_model_equals_eager():
    model = tiny()
    compiled = torch.compile(
        copy.deepcopy(model), backend="aot_eager"
    )  # the training step goes through inductor
    for row in (ROW, OTHER_ROW):
        expected, got = model(row.ids, row.cu_seqlens), compiled(row.ids, row.cu_seqlens)
        torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_a_compiled_training_step_equals_eager(small_corpus, monkeypatch):
    # A frame that is compiled too often would run eagerly, with a warning nobody reads.
    monkeypatch.setattr(dynamo.config, "fail_on_recompile_limit_hit", True)
    stage, compiled = encoder_stage(), encoder_stage()
    compiled.load_state_dict(stage.state_dict())
    compilation.compile_blocks(compiled)
    for rows in (1, 2):
        step = step_of(small_corpus, rows, 1)
        losses, expected = step_gradients(stage, step)
        compiled_losses, got = step_gradients(compiled, step)
        for name, loss in losses.tasks.items():
            torch.testing.assert_close(compiled_losses.tasks[name].mean, loss.mean, atol=1e-4, rtol=1e-4)
        assert len(got) == len(expected) > 10
        for name, gradient in expected.items():
            scale = float(gradient.abs().max().clamp(min=1))
            torch.testing.assert_close(got[name] / scale, gradient / scale, atol=1e-4, rtol=1e-4)


def step_gradients(stage, step):
    """The losses of one training step and the gradient of every parameter."""
    stage._trainer = Trainer(logger=False, accelerator="cpu", enable_checkpointing=False)
    stage.manual_backward = lambda loss: loss.backward()
    stage.zero_grad()
    losses = accumulate_joint_gradient(stage, step).losses
    return losses, {name: p.grad.clone() for name, p in stage.named_parameters() if p.grad is not None}


def test_every_block_is_compiled_and_no_name_changes():
    model = tiny()
    names = list(model.state_dict())
    compilation.compile_blocks(model)
    assert len(blocks(model)) == 3
    assert all(block._compiled_call_impl is not None for block in blocks(model))
    assert list(model.state_dict()) == names


@pytest.fixture
def without_code_generation():
    """Traces and splits graphs as ever, and runs them without the minutes that inductor takes."""
    torch.compiler.set_default_backend("aot_eager")
    yield
    torch.compiler.set_default_backend(None)


@pytest.mark.slow
def test_a_checkpoint_of_a_compiled_run_goes_on_uncompiled(small_corpus, tmp_path, without_code_generation):
    recipe = AdamWCosine(lr=1e-3, total_steps=2, warmup_steps=1)
    shape = BatchShape(max_codons=120, rows=1)
    stream = {
        "mixture": Mixture(cds=1, dna=0),
        "reverse_complement": False,
        "max_unknown_fraction": 0.1,
        "validation_steps": 0,
    }
    for steps, compiled in ((1, True), (2, False)):
        stage = EncoderStage(tiny(), objective=LogSum(), optimizer=recipe)
        data = CorpusDataModule(small_corpus, shape=shape, masking=Masking(), seed=0, **stream)
        settings = TrainerSettings(max_steps=steps, accelerator="cpu", compile=compiled)
        assert train_stage(stage, data, settings, tmp_path, []) == steps
        assert (blocks(stage)[0]._compiled_call_impl is not None) == compiled
        checkpoint = latest_checkpoint(tmp_path / "encoder/checkpoints")
        state = torch.load(checkpoint, weights_only=True)["state_dict"]
        assert not [name for name in state if "_orig_mod" in name]


def test_settings_ask_for_a_compiler_only_if_they_compile(monkeypatch):
    asked = []
    monkeypatch.setattr("lifecode.training.trainer.require_compiler", asked.append)
    construct(compose("train").trainer)
    assert asked == []
    construct(compose("train", "trainer.compile=true", "trainer.accelerator=cpu").trainer)
    assert asked == ["cpu"]


def test_a_compiler_that_fails_is_one_line(monkeypatch):
    def broken(function):
        raise RuntimeError("no g++\nand a long trace")

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.raises(
        UserError, match=r"trainer\.compile: .* on cpu \(no g\+\+\).*trainer\.compile=false"
    ) as caught:
        compilation.require_compiler("cpu")
    assert "long trace" not in str(caught.value)


@pytest.mark.slow
def test_without_a_c_compiler_the_run_is_refused(tmp_path):
    environment = {**os.environ, "CXX": "/no/such/compiler", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)}
    code = "from lifecode.training.compilation import require_compiler; require_compiler('cpu')"
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith(
        "lifecode.errors.UserError: trainer.compile: torch.compile does not work here on cpu"
    )
