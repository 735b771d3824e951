"""What the compiled kernels have beyond values: first gradients, and no more.

torch's own operations have all of it, and run in their place under `torch.func` (grad, vmap, jvp). That a
second derivative is wanted the usual way shows in the first backward pass only. There it is an error: torch
would leave out what passes through the kernels, in silence where gradients of some parameters are asked for.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lifecode.errors import UserError


def is_transformed() -> bool:
    """Whether a transform of `torch.func` is at work, under which tensors have no memory of their own."""
    return torch._C._are_functorch_transforms_active()


def outside_transforms() -> AbstractContextManager[None]:
    """What is done inside is done to tensors of memory."""
    return torch._C._DisableFuncTorch() if is_transformed() else nullcontext()


def without_transforms(tensor: Tensor) -> Tensor:
    """The tensor of memory inside what a transform wraps."""
    functorch: Any = torch._C._functorch  # pyright: ignore[reportAttributeAccessIssue]
    while functorch.is_functorch_wrapped_tensor(tensor):
        tensor = functorch.get_unwrapped(tensor)
    return tensor


def first_gradients(backward: Callable[..., Any]) -> Callable[..., Any]:
    """The backward pass of a kernel, which refuses `create_graph=True` with a `UserError`."""
    once = once_differentiable(backward)

    @wraps(backward)
    def checked(ctx: Any, *grads: Any) -> Any:
        if torch.is_grad_enabled():
            raise UserError(
                "the compiled kernels have first gradients alone, and create_graph=True asks for second ones",
                remedy="Take torch.func, under which torch's own operations run in their place",
            )
        return once(ctx, *grads)

    return checked
