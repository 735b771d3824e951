"""Random nucleotides as ids, some of them unknown."""

import numpy as np


def sequences(seed: int, sizes: list[int]) -> list[np.ndarray]:
    """One array of ids for each size."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 5, size).astype(np.uint8) for size in sizes]
