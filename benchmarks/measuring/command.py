"""A benchmark as a command: settings from conf/NAME.yaml, a bar while it runs, files and a table after it."""

import csv
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol, TypeVar, get_type_hints

import torch
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.measuring.machine import Machine
from benchmarks.measuring.measurement import Measurement, Record, reasons
from lifecode.app.configs.construct import checked_value, construct
from lifecode.app.configs.locate_config import config_folder
from lifecode.errors import UserError

_WIDTH_OF_A_FILE = 200
_SECONDS_BETWEEN_LINES = 20.0
_CONF = Path(__file__).parents[1] / "conf"

OnProgress = Callable[[str, int], None]
"""Told a label, and how many calls are now done or will not be made."""


@dataclass(slots=True)
class Results:
    """What came of a benchmark.

    Attributes:
        machine: it ran on.
        rows: all measurements.
        facts: about the inputs, by (contender, length).
        interrupted: whether Ctrl-C ended the run.
        more: what else belongs into `benchmark.json`.
    """

    machine: Machine
    rows: list[Measurement] = field(default_factory=list)
    facts: dict[tuple[str, int], dict[str, float]] = field(default_factory=dict)
    interrupted: bool = False
    more: dict[str, Any] = field(default_factory=dict)


class Benchmark(Protocol):
    """Settings of one benchmark, a dataclass whose fields are the keys of its config."""

    output: Path

    @property
    def num_calls(self) -> int:
        """Timed and warm-up calls of a whole run."""
        ...

    def measure(self, on_progress: OnProgress) -> Results:
        """Does it."""
        ...

    def records(self, results: Results) -> list[Record]:
        """Points with what is derived from them."""
        ...

    def table(self, records: list[Record]) -> Table:
        """Of the records."""
        ...

    def lines(self, results: Results, records: list[Record]) -> list[str]:
        """What stands between the table and the reasons why something is missing."""
        ...

    def write_more(self, results: Results, records: list[Record]) -> None:
        """Further files in `output`."""
        ...


Kind = TypeVar("Kind", bound=Benchmark)


def main(name: str, kind: type[Benchmark], arguments: Sequence[str] | None = None) -> int:
    """Runs a benchmark; returns 0, 2 after a mistake of the user, or 130 when it was stopped."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if {"--help", "-h"} & set(arguments):
        print((_CONF / f"{name}.yaml").read_text(encoding="utf-8"), end="")
        return 0
    try:
        config = composed(name, arguments)
        benchmark = settings(kind, config)
        make_folder(benchmark.output)
        with progress_bar(benchmark.num_calls) as on_progress:
            results = benchmark.measure(on_progress)
        leave(benchmark, results, config)
    except UserError as error:
        return _refuse(name, str(error))
    except (HydraException, OmegaConfBaseException) as error:
        return _refuse(name, f"{' '.join(str(error).split())}. See python -m benchmarks.{name} --help")
    except KeyboardInterrupt:
        print(f"benchmarks.{name}: stopped before anything was measured", file=sys.stderr)
        return 130
    if results.interrupted:
        said = f"stopped before the end; what was measured until then is in {benchmark.output}"
        print(f"benchmarks.{name}: {said}", file=sys.stderr)
    return 130 if results.interrupted else 0


def _refuse(name: str, line: str) -> int:
    print(f"benchmarks.{name}: {line}", file=sys.stderr)
    return 2


def composed(name: str, arguments: Sequence[str]) -> DictConfig:
    """conf/NAME.yaml, with groups of lifecode's conf/, under overrides in Hydra's grammar."""
    with initialize_config_dir(str(_CONF), version_base="1.3"):
        return compose(name, [f"hydra.searchpath=['file://{config_folder()}']", *arguments])


def settings(kind: type[Kind], config: DictConfig) -> Kind:
    """A benchmark from its config, each value checked against the field's type."""
    hints, values = get_type_hints(kind), dict[str, Any]()
    with torch.device("meta"):
        for key in (one.name for one in fields(kind)):  # pyright: ignore[reportArgumentType]
            node = config[key]
            values[key] = (
                construct(node) if isinstance(node, DictConfig) else checked_value(config, key, hints[key])
            )
    return kind(**values)


def make_folder(folder: Path) -> None:
    """Makes the folder of the results, before anything is measured.

    Raises:
        UserError: there is a file of this name.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError("is a file, not a folder", source=folder, remedy="Choose another output")
    folder.mkdir(parents=True, exist_ok=True)


def leave(benchmark: Benchmark, results: Results, config: DictConfig) -> None:
    """Writes `measurements.csv`, a row a call, and `benchmark.json`; prints machine, table and lines."""
    records, folder = benchmark.records(results), benchmark.output
    with (folder / "measurements.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Measurement)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in results.rows)
    described = {"settings": OmegaConf.to_container(config), "machine": results.machine._asdict()}
    text = json.dumps(described | results.more | {"points": records}, indent=2)
    (folder / "benchmark.json").write_text(text + "\n", encoding="utf-8")
    benchmark.write_more(results, records)
    print(results.machine.description())
    console = Console()
    if not console.is_terminal:  # a file or a pipe: not folded to the width of a terminal
        console = Console(width=max(_WIDTH_OF_A_FILE, console.width))
    console.print(benchmark.table(records))
    warning = results.machine.load_warning()
    lines = [*benchmark.lines(results, records), *reasons(results.rows), *([warning] if warning else [])]
    print("\n".join([*lines, "", f"Every measurement is in {folder}/measurements.csv, with benchmark.json"]))


@contextmanager
def progress_bar(total: int) -> Iterator[OnProgress]:
    """A bar on stderr over `total` calls, plain lines where there is no terminal.

    Inside, SIGTERM does what Ctrl-C does, and both are heard in the background of a shell too, where they
    would be ignored.
    """
    console = Console(stderr=True)
    with _stopped_in_order():
        if console.is_terminal:
            with Progress(transient=True, console=console) as progress:
                task = progress.add_task("machine", total=total)
                yield lambda label, calls: progress.update(task, description=label, advance=calls)
        else:
            yield _PlainLines(total).say


@contextmanager
def _stopped_in_order() -> Iterator[None]:
    """Both signals that ask for an end raise KeyboardInterrupt inside."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number in before:
            signal.signal(number, signal.default_int_handler)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _PlainLines:
    """A line now and then: how many of the calls are done, and which is next."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._last_line = total, 0, time.perf_counter()

    def say(self, label: str, calls: int) -> None:
        """Counts calls, and prints if the last line is long enough ago."""
        self._done += calls
        if time.perf_counter() - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = time.perf_counter()
            print(f"{self._done} of {self._total} calls done; {label}", file=sys.stderr, flush=True)
