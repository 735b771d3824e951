"""Index arithmetic of packed rows."""

import numpy as np
import pytest
import torch

from lifecode.errors import UserError
from lifecode.ops import segment_attention
from lifecode.ops.segments import check_cu_seqlens, positions_in_segment, reverse_segments_index, segment_ids

CU_SEQLENS = torch.tensor([0, 2, 2, 5], dtype=torch.int32)


def test_segment_ids():
    assert segment_ids(CU_SEQLENS, 5).tolist() == [0, 0, 2, 2, 2]


def test_positions_in_segment():
    assert positions_in_segment(CU_SEQLENS, 5).tolist() == [0, 1, 0, 1, 2]


def test_reverse_segments_index():
    index = reverse_segments_index(CU_SEQLENS, 5)
    assert index.tolist() == [1, 0, 4, 3, 2]
    assert index[index].tolist() == [0, 1, 2, 3, 4]


def test_empty_row():
    nothing = torch.tensor([0, 0])
    assert segment_ids(nothing, 0).tolist() == []
    assert reverse_segments_index(nothing, 0).tolist() == []


def test_borders_come_back_as_numbers():
    assert check_cu_seqlens(CU_SEQLENS, 5) == (0, 2, 2, 5)


def test_a_change_in_place_is_noticed():
    cu_seqlens = torch.tensor([0, 2, 5])
    check_cu_seqlens(cu_seqlens, 5)
    cu_seqlens[1] = 7
    with pytest.raises(UserError, match="segment 1 runs from 7 to 5"):
        check_cu_seqlens(cu_seqlens, 5)


@pytest.mark.parametrize(
    "change",
    [
        lambda cu: cu.__setitem__(1, 50),
        lambda cu: cu.numpy().__setitem__(1, 50),
        lambda cu: cu.data.__setitem__(1, 50),
        lambda cu: np.from_dlpack(cu).__setitem__(1, 50),
        lambda cu: cu.untyped_storage().copy_(torch.tensor([0, 50, 70]).untyped_storage()),
        lambda cu: cu.set_(torch.tensor([0, 50, 70])),
    ],
    ids=["index", "numpy", "data", "dlpack", "storage", "set"],
)
def test_an_op_sees_borders_that_were_changed_in_place(change):
    draw = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(1, 70, 2, 16, generator=draw) for _ in range(3))
    cu_seqlens, right = torch.tensor([0, 30, 70]), torch.tensor([0, 50, 70])
    before = segment_attention(q, k, v, cu_seqlens)
    change(cu_seqlens)
    after = segment_attention(q, k, v, cu_seqlens)
    assert torch.equal(after, segment_attention(q, k, v, right))
    assert not torch.equal(after, before)


@pytest.mark.parametrize(
    ("borders", "message"),
    [
        ([0, 3, 2, 5], "must not decrease: segment 1 runs from 3 to 2"),
        ([0, 4], "must end at the row's length 5, not at 4"),
        ([1, 5], "must start at 0"),
        ([0], "must have shape"),
        ([[0, 5]], "must have shape"),
        ([0.0, 5.0], "must be int32 or int64"),
    ],
)
def test_errors(borders, message):
    with pytest.raises(UserError, match=message):
        check_cu_seqlens(torch.tensor(borders), 5)
