"""Pre-training of LucaOne: masked letters and labels of many kinds, all from the same hidden states."""

import torch
from torch import Tensor, nn

from lifecode.datasets.luca_one.batch import LabelledBatch, TokenContents
from lifecode.datasets.luca_one.masking import LetterMasking
from lifecode.datasets.luca_one.tasks import MASK_TASKS
from lifecode.errors import UserError
from lifecode.evaluation.metrics import LETTERS_PER_SECOND
from lifecode.models.layers.cost import Part
from lifecode.models.luca_one.model import LucaOne
from lifecode.models.luca_one.parts import luca_one_parts
from lifecode.objectives.joint import JointObjective
from lifecode.objectives.labelled_letters import num_labelled_sequences, task_losses
from lifecode.randomness.random_words import Use, word_key
from lifecode.training.stages.optimizer import OptimizerRecipe
from lifecode.training.stages.stage import PretrainingStage
from lifecode.training.stages.step_losses import StepLosses


class LetterStage(PretrainingStage):
    """Trains a `LucaOne` on the two masks and on every labelled task that it has a head of.

    The dropout of the heads follows from the seed, the step and the process, so that a stage goes on exactly
    where it stopped; for that it sets torch's random numbers before each step.

    Args:
        model: the model.
        objective: joins the tasks.
        optimizer: its recipe.
        task_gradients_every_steps: steps between logs of each task's gradient norm.
        seed: of the dropout.
    """

    name = "encoder"
    number = 1
    positions = "selected"
    speed = LETTERS_PER_SECOND

    def __init__(
        self,
        model: LucaOne,
        *,
        objective: JointObjective,
        optimizer: OptimizerRecipe,
        task_gradients_every_steps: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(
            objective=objective, optimizer=optimizer, task_gradients_every_steps=task_gradients_every_steps
        )
        if not isinstance(model, LucaOne):
            raise UserError(
                "learns from rows of letters, which needs a model of family luca_one", source="model"
            )
        self.model, self.seed = model, seed
        self.keep_hyperparameters(
            model=model,
            objective=objective,
            optimizer=optimizer,
            task_gradients_every_steps=task_gradients_every_steps,
            seed=seed,
        )

    def before_step(self, micro_batches: list[LabelledBatch]) -> None:
        """Makes the dropout of this step what it is in every sitting."""
        key = word_key(Use.DROPOUT, self.seed, self.global_step, self.global_rank)
        torch.manual_seed(int(key[0] >> 1))

    def shared_parameters(self) -> list[nn.Parameter]:
        """Those of embeddings and encoder."""
        parts = (self.model.embedding, self.model.encoder)
        return [p for part in parts for p in part.parameters() if p.requires_grad]

    @property
    def tasks(self) -> list[str]:
        """The two masks, then the tasks of the model's heads."""
        return [*MASK_TASKS, *self.model.task_heads]

    @property
    def monitors(self) -> list[str]:
        """The two masks where the input was `[MASK]`, as a baseline sees it."""
        return [f"{task}_masked" for task in MASK_TASKS]

    def representation(self, batch: LabelledBatch) -> Tensor:
        """Hidden states (T, d)."""
        return self.model(batch.ids, batch.molecules, batch.cu_seqlens)

    def outputs(self, batch: LabelledBatch) -> dict[str, Tensor]:
        """Logits and coordinates of each task, in the order of its labels."""
        states = self.representation(batch)
        outputs = {task: self.model.language_logits(states[batch.labels[task].at]) for task in MASK_TASKS}
        for task, head in self.model.task_heads.items():
            outputs[task] = head(states[batch.labels[task].at])
        return outputs

    def counts(self, batch: LabelledBatch) -> dict[str, Tensor]:
        """Sequences with any label of each task."""
        return {task: num_labelled_sequences(batch.labels[task]) for task in self.tasks}

    def losses(self, batch: LabelledBatch) -> StepLosses:
        """All tasks from the hidden states of the masked input."""
        outputs = self.outputs(batch)
        with torch.no_grad():
            chosen = batch.is_masked()
            alone = {task: outputs[task][chosen[task]] for task in MASK_TASKS}
            masked = task_losses(alone, batch.only_masked())
        monitors = dict(zip(self.monitors, masked.values(), strict=True))
        return StepLosses(task_losses(outputs, batch), monitors)

    def contents(self, batch: LabelledBatch) -> TokenContents:
        """What one micro-batch holds."""
        return batch.contents

    def sequence_length(self, batch: LabelledBatch) -> int:
        """Letters."""
        return batch.num_letters

    def parts(self, contents: TokenContents, masking: LetterMasking) -> list[Part]:
        """The parts of the model with what each reads; the language head reads selected letters alone."""
        return luca_one_parts(self.model, contents)
