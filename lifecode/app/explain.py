"""An error the user can mend, as one line; `None` for a fault of the program, which keeps its traceback."""

import difflib
import errno
import re
from collections.abc import Iterable

import yaml
from hydra.errors import (
    ConfigCompositionException,
    HydraException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf import DictConfig
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)

from lifecode.app.configs.locate_config import config_folder
from lifecode.app.verb_help import options_with
from lifecode.errors import UserError

# What a disk, a quota or a permission says, as opposed to a path that a fault of ours made up.
_FILE_SYSTEM_REFUSALS = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ENOTDIR,
    errno.ENAMETOOLONG,
}

# Hydra's words for two mistakes it has no exception of their own for.
_NO_SUCH_GROUP = re.compile(r"override '(.*)'.*No match in the defaults")
_SEVERAL_VALUES = re.compile(r"Ambiguous value for argument '(.*?)=(.*)'")


def explain(error: BaseException, verb: str) -> str | None:
    """Say in one line what the user did and can do, or return None for a fault of the program."""
    chain = list(_chain(error))
    for link in chain:  # Hydra and Lightning wrap the errors of what they call
        if isinstance(link, UserError):
            return _one_line(str(link))
    for link in chain:
        if line := _explain_link(link, verb):
            return _one_line(line)
    return None


def nearest(word: str, choices: Iterable[str]) -> list[str]:
    """The choices a mistyped dotted `word` may stand for, best first.

    A key beside it with nearly the same name (`data.spilt`), else the same name elsewhere (`lr`), else
    anything that looks alike.
    """
    choices = list(choices)
    parent, _, last = word.rpartition(".")
    beside = {choice.rpartition(".")[2]: choice for choice in choices if choice.rpartition(".")[0] == parent}
    alike = [beside[name] for name in difflib.get_close_matches(last, beside, n=2)]
    elsewhere = [choice for choice in choices if choice.rpartition(".")[2] == last][:2]
    return alike or elsewhere or difflib.get_close_matches(word, choices, n=2, cutoff=0.7)


def _chain(error: BaseException | None) -> Iterable[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _explain_link(error: BaseException, verb: str) -> str | None:
    everything = f"`lifecode {verb} --cfg job` lists all keys"
    match error:
        case MissingConfigException():
            return _missing_option(error)
        case ConfigCompositionException(__cause__=ConfigAttributeError() | ConfigKeyError() as cause):
            return _unknown_key(str(error), cause, verb, everything)
        case OverrideParseException():
            return _unreadable_override(error, verb)
        case ConfigCompositionException() if found := _NO_SUCH_GROUP.search(str(error)):
            return f"{verb} has no config group {found[1]!r}. `lifecode {verb} --help` lists the groups"
        case ConfigCompositionException() if found := _SEVERAL_VALUES.match(str(error)):
            key, value = found.groups()
            return (
                f"{key}={value} has several values. A list is {key}=[{value}], "
                f"and to run once for each value add -m: lifecode {verb} -m {key}={value}"
            )
        case ConfigCompositionException(__cause__=OmegaConfBaseException() as cause):
            return f"{error}: {str(cause).splitlines()[0]}"
        case HydraException():
            return str(error) or None  # without a text, the cause that follows in the chain speaks
        case MissingMandatoryValue():
            return f"{error.full_key} needs a value. Give it: lifecode {verb} {error.full_key}=..."
        case OmegaConfBaseException():
            where = f"{error.full_key}: " if error.full_key else ""
            return f"{where}{str(error).splitlines()[0]}. {everything}"
        case yaml.YAMLError():
            return f"a config file is not YAML: {error}"
        case OSError() if error.errno in _FILE_SYSTEM_REFUSALS:
            where = f"{error.filename}: " if error.filename else ""
            return f"{where}{error.strerror}. Choose another folder, or free the space or permission it needs"
        case OSError() if error.errno in (errno.EMFILE, errno.ENFILE):
            return f"{error.strerror}. Raise the limit (ulimit -n 1024), or use fewer workers"
    if any(kind.__name__ == "TerminatedWorkerError" for kind in type(error).__mro__):  # joblib's
        return (
            "a process of the sweep was killed, perhaps for want of memory. The same command goes on with "
            "the runs that are not finished; hydra.launcher.n_jobs=1 runs one at a time"
        )
    return str(error) if is_misconfiguration(error) else None


def is_misconfiguration(error: BaseException) -> bool:
    """Whether Lightning says that its settings cannot be had, such as a missing GPU (without its import)."""
    return any(kind.__name__ == "MisconfigurationException" for kind in type(error).__mro__)


def _missing_option(error: MissingConfigException) -> str:
    group, _, option = (error.missing_cfg_file or "").rpartition("/")
    if error.options is None or not group:
        return str(error).split("Config search path")[0]
    near = nearest(option, error.options)
    guess = f" Did you mean {group}={near[0]}?" if near else ""
    return f"{group} has no option {option!r}; it has {', '.join(sorted(error.options))}.{guess}"


def _have(options: list[str]) -> str:
    return "has" if len(options) == 1 else "have"


def _unknown_key(message: str, cause: OmegaConfBaseException, verb: str, everything: str) -> str:
    found = re.search(r"override '(.*?)'", message)
    key = found[1] if found else str(cause.full_key)
    root = cause.parent_node._get_root() if cause.parent_node is not None else None
    if options := options_with(verb, config_folder(), key):
        return f"no config key {key!r} here. {' and '.join(options[:3])} {_have(options)} it. {everything}"
    if isinstance(root, DictConfig) and (empty := _empty_parent(root, key)):
        return f"no config key {key!r}. {empty} has no keys; +{key}=... gives it this one"
    near = nearest(key, _keys(root)) if isinstance(root, DictConfig) else []
    guess = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"no config key {key!r}.{guess} {everything}"


def _empty_parent(root: DictConfig, key: str) -> str | None:
    """The part of a dotted key that is null or without keys; Hydra has made the first the second by now."""
    names = key.split(".")
    for count in range(1, len(names)):
        node = root._get_node(names[count - 1], validate_access=False)
        if not isinstance(node, DictConfig) or node._is_interpolation():
            return None
        if node._is_none() or not node:
            return ".".join(names[:count])
        root = node
    return None


def _keys(node: DictConfig, prefix: str = "") -> Iterable[str]:
    for key, value in node.items_ex(resolve=False):
        if not prefix and key == "hydra":
            continue
        yield f"{prefix}{key}"
        if isinstance(value, DictConfig) and not value._is_none() and not value._is_interpolation():
            yield from _keys(value, f"{prefix}{key}.")


def _unreadable_override(error: OverrideParseException, verb: str) -> str:
    if "=" not in error.override and not error.override.startswith("~"):
        found = config_folder().rglob(f"*/{error.override}.yaml")
        groups = sorted(path.parent.relative_to(config_folder()).as_posix() for path in found)
        advice = f"Did you mean {groups[0]}={error.override}?" if groups else f"See lifecode {verb} --help"
        return f"{error.override!r} is not of the form key=value. {advice}"
    key = error.override.split("=", 1)[0]
    return (
        f"cannot read {error.override!r}. Put a value with commas, brackets or quotes into double quotes "
        f"inside single ones: '{key}=\"...\"'"
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
