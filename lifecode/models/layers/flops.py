"""Operations of a module's mathematics, whoever computes them.

Of n positions in segments of n_s:

- a linear layer or convolution with weights W: 2 n |W|
- self-attention of width d, scores and weighted values: 4 d sum of n_s^2
- a Gated DeltaNet reading with H heads: 6 n H K V (recall, write, read, each 2 K V a position); a mixer that
  reads in both directions has two; its short convolutions: 2 n |W| a reading

Element-wise work, norms, softmax and look-ups are not counted.
"""

from torch import nn

from lifecode.models.layers.attention import SelfAttention
from lifecode.models.layers.gated_deltanet import GatedDeltaNet


def own_flops(module: nn.Module, positions: float, pairs: float) -> float:
    """Operations of one forward pass of a module, those of the modules inside it apart.

    Args:
        module: any module; one that is not in the list above counts as 0.
        positions: n.
        pairs: sum of n_s^2, positions that see each other.
    """
    if isinstance(module, nn.Linear | nn.Conv1d):
        return 2 * positions * module.weight.numel()
    if isinstance(module, SelfAttention):
        return 4 * module.q_proj.in_features * pairs
    if isinstance(module, GatedDeltaNet):
        return _gated_deltanet_flops(module, positions)
    return 0.0


def forward_flops(part: nn.Module | None, positions: float, pairs: float = 0.0) -> float:
    """Operations of one forward pass of a part whose modules all see the same positions; 0 for None."""
    if part is None:
        return 0.0
    # The short convolutions of a mixer are modules for their names' sake; its own formula has them.
    inside = [module for module in part.children() if not _is_depthwise(module)]
    return own_flops(part, positions, pairs) + sum(forward_flops(x, positions, pairs) for x in inside)


def _is_depthwise(module: nn.Module) -> bool:
    return isinstance(module, nn.Conv1d) and module.groups == module.in_channels > 1


def _gated_deltanet_flops(module: GatedDeltaNet, positions: float) -> float:
    readings = 2 if module.direction == "both" else 1
    keys, values = (layer.out_features // module.num_heads for layer in (module.k_proj, module.v_proj))
    convolutions = (module.q_conv1d, module.k_conv1d, module.v_conv1d)
    weights = sum(convolution.weight.numel() for convolution in convolutions)
    return readings * positions * (6 * module.num_heads * keys * values + 2 * weights)
