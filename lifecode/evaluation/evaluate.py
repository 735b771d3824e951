"""All held-out figures of a pre-trained model, beside their baselines."""

from lifecode.data.batch import ResidueFeatures
from lifecode.data.corpus import Corpus
from lifecode.errors import UserError
from lifecode.evaluation.distillation import kd_explained, sample_of_genes, teacher_probe
from lifecode.evaluation.heldout import (
    HeldOut,
    baseline_figures,
    held_out_genes,
    masked_figures,
    translation_accuracy,
)
from lifecode.evaluation.tally import Figure
from lifecode.model.life_code import LifeCode
from lifecode.objectives.distillation import DistillationLoss

SPLIT = "test"


def evaluate(
    model: LifeCode,
    corpus: Corpus,
    settings: HeldOut,
    *,
    distillation: DistillationLoss | None = None,
    features: ResidueFeatures | None = None,
) -> tuple[dict[str, Figure], dict[str, Figure]]:
    """Figures of the model, and of the baselines, on the test split.

    Returns:
        `heldout` (translation_accuracy, masked_codon_cross_entropy, masked_translation_accuracy,
        masked_codon_cross_entropy_shuffled and, with a teacher, kd_explained and teacher_probe_r2) and
        `baselines` (codon_unigram, codon_bigram, majority_residue and, with a teacher, teacher_mean and
        teacher_codon_r2).

    Raises:
        UserError: the test split holds no gene.
    """
    require_held_out_genes(corpus)
    table = corpus.segments("cds", SPLIT)
    was_training = model.training
    model.eval()
    genes = held_out_genes(table, settings)
    shuffled = masked_figures(model, held_out_genes(table, settings, shuffled=True), settings.max_codons)
    heldout = {
        "translation_accuracy": translation_accuracy(model, genes[: len(table)], settings.max_codons),
        **masked_figures(model, genes, settings.max_codons),
        "masked_codon_cross_entropy_shuffled": shuffled["masked_codon_cross_entropy"],
    }
    baselines = baseline_figures(corpus, genes)
    if distillation is not None and features is not None:
        train = corpus.segments("cds", "train")
        reading = {
            "train": train,
            "train_genes": sample_of_genes(train, features, settings.max_train_residues, settings.seed),
            "held_out": table,
            "features": features,
            "max_codons": settings.max_codons,
        }
        heldout["kd_explained"] = kd_explained(model, distillation, **reading)
        baselines["teacher_mean"] = Figure(0.0, heldout["kd_explained"].n)
        heldout["teacher_probe_r2"], baselines["teacher_codon_r2"] = teacher_probe(model, **reading)
    model.train(was_training)
    return heldout, baselines


def require_held_out_genes(corpus: Corpus) -> None:
    """Raises a `UserError` if the test split holds no gene, which is better known before training."""
    if not len(corpus.segments("cds", SPLIT)):
        raise UserError(
            "the test split holds no gene to evaluate on",
            source=corpus.folder,
            remedy="Raise data.split.test, choose another seed, or give a larger genome",
        )
