"""Share of each codon among its synonyms as shades: species down, codons by residue across."""

from collections.abc import Mapping

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lifecode.alphabet import CODONS
from lifecode.report.charts.codons.codon_usage_chart import RESIDUE_NAMES, synonymous_codons
from lifecode.report.charts.figure_style import BLUE, GREY, INK, figure_text, new_figure, style_axes

_ABOVE_RESIDUES = 13
"""Points between the first block and its title: the names of the residues stand there."""


def usage_heat_map(
    tables: Mapping[str, Mapping[str, NDArray[np.float64]]], genetic_code_number: int
) -> Figure:
    """A block a table, with the same species in each; codons without a synonym are left out.

    Args:
        tables: (64,) shares by species, by the name of the block.
        genetic_code_number: NCBI `transl_table` that the codons are grouped by.
    """
    groups = [
        (x, codons) for x, codons in synonymous_codons(genetic_code_number) if len(codons) > 1 and x != "*"
    ]
    columns = [codon for _, codons in groups for codon in codons]
    species = list(next(iter(tables.values())))
    figure = new_figure(0.9 + len(tables) * (0.45 + 0.22 * len(species)))
    shades = LinearSegmentedColormap.from_list("shades", ["white", BLUE])
    panels = figure.subplots(len(tables), 1, squeeze=False, sharex=True)[:, 0]
    for axes, (name, table) in zip(panels, tables.items(), strict=True):
        style_axes(axes, figure_text(name, 60), pad=_ABOVE_RESIDUES if axes is panels[0] else None)
        axes.grid(visible=False)
        axes.imshow(
            np.array([table[each][columns] for each in species]), cmap=shades, vmin=0, vmax=1, aspect="auto"
        )
        axes.set_yticks(range(len(species)), [figure_text(each, 26) for each in species])
        begin = -0.5
        for _, codons in groups:
            begin += len(codons)
            axes.axvline(begin, color=INK, linewidth=0.5)
    last = panels[-1]
    last.set_xticks(
        range(len(columns)), [CODONS[codon] for codon in columns], rotation=90, family="monospace"
    )
    last.tick_params(axis="x", labelsize=6)
    place = -0.5
    for letter, codons in groups:
        panels[0].annotate(
            RESIDUE_NAMES[letter],
            (place + len(codons) / 2, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=6,
            color=GREY,
        )
        place += len(codons)
    figure.colorbar(panels[0].images[0], ax=panels.tolist(), shrink=0.5, aspect=30, pad=0.01).ax.tick_params(
        labelsize=7, colors=GREY
    )
    return figure
