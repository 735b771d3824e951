"""What every backend of the short convolution promises, checked on the CPU."""

import math

import torch
import torch.nn.functional as F

from lifecode.ops import short_convolution


def conv1d(x, weight):
    """Torch's own convolution, causal and without packing."""
    channels, width = weight.shape
    return F.conv1d(x.transpose(1, 2), weight[:, None], padding=width - 1, groups=channels)[
        ..., : x.shape[1]
    ].transpose(1, 2)


def segments_are_isolated_exactly(backend, reverse):
    """Whatever stands in one segment, even NaN, changes no bit of its neighbours or their gradients."""

    def run(disturbed):
        torch.manual_seed(0)
        x, weight = torch.randn(1, 60, 16), torch.randn(16, 4)
        x[:, 20:40] += disturbed
        x.requires_grad_()
        output = short_convolution(
            x, weight, cu_seqlens=torch.tensor([0, 20, 40, 60]), reverse=reverse, backend=backend
        )
        output.square().sum().backward()
        return output.detach(), x.grad

    for quiet, broken in zip(run(0.0), run(math.nan), strict=True):
        for rows in (slice(0, 20), slice(40, 60)):
            assert torch.equal(quiet[:, rows], broken[:, rows])
        assert broken[:, 20:40].isnan().any()


def shorter_than_the_kernel(backend, length):
    """Rows of fewer positions than the kernel has taps."""
    torch.manual_seed(0)
    x, weight = torch.randn(2, length, 16), torch.randn(16, 4)
    output = short_convolution(x, weight, activation=None, backend=backend)
    expected = conv1d(x, weight) if length else x
    torch.testing.assert_close(output, expected)
