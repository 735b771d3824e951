"""`strands="rc"`: the reverse complement reverses the codons, swaps the halves, and hides what is masked."""

from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from lifecode.alphabet import CLS, MASK, SEP, codon_ids, decode_nucleotides, reverse_complement
from lifecode.data.batches.packing import pack
from lifecode.models.life_code import strands
from lifecode.models.life_code.model import LifeCode
from tests.support.random_sequences import sequences
from tests.support.small_models import small_model

RATIOS = {"2:0": small_model(strands="rc", hybrid_ratio="2:0"), "1:1": small_model(strands="rc")}
whole_codons = st.lists(st.integers(1, 30).map(lambda n: 3 * n), min_size=1, max_size=4)


def test_the_minus_strand_by_hand():
    packed = pack(["ATGAAA", "CC"])
    ids, borders = strands.both_strands(packed.ids, packed.cu_seqlens)
    cls, sep = [CLS] * 3, [SEP] * 3
    minus = [*cls, 3, 3, 3, 1, 0, 3, *sep, *cls, 4, 2, 2, *sep]  # TTTCAT; CC, completed by N: NGG
    assert ids.tolist() == [*cls, 0, 3, 2, 0, 0, 0, *sep, *cls, 1, 1, 4, *sep, *minus]
    assert borders.tolist() == [0, 4, 7, 11, 14]
    assert strands.reverse_codons_index(packed.cu_seqlens, 7).tolist() == [0, 2, 1, 3, 4, 5, 6]


def test_a_masked_nucleotide_is_masked_on_both_strands():
    ids = torch.tensor([CLS] * 3 + [MASK, 0, 1] + [SEP] * 3)
    opposite = strands.reverse_complement_segments(ids, torch.tensor([0, 3]))
    assert opposite.tolist() == [CLS] * 3 + [2, 3, MASK] + [SEP] * 3


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 1e-4)])
@settings(max_examples=15)
@given(sizes=whole_codons, seed=st.integers(0, 1000))
def test_the_reverse_complement_reverses_codons_and_swaps_halves(ratio, dtype, tolerance, sizes, seed):
    model = RATIOS[ratio].to(dtype)
    given_strand = sequences(seed, sizes)
    packed = pack(given_strand)
    hidden = model.encode(packed)
    opposite = model.encode(pack([reverse_complement(s) for s in given_strand]))
    index = strands.reverse_codons_index(packed.cu_seqlens, len(hidden))
    plus, minus = opposite[index].chunk(2, dim=-1)
    assert opposite.dtype == dtype
    torch.testing.assert_close(torch.cat([minus, plus], -1), hidden, atol=tolerance, rtol=tolerance)
    model.float()


@pytest.mark.parametrize("pool", ["mean", "max", "cls"])
@settings(max_examples=10)
@given(sizes=whole_codons, seed=st.integers(0, 1000))
def test_a_pooled_embedding_is_the_same_on_both_strands(pool, sizes, seed):
    model = RATIOS["1:1"]
    given_strand = sequences(seed, sizes)
    text = [decode_nucleotides(s) for s in given_strand]
    opposite = [decode_nucleotides(reverse_complement(s)) for s in given_strand]
    torch.testing.assert_close(
        model.embed(opposite, pool=pool), model.embed(text, pool=pool), atol=1e-4, rtol=1e-4
    )


@settings(max_examples=10)
@given(sizes=st.lists(st.integers(1, 50), min_size=1, max_size=3), seed=st.integers(0, 1000))
def test_averaged_over_frames_it_is_so_for_any_length(sizes, seed):
    model = RATIOS["1:1"]
    given_strand = sequences(seed, sizes)
    text = [decode_nucleotides(s) for s in given_strand]
    opposite = [decode_nucleotides(reverse_complement(s)) for s in given_strand]
    embed = {"frames": "average"}
    torch.testing.assert_close(
        model.embed(opposite, **embed), model.embed(text, **embed), atol=1e-4, rtol=1e-4
    )
    for on_minus, on_plus in zip(
        model.embed(opposite, pool=None, **embed), model.embed(text, pool=None, **embed), strict=True
    ):
        plus, minus = on_minus.flip(0).chunk(2, dim=-1)
        torch.testing.assert_close(torch.cat([minus, plus], -1), on_plus, atol=1e-4, rtol=1e-4)


def _learnt_at_masked_codons(model: LifeCode, steps: int = 60) -> float:
    """Cross-entropy (nats) of masked codons, drawn uniformly and anew each step, after some training."""
    rng, optimizer = np.random.default_rng(0), torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(steps):
        true = rng.integers(0, 4, 3 * 200).astype(np.uint8)
        masked = rng.random(200) < 0.3
        packed = pack([np.where(np.repeat(masked, 3), MASK, true).astype(np.uint8)])
        with patch.object(strands, "uncorrupted", pack([true]).ids, create=True):
            hidden = model.encode(packed)[1:-1][torch.from_numpy(masked)]
        logits = model.codec.codon_head(model.codon_projection(hidden))
        loss = functional.cross_entropy(logits, torch.from_numpy(codon_ids(true).astype(np.int64)[masked]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return float(np.mean(losses[-10:]))


@pytest.mark.slow
def test_a_masked_codon_does_not_leak_through_the_other_strand(monkeypatch):
    chance = np.log(64)
    assert _learnt_at_masked_codons(small_model(strands="rc")) > chance - 0.02

    # The control: a minus strand made before masking gives the answer away, and training finds it.
    corrupted = strands.reverse_complement_segments
    monkeypatch.setattr(
        strands, "reverse_complement_segments", lambda ids, borders: corrupted(strands.uncorrupted, borders)
    )
    assert _learnt_at_masked_codons(small_model(strands="rc")) < chance - 1
