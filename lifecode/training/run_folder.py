"""A run is a folder: what it is (config.yaml), what it did (metrics.csv) and how long it took."""

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from lifecode.errors import UserError

IDENTITY = ("input", "data", "model", "teacher", "objective", "kd", "optim", "seed", "tokenizer_checkpoint")
"""Config keys that say which run this is; the others may change between sittings."""
_OF_THE_MACHINE = (
    "teacher.cache",
    "teacher.verify_cache",
    "teacher.model.device",
    "teacher.model.residues_at_once",
)
"""Keys among them that say where and how features are computed, and not which."""
_PROBE = ".writable"


class RunFolder:
    """The folder of one run.

    Args:
        path: of the folder; made if it does not exist.
        config: the resolved config of this sitting, plain containers only.
        writes: whether this process writes to it; of several processes one does.

    Raises:
        UserError: the folder belongs to a run of another identity (the keys that differ are named), or
            cannot be written to.
    """

    def __init__(self, path: str | Path, config: dict[str, Any], *, writes: bool = True) -> None:
        self.path, self._config, self._writes = Path(path).expanduser(), config, writes
        self._made: list[Path] = []
        if not writes:
            return
        self._made = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._refuse_another_run(config)
            (self.path / _PROBE).touch()
            (self.path / _PROBE).unlink()
        except OSError as error:
            raise UserError(
                f"cannot write here ({error.strerror})", source=self.path, remedy="Choose another run_dir"
            ) from error

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Writes config.yaml after what is inside has succeeded; a failure leaves no empty folder behind."""
        try:
            yield
        except BaseException:
            for folder in self._made:
                if folder.exists() and not any(folder.iterdir()):
                    folder.rmdir()
            raise
        if not self._writes:
            return
        temporary = self.path / ".config.yaml"
        temporary.write_text(yaml.safe_dump(self._config, sort_keys=False))
        temporary.replace(self.path / "config.yaml")

    def _refuse_another_run(self, config: dict[str, Any]) -> None:
        existing = self.path / "config.yaml"
        if not existing.exists():
            return
        before, now = (
            _leaves({key: sitting.get(key) for key in IDENTITY})
            for sitting in (yaml.safe_load(existing.read_text()) or {}, config)
        )
        keys = (before.keys() | now.keys()) - set(_OF_THE_MACHINE)
        changed = sorted(key for key in keys if before.get(key) != now.get(key))
        if changed:
            key = changed[0]
            others = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            raise UserError(
                f"holds another run: {key} was {before.get(key)!r} and is {now.get(key)!r}{others}",
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
                (self.path / "timing.json").write_text(json.dumps(parts, indent=2) + "\n")

    def seconds(self) -> dict[str, float]:
        """Seconds spent on each part so far."""
        path = self.path / "timing.json"
        return json.loads(path.read_text()) if path.exists() else {}


def peak_memory_bytes() -> int:
    """Largest resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _leaves(config: Any, prefix: str = "") -> dict[str, Any]:
    """Every leaf of nested containers by its dotted key."""
    if isinstance(config, dict):
        return {k: v for key, value in config.items() for k, v in _leaves(value, f"{prefix}{key}.").items()}
    return {prefix.removesuffix("."): config}
