"""A tensor's memory as a NumPy array, for the compiled kernels.

Unlike `Tensor.numpy()`, this leaves the storage free to be resized, which FSDP does with gathered parameters.
"""

import numpy as np
from torch import Tensor


def as_array(tensor: Tensor) -> np.ndarray:
    """A writable array over the memory of a tensor on the CPU, whether or not it has a gradient."""
    return np.from_dlpack(tensor.detach())
