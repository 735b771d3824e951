"""Sequences that are the same, or the same on the other strand: they must not lie in different splits.

A sequence is compared by a 128-bit hash that it shares with its reverse complement, so the comparison of
100 million of them needs 16 bytes each. By chance two of so many agree with a probability below 1e-22.
"""

from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lifecode.alphabet import reverse_complement
from lifecode.data.splits.linked import groups_of_linked

DIGEST = pa.binary(16)


def strandless_digest(sequence: NDArray[np.uint8]) -> tuple[bytes, bool]:
    """A key that a sequence shares with its reverse complement, and whether it is the other strand's own.

    Of two sequences with one key, those that agree in the second value are equal, the others reverse
    complements.
    """
    forward, backward = (
        blake2b(np.ascontiguousarray(strand).data, digest_size=16).digest()
        for strand in (sequence, reverse_complement(sequence))
    )
    return min(forward, backward), backward < forward


def labels(digests: pa.ChunkedArray | pa.Array) -> NDArray[np.int64]:
    """A number (num_rows,) for each digest, the same for equal ones."""
    encoded = (
        digests.combine_chunks() if isinstance(digests, pa.ChunkedArray) else digests
    ).dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def first_by_name(names: pa.Array, label: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each row the number of that row with its label whose name sorts first."""
    rank = np.empty(len(label), dtype=np.int64)
    rank[pc.sort_indices(names).to_numpy()] = np.arange(len(label))  # pyright: ignore[reportAttributeAccessIssue]
    order = np.lexsort((rank, label))
    first_of_label = np.empty(len(label), dtype=np.int64)
    first_of_label[label[order][::-1]] = order[::-1]
    return first_of_label[label]


def linked(
    label: NDArray[np.int64], contig: NDArray[np.int64], cds_label: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Groups of contigs that share a label or, directly or through others, a CDS label.

    Args:
        label: (num_contigs,) label of each whole contig.
        contig: (num_cds,) contig of each CDS that links.
        cds_label: (num_cds,) its label.
    """
    num_contigs = len(label)
    nodes = num_contigs + int(label.max(initial=-1)) + 1
    rows = np.concatenate([np.arange(num_contigs), contig])
    columns = np.concatenate([num_contigs + label, nodes + cds_label])
    size = nodes + int(cds_label.max(initial=-1)) + 1
    return groups_of_linked(rows, columns, size)[:num_contigs]


def without_twins(label: NDArray[np.int64], split: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Which rows (num_rows,) to keep so that none has its label in a more held-out split.

    Test keeps all of its rows, validation loses those that test has, train those that either has. Twins
    inside one split stay.

    Args:
        label: (num_rows,) equal for twins.
        split: (num_rows,) split number.
    """
    most_held_out = np.zeros(int(label.max(initial=-1)) + 1, dtype=np.int8)
    np.maximum.at(most_held_out, label, split)
    return most_held_out[label] == split
