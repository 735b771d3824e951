"""Several linear layers of one input as one product: it is read once, its gradient written once."""

from collections.abc import Sequence
from typing import TypeGuard

import torch
from torch import Tensor, nn
from torch.nn import functional


def joint_linear(x: Tensor, layers: Sequence[nn.Module]) -> Tensor:
    """What the layers make of (..., d), side by side: (..., d1 + d2 + ...).

    Layers that are more than a weight, such as those of LoRA or with hooks, are called one by one.
    """
    bare = [layer for layer in layers if _is_bare(layer)]
    if len(bare) < len(layers):
        return torch.cat([layer(x) for layer in layers], dim=-1)
    return functional.linear(x, torch.cat([layer.weight for layer in bare]))


def _is_bare(layer: nn.Module) -> TypeGuard[nn.Linear]:
    hooks = (
        layer._forward_hooks,
        layer._forward_pre_hooks,
        layer._backward_hooks,
        layer._backward_pre_hooks,
    )
    return type(layer) is nn.Linear and layer.bias is None and not any(hooks)
