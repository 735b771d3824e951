"""The gradient of a joint objective over a step, however its batch is cut into micro-batches and processes.

The weights of the tasks come from the whole effective batch. Where they are known before any forward pass,
or the process has one micro-batch only, one pass is enough; otherwise a first pass without gradients measures
the losses (a third more work than one pass) and the second one descends. An objective that balances
gradients takes each task through the step alone.

Every pass goes backward through all tasks, those without weight too. So each parameter has a gradient on
every process, and all processes take the same branches: they depend on sums over all of them.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from lifecode.objectives.loss import Loss
from lifecode.training.stages.step_losses import JointlyTrained, StepLosses


class JointGradient(NamedTuple):
    """What a step found on its way to `.grad`.

    Attributes:
        losses: over the whole effective batch, detached.
        weights: of each task's mean loss in the direction taken.
        norms: of each task's own gradient at the shared parameters, if they were computed.
    """

    losses: StepLosses
    weights: dict[str, Tensor]
    norms: dict[str, Tensor]


def accumulate_joint_gradient(stage: JointlyTrained, micro_batches: list[Any]) -> JointGradient:
    """Leaves the gradient of the objective over the whole effective batch in `.grad`."""
    if stage.objective.balances_gradients:
        return _balanced(stage, micro_batches)
    weights, whole = None, None
    if stage.objective.ahead:
        weights = stage.objective.weights_ahead(stage.counts_over_processes(micro_batches))
    if weights is None and len(micro_batches) == 1:
        own = stage(micro_batches[0])
        whole = stage.over_all([own])
        weights = stage.objective.weights(whole.tasks)
        _descend(stage, own.tasks, weights)
    else:
        if weights is None:
            with torch.no_grad():
                whole = stage.over_all([stage(batch) for batch in micro_batches])
            weights = stage.objective.weights(whole.tasks)
        whole = _accumulate(stage, micro_batches, weights, known=whole)
    return JointGradient(whole, _of_means(weights, whole.tasks), {})


def task_gradient_norms(stage: JointlyTrained, micro_batches: list[Any]) -> dict[str, Tensor]:
    """Norm of the gradient of each task's mean loss at the shared parameters.

    It begins without any gradient in `.grad` and leaves none behind. Dropout goes on from where it was, so
    that looking changes no training.
    """
    device = stage.shared_parameters()[0].device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        norms = {name: norm for name, _, _, norm in _task_gradients(stage, micro_batches)}
    _take_gradients(stage)
    return norms


def _balanced(stage: JointlyTrained, micro_batches: list[Any]) -> JointGradient:
    """Sum over tasks of scale x weight x gradient at shared parameters, of weight x gradient at others."""
    found = list(_task_gradients(stage, micro_batches))
    if not found:  # no task has a position: nothing to descend, as under every other objective
        zeros = {n: 0.0 * c for n, c in stage.counts_over_processes(micro_batches).items()}
        return JointGradient(_accumulate(stage, micro_batches, zeros, known=None), zeros, {})
    whole = found[0][1]
    own_norms = {name: norm for name, _, _, norm in found}
    weights = _of_means(stage.objective.weights(whole.tasks), whole.tasks)
    scales = stage.objective.scales({name: weights[name] * norm for name, norm in own_norms.items()})
    shared = set(map(id, stage.shared_parameters()))
    for name, _, gradients, _ in found:
        for parameter, gradient in gradients:
            factor = weights[name] * scales[name] if id(parameter) in shared else weights[name]
            gradient.mul_(factor)
            if parameter.grad is None:
                parameter.grad = gradient
            else:
                parameter.grad.add_(gradient)
    taken = {name: weights[name] * scales.get(name, 1.0) for name in weights}
    return JointGradient(whole, taken, own_norms)


def _task_gradients(
    stage: JointlyTrained, micro_batches: list[Any]
) -> Iterator[tuple[str, StepLosses, list[tuple[nn.Parameter, Tensor]], Tensor]]:
    """Name, losses of the step, gradients of the mean loss, and their norm at shared parameters, by task."""
    counts = stage.counts_over_processes(micro_batches)
    shared = stage.shared_parameters()
    whole = None
    for name, count in counts.items():
        if count == 0:
            continue
        alone = {n: (1 / c if n == name else torch.zeros_like(c)) for n, c in counts.items()}
        whole = _accumulate(stage, micro_batches, alone, known=whole)
        norm = torch.nn.utils.get_total_norm([p.grad for p in shared if p.grad is not None])
        yield name, whole, _take_gradients(stage), plain(norm)


def _take_gradients(stage: JointlyTrained) -> list[tuple[nn.Parameter, Tensor]]:
    """Every parameter that has a gradient with it, which it then no longer has."""
    taken = []
    for parameter in stage.parameters():
        if parameter.grad is not None:
            taken.append((parameter, parameter.grad))
            parameter.grad = None
    return taken


def _accumulate(
    stage: JointlyTrained,
    micro_batches: list[Any],
    weights: dict[str, Tensor],
    *,
    known: StepLosses | None,
) -> StepLosses:
    """Adds the weighted gradients of all micro-batches; returns the losses of the step, or `known` ones."""
    seen = []
    for index, batch in enumerate(micro_batches):
        last = index == len(micro_batches) - 1
        with nullcontext() if last else stage.without_gradient_sync():
            losses = stage(batch)
            _descend(stage, losses.tasks, weights)
        seen.append(losses.detached())
    return stage.over_all(seen) if known is None else known


def _descend(stage: JointlyTrained, tasks: dict[str, Loss], weights: dict[str, Tensor]) -> None:
    # Gradients are averaged over processes afterwards, while the objective wants their sum.
    terms = [weights[name] * loss.total for name, loss in tasks.items()]
    stage.manual_backward(torch.stack(terms).sum() * stage.trainer.world_size)


def _of_means(weights: dict[str, Tensor], tasks: dict[str, Loss]) -> dict[str, Tensor]:
    """Weights of mean losses from those of totals."""
    return {name: weight * tasks[name].count for name, weight in weights.items()}


def plain(tensor: Tensor) -> Tensor:
    """A tensor that may be spread over processes, as a whole."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
