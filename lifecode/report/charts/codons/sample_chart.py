"""Masked codons of one gene beside what a model takes them for."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from lifecode.alphabet import CODONS, NUM_CODONS
from lifecode.evaluation.sample import SamplePredictions
from lifecode.genetic_code import genetic_code, residue_letters
from lifecode.report.charts.codons.codon_map import RESIDUE_CLASSES
from lifecode.report.charts.figure_style import BLUE, GREEN, GREY, INK, ORANGE, figure_text, new_figure

_GUESSES = 5
_ROW_HEIGHT, _CELL = 0.3, 0.18
_COLOURS = {
    "the codon": GREEN,
    "its residue": BLUE,
    "a residue of its class": ORANGE,
    "another": GREY,
}


def sample_chart(sample: SamplePredictions) -> Figure:
    """A line a masked codon: the true one, the five most probable ones, and the probability of the true one.

    Colours say how right a guess is: the codon itself, another one of its residue, a residue of the same
    biochemical class, or neither.
    """
    letters = residue_letters(genetic_code(sample.genetic_code).residues[:NUM_CODONS])
    figure = new_figure(_ROW_HEIGHT * (len(sample.codons) + 1) + 0.9)
    axes = figure.add_subplot(xlim=(-0.25, 1.0), ylim=(len(sample.codons) - 0.4, -1.0))
    axes.set_axis_off()
    headings = (
        (-0.25, "Codon"),
        (-0.14, "There"),
        (0.0, "The model's five best guesses"),
        (0.91, "True codon"),
    )
    for x, heading in headings:
        axes.text(x, -0.75, heading, fontsize=9, color=INK, fontweight="bold", va="center")
    for line, (position, codon, probabilities) in enumerate(
        zip(sample.positions, sample.codons, sample.probabilities, strict=True)
    ):
        axes.text(-0.25, line, f"{position + 1:,}", fontsize=9, color=GREY, va="center")
        there = f"{CODONS[codon]}  {letters[codon]}"
        axes.text(-0.14, line, there, fontsize=9, color=INK, family="monospace", va="center")
        best = np.argsort(-probabilities, kind="stable")[:_GUESSES]
        for place, guess in enumerate(best):
            colour = _COLOURS[_how_right(int(guess), int(codon), letters)]
            cell = (place * _CELL + 0.004, line - 0.42)
            axes.add_patch(Rectangle(cell, _CELL - 0.008, 0.84, facecolor=colour, edgecolor="none"))
            axes.text(
                (place + 0.5) * _CELL,
                line,
                f"{CODONS[guess]} {letters[guess]} {100 * probabilities[guess]:3.0f} %",
                fontsize=8.5,
                color="white",
                family="monospace",
                ha="center",
                va="center",
            )
        chance = f"{100 * probabilities[codon]:.0f} %"
        axes.text(1.0, line, chance, fontsize=9, color=GREY, ha="right", va="center")
    axes.set_title(
        f"{figure_text(sample.gene)}: masked codons, never seen in training",
        loc="left",
        fontsize=9.5,
        color=INK,
        fontweight="bold",
    )
    figure.legend(
        handles=[Patch(color=colour, label=label) for label, colour in _COLOURS.items()],
        loc="outside lower left",
        ncols=len(_COLOURS),
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
    )
    return figure


def _how_right(guess: int, codon: int, letters: str) -> str:
    """The key of `_COLOURS` for a guess."""
    if guess == codon:
        return "the codon"
    if letters[guess] == letters[codon]:
        return "its residue"
    classes = (residues for residues, _ in RESIDUE_CLASSES.values())
    alike = any(letters[guess] in residues and letters[codon] in residues for residues in classes)
    return "a residue of its class" if alike else "another"
