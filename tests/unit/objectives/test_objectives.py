"""Losses by hand, and the log-sum's gradient for any cut of the batch."""

import math

import pytest
import torch

from lifecode.alphabet import IGNORE, MASK
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.mixture import Mixture
from lifecode.data.batches.stream import TrainingStream
from lifecode.errors import UserError
from lifecode.models import CodonCodec
from lifecode.objectives import DistillationLoss, LogSum, Loss, MaxNorm, StepCost, WeightedSum, WeightedTasks
from lifecode.objectives.distillation import FeatureMoments
from lifecode.objectives.loss import cross_entropy
from lifecode.objectives.masked_modelling import codon_loss, nucleotide_loss
from lifecode.training.stages.optimizer import OptimizerRecipe


def loss(total: float, count: float) -> Loss:
    return Loss(torch.tensor(total), torch.tensor(count))


def test_log_sum_by_hand():
    tasks = {"mlm": loss(6.0, 2.0), "translation": loss(1.0, 4.0), "absent": loss(0.0, 0.0)}
    joint = LogSum(eps=0.5)
    assert float(joint.value(tasks)) == pytest.approx(math.log(3.5) + math.log(0.75))
    weights = joint.weights(tasks)
    assert float(weights["mlm"]) == pytest.approx(1 / (2 * 3.5))
    assert float(weights["translation"]) == pytest.approx(1 / (4 * 0.75))
    assert float(weights["absent"]) == 0.0


def test_weights_are_the_gradient_of_the_value():
    totals = torch.tensor([6.0, 1.0], requires_grad=True)
    tasks = {"a": Loss(totals[0], torch.tensor(2.0)), "b": Loss(totals[1], torch.tensor(4.0))}
    joint = LogSum(eps=1e-3)
    (gradient,) = torch.autograd.grad(joint.value(tasks), totals)
    expected = torch.stack(list(joint.weights(tasks).values()))
    torch.testing.assert_close(gradient, expected)


def test_eps_keeps_a_task_near_zero_from_taking_over():
    weights = LogSum(eps=0.1).weights({"near zero": loss(1e-9, 1.0)})
    assert float(weights["near zero"]) == pytest.approx(10.0, rel=1e-6)
    with pytest.raises(UserError, match="eps"):
        LogSum(eps=0.0)


def counts(tasks: dict[str, Loss]) -> dict[str, torch.Tensor]:
    return {name: loss.count for name, loss in tasks.items()}


def floats(weights: dict[str, torch.Tensor]) -> dict[str, float]:
    return {name: float(weight) for name, weight in weights.items()}


def test_lagged_weights_by_hand():
    first = {"mlm": loss(6.0, 2.0), "translation": loss(0.0, 0.0)}
    second = {"mlm": loss(9.0, 3.0), "translation": loss(1.0, 4.0)}
    joint = LogSum(eps=0.5, weights="lagged")
    assert joint.weights_ahead(counts(first)) is None  # nothing to remember yet: this step is measured
    joint.remember(first)
    assert joint.weights_ahead(counts(second)) is None  # nor of translation
    joint.remember(second)
    third = {"mlm": loss(0.0, 5.0), "translation": loss(0.0, 0.0)}
    expected = {"mlm": pytest.approx(1 / (5 * 3.5)), "translation": 0.0}
    assert floats(joint.weights_ahead(counts(third))) == expected
    joint.remember(third)  # a step without translation leaves its loss as it was
    assert joint.state_dict() == {"mlm": 0.0, "translation": 0.25}


def test_lagged_weights_go_on_from_their_state_bit_for_bit():
    joint = LogSum(weights="lagged")
    joint.remember({"mlm": loss(0.1, 3.0)})
    resumed = LogSum(weights="lagged")
    resumed.load_state_dict(joint.state_dict())
    later = {"mlm": torch.tensor(7.0)}
    assert torch.equal(resumed.weights_ahead(later)["mlm"], joint.weights_ahead(later)["mlm"])
    exact = LogSum()
    exact.remember({"mlm": loss(0.1, 3.0)})
    assert exact.state_dict() == {}


def test_eps_bounds_a_lagged_weight_too():
    joint = LogSum(eps=0.1, weights="lagged")
    joint.remember({"near zero": loss(0.0, 1.0)})
    assert floats(joint.weights_ahead({"near zero": torch.tensor(2.0)})) == {"near zero": pytest.approx(5.0)}


def test_weighted_sum_by_hand():
    tasks = {"mlm": loss(6.0, 2.0), "translation": loss(1.0, 4.0), "distillation": loss(0.0, 0.0)}
    joint = WeightedSum(mlm=0.5, translation=2.0, distillation=3.0)
    assert float(joint.value(tasks)) == pytest.approx(0.5 * 3.0 + 2.0 * 0.25)
    expected = {"mlm": 0.25, "translation": 0.5, "distillation": 0.0}
    assert floats(joint.weights(tasks)) == floats(joint.weights_ahead(counts(tasks))) == expected
    for weight in (-1.0, math.inf, math.nan):
        with pytest.raises(UserError, match="finite and not negative"):
            WeightedSum(mlm=weight)


def test_tasks_without_any_weight_are_refused():
    joint = WeightedSum(mlm=0.0, translation=0.0, distillation=1.0)
    joint.require_weight(["mlm", "translation", "distillation"])
    with pytest.raises(UserError, match=r"objective\.joint: .*mlm, translation.*learn nothing"):
        joint.require_weight(["mlm", "translation"])
    LogSum().require_weight(["mlm"])
    with pytest.raises(UserError, match=r"no weight of gene_mask; .*WeightedTasks"):
        joint.require_weight(["gene_mask"])


def test_a_weight_of_no_task_is_refused():
    of_another_stage = {"gene_taxonomy": 0.2, "distillation": 0.5}
    WeightedTasks({"mine": 2.0, **of_another_stage}).require_weight(["mine", "yours"])
    with pytest.raises(UserError, match=r"weights\.mime: there is no task 'mime'\. Did you mean mine\?"):
        WeightedTasks({"mime": 2.0}).require_weight(["mine", "yours"])
    with pytest.raises(UserError, match="learn nothing"):
        WeightedTasks({"mine": 0.0}).require_weight(["mine"])


def test_max_norm_by_hand():
    joint = MaxNorm(eps=0.5)
    tasks = {"mlm": loss(6.0, 2.0), "translation": loss(1.0, 4.0)}
    assert floats(joint.weights(tasks)) == floats(LogSum(eps=0.5).weights(tasks))
    norms = {"mlm": torch.tensor(0.5), "translation": torch.tensor(4.0), "without": torch.tensor(0.0)}
    assert floats(joint.scales(norms)) == {"mlm": 8.0, "translation": 1.0, "without": 0.0}


@pytest.mark.parametrize(
    ("joint", "micro_batches", "cost"),
    [
        (LogSum(), 1, StepCost(0, 1, 1, 1)),
        (LogSum(), 4, StepCost(4, 4, 4, 1)),
        (LogSum(weights="lagged"), 4, StepCost(0, 4, 4, 1)),
        (WeightedSum(), 4, StepCost(0, 4, 4, 1)),
        (MaxNorm(), 1, StepCost(0, 3, 3, 3)),
        (MaxNorm(), 4, StepCost(0, 12, 12, 3)),
    ],
)
def test_the_stated_cost(joint, micro_batches, cost):
    assert joint.cost(micro_batches, 3) == cost


def test_cross_entropy_ignores_positions():
    logits = torch.zeros(3, 4)
    total, count = cross_entropy(logits, torch.tensor([1, IGNORE, 2]))
    assert float(total) == pytest.approx(2 * math.log(4))
    assert float(count) == 2


def test_distillation_by_hand():
    joint = DistillationLoss(width=2, teacher_temperature=1.0, student_temperature=1.0)
    joint.centre.copy_(torch.tensor([1.0, 0.0]))
    joint.scale.fill_(2.0)
    features = torch.tensor([[1.0 + 2 * math.log(3), 0.0]])  # centred and scaled: log 3 and 0
    total, count = joint(torch.zeros(1, 2), features)
    expected = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    assert float(total) == pytest.approx(expected, rel=1e-5)
    assert float(count) == 1
    assert float(joint(torch.tensor([[math.log(3), 0.0]]), features).total) == pytest.approx(0.0, abs=1e-6)


def test_paper_mode_is_the_cross_entropy_without_centre():
    joint = DistillationLoss(width=2, mode="paper")
    joint.update(DistillationLoss.moments(torch.randn(5, 2)))
    assert not joint.centre.any()
    total, _ = joint(torch.zeros(1, 2), torch.tensor([[math.log(3), 0.0]]))
    assert float(total) == pytest.approx(math.log(2), rel=1e-5)


def test_centre_and_scale_are_moving_averages_of_whole_batches():
    joint = DistillationLoss(width=2, ema_decay=0.9)
    first = torch.tensor([[1.0, 3.0], [3.0, 3.0]])
    joint.update(DistillationLoss.moments(first))
    torch.testing.assert_close(joint.centre, torch.tensor([2.0, 3.0]))
    assert float(joint.scale) == pytest.approx(math.sqrt(0.5))
    halves = [DistillationLoss.moments(row[None]) for row in torch.tensor([[12.0, 3.0], [12.0, 3.0]])]
    joint.update(FeatureMoments(*(a + b for a, b in zip(*halves, strict=True))))
    torch.testing.assert_close(joint.centre, torch.tensor([3.0, 3.0]))
    assert float(joint.scale) == pytest.approx(0.9 * math.sqrt(0.5) + 0.1 * 1e-6, rel=1e-4)


def test_temperatures_centre_and_scale_by_hand():
    """Teacher softmax((t - centre) / (scale tau_t)), student softmax(s / tau_s), KL summed over residues."""
    joint = DistillationLoss(width=2, teacher_temperature=0.5, student_temperature=0.25)
    joint.centre.copy_(torch.tensor([3.0, 1.0]))
    joint.scale.fill_(4.0)
    # (t - centre) / (4 x 0.5) is (log 4, 0) and (0, 0); s / 0.25 is (0, 0) and (log 9, 0).
    features = torch.tensor([[3.0 + 2 * math.log(4), 1.0], [3.0, 1.0]])
    decoded = torch.tensor([[0.0, 0.0], [0.25 * math.log(9), 0.0]])
    first = 0.8 * math.log(0.8 / 0.5) + 0.2 * math.log(0.2 / 0.5)
    second = 0.5 * math.log(0.5 / 0.9) + 0.5 * math.log(0.5 / 0.1)
    total, count = joint(decoded, features)
    assert float(total) == pytest.approx(first + second, rel=1e-5)
    assert float(count) == 2


def test_paper_mode_knows_neither_temperatures_nor_centre():
    """Eq. 4 as printed: - sum over D' of softmax(t) log softmax(s), whatever else is configured."""
    joint = DistillationLoss(
        width=2, mode="paper", teacher_temperature=0.1, student_temperature=0.1, ema_decay=0.5
    )
    joint.update(DistillationLoss.moments(torch.full((4, 2), 7.0)))
    decoded, features = torch.tensor([[math.log(9), 0.0]]), torch.tensor([[math.log(3), 0.0]])
    expected = -(0.75 * math.log(0.9) + 0.25 * math.log(0.1))
    assert float(joint(decoded, features).total) == pytest.approx(expected, rel=1e-5)
    assert int(joint.num_updates) == 0


def test_the_gradient_of_distillation_is_student_minus_teacher():
    """Over tau_s, in both modes: the entropy that KL subtracts is a constant of the teacher."""
    decoded, features = torch.randn(3, 4), torch.randn(3, 4)
    for mode, tau in (("dino", 0.2), ("paper", 1.0)):
        joint = DistillationLoss(width=4, mode=mode, student_temperature=0.2, teacher_temperature=0.3)
        student = decoded.clone().requires_grad_()
        joint(student, features).total.backward()
        teacher = (features / joint.teacher_temperature).softmax(-1)
        expected = ((decoded / tau).softmax(-1) - teacher) / tau
        torch.testing.assert_close(student.grad, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("positions", ["all", "selected", "masked"])
def test_which_codons_and_nucleotides_are_read(small_corpus, positions):
    torch.manual_seed(0)
    codec = CodonCodec(nucleotide_dim=16, conv_channels=8, num_heads=2, translator_hidden=16)
    shape = BatchShape(max_codons=300, rows=4)
    stream = TrainingStream(
        small_corpus, shape=shape, masking=Masking(), seed=0, mixture=Mixture(cds=1, dna=1)
    )
    (batch,) = next(iter(stream)).micro_batches
    embeddings = torch.randn(len(batch.codon_labels), 24)
    masked = batch.ids == MASK
    codons = {
        "all": batch.codon_labels >= 0,
        "selected": batch.codon_selected,
        "masked": batch.codon_selected & masked[::3],
    }[positions]
    nucleotides = {
        "all": batch.nucleotide_labels >= 0,
        "selected": batch.nucleotide_selected,
        "masked": batch.nucleotide_selected & masked,
    }[positions]
    got = codon_loss(codec, embeddings, batch, positions=positions)
    expected = torch.nn.functional.cross_entropy(
        codec.codon_head(embeddings[codons]), batch.codon_labels[codons], reduction="sum"
    )
    assert float(got.count) == codons.sum() > 5
    assert float(got.total.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    logits = codec.detokenizer(embeddings, batch.cu_seqlens)[nucleotides]
    expected = torch.nn.functional.cross_entropy(
        logits, batch.nucleotide_labels[nucleotides], reduction="sum"
    )
    got = nucleotide_loss(codec, embeddings, batch, positions=positions)
    assert float(got.count) == nucleotides.sum() > 5
    assert float(got.total.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)


@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan")])
def test_constants_that_would_make_every_loss_mute(value):
    for make in (
        lambda: LogSum(value),
        lambda: DistillationLoss(width=2, teacher_temperature=value),
        lambda: DistillationLoss(width=2, student_temperature=value),
        lambda: OptimizerRecipe(lr=value, total_steps=9),
    ):
        with pytest.raises(UserError, match="finite"):
            make()
