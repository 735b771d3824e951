"""Masked modelling of DNA and CDS (Life-Code Eq. 2), in nats over the positions it reads.

A position is a nucleotide of a DNA segment, read through the de-tokenizer, or a whole codon of a CDS,
read through the joint codon head. Where a batch has no position, the loss is 0 over 0 positions and its
gradients are zeros, so that every process of a run has a gradient of every parameter.
"""

from typing import Literal

from torch import Tensor
from torch.nn import functional

from lifecode.alphabet import IGNORE, MASK
from lifecode.data.batches.batch import Batch
from lifecode.models.life_code.codec import CodonCodec
from lifecode.objectives.loss import Loss, cross_entropy

Positions = Literal["all", "selected", "masked"]
"""All known positions, those that masking selected, or those of them that became `[MASK]`.

A selected position that stayed as it is can be copied, so only the last compares with a baseline that
cannot see what it predicts.
"""


def nucleotide_loss(
    codec: CodonCodec, codon_embeddings: Tensor, batch: Batch, *, positions: Positions
) -> Loss:
    """Reconstruction of DNA nucleotides from codon embeddings (L, codon_dim)."""
    labels = _labels_at(positions, batch.nucleotide_labels, batch.nucleotide_selected, batch.ids)
    at = (labels != IGNORE).nonzero().squeeze(1)
    cu_seqlens = batch.cu_seqlens
    if not len(at):  # one codon is enough to give the de-tokenizer a gradient of zeros
        codon_embeddings, cu_seqlens = codon_embeddings[:1], cu_seqlens.new_tensor([0, 1])
    return cross_entropy(codec.detokenizer(codon_embeddings, cu_seqlens)[at], labels[at])


def codon_loss(codec: CodonCodec, codon_embeddings: Tensor, batch: Batch, *, positions: Positions) -> Loss:
    """Reconstruction of CDS codons from codon embeddings (L, codon_dim)."""
    labels = _labels_at(positions, batch.codon_labels, batch.codon_selected, batch.ids[::3])
    at = (labels != IGNORE).nonzero().squeeze(1)
    log_probabilities = codec.codon_log_probabilities(codon_embeddings, batch.cu_seqlens, at)
    total = functional.nll_loss(log_probabilities, labels[at], reduction="sum")
    return Loss(total, total.new_tensor(float(len(at))))


def num_positions(batch: Batch, *, positions: Positions) -> Tensor:
    """How many nucleotides and codons the two losses together count, scalar int64."""
    nucleotides = _labels_at(positions, batch.nucleotide_labels, batch.nucleotide_selected, batch.ids)
    codons = _labels_at(positions, batch.codon_labels, batch.codon_selected, batch.ids[::3])
    return (nucleotides != IGNORE).sum() + (codons != IGNORE).sum()


def _labels_at(positions: Positions, labels: Tensor, selected: Tensor, ids: Tensor) -> Tensor:
    """The labels with `IGNORE` at every other position."""
    if positions == "selected":
        return labels.masked_fill(~selected, IGNORE)
    return labels.masked_fill(ids != MASK, IGNORE) if positions == "masked" else labels
