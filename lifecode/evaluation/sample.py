"""What a model says of the masked codons of one gene, for a person to look at."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from lifecode.data.batches.packing import pack
from lifecode.data.corpus.segments import SegmentTable
from lifecode.evaluation.masked_genes import HeldOut, held_out_genes, in_row
from lifecode.models.life_code.model import LifeCode


class SamplePredictions(NamedTuple):
    """Predictions at some masked codons of a gene.

    Attributes:
        gene: name of the gene.
        positions: of the codons in the gene (n,), the start codon is 0.
        codons: that are there (n,), in the order of `lifecode.alphabet.CODONS`.
        probabilities: of all codons, by the model (n, 64).
        genetic_code: NCBI `transl_table` of the gene.
    """

    gene: str
    positions: NDArray[np.int64]
    codons: NDArray[np.int16]
    probabilities: NDArray[np.float32]
    genetic_code: int


@torch.inference_mode()
def sample_predictions(
    model: LifeCode,
    table: SegmentTable,
    settings: HeldOut,
    *,
    rows: Sequence[int] | None = None,
    most_codons: int = 12,
) -> SamplePredictions | None:
    """Predictions at the first masked codons of the gene of median length; None where there is no gene.

    Args:
        model: read as it is, in training or evaluation.
        table: CDS it was not trained on.
        settings: how much is masked, as in the held-out figures.
        rows: numbers of the genes to choose from, all if None.
        most_codons: that are shown.
    """
    rows = range(len(table)) if rows is None else rows
    if not len(rows):
        return None
    index = sorted(rows, key=lambda row: (int(table.num_nucleotides[row]), row))[len(rows) // 2]
    gene = held_out_genes(table, settings, rows=[index])[0]
    packed = pack([gene.corrupted()])
    positions = gene.masked[:most_codons]
    embeddings = model.codon_projection(model.encode(packed))
    log_probabilities = model.codec.codon_log_probabilities(
        embeddings,
        packed.cu_seqlens.to(embeddings.device),
        in_row(packed, [positions]).to(embeddings.device),
    )
    return SamplePredictions(
        gene=table.names[index],
        positions=positions,
        codons=gene.codons[positions],
        probabilities=log_probabilities.exp().float().cpu().numpy(),
        genetic_code=table.genetic_code(index),
    )
