"""AdamW, or Muon and AdamW, with a warm-up and a decay of the learning rate over a fixed number of steps."""

import math
from dataclasses import dataclass
from typing import Literal

from torch import nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from lifecode.errors import UserError
from lifecode.training.stages.muon import MuonAdamW, layer_matrices, newton_schulz_flops, require_muon


@dataclass(frozen=True, slots=True)
class OptimizerRecipe:
    """The optimizer of one stage. The schedule knows `total_steps` only, not when a trainer stops.

    Attributes:
        lr: peak learning rate.
        min_lr: learning rate from `total_steps` on.
        warmup_steps: steps of linear warm-up.
        total_steps: of the whole schedule; the stage ends there.
        decay_steps: None lets the learning rate fall along a cosine from the warm-up on. A number keeps it at
            its peak until so many steps before the end, in which it falls along a line (warm-up, stable,
            decay of Hu et al. 2024, MiniCPM): every step before them can also begin a longer run.
        beta1: decay of the first moment.
        beta2: decay of the second moment.
        weight_decay: for matrices; norms, biases, gates and scales (all one-dimensional) have none.
        clip_norm: largest gradient norm.
        matrices: what moves the matrices of the layers; AdamW moves every other parameter.
    """

    lr: float
    total_steps: int
    warmup_steps: int = 0
    min_lr: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.98
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    matrices: Literal["adamw", "muon"] = "adamw"
    decay_steps: int | None = None

    def __post_init__(self) -> None:
        is_rate = 0 < self.lr < math.inf
        if not is_rate or self.total_steps < 1 or not 0 <= self.warmup_steps <= self.total_steps:
            raise UserError(
                f"lr {self.lr}, warmup_steps {self.warmup_steps} and total_steps {self.total_steps} "
                "make no schedule",
                source="optim",
                remedy="lr is positive and finite and warmup_steps lies between 0 and total_steps",
            )
        if self.decay_steps is not None and not 1 <= self.decay_steps <= self.total_steps - self.warmup_steps:
            raise UserError(
                f"decay_steps {self.decay_steps} do not fit into total_steps {self.total_steps} behind "
                f"warmup_steps {self.warmup_steps}",
                source="optim",
                remedy="Give at least 1 and at most what the warm-up leaves, or null for a cosine",
            )
        if not (0 <= self.beta1 < 1 and 0 <= self.beta2 < 1):
            raise UserError(f"beta1 {self.beta1} and beta2 {self.beta2} do not lie in [0, 1)")
        if not (0 <= self.min_lr <= self.lr and self.weight_decay >= 0 and self.clip_norm > 0):
            raise UserError(
                f"min_lr {self.min_lr}, weight_decay {self.weight_decay} and clip_norm {self.clip_norm} "
                "make no optimizer",
                remedy="min_lr lies between 0 and lr, weight_decay is not negative, clip_norm is positive",
            )
        if self.matrices == "muon":
            require_muon()

    def learning_rate(self, step: int) -> float:
        """Learning rate of the optimizer step with 0-based number `step`."""
        if step < self.warmup_steps:
            return self.lr * (step + 1) / self.warmup_steps
        if self.decay_steps is None:
            done = (step - self.warmup_steps) / max(1, self.total_steps - self.warmup_steps)
            share = (1 + math.cos(math.pi * min(1.0, done))) / 2
        else:
            share = min(1.0, max(0.0, (self.total_steps - step) / self.decay_steps))
        return self.min_lr + (self.lr - self.min_lr) * share

    def build(self, module: nn.Module) -> tuple[Optimizer, LambdaLR]:
        """The optimizer of a module's trainable parameters, and its schedule."""
        matrices = self.moved_by_muon(module)
        by_muon = set(map(id, matrices))
        rest = [p for p in module.parameters() if p.requires_grad and id(p) not in by_muon]
        groups = [
            {"params": [p for p in rest if p.ndim >= 2], "weight_decay": self.weight_decay},
            {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0},
        ]
        betas = (self.beta1, self.beta2)
        optimizer = (
            MuonAdamW(matrices, groups, lr=self.lr, weight_decay=self.weight_decay, betas=betas)
            if matrices
            else AdamW(groups, lr=self.lr, betas=betas)
        )
        return optimizer, LambdaLR(optimizer, lambda step: self.learning_rate(step) / self.lr)

    def moved_by_muon(self, module: nn.Module) -> list[nn.Parameter]:
        """The parameters of a module that Muon moves; none without a layer."""
        return layer_matrices(module) if self.matrices == "muon" else []

    def num_state_values(self, module: nn.Module) -> int:
        """Numbers that the optimizer keeps of a module: AdamW two moments per parameter, Muon one."""
        trained = sum(p.numel() for p in module.parameters() if p.requires_grad)
        return 2 * trained - sum(p.numel() for p in self.moved_by_muon(module))

    def flops(self, module: nn.Module) -> float:
        """Operations of Muon's matrix products in a step; AdamW has none."""
        return sum(newton_schulz_flops(matrix) for matrix in self.moved_by_muon(module))
