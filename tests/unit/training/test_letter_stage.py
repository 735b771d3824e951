"""LucaOne's stage: packed as apart, cut as whole, and on where it stopped."""

import copy
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from lightning import Trainer

from lifecode.datasets.luca_one.batch import LabelledBatch, labelled_batch
from lifecode.datasets.luca_one.masking import LetterMasking
from lifecode.datasets.luca_one.stream import RowDataModule, TokenShape
from lifecode.datasets.luca_one.tasks import TASKS
from lifecode.errors import UserError
from lifecode.models.luca_one.rows import TokenRow
from lifecode.objectives import LogSum, Loss, WeightedTasks
from lifecode.objectives.joint import JointObjective
from lifecode.randomness.random_words import word_key
from lifecode.training.run.checkpoint_file import latest_checkpoint, load_module_state
from lifecode.training.stages.joint_gradient import accumulate_joint_gradient
from lifecode.training.stages.letter_stage import LetterStage
from lifecode.training.stages.optimizer import OptimizerRecipe
from lifecode.training.trainer import TrainerSettings, train_stage
from tests.support.luca_rows import NUM_KEYWORDS, luca_rows, stream_of, table_of
from tests.support.small_models import small_luca_one

WEIGHTS = dict.fromkeys(TASKS, 0.2) | {"gene_mask": 1.0, "prot_mask": 1.0, "prot_structure": 1.0}
ROWS = luca_rows(24)
TABLE = table_of(ROWS)


def letter_stage(
    objective: JointObjective | None = None, *, lr: float = 1e-3, **model: object
) -> LetterStage:
    recipe = OptimizerRecipe(lr=lr, total_steps=40, warmup_steps=2)
    sizes = {"head_dropout": 0.0, **model}
    return LetterStage(
        small_luca_one(**sizes).train(),
        objective=objective or WeightedTasks(WEIGHTS),
        optimizer=recipe,
        seed=5,
    )


def batch_of(rows: list[int]) -> LabelledBatch:
    keys = word_key(1, torch.tensor(rows).numpy())
    return labelled_batch(TABLE, rows, masking=LetterMasking(), keys=keys, num_keywords=NUM_KEYWORDS)


def losses(stage: LetterStage, batch: LabelledBatch) -> dict[str, Loss]:
    with torch.no_grad():
        return stage.eval().losses(batch).tasks


def test_a_task_without_a_weight_weighs_one():
    weighed = WeightedTasks({"gene_type": 0.2}).weights_ahead(
        {"gene_type": torch.tensor(4.0), "prot_site": torch.tensor(4.0), "prot_homo": torch.tensor(0.0)}
    )
    assert {name: float(x) for name, x in weighed.items()} == pytest.approx(
        {"gene_type": 0.05, "prot_site": 0.25, "prot_homo": 0.0}
    )
    with pytest.raises(UserError, match=r"weights\.gene_type: is -1, expected 0 or more"):
        WeightedTasks({"gene_type": -1.0})


def test_packed_is_the_sum_of_each_sequence_alone() -> None:
    stage = letter_stage().double()
    rows = [0, 1, 4, 5, 7]
    packed = losses(stage, batch_of(rows))
    alone = [losses(stage, batch_of([row])) for row in rows]
    for task, loss in packed.items():
        assert float(loss.count) == sum(float(one[task].count) for one in alone) > 0
        assert float(loss.total) == pytest.approx(sum(float(one[task].total) for one in alone), rel=1e-12)


def test_packed_is_what_a_padded_batch_gives() -> None:
    """Every sequence padded to one length, each position's loss by hand, then the two means."""
    stage, rows = letter_stage().double(), [0, 1, 4, 5]
    batch = batch_of(rows)
    packed, model = losses(stage, batch), stage.model
    borders = batch.cu_seqlens.tolist()
    expected = {task: [] for task in TASKS}
    for segment, (start, end) in enumerate(pairwise(borders)):
        length = end - start
        ids, molecules = torch.zeros(80, dtype=torch.uint8), torch.full((80,), int(batch.molecules[start]))
        ids[:length] = batch.ids[start:end]
        row = TokenRow(ids, molecules.to(torch.uint8), torch.tensor([0, length, 80], dtype=torch.int32))
        states = model.encode(row)
        for task in TASKS:
            labels = batch.labels[task]
            own = labels.segment == segment
            if not own.any():
                continue
            at = labels.at[own] - start
            logits = (
                model.language_logits(states[at]) if "mask" in task else model.task_heads[task](states[at])
            )
            values = labels.values[own]
            if task == "prot_structure":
                each = (logits - values).abs().mean(1)
            elif task == "prot_keyword":
                probability = logits.sigmoid()
                each = -(values * probability.log() + (1 - values) * (1 - probability).log()).mean(1)
            else:
                each = -logits.log_softmax(1).gather(1, values[:, None])[:, 0]
            expected[task].append(float(each.mean().detach()))
    for task, means in expected.items():
        assert float(packed[task].mean) == pytest.approx(sum(means) / len(means), rel=1e-6)


@pytest.mark.parametrize("objective", [None, LogSum()])
def test_the_gradient_does_not_depend_on_how_the_step_is_cut(objective: JointObjective | None) -> None:
    def gradients(rows_at_once: int) -> list[torch.Tensor]:
        stage = letter_stage(objective).double()
        stage.trainer = Trainer(logger=False, accelerator="cpu", enable_checkpointing=False)
        stage.manual_backward = lambda loss: loss.backward()
        steps = stream_of(TABLE, TokenShape(max_tokens=150, rows=4, rows_at_once=rows_at_once))
        micro_batches = next(iter(steps)).micro_batches
        assert len(micro_batches) == 4 // rows_at_once
        accumulate_joint_gradient(stage, micro_batches)
        found = [parameter.grad for parameter in stage.parameters()]
        assert all(gradient is not None for gradient in found)
        return [gradient for gradient in found if gradient is not None]

    whole, cut = gradients(4), gradients(1)
    largest = max(float(gradient.abs().max()) for gradient in whole)
    for one, other in zip(cut, whole, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10 * largest, rtol=0)


def test_counts_are_those_of_the_losses() -> None:
    stage, batch = letter_stage(), batch_of([0, 1, 2, 3])
    counts = stage.counts(batch)
    assert {task: float(n) for task, n in counts.items()} == {
        task: float(loss.count) for task, loss in losses(stage, batch).items()
    }


def data_module() -> RowDataModule:
    tables = {"train": TABLE, "validation": table_of(luca_rows(6, seed=1)), "test": TABLE}
    shape = TokenShape(max_tokens=150, rows=2, rows_at_once=1)
    masking = LetterMasking()
    return RowDataModule(
        tables, shape=shape, masking=masking, num_keywords=NUM_KEYWORDS, seed=1, validation_steps=1
    )


def settings(max_steps: int) -> TrainerSettings:
    return TrainerSettings(
        max_steps=max_steps,
        accelerator="cpu",
        validate_every_steps=4,
        checkpoint_every_steps=3,
        log_every_steps=1,
    )


def test_a_stage_goes_on_bit_for_bit_where_it_stopped(tmp_path: Path) -> None:
    whole, parts = (letter_stage(head_dropout=0.5) for _ in range(2))
    train_stage(whole, data_module(), settings(6), tmp_path / "whole", [])
    train_stage(copy.deepcopy(parts), data_module(), settings(2), tmp_path / "parts", [])
    torch.manual_seed(99)
    train_stage(parts, data_module(), settings(6), tmp_path / "parts", [])
    for one, other in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.equal(one, other)
    again = LetterStage.load_from_checkpoint(
        latest_checkpoint(tmp_path / "whole" / "encoder" / "checkpoints")  # pyright: ignore
    )
    assert again.model.config == whole.model.config
    assert again.objective.config == whole.objective.config
    with torch.no_grad():
        for parameter in parts.parameters():
            parameter.zero_()
    checkpoint = latest_checkpoint(tmp_path / "parts" / "encoder" / "checkpoints")
    assert checkpoint is not None
    load_module_state(parts, checkpoint)
    assert torch.equal(parts.model.embedding.tokens.weight, whole.model.embedding.tokens.weight)


def test_every_task_is_learnt_on_rows_whose_labels_follow_from_their_letters() -> None:
    """The training loss of each of the ten falls by a tenth or more, by the objective of the paper."""
    stage, batch = letter_stage(init_std=0.05).train(), batch_of(list(range(12)))
    optimizer = torch.optim.AdamW(stage.parameters(), lr=1e-2)
    seen: list[dict[str, float]] = []
    for _ in range(30):
        found = stage.losses(batch).tasks
        optimizer.zero_grad()
        stage.objective.value(found).backward()
        optimizer.step()
        seen.append({task: float(loss.mean.detach()) for task, loss in found.items()})
    for task in TASKS:
        assert seen[-1][task] < 0.9 * seen[0][task], task
