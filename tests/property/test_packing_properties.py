"""Packing is invisible: a segment gives the same hidden states and gradients alone and in company."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lifecode.data.batches.packing import fill_rows, pack
from tests.support.random_sequences import sequences
from tests.support.small_models import small_model

lengths = st.lists(st.integers(1, 90), min_size=1, max_size=4)


MODELS = {
    "paper": small_model(),
    "rc": small_model(strands="rc"),
    "forward": small_model(strands="forward"),
    "causal tokenizer, stride 3": small_model(codec={"direction": "forward", "stride": 3}),
}


# float64 runs `chunked`, float32 `native`; untrained weights of this size magnify rounding in float32.
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-4)])
@settings(max_examples=10)
@given(sizes=lengths, seed=st.integers(0, 1000))
def test_packing_does_not_change_hidden_states(kind, dtype, tolerance, sizes, seed):
    model = MODELS[kind].to(dtype)
    alone = [model.encode(pack([sequence])) for sequence in sequences(seed, sizes)]
    together = model.encode(pack(sequences(seed, sizes)))
    torch.testing.assert_close(together, torch.cat(alone), atol=tolerance, rtol=tolerance)
    model.float()


@settings(max_examples=5)
@given(sizes=lengths, seed=st.integers(0, 1000))
@example(sizes=[72, 13, 5], seed=202)  # large gradients that all but cancel
def test_packing_does_not_change_gradients(sizes, seed):
    """In float64, where the rounding of a sum in another order is far below any mistake.

    The native kernels, which are float32, are held to the sum of the segments' own gradients as it would be
    rounded: to the magnitudes that are added up, not to what is left of them.
    """
    model = MODELS["paper"]

    def gradients(rows: list[list[np.ndarray]]) -> list[torch.Tensor]:
        model.zero_grad()
        sum(model.encode(pack(row)).square().sum() for row in rows).backward()
        return [p.grad.clone() for p in model.parameters() if p.grad is not None]

    chosen = sequences(seed, sizes)
    model.double()
    try:
        exact = [gradients([[s]]) for s in chosen]
        for together, *apart in zip(gradients([chosen]), *exact, strict=True):
            scale = float(sum(x.abs().max() for x in apart))
            torch.testing.assert_close(together, sum(apart), rtol=0, atol=1e-12 * scale)
    finally:
        model.float()
    # Rounding in float32, through 2 layers of sums over at most 360 positions: 2^-24 times a few hundred.
    for together, *apart in zip(gradients([chosen]), *exact, strict=True):
        scale = float(sum(x.abs().max() for x in apart))
        torch.testing.assert_close(together.double(), sum(apart), rtol=0, atol=1e-4 * max(scale, 1))


@settings(max_examples=20)
@given(
    texts=st.lists(st.text("ACGTUNacgturyk", min_size=1, max_size=60), min_size=1, max_size=5),
    max_codons=st.integers(4, 50),
)
def test_an_embedding_does_not_depend_on_the_others_in_the_call(texts, max_codons):
    model = MODELS["paper"]
    together = model.embed(texts, max_codons=max_codons)
    alone = torch.cat([model.embed([text]) for text in texts])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


@given(st.lists(st.integers(1, 50), max_size=60), st.integers(50, 80))
def test_every_segment_is_in_one_row_and_no_row_is_overfull(sizes, max_codons):
    rows = fill_rows(np.array(sizes, dtype=np.int64), max_codons)
    assert sorted(i for row in rows for i in row) == list(range(len(sizes)))
    assert all(sum(sizes[i] for i in row) <= max_codons for row in rows)


@given(st.lists(st.integers(3, 50), min_size=1, max_size=60))
def test_rows_are_better_than_half_full(sizes):
    rows = fill_rows(np.array(sizes, dtype=np.int64), 50)
    assert len(rows) <= 2 * sum(sizes) / 50 + 1
