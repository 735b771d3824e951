"""A model as in evaluation mode, without changing the mode that others see it in."""

import copy
from typing import Any

from torch import nn


def in_evaluation(module: nn.Module) -> Any:
    """The module if all of it is in evaluation mode, else a twin of it that is, with the same parameters.

    Setting the mode of the module itself would change it for every other thread that uses it.
    """
    if not any(part.training for part in module.modules()):
        return module
    twins: dict[int, nn.Module] = {}

    def twin_of(part: nn.Module) -> nn.Module:
        if id(part) not in twins:
            twin = twins[id(part)] = copy.copy(part)
            twin.training = False
            twin._modules = {
                name: None if child is None else twin_of(child) for name, child in part._modules.items()
            }
        return twins[id(part)]

    return twin_of(module)
