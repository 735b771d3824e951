"""Packing is invisible: a segment gives the same hidden states and gradients alone and in company."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lifecode.data.batches.packing import fill_rows, pack
from tests.support.random_sequences import sequences
from tests.support.rounding import assert_equal_but_for_rounding, sensitivity
from tests.support.small_models import small_model

lengths = st.lists(st.integers(1, 90), min_size=1, max_size=4)


MODELS = {
    "paper": small_model(),
    "rc": small_model(strands="rc"),
    "forward": small_model(strands="forward"),
    "causal tokenizer, stride 3": small_model(codec={"direction": "forward", "stride": 3}),
}


# float64 runs `chunked`, float32 `native`.
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@settings(max_examples=10)
@given(sizes=lengths, seed=st.integers(0, 1000))
def test_packing_does_not_change_hidden_states(kind, dtype, sizes, seed):
    model, chosen = MODELS[kind].double(), sequences(seed, sizes)
    exact = torch.cat([model.encode(pack([sequence])) for sequence in chosen])
    moved = sensitivity(lambda: [model.encode(pack(chosen))], model.parameters())
    together = model.to(dtype).encode(pack(chosen))
    assert together.dtype == dtype
    assert_equal_but_for_rounding([together], [exact], moved)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@settings(max_examples=5)
@given(sizes=lengths, seed=st.integers(0, 1000))
@example(sizes=[72, 13, 5], seed=202)  # large gradients of A_log that all but cancel
def test_packing_does_not_change_gradients(dtype, sizes, seed):
    model, chosen = MODELS["paper"].double(), sequences(seed, sizes)

    def gradients(rows: list[list[np.ndarray]]) -> list[torch.Tensor]:
        model.zero_grad()
        sum(model.encode(pack(row)).square().sum() for row in rows).backward()
        return [p.grad for p in model.parameters() if p.grad is not None]

    apart = gradients([[sequence] for sequence in chosen])
    moved = sensitivity(lambda: gradients([chosen]), model.parameters())
    model.to(dtype)
    together = gradients([chosen])
    assert {x.dtype for x in together} == {dtype}
    assert_equal_but_for_rounding(together, apart, moved)


@settings(max_examples=20)
@given(
    texts=st.lists(st.text("ACGTUNacgturyk", min_size=1, max_size=60), min_size=1, max_size=5),
    max_codons=st.integers(4, 50),
)
def test_an_embedding_does_not_depend_on_the_others_in_the_call(texts, max_codons):
    model = MODELS["paper"].double()
    together = model.embed(texts, max_codons=max_codons)
    alone = torch.cat([model.embed([text]) for text in texts])
    assert_equal_but_for_rounding(
        [together], [alone], sensitivity(lambda: [model.embed(texts)], model.parameters())
    )


@given(st.lists(st.integers(1, 50), max_size=60), st.integers(50, 80))
def test_every_segment_is_in_one_row_and_no_row_is_overfull(sizes, max_codons):
    rows = fill_rows(np.array(sizes, dtype=np.int64), max_codons)
    assert sorted(i for row in rows for i in row) == list(range(len(sizes)))
    assert all(sum(sizes[i] for i in row) <= max_codons for row in rows)


@given(st.lists(st.integers(3, 50), min_size=1, max_size=60))
def test_rows_are_better_than_half_full(sizes):
    rows = fill_rows(np.array(sizes, dtype=np.int64), 50)
    assert len(rows) <= 2 * sum(sizes) / 50 + 1
