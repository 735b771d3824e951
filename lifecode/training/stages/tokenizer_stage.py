"""Stage 1: the codon codec learns to reconstruct its input and to translate (Life-Code 2.3)."""

from torch import Tensor, nn

from lifecode.data.batches.batch import Batch
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.row_contents import RowContents
from lifecode.models.layers.cost import Part
from lifecode.models.life_code.codec import CodonCodec
from lifecode.models.parts import codec_parts
from lifecode.objectives.joint import JointObjective
from lifecode.objectives.masked_modelling import codon_loss, nucleotide_loss, num_positions
from lifecode.objectives.translation import num_translated, translation_loss
from lifecode.training.stages.optimizer import OptimizerRecipe
from lifecode.training.stages.stage import PretrainingStage
from lifecode.training.stages.step_losses import StepLosses


class TokenizerStage(PretrainingStage):
    """Trains a `CodonCodec` on reconstruction of all positions and, if it has a translator, on translation.

    Args:
        codec: the tokenizer and its readout.
        objective: joins the tasks.
        optimizer: its recipe.
        task_gradients_every_steps: steps between logs of each task's gradient norm.
    """

    name = "tokenizer"
    number = 1
    positions = "all"

    def __init__(
        self,
        codec: CodonCodec,
        *,
        objective: JointObjective,
        optimizer: OptimizerRecipe,
        task_gradients_every_steps: int = 0,
    ) -> None:
        super().__init__(
            objective=objective, optimizer=optimizer, task_gradients_every_steps=task_gradients_every_steps
        )
        self.codec = codec
        self.keep_hyperparameters(
            codec=codec,
            objective=objective,
            optimizer=optimizer,
            task_gradients_every_steps=task_gradients_every_steps,
        )

    def shared_parameters(self) -> list[nn.Parameter]:
        """Those of the tokenizer."""
        return list(self.codec.tokenizer.parameters())

    @property
    def tasks(self) -> list[str]:
        """Reconstruction and, with a translator, translation."""
        return ["mlm"] if self.codec.translator is None else ["mlm", "translation"]

    @property
    def monitors(self) -> list[str]:
        """The two parts of reconstruction."""
        return ["nucleotide_cross_entropy", "codon_cross_entropy"]

    def representation(self, batch: Batch) -> Tensor:
        """Codon embeddings (L, codon_dim)."""
        return self.codec.tokenizer(batch.ids.int(), batch.cu_seqlens)

    def parts(self, contents: RowContents, masking: Masking) -> list[Part]:
        """The parts of the codec; the codon head reads every codon of a CDS."""
        return codec_parts(self.codec, contents, codons_read=contents.cds_codons)

    def counts(self, batch: Batch) -> dict[str, Tensor]:
        """All known nucleotides of DNA and codons of CDS; all codons of CDS."""
        counts = {"mlm": num_positions(batch, positions=self.positions)}
        return counts if self.codec.translator is None else {**counts, "translation": num_translated(batch)}

    def losses(self, batch: Batch) -> StepLosses:
        """Reconstruction and translation from the codon embeddings of the corrupted input."""
        embeddings = self.representation(batch)
        nucleotides = nucleotide_loss(self.codec, embeddings, batch, positions=self.positions)
        codons = codon_loss(self.codec, embeddings, batch, positions=self.positions)
        tasks = {"mlm": nucleotides + codons}
        if self.codec.translator is not None:
            tasks["translation"] = translation_loss(self.codec.translator, embeddings, batch)
        return StepLosses(
            tasks,
            dict(zip(self.monitors, (nucleotides, codons), strict=True)),
        )
