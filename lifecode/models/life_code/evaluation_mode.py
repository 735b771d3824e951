"""A model as in evaluation mode, whatever mode it and the calling program are in; neither is changed."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch
from torch import nn

from lifecode.models.weights import require_values_there

P = ParamSpec("P")
R = TypeVar("R")


def undisturbed(function: Callable[P, R]) -> Callable[P, R]:
    """The function with the same result in any program that calls it: ordinary tensors without gradient.

    The caller's autocast, inference mode, gradients and default device do not reach into it, and are as they
    were behind it. Half precision is a model in half precision, `model.to(torch.bfloat16)`.
    """

    @wraps(function)
    def alone(*args: P.args, **kwargs: P.kwargs) -> R:
        with ExitStack() as stack:
            stack.enter_context(torch.inference_mode(False))
            stack.enter_context(torch.no_grad())
            for device in _autocasting():
                stack.enter_context(torch.autocast(device, enabled=False))
            if torch.get_default_device().type != "cpu":
                stack.enter_context(torch.device("cpu"))
            return function(*args, **kwargs)

    return alone


def _autocasting() -> list[str]:
    """The kinds of devices whose autocast is on."""
    there = ("cpu", "cuda", "mps", "xpu")
    return [device for device in there if torch.is_autocast_enabled(device)]


def in_evaluation(module: nn.Module) -> Any:
    """The module if all of it is in evaluation mode, else a twin of it that is, with the same parameters.

    Setting the mode of the module itself would change it for every other thread that uses it.

    Raises:
        UserError: it is on the meta device.
    """
    require_values_there(module.parameters())
    if not any(part.training for part in module.modules()):
        return module
    twins: dict[int, nn.Module] = {}

    def twin_of(part: nn.Module) -> nn.Module:
        if id(part) not in twins:
            twin = twins[id(part)] = object.__new__(type(part))  # parametrized parts refuse copy.copy
            twin.__dict__.update(part.__dict__)
            twin.training = False
            twin._modules = {
                name: None if child is None else twin_of(child) for name, child in part._modules.items()
            }
        return twins[id(part)]

    return twin_of(module)
