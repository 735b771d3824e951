"""Reading in all three frames."""

import numpy as np
import pytest
import torch

from lifecode.alphabet import UNK
from lifecode.errors import UserError
from lifecode.models.life_code.frames import averaged_over_frames, in_three_frames
from tests.support.small_models import small_model


def test_the_three_frames_by_hand():
    frames = in_three_frames(np.array([0, 1, 2, 3], np.uint8))
    n = UNK
    assert [f.tolist() for f in frames] == [[0, 1, 2, 3, n, n], [n, 0, 1, 2, 3, n], [n, n, 0, 1, 2, 3]]


def test_the_average_drops_what_the_frames_added():
    frames = [
        torch.tensor([[1.0], [2.0], [9.0]]),
        torch.tensor([[9.0], [4.0], [5.0]]),
        torch.tensor([[9.0], [9.0], [4.0], [5.0]]),
    ]
    assert averaged_over_frames(frames, 2).tolist() == [[3.0], [4.0]]


def test_an_embedding_averages_those_of_the_frames():
    model = small_model()
    framed = model.embed(["ACGTA", "NACGTA", "NNACGTA"])
    torch.testing.assert_close(model.embed("ACGTA", frames="average")[0], framed.mean(0))
    states = model.embed("ACGTA", pool=None, frames="average")[0]
    assert states.shape == (5, 32)
    first, second, third = model.embed(["ACGTA", "NACGTA", "NNACGTA"], pool=None)
    torch.testing.assert_close(states[0], (first[0] + second[0] + third[0]) / 3)
    torch.testing.assert_close(states[4], (first[1] + second[1] + third[2]) / 3)
    with pytest.raises(UserError, match="frames"):
        model.embed("ACGTA", frames=1)
