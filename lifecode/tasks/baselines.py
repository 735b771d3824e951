"""The honest baselines that stand beside every model: what letters alone say, by the same heads."""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.labels import LabelKind, Unit
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.features.counts import CodonFrequency, Kmers, LengthAndGc
from lifecode.tasks.features.feature import Features
from lifecode.tasks.features.multi_hot import MultiHot
from lifecode.tasks.features.one_hot import OneHot, positions_of
from lifecode.tasks.features.reading_frames import OpenFrame, ReadingFrames
from lifecode.tasks.features.residue_counts import Length, ResidueKmers
from lifecode.tasks.heads.head import Head
from lifecode.tasks.heads.registry import linear_head
from lifecode.tasks.one_hot_transformer import LetterTokens, TransformerHead
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
    "open_frame",
    "reading_frames",
    "cnn",
    "length",
    "residues",
    "residue_2mers",
    "residue_one_hot",
    "multi_hot",
    "one_hot_transformer",
    "untrained",
]
"""`cnn` is the small CNN of Genomic Benchmarks, `one_hot_transformer` learns from letters, from scratch.

`open_frame` asks whether one of three frames has no stop codon, `reading_frames` counts codons in all three.
`multi_hot` has a 1 for each 4-mer of nucleotides, or 2-mer of residues, that is there;
`constant` says the mean, or the shares of classes; `untrained` is the same encoder with new weights."""
_OF_PROTEINS: dict[Baseline, Callable[[Examples], Features]] = {
    "length": lambda _: Length(),
    "residues": lambda _: ResidueKmers(1),
    "residue_2mers": lambda _: ResidueKmers(2),
}
_OF_NUCLEIC_ACIDS: dict[Baseline, Callable[[Examples], Features]] = {
    "length_gc": lambda _: LengthAndGc(),
    "3mers": lambda _: Kmers(3),
    "4mers": lambda _: Kmers(4),
    "5mers": lambda _: Kmers(5),
    "6mers": lambda _: Kmers(6),
    "nucleotide_one_hot": lambda train: OneHot("nucleotide", positions_of(train.sequences, "nucleotide")),
    "codon_frequency": lambda _: CodonFrequency(),
    "codon_one_hot": lambda train: OneHot("codon", positions_of(train.sequences, "codon")),
    "open_frame": lambda _: OpenFrame(),
    "reading_frames": lambda _: ReadingFrames(),
    "cnn": lambda train: LetterIds(positions_of(train.sequences, "nucleotide")),
}
_OF_RESIDUES: Baseline = "residue_one_hot"
"""Of labels of positions alone."""


def features_of(baseline: Baseline, train: Examples, molecule: Molecule) -> Features | None:
    """What a baseline learns from; None for `constant`. One-hot reads as many positions as `train` has.

    Raises:
        UserError: it is of nucleic acids, and these are proteins, or the other way round.
    """
    if not _is_of(baseline, molecule):
        what = "proteins" if molecule == "protein" else "nucleic acids"
        fitting = fitting_baselines(molecule, None)
        raise UserError(
            f"{baseline} is not of {what}", source="baselines", remedy=f"Use {', '.join(fitting)}"
        )
    if baseline == _OF_RESIDUES:
        raise UserError(f"{baseline} is of labels of residues", source="baselines", remedy="Leave it out")
    if baseline == "constant":
        return None
    if baseline == "multi_hot":
        return MultiHot.of(molecule)
    if baseline == "one_hot_transformer":
        return LetterTokens.of(train.sequences, molecule)
    return (_OF_PROTEINS | _OF_NUCLEIC_ACIDS)[baseline](train)


def fitting_baselines(
    molecule: Molecule, kind: LabelKind | None, unit: Unit = "sequence"
) -> tuple[Baseline, ...]:
    """Those that can be asked for, of labels of whole sequences or of positions; a kind of None is any."""
    if unit == "residue":
        return "constant", "residue_one_hot", "untrained"
    if unit != "sequence":
        return "constant", "nucleotide_one_hot", "codon_one_hot", "untrained"
    of_none = {_OF_RESIDUES, *(("cnn",) if kind == "multilabel" else ())}
    return tuple(name for name in get_args(Baseline) if _is_of(name, molecule) and name not in of_none)


def _is_of(baseline: str, molecule: Molecule) -> bool:
    is_protein = molecule == "protein"
    if baseline in _OF_NUCLEIC_ACIDS:
        return not is_protein
    return is_protein or baseline not in (*_OF_PROTEINS, _OF_RESIDUES)


def head_of(baseline: Baseline, kind: LabelKind) -> Head:
    """What a baseline with features learns by: a network of its own, else the linear head of every one.

    Raises:
        UserError: the CNN, and labels of several classes for one sequence.
    """
    if baseline == "cnn" and kind == "multilabel":
        problem = "cnn learns one class for a sequence, and the labels are several"
        raise UserError(problem, source="baselines", remedy="Leave cnn out")
    if baseline == "one_hot_transformer":
        return TransformerHead(kind)
    return CnnHead(kind == "regression") if baseline == "cnn" else linear_head(kind)


def usual_baselines(molecule: Molecule, kind: LabelKind) -> list[Baseline]:
    """All but codons without a reading frame, the CNN for several classes, and what has to be asked for.

    That is the transformer on one-hot letters, which takes longest, and for nucleic acids `multi_hot` and the
    reading frames.
    """
    if molecule == "protein":
        return ["constant", "length", "residues", "residue_2mers", "multi_hot", "untrained"]
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
