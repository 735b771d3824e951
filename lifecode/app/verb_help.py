"""`lifecode VERB --help`, told by conf/VERB.yaml itself.

Its `hydra.help.header` says what the verb does, with an example; its defaults list names the config groups;
and the comment behind each of its keys explains that key, as it does in a file that verbs share, such as
`learning`, and in the options of the groups, which `lifecode VERB GROUP=OPTION --help` shows too. Nothing is
written twice.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple

from omegaconf import DictConfig, OmegaConf

from lifecode.errors import UserError

_VALUE = r"""\"[^\"]*\"|'[^']*'|[^#]*?"""
_KEY = re.compile(rf"(?P<indent> *)(?P<name>\w+):(?: +(?P<value>{_VALUE}))?(?: +# *(?P<comment>.*))?$")
_GOES_ON = re.compile(r" +# *(?P<comment>.*)$")
_PACKAGE = re.compile(r"# @package (\S+)")
_COLUMNS, _WIDEST_KEY = 118, 44
"""Of the help; a comment goes on below itself, and stands below a key that is wider."""


class Key(NamedTuple):
    """A key of a YAML file, by its dotted name, with its value as written and the comment behind it."""

    name: str
    value: str
    comment: str


def config_name(verb: str) -> str:
    """Name of the config of a verb: conf/VERB.yaml."""
    return verb


def verb_help(verb: str, folder: Path, overrides: Iterable[str] = ()) -> str:
    """Compose the help of one verb from its config file.

    Args:
        verb: its name.
        folder: the configs.
        overrides: of the command line; of each option of a group that one of them chooses the keys are told.
    """
    file = folder / f"{config_name(verb)}.yaml"
    config = OmegaConf.load(file)
    assert isinstance(config, DictConfig)
    parts = [f"usage: lifecode {verb} [key=value ...]", str(config.hydra.help.header).strip()]
    groups = list(_config_groups(config, folder))
    if groups:
        width = max(len(group) for group, _ in groups)
        listed = "\n".join(_columns(group, ", ".join(options), width) for group, options in groups)
        parts.append(f"Config groups, as group=option (* is used if you choose none):\n{listed}")
    parts += _listed("Keys", [key for own in _files(config, file) for key in keys_of(own.read_text("utf-8"))])
    for group, option in _chosen(overrides, folder, [group for group, _ in groups]):
        parts += _listed(f"Keys of {group}={option}", keys_of_option(folder, group, option))
    own_folder = ", in <run_dir>/KEY=A and <run_dir>/KEY=B" if "run_dir" in config else ""
    more = [("GROUP=OPTION --help", "also the keys of that option")] if groups else []
    more += [
        ("--cfg job", "show every key with its value, and run nothing"),
        ("-m KEY=A,B", f"run once for each value{own_folder}"),
        ("-cd FOLDER ...", "find config groups in a folder of yours too"),
        ("'plugins=[MODULE]'", "let a _target_ name classes of yours: docs/extending.md"),
    ]
    width = max(len(f"lifecode {verb} {words}") for words, _ in more)
    parts.append(
        "\n".join(["More:", *(_columns(f"lifecode {verb} {words}", told, width) for words, told in more)])
    )
    return "\n\n".join(parts)


def _files(config: DictConfig, file: Path) -> list[Path]:
    """A verb's own file, and those whose keys it shares with other verbs; what all have is told apart."""
    shared = [name for name in config.get("defaults", []) if isinstance(name, str)]
    return [file, *(file.with_name(f"{name}.yaml") for name in shared if name not in ("base", "_self_"))]


def _listed(title: str, keys: Iterable[Key]) -> list[str]:
    """The explained keys below their title, or nothing; a key of further keys is `name.*`."""
    keys = list(keys)
    names = [key.name for key in keys]
    told = [(_with_value(key, names), key.comment) for key in keys if key.comment]
    width = min(max((len(key) for key, _ in told), default=0), _WIDEST_KEY)
    return (
        ["\n".join([f"{title}:", *(_columns(key, comment, width) for key, comment in told)])] if told else []
    )


def _with_value(key: Key, names: Iterable[str]) -> str:
    if key.value:
        return f"{key.name}={key.value}"
    has_keys = any(name.startswith(f"{key.name}.") for name in names)
    return f"{key.name}.*" if has_keys else f"{key.name}=[...]"


def _columns(left: str, right: str, width: int) -> str:
    """Words beside each other; those on the right are wrapped."""
    lines = wrap(right, _COLUMNS - width - 4, break_long_words=False, break_on_hyphens=False) or [""]
    if len(left) > width:
        lines.insert(0, "")
    return ("\n" + " " * (width + 4)).join([f"  {left:<{width}}  {lines[0]}".rstrip(), *lines[1:]])


def _config_groups(config: DictConfig, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """The groups in a config's defaults list, with their options; the chosen one is marked with a star."""
    for entry in config.get("defaults", []):
        if not isinstance(entry, DictConfig):
            continue
        for name, chosen in entry.items_ex(resolve=False):
            words = str(name).split()
            if words[0] == "override":
                continue
            group = words[-1].lstrip("/").split("@")[0]
            options = sorted(path.stem for path in (folder / group).glob("*.yaml"))
            yield group, [f"{option}*" if option == chosen else option for option in options]


def _chosen(overrides: Iterable[str], folder: Path, groups: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Group and option of each override that chooses one, or several by a list."""
    for override in overrides:
        group, _, options = override.partition("=")
        for option in options.strip("[]'\"").split(","):
            if group in groups and (folder / group / f"{option}.yaml").is_file():
                yield group, option


def options_with(verb: str, folder: Path, key: str) -> list[str]:
    """Each `group=option` of a verb that has a key, by its dotted name on the command line."""
    return [
        f"{group}={option}"
        for group, options in group_options(verb, folder)
        for option in options
        if any(found.name == key for found in keys_of_option(folder, group, option))
    ]


def group_options(verb: str, folder: Path) -> list[tuple[str, list[str]]]:
    """Each config group of a verb with its options; none of a verb without a config."""
    file = folder / f"{config_name(verb)}.yaml"
    config = OmegaConf.load(file) if file.is_file() else OmegaConf.create()
    assert isinstance(config, DictConfig)
    return [(group, [name.rstrip("*") for name in names]) for group, names in _config_groups(config, folder)]


def require_options(verb: str, folder: Path, overrides: Iterable[str]) -> None:
    """Raises a `UserError` for `GROUP=null`, at which Hydra stops with a traceback."""
    for override in overrides:
        group, _, option = override.partition("=")
        if option == "null" and (folder / group).is_dir():
            known = ", ".join(sorted(path.stem for path in (folder / group).glob("*.yaml")))
            raise UserError(
                f"{group} has no option null; it has {known}",
                remedy=f"Leave it out: `lifecode {verb} --help` shows which is used then, if any",
            )


def keys_of_option(folder: Path, group: str, option: str) -> list[Key]:
    """The keys that an option of a group sets, by the names that they have on the command line.

    What it takes over from another option of its group has that one's comments, and its own values.
    """
    text = (folder / group / f"{option}.yaml").read_text(encoding="utf-8")
    config = OmegaConf.create(text)
    assert isinstance(config, DictConfig)
    parents = [entry for entry in config.get("defaults", []) if isinstance(entry, str) and entry != "_self_"]
    found = {key.name: key for parent in parents for key in keys_of_option(folder, group, parent)}
    package = _PACKAGE.match(text)
    place = "" if package and package[1] == "_global_" else package[1] if package else group.replace("/", ".")
    for key in keys_of(text):
        name = f"{place}.{key.name}" if place else key.name
        before = found.get(name)
        found[name] = Key(name, key.value, key.comment or (before.comment if before else ""))
    return list(found.values())


def keys_of(text: str) -> Iterator[Key]:
    """Every key of a YAML file but those of Hydra; a comment may go on below itself."""
    parents: list[tuple[int, str]] = []
    last, column = None, -1
    for line in text.splitlines():
        if not (found := _KEY.match(line)):
            more = _GOES_ON.match(line)
            if last and more and more.start("comment") == column:
                last = last._replace(comment=f"{last.comment} {more['comment']}")
            continue
        if last:
            yield last
        indent = len(found["indent"])
        parents = [parent for parent in parents if parent[0] < indent]
        path = ".".join([name for _, name in parents] + [found["name"]])
        parents.append((indent, found["name"]))
        own = path.split(".")[0] not in ("hydra", "defaults") and found["name"] != "_target_"
        last = Key(path, found["value"] or "", found["comment"] or "") if own else None
        column = found.start("comment")
    if last:
        yield last
