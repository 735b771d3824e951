"""Logits of the 64 codons as log P(residue) + log P(codon | residue).

A joint softmax has to lift each synonym of a residue by itself; here the residue is one class of 21 (a stop
is one), and a second softmax chooses among its codons. Codons are grouped by the standard genetic code
(table 1) for every genome: under another code a few codons stand in the group of another residue, and the
probabilities still add up to one over the 64 codons.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from lifecode.alphabet import NUM_AMINO_ACIDS, NUM_CODONS
from lifecode.genetic_code import genetic_code
from lifecode.models.layers.norm import at_least_fp32

_RESIDUE_OF_CODON = torch.tensor(genetic_code(1).residues[:NUM_CODONS].tolist(), device="cpu")
_NO_CODON = NUM_CODONS
"""Index behind the last codon."""
_CODONS_OF_RESIDUE = nn.utils.rnn.pad_sequence(
    [torch.eq(_RESIDUE_OF_CODON, residue).nonzero().squeeze(1) for residue in range(NUM_AMINO_ACIDS)],
    batch_first=True,
    padding_value=_NO_CODON,
)
"""(21, 6), filled up with `_NO_CODON`."""


class FactorisedCodonHead(nn.Module):
    """Codon embeddings (n, codon_dim) to log P(codon) (n, 64), in fp32 or better.

    Args:
        codon_dim: width of the codon embedding.
    """

    def __init__(self, codon_dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(codon_dim, NUM_AMINO_ACIDS + NUM_CODONS)

    def forward(self, codon_embeddings: Tensor) -> Tensor:
        """The log-probability of every codon: of its residue, and of it among the residue's codons."""
        logits = at_least_fp32(self.linear(codon_embeddings))
        residue_logits, codon_logits = logits.split([NUM_AMINO_ACIDS, NUM_CODONS], dim=-1)
        # index_select: the backward pass of indexing adds up in an order that depends on threads.
        residue = _RESIDUE_OF_CODON.to(logits.device)
        codons = _CODONS_OF_RESIDUE.to(logits.device)
        padded = functional.pad(codon_logits, (0, 1), value=-torch.inf)
        synonyms = padded.index_select(1, codons.flatten()).unflatten(1, codons.shape)
        log_sums = synonyms.logsumexp(-1).index_select(1, residue)
        return residue_logits.log_softmax(-1).index_select(1, residue) + codon_logits - log_sums
