"""LucaOne: packing is invisible, and neither batch-mates nor budgets of rows change a result."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.small_models import small_luca_one

MODEL = small_luca_one(max_tokens=20)
SEQUENCE = st.one_of(
    st.tuples(st.text("ACGTN", min_size=1, max_size=30), st.just("dna")),
    st.tuples(st.text("MKLAGVX*", min_size=1, max_size=30), st.just("protein")),
)


@pytest.mark.filterwarnings("ignore:a sequence longer")
@settings(max_examples=20)
@given(sequences=st.lists(SEQUENCE, min_size=1, max_size=5), max_tokens=st.integers(1, 90))
def test_a_sequence_is_read_as_if_it_were_alone(sequences, max_tokens):
    texts, molecules = zip(*sequences, strict=True)
    together = MODEL.embed(list(texts), None, max_tokens, molecule=list(molecules))
    for text, molecule, states in zip(texts, molecules, together, strict=True):
        assert len(states) == len(text)
        (alone,) = MODEL.embed(text, None, molecule=molecule)
        torch.testing.assert_close(states, alone, atol=1e-5, rtol=0)
