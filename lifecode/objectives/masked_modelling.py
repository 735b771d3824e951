"""Masked modelling of DNA and CDS (Life-Code Eq. 2), in nats over the positions it reads.

A position is a nucleotide of a DNA segment, read through the de-tokenizer, or a whole codon of a CDS,
read through the joint codon head.
"""

from torch import Tensor
from torch.nn import functional

from lifecode.alphabet import IGNORE
from lifecode.data.batch import Batch
from lifecode.model.codec import CodonCodec
from lifecode.objectives.loss import Loss, cross_entropy, no_loss


def nucleotide_loss(
    codec: CodonCodec, codon_embeddings: Tensor, batch: Batch, *, only_selected: bool
) -> Loss:
    """Reconstruction of DNA nucleotides from codon embeddings (L, codon_dim)."""
    labels = batch.nucleotide_labels
    if only_selected:
        labels = labels.masked_fill(~batch.nucleotide_selected, IGNORE)
    at = (labels != IGNORE).nonzero().squeeze(1)
    if not len(at):
        return no_loss(codon_embeddings)
    return cross_entropy(codec.detokenizer(codon_embeddings, batch.cu_seqlens)[at], labels[at])


def codon_loss(codec: CodonCodec, codon_embeddings: Tensor, batch: Batch, *, only_selected: bool) -> Loss:
    """Reconstruction of CDS codons from codon embeddings (L, codon_dim)."""
    labels = batch.codon_labels
    if only_selected:
        labels = labels.masked_fill(~batch.codon_selected, IGNORE)
    at = (labels != IGNORE).nonzero().squeeze(1)
    if not len(at):
        return no_loss(codon_embeddings)
    log_probabilities = codec.codon_log_probabilities(codon_embeddings, batch.cu_seqlens, at)
    total = functional.nll_loss(log_probabilities, labels[at], reduction="sum")
    return Loss(total, total.new_tensor(float(len(at))))
