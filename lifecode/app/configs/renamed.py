"""What was said before on a command line, in today's words: the config groups that have another name now.

Old commands, sweeps and experiments stay valid. The tables below are all there is to it; they are applied to
overrides before Hydra sees them, to `hydra.sweeper.params`, and to the defaults lists and group folders of a
user's own configs (--config-dir).

| Before | Today |
| --- | --- |
| `split=contigs`, `reading=default` | `data/split=contigs`, `data/reading=default` |
| `batching=default` | nothing: its keys, `data.batch.max_codons` and so on, stand in train.yaml |
| `data=life_code`, `data=many_species` | `sources=life_code`, `sources=many_species` |
| `lifecode dogma task=splice task.decoys=2` | `lifecode dogma dataset=splice dataset.decoys=2` |
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

GROUPS = {"split": "data/split", "reading": "data/reading"}
_OPTIONS = {("data", "life_code"): "sources", ("data", "many_species"): "sources"}
"""An option of a group that has become one of another group."""
_MERGED = {"batching": "default"}
"""A group of one option, which the verb's own config holds now."""
_OF_VERB = {"dogma": {"task": "dataset"}}
"""Groups of one verb, with their keys; the name is free for other verbs."""

_OVERRIDE = re.compile(r"(?P<sign>\+\+|\+|~)?(?P<key>[\w/]+)(?P<rest>[@.=].*)?", re.DOTALL)
_BEFORE = {today: before for before, today in GROUPS.items()}


def todays_overrides(verb: str | None, overrides: Iterable[str]) -> list[str]:
    """The overrides in today's words; those that say nothing any more are left out.

    Args:
        verb: whose config they change.
        overrides: as on a command line, in today's words or those of before.
    """
    return [today for line in overrides if (today := _todays_override(verb, line)) is not None]


def todays_params(verb: str | None, params: Mapping[str, Any]) -> dict[str, Any]:
    """The same for the values of a sweep by their keys, `hydra.sweeper.params`."""
    lines = {key: _todays_override(verb, f"{key}={values}") for key, values in params.items()}
    return {(line or key).partition("=")[0]: params[key] for key, line in lines.items()}


def todays_group(group: str, option: str) -> str:
    """The group of an option that a config chooses; a name without / is relative to the config, and stays."""
    if not group.startswith("/"):
        return group
    name = group.removeprefix("/")
    return "/" + (_OPTIONS.get((name, option)) or GROUPS.get(name, name))


def place_before(config_path: str) -> str | None:
    """Where a config was looked for that is now at `data/split/NAME`, if it has moved."""
    group, _, name = config_path.rpartition("/")
    return f"{_BEFORE[group]}/{name}" if group in _BEFORE else None


def in_names(key: str) -> str:
    """A key of a sweep as folders and tables call it, which a repeated sweep must find again."""
    return _BEFORE.get(key, key)


def announced(verb: str, overrides: Sequence[str]) -> list[str]:
    """What a user should be told about his words, one line each."""
    lines = []
    for before, today in _OF_VERB.get(verb, {}).items():
        if any((found := _OVERRIDE.match(line)) and found["key"] == before for line in overrides):
            lines.append(f"{before}= is now {today}=, and its keys {today}.*; the old name still works")
    return lines


def _todays_override(verb: str | None, line: str) -> str | None:
    found = _OVERRIDE.fullmatch(line)
    if found is None:
        return line
    sign, key, rest = found["sign"] or "", found["key"], found["rest"] or ""
    option = rest.removeprefix("=")
    if key in _OF_VERB.get(verb or "", {}):
        key = _OF_VERB[verb or ""][key]
    elif rest.startswith("."):
        return line
    elif rest.startswith("=") and all((key, one.strip()) in _OPTIONS for one in option.split(",")):
        key = _OPTIONS[key, option.split(",")[0].strip()]
    elif key in _MERGED and not sign:
        return None if option == _MERGED[key] else f"+{line}"
    else:
        key = GROUPS.get(key, key)
    return f"{sign}{key}{rest}"
