"""Ridge regression in closed form, from sums that are added up part by part.

Inputs are standardised, so that one penalty suits every model: 0.001 beside a variance of 1, which matters
only where two inputs say almost the same.
"""

from typing import NamedTuple

import torch
from torch import Tensor

_PENALTY = 1e-3


class RidgeFit(NamedTuple):
    """A fitted linear map, in float64.

    Attributes:
        weight: (num_inputs, num_outputs).
        input_mean: (num_inputs,).
        output_mean: (num_outputs,).
    """

    weight: Tensor
    input_mean: Tensor
    output_mean: Tensor

    def predict(self, inputs: Tensor) -> Tensor:
        """Outputs (n, num_outputs) of inputs (n, num_inputs)."""
        return self.output_mean + (inputs.cpu().double() - self.input_mean) @ self.weight


class RidgeSums:
    """What a fit is made of: sums over examples of inputs, outputs and their products."""

    def __init__(self) -> None:
        self.count = 0
        self._sums: list[Tensor] = []

    def add(self, inputs: Tensor, outputs: Tensor) -> None:
        """Adds examples: inputs (n, num_inputs) and outputs (n, num_outputs)."""
        x, y = inputs.cpu().double(), outputs.cpu().double()
        parts = [x.sum(0), y.sum(0), x.T @ x, x.T @ y]
        self._sums = [a + b for a, b in zip(self._sums, parts, strict=True)] if self._sums else parts
        self.count += len(x)

    def fit(self) -> RidgeFit:
        """The map of all examples so far, of which there must be one."""
        assert self.count
        mean_x, mean_y, xx, xy = (total / self.count for total in self._sums)
        covariance, cross = xx - mean_x.outer(mean_x), xy - mean_x.outer(mean_y)
        deviation = covariance.diagonal().clamp(min=1e-12).sqrt()
        correlation = covariance / deviation.outer(deviation)
        correlation += _PENALTY * torch.eye(len(correlation), dtype=correlation.dtype)
        weight = torch.linalg.solve(correlation, cross / deviation[:, None]) / deviation[:, None]
        return RidgeFit(weight, mean_x, mean_y)
