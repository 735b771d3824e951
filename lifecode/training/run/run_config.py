"""config.yaml of a run folder, which may be another's: read as plain data, or refused.

A config that lifecode wrote has neither anchors nor depth. YAML's anchors let a few lines stand for more than
any memory holds, or for a value that contains itself.
"""

from pathlib import Path
from typing import Any

import yaml

from lifecode.host.small_file import read_small_text
from lifecode.training.run.targets import with_todays_targets

_MOST_BYTES, _DEEPEST = 1 << 24, 50
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_run_config(path: Path) -> dict[str, Any]:
    """The mapping in a config.yaml, with today's names of classes.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no mapping of plain YAML without anchors, too large, or nested too deeply.
    """
    text = read_small_text(path, _MOST_BYTES)
    try:
        require_plain(text)
        config = yaml.load(text, _LOADER)
    except yaml.YAMLError as fault:
        raise ValueError(f"no YAML: {getattr(fault, 'problem', None) or 'unreadable'}") from fault
    except RecursionError as fault:
        raise ValueError("nested too deeply") from fault
    if not isinstance(config, dict):
        raise ValueError("no mapping")
    return with_todays_targets(config)


def require_plain(text: str) -> None:
    """Of YAML, before it is read.

    Raises:
        ValueError: it has anchors, or is nested too deeply.
        yaml.YAMLError: it is no YAML.
    """
    depth = 0
    for event in yaml.parse(text, _LOADER):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise ValueError("it has YAML anchors")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError("nested too deeply")
