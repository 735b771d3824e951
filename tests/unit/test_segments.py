"""Index arithmetic of packed rows."""

import pytest
import torch

from lifecode.errors import UserError
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
