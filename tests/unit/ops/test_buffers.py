"""Large results of the compiled kernels: lent, given back, lent again."""

import re
from pathlib import Path

import pytest
import torch

from lifecode.ops.cpu import buffers

LARGE = buffers.SMALLEST_BYTES // 4  # numbers in the smallest buffer that is kept


@pytest.fixture(autouse=True)
def none_kept():
    buffers.release_free()
    yield
    buffers.release_free()


def test_a_buffer_comes_back_when_its_last_view_is_gone():
    tensor = buffers.empty((LARGE // 4, 4))
    assert tensor.shape == (LARGE // 4, 4)
    assert tensor.dtype == torch.float32
    first, view = tensor.data_ptr(), tensor[3:]
    del tensor
    other = buffers.empty((LARGE,))
    assert other.data_ptr() != first
    del view
    assert buffers.empty((LARGE,)).data_ptr() == first


def test_a_buffer_is_lent_only_for_about_its_size():
    buffers.empty((2 * LARGE,))
    assert buffers.num_free() == 1
    much_smaller = buffers.empty((LARGE,))
    assert buffers.num_free() == 0  # the larger one went back to the system instead
    del much_smaller
    buffers.release_free()
    kept = buffers.empty((int(1.2 * LARGE),)).data_ptr()
    assert buffers.empty((LARGE,)).data_ptr() == kept


def test_what_is_kept_does_not_grow_beyond_what_was_needed():
    tensors = [buffers.empty((LARGE,)) for _ in range(3)]
    del tensors
    assert buffers.num_free() == 3
    larger = buffers.empty((2 * LARGE,))
    assert buffers.num_free() == 1
    del larger
    buffers.release_free()
    assert buffers.num_free() == 0


def test_small_tensors_are_torchs_own():
    buffers.empty((LARGE - 1,))
    assert buffers.num_free() == 0


def test_uninitialised_memory_is_poisoned_in_tests():
    tensor = buffers.empty((LARGE,)).fill_(1)
    del tensor
    assert buffers.empty((LARGE,)).isnan().all()


@pytest.mark.skipif(
    not Path("/sys/kernel/mm/transparent_hugepage").exists(), reason="needs Linux with transparent huge pages"
)
def test_large_buffers_ask_for_huge_pages():
    address = buffers.empty((LARGE,)).data_ptr()
    for block in re.split(r"\n(?=[0-9a-f]+-[0-9a-f]+ )", Path("/proc/self/smaps").read_text()):
        start, end = (int(x, 16) for x in block.split(" ", 1)[0].split("-"))
        if start <= address < end:
            assert "hg" in re.search(r"VmFlags: (.*)", block).group(1).split()
            return
    pytest.fail("no mapping holds the buffer")
