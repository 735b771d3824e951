"""The honest baselines that stand beside every model: what letters alone say, by the same heads."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.labels import LabelKind
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.features.counts import CodonFrequency, Kmers, LengthAndGc
from lifecode.tasks.features.feature import Features
from lifecode.tasks.features.one_hot import OneHot, positions_of
from lifecode.tasks.heads.head import Head
from lifecode.tasks.probe import linear_head
from lifecode.tasks.small_cnn import CnnHead, LetterIds

Baseline = Literal[
    "constant",
    "length_gc",
    "3mers",
    "4mers",
    "5mers",
    "6mers",
    "nucleotide_one_hot",
    "codon_frequency",
    "codon_one_hot",
    "cnn",
    "untrained",
]
"""`cnn` is the small CNN of Genomic Benchmarks.

`constant` says the mean, or the shares of classes; `untrained` is the same encoder with new weights."""


def features_of(baseline: Baseline, train: Examples) -> Features | None:
    """What a baseline learns from; None for `constant`. One-hot reads as many positions as `train` has."""
    if baseline == "constant":
        return None
    if baseline == "cnn":
        return LetterIds(positions_of(train.nucleotides, "nucleotide"))
    if baseline.endswith("mers"):
        return Kmers(int(baseline[0]))
    if baseline in ("nucleotide_one_hot", "codon_one_hot"):
        unit = "codon" if baseline == "codon_one_hot" else "nucleotide"
        return OneHot(unit, positions_of(train.nucleotides, unit))
    return LengthAndGc() if baseline == "length_gc" else CodonFrequency()


def head_of(baseline: Baseline, kind: LabelKind) -> Head:
    """What a baseline with features learns by: the CNN, else the linear head of every one.

    Raises:
        UserError: the CNN, and labels of several classes for one sequence.
    """
    if baseline == "cnn" and kind == "multilabel":
        problem = "cnn learns one class for a sequence, and the labels are several"
        raise UserError(problem, source="baselines", remedy="Leave cnn out")
    return CnnHead(kind == "regression") if baseline == "cnn" else linear_head(kind)


def usual_baselines(molecule: Molecule, kind: LabelKind) -> list[Baseline]:
    """All but codons where no reading frame is known, and the CNN where a sequence has several classes."""
    codons: list[Baseline] = ["codon_frequency", "codon_one_hot"]
    kmers: list[Baseline] = ["3mers", "4mers", "5mers", "6mers"]
    cnn: list[Baseline] = [] if kind == "multilabel" else ["cnn"]
    of_frame = codons if molecule == "cds" else []
    return ["constant", "length_gc", *kmers, "nucleotide_one_hot", *of_frame, *cnn, "untrained"]


def constant_prediction(labels: NDArray, num: int, num_classes: int) -> NDArray[np.float64]:
    """The mean label (n,), or the share of each class (n, num_classes), of labels that were learnt from."""
    if not num_classes:
        return np.full(num, labels.mean())
    return np.tile(np.bincount(labels, minlength=num_classes) / len(labels), (num, 1))
