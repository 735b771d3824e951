"""What every analysis is: a function of files and models that gives a table and a drawing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from lifecode.analyses.named_model import NamedModel
from lifecode.report.page import Drawing

if TYPE_CHECKING:
    from pandas import DataFrame

Say = Callable[[str], None]
Value = str | int | float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analysed:
    """What an analysis gave.

    Attributes:
        kind: name of the analysis.
        verdict: what was compared, and of how much, in a line.
        headings: of the columns of the table.
        rows: of the table, a value each heading; models first, then what stands beside them.
        drawing: the plot.
        how_to_read: table and plot.
        notes: what was left out, and what limits the figures.
    """

    kind: str
    verdict: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Value]]
    drawing: Drawing
    how_to_read: str
    notes: list[str] = field(default_factory=list)

    @property
    def frame(self) -> "DataFrame":
        """The table as a pandas frame."""
        from pandas import DataFrame

        return DataFrame(list(self.rows), columns=list(self.headings))


class Analysis(Protocol):
    """One kind of analysis, its keys as attributes."""

    def analyse(
        self, input: str | list[str], models: Sequence[NamedModel], *, seed: int, say: Say
    ) -> Analysed:
        """Read the input and measure every model.

        Args:
            input: what the user names: a file, or several.
            models: in the order of the table.
            seed: of every draw.
            say: told what is being done.

        Raises:
            UserError: files that cannot be read, or hold too little.
        """
        ...
