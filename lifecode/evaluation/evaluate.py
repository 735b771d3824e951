"""All held-out figures of a pre-trained model, beside their baselines."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.data.batches.batch import ResidueFeatures
from lifecode.data.corpus.corpus import Corpus
from lifecode.errors import UserError
from lifecode.evaluation.distillation import kd_explained, sample_of_genes, teacher_probe
from lifecode.evaluation.masked_genes import (
    HeldOut,
    baseline_metrics,
    held_out_genes,
    masked_metrics,
    read_masked,
    translation_metrics,
)
from lifecode.evaluation.metrics import (
    KD_EXPLAINED,
    MASKED_CODON_CROSS_ENTROPY,
    SHUFFLED_CROSS_ENTROPY,
    TEACHER_MEAN,
    TEACHER_OF_CODON,
    TEACHER_PROBE,
)
from lifecode.evaluation.sources import SourceFigures, figures_by_source
from lifecode.evaluation.tally import Mean
from lifecode.models.life_code.model import LifeCode
from lifecode.objectives.distillation import DistillationLoss

SPLIT = "test"


class Evaluation(NamedTuple):
    """Figures on the held-out genes.

    Attributes:
        heldout: of the model: masked_codon_cross_entropy and its shuffled control; with a translator
            translation_accuracy and masked_translation_accuracy; with a teacher kd_explained and
            teacher_probe_r2.
        baselines: codon_unigram, codon_bigram, majority_residue and, with a teacher, teacher_mean and
            teacher_codon_r2.
        sources: of each input file, if there are several.
    """

    heldout: dict[str, Mean]
    baselines: dict[str, Mean]
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
    rows = settings.chosen(np.arange(len(table)) if seen is None else np.flatnonzero(~seen))
    genes = held_out_genes(table, settings, rows=rows)
    scores = read_masked(model, genes, settings.max_codons)
    shuffled = read_masked(
        model, held_out_genes(table, settings, rows=rows, shuffled=True), settings.max_codons
    )
    heldout = {
        **translation_metrics(model, genes[: len(rows)], settings.max_codons),
        **masked_metrics(scores),
        SHUFFLED_CROSS_ENTROPY.name: masked_metrics(shuffled)[MASKED_CODON_CROSS_ENTROPY.name],
    }
    baselines = baseline_metrics(train, range(len(train)), genes)
    if distillation is not None and features is not None:
        given = {
            "train": train,
            "train_genes": sample_of_genes(train, features, settings.max_train_residues, settings.seed),
            "held_out": table,
            "held_out_genes": rows,
            "features": features,
            "max_codons": settings.max_codons,
        }
        explained = heldout[KD_EXPLAINED.name] = kd_explained(model, distillation, **given)
        baselines[TEACHER_MEAN.name] = Mean(0.0, explained.n)
        heldout[TEACHER_PROBE.name], baselines[TEACHER_OF_CODON.name] = teacher_probe(model, **given)
    model.train(was_training)
    return Evaluation(heldout, baselines, figures_by_source(train, table, genes, scores))


def require_held_out_genes(corpus: Corpus) -> None:
    """Raises a `UserError` if the test split holds no gene, which is better known before training."""
    if not len(corpus.segments("cds", SPLIT)):
        raise UserError(
            "the test split holds no gene to evaluate on",
            source=corpus.folder,
            remedy="Raise data.split.test, choose another seed, or give a larger genome",
        )
