"""What a person sees of a benchmark: a bar while it runs, then machine, table and lines."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from lifecode.benchmarks.machine import Machine

_WIDTH_OF_A_FILE = 200


@contextmanager
def progress_bar(total: int) -> Iterator[Callable[[str, int], None]]:
    """A bar on stderr over `total` calls; yields the function that is told a label and calls done."""
    with Progress(transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task("machine", total=total)
        yield lambda label, calls: progress.update(task, description=label, advance=calls)


def print_report(machine: Machine, table: Table, lines: Sequence[str]) -> None:
    """Prints to stdout; into a file or pipe the table is not folded to the width of a terminal."""
    print(machine.description())
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(_WIDTH_OF_A_FILE, console.width))
    console.print(table)
    for line in lines:
        print(line)
    if warning := machine.load_warning():
        print(warning)
