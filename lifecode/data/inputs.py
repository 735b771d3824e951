"""What one worker reads on its own: an input unit, and how it is read.

A unit is the grain of restarting and of parallel reading: one sequence file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from lifecode.data.reading import Inputs, read_records, resolve_inputs
from lifecode.data.records import Contig

Report: TypeAlias = Callable[[str, str, str], None]
"""Called with the source, the record and the problem of every record that is skipped."""


@dataclass(frozen=True, slots=True)
class InputUnit:
    """Files that are read together.

    Attributes:
        files: the sequence file first.
    """

    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """What the records of a file depend on besides its bytes.

    Attributes:
        genetic_code: NCBI code of CDS that name none.
    """

    genetic_code: int = 1


def input_units(inputs: Inputs) -> list[InputUnit]:
    """The units of the inputs, in order.

    Raises:
        UserError: an input names no file, or a folder.
    """
    return [InputUnit(files=(file,)) for file in resolve_inputs(inputs)]


def read_unit(unit: InputUnit, settings: ReadSettings, report: Report) -> Iterator[Contig]:
    """Yield the contigs of one unit, one at a time.

    Raises:
        UserError: a file or record that cannot be read.
    """
    del report  # these readers stop at the first malformed record
    return read_records(list(unit.files), genetic_code=settings.genetic_code)
