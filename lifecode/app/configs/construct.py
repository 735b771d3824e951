"""Build the object a config node describes, after checking every value against the constructor's annotations.

`hydra.utils.instantiate` passes whatever the YAML holds, and a wrong value surfaces deep inside the library
or not at all. Here the typed constructor is the schema, and there is no second one to keep in step: each
value is checked through pydantic as strict JSON (an int may be a float; a bool is no int, "3" is no number;
a list may be a tuple, a string a path, a mapping a dataclass), and the error names the full config key.

A config may come from a stranger, so a `_target_` only reaches the classes of `configurable`, and what the
modules define that the user himself has asked for (`plugins`).
"""

import functools
import inspect
import json
import math
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue
from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUndefinedAnnotation

from lifecode.app.configs.configurable import is_configurable
from lifecode.app.configs.plugins import is_within_reach
from lifecode.app.explain import is_misconfiguration, nearest
from lifecode.errors import UserError
from lifecode.training.run.targets import todays_target

_OUR_PACKAGE = "lifecode"
_OPEN_PREFIXES = ("lifecode.", "torch.optim.", "lightning.")

_MAY_BE_INFINITE = ("clip_norm",)
"""Arguments of our own in which infinity means something: gradients as they are."""
_VARIADIC = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
Node = DictConfig | Mapping[Any, Any]


def construct(node: Node, **extra: Any) -> Any:
    """Call the `_target_` of `node` with its values, nested nodes first; `_partial_: true` binds them only.

    Args:
        node: a config node with `_target_`; its other keys are arguments of the target.
        extra: arguments that no config can hold, such as parameters or modules; they win and are not checked.
    """
    return _construct(node, _full_key(node), extra)


def checked_value(config: DictConfig, key: str, kind: Any) -> Any:
    """The value at a dotted key as the type `kind`, checked like an argument of `construct`.

    For keys that no constructor receives: `checked_value(config, "stage", Literal["encoder", "both"])`.
    """
    return _check_value(_plain(OmegaConf.select(config, key, throw_on_missing=True), key), kind, key)


def _construct(node: Node, key: str, extra: Mapping[str, Any]) -> Any:
    values = {str(word): value for word, value in _items(node, key)}
    if "_target_" not in values:
        raise UserError("names no _target_ to build", source=key or "config")
    name, partial = values.pop("_target_"), values.pop("_partial_", False)
    key = key or str(name)
    if not isinstance(partial, bool):
        raise UserError(f"is {partial!r}, expected true or false", source=f"{key}._partial_")
    target = locate(name, f"{key}._target_")
    arguments = _check(target, {k: v for k, v in values.items() if k not in extra}, key, name)
    for word in extra:
        _require_taken(word, target, key, name)
    arguments |= extra
    if partial:
        return functools.partial(target, **arguments)
    for word, parameter in inspect.signature(target).parameters.items():
        optional = parameter.default is not parameter.empty or parameter.kind in _VARIADIC
        if not optional and word not in arguments:
            raise UserError(
                f"{name} needs a value", source=f"{key}.{word}", remedy=f"Give it as +{key}.{word}=..."
            )
    return _call(target, arguments, key)


def _call(target: Callable[..., Any], arguments: Mapping[str, Any], key: str) -> Any:
    try:
        return target(**arguments)
    except UserError as error:
        if error.source is not None:
            raise
        raise UserError(error.problem, source=key, record=error.record, remedy=error.remedy) from error
    except Exception as error:
        if not isinstance(error, ValueError) and not is_misconfiguration(error):
            raise
        raise UserError(str(error), source=key) from error  # the right type and still wrong


def _full_key(node: object) -> str:
    return node._get_full_key(None) if isinstance(node, DictConfig | ListConfig) else ""


def _items(node: Node, key: str) -> Iterator[tuple[Any, Any]]:
    """The node's values as plain Python, interpolations resolved and nested nodes built."""
    for name in node:
        inner = f"{key}.{name}" if key else str(name)
        try:
            yield name, _plain(node[name], inner)
        except MissingMandatoryValue as error:
            raise UserError("needs a value", source=inner, remedy=f"Give it as {inner}=...") from error


def _plain(value: Any, key: str) -> Any:
    if isinstance(value, DictConfig | dict):
        return _construct(value, key, {}) if "_target_" in value else dict(_items(value, key))
    if isinstance(value, ListConfig | list):
        return [_plain(item, f"{key}[{index}]") for index, item in enumerate(value)]
    return value


def locate(name: object, key: str) -> Callable[..., Any]:
    """The class that a `_target_` names; `key` is where it stands.

    Raises:
        UserError: there is none, or it is not made to be configured.
    """
    if not isinstance(name, str) or not (name.startswith(_OPEN_PREFIXES) or is_within_reach(name)):
        allowed = ", ".join(f"{prefix}*" for prefix in _OPEN_PREFIXES)
        own = str(name).partition(".")[0]
        example = "my_module" if own in sys.stdlib_module_names or not own.isidentifier() else own
        raise UserError(
            f"{name!r} is not allowed",
            source=key,
            remedy=f"A _target_ is one of {allowed}, or of a module of yours: plugins=[{example}] runs it",
        )
    module, attribute = _import_as_far_as_possible(todays_target(name), key)
    target = getattr(module, attribute, None)
    if target is None:
        near = nearest(attribute, [public for public in dir(module) if not public.startswith("_")])
        guess = f"Did you mean {module.__name__}.{near[0]}?" if near and "." not in attribute else None
        raise UserError(f"there is no {name!r}", source=key, remedy=guess)
    own = callable(target) and is_within_reach(getattr(target, "__module__", None) or "")
    if attribute.startswith("_") or not (own or is_configurable(target)):
        raise UserError(f"{name!r} is not made to be configured", source=key)
    return target


def _import_as_far_as_possible(name: str, key: str) -> tuple[Any, str]:
    """The deepest module of a dotted name, and the one name that must be its attribute."""
    path, _, attribute = name.rpartition(".")
    try:
        return import_module(path), attribute
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if _within(path, missing):  # part of the dotted name itself
            return import_module(name.partition(".")[0]), path.partition(".")[2]
        if not missing or _within(missing, _OUR_PACKAGE):
            raise
        raise UserError(
            f"{name!r} needs the package {missing!r}, which is not installed", source=key
        ) from error


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _check(target: Callable[..., Any], values: dict[str, Any], key: str, name: str) -> dict[str, Any]:
    """The values as the target's annotations want them, or a `UserError` that names the first wrong one."""
    parameters = inspect.signature(target).parameters
    open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    checked = {}
    ours = _within(name, _OUR_PACKAGE)
    for word, value in values.items():
        parameter = parameters.get(word)
        if parameter is None or parameter.kind in _VARIADIC:
            if not open_ended:
                _refuse_unknown(word, list(parameters), key, name)
            checked[word] = value
        elif parameter.annotation is parameter.empty or not _is_data(value):
            checked[word] = value
        else:
            kind, infinite = _annotation(target, parameter), not ours or word in _MAY_BE_INFINITE
            checked[word] = _check_value(value, kind, f"{key}.{word}", infinite=infinite)
    return checked


def _require_taken(word: str, target: Callable[..., Any], key: str, name: str) -> None:
    """Raises a UserError where the target has no place for an argument that no config holds."""
    parameters = inspect.signature(target).parameters
    if word not in parameters and not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        raise UserError(f"{name} takes no {word!r}, which is given to it here", source=key)


def _refuse_unknown(word: str, known: list[str], key: str, name: str) -> typing.NoReturn:
    near = nearest(word, known)
    remedy = f"Did you mean {near[0]}?" if near else f"It takes {', '.join(known) or 'none'}"
    raise UserError(f"{name} takes no {word!r}", source=f"{key}.{word}", remedy=remedy)


def _is_data(value: Any) -> bool:
    """Whether a value came from YAML as it is, and holds no object that was built."""
    if isinstance(value, dict):
        return all(map(_is_data, value.values()))
    if isinstance(value, list):
        return all(map(_is_data, value))
    return value is None or isinstance(value, bool | int | float | str)


def _annotation(target: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    """The parameter's type, also where `from __future__ import annotations` left only its text."""
    if not isinstance(parameter.annotation, str):
        return parameter.annotation
    function = inspect.unwrap(target.__init__ if inspect.isclass(target) else target)
    names = vars(sys.modules[target.__module__]) | getattr(function, "__globals__", {})
    holder = type("holder", (), {"__annotations__": {parameter.name: parameter.annotation}})
    try:
        return typing.get_type_hints(holder, names, include_extras=True)[parameter.name]
    except NameError:
        if _within(target.__module__, _OUR_PACKAGE):
            raise
        return Any  # imported for type checkers only: not to be had, so not to be checked


def _check_value(value: Any, kind: Any, key: str, *, infinite: bool = False) -> Any:
    if _holds(math.isnan, value):  # lies within every bound that is written as `value < 0`
        raise UserError(f"is {value!r}, expected a number in place of nan", source=key)
    if not infinite and _holds(math.isinf, value):  # within every bound on one side
        raise UserError(f"is {value!r}, expected a finite number", source=key)
    try:
        adapter = _adapter(kind)
        checked = adapter.validate_json(json.dumps(value), strict=True)
        return list(checked) if isinstance(checked, Iterator) else checked
    except ValidationError as error:
        where, expected = _expectation(error, kind)
        remedy = _quotes(value, key) if expected == "string" or "str" in expected else None
        raise UserError(f"is {value!r}, expected {expected}{where}", source=key, remedy=remedy) from error
    except (PydanticSchemaGenerationError, PydanticUndefinedAnnotation):
        return value


def _holds(what: Callable[[float], bool], value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(_holds(what, one) for one in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, float) and what(value)


def _quotes(value: Any, key: str) -> str | None:
    """What to do about a number for a text: `5:1`, say, which YAML reads as 5 x 60 + 1."""
    if not key.endswith("ratio"):
        return "Put it in quotes" if isinstance(value, int | float) else None
    numbers = [value] if isinstance(value, int) else value if isinstance(value, list) else []
    for number in numbers:
        if isinstance(number, int) and number >= 60:
            ratio = f"{number // 60}:{number % 60}"
            return f'YAML reads {ratio} without quotes as the number {number}: write "{ratio}"'
    return None


def _adapter(kind: Any) -> TypeAdapter:
    try:
        return TypeAdapter(kind, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticUserError:  # a dataclass brings its own
        return TypeAdapter(kind)


def _expectation(error: ValidationError, kind: Any) -> tuple[str, str]:
    """Where inside the value the fault is, and what is wanted there, in words."""
    problems = error.errors()
    wish = "Input should be "
    if len(problems) > 1 or not problems[0]["msg"].startswith(wish):
        return "", inspect.formatannotation(kind).replace("typing.", "")
    inner = ".".join(map(str, problems[0]["loc"]))
    return f" at {inner}" if inner else "", problems[0]["msg"].removeprefix(wish).removeprefix("a valid ")
