"""The numbers and words of a config.json, checked before a model is built from them.

A file from elsewhere may say anything: a direction that no reader knows would be taken for another one, and
two million layers would be built before the first weight is found missing.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from lifecode.errors import UserError

T = TypeVar("T")
LARGEST = 65_536
"""The greatest width or number of anything."""


def require_values(constructor: Callable[..., Any], values: Mapping[str, Any], *, under: str = "") -> None:
    """Raises a UserError unless every value has the type and range that an argument of its name may have.

    Args:
        constructor: a class; names that it does not take are left to it.
        values: its arguments, as read from JSON.
        under: put before their names in the message.
    """
    hints = get_type_hints(constructor.__init__)  # pyright: ignore
    for name in inspect.signature(constructor).parameters:
        if name not in values:
            continue
        value = values[name]
        try:
            TypeAdapter(hints[name]).validate_python(value, strict=True)
        except ValidationError as error:
            raise _wrong(under + name, value, str(error.errors()[0]["msg"])) from None
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        least = 0 if hints[name] is float or name == "depth" else 1
        if not least <= value <= LARGEST:  # neither is NaN or infinity
            raise _wrong(under + name, value, f"it should be from {least} to {LARGEST:,}")


def built(constructor: Callable[..., T], arguments: Mapping[str, Any]) -> T:
    """What the constructor makes of arguments from a config.json; its complaint becomes a UserError."""
    try:
        return constructor(**arguments)
    except (TypeError, RuntimeError) as error:  # RuntimeError: torch's, of a tensor beyond any memory
        raise UserError(
            f"the model's config does not fit this version of lifecode ({error})",
            source="config.json",
            remedy="It was written by another version: pip install --upgrade lifecode",
        ) from error


def _wrong(name: str, value: Any, why: str) -> UserError:
    said = repr(value)
    return UserError(
        f"{name} is {said if len(said) <= 60 else said[:60] + '…'}, which no model has ({why[:200]})",
        source="config.json",
        remedy="The file was changed or damaged: copy the folder again",
    )
