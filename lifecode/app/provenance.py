"""How the command that runs was started: what has to stand beside a figure when it is written down.

A sweep starts a verb many times; each start knows what varies and how many of them share the machine. The run
folder keeps it in `provenance.json`, from which `lifecode report` takes it.
"""

import json
import math
import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

import lifecode
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.host.small_file import read_small_text
from lifecode.host.usable_cores import usable_cores
from lifecode.training.run.run_folder import PROVENANCE


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a verb.

    Attributes:
        command: as it was typed.
        varied: the keys of the sweep with their values in this job; empty outside a sweep.
        sweep: the keys of the sweep with all their values.
        runs_at_a_time: jobs of the sweep that share this machine.
        overrides: of this job, without those of Hydra's settings; for the processes that it starts.
    """

    command: str = ""
    varied: Mapping[str, str] = field(default_factory=dict)
    sweep: Mapping[str, Sequence[str]] = field(default_factory=dict)
    runs_at_a_time: int = 1
    overrides: Sequence[str] = ()


HANDED_DOWN = "LIFECODE_START"
"""Environment variable that tells the processes of one run how it was started, as JSON."""
_current: ContextVar[Start] = ContextVar("start", default=Start())  # noqa: B039 (it is immutable)


@contextmanager
def started_as(start: Start) -> Iterator[None]:
    """Makes a start known to the verb that runs inside."""
    token = _current.set(start)
    try:
        yield
    finally:
        _current.reset(token)


def current_start() -> Start:
    """How what runs now was started."""
    return _current.get()


def handed_down() -> Start | None:
    """The start of the run that this process is one of several of, if one of them started the others."""
    text = os.environ.get(HANDED_DOWN)
    if not text:
        return None
    told = json.loads(text)
    return Start(**{**told, "overrides": tuple(told["overrides"])})


def command_line(verb: str, arguments: Sequence[str]) -> str:
    """What a user typed, ready to be typed again."""
    return shlex.join(["lifecode", *verb.split(), *arguments])


def swept_values(overrides: Sequence[str], params: Mapping[str, Any]) -> dict[str, list[str]]:
    """The keys that a sweep varies, with their values.

    Args:
        overrides: of the command line; a single value narrows a key of `params`.
        params: `hydra.sweeper.params` of the config.
    """
    lines = [*(f"{key}={values}" for key, values in params.items()), *overrides]
    values: dict[str, list[str]] = {}
    for override in OverridesParser.create().parse_overrides(lines):
        key = override.get_key_element()
        if override.is_sweep_override():
            try:
                values[key] = [_unquoted(value) for value in override.sweep_string_iterator()]
            except (HydraException, AssertionError):  # a glob or an interval, which has no list
                values[key] = []
        elif key in values:
            values[key] = [_unquoted(override.get_value_element_as_str())]
    return values


def split_overrides(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those of Hydra's own settings, and the others."""
    hydras: list[str] = []
    others: list[str] = []
    for override in OverridesParser.create().parse_overrides(list(lines)):
        (hydras if override.is_hydra_override() else others).append(str(override.input_line))
    return hydras, others


def own_values(lines: Sequence[str], keys: Sequence[str]) -> dict[str, str]:
    """The values of `keys` among the overrides of one job, in the job's order."""
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {key: _unquoted(value) for key, value in pairs if key in keys}


def jobs_at_a_time(launcher: Mapping[str, Any], sweep: Mapping[str, Sequence[str]]) -> int:
    """How many jobs of a sweep share a machine under a launcher: `n_jobs` of joblib's, 1 of all others."""
    wanted = launcher.get("n_jobs")
    if not isinstance(wanted, int):
        return 1
    wanted = wanted if wanted > 0 else max(1, usable_cores() + 1 + wanted)
    return min(wanted, max(1, math.prod(max(1, len(values)) for values in sweep.values())))


def record_provenance(folder: Path, machine: Mapping[str, Any]) -> None:
    """Writes `provenance.json` into a run folder, for a sitting that is about to train.

    `runs_at_a_time` is the most of all sittings: a run that once shared its machine says nothing about speed.
    """
    path = folder / PROVENANCE
    start, before = current_start(), 1
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):  # not there yet, or damaged
        before = int(json.loads(read_small_text(path))["runs_at_a_time"])
    content = {
        **asdict(start),
        "runs_at_a_time": max(before, start.runs_at_a_time),
        "version": version("lifecode"),
        "commit": _source_commit(),
        "machine": dict(machine),
    }
    del content["overrides"]  # which are in the command
    with disk_faults_named(path), replacing(path) as file:
        file.write((json.dumps(content, indent=2) + "\n").encode())


def _source_commit() -> str | None:
    """The commit of the source tree, with a + if it has changed since; None for an installed wheel."""
    root = Path(lifecode.__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    try:
        commit = _git(root, "rev-parse", "--short=10", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{commit}+" if changed else commit


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()


def _unquoted(value: str) -> str:
    """A value as Hydra writes it in an override, without its quotes and backslashes."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1]
    return re.sub(r"\\(.)", r"\1", value)
