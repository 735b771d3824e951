"""Muon for the matrices of the layers, AdamW for every other parameter, as one optimizer with one state.

Two optimizers would each count as a step of Lightning's. Here torch's own `Muon` and `AdamW` share the groups
and the state of one `torch.optim.Optimizer`, so that schedule, checkpoints and sharding see nothing new.

Muon orthogonalises the momentum of a matrix by five Newton-Schulz iterations in bf16. Its update is scaled to
the root mean square of AdamW's (Liu et al. 2025), so learning rate, schedule and weight decay serve both.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from lifecode.errors import UserError
from lifecode.models.layers.block import Block

_NEWTON_SCHULZ_STEPS = 5
_MOMENTUM = 0.95


class MuonAdamW(Optimizer):
    """Steps the first parameters with Muon and the others with AdamW.

    Args:
        matrices: two-dimensional, for Muon.
        others: parameter groups for AdamW, with their weight decay.
        lr: of both.
        weight_decay: of the matrices.
        betas: of AdamW.
    """

    def __init__(
        self,
        matrices: Sequence[nn.Parameter],
        others: Sequence[dict[str, Any]],
        *,
        lr: float,
        weight_decay: float,
        betas: tuple[float, float],
    ) -> None:
        self._muon = torch.optim.Muon(
            matrices,
            lr=lr,
            weight_decay=weight_decay,
            momentum=_MOMENTUM,
            ns_steps=_NEWTON_SCHULZ_STEPS,
            adjust_lr_fn="match_rms_adamw",
        )
        self._adamw = AdamW(list(others), lr=lr, betas=betas)
        super().__init__([*self._muon.param_groups, *self._adamw.param_groups], {})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One step of both; a parameter whose gradient is None is passed by."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        first = len(self._muon.param_groups)
        # Loading a state replaces groups and state, so they are handed over at every step.
        for optimizer, groups in ((self._muon, slice(first)), (self._adamw, slice(first, None))):
            optimizer.param_groups, optimizer.state = self.param_groups[groups], self.state
            optimizer.step()
        return loss


def require_muon() -> None:
    """Raises a `UserError` where the installed torch has no Muon."""
    if not hasattr(torch.optim, "Muon"):
        raise UserError(
            f"torch {torch.__version__} has no Muon",
            remedy="Install torch 2.9 or newer, or choose optim.encoder.matrices=adamw",
        )


def layer_matrices(module: nn.Module) -> list[nn.Parameter]:
    """Trainable matrices of every `Block` in a module, the tokenizer's too, in the module's order.

    Convolutions (three-dimensional) are none, nor are a mixer's projections to its gates: of one column a
    head, each a number of its own.
    """
    blocks = [part for part in module.modules() if isinstance(part, Block)]
    gates = {id(gate) for block in blocks for gate in block.mixer.gates()}
    parameters = (parameter for block in blocks for parameter in block.parameters())
    return [p for p in parameters if p.requires_grad and p.ndim == 2 and id(p) not in gates]


def newton_schulz_flops(matrix: Tensor) -> float:
    """Operations of orthogonalising a matrix (m, n), m <= n: 2 m²n, 2 m³ and 2 m²n an iteration."""
    short, long = sorted(matrix.shape)
    return _NEWTON_SCHULZ_STEPS * (4 * short**2 * long + 2 * short**3)
