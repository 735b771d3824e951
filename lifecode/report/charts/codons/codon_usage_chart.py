"""Codon usage of a corpus beside that of organisms (Life-Code, Figure 6 left)."""

from collections.abc import Mapping, Sequence

import numpy as np
from Bio.Data.IUPACData import protein_letters_1to3
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lifecode.alphabet import AMINO_ACIDS, CODONS, NUM_CODONS
from lifecode.genetic_code import genetic_code
from lifecode.report.charts.figure_style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    RULE,
    new_figure,
    style_axes,
    tint,
)

RESIDUE_NAMES = {**protein_letters_1to3, "*": "Stop"}
_STYLES = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (PURPLE, "D"))
_OFFSETS = (-0.27, -0.09, 0.09, 0.27)
_PALE = 0.35
_HEIGHT = 6.0


def codon_usage_chart(
    corpus: NDArray[np.float64], organisms: Mapping[str, NDArray[np.float64]], genetic_code_number: int
) -> Figure:
    """Share of each codon among those of its residue: bars for the corpus, a mark for each organism.

    Args:
        corpus: (64,) as from `relative_usage`; no bar where it is NaN.
        organisms: (64,) by name, at most four.
        genetic_code_number: NCBI `transl_table` that the codons are grouped by.
    """
    figure = new_figure(_HEIGHT)
    groups = synonymous_codons(genetic_code_number)
    halves = _halves(groups)
    for axes, half in zip(figure.subplots(len(halves), 1, squeeze=False)[:, 0], halves, strict=True):
        _draw(axes, half, corpus, organisms)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles[-1:] + handles[:-1],
        labels[-1:] + labels[:-1],
        loc="outside upper left",
        ncols=5,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        handletextpad=0.3,
    )
    return figure


def synonymous_codons(genetic_code_number: int) -> list[tuple[str, list[int]]]:
    """Each residue letter, stop last, with the ids of its codons."""
    residues = genetic_code(genetic_code_number).residues[:NUM_CODONS]
    groups = [
        (letter, np.flatnonzero(residues == index).tolist()) for index, letter in enumerate(AMINO_ACIDS)
    ]
    return [(letter, codons) for letter, codons in groups if codons]


def _halves(groups: Sequence[tuple[str, list[int]]]) -> list[list[tuple[str, list[int]]]]:
    """The residues in two rows of about 32 codons."""
    halves: list[list[tuple[str, list[int]]]] = [[], []]
    seen = 0
    for group in groups:
        halves[seen >= NUM_CODONS // 2].append(group)
        seen += len(group[1])
    return halves


def _draw(
    axes: Axes,
    groups: Sequence[tuple[str, list[int]]],
    corpus: NDArray[np.float64],
    organisms: Mapping[str, NDArray[np.float64]],
) -> None:
    """One row of residues, every other one on a grey band, with its name above."""
    style_axes(axes)
    axes.grid(visible=False, axis="x")
    codons = [codon for _, of_residue in groups for codon in of_residue]
    places = np.arange(len(codons))
    bars = {"color": tint(GREY, _PALE), "label": "this corpus", "zorder": 2}
    axes.bar(places, 100 * np.nan_to_num(corpus[codons]), 0.8, **bars)
    marks = zip(organisms.items(), _STYLES, _OFFSETS, strict=False)
    for (name, usage), (colour, marker), offset in marks:
        line = {"color": colour, "markersize": 5, "markeredgecolor": "white", "markeredgewidth": 0.5}
        axes.plot(places + offset, 100 * usage[codons], marker, label=name, zorder=3, clip_on=False, **line)
    begin = -0.5
    for number, (letter, of_residue) in enumerate(groups):
        end = begin + len(of_residue)
        if number % 2 == 0:
            axes.axvspan(begin, end, color=tint(RULE, _PALE), zorder=0, linewidth=0)
        axes.text((begin + end) / 2, 107, RESIDUE_NAMES[letter], ha="center", fontsize=8, color=INK)
        begin = end
    axes.set_xticks(places, [CODONS[codon] for codon in codons], rotation=90, family="monospace", color=INK)
    axes.set_xlim(-0.5, len(codons) - 0.5)
    axes.set_ylim(0, 104)
    axes.set_yticks(range(0, 101, 25))
    axes.set_ylabel("% of the residue's codons", fontsize=8, color=GREY)
    axes.axhline(0, color=RULE, linewidth=0.8)
