"""`kind=accuracy`: which examples of a task are hard, by what they have in common with those learnt from.

A run of `lifecode finetune` left what every model said of each held-out row. Here its accuracy stands in bins
of the identity with the nearest sequence that was learnt from, of the distance of embeddings to the nearest,
and of any column of a table, such as the exons of a gene.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.analyses.analysis import Analysed, Say, Value
from lifecode.analyses.named_model import NamedModel
from lifecode.errors import UserError
from lifecode.names import csv_cell
from lifecode.report.charts.accuracy_by_bins import BinsPanel, accuracy_by_bins
from lifecode.report.page import Drawing
from lifecode.tasks.competitors.opened_task import OpenedTask, opened_task
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.examples.table import Table, read_table
from lifecode.tasks.finetune import COMPARED, METRICS
from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.pairs.pair_task import PairTask
from lifecode.tasks.splits.nearest import nearest_distance, nearest_identity

HEADINGS = ("model", "by", "bin", "rows", "accuracy", "low", "high")
_PREDICTION = re.compile(r"prediction\((.*)\)")
_PLACES = re.compile(r"\d+\.\.\d+(,\d+\.\.\d+)*")
_MOST_WORDS = 20


class Axis(NamedTuple):
    """Something that every held-out row has one of.

    Attributes:
        name: in tables.
        values: (n,) numbers, NaN where a row has none, or words.
        none: name of the bin of NaN.
    """

    name: str
    values: NDArray[Any]
    none: str = "not given"


class _Side(NamedTuple):
    name: str
    molecule: Molecule
    sequences: list[NDArray[np.uint8]]
    of_row: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyBins:
    """Accuracy of a run of `lifecode finetune` in bins of its held-out rows.

    Args:
        bins: of equal numbers of rows, at most; what has no more different values has a bin for each.
        columns: of the held-out rows' table, or of `beside`: numbers, words, or places such as
            `0..90,140..200`, which are counted.
        beside: a table with further columns of the rows, such as `origins.csv` of `lifecode dogma`; its rows
            are found by the columns that both tables have.
        identity: whether to look for the nearest sequence by letters.
        distance: whether to look for it by embeddings, of each model.
    """

    bins: int = 4
    columns: list[str] = field(default_factory=list)
    beside: str | None = None
    identity: bool = True
    distance: bool = True

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
        """As `Analysis.analyse`; the input is the folder of a `lifecode finetune`."""
        say("reading the run and its task")
        run = _Run.read(input)
        asked = run.held_out
        axes = [Axis(name, values) for name, values in run.columns(self.columns, self.beside)]
        for side in run.sides if self.identity or self.distance else ():
            where = f", {side.name}" if side.name else ""
            given = side.of_row, run.split, run.opened.rounds.first_held_out
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
        rows: list[list[Value]] = [*_rows("all", "all", run.right, np.ones(len(asked), bool))]
        panels = []
        for axis in axes:
            found = bins_of(axis, self.bins)
            for text, chosen in found:
                rows += _rows(axis.name, text, run.right, chosen)
            shown = {
                name: [interval(run.right[name][chosen]) for _, chosen in found] for name in run.best_models()
            }
            panels.append(
                BinsPanel(axis.name, [text for text, _ in found], [int(c.sum()) for _, c in found], shown)
            )
        return Analysed(
            kind="accuracy",
            verdict=f"{len(asked):,} held-out rows of {run.name}, learnt by {run.model}",
            headings=HEADINGS,
            rows=rows,
            drawing=Drawing(
                accuracy_by_bins(panels),
                "Accuracy by what a row has in common with those learnt from",
                f"A panel for each of {', '.join(axis.name for axis in axes)}; dots with 95 % intervals for "
                f"{', '.join(run.best_models())}.",
            ),
            reading=(
                "Accuracy: share of the rows of a bin whose likeliest class is the right one; low and high "
                "end its 95 % interval (Wilson), which sees rows as independent. Identity: with the most "
                "alike sequence that is learnt from, the share of letters that agree, estimated from the "
                "Jaccard index of k-mers (5-mers of residues for proteins and coding sequences, 15-mers of "
                "nucleotides for others). Distance: 1 - cosine of mean states, centred and scaled, to the "
                "nearest sequence that is learnt from. Bins are of about equal size; empty ones are left out."
            ),
            notes=[*run.opened.data.notes[:1], *run.notes()],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A run of `lifecode finetune`, and its task as read again.

    Attributes:
        name: of the folder.
        model: in its table.
        best_baseline: or None.
        task: what was learnt.
        opened: its rows and rounds.
        held_out: numbers of the rows that were predicted.
        right: (num_held_out,) whether each model said the right class, by its name.
    """

    name: str
    model: str
    best_baseline: str | None
    task: SequenceTask | PairTask
    opened: OpenedTask
    held_out: NDArray[np.int64]
    right: Mapping[str, NDArray[np.bool_]]

    @classmethod
    def read(cls, input: str | list[str]) -> "_Run":
        if not isinstance(input, str):
            raise UserError("names several", source="input", remedy="Give the folder of one run")
        folder = Path(input).expanduser()
        try:
            metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
            told, split = metrics["task"], metrics["split"]
            num_folds = len(split["learnt_from"]) // len(split["seeds"])
            seeds, kind, unit = split["seeds"], metrics["kind"], metrics["unit"]
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise UserError(
                f"is no run of lifecode finetune ({METRICS}: {fault})",
                source=folder,
                remedy="Give its folder: input=runs/mine",
            ) from fault
        if kind not in ("binary", "multiclass") or unit not in ("sequence", "pair"):
            raise UserError(
                f"has labels of kind {kind} for each {unit}, and accuracy is of one class for each sequence "
                "or pair",
                source=folder,
            )
        if not (folder / COMPARED).is_file():
            raise UserError(
                f"has no {COMPARED}", source=folder, remedy="Run lifecode finetune again, with this version"
            )
        task = PairTask(**told) if unit == "pair" else SequenceTask(**told)
        opened = opened_task(task, None, num_folds=max(2, num_folds), seeds=seeds)
        held_out = np.flatnonzero(opened.rounds.first_held_out)
        table = read_table(folder / COMPARED)
        examples, classes = opened.examples.at(held_out), opened.data.labels.classes
        now = [(name, classes[int(i)]) for name, i in zip(examples.ids, examples.labels, strict=True)]
        then = zip(table.columns["id"], table.columns["label"], strict=True)
        if list(then) != [(_as_read(name), _as_read(label)) for name, label in now]:
            raise UserError("the files of its task hold other rows now", source=folder, remedy="Run it again")
        labels = np.array(table.columns["label"])
        right = {
            found[1]: np.array(values) == labels
            for name, values in table.columns.items()
            if (found := _PREDICTION.fullmatch(name))
        }
        best = metrics.get("best_baseline")
        return cls(
            name=folder.resolve().name,
            model=metrics["encoder"],
            best_baseline=best,
            task=task,
            opened=opened,
            held_out=held_out,
            right=right,
        )

    @property
    def split(self) -> NDArray[np.int64]:
        """(n,) equal for rows that are held out, or learnt from, together."""
        return self.opened.rounds.first_split

    @property
    def sides(self) -> list[_Side]:
        """The sequences of the rows, or both sides of pairs."""
        examples = self.opened.examples
        if isinstance(examples, PairExamples):
            return [
                _Side(name, side.molecule, side.sequences(), side.rows)
                for name, side in (("first", examples.first), ("second", examples.second))
            ]
        molecule = self.opened.told["molecule"]
        return [_Side("", molecule, examples.sequences, np.arange(len(examples)))]

    def best_models(self) -> list[str]:
        """The model, the same untrained, and the best baseline: what is drawn."""
        names = dict.fromkeys([self.model, "untrained", self.best_baseline or ""])
        return [name for name in names if name in self.right]

    def notes(self) -> list[str]:
        """What limits the figures."""
        seeds = self.opened.rounds.seeds
        if len(seeds) < 2 or self.opened.rounds.has_test:
            return []
        return [f"predictions are means over {len(seeds)} splits, the nearest rows are those of the first"]

    def columns(self, names: Sequence[str], beside: str | None) -> Iterator[tuple[str, NDArray[Any]]]:
        """Columns of the held-out rows, as numbers or words."""
        if not names:
            return
        given = [self.task.test] if self.task.test else [self.task.train, self.task.validation]
        files = [path for one in given if one for path in ([one] if isinstance(one, str) else one)]
        headers = self.task.columns if isinstance(self.task, PairTask) else None
        tables = [read_table(path, headers) for path in files]
        if sum(map(len, tables)) != len(self.held_out):
            raise UserError(
                f"{len(self.held_out):,} of the {sum(map(len, tables)):,} rows of {', '.join(files)} were "
                "held out, so that their columns are not known",
                source="kind.columns",
                remedy="Run the task without rows that are left out",
            )
        if beside is not None:
            further = read_table(beside)
            tables = [_joined(table, further) for table in tables]
        for name in names:
            texts = [text for table in tables for text in table.column(name, "kind.columns")]
            yield name, _numbers_or_words(texts, name)


def bins_of(axis: Axis, most: int) -> list[tuple[str, NDArray[np.bool_]]]:
    """Name and rows of each bin that has any: one a word, one a value, or `most` of about equal size."""
    if axis.values.dtype.kind == "U":
        return [(str(word), axis.values == word) for word in np.unique(axis.values)]
    known = np.isfinite(axis.values)
    found = []
    distinct = np.unique(axis.values[known])
    if len(distinct) <= most:
        found = [(f"{value:.3g}", axis.values == value) for value in distinct.tolist()]
    else:
        edges = np.unique(np.quantile(axis.values[known], np.linspace(0, 1, most + 1)))
        number = np.clip(np.searchsorted(edges, axis.values, side="right") - 1, 0, len(edges) - 2)
        for i in range(len(edges) - 1):
            found.append((f"{edges[i]:.3g} to {edges[i + 1]:.3g}", known & (number == i)))
    found.append((axis.none, ~known))
    return [(text, rows) for text, rows in found if rows.any()]


def interval(right: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Accuracy and its 95 % Wilson interval."""
    from scipy.stats import binomtest

    found = binomtest(int(right.sum()), len(right)).proportion_ci(0.95, "wilson")
    return float(right.mean()), float(found.low), float(found.high)


def _rows(
    by: str, text: str, right: Mapping[str, NDArray[np.bool_]], chosen: NDArray[np.bool_]
) -> Iterator[list[Value]]:
    for name, of_model in right.items():
        yield [name, by, text, int(chosen.sum()), *interval(of_model[chosen])]


def _as_read(text: str) -> str:
    """As `read_table` gives what `write_table` wrote."""
    return str(csv_cell(text)).strip()


def _joined(table: Table, beside: Table) -> Table:
    """The columns of another table for the same rows, by those that both have."""
    shared = [name for name in table.columns if name in beside.columns]
    if not shared:
        raise UserError(
            f"shares no column with {table.source}", source=beside.source, remedy="Give both an id"
        )

    def keys(of: Table) -> list[tuple[str, ...]]:
        return list(zip(*(of.columns[name] for name in shared), strict=True))

    of_key: dict[tuple[str, ...], int] = {}
    for row, key in enumerate(keys(beside)):
        if of_key.setdefault(key, row) != row:
            raise UserError(
                f"has two rows of {', '.join(shared)} {' '.join(key)[:100]}",
                source=beside.source,
                remedy="Leave one of them out",
            )
    missing = next((key for key in keys(table) if key not in of_key), None)
    if missing is not None:
        raise UserError(
            f"has no row of {', '.join(shared)} {' '.join(missing)[:100]}",
            source=beside.source,
            remedy="Give the table that was made with the rows",
        )
    rows = [of_key[key] for key in keys(table)]
    joined = {name: [values[i] for i in rows] for name, values in beside.columns.items()}
    return Table(beside.source, {**table.columns, **joined})


def _numbers_or_words(texts: list[str], name: str) -> NDArray[Any]:
    """Numbers, NaN for an empty cell; places as their number; or words."""
    numbers = []
    for text in texts:
        if _PLACES.fullmatch(text):
            numbers.append(float(text.count("..")))
            continue
        try:
            numbers.append(float(text) if text else np.nan)
        except ValueError:
            break
    if len(numbers) == len(texts):
        return np.array(numbers)
    words = np.array([text or "not given" for text in texts])
    if len(np.unique(words)) > _MOST_WORDS:
        raise UserError(
            f"has {len(np.unique(words)):,} different words, and a bin is one of at most {_MOST_WORDS}",
            source="kind.columns",
            record=name,
            remedy="Name a column of numbers, or of fewer words",
        )
    return words
