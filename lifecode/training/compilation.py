"""`torch.compile` in training: each block of the model is compiled where it stands.

All layers of a kind share one graph, which keeps the start short, and the weights keep their names, so that
checkpoints go both ways. The graph breaks at every op of `lifecode.ops`: norms, gates, projections and
feed-forward are compiled, the kernels run as they are.
"""

import torch
from torch import nn

from lifecode.errors import UserError
from lifecode.models.layers.block import Block


def compile_blocks(module: nn.Module) -> None:
    """Compiles every `Block` inside `module` in place, for rows of any length."""
    for part in module.modules():
        if isinstance(part, Block):
            part.compile(dynamic=True)


def require_compiler(device: str) -> None:
    """Compiles one small function for a device type, `cpu` or `cuda`.

    Raises:
        UserError: that fails, for want of a C++ compiler or of Triton, say.
    """
    try:
        torch.compile(_trial)(torch.ones(8, device=device))
    except (RuntimeError, OSError, ImportError) as error:
        cause = error.__cause__ or error
        lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
        raise UserError(
            f"torch.compile does not work here on {device} ({lines[0] if lines else type(cause).__name__})",
            source="trainer.compile",
            remedy="It needs a C++ compiler (g++ or $CXX), and Triton on a GPU; or set trainer.compile=false",
        ) from error


def _trial(x: torch.Tensor) -> torch.Tensor:
    return x.sin() + 1
