"""All held-out figures of a pre-trained model, beside their baselines."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.data.batch import ResidueFeatures
from lifecode.data.corpus import Corpus
from lifecode.errors import UserError
from lifecode.evaluation.distillation import kd_explained
from lifecode.evaluation.heldout import (
    HeldOut,
    baseline_figures,
    held_out_genes,
    masked_figures,
    read_masked,
    translation_accuracy,
)
from lifecode.evaluation.sources import SourceFigures, figures_by_source
from lifecode.evaluation.tally import Figure
from lifecode.model.life_code import LifeCode
from lifecode.objectives.distillation import DistillationLoss

SPLIT = "test"


class Evaluation(NamedTuple):
    """Figures on the held-out genes.

    Attributes:
        heldout: of the model: translation_accuracy, masked_codon_cross_entropy, masked_translation_accuracy,
            masked_codon_cross_entropy_shuffled and, with a teacher, kd_explained.
        baselines: codon_unigram, codon_bigram, majority_residue and, with a teacher, teacher_mean.
        sources: of each input file, if there are several.
    """

    heldout: dict[str, Figure]
    baselines: dict[str, Figure]
    sources: dict[str, SourceFigures]


def evaluate(
    model: LifeCode,
    corpus: Corpus,
    settings: HeldOut,
    *,
    distillation: DistillationLoss | None = None,
    features: ResidueFeatures | None = None,
    seen: NDArray[np.bool_] | None = None,
) -> Evaluation:
    """Figures of the model, and of the baselines, on the test split.

    Args:
        model: trained.
        corpus: whose test split is held out.
        settings: how genes are masked and packed.
        distillation: the loss against the teacher, or None.
        features: of the teacher, or None.
        seen: (num_cds,) genes of the test split to leave out, because the model saw their like before.

    Raises:
        UserError: the test split holds no gene.
    """
    require_held_out_genes(corpus)
    train, table = corpus.segments("cds", "train"), corpus.segments("cds", SPLIT)
    was_training = model.training
    model.eval()
    rows = range(len(table)) if seen is None else np.flatnonzero(~seen).tolist()
    genes = held_out_genes(table, settings, rows=rows)
    readings = read_masked(model, genes, settings.max_codons)
    shuffled = read_masked(
        model, held_out_genes(table, settings, rows=rows, shuffled=True), settings.max_codons
    )
    heldout = {
        "translation_accuracy": translation_accuracy(model, genes[: len(rows)], settings.max_codons),
        **masked_figures(readings),
        "masked_codon_cross_entropy_shuffled": masked_figures(shuffled)["masked_codon_cross_entropy"],
    }
    baselines = baseline_figures(train, range(len(train)), genes)
    if distillation is not None and features is not None:
        heldout["kd_explained"] = kd_explained(
            model, distillation, train=train, held_out=table, features=features, rows=rows
        )
        baselines["teacher_mean"] = Figure(0.0, heldout["kd_explained"].n)
    model.train(was_training)
    return Evaluation(heldout, baselines, figures_by_source(train, table, genes, readings))


def require_held_out_genes(corpus: Corpus) -> None:
    """Raises a `UserError` if the test split holds no gene, which is better known before training."""
    if not len(corpus.segments("cds", SPLIT)):
        raise UserError(
            "the test split holds no gene to evaluate on",
            source=corpus.folder,
            remedy="Raise data.split.test, choose another seed, or give a larger genome",
        )
