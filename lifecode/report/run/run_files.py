"""What a report needs of the files of a run, checked before anything is made of it.

One run folder among many may be damaged, or a stranger's: a number where a table belongs, or of 300 digits.
Whatever does not fit is an error that says where, and only that run is left out.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from lifecode.host.small_file import read_small_text

_LARGEST = 1e15


def _drawable(value: float) -> float:
    if math.isfinite(value) and abs(value) > _LARGEST:
        raise ValueError("too large to be drawn")
    return value


_Number = Annotated[float, AfterValidator(_drawable)]
_Count = Annotated[int, Field(ge=0, le=int(_LARGEST))]


class _Checked(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", protected_namespaces=())


class _MetricValue(_Checked):
    value: _Number | None = None
    n: _Count | None = None


class _Pairs(_Checked):
    kept: _Count = 0


class _Split(_Checked):
    cds: _Count = 0


class _Data(_Checked):
    nucleotides: _Count = 0
    pairs: _Pairs | None = None
    splits: dict[str, _Split] | None = None


class _SplitName(_Checked):
    name: str = ""


class _Timing(_Checked):
    seconds: Annotated[_Number, Field(ge=0)] | None = None
    nucleotides_per_second: _Number | None = None


class _Source(_Checked):
    heldout: dict[str, _MetricValue] | None = None
    baselines: dict[str, _MetricValue] | None = None


def _some_parameters(parts: dict[str, int]) -> dict[str, int]:
    if not sum(parts.values()):
        raise ValueError("no model has no parameters")
    return parts


class _Model(_Checked):
    encoder_steps: _Count
    parts: Annotated[dict[str, _Count], AfterValidator(_some_parameters)] | None = None
    threads: int | None = None


class _Metrics(_Checked):
    model: _Model
    heldout: dict[str, _MetricValue]
    baselines: dict[str, _MetricValue] | None = None
    sources: dict[str, _Source] | None = None
    timing: _Timing | None = None
    data: _Data | None = None
    split: _SplitName | None = None


class _Machine(_Checked):
    name: str | None = None
    usable_cores: int | None = None


class _Provenance(_Checked):
    command: str | None = None
    commit: str | None = None
    version: str | None = None
    varied: dict[str, str] | None = None
    sweep: dict[str, list[str]] | None = None
    runs_at_a_time: int | None = None
    machine: _Machine | None = None


class _Config(_Checked):
    """Values that the report counts with, by their dotted keys."""

    max_codons: _Count | None = Field(None, alias="data.batch.max_codons")
    tokenizer_steps: _Count | None = Field(None, alias="optim.tokenizer.total_steps")
    encoder_steps: _Count | None = Field(None, alias="optim.encoder.total_steps")
    max_steps: _Count | None = Field(None, alias="trainer.max_steps")


def read_run_metrics(path: Path) -> dict[str, Any]:
    """The content of a metrics.json; empty where there is none.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no JSON, or something in it is not what it has to be.
    """
    return _checked(path, _Metrics)


def read_provenance(path: Path) -> dict[str, Any]:
    """The content of a provenance.json; raises as `read_run_metrics`."""
    return _checked(path, _Provenance)


def require_config_values(config: Mapping[str, Any]) -> None:
    """Raises a ValueError where a value that the report counts with is none it can count with."""
    _require(dict(config), _Config, "config.yaml")


def _checked(path: Path, kind: type[_Checked]) -> dict[str, Any]:
    try:
        content = json.loads(read_small_text(path))
    except FileNotFoundError:
        return {}
    except RecursionError as fault:
        raise ValueError(f"{path.name}: nested too deeply") from fault
    except ValueError as fault:
        raise ValueError(f"{path.name}: {fault}") from fault
    _require(content, kind, path.name)
    return content


def _require(value: Any, kind: type[_Checked], where: str) -> None:
    try:
        kind.model_validate(value)
    except ValidationError as fault:
        first = fault.errors()[0]
        inner = ".".join(map(str, first["loc"]))
        raise ValueError(f"{where}: {inner + ': ' if inner else ''}{first['msg']}") from fault
