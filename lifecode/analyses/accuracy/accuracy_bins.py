"""`kind=accuracy`: which examples of a task are hard, by what they have in common with those learnt from.

A run of `lifecode finetune`, or each set of a `lifecode evaluate`, left what every model said of its held-out
rows. Here its accuracy stands in bins of the identity with the nearest sequence that was learnt from, of the
distance of embeddings to the nearest, and of any column of a table, such as the exons of a gene.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lifecode.analyses.accuracy.bins import Axis, bins_of, interval
from lifecode.analyses.accuracy.columns import columns_of
from lifecode.analyses.accuracy.finished_run import FinishedRun, finished_runs
from lifecode.analyses.analysis import Analysed, Say, Value
from lifecode.analyses.named_model import NamedModel, notes_on_reading
from lifecode.errors import UserError
from lifecode.report.charts.predictions.accuracy_by_bins import BinsPanel, accuracy_by_bins
from lifecode.report.page import Drawing
from lifecode.tasks.splits.nearest import nearest_distance, nearest_identity

HEADINGS = ("model", "by", "bin", "rows", "accuracy", "low", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyBins:
    """Accuracy of a run of `lifecode finetune`, or of sets of `lifecode evaluate`, in bins of held-out rows.

    Args:
        bins: of equal numbers of rows, at most; what has no more different values has a bin for each.
        columns: of the held-out rows' table, or of `beside`: numbers, words, or places such as
            `0..90,140..200`, which are counted.
        beside: a table with further columns of the rows, such as `origins.csv` of `lifecode dogma`; its rows
            are found by the columns that both tables have.
        identity: whether to look for the nearest sequence by letters.
        distance: whether to look for it by embeddings, of each model.
        sets: of a run of `lifecode evaluate`; None takes all that have one class for each row.
    """

    bins: int = 4
    columns: list[str] = field(default_factory=list)
    beside: str | None = None
    identity: bool = True
    distance: bool = True
    sets: list[str] | None = None

    def __post_init__(self) -> None:
        if self.bins < 1:
            raise UserError("is not positive", source="kind.bins")
        if self.beside is not None and not self.columns:
            raise UserError(
                "is given, and kind.columns names none of its columns",
                source="kind.beside",
                remedy="Give kind.columns=[exons], say",
            )

    def analyse(
        self, input: str | list[str], models: Sequence[NamedModel], *, seed: int, say: Say
    ) -> Analysed:
        """As `Analysis.analyse`; the input is the folder of a `lifecode finetune` or `evaluate`."""
        say("reading the run and its task")
        runs, notes = finished_runs(input, self.sets)
        of_sets = len(runs) > 1 or self.sets is not None
        rows: list[list[Value]] = []
        panels = []
        for run in runs:
            name = f"{run.name}: " if of_sets else ""
            own: list[list[Value]] = [*_rows("all", "all", run.right, np.ones(run.num_held_out, bool))]
            for axis in self._axes(run, models, lambda text, name=name: say(f"{name}{text}")):
                found = bins_of(axis, self.bins)
                for text, chosen in found:
                    own += _rows(axis.name, text, run.right, chosen)
                shown = {
                    model: [interval(run.right[model][chosen]) for _, chosen in found]
                    for model in run.best_models()
                }
                texts, counts = [text for text, _ in found], [int(c.sum()) for _, c in found]
                panels.append(BinsPanel(f"{name}{axis.name}", texts, counts, shown))
            rows += [[run.name, *row] for row in own] if of_sets else own
            for side in run.sides if self.distance else ():
                notes += [f"{name}{note}" for note in notes_on_reading(models, side.sequences, side.molecule)]
            notes += [f"{name}{note}" for note in run.notes]
        drawn = dict.fromkeys(model for run in runs for model in run.best_models())
        held_out = sum(run.num_held_out for run in runs)
        return Analysed(
            kind="accuracy",
            verdict=f"{held_out:,} held-out rows of {', '.join(run.name for run in runs)}, "
            f"learnt by {runs[0].model}",
            headings=("set", *HEADINGS) if of_sets else HEADINGS,
            rows=rows,
            drawing=Drawing(
                accuracy_by_bins(panels),
                "Accuracy by what a row has in common with those learnt from",
                f"A panel for each of {', '.join(panel.title for panel in panels)}; dots with 95 % intervals "
                f"for {', '.join(drawn)}.",
            ),
            how_to_read=(
                "Accuracy: share of the rows of a bin whose likeliest class is the right one; low and high "
                "end its 95 % interval (Wilson), which sees rows as independent. Identity: with the most "
                "alike sequence that is learnt from, the share of letters that agree, estimated from the "
                "Jaccard index of k-mers (5-mers of residues for proteins and coding sequences, 15-mers of "
                "nucleotides for others). Distance: 1 - cosine of mean states, centred and scaled, to the "
                "nearest sequence that is learnt from. Bins are of about equal size; empty ones are left out."
            ),
            notes=notes,
        )

    def _axes(self, run: FinishedRun, models: Sequence[NamedModel], say: Say) -> list[Axis]:
        axes = [Axis(name, values) for name, values in columns_of(run, self.columns, self.beside)]
        for side in run.sides if self.identity or self.distance else ():
            where = f", {side.name}" if side.name else ""
            given = side.of_row, run.split, run.is_held_out
            if self.identity:
                say(f"looking for the most alike sequences{where}")
                values = nearest_identity(side.sequences, side.molecule, *given)
                axes.append(Axis(f"identity{where}", values, "no k-mer shared"))
            for one in models if self.distance else ():
                say(f"{one.name}: reading {len(side.sequences):,} sequences{where}")
                vectors = one.vectors(side.sequences, side.molecule)
                axes.append(Axis(f"distance{where}, {one.name}", nearest_distance(vectors, *given)))
        if not axes:
            raise UserError(
                "asks for nothing", source="kind", remedy="Give kind.columns, kind.identity or kind.distance"
            )
        return axes


def _rows(
    by: str, text: str, right: Mapping[str, NDArray[np.bool_]], chosen: NDArray[np.bool_]
) -> Iterator[list[Value]]:
    for name, of_model in right.items():
        yield [name, by, text, int(chosen.sum()), *interval(of_model[chosen])]
