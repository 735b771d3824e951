"""Recomputing each layer in the backward pass changes memory, not gradients."""

from unittest.mock import patch

import pytest
import torch

from lifecode.data.batches.packing import pack
from lifecode.models.layers import block
from tests.support.small_models import small_model


@pytest.mark.parametrize("strands", ["paper", "rc"])
def test_gradients_are_the_same_and_every_layer_is_recomputed(strands):
    packed = pack(["ACGTTGCAA" * 4, "TTG"])
    gradients, calls = [], []
    for checkpointed in (False, True):
        model = small_model(strands=strands, activation_checkpointing=checkpointed).train()
        with patch.object(block, "checkpoint", wraps=block.checkpoint) as recomputed:
            model.encode(packed).square().sum().backward()
        gradients.append({name: p.grad for name, p in model.named_parameters() if p.grad is not None})
        calls.append(recomputed.call_count)
    assert calls == [0, 2]
    assert gradients[0].keys() == gradients[1].keys()
    for name, expected in gradients[0].items():
        assert torch.equal(gradients[1][name], expected), name
