"""flash-linear-attention's gated delta rule behind our boundary: outputs, states and all gradients."""

import itertools

import pytest
import torch

from lifecode.ops import gated_delta_rule
from lifecode.ops.fla.segments import device_segments
from tests.interpreted.host_waits import HostWaits
from tests.support import delta_rule_contract as contract
from tests.support.delta_rule_cases import assert_all_close, case, differentiate, random_inputs

# Every two columns hold every pair of their values:
# steps, decay, segments, direction, dtype of q, k and v, initial state, K x V.
TABLE = """
    1  none    batch   forward  float32   start  40x80
    1  mild    packed  reverse  bfloat16  zero   16x32
    1  strong  batch   forward  float32   zero   16x32
    1  mixed   batch   reverse  bfloat16  start  40x80
    2  none    packed  reverse  float32   start  16x32
    2  mild    packed  forward  bfloat16  zero   40x80
    2  strong  batch   reverse  bfloat16  start  40x80
    2  mixed   packed  forward  float32   zero   16x32
    63 none    packed  reverse  bfloat16  zero   16x32
    63 mild    batch   forward  float32   start  40x80
    63 strong  packed  forward  float32   start  16x32
    63 mixed   batch   reverse  bfloat16  start  40x80
    64 none    batch   reverse  bfloat16  start  40x80
    64 mild    packed  forward  float32   zero   16x32
    64 strong  batch   forward  float32   zero   40x80
    64 mixed   batch   reverse  float32   zero   40x80
    65 none    packed  reverse  float32   start  40x80
    65 mild    batch   forward  bfloat16  zero   16x32
    65 strong  batch   forward  bfloat16  start  40x80
    65 mixed   packed  reverse  bfloat16  zero   16x32
    130 none   packed  reverse  float32   start  40x80
    130 mild   batch   forward  bfloat16  zero   16x32
    130 strong packed  forward  float32   zero   16x32
    130 mixed  packed  reverse  bfloat16  zero   16x32
"""
ROWS = [tuple(line.split()) for line in TABLE.strip().splitlines()]

# Relative to the largest number. Measured: 1.4e-6 and 6e-3. Where some steps forget everything (`mixed`), the
# running sum of g loses the digits of the others: 4e-5.
TOLERANCE = {"float32": 5e-6, "bfloat16": 2e-2}
TOLERANCE_MIXED = {"float32": 1.5e-4, "bfloat16": 2e-2}


@pytest.mark.parametrize("row", ROWS, ids="-".join)
def test_equals_recurrent(row, launched):
    length, decay, segments, direction, kind, start, sizes = row
    keys, values = map(int, sizes.split("x"))
    options = {"keys": keys, "values": values, "start": start == "start"}
    (q, k, v, *rest), borders = case(int(length), segments == "packed", decay, **options)
    dtype, reverse = getattr(torch, kind), direction == "reverse"
    inputs = [*(x.to(dtype).double() for x in (q, k, v)), *rest]
    actual = differentiate(inputs, borders, reverse, "fla", dtype, torch.float32)
    expected = differentiate(inputs, borders, reverse, "recurrent")
    assert_all_close(actual, expected, (TOLERANCE_MIXED if decay == "mixed" else TOLERANCE)[kind])
    assert actual[0].dtype == dtype
    assert actual[1].dtype == torch.float32
    assert {"chunk_gated_delta_rule_fwd_kernel_h_blockdim64", "chunk_fwd_kernel_o"} < set(launched)
    assert "chunk_gated_delta_rule_bwd_kernel_dhu_blockdim64" in launched


def test_the_table_holds_every_pair():
    columns = [set(column) for column in zip(*ROWS, strict=True)]
    for (i, first), (j, second) in itertools.combinations(enumerate(columns), 2):
        assert {(row[i], row[j]) for row in ROWS} == set(itertools.product(first, second))


def test_empty_segments_keep_their_states():
    inputs, _ = case(70, True, "mild", 16, 32)
    states = torch.randn(4, 2, 16, 32, dtype=torch.float64)
    inputs, borders = [*inputs[:5], states], (0, 0, 70, 70, 70)
    actual = differentiate(inputs, borders, False, "fla", torch.float32)
    assert_all_close(actual, differentiate(inputs, borders, False, "recurrent"), TOLERANCE["float32"])
    assert torch.equal(actual[1][[0, 2, 3]], states[[0, 2, 3]].float())


@pytest.mark.parametrize("reverse", [False, True])
def test_segments_are_isolated_exactly(reverse, launched):
    contract.segments_are_isolated_exactly("fla", "cpu", reverse)
    assert launched


def test_gradient_across_segments_is_exactly_zero():
    contract.gradient_across_segments_is_exactly_zero("fla", "cpu")


@pytest.mark.parametrize("borders", [None, [0, 17, 90]])
def test_reverse_is_flip_run_flip(borders):
    contract.reverse_is_flip_run_flip("fla", "cpu", borders)


def test_nothing_to_do(launched):
    contract.nothing_to_do("fla", "cpu")
    assert launched == []


def test_by_hand(launched):
    contract.one_dimension_by_hand("fla")
    contract.a_key_written_again_is_overwritten("fla")
    assert launched


def test_packed_equals_alone():
    contract.packed_equals_alone("fla")


def test_autocast_does_not_lower_the_precision():
    contract.autocast_does_not_lower_the_precision("fla")


def test_inputs_need_not_be_contiguous():
    inputs = random_inputs(20)
    apart = [x.transpose(1, 2).contiguous().transpose(1, 2) for x in inputs]
    assert not any(x.is_contiguous() for x in apart)
    assert torch.equal(gated_delta_rule(*apart, backend="fla"), gated_delta_rule(*inputs, backend="fla"))


def test_trains_on_borders_first_seen_in_inference_mode():
    cu_seqlens = torch.tensor([0, 7, 20])
    device_segments.cache_clear()
    with torch.inference_mode():
        gated_delta_rule(*random_inputs(20), cu_seqlens=cu_seqlens, reverse=True, backend="fla")
    inputs = [x.requires_grad_() for x in random_inputs(20)]
    gated_delta_rule(*inputs, cu_seqlens=cu_seqlens, reverse=True, backend="fla").sum().backward()
    assert all(x.grad.abs().sum() > 0 for x in inputs)


def test_no_layer_waits_for_the_device():
    cu_seqlens = torch.tensor([0, 30, 30, 50, 90])
    inputs = [x.requires_grad_() for x in random_inputs(90)]
    device_segments.cache_clear()
    with HostWaits() as waits:
        device_segments((0, 30, 30, 50, 90), inputs[0].device)
    assert waits.operations
    with HostWaits() as waits:
        output = gated_delta_rule(*inputs, cu_seqlens=cu_seqlens, reverse=True, backend="fla")
        output.sum().backward()
    assert waits.operations == []
