"""What a head that is trained by gradient reads of states, beside the probe's own reading of them."""

from typing import get_args

import numpy as np
import pytest
import torch

from lifecode.errors import UserError
from lifecode.tasks.families.life_code import LifeCodeReading, read_states
from lifecode.tasks.families.place import Place
from lifecode.tasks.features.encoder import ModelEncoder
from lifecode.tasks.features.states import StateFeatures, StatePool
from lifecode.tasks.tuning.rows import Framing, rows_of
from lifecode.tasks.tuning.settings import Fit, Lora, TrainedHead
from lifecode.tasks.tuning.task_heads.pooling import Attention, Pool, Segments
from lifecode.tasks.tuning.task_heads.task_head import TaskHead, small_encoder
from tests.support.labelled_genes import examples_of_genes
from tests.support.small_models import small_model

MODEL = small_model()
FAMILY = LifeCodeReading("dna")
SEQUENCES = examples_of_genes(7).sequences


def head_of(pools, frames, window=3):
    settings = TrainedHead(pools=list(pools), dropout=0.0)
    return TaskHead(64, 2, settings, frames=frames, window=window, unit="sequence").eval()


@torch.no_grad()
def read(head, framing, sequences=SEQUENCES):
    rows = list(rows_of(sequences, np.arange(len(sequences)), framing))
    order = np.concatenate([row.examples.numpy() for row in rows])
    found = torch.cat([head.features(read_states(MODEL, row.packed, Place()), row) for row in rows])
    return found[np.argsort(order)].numpy()


@pytest.mark.parametrize("frames", [0, 1, 2, "average", "stack"])
def test_pools_and_frames_are_those_of_the_probe(frames):
    pools = get_args(StatePool)
    probe = StateFeatures(
        encoder=ModelEncoder(MODEL), label="", pools=pools, frames=frames, window=3, max_codons=9
    )
    found = read(
        head_of(pools, frames),
        Framing(family=FAMILY, frames=frames, most_codons=9, row_codons=60),
    )
    np.testing.assert_allclose(found, probe(SEQUENCES), atol=2e-5)


@pytest.mark.parametrize("row_codons", [10, 70, 130])
@pytest.mark.parametrize("pool", ["attention", "value_attention", "max", "centre"])
def test_what_is_read_does_not_depend_on_the_row(row_codons, pool):
    torch.manual_seed(1)
    head = head_of([pool], "average")
    for parameter in head.pools.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    whole = read(head, Framing(family=FAMILY, frames="average"))
    np.testing.assert_allclose(
        read(head, Framing(family=FAMILY, frames="average", row_codons=row_codons)),
        whole,
        atol=2e-5,
    )


def segments():
    """Two segments of 2 and 1 positions, of width 2, with special tokens of 9."""
    states = torch.tensor([[9, 9], [1, 2], [3, 6], [9, 9], [9, 9], [5, 5], [9, 9]], dtype=torch.float64)
    return Segments(states, torch.tensor([0, 4, 7]))


def test_attention_by_hand():
    pool = Attention(2, by_feature=False).double()
    assert pool(segments()).tolist() == [[2, 4], [5, 5]]  # as a mean at first
    with torch.no_grad():
        pool.score[-1].weight.copy_(torch.tensor([[0.5 * np.log(3), 0.0]]))
    # exp(0.5 ln 3 x 1) : exp(0.5 ln 3 x 3) is 1 : 3
    np.testing.assert_allclose(pool(segments()).detach(), [[2.5, 5], [5, 5]])


def test_attention_by_feature_by_hand():
    pool = Attention(2, by_feature=True).double()
    assert pool(segments()).tolist() == [[2, 4], [5, 5]]
    with torch.no_grad():
        pool.score[0].weight.copy_(torch.tensor([[100.0, 0], [0, 0]]))
        pool.score[0].bias.copy_(torch.tensor([-200.0, 0]))  # tanh: -1 at the first position, 1 at the second
        pool.score[-1].weight.copy_(torch.tensor([[0.5 * np.log(3), 0], [0, 0]]))
    np.testing.assert_allclose(pool(segments()).detach(), [[2.5, 4], [5, 5]])


def test_windows_by_hand():
    assert Pool("positions", 2, 2)(segments()).tolist() == [[1, 2, 3, 6], [5, 5, 0, 0]]
    assert Pool("centre", 2, 1)(segments()).tolist() == [[1, 2], [5, 5]]
    assert Pool("last", 2, 8)(segments()).tolist() == [[3, 6], [5, 5]]


def test_features_are_standardised_and_what_does_not_vary_is_left_out():
    head = head_of(["mean"], 0)
    table = torch.randn(50, 64) * 3 + 1000
    table[:, 5] = 7
    head.standardise([table[:20], table[20:]])
    found = (table - head.mean) / head.deviation
    assert found.mean(0).abs().max() < 1e-4
    assert found[:, 5].abs().max() == 0
    np.testing.assert_allclose(found.std(0, correction=0)[torch.arange(64) != 5], 1, atol=1e-4)


def test_a_mix_of_layers_can_be_any_one_of_them():
    (row,) = rows_of(SEQUENCES, np.arange(7), Framing(family=FAMILY, frames=0))
    for layer in range(3):
        weights = torch.nn.functional.one_hot(torch.tensor(layer), 3).float()
        mixed = read_states(MODEL, row.packed, Place(), weights)
        torch.testing.assert_close(mixed, read_states(MODEL, row.packed, Place(layer)))


def test_value_attention_is_the_formula_of_the_paper():
    """h = tanh(x U + x V), e = h W, a softmax over positions for each feature, the sum of weights times x."""
    torch.manual_seed(0)
    pool = Attention(6, by_feature=True)
    first, second, last = torch.randn(6, 6), torch.randn(6, 6), torch.randn(6, 6)
    with torch.no_grad():
        hidden, weights = pool.score[0], pool.score[2]
        hidden.weight.copy_((first + second).T)  # pyright: ignore
        hidden.bias.zero_()  # pyright: ignore
        weights.weight.copy_(last.T)  # pyright: ignore
    states = torch.randn(9, 6)
    segments = Segments(states, torch.tensor([0, 6, 9]))
    found = pool(segments)
    for number, (start, end) in enumerate(((1, 5), (7, 8))):
        x = states[start:end]
        alpha = (torch.tanh(x @ first + x @ second) @ last).softmax(0)
        torch.testing.assert_close(found[number], (alpha * x).sum(0))


@torch.no_grad()
def test_a_small_encoder_reads_each_segment_by_itself():
    torch.manual_seed(2)
    settings = TrainedHead(pools=["max"], encoder="2x4", projection=5, hidden=7)
    head = TaskHead(64, 2, settings, frames="stack", window=1, unit="sequence").eval()
    whole = read(head, Framing(family=FAMILY, frames="stack"))
    assert whole.shape == (7, 5)
    alone = read(head, Framing(family=FAMILY, frames="stack", row_codons=8))
    np.testing.assert_allclose(alone, whole, atol=2e-5)
    assert head.encoder is not None
    head.encoder.layers[0].mixer.v_proj.weight *= 5.0  # pyright: ignore
    assert np.abs(read(head, Framing(family=FAMILY, frames="stack")) - whole).max() > 1e-3


def test_an_encoder_that_does_not_fit_is_one_line():
    with pytest.raises(UserError, match=r"head\.encoder: is 2x3, and states of width 64 do not divide"):
        small_encoder(64, "2x3")
    with pytest.raises(UserError, match=r"head\.encoder: 'two' is no LAYERSxHEADS"):
        TrainedHead(encoder=[None, "two"])
    points = list(
        Fit(batch=[8, 16], lr=[1e-4, 2e-4]).candidates("head", Lora(), TrainedHead(encoder=[None, "2x4"]))
    )
    assert len(points) == 8
    assert {(one.batch, one.encoder) for one in points} == {(8, None), (8, "2x4"), (16, None), (16, "2x4")}
