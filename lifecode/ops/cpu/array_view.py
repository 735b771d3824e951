"""A tensor's memory as a NumPy array, for the compiled kernels.

NumPy has no bfloat16: such a tensor is seen as int16, which the kernels take for bfloat16. Unlike
`Tensor.numpy()`, this leaves the storage free to be resized, which FSDP does with gathered parameters.
"""

import numpy as np
import torch
from torch import Tensor


def as_array(tensor: Tensor) -> np.ndarray:
    """A writable array over the memory of a tensor on the CPU, whether or not it has a gradient."""
    tensor = tensor.detach()
    return np.from_dlpack(tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor)
