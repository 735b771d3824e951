"""How much a frame reads like a coding sequence to the model.

Of a codon it is log P(codon | the rest of its frame) under the model less the sum of log q over its three
nucleotides: a log-likelihood ratio to DNA whose nucleotides are drawn one by one as the genome has them, both
strands together (A as often as T, C as often as G). The track is the mean of it over a window of codons with
this one in the middle, in nats per codon. Above zero the frame reads as codons rather than as such DNA.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from lifecode.data.records import Contig


def log_composition(contigs: Iterable[Contig]) -> NDArray[np.float64]:
    """log q (4,) of A, C, G and T in all contigs on both strands; every count one higher than it is."""
    counts = np.ones(4)
    for contig in contigs:
        counts += np.bincount(contig.nucleotides, minlength=4)[:4]
    counts += counts[::-1].copy()
    return np.log(counts / counts.sum())


def coding_potential(
    surprisal: NDArray[np.floating], ids: NDArray[np.uint8], log_q: NDArray[np.float64], smooth_codons: int
) -> NDArray[np.float32]:
    """(num_codons,) of a frame; NaN where the surprisal is.

    Args:
        surprisal: (num_codons,) -log P of its codons, NaN where it is not known.
        ids: (3 * num_codons,) nucleotide ids.
        log_q: (4,) from `log_composition`.
        smooth_codons: odd length of the window; at the ends, and around unknown codons, it has fewer.
    """
    known = ~np.isnan(surprisal)
    ratio = np.zeros(len(surprisal))
    letters = ids.reshape(-1, 3)[known]
    ratio[known] = -surprisal[known].astype(np.float64) - log_q[letters].sum(axis=1)
    total, count = (_window_sums(x, smooth_codons) for x in (ratio, known.astype(np.float64)))
    return np.where(known, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _window_sums(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """(n,) the sum of up to `length` values around each."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    place = np.arange(len(values))
    high = np.minimum(place + length // 2 + 1, len(values))
    return sums[high] - sums[np.maximum(place - length // 2, 0)]
