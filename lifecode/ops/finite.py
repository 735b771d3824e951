"""A debug option: every op looks for NaN and infinity in what it is given, and says where they begin.

It reads every input once more, and on a GPU waits for the device, so it is off unless asked for.
"""

import torch
from torch import Tensor

from lifecode.errors import UserError

_enabled = False


def check_finite(enabled: bool) -> None:
    """Turns the check of every op's inputs on or off, in this process."""
    global _enabled
    _enabled = enabled


def require_finite(op: str, **inputs: Tensor | None) -> None:
    """Raises a UserError that names the first input with a NaN or an infinity, if the check is on."""
    if not _enabled:
        return
    for name, tensor in inputs.items():
        if tensor is not None and not bool(torch.isfinite(tensor).all()):
            first = torch.nonzero(~torch.isfinite(tensor))[0].tolist()
            raise UserError(
                f"{name} of the {op} is not finite, first at {first} of {list(tensor.shape)}",
                remedy="Look at what made it; a lower learning rate or fp32 may help",
            )
