"""How alike two proteins or two RNAs are, estimated from k-mer sketches (MinHash, by datasketch).

A sketch is 128 numbers, whatever the length; the share of equal numbers estimates the Jaccard index of the
two k-mer sets, with a standard error of at most 0.045. Sketches are compared through a sparse matrix, which
touches only pairs that have a number in common, not all pairs.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from datasketch import MinHash
from numpy.typing import NDArray
from scipy.sparse import csr_array

from lifecode.alphabet import NUM_AMINO_ACIDS
from lifecode.data.splits.linked import groups_of_linked

NUM_HASHES = 128
SKETCH = pa.binary(4 * NUM_HASHES)
RESIDUES_OF_KMER, NUCLEOTIDES_OF_KMER = 5, 15
_ROWS_AT_ONCE = 1024
_EMPTY = MinHash(num_perm=NUM_HASHES, seed=1, hashfunc=int)
_NO_KMER = np.uint32(_EMPTY.hashvalues[0])
"""Every number of the sketch of a sequence without a k-mer of known letters."""


def protein_sketch(amino_acids: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """(128,) sketch of the residue 5-mers of a protein, given as indices in `AMINO_ACIDS`."""
    return _sketch(amino_acids, RESIDUES_OF_KMER, NUM_AMINO_ACIDS)


def nucleotide_sketch(nucleotides: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """(128,) sketch of the 15-mers of one strand, given as nucleotide ids."""
    return _sketch(nucleotides, NUCLEOTIDES_OF_KMER, 4)


def _sketch(letters: NDArray[np.uint8], k: int, num_letters: int) -> NDArray[np.uint32]:
    """Sketch of the k-mers as numbers to the base `num_letters`; a sequence shorter than k is one k-mer."""
    windows = np.lib.stride_tricks.sliding_window_view(letters, min(k, len(letters)))
    windows = windows[(windows < num_letters).all(axis=1)].astype(np.int64)
    kmers = np.unique(windows @ num_letters ** np.arange(windows.shape[1]))
    sketch = _EMPTY.copy()
    sketch.update_batch(kmers.tolist())
    return sketch.hashvalues.astype(np.uint32)


def similar(
    sketches: NDArray[np.uint32], others: NDArray[np.uint32], at_least: float
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
    """Pairs (row, other row, similarity) whose estimated similarity is `at_least` this, some rows at a time.

    Args:
        sketches: (num_rows, 128), or as many leading numbers of each.
        others: (num_others, the same).
        at_least: above 0.
    """
    num_rows, num_hashes = sketches.shape
    keys = (np.concatenate([sketches, others]).astype(np.int64) << 7) + np.arange(num_hashes)
    has_kmers = (sketches != _NO_KMER).any(axis=1)  # what has none is like nothing
    values, column = np.unique(keys, return_inverse=True)
    column = column.reshape(keys.shape)

    def sparse(columns: NDArray[np.int64]) -> csr_array:
        offsets, ones = np.arange(0, columns.size + 1, num_hashes), np.ones(columns.size, dtype=np.int16)
        return csr_array((ones, columns.ravel(), offsets), shape=(len(columns), len(values)))

    transposed = sparse(column[num_rows:]).T.tocsr()
    for first in range(0, num_rows, _ROWS_AT_ONCE):
        shared = (sparse(column[first : min(first + _ROWS_AT_ONCE, num_rows)]) @ transposed).tocoo()
        found = (shared.data >= at_least * num_hashes) & has_kmers[shared.coords[0] + first]
        yield (
            shared.coords[0][found].astype(np.int64) + first,
            shared.coords[1][found].astype(np.int64),
            shared.data[found] / num_hashes,
        )


def clusters(sketches: NDArray[np.uint32], at_least: float) -> NDArray[np.int64]:
    """A number (num_rows,) for each row, the same for rows that are similar, directly or through others."""
    pairs = list(similar(sketches, sketches, at_least))
    rows = np.concatenate([pair[0] for pair in pairs] or [np.empty(0, dtype=np.int64)])
    columns = np.concatenate([pair[1] for pair in pairs] or [np.empty(0, dtype=np.int64)])
    return groups_of_linked(rows, columns, len(sketches))
