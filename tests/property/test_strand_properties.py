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
from tests.support.rounding import assert_equal_but_for_rounding, sensitivity
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


# float64 runs `chunked`, float32 `native`.
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@settings(max_examples=15)
@given(sizes=whole_codons, seed=st.integers(0, 1000))
def test_the_reverse_complement_reverses_codons_and_swaps_halves(ratio, dtype, sizes, seed):
    model, packed = RATIOS[ratio].double(), pack(sequences(seed, sizes))
    exact = model.encode(packed)
    moved = sensitivity(lambda: [model.encode(packed)], model.parameters())
    opposite = model.to(dtype).encode(pack([reverse_complement(s) for s in sequences(seed, sizes)]))
    assert opposite.dtype == dtype
    index = strands.reverse_codons_index(packed.cu_seqlens, len(opposite))
    plus, minus = opposite[index].chunk(2, dim=-1)
    assert_equal_but_for_rounding([torch.cat([minus, plus], -1)], [exact], moved)


def texts_of_both_strands(sizes: list[int], seed: int) -> tuple[list[str], list[str]]:
    given_strand = sequences(seed, sizes)
    return [decode_nucleotides(s) for s in given_strand], [
        decode_nucleotides(reverse_complement(s)) for s in given_strand
    ]


@pytest.mark.parametrize("pool", ["mean", "max", "cls"])
@settings(max_examples=10)
@given(sizes=whole_codons, seed=st.integers(0, 1000))
def test_a_pooled_embedding_is_the_same_on_both_strands(pool, sizes, seed):
    model = RATIOS["1:1"].double()
    text, opposite = texts_of_both_strands(sizes, seed)
    moved = sensitivity(lambda: [model.embed(text, pool=pool)], model.parameters())
    assert_equal_but_for_rounding([model.embed(opposite, pool=pool)], [model.embed(text, pool=pool)], moved)


@settings(max_examples=10)
@given(sizes=st.lists(st.integers(1, 50), min_size=1, max_size=3), seed=st.integers(0, 1000))
def test_averaged_over_frames_it_is_so_for_any_length(sizes, seed):
    model = RATIOS["1:1"].double()
    text, opposite = texts_of_both_strands(sizes, seed)

    def embedded(strand: list[str]) -> list[torch.Tensor]:
        pooled = model.embed(strand, frames="average")
        return [pooled, *model.embed(strand, pool=None, frames="average")]

    pooled, *states = embedded(opposite)
    turned = [torch.cat(x.flip(0).chunk(2, dim=-1)[::-1], -1) for x in states]
    moved = sensitivity(lambda: embedded(text), model.parameters())
    assert_equal_but_for_rounding([pooled, *turned], embedded(text), moved)


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
