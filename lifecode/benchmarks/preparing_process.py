"""What the process that prepares runs; it imports what `lifecode prepare` needs, and no torch."""

import signal
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter

from lifecode.data.engine import LocalEngine
from lifecode.data.prepare import prepare_corpus


def prepare_and_answer(connection: Connection, files: list[Path], output: Path, workers: int) -> None:
    """Says that it is about to begin, prepares, and says how long it took, or what went wrong."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the parent decides
    connection.send(0.0)
    start = perf_counter()
    try:
        prepare_corpus(files, output, engine=LocalEngine(workers))
        connection.send(perf_counter() - start)
    except Exception as error:
        connection.send(error)
