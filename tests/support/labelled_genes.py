"""Small tasks that a model of two layers can learn: sequences whose letters say the label."""

from pathlib import Path

import numpy as np

from lifecode.alphabet import encode_nucleotides
from lifecode.tasks.examples.examples import Examples


def gene(draw: np.random.Generator, gc: float, codons: int = 12) -> str:
    """A start codon and letters of this GC content."""
    return "ATG" + "".join(draw.choice(list("GC" if draw.random() < gc else "AT"), 3 * codons))


def labelled_genes(num: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """Genes of 3 to 16 codons, and `low` or `high` by their GC content."""
    draw = np.random.default_rng(seed)
    labels = ["high" if i % 2 else "low" for i in range(num)]
    return [
        gene(draw, 0.75 if label == "high" else 0.25, int(draw.integers(2, 16))) for label in labels
    ], labels


def write_genes(path: Path, num: int, seed: int = 0) -> Path:
    """The same as a CSV of two columns."""
    rows = zip(*labelled_genes(num, seed), strict=True)
    path.write_text("sequence,label\n" + "".join(f"{sequence},{label}\n" for sequence, label in rows))
    return path


def examples_of_genes(num: int, seed: int = 0) -> Examples:
    """The same, read."""
    sequences, labels = labelled_genes(num, seed)
    numbers = np.array([label == "low" for label in labels], dtype=np.int64)
    ids = [str(i + 1) for i in range(num)]
    return Examples(ids, [encode_nucleotides(sequence) for sequence in sequences], numbers, False)
