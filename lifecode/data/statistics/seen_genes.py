"""Which genes a model was trained on, small enough to travel with its weights: 64 bytes per gene.

A model that goes on learning on another genome has seen the homologs of some of that genome's held-out
genes. Figures on these would flatter it, so they are told apart by the sketches that splits are checked with.
"""

import numpy as np
from numpy.typing import NDArray

from lifecode.data.corpus.segments import SegmentTable
from lifecode.data.splits.similarity import protein_sketch, similar

NUM_KEPT = 16
"""Numbers of a sketch that are kept. Unrelated proteins share none; of a homolog about its similarity."""
ALIKE = 0.5
"""Share of these that are equal from which on a gene counts as seen."""
MAX_GENES = 250_000
"""A model trained on more keeps no record, which would be larger than a small model."""


def training_genes(table: SegmentTable) -> NDArray[np.uint32] | None:
    """(num_genes, 16) sketches of the proteins of a training split; None if they are too many to keep."""
    return union(gene_sketches(table)) if len(table) <= MAX_GENES else None


def gene_sketches(table: SegmentTable) -> NDArray[np.uint32]:
    """(num_cds, 16) sketch of each protein of a table of CDS."""
    sketches = [protein_sketch(np.asarray(table.amino_acids(i)))[:NUM_KEPT] for i in range(len(table))]
    return np.array(sketches, dtype=np.uint32).reshape(-1, NUM_KEPT)


def union(*records: NDArray[np.uint32] | None) -> NDArray[np.uint32] | None:
    """The genes of several records, each once; None if one is not known or together they are too many."""
    if any(record is None for record in records):
        return None
    genes = np.unique(np.concatenate([record for record in records if record is not None]), axis=0)
    return genes if len(genes) <= MAX_GENES else None


def seen_before(table: SegmentTable, genes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """(num_cds,) whether a protein of a table is similar to one of `genes` (num_genes, 16)."""
    return resembling(gene_sketches(table), genes)


def resembling(sketches: NDArray[np.uint32], genes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """(n,) whether the protein of each sketch, 16 numbers or more, is similar to one of `genes`."""
    seen = np.zeros(len(sketches), dtype=bool)
    for rows, _, _ in similar(sketches[:, :NUM_KEPT], genes, ALIKE) if len(genes) else ():
        seen[rows] = True
    return seen
