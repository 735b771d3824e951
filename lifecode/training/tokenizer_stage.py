"""Stage 1: the codon codec learns to reconstruct its input and to translate (Life-Code 2.3)."""

from lifecode.data.batch import Batch
from lifecode.model.codec import CodonCodec
from lifecode.objectives.log_sum import LogSum
from lifecode.objectives.masked_modelling import codon_loss, nucleotide_loss
from lifecode.objectives.translation import translation_loss
from lifecode.training.optimizer import AdamWCosine
from lifecode.training.stage import PretrainingStage, StepLosses


class TokenizerStage(PretrainingStage):
    """Trains a `CodonCodec` on reconstruction of all positions and, if it has a translator, on translation.

    Args:
        codec: the tokenizer and its readout.
        objective: joins the tasks.
        optimizer: its recipe.
    """

    name = "tokenizer"

    def __init__(self, codec: CodonCodec, *, objective: LogSum, optimizer: AdamWCosine) -> None:
        super().__init__(objective=objective, optimizer=optimizer)
        self.codec = codec

    def losses(self, batch: Batch) -> StepLosses:
        """Reconstruction and translation from the codon embeddings of the corrupted input."""
        embeddings = self.codec.tokenizer(batch.ids.int(), batch.cu_seqlens)
        nucleotides = nucleotide_loss(self.codec, embeddings, batch, positions="all")
        codons = codon_loss(self.codec, embeddings, batch, positions="all")
        tasks = {"mlm": nucleotides + codons}
        if self.codec.translator is not None:
            tasks["translation"] = translation_loss(self.codec.translator, embeddings, batch)
        return StepLosses(
            tasks,
            monitors={"nucleotide_cross_entropy": nucleotides, "codon_cross_entropy": codons},
        )
