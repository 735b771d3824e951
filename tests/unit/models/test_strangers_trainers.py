"""Weights that go through transformers' Trainer, accelerate and peft come back whole, or not at all."""

import os
from pathlib import Path

import accelerate
import numpy as np
import peft
import pytest
import torch
from transformers import AutoModel, Trainer, TrainingArguments

import lifecode
from lifecode.errors import UserError
from lifecode.models.auto_model import LifeCodeModel, padded_batch, register_auto_model
from lifecode.models.pretrained import FILES, GENES
from tests.support.adapters import adapted, move_adapters
from tests.support.small_models import small_model

SEQUENCES = ["ATGAAACGCATTAGC", "AUGGCU", "ACGTTGA"]

State = dict[str, torch.Tensor]


class Regression(LifeCodeModel):
    """The wrapper with a loss, as a user of `Trainer` writes it."""

    def forward(self, input_ids, attention_mask=None, labels=None, **options):
        states = super().forward(input_ids, attention_mask).last_hidden_state
        return {"loss": (states.mean((1, 2)) - labels).square().mean(), "logits": states.mean(1)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    register_auto_model()
    model = small_model().eval()
    model.training_genes = np.arange(48, dtype=np.uint32).reshape(3, 16)
    folder = tmp_path_factory.mktemp("model") / "model"
    model.save_pretrained(folder)
    return folder


def trainer(model: torch.nn.Module, folder: Path, steps: int, **options) -> Trainer:
    batch = padded_batch(SEQUENCES)
    rows = [
        {"input_ids": ids, "attention_mask": mask, "labels": torch.tensor(float(i))}
        for i, (ids, mask) in enumerate(zip(batch["input_ids"], batch["attention_mask"], strict=True))
    ]
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        save_steps=2,
        eval_strategy="steps",
        eval_steps=2,
        report_to=[],
        use_cpu=True,
        learning_rate=1e-2,
        per_device_train_batch_size=3,
        disable_tqdm=True,
        **options,
    )
    return Trainer(model, arguments, train_dataset=rows, eval_dataset=rows)


def state_of(model: torch.nn.Module) -> State:
    return {name: x.clone() for name, x in model.state_dict().items()}


def assert_equal(found: State, expected: State, atol: float = 0.0) -> None:
    assert found.keys() == expected.keys()
    for name, x in expected.items():
        torch.testing.assert_close(found[name], x, atol=atol, rtol=0, msg=name)


def test_trainer_goes_on_from_a_checkpoint(folder, tmp_path):
    whole = Regression.from_pretrained(folder)
    before = state_of(whole)
    trainer(whole, tmp_path, 4).train()
    name = "life_code.encoder.in_proj.weight"
    assert not torch.equal(state_of(whole)[name], before[name])
    resumed = Regression.from_pretrained(folder)
    trainer(resumed, tmp_path, 4).train(resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
    assert_equal(state_of(resumed), state_of(whole), atol=1e-6)
    # What Trainer has saved is a model folder: all of it, with what the model knows of its genes.
    checkpoint = tmp_path / "checkpoint-4"
    assert {*FILES, GENES} <= set(os.listdir(checkpoint))
    loaded = lifecode.load(checkpoint)
    assert_equal(state_of(loaded), state_of(whole.life_code))
    np.testing.assert_array_equal(loaded.training_genes, np.arange(48).reshape(3, 16))


def test_trainer_ends_with_its_best_model(folder, tmp_path):
    model = Regression.from_pretrained(folder)
    # The "best" is the worst, so that it is not the last.
    best = {"load_best_model_at_end": True, "metric_for_best_model": "loss", "greater_is_better": True}
    run = trainer(model, tmp_path, 4, **best)
    run.train()
    assert run.state.best_model_checkpoint == str(tmp_path / "checkpoint-2")
    assert_equal(state_of(model.life_code), state_of(lifecode.load(tmp_path / "checkpoint-2")))


def test_trainer_and_adapters(folder, tmp_path):
    lora = adapted(Regression.from_pretrained(folder), ["q_proj"])
    trainer(lora, tmp_path, 4).train()
    again = peft.PeftModel.from_pretrained(
        Regression.from_pretrained(folder), tmp_path / "checkpoint-2", is_trainable=True
    )
    trainer(again, tmp_path, 4).train(resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
    found, expected = (peft.get_peft_model_state_dict(x) for x in (again, lora))
    assert_equal(found, expected, atol=1e-6)
    assert sum(float(x.abs().sum()) for name, x in expected.items() if "lora_B" in name) > 0


@pytest.mark.parametrize("wrapped", [True, False], ids=["AutoModel", "LifeCode"])
def test_adapters_on_either_class(folder, tmp_path, wrapped):
    def base() -> torch.nn.Module:
        return AutoModel.from_pretrained(folder) if wrapped else lifecode.load(folder)

    lora = adapted(base(), ["q_proj", "o_proj"])
    move_adapters(lora)
    lora.save_pretrained(tmp_path / "adapter")
    again = peft.PeftModel.from_pretrained(base(), tmp_path / "adapter")
    assert_equal(peft.get_peft_model_state_dict(again), peft.get_peft_model_state_dict(lora))
    merged = lora.merge_and_unload()
    merged.save_pretrained(tmp_path / "merged")
    assert_equal(state_of(base().from_pretrained(tmp_path / "merged")), state_of(merged))


def test_adapters_injected_into_a_life_code(folder):
    def injected() -> torch.nn.Module:
        return peft.inject_adapter_in_model(
            peft.LoraConfig(r=2, target_modules=["q_proj"]), lifecode.load(folder)
        )

    model, other = injected(), injected()
    move_adapters(model)
    alone = peft.get_peft_model_state_dict(model)
    result = peft.set_peft_model_state_dict(other, alone)
    assert not result.unexpected_keys
    assert_equal(peft.get_peft_model_state_dict(other), alone)
    with pytest.raises(UserError, match="other is unexpected"):
        other.load_state_dict({"other": torch.zeros(1)}, strict=False)
    lora = adapted(lifecode.load(folder), ["q_proj"])
    lora.load_state_dict(state_of(lora))
    with pytest.raises(UserError, match="there are none"):
        lora.base_model.model.load_state_dict({}, strict=False)


def test_transformers_own_adapters(folder, tmp_path):
    model = AutoModel.from_pretrained(folder)
    model.add_adapter(peft.LoraConfig(r=2, target_modules=["q_proj"]))
    with pytest.raises(UserError, match=r"q_proj\.weight is missing .*merge_and_unload"):
        model.save_pretrained(tmp_path / "with_adapters")
    assert not (tmp_path / "with_adapters").exists()
    lora = adapted(AutoModel.from_pretrained(folder), ["q_proj"])
    move_adapters(lora)
    lora.save_pretrained(tmp_path / "adapter")
    loaded = AutoModel.from_pretrained(folder)
    loaded.load_adapter(str(tmp_path / "adapter"))
    sums = {p.sum().item() for name, p in loaded.named_parameters() if "lora_B" in name}
    assert sums == {p.sum().item() for name, p in lora.named_parameters() if "lora_B" in name}


def test_accelerate_saves_and_loads(folder, tmp_path):
    machine = accelerate.Accelerator(cpu=True)
    model = machine.prepare(AutoModel.from_pretrained(folder))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
    expected = state_of(model)
    machine.save_state(str(tmp_path / "state"))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    machine.load_state(str(tmp_path / "state"))
    assert_equal(state_of(model), expected)


@pytest.mark.parametrize("wrapped", [True, False], ids=["AutoModel", "LifeCode"])
@pytest.mark.parametrize("strict", [True, False])
def test_no_weight_may_be_missing_or_unexpected(folder, strict, wrapped):
    state = state_of(lifecode.load(folder))
    model = AutoModel.from_pretrained(folder) if wrapped else lifecode.load(folder)
    loaded = model.load_state_dict({name: x + 1 for name, x in state.items()}, strict=strict)
    assert not loaded.missing_keys
    own = model.life_code if wrapped else model
    assert_equal(state_of(own), {name: x + 1 for name, x in state.items()})
    first = next(iter(state))
    for wrong, said in (
        ({name: x for name, x in state.items() if name != first}, f"{first} is missing"),
        ({**state, "other": state[first]}, "other is unexpected"),
        ({**state, first: state[first][:-1]}, "size mismatch"),
        ({f"module.{name}": x for name, x in state.items()}, "is missing"),
        ({}, "is missing"),
    ):
        with pytest.raises(UserError, match=said):
            model.load_state_dict(wrong, strict=strict)


@pytest.mark.parametrize(
    "options", [{}, {"dtype": "auto"}, {"device_map": "cpu"}, {"dtype": "float32"}], ids=str
)
def test_a_folder_in_half_precision_loads_in_single(folder, tmp_path, options):
    lifecode.load(folder).save_pretrained(tmp_path / "half", dtype=torch.float16)
    auto = AutoModel.from_pretrained(tmp_path / "half", **options)
    assert {p.dtype for p in auto.parameters()} == {torch.float32}
    assert_equal(state_of(auto.life_code), state_of(lifecode.load(tmp_path / "half")))
    assert auto(**padded_batch(SEQUENCES)).last_hidden_state.dtype == torch.float32


def test_the_wrapper_in_half_precision_runs(folder):
    auto = AutoModel.from_pretrained(folder)
    exact = auto(**padded_batch(SEQUENCES)).last_hidden_state
    for dtype in (torch.bfloat16, torch.float16):
        rounded = auto.to(dtype)(**padded_batch(SEQUENCES)).last_hidden_state
        assert rounded.dtype == dtype
        error = (rounded.float() - exact).norm() / exact.norm()
        assert error < 16 * torch.finfo(dtype).eps  # a few roundings of unit size per layer
        auto.float()


def test_its_embedding_can_be_had_and_replaced(folder):
    auto = AutoModel.from_pretrained(folder)
    assert auto.get_input_embeddings() is auto.life_code.codec.tokenizer.embedding
    other = torch.nn.Embedding(9, 16)
    auto.set_input_embeddings(other)
    assert auto.life_code.codec.tokenizer.embedding is other


def test_options_that_would_have_no_effect_are_refused(folder, tmp_path):
    auto = AutoModel.from_pretrained(folder)
    with pytest.raises(UserError, match=r"option is unknown .*wings"):
        AutoModel.from_pretrained(folder, wings=2)
    with pytest.raises(UserError, match="variant has no effect"):
        auto.save_pretrained(tmp_path / "x", variant="fp16")
    auto.save_pretrained(tmp_path / "y", safe_serialization=True, max_shard_size="5GB")
    assert {*FILES, GENES} == set(os.listdir(tmp_path / "y"))
