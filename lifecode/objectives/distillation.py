"""Token-wise distillation from a protein language model (Life-Code Eq. 4), as in DINO.

The teacher hands over features; this loss makes distributions over their D' dimensions: teacher
softmax((t - centre) / (scale tau_t)), student softmax(s / tau_s). Without centre and scale (`mode="paper"`,
Eq. 4 as printed) the teacher's distribution is nearly uniform and almost nothing can be learnt from it.
"""

import math
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from lifecode.errors import UserError
from lifecode.models.layers.norm import at_least_fp32
from lifecode.objectives.loss import Loss


class FeatureMoments(NamedTuple):
    """Sums over residues that centre and scale are made of: features (D'), their squares, the count."""

    total: Tensor
    squares: Tensor
    count: Tensor  # pyright: ignore[reportIncompatibleMethodOverride]


class DistillationLoss(nn.Module):
    """KL(teacher || student) over feature dimensions, summed over residues.

    Args:
        width: D' of the teacher.
        mode: `dino` (centre, scale, temperatures) or `paper` (none of them, cross-entropy).
        teacher_temperature: tau_t.
        student_temperature: tau_s.
        ema_decay: of centre and scale, which move once per optimizer step.

    Attributes:
        config: the arguments it was made with.
    """

    centre: Tensor
    scale: Tensor
    num_updates: Tensor

    def __init__(
        self,
        *,
        width: int,
        mode: Literal["dino", "paper"] = "dino",
        teacher_temperature: float = 0.1,
        student_temperature: float = 0.1,
        ema_decay: float = 0.9,
    ) -> None:
        super().__init__()
        are_finite = all(0 < x < math.inf for x in (teacher_temperature, student_temperature))
        if not are_finite or not 0 <= ema_decay < 1:
            raise UserError(
                "temperatures must be positive and finite and ema_decay in [0, 1)",
                source="kd",
                remedy="0.1 and 0.9 are usual",
            )
        self.config: dict[str, Any] = {
            "width": width,
            "mode": mode,
            "teacher_temperature": teacher_temperature,
            "student_temperature": student_temperature,
            "ema_decay": ema_decay,
        }
        self.mode = mode
        self.teacher_temperature = teacher_temperature if mode == "dino" else 1.0
        self.student_temperature = student_temperature if mode == "dino" else 1.0
        self.ema_decay = ema_decay
        self.register_buffer("centre", torch.zeros(width, dtype=torch.float32))
        self.register_buffer("scale", torch.ones((), dtype=torch.float32))
        self.register_buffer("num_updates", torch.zeros((), dtype=torch.int64))

    @property
    def description(self) -> str:
        """Its settings, for a plan."""
        temperatures = f"{self.teacher_temperature:g}, {self.student_temperature:g}"
        return f"{self.mode}, tau {temperatures}, EMA {self.ema_decay:g}"

    def teacher_log_probabilities(self, features: Tensor) -> Tensor:
        """log P (R, D') of teacher features (R, D')."""
        features = features.float()
        if self.mode == "dino":
            features = (features - self.centre) / self.scale
        return (features / self.teacher_temperature).log_softmax(-1)

    def student_log_probabilities(self, decoded: Tensor) -> Tensor:
        """log P (R, D') of the protein decoder's output (R, D')."""
        return (at_least_fp32(decoded) / self.student_temperature).log_softmax(-1)

    def forward(self, decoded: Tensor, features: Tensor) -> Loss:
        """Loss of the decoder's output (R, D') against teacher features (R, D')."""
        teacher, student = self.teacher_log_probabilities(features), self.student_log_probabilities(decoded)
        target = -student if self.mode == "paper" else teacher - student
        total = (teacher.exp() * target).sum()
        return Loss(total, total.new_tensor(float(len(features))))

    @staticmethod
    def moments(features: Tensor) -> FeatureMoments:
        """The moments of teacher features (R, D'); add those of all micro-batches and processes."""
        features = features.double()
        count = features.new_tensor(float(len(features)))
        return FeatureMoments(features.sum(0), features.square().sum(0), count)

    @torch.no_grad()
    def update(self, moments: FeatureMoments) -> None:
        """Moves centre and scale towards those of one whole effective batch; the first sets them."""
        if self.mode == "paper" or moments.count == 0:
            return
        mean = moments.total / moments.count
        variance = moments.squares / moments.count - mean.square()
        scale = variance.mean().clamp(min=1e-12).sqrt()
        weight = 1.0 if self.num_updates == 0 else 1 - self.ema_decay
        self.centre.lerp_(mean.to(self.centre.dtype), weight)
        self.scale.lerp_(scale.to(self.scale.dtype), weight)
        self.num_updates += 1
