"""What a public function is called with, held against its annotations before it begins.

A call from a notebook that gives a frame for a path, or a text for a list, would fail far inside, or read
the letters of the text. `arguments_checked` makes one `UserError` of it that names the argument. Values are
not converted, but for an iterator where a sequence is asked for, which becomes a list: it can be read once
only. Of a list of words, such as names of baselines, the type alone is looked at: what it knows says the
function. beartype, typeguard and pydantic's `validate_call` do not carry this meaning: all refuse NumPy's
integers, booleans and arrays, and the first two take True for a number and a text for a sequence of texts.
"""

import inspect
import io
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

from lifecode.errors import UserError

_P = ParamSpec("_P")
_R = TypeVar("_R")
_C = TypeVar("_C", bound=type)
_NUMBERS = {int: Integral, float: Real}
_LONGEST_VALUE = 60
"""Characters that are shown of a value."""


def arguments_checked(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function, which raises a `UserError` for an argument that is not what its annotation says.

    A parameter without an annotation, or with `Any`, takes anything. A `Protocol` is met by what has its
    methods; of a type that is imported for type checkers only, the name is compared.
    """
    signature, kinds = inspect.signature(function), {}

    @wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            given = signature.bind(*args, **kwargs)
        except TypeError:
            given = None
        if given is None:
            return function(*args, **kwargs)  # which says what is wrong by its own name
        if not kinds:
            kinds.update(_annotations(function))
        for name, value in given.arguments.items():
            parameter = signature.parameters[name]
            if name not in kinds or parameter.kind == parameter.VAR_KEYWORD:
                continue
            is_file = isinstance(value, io.IOBase)  # whose lines are no paths
            if isinstance(value, Iterator) and not is_file and any(map(_is_sequence, _choices(kinds[name]))):
                given.arguments[name] = value = list(value)
            for one in value if parameter.kind == parameter.VAR_POSITIONAL else (value,):
                _require(one, kinds[name], name, function)
        return function(*given.args, **given.kwargs)

    return call


def fields_checked(settings: _C) -> _C:
    """The dataclass, whose constructor raises a `UserError` for a field that is not what it says."""
    settings.__init__ = arguments_checked(settings.__init__)
    return settings


def require_positive(**numbers: Any) -> None:
    """Raises a `UserError` unless each argument is a whole number of at least 1."""
    for name, number in numbers.items():
        if not _fits(number, int) or number < 1:
            raise UserError(f"{number!r} is no positive number", source=name, remedy="Give 1 or more")


def _require(value: Any, kind: Any, name: str, function: Callable[..., Any]) -> None:
    if not _fits(value, kind):
        remedy = f"See help({function.__qualname__.removesuffix('.__init__')})"
        raise UserError(f"is {_shown(value)}, expected {_words(kind)}", source=name, remedy=remedy)
    if name == "seed" and value is not None and value < 0:
        raise UserError(f"is {value}, expected 0 or more", source=name)
    choices = _choices(kind)
    words = [word for choice in choices if get_origin(choice) is Literal for word in get_args(choice)]
    others = [choice for choice in choices if get_origin(choice) is not Literal]
    if words and value not in words and not any(_fits_one(value, choice) for choice in others):
        known = [*words, *([None] if NoneType in others else [])]
        raise UserError(f"{value!r} is unknown", source=name, remedy=f"Choose {', '.join(map(str, known))}")


class _ByName:
    """Stands for a type that is imported for type checkers only: its name is all that is known."""


def _annotations(function: Callable[..., Any]) -> dict[str, Any]:
    """The types of the parameters; a name that is not there at run time is a `_ByName`."""
    absent: dict[str, Any] = {}
    while True:
        try:
            found = typing.get_type_hints(function, localns=absent)
        except NameError as error:
            name = str(error.name)
            absent[name] = type(name, (_ByName,), {})
        else:
            return {name: kind for name, kind in found.items() if name != "return"}


def _choices(kind: Any) -> tuple[Any, ...]:
    """The members of a union, or the type alone."""
    if get_origin(kind) in (Union, UnionType):
        return tuple(choice for member in get_args(kind) for choice in _choices(member))
    return (kind,)


def _is_sequence(kind: Any) -> bool:
    return get_origin(kind) in (Sequence, Iterable, list)


def _fits(value: Any, kind: Any) -> bool:
    return any(_fits_one(value, choice) for choice in _choices(kind))


def _fits_one(value: Any, kind: Any) -> bool:
    origin, members = get_origin(kind), get_args(kind)
    if origin is Literal:
        return any(_fits_one(value, type(word)) for word in members)
    if _is_sequence(kind):
        return _is_row(value) and all(_fits(item, members[0]) for item in value)
    if origin is not None:
        return not isinstance(origin, type) or isinstance(value, origin)
    if kind in (None, NoneType):
        return value is None
    if kind is Any or not isinstance(kind, type):
        return True
    if kind in _NUMBERS:
        return isinstance(value, _NUMBERS[kind]) and not isinstance(value, bool)
    if kind is bool:
        return isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")  # NumPy's
    if kind is Path:
        return isinstance(value, PathLike)
    if issubclass(kind, _ByName):
        return any(base.__name__ == kind.__name__ for base in type(value).__mro__)
    if getattr(kind, "_is_protocol", False):
        methods = [name for name in vars(kind) if not name.startswith("_")]
        return all(hasattr(value, name) for name in methods)
    return isinstance(value, kind)


def _is_row(value: Any) -> bool:
    """Whether it is several values, one behind the other: no text, mapping, table or iterator."""
    one_dimensional = len(getattr(value, "shape", (0,))) == 1
    several = isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping | Iterator)
    return several and one_dimensional


def _shown(value: Any) -> str:
    if value is None or isinstance(value, str | bytes | bool | int | float | list | tuple | dict | Path):
        text = repr(value)
        return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
    return f"a {type(value).__name__}"


def _words(kind: Any) -> str:
    """The type as it stands in the signature, without the modules that names come from."""
    return " | ".join(dict.fromkeys(map(_word, _choices(kind))))


def _word(kind: Any) -> str:
    members = get_args(kind)
    if get_origin(kind) is Literal:
        return " | ".join(dict.fromkeys(map(repr, members)))
    if kind in (None, NoneType):
        return "None"
    name = getattr(kind, "__name__", str(kind))
    return f"{name}[{', '.join(map(_words, members))}]" if members else name
