"""Operations of a model's mathematics, whoever computes them: time at the machine's rate is the ideal.

Counted while one forward pass runs, module by module: of n positions a linear layer or convolution with
weights W takes 2 n |W| operations, and a mixer of ours what it states beside those. Peers'
self-attention of width d counts as ours, 4 d sum of n_s^2; where it sees a window of w positions only, as
4 d sum of n_s min(n_s, w). A training step counts as three forward passes, the backward pass being two.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from lifecode.models.layers.mixers import Mixer

FORWARD_PASSES_A_STEP = 3
_PEER_ATTENTION = ("BertSelfAttention", "ModernBertAttention")


def training_flops(model: nn.Module, forward: Callable[[], object]) -> float:
    """Operations of a training step on the batch that `forward` runs the model on."""
    return FORWARD_PASSES_A_STEP * forward_flops(model, forward)


@torch.no_grad()
def forward_flops(model: nn.Module, forward: Callable[[], object]) -> float:
    """Operations of one forward pass, which is run once without gradients."""
    counts: list[float] = []

    def count(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        counts.append(_module_flops(module, (*args, *kwargs.values())))

    hooks = [module.register_forward_hook(count, with_kwargs=True) for module in model.modules()]
    try:
        forward()
    finally:
        for hook in hooks:
            hook.remove()
    return sum(counts)


def _module_flops(module: nn.Module, inputs: tuple[Any, ...]) -> float:
    """Operations of a module itself, those of the modules inside it apart."""
    if isinstance(module, nn.Linear | nn.Conv1d):
        x: Tensor = inputs[0]
        return 2 * x.shape[:-1].numel() * module.weight.numel()
    if isinstance(module, Mixer):
        x, cu_seqlens = inputs
        return module.mixing_flops(len(x), float(cu_seqlens.diff().double().square().sum()))
    if type(module).__name__ in _PEER_ATTENTION:
        batch, length, width = inputs[0].shape
        window = getattr(module, "sliding_window", None)
        # ModernBERT keeps half of its window, plus the position itself.
        seen = length if window is None else min(length, 2 * window - 1)
        return 4 * width * batch * length * seen
    return 0.0
