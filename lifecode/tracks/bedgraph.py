"""Tracks as bedGraph: text, 0-based and half open, sorted by contig and place."""

from collections.abc import Iterable
from pathlib import Path

from lifecode.host.durable import disk_faults_named, replacing
from lifecode.names import visible
from lifecode.tracks.runs import Runs

_LINES_AT_ONCE = 100_000


def write_bedgraph(path: Path, name: str, description: str, contigs: Iterable[tuple[str, Runs]]) -> None:
    """Write one track, in the order of the contigs, beneath a `track` line as UCSC and IGV read it.

    Args:
        path: of the file.
        name: of the track.
        description: longer.
        contigs: names, and runs on them.

    Raises:
        UserError: the file cannot be written.
    """
    head = f'track type=bedGraph name="{_quoted(name)}" description="{_quoted(description)}"\n'
    with disk_faults_named(path), replacing(path) as file:
        file.write(head.encode())
        for contig, runs in contigs:
            for first in range(0, len(runs.starts), _LINES_AT_ONCE):
                own = slice(first, first + _LINES_AT_ONCE)
                columns = (runs.starts[own].tolist(), runs.ends[own].tolist(), runs.values[own].tolist())
                lines = (
                    f"{contig}\t{start}\t{end}\t{value:.6g}\n"
                    for start, end, value in zip(*columns, strict=True)
                )
                file.write("".join(lines).encode())


def _quoted(text: str) -> str:
    return visible(text).replace('"', "'")
