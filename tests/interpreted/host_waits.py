"""Which torch operations on the way make the host wait for a GPU, seen without one."""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

# They read a value, or a size that depends on values, back from the device.
WAITING = (
    torch.ops.aten._local_scalar_dense.default,
    torch.ops.aten.nonzero.default,
    torch.ops.aten.repeat_interleave.Tensor,
    torch.ops.aten.repeat_interleave.self_Tensor,
)


class HostWaits(TorchDispatchMode):
    """Inside this context, `operations` collects the operations that would wait."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[Any] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Note the operation and run it."""
        if func in WAITING:
            self.operations.append(func)
        return func(*args, **(kwargs or {}))
