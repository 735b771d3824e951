"""Where each job of a sweep writes: a place of its own, named by what the sweep varies.

That name, unlike the job's number, stays when values are added: a repeated sweep finds its runs.
"""

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.conf import HydraConf
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from lifecode.app.provenance import Start
from lifecode.errors import UserError
from lifecode.host.durable import disk_faults_named, replacing

MULTIRUN = "multirun.yaml"
_LONGEST_JOB_NAME = 100  # file systems allow 255 bytes a name
_PLACES = {"run_dir": ("name", "run_dir"), "output": ("output",)}
"""The key of the place of a verb, and those which alone can give each job another."""


def give_own_place(config: DictConfig, start: Start, hydra: HydraConf) -> Path | None:
    """In a sweep, puts what the job leaves under `run_dir` or `output`, or beside it where that is a file.

    A sweep over that key alone, or over a `name` that `run_dir` is made of, has a place a job already.

    Args:
        config: of the job, which is changed.
        start: what the job is among the others.
        hydra: Hydra's settings of the job.

    Returns:
        the folder in which all jobs of the sweep have theirs, if there is one.

    Raises:
        UserError: two jobs would write to one place, or what is there leads elsewhere.
    """
    key = next((key for key in _PLACES if key in config), None)
    if hydra.mode != RunMode.MULTIRUN or key is None:
        return None
    own = [name for name in _PLACES[key] if name == key or _made_of(config, key, name)]
    varied = [name for name in start.varied if name not in own]
    if config[key] is None:  # `lifecode report` then writes into its input
        if varied != ["input"]:
            raise UserError("needs a value, or all jobs would write to one place", source=key)
        _require_different("input", start.sweep["input"])
        return None
    for name in own:
        _require_different(name, start.sweep.get(name, ()))
    for name in varied:
        if len(set(start.sweep[name])) < len(start.sweep[name]):
            raise UserError("has a value twice in this sweep", source=name, remedy="Give each value once")
    if varied or not start.sweep:
        job = job_name(start, varied) if varied else str(hydra.job.num)  # a sweeper of which nothing is known
        place = Path(config[key])
        own_place = place.with_name(f"{place.stem}.{job}{place.suffix}") if _is_file(place) else place / job
        if own_place.is_symlink():
            raise UserError(
                f"is a link to {os.readlink(own_place)}, and nothing is written through a link",
                source=own_place,
                remedy=f"Delete the link, or give another {key}",
            )
        config[key] = str(own_place)
        return None if _is_file(place) else place
    return None


def leave_multirun(record: Path | None, place: Path | None = None) -> None:
    """Leaves Hydra's multirun.yaml in the folder of a sweep, once a job has made that folder.

    Args:
        record: passing folder of the sweep, where Hydra has written the file.
        place: folder of the sweep; None for the one that the file itself names.
    """
    file = None if record is None else record / MULTIRUN
    if file is None or not file.is_file():  # on another machine, or hydra.sweep.dir names another folder
        return
    config = OmegaConf.load(file)
    assert isinstance(config, DictConfig)
    if place is None:
        key = next((key for key in _PLACES if config.get(key)), None)
        place = Path(config[key]) if key else None
    if place is None or not place.is_dir():
        return
    config.hydra.sweep.dir = str(place)
    with disk_faults_named(place / MULTIRUN), replacing(place / MULTIRUN, unique=True) as target:
        target.write(OmegaConf.to_yaml(config).encode())


def job_name(start: Start, keys: Sequence[str] | None = None) -> str:
    """A job by its values of some keys of the sweep, or all, as a file may be called."""
    keys = list(start.varied) if keys is None else keys
    name = ",".join(f"{key}={_as_name(key, start)}" for key in keys)
    if len(name) <= _LONGEST_JOB_NAME:
        return name
    return f"{name[: _LONGEST_JOB_NAME - 9]}-{_digest(name)}"


def _made_of(config: DictConfig, key: str, name: str) -> bool:
    raw: Any = OmegaConf.to_container(config, resolve=False)
    return f"${{{name}}}" in str(raw[key])


def _as_name(key: str, start: Start) -> str:
    """The job's value of a key as a file may be called, told apart from another's that would be the same."""
    value = start.varied[key]
    same = {other for other in start.sweep.get(key, ()) if _plain(other) == _plain(value)}
    return _plain(value) if same <= {value} else f"{_plain(value)}-{_digest(value)}"


def _plain(value: str) -> str:
    return re.sub(r"[^\w.,=+-]+", "-", value)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _is_file(place: Path) -> bool:
    """Whether a verb writes a file there, and no folder."""
    return place.suffix in (".npz", ".csv", ".tsv", ".parquet")


def _require_different(key: str, values: Sequence[str]) -> None:
    places = [os.path.realpath(os.path.expanduser(value)) for value in values]
    if len(set(places)) < len(places):
        raise UserError("names one place twice in this sweep", source=key, remedy="Give each job its own")
