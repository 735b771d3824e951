"""A run is a folder: what it is (config.yaml), what it did (metrics.csv) and how long it took."""

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from lifecode.errors import UserError
from lifecode.host.durable import disk_faults_named, replacing, require_writable
from lifecode.host.own_folder import require_own
from lifecode.host.small_file import read_small_text
from lifecode.training.run.run_config import parse_run_config
from lifecode.training.run.targets import with_todays_targets

IDENTITY = (
    *("input", "data", "model", "teacher", "objective", "kd", "optim", "seed"),
    *("tokenizer_checkpoint", "init_from", "plugins", "pretraining"),
)
"""Config keys that say which run this is; the others may change between sittings."""
PROVENANCE = "provenance.json"
"""File of a run folder: the command, the commit and the machine, see `lifecode.app.provenance`."""
_OF_THE_MACHINE = (
    "teacher.cache",
    "teacher.verify_cache",
    "teacher.model.device",
    "teacher.model.residues_at_once",
)
"""Keys among them that say where and how features are computed, and not which."""
_SHARE, _CODE = "data.reading.max_ambiguous_share", "data.reading.genetic_code"
_SAME_AS_BEFORE = {
    "data.batch_seed": None,
    "data.mixture.temperature": 1,
    "data.mixture.joined": 0,
    "optim.tokenizer.matrices": "adamw",
    "optim.encoder.matrices": "adamw",
    "optim.tokenizer.decay_steps": None,
    "optim.encoder.decay_steps": None,
    "model.mixers": None,
    "model.mixer_options": None,
    "model.short_conv_width": 4,
    "model.codec.short_conv_width": 4,
    "pretraining.labels": {},
}
"""Keys that older runs do not have, with the value that means what these did."""
_LOCK = ".lock"
_KEYS_NAMED = 3
_LONGEST_SECONDS = 1e12


class RunFolder:
    """The folder of one run, for one process at a time: until it is closed, or its process ends.

    Args:
        path: of the folder; made if it does not exist.
        config: the resolved config of this sitting, plain containers only.
        writes: whether this process writes to it; of several processes one does.

    Raises:
        UserError: the folder belongs to a run of another identity (the keys that differ are named), another
            process is at work in it, or it cannot be written to.
    """

    def __init__(self, path: str | Path, config: dict[str, Any], *, writes: bool = True) -> None:
        config = with_todays_targets(config)
        self.path, self._config, self._writes = Path(path).expanduser(), config, writes
        self._lock = FileLock(self.path / _LOCK)
        self._made: list[Path] = []
        if not writes:
            return
        # W&B has links to its own logs in the folders of its earlier sittings.
        only_read = ["wandb/*/*", *(["corpus"] if (self.path / "corpus").is_dir() else [])]
        require_own(self.path, only_read=only_read)
        self._made = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            require_writable(self.path)  # where no file can be made, the lock says that another has it
            self._lock.acquire(blocking=False)
        except Timeout as held:
            raise UserError(
                "another process is training in this folder",
                source=self.path,
                remedy="Wait for it, or give this run its own name=... or run_dir=...",
            ) from held
        except OSError as error:
            raise UserError(
                f"cannot write here ({error.strerror})", source=self.path, remedy="Choose another run_dir"
            ) from error
        try:
            self._refuse_another_run(config)
        except UserError:
            self._lock.release()
            raise

    def close(self) -> None:
        """Lets another sitting have the folder, also while something still holds this object."""
        self._lock.release()

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Writes config.yaml after what is inside has succeeded; a failure leaves no empty folder behind."""
        try:
            yield
        except BaseException:
            if self._made and [entry.name for entry in self.path.iterdir()] == [_LOCK]:
                (self.path / _LOCK).unlink()
            for folder in self._made:
                if folder.exists() and not any(folder.iterdir()):
                    folder.rmdir()
            raise
        if not self._writes:
            return
        path = self.path / "config.yaml"
        with disk_faults_named(path), replacing(path) as file:
            file.write(yaml.safe_dump(self._config, sort_keys=False).encode())

    def _refuse_another_run(self, config: dict[str, Any]) -> None:
        existing = self.path / "config.yaml"
        if not existing.exists():
            return
        before, now = (_identity(sitting) for sitting in (read_run_config(existing), config))
        if lost := [name for name in before["plugins"] if name not in now["plugins"]]:
            raise UserError(
                f"was begun with plugins=[{','.join(before['plugins'])}], and this command lacks "
                f"{' and '.join(lost)}",
                source=self.path,
                remedy=f"Give plugins=[{','.join(before['plugins'])}] again, or this run its own name=...",
            )
        keys = (before.keys() | now.keys()) - set(_OF_THE_MACHINE)
        if _SHARE not in before:  # begun before this key, when code 1 was the default and no wish
            keys -= {_SHARE} | ({_CODE} if before.get(_CODE) == 1 and now.get(_CODE) is None else set())
        keys -= {key for key, value in _SAME_AS_BEFORE.items() if key not in before and now.get(key) == value}
        changed = sorted(key for key in keys if before.get(key) != now.get(key))
        if changed:
            named = [f"{k} was {before.get(k)!r} and is {now.get(k)!r}" for k in changed[:_KEYS_NAMED]]
            others = [f"{len(changed) - _KEYS_NAMED} more"] * (len(changed) > _KEYS_NAMED)
            raise UserError(
                f"holds another run: {', '.join([*named, *others])}",
                source=self.path,
                remedy="Give this run its own name=... or run_dir=..., or delete the folder",
            )

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Adds the seconds spent inside to a part of the run, over all sittings."""
        start = time.perf_counter()
        try:
            yield
        finally:
            if self._writes and (self.path / "config.yaml").exists():
                parts = self.seconds()
                parts[part] = parts.get(part, 0.0) + time.perf_counter() - start
                # On a full disk the error from inside says more.
                with suppress(OSError), replacing(self.path / "timing.json") as file:
                    file.write((json.dumps(parts, indent=2) + "\n").encode())

    def seconds(self) -> dict[str, float]:
        """Seconds spent on each part so far, as far as they are known."""
        with suppress(OSError, ValueError, RecursionError):
            parts = json.loads(read_small_text(self.path / "timing.json"))
            if isinstance(parts, dict) and all(map(_is_time, parts.values())):
                return parts
        return {}


def module_name(plugin: str) -> str:
    """The name of the module that an entry of `plugins` asks for, which may be a path."""
    return Path(plugin).name.removesuffix(".py")


def _identity(config: dict[str, Any]) -> dict[str, Any]:
    """The leaves that say which run this is; of the user's own modules the names, wherever they lie."""
    leaves = config_leaves({key: config.get(key) for key in IDENTITY})
    plugins = config.get("plugins") or []
    plugins = plugins if isinstance(plugins, list) else [plugins]
    return leaves | {"plugins": sorted(module_name(str(plugin)) for plugin in plugins)}


def _is_time(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < _LONGEST_SECONDS


def peak_memory_bytes() -> int:
    """Largest resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def read_run_config(path: Path) -> dict[str, Any]:
    """The config that an earlier sitting has left in config.yaml.

    Raises:
        UserError: it is damaged.
    """
    try:
        return parse_run_config(path)
    except (OSError, ValueError) as fault:
        raise UserError(
            f"is damaged, so that nobody can tell which run this folder holds ({fault})",
            source=path,
            remedy="Bring back a copy, or delete the folder to begin anew",
        ) from fault


def config_leaves(config: Any, prefix: str = "") -> dict[str, Any]:
    """Every leaf of nested containers by its dotted key."""
    if isinstance(config, dict) and config:
        leaves = (config_leaves(value, f"{prefix}{key}.") for key, value in config.items())
        return {name: value for inner in leaves for name, value in inner.items()}
    return {prefix.removesuffix("."): config}
