"""`lifecode VERB --help`, told by conf/VERB.yaml itself.

Its `hydra.help.header` says what the verb does, with an example; its defaults list names the config groups;
and the comment behind each of its keys explains that key. Nothing is written twice.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

_GOES_ON = re.compile(r" +# *(?P<comment>.*)$")
KEY = re.compile(r"(?P<indent> *)(?P<key>\w+):(?: +(?P<value>[^#]*?))?(?: +# *(?P<comment>.*))?$")


def config_name(verb: str) -> str:
    """Name of the config of a verb: conf/VERB.yaml."""
    return verb


def verb_help(verb: str, folder: Path) -> str:
    """Compose the help of one verb from its config file."""
    file = folder / f"{config_name(verb)}.yaml"
    config = OmegaConf.load(file)
    assert isinstance(config, DictConfig)
    parts = [f"usage: lifecode {verb} [key=value ...]", str(config.hydra.help.header).strip()]
    if groups := list(_config_groups(config, folder)):
        width = max(len(group) for group, _ in groups)
        listed = "\n".join(f"  {group:<{width}}  {', '.join(options)}" for group, options in groups)
        parts.append(f"Config groups, as group=option (* is used if you choose none):\n{listed}")
    if keys := list(commented_keys(file.read_text(encoding="utf-8"))):
        width = max(len(key) for key, _ in keys)
        listed = "\n".join(f"  {key:<{width}}  {comment}" for key, comment in keys)
        parts.append(f"Keys:\n{listed}")
    own_folder = ", in <run_dir>/KEY=A and <run_dir>/KEY=B" if "run_dir" in config else ""
    parts.append(
        "More:\n"
        f"  lifecode {verb} --cfg job        show every key with its value, and run nothing\n"
        f"  lifecode {verb} -m KEY=A,B       run once for each value{own_folder}\n"
        f"  lifecode {verb} -cd FOLDER ...   find config groups in a folder of yours too\n"
        f"  lifecode {verb} 'plugins=[MODULE]'  let a _target_ name classes of yours: docs/extending.md"
    )
    return "\n\n".join(parts)


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


def commented_keys(text: str) -> Iterator[tuple[str, str]]:
    """Every `key: value  # comment` of a YAML file, as `outer.key=value` and the whole comment."""
    parents: list[tuple[int, str]] = []
    for line in _with_whole_comments(text):
        if not (found := KEY.match(line)):
            continue
        indent = len(found["indent"])
        parents = [parent for parent in parents if parent[0] < indent]
        path = ".".join([name for _, name in parents] + [found["key"]])
        parents.append((indent, found["key"]))
        if found["comment"] and not path.startswith("hydra."):
            yield f"{path}={found['value'] or ''}", found["comment"]


def _with_whole_comments(text: str) -> Iterator[str]:
    """The lines, a comment that goes on below itself, at the same column, in one."""
    line = ""
    for below in text.splitlines():
        more = _GOES_ON.match(below)
        if more and line.find("#") == below.find("#"):
            line += f" {more['comment']}"
        else:
            yield line
            line = below
    yield line
