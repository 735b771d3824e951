"""What designs are compared with: every residue's commonest codon, and codons drawn by the host's usage."""

import numpy as np
from numpy.typing import NDArray

from lifecode.design.host import HostUsage


def best_codons(allowed: NDArray[np.bool_], host: HostUsage) -> NDArray[np.int64]:
    """The host's commonest codon (L,) of each position's residue, by the codons (L, 64) it may have."""
    return np.where(allowed, host.shares, -1.0).argmax(axis=1)


def matched_usage(
    allowed: NDArray[np.bool_], host: HostUsage, draw: np.random.Generator
) -> NDArray[np.int64]:
    """Codons (L,) drawn by their share among the synonyms."""
    cumulative = np.cumsum(np.where(allowed, host.shares, 0.0), axis=1)
    return (cumulative <= (draw.random(len(allowed)) * cumulative[:, -1])[:, None]).sum(axis=1)
