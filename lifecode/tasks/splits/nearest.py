"""How near held-out sequences lie to those that are learnt from, by their letters and by their embeddings."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import reverse_complement
from lifecode.data.splits.similarity import NUCLEOTIDES_OF_KMER, NUM_HASHES, RESIDUES_OF_KMER, similar
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.splits.folds import compared_by_protein, sketches

_ROWS_AT_ONCE = 1024


def nearest_identity(
    sequences: Sequence[NDArray[np.uint8]],
    molecule: Molecule,
    of_row: NDArray[np.int64],
    split: NDArray[np.int64],
    held_out: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """(num_held_out,) the identity of each held-out row with the row of another split that is most alike.

    Identity is the share of letters that agree, estimated from the Jaccard index j of the k-mers as
    (2 j / (1 + j)) ** (1 / k), as by Mash (Ondov et al. 2016): of residues (5-mers) for proteins and coding
    sequences, else of nucleotides (15-mers, on either strand). The index is that of sketches, so what shares
    no k-mer with another split, or less than one in 128, is NaN.

    Args:
        sequences: distinct ones.
        molecule: what they are.
        of_row: (n,) which sequence each row has.
        split: (n,) equal for rows that are held out, or learnt from, together.
        held_out: (n,) which rows are asked about.
    """
    by_protein = compared_by_protein(sequences, molecule)
    found = sketches(sequences, molecule)[of_row]
    strands = [found]
    if molecule == "dna":
        strands.append(sketches([reverse_complement(ids) for ids in sequences], molecule)[of_row])
    jaccard = np.zeros(len(of_row))
    for strand in strands:
        for rows, others, alike in similar(strand, found, 1 / NUM_HASHES):
            apart = split[rows] != split[others]
            np.maximum.at(jaccard, rows[apart], alike[apart])
    k = RESIDUES_OF_KMER if by_protein else NUCLEOTIDES_OF_KMER
    identity = (2 * jaccard / (1 + jaccard)) ** (1 / k)
    return np.where(jaccard > 0, identity, np.nan)[held_out]


def nearest_distance(
    vectors: NDArray[np.float32],
    of_row: NDArray[np.int64],
    split: NDArray[np.int64],
    held_out: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """(num_held_out,) 1 - cosine of the vectors of each held-out row and the nearest row of another split.

    Vectors are centred and scaled over all sequences first, feature by feature.

    Args:
        vectors: (num_sequences, D) of distinct sequences.
        of_row: as of `nearest_identity`.
        split: likewise.
        held_out: likewise.
    """
    table = vectors.astype(np.float64)
    table -= table.mean(0)
    deviation = table.std(0)
    varies = deviation > 1e-6 * max(float(deviation.max(initial=0)), 1e-12)
    table = table[:, varies] / deviation[varies]
    table /= np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12)
    asked, of_all = np.flatnonzero(held_out), table[of_row].T
    found = np.empty(len(asked))
    for first in range(0, len(asked), _ROWS_AT_ONCE):
        rows = asked[first : first + _ROWS_AT_ONCE]
        alike = table[of_row[rows]] @ of_all
        alike[split[rows][:, None] == split] = -np.inf
        found[first : first + len(rows)] = 1 - alike.max(1)
    return found
