"""The 64 codon embeddings on a plane (Life-Code, Figure 6 right)."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from lifecode.alphabet import CODONS, NUM_CODONS
from lifecode.genetic_code import genetic_code, residue_letters
from lifecode.report.charts.figure_style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    VERMILION,
    new_figure,
)

RESIDUE_CLASSES = {
    "hydrophobic": ("AVILMFYW", ORANGE),
    "polar": ("STNQ", GREEN),
    "positive": ("KRH", BLUE),
    "negative": ("DE", VERMILION),
    "special": ("CGP", PURPLE),
}
"""Residues and colour of each biochemical class; stops are black crosses."""

_PERPLEXITY = 12.0
_WIDTH, _HEIGHT = 8.4, 5.6
_MARK = np.array([0.34, 0.38])
"""Inches that one point takes with its label, across and up."""


def codon_map_in_code(codon_embeddings: NDArray[np.floating], genetic_code_number: int) -> Figure | None:
    """The codon map in the colours of an NCBI genetic code; None where an embedding is not finite."""
    if not np.isfinite(codon_embeddings).all():
        return None
    residues = genetic_code(genetic_code_number).residues[:NUM_CODONS]
    return codon_map(codon_embeddings, residue_letters(residues))


def codon_map(codon_embeddings: NDArray[np.floating], amino_acids: str) -> Figure:
    """t-SNE of the codon embeddings, coloured by the biochemical class of the residue.

    The same embeddings always give the same map: principal components to start from, a fixed seed.

    Args:
        codon_embeddings: (64, d), in the order of `lifecode.alphabet.CODONS`.
        amino_acids: 64 residue letters in the same order, `*` for a stop.
    """
    assert len(codon_embeddings) == len(amino_acids) == NUM_CODONS
    points = _spread(_tsne(np.asarray(codon_embeddings, dtype=np.float64)))
    figure = new_figure(_HEIGHT + 0.8)
    (left, bottom), (right, top) = points.min(axis=0) - 0.3, points.max(axis=0) + 0.3
    axes = figure.add_subplot(xlim=(left, right), ylim=(bottom, top))
    axes.set_axis_off()
    handles = []
    for label, (residues, colour) in RESIDUE_CLASSES.items():
        members = [index for index, letter in enumerate(amino_acids) if letter in residues]
        axes.scatter(*points[members].T, s=230, color=colour, edgecolors="white", linewidths=1.0)
        handles.append(Line2D([], [], marker="o", linestyle="", color=colour, markersize=8, label=label))
    stops = [index for index, letter in enumerate(amino_acids) if letter == "*"]
    axes.scatter(*points[stops].T, s=110, color="black", marker="x", linewidths=2.2)
    handles.append(Line2D([], [], marker="x", linestyle="", color="black", markersize=8, label="stop"))
    for (x, y), codon, letter in zip(points, CODONS, amino_acids, strict=True):
        if letter != "*":
            axes.text(
                x, y, letter, ha="center", va="center_baseline", fontsize=9, color="white", weight="bold"
            )
        axes.annotate(
            codon,
            (x, y),
            xytext=(0, -9.5),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=7,
            color=INK,
        )
    figure.legend(
        handles=handles,
        loc="outside upper left",
        ncols=6,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        handletextpad=0.2,
    )
    figure.supxlabel(
        f"t-SNE, perplexity {_PERPLEXITY:g}; points that would cover each other are moved apart. "
        "Neighbours are meaningful, distances and axes are not.",
        fontsize=8,
        color=GREY,
    )
    return figure


def _tsne(embeddings: NDArray[np.float64]) -> NDArray[np.floating]:
    """Exact t-SNE (64, 2): its Barnes-Hut form crashes the interpreter where embeddings have collapsed."""
    if np.ptp(embeddings, axis=0).max() < 1e-9:
        return np.zeros((len(embeddings), 2))
    from sklearn.manifold import TSNE  # whose import takes half a second, and few commands draw

    tsne = TSNE(perplexity=_PERPLEXITY, init="pca", learning_rate="auto", method="exact", random_state=0)
    return tsne.fit_transform(embeddings)


def _spread(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """The map (64, 2) in inches, overlapping points moved apart along the axis where they overlap less."""
    low, high = points.min(axis=0), points.max(axis=0)
    inches = (points - low) / np.maximum(high - low, 1e-9) * np.array([_WIDTH, _HEIGHT])
    first, second = np.triu_indices(len(inches), k=1)
    for _ in range(300):
        apart = inches[second] - inches[first]
        overlap = _MARK - np.abs(apart)
        covered = (overlap > 0).all(axis=1)
        if not covered.any():
            break
        axis = (overlap / _MARK).argmin(axis=1)
        rows = np.arange(len(axis))
        push = np.where(covered, overlap[rows, axis], 0.0) * np.where(apart[rows, axis] < 0, -0.3, 0.3)
        np.add.at(inches, (second, axis), push)
        np.add.at(inches, (first, axis), -push)
    return inches
