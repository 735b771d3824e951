"""Stage 2: the encoder learns masked modelling, translation and distillation (Life-Code 2.4)."""

import torch
from torch import Tensor, nn

from lifecode.data.batches.batch import Batch
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.row_contents import RowContents
from lifecode.errors import UserError
from lifecode.models.families import require_life_code
from lifecode.models.layers.cost import Part
from lifecode.models.life_code.model import LifeCode
from lifecode.models.parts import model_parts
from lifecode.objectives.distillation import DistillationLoss, FeatureMoments
from lifecode.objectives.joint import JointObjective
from lifecode.objectives.masked_modelling import codon_loss, nucleotide_loss, num_positions
from lifecode.objectives.translation import num_translated, translation_loss
from lifecode.training.stages.optimizer import OptimizerRecipe
from lifecode.training.stages.stage import PretrainingStage
from lifecode.training.stages.step_losses import StepLosses


class EncoderStage(PretrainingStage):
    """Trains a `LifeCode` whose codec comes from stage 1.

    Args:
        model: the model, with a protein decoder if `distillation` is given.
        objective: joins the tasks.
        optimizer: its recipe.
        task_gradients_every_steps: steps between logs of each task's gradient norm.
        distillation: the loss against the teacher's features, or None.
        freeze_tokenizer: keep the tokenizer as stage 1 left it.
        freeze_readout: keep de-tokenizer, codon head and translator as stage 1 left them.
    """

    name = "encoder"
    number = 2
    positions = "selected"

    def __init__(
        self,
        model: LifeCode,
        *,
        objective: JointObjective,
        optimizer: OptimizerRecipe,
        task_gradients_every_steps: int = 0,
        distillation: DistillationLoss | None = None,
        freeze_tokenizer: bool = False,
        freeze_readout: bool = True,
    ) -> None:
        super().__init__(
            objective=objective, optimizer=optimizer, task_gradients_every_steps=task_gradients_every_steps
        )
        require_life_code(model)
        if distillation is not None and model.protein_decoder is None:
            raise UserError("distillation needs a model with a protein decoder", remedy="Set teacher_width")
        self.model, self.distillation = model, distillation
        self.keep_hyperparameters(
            model=model,
            objective=objective,
            optimizer=optimizer,
            task_gradients_every_steps=task_gradients_every_steps,
            distillation=distillation,
            freeze_tokenizer=freeze_tokenizer,
            freeze_readout=freeze_readout,
        )
        frozen = [model.codec.tokenizer] if freeze_tokenizer else []
        frozen += model.codec.readout() if freeze_readout else []
        if distillation is None and model.protein_decoder is not None:
            frozen.append(model.protein_decoder)  # no loss reads it
        for part in frozen:
            part.requires_grad_(False)

    def before_step(self, micro_batches: list[Batch]) -> None:
        """Moves the teacher's centre and scale by the features of the whole effective batch."""
        if self.distillation is None:
            return
        moments = [DistillationLoss.moments(self._features(batch)) for batch in micro_batches]
        summed = [self.over_processes(torch.stack(parts).sum(0)) for parts in zip(*moments, strict=True)]
        self.distillation.update(FeatureMoments(*summed))

    def shared_parameters(self) -> list[nn.Parameter]:
        """Those of tokenizer and encoder."""
        parts = (self.model.codec.tokenizer, self.model.encoder)
        return [p for part in parts for p in part.parameters() if p.requires_grad]

    @property
    def tasks(self) -> list[str]:
        """Masked modelling; translation, with a translator; distillation, with a teacher."""
        translates, is_taught = self.model.codec.translator is not None, self.distillation is not None
        return ["mlm", *["translation"] * translates, *["distillation"] * is_taught]

    @property
    def monitors(self) -> list[str]:
        """Reconstruction of DNA, and that of the codons of CDS whose input was `[MASK]`."""
        return ["nucleotide_cross_entropy", "masked_codon_cross_entropy"]

    def representation(self, batch: Batch) -> Tensor:
        """Hidden states (L, d)."""
        return self.model(batch.ids, batch.cu_seqlens)

    def parts(self, contents: RowContents, masking: Masking) -> list[Part]:
        """The parts of the model; the codon head reads selected codons, those that are `[MASK]` twice."""
        read = masking.codon_fraction * (1 + masking.masked) * contents.cds_codons
        taught = self.distillation is not None
        return model_parts(self.model, contents, codons_read=read, is_taught=taught)

    def counts(self, batch: Batch) -> dict[str, Tensor]:
        """Selected nucleotides of DNA and codons of CDS; all codons of CDS; residues the teacher has seen."""
        counts = {"mlm": num_positions(batch, positions=self.positions)}
        if self.model.codec.translator is not None:
            counts["translation"] = num_translated(batch)
        if self.distillation is not None:
            counts["distillation"] = counts["mlm"].new_tensor(len(batch.teacher_positions))
        return counts

    def losses(self, batch: Batch) -> StepLosses:
        """Masked modelling, translation and distillation from the encoder's hidden states."""
        hidden = self.representation(batch)
        embeddings = self.model.codon_projection(hidden)
        codec = self.model.codec
        nucleotides = nucleotide_loss(codec, embeddings, batch, positions=self.positions)
        codons = codon_loss(codec, embeddings, batch, positions=self.positions)
        tasks = {"mlm": nucleotides + codons}
        if codec.translator is not None:
            tasks["translation"] = translation_loss(codec.translator, embeddings, batch)
        if self.distillation is not None and self.model.protein_decoder is not None:
            decoded = self.model.protein_decoder(hidden[batch.teacher_positions])
            tasks["distillation"] = self.distillation(decoded, self._features(batch))
        with torch.no_grad():
            masked = codon_loss(codec, embeddings, batch, positions="masked")
        return StepLosses(tasks, dict(zip(self.monitors, (nucleotides, masked), strict=True)))

    def _features(self, batch: Batch) -> Tensor:
        """Teacher features (R, D'), of that width also where there is no residue."""
        assert self.distillation is not None
        return batch.teacher_features.reshape(-1, len(self.distillation.centre))
