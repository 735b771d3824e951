"""`kind=convergence`: does a model give the coding sequence and the protein of a gene like embeddings?

Cosines of both, each centred and scaled over the genes, in their own pairs against all other pairs. Two
lengths that agree already say much of this, so their difference stands beside.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecode.analyses.analysis import Analysed, Say, Value
from lifecode.analyses.genes import read_genes
from lifecode.analyses.named_model import NamedModel, notes_on_reading
from lifecode.errors import UserError, require_at_least
from lifecode.report.charts.two_histograms import HistogramPanel, two_histograms
from lifecode.report.page import Drawing

HEADINGS = ("model", "own pairs", "other pairs", "AUC", "found first", "median rank", "genes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Convergence:
    """Both sequences of a gene.

    Args:
        genes: so many are drawn.
        min_codons: of a gene.
        max_codons: likewise.
    """

    genes: int = 300
    min_codons: int = 30
    max_codons: int = 400

    def __post_init__(self) -> None:
        require_at_least(3, self, "genes", "min_codons", within="kind")

    def analyse(
        self, input: str | list[str], models: Sequence[NamedModel], *, seed: int, say: Say
    ) -> Analysed:
        """As `Analysis.analyse`; the input holds coding sequences."""
        drawn, notes = read_genes(
            input, most=self.genes, min_codons=self.min_codons, max_codons=self.max_codons, seed=seed
        )
        if len(drawn) < 3:
            raise UserError("has fewer than three genes", source=str(input))
        cds, proteins = [gene.nucleotides for gene in drawn], [gene.protein for gene in drawn]
        notes += [*notes_on_reading(models, cds, "cds"), *notes_on_reading(models, proteins, "protein")]
        rows: list[list[Value]] = []
        panels = []
        for one in models:
            say(f"{one.name}: reading {len(drawn):,} genes and their proteins")
            alike = cosines(one.vectors(cds, "cds"), one.vectors(proteins, "protein"))
            row, panel = pairs_told_apart(one.name, alike)
            rows.append(row)
            panels.append(panel)
        sizes = np.log([len(gene.residues) for gene in drawn])
        by_length = -np.abs(sizes[:, None] - sizes)
        rows.append(["length alone", None, None, *found_among(by_length), len(drawn)])
        return Analysed(
            kind="convergence",
            verdict=f"{len(drawn):,} genes, their coding sequences beside their proteins",
            headings=HEADINGS,
            rows=rows,
            drawing=Drawing(
                two_histograms(panels, ("own pairs", "other pairs")),
                "Cosines of coding sequences and proteins",
                "For each model two histograms of cosines, of a gene with its protein and with those of "
                "others.",
            ),
            how_to_read=(
                "Own and other pairs: mean cosine of a coding sequence with its protein, and with those "
                "of other genes. AUC: how often an own pair is more alike than another. Found first: "
                "share of coding sequences whose own protein is the most alike of all; the rank is that "
                "of the own protein. A translation would find every one. Life-Code reads a protein as "
                "codons of E. coli, so it sees letters of one kind twice."
            ),
            notes=notes,
        )


def cosines(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, n) of rows, each table centred and scaled by its own columns."""
    scaled = []
    for table in (first, second):
        table = table.astype(np.float64) - table.mean(0, dtype=np.float64)
        deviation = table.std(0)
        varies = deviation > 1e-6 * max(float(deviation.max(initial=0)), 1e-12)
        table = np.where(varies, table / np.where(varies, deviation, 1), 0)
        scaled.append(table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12))
    return scaled[0] @ scaled[1].T


def pairs_told_apart(name: str, alike: NDArray[np.float64]) -> tuple[list[Value], HistogramPanel]:
    """A row of the table and its histograms, of cosines (n, n) with the own pairs on the diagonal."""
    own, others = np.diag(alike), alike[~np.eye(len(alike), dtype=bool)]
    area, first, rank = found_among(alike)
    row: list[Value] = [name, float(own.mean()), float(others.mean()), area, first, rank, len(alike)]
    return row, HistogramPanel(f"{name}, AUC {area:.3f}", "cosine", own, others)


def found_among(alike: NDArray[np.float64]) -> tuple[float, float, float]:
    """AUC of the diagonal, share of rows whose diagonal is largest, median rank; ties count half."""
    from sklearn.metrics import roc_auc_score

    own = np.diag(alike)[:, None]
    area = float(roc_auc_score(np.eye(len(alike), dtype=int).ravel(), alike.ravel()))
    more, equal = (alike > own).sum(1), (alike == own).sum(1)
    first = np.where(more == 0, 1 / equal, 0)
    return area, float(first.mean()), float(np.median(1 + more + (equal - 1) / 2))
