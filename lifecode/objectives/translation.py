"""CDS-to-protein translation (Life-Code Eq. 3): the residue or stop of every codon, selected ones too."""

from torch import Tensor

from lifecode.alphabet import IGNORE
from lifecode.data.batch import Batch
from lifecode.model.codec import CodonCodec
from lifecode.objectives.loss import Loss, cross_entropy


def translation_loss(codec: CodonCodec, codon_embeddings: Tensor, batch: Batch) -> Loss:
    """Cross-entropy of the translator on codon embeddings (L, codon_dim), over the 20 residues and stop."""
    at = (batch.amino_acid_labels != IGNORE).nonzero().squeeze(1)
    return cross_entropy(codec.translator(codon_embeddings[at]), batch.amino_acid_labels[at])


def num_translated(batch: Batch) -> Tensor:
    """How many codons the loss counts, scalar int64."""
    return (batch.amino_acid_labels != IGNORE).sum()
