"""CDS-to-protein translation (Life-Code Eq. 3): the residue or stop of every codon, selected ones too."""

from torch import Tensor, nn

from lifecode.alphabet import IGNORE
from lifecode.data.batches.batch import Batch
from lifecode.objectives.loss import Loss, cross_entropy


def translation_loss(translator: nn.Module, codon_embeddings: Tensor, batch: Batch) -> Loss:
    """Cross-entropy of a translator on codon embeddings (L, codon_dim), over the 20 residues and stop."""
    at = (batch.amino_acid_labels != IGNORE).nonzero().squeeze(1)
    return cross_entropy(translator(codon_embeddings[at]), batch.amino_acid_labels[at])


def num_translated(batch: Batch) -> Tensor:
    """How many codons the loss counts, scalar int64."""
    return (batch.amino_acid_labels != IGNORE).sum()
