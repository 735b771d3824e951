"""A tuned network as a folder: what comes back is what was saved, or one line."""

import json

import numpy as np
import peft
import pytest
from safetensors.numpy import load_file, save_file

import lifecode
from lifecode.errors import UserError
from lifecode.host.checksum import sha256
from lifecode.tasks import Fit, Lora, SequenceTask, TrainedHead
from lifecode.tasks.tuned_model import load_tuned
from tests.support.labelled_genes import examples_of_genes, write_genes
from tests.support.small_models import small_model

SEQUENCES = examples_of_genes(9, seed=5).sequences


@pytest.fixture(scope="module", params=["head", "lora", pytest.param("full", marks=pytest.mark.slow)])
def run(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    task = SequenceTask(
        train=str(write_genes(folder / "train.csv", 24)), test=str(write_genes(folder / "test.csv", 10, 1))
    )
    result = lifecode.finetune(
        task,
        checkpoint=small_model(),
        tuning=request.param,
        head=TrainedHead(layer="mix", pools=["mean", "value_attention"], hidden=5),
        fit=Fit(epochs=1, batch=8, lr=1e-2),
        lora=Lora(rank=2, targets=["q_proj", "down_proj"]),
        baselines=["constant"],
        run_dir=folder / "run",
    )
    return request.param, folder / "run", result


def test_what_comes_back_says_the_same_and_what_it_was_tuned_on(run):
    tuning, folder, result = run
    expected = result.model.predict(SEQUENCES)
    assert expected.shape == (9, 2)
    merged, unmerged = load_tuned(folder), load_tuned(folder, merge=False)
    np.testing.assert_allclose(unmerged.predict(SEQUENCES), expected, atol=1e-6)
    np.testing.assert_allclose(merged.predict(SEQUENCES), expected, atol=1e-5)
    assert merged.told["task"]["train"].endswith("train.csv")
    assert merged.told["examples"] == 24
    assert result.metrics["tuning"] == merged.tuning == tuning
    assert not folder.with_name("run.unfinished").exists()
    assert (folder / "adapter").exists() == (tuning == "lora")


def test_peft_reads_the_adapters_as_they_are(run):
    tuning, folder, _ = run
    if tuning == "lora":
        base = lifecode.load(folder / "encoder")
        adapted = peft.PeftModel.from_pretrained(base, folder / "adapter").merge_and_unload()
        theirs = adapted.embed("ATGAAACGCATTAGC")
        ours = load_tuned(folder).network.model.embed("ATGAAACGCATTAGC")
        np.testing.assert_allclose(theirs, ours, atol=1e-6)
        assert (ours - small_model().embed("ATGAAACGCATTAGC")).abs().max() > 1e-4


@pytest.mark.parametrize("name", ["head.safetensors", "adapter/adapter_model.safetensors"])
@pytest.mark.parametrize("change", ["missing", "more"])
def test_names_are_compared_both_ways(run, name, change, tmp_path):
    folder = run[1]
    if not (folder / name).exists():
        return
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.rglob("*"):
        if path.is_file():
            (copy / path.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
            (copy / path.relative_to(folder)).write_bytes(path.read_bytes())
    state = load_file(copy / name)
    first = sorted(state)[0]
    state = (
        {**state, "other": state[first]}
        if change == "more"
        else {k: v for k, v in state.items() if k != first}
    )
    save_file(state, copy / name)
    with pytest.raises(UserError, match="does not match its SHA-256"):
        load_tuned(copy)
    described = json.loads((copy / "head.json").read_text())
    described["sha256"][name] = sha256(copy / name)
    (copy / "head.json").write_text(json.dumps(described))
    with pytest.raises(UserError, match="does not fit the"):
        load_tuned(copy)
