"""Modules of the user's own that a `_target_` may name, once he has asked for them: `plugins=[my_module]`.

Nothing of the current folder can be imported, and no config that may come from another can change that: what
counts is the user's own command line, or what he passes to `lifecode.compose`. An entry is the name of a file
or package of the current folder, a path to one, or the name of an installed package; that module alone comes
within reach, under its own name, of this process and of those that it starts.
"""

import atexit
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from keyword import iskeyword
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, QuotedString

from lifecode.errors import UserError
from lifecode.training.run.run_folder import module_name

KEY = "plugins"
_reach: ContextVar[frozenset[str]] = ContextVar("plugins", default=frozenset())
_asked_in_python: dict[str, Path] = {}
_shelf: list[tuple[int, str]] = []
"""The folder, by process, in which children find the modules: it holds a link to each and nothing else."""


class Plugin(NamedTuple):
    """A module that was asked for.

    Attributes:
        name: under which it is imported.
        path: its file, or the folder of a package; None for one that is installed.
    """

    name: str
    path: Path | None


def asked_for(overrides: Sequence[str]) -> dict[str, Path]:
    """What the overrides of a command line ask for, the values of a sweep too, with the current folder."""
    entries: list[str] = []
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        if override.key_or_group == KEY:
            value = override.value()
            entries += _texts(value.list if isinstance(value, ChoiceSweep) else value)
    return dict.fromkeys(entries, Path.cwd())


def ask_in_python(overrides: Sequence[str]) -> None:
    """The same for the overrides that a program passes; they count until it ends."""
    _asked_in_python.update(asked_for(overrides))


@contextmanager
def within_reach(config: Mapping[str, Any], asked: Mapping[str, Path] = _asked_in_python) -> Iterator[None]:
    """Imports the modules of `config.plugins`; inside, a `_target_` may name what they define.

    Args:
        config: of one run.
        asked: entries that the user himself has given, each with the folder that it is relative to.

    Raises:
        UserError: the config has an entry that he has not given, there is no such module, its name is taken,
            or it cannot be imported.
    """
    names = set()
    for entry in _texts(config.get(KEY) or []):
        if entry not in asked:
            raise UserError(
                f"a config asks for {entry}, and nothing is imported because a config says so",
                source=KEY,
                remedy=f"Say it yourself: {KEY}=[{entry}] on the command line, or in lifecode.compose",
            )
        plugin = find_plugin(entry, asked[entry])
        _import(plugin)
        names.add(plugin.name)
    token = _reach.set(frozenset(names))
    try:
        yield
    finally:
        _reach.reset(token)


def is_within_reach(name: str) -> bool:
    """Whether a dotted name begins with that of a module that the user has asked for."""
    return name.partition(".")[0] in _reach.get()


def find_plugin(entry: str, folder: Path) -> Plugin:
    """The module that an entry names.

    Args:
        entry: of `plugins`.
        folder: that it is relative to.

    Raises:
        UserError: there is none, or another module has its name.
    """
    name = module_name(entry)
    if not name.isidentifier() or iskeyword(name):
        raise UserError(f"{entry!r} is no name of a module", source=KEY, remedy="Give plugins=[my_module]")
    place = folder / Path(entry).expanduser()
    choices = [place / "__init__.py", place, place.with_name(f"{place.name}.py")]
    file = next((path for path in choices if path.suffix == ".py" and path.is_file()), None)
    if name in sys.stdlib_module_names or name == "lifecode":
        owner = "lifecode" if name == "lifecode" else "Python"
        raise UserError(f"{name} is the name of {owner}'s own module", source=file or KEY, remedy="Rename it")
    taken = _origin(name)
    if file is None:
        if taken is None or _looks_like_a_path(entry):
            raise UserError(
                f"no such file: {place if place.suffix == '.py' else f'{place}.py'}",
                source=KEY,
                remedy=f"A package is a folder with __init__.py: {name}/__init__.py",
            )
        return Plugin(name, None)
    if taken is not None and not os.path.samefile(taken, file):
        raise UserError(f"{name} is also the name of {taken}", source=file, remedy="Rename yours")
    return Plugin(name, file.parent if file.name == "__init__.py" else file)


def _looks_like_a_path(entry: str) -> bool:
    return entry.endswith(".py") or "/" in entry


def _origin(name: str) -> str | None:
    """The file of the module that Python has or would find under this name."""
    module = sys.modules.get(name)
    spec = None if module is not None else find_spec(name)
    origin = getattr(module, "__file__", None) if module is not None else spec and spec.origin
    return origin if origin and os.path.exists(origin) else None


def _import(plugin: Plugin) -> None:
    try:
        if plugin.name not in sys.modules:
            if plugin.path is None:
                import_module(plugin.name)
            else:
                _load(plugin.name, plugin.path)
    except (Exception, SystemExit) as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1" and "LIFECODE_HYDRA_FULL_ERROR" not in os.environ:
            raise
        raise _failure(plugin, error) from error
    if plugin.path is not None:
        _put_on_shelf(plugin.name, plugin.path)


def _load(name: str, path: Path) -> ModuleType:
    package = path.is_dir()
    spec = spec_from_file_location(
        name,
        path / "__init__.py" if package else path,
        submodule_search_locations=[str(path)] if package else None,
    )
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        for loaded in [other for other in sys.modules if other == name or other.startswith(f"{name}.")]:
            del sys.modules[loaded]
        raise
    return module


def _failure(plugin: Plugin, error: BaseException) -> UserError:
    """What to tell of an import that has failed: the last line of the module's own that ran."""
    own = str(plugin.path or plugin.name)
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(own)]
    where = f"{lines[-1].filename}, line {lines[-1].lineno}" if lines else own
    said = str(error)
    if isinstance(error, SyntaxError):
        where, said = f"{error.filename}, line {error.lineno}", error.msg
    remedy = None
    if isinstance(error, ModuleNotFoundError) and plugin.path and error.name:
        beside = plugin.path.parent / error.name
        if beside.is_dir() or beside.with_name(f"{error.name}.py").is_file():
            remedy = f"What lies beside it is not within reach: give plugins=[{error.name},{plugin.name}]"
    return UserError(f"cannot be imported: {type(error).__name__}: {said}", source=where, remedy=remedy)


def _put_on_shelf(name: str, path: Path) -> None:
    """Lets the processes that this one starts import the module too, as a loader's worker does."""
    if not _shelf or _shelf[-1][0] != os.getpid():
        folder = tempfile.mkdtemp(prefix="lifecode-plugins-")
        _shelf.append((os.getpid(), folder))
        sys.path.append(folder)  # which multiprocessing hands on
        atexit.register(_clear_shelf, os.getpid(), folder)
    link = Path(_shelf[-1][1], name if path.is_dir() else f"{name}.py")
    if not link.is_symlink():
        link.symlink_to(path.resolve())


def _clear_shelf(process: int, folder: str) -> None:
    if process == os.getpid():
        shutil.rmtree(folder, ignore_errors=True)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str | QuotedString) or not isinstance(value, Sequence):
        return [value.text if isinstance(value, QuotedString) else str(value)]
    return [text for item in value for text in _texts(item)]
