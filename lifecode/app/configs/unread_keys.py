"""Keys of a folder's configs that nothing reads: Hydra takes them all, and most are misspelt.

What stands beside a `_target_` is looked at when that is built. A key of one's own is read where an
interpolation names it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lifecode.app.explain import nearest
from lifecode.app.verb_help import group_options, keys_of_option
from lifecode.errors import UserError
from lifecode.training.run.run_folder import config_leaves


def known_keys(verb: str, folder: Path, config: Mapping[str, Any]) -> frozenset[str]:
    """Every key that a verb's config, as composed without choices, or an option of its groups has."""
    options = [
        key.name
        for group, names in group_options(verb, folder)
        for option in names
        for key in keys_of_option(folder, group, option)
    ]
    own = (key for key in config_leaves(config) if not key.startswith("hydra."))
    return frozenset([*own, *options])


def require_read(config: Mapping[str, Any], known: Collection[str], overrides: Sequence[str]) -> None:
    """Raises a `UserError` for a key that is neither known nor given on the command line nor interpolated.

    Args:
        config: as it is written, with interpolations.
        known: keys of the verb.
        overrides: of the command line.
    """
    text = str(config)
    given = {override.lstrip("+~").partition("=")[0] for override in overrides}
    for name in _unknown(config, known, ""):
        own = any(f"{name}.".startswith(f"{key}.") or key.startswith(f"{name}.") for key in given)
        if not own and f"${{{name}" not in text:
            near = nearest(name, known)
            raise UserError(
                f"no config key {name!r}",
                source="--config-dir",
                remedy=f"Did you mean {near[0]}?" if near else "Take it out: nothing reads it",
            )


def _unknown(node: Mapping[str, Any], known: Collection[str], prefix: str) -> Iterator[str]:
    for key, value in node.items():
        name = f"{prefix}{key}"
        has_keys = any(other.startswith(f"{name}.") for other in known)
        if isinstance(value, Mapping) and "_target_" in value:
            continue
        if isinstance(value, Mapping) and value and has_keys:
            yield from _unknown(value, known, f"{name}.")
        elif name not in known and not has_keys and "${" not in str(value):
            yield name
