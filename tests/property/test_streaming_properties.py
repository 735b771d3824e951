"""A streamed sequence gives the hidden states of the one-shot pass, whatever the chunks."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecode.data.batches.packing import pack
from lifecode.errors import UserError
from lifecode.models.life_code.streaming import stream_hidden_states
from tests.support.random_sequences import sequences
from tests.support.rounding import assert_equal_but_for_rounding, sensitivity
from tests.support.small_models import small_model

MODELS = {
    "paper": small_model(hybrid_ratio="2:0"),
    "rc": small_model(hybrid_ratio="2:0", strands="rc"),
    "forward": small_model(hybrid_ratio="2:0", strands="forward"),
    "causal tokenizer, stride 3": small_model(
        hybrid_ratio="2:0", codec={"direction": "forward", "stride": 3}
    ),
}


# float64 runs `chunked`, float32 `native`.
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@settings(max_examples=8)
@given(size=st.integers(1, 200), chunk_codons=st.integers(1, 80), seed=st.integers(0, 1000))
@torch.no_grad()
def test_streamed_equals_one_shot(kind, dtype, size, chunk_codons, seed):
    model = MODELS[kind].double().eval()
    (sequence,) = sequences(seed, [size])
    exact = model.encode(pack([sequence]))
    moved = sensitivity(lambda: [model.encode(pack([sequence]))], model.parameters())
    hidden = torch.full(exact.shape, torch.nan, dtype=dtype)
    calls = []
    stream_hidden_states(
        model.to(dtype),
        sequence,
        hidden.numpy(),
        chunk_codons=chunk_codons,
        on_chunk=lambda *done: calls.append(done),
    )
    assert_equal_but_for_rounding([hidden], [exact], moved)
    assert [done for done, _ in calls] == list(range(1, calls[0][1] + 1))


def test_what_cannot_be_streamed_is_refused():
    sequence = np.zeros(9, np.uint8)
    with pytest.raises(UserError, match="attention layers"):
        stream_hidden_states(small_model(), sequence, np.empty((5, 32), np.float32))
    linear = small_model(hybrid_ratio="2:0", codec={"tokenizer": "linear"})
    with pytest.raises(UserError, match="linear tokenizer"):
        stream_hidden_states(linear, sequence, np.empty((5, 32), np.float32))
    with pytest.raises(UserError, match=r"\(5, 32\)"):
        stream_hidden_states(MODELS["paper"], sequence, np.empty((3, 32), np.float32))


@pytest.mark.parametrize("reverse", [False, True])
def test_what_a_layer_remembers_does_not_hold_on_to_what_it_read(reverse):
    mixer = small_model(hybrid_ratio="2:0").encoder.layers[0].mixer
    with torch.no_grad():
        _, memory = mixer.read_on(torch.randn(500, 32), mixer.blank_memory(), reverse=reverse)
    for kept in memory:
        assert kept.untyped_storage().nbytes() == kept.numel() * kept.element_size()
