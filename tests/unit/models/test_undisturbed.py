"""What a model says of sequences does not depend on what the calling program is doing, nor change it."""

import random
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from lifecode.alphabet import encode_nucleotides
from lifecode.errors import UserError
from lifecode.models.life_code.streaming import stream_hidden_states
from tests.support.small_models import small_luca_one, small_model

GENE = "ATGAAACGCTAA"
MODEL, STREAMED, LUCA = small_model().eval(), small_model(hybrid_ratio="2:0").eval(), small_luca_one()


@contextmanager
def default_dtype():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


AROUND = {
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "default dtype": default_dtype,
    "default device": lambda: torch.device("meta"),
    "inference mode": torch.inference_mode,
    "gradients": torch.enable_grad,
}


def streamed(gene):
    hidden = np.empty((len(gene) // 3 + 2, STREAMED.width), np.float32)
    stream_hidden_states(STREAMED, encode_nucleotides(gene), hidden)
    return hidden


def read(model, reading):
    reader = model.masked_reader(reading)
    return lambda gene: reader.log_probabilities([encode_nucleotides(gene)], [[1]], [[0, 1]])[0]


READINGS = {
    "embed": lambda gene: MODEL.embed([gene, gene[:7]]),
    "layers": lambda gene: MODEL.embed(gene, pool=None, frames="average", layer=[0, 1])[0],
    "masked_logits": lambda gene: MODEL.masked_logits(gene)[0],
    "pseudo_log_likelihood": lambda gene: MODEL.pseudo_log_likelihood(gene).total,
    "codons": read(MODEL, "codon"),
    "translation": read(MODEL, "translation"),
    "nucleotides": read(MODEL, "nucleotide"),
    "streamed": streamed,
    "LucaOne, embed": lambda gene: LUCA.embed(gene, molecule="dna"),
    "LucaOne, masked_logits": lambda gene: LUCA.masked_logits(gene, molecule="dna")[0],
    "LucaOne, nucleotides": read(LUCA, "nucleotide"),
}


def global_state():
    return {
        "random": random.getstate(),
        "NumPy": np.random.get_state()[1].tobytes(),  # noqa: NPY002
        "torch": torch.get_rng_state().numpy().tobytes(),
        "threads": torch.get_num_threads(),
        "default": (torch.get_default_dtype(), torch.get_default_device()),
        "modes": (
            torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(),
            torch.is_autocast_enabled("cpu"),
        ),
    }


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("reading", READINGS)
def test_what_surrounds_a_reading_stays_and_does_not_matter(reading, around):
    expected = READINGS[reading](GENE)
    with AROUND[around]():
        before = global_state()
        found = READINGS[reading](GENE)
        assert global_state() == before
    expected, found = torch.as_tensor(expected), torch.as_tensor(found)
    assert found.dtype == expected.dtype == torch.float32
    assert not found.is_inference()
    assert not found.requires_grad
    assert torch.equal(found, expected)


@pytest.mark.parametrize("budget", [0, -5, 1.5, "many", None, True])
@pytest.mark.parametrize("method", ["embed", "masked_logits", "pseudo_log_likelihood"])
def test_a_budget_that_is_none(method, budget):
    for model, name, also in ((MODEL, "max_codons", {}), (LUCA, "max_tokens", {"molecule": "dna"})):
        with pytest.raises(UserError, match=f"{name}: .* is no positive number"):
            getattr(model, method)(GENE, **{name: budget}, **also)


def test_half_precision_is_a_model_in_half_precision():
    half = small_model().eval().to(torch.bfloat16)
    expected, found = MODEL.embed(GENE), half.embed(GENE)
    assert found.dtype == torch.float32
    assert not torch.equal(found, expected)
    torch.testing.assert_close(found, expected, atol=0.1, rtol=0.1)


def test_a_model_without_weights_says_so(tmp_path):
    asked = {"embed": [GENE], "masked_logits": [GENE], "pseudo_log_likelihood": [GENE]}
    for model, also in ((small_model(), {}), (small_luca_one(), {"molecule": "dna"})):
        model.eval().to("meta")
        for method, arguments in asked.items():
            with pytest.raises(UserError, match="on the meta device"):
                getattr(model, method)(*arguments, **also)
        with pytest.raises(UserError, match="on the meta device"):
            model.save_pretrained(tmp_path / "model")
    assert not any(tmp_path.iterdir())
