"""What a corpus left out and why: counts with a few examples, and a chart of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow.compute as pc
import pyarrow.parquet as pq
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lifecode.data.corpus.corpus import Corpus
from lifecode.data.reading.remedies import remedy
from lifecode.names import display_name
from lifecode.report.charts.figure_style import (
    GREY,
    INK,
    ORANGE,
    VERMILION,
    figure_text,
    new_figure,
    style_axes,
)

REJECTED, _DROPPED, _SKIPPED = "rejected", "dropped by the split", "skipped records"
_COLOURS = {REJECTED: VERMILION, _DROPPED: ORANGE, _SKIPPED: GREY}
_EXAMPLES, _LONGEST = 3, 200


class Example(NamedTuple):
    """One that was left out, and what exactly was found."""

    id: str
    contig: str
    detail: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A reason, which of `REJECTED`, `_DROPPED` and `_SKIPPED` it is, how often it applied, and to what.

    `remedy` is what would change it.
    """

    reason: str
    group: str
    count: int
    examples: tuple[Example, ...]
    remedy: str = ""


def left_out(corpus: Corpus) -> list[LeftOut]:
    """Every reason that applied, by group, the most frequent first, with its first examples."""
    report = corpus.report
    groups = {
        REJECTED: report["pairs"]["rejected"],
        _DROPPED: report["pairs"]["dropped"],
        _SKIPPED: report.get("skipped", {}),
    }
    examples = _first_examples(
        corpus, {reason: n for of_group in groups.values() for reason, n in of_group.items()}
    )
    return [
        LeftOut(
            reason,
            group,
            count,
            tuple(examples[reason]),
            remedy(reason, [one.contig for one in examples[reason]]),
        )
        for group, reasons in groups.items()
        for reason, count in sorted(reasons.items(), key=lambda entry: -entry[1])
        if count
    ]


def left_out_chart(reasons: Sequence[LeftOut]) -> Figure:
    """A horizontal bar with its count for each reason, coloured by group, in the order given."""
    figure = new_figure(0.5 + 0.34 * len(reasons))
    axes = figure.add_subplot()
    style_axes(axes)
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    axes.set_xticks([])
    bars = axes.barh(
        range(len(reasons)), [r.count for r in reasons], 0.62, color=[_COLOURS[r.group] for r in reasons]
    )
    axes.set_yticks(range(len(reasons)), [figure_text(r.reason.replace("_", " ")) for r in reasons])
    axes.set_ylim(len(reasons) - 0.5, -0.5)
    axes.bar_label(bars, [f"{r.count:,}" for r in reasons], padding=5, fontsize=8.5, color=INK)
    axes.tick_params(axis="y", colors=INK, labelsize=9)
    axes.margins(x=0.1)
    axes.set_xlim(left=0)
    shown = [Patch(color=_COLOURS[group], label=group) for group in dict.fromkeys(r.group for r in reasons)]
    figure.legend(handles=shown, loc="outside upper left", ncols=3, frameon=False, fontsize=9, labelcolor=INK)
    return figure


def _first_examples(corpus: Corpus, counts: Mapping[str, int]) -> dict[str, list[Example]]:
    """The first rows of `rejected.parquet` of each reason; reads on only while one is missing."""
    examples: dict[str, list[Example]] = {reason: [] for reason in counts}
    with pq.ParquetFile(corpus.folder / "rejected.parquet") as file:
        for batch in file.iter_batches():
            for reason, known in examples.items():
                rows = batch.filter(pc.equal(batch["reason"], reason))  # pyright: ignore
                known += [
                    Example(*(display_name(row.get(column) or "", _LONGEST) for column in Example._fields))
                    for row in rows.slice(0, _EXAMPLES - len(known)).to_pylist()
                ]
            if all(len(examples[reason]) >= min(_EXAMPLES, count) for reason, count in counts.items()):
                break
    return examples
