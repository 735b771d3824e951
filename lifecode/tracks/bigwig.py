"""Tracks as bigWig, written by pybigtools (the extra `bigwig`)."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lifecode.errors import UserError
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.tracks.runs import Runs

_REMEDY = "pip install 'lifecode[bigwig]', or write output=NAME.bedgraph"


def require_bigwig() -> Any:
    """The package that writes it.

    Raises:
        UserError: it is not installed.
    """
    try:
        import pybigtools  # pyright: ignore[reportMissingImports]
    except ImportError as fault:
        raise UserError("writing bigWig needs the package pybigtools", remedy=_REMEDY) from fault
    return pybigtools


def write_bigwig(path: Path, contigs: Iterable[tuple[str, Runs]], lengths: Mapping[str, int]) -> None:
    """Write one track.

    Args:
        path: of the file.
        contigs: names, and runs on them.
        lengths: nucleotides of each contig of the genome.

    Raises:
        UserError: pybigtools is not there or has written nothing that it can read, or the disk is full.
    """
    package = require_bigwig()
    made = path.with_name(f".{path.name}.unfinished.bw")  # it tells formats by their names
    with disk_faults_named(path):
        try:
            made.unlink(missing_ok=True)  # of a call that was killed
            package.open(str(made), "w").write(dict(lengths), _intervals(contigs))
            _require_readable(package, made, path)
            with made.open("rb") as source, replacing(path) as file:
                shutil.copyfileobj(source, file)
        finally:
            made.unlink(missing_ok=True)


def _intervals(contigs: Iterable[tuple[str, Runs]]) -> Iterator[tuple[str, int, int, float]]:
    for name, runs in contigs:
        columns = (runs.starts.tolist(), runs.ends.tolist(), runs.values.tolist())
        for start, end, value in zip(*columns, strict=True):
            yield name, start, end, value


def _require_readable(package: Any, made: Path, path: Path) -> None:
    """Raises a UserError unless the file opens: pybigtools prints what went wrong and goes on."""
    try:
        package.open(str(made)).chroms()
    except Exception as fault:
        raise UserError(
            f"pybigtools could not write it ({fault})", source=path, remedy="Write bedGraph"
        ) from fault
