"""Every metric by the name it has in metrics.csv and metrics.json: declared here, read everywhere else.

A name that is not declared, of a user's own objective say, is a number of which it is not known whether more
of it is better.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

Unit = Literal["share", "nats", "nucleotides/s", "letters/s", "GiB", "number"]


class Metric(NamedTuple):
    """What a metric is called and how to read it.

    Attributes:
        name: in files, with every logger and as a key of a `ModelCheckpoint`.
        label: for people.
        unit: a `share` lies between 0 and 1 and is shown in percent.
        higher_is_better: None where neither is, or it is not known.
        explanation: what it measures.
        baselines: metrics it has to beat; of the same unit.
    """

    name: str
    label: str
    unit: Unit
    higher_is_better: bool | None
    explanation: str = ""
    baselines: tuple["Metric", ...] = ()


CODON_UNIGRAM = Metric("codon_unigram", "codon unigram", "nats", False)
BOTH_NEIGHBOURS = Metric("codon_bigram", "both neighbours", "nats", False)
MAJORITY_RESIDUE = Metric("majority_residue", "most frequent residue", "share", True)
TEACHER_MEAN = Metric("teacher_mean", "mean teacher", "share", True)
TEACHER_OF_CODON = Metric("teacher_codon_r2", "the codon alone", "share", True)

MASKED_CODON_CROSS_ENTROPY = Metric(
    "masked_codon_cross_entropy",
    "Masked codon cross-entropy",
    "nats",
    False,
    "a whole codon is masked, one of 64 is predicted; lower is better",
    (CODON_UNIGRAM, BOTH_NEIGHBOURS),
)
SHUFFLED_CROSS_ENTROPY = Metric(
    "masked_codon_cross_entropy_shuffled",
    "The same, codons shuffled",
    "nats",
    True,
    "a model that reads context does worse here than on the genes in order",
    (MASKED_CODON_CROSS_ENTROPY._replace(label="genes in order"),),
)
MASKED_TRANSLATION_ACCURACY = Metric(
    "masked_translation_accuracy",
    "Masked translation accuracy",
    "share",
    True,
    "the residue of a masked codon",
    (MAJORITY_RESIDUE,),
)
TRANSLATION_ACCURACY = Metric(
    "translation_accuracy",
    "Translation accuracy",
    "share",
    True,
    "the residue of every codon, nothing masked",
)
KD_EXPLAINED = Metric(
    "kd_explained",
    "Teacher explained",
    "share",
    True,
    "share of the divergence from the mean teacher that the model removes",
    (TEACHER_MEAN,),
)
TEACHER_PROBE = Metric(
    "teacher_probe_r2",
    "Teacher in the hidden states",
    "share",
    True,
    "share of the variance of the teacher's features that is linear in the model's hidden states",
    (TEACHER_OF_CODON,),
)
HELD_OUT = (
    MASKED_CODON_CROSS_ENTROPY,
    SHUFFLED_CROSS_ENTROPY,
    MASKED_TRANSLATION_ACCURACY,
    TRANSLATION_ACCURACY,
    KD_EXPLAINED,
    TEACHER_PROBE,
)
"""Of a trained model on genes it never saw, in the order in which they are listed."""

ACCURACY = Metric("accuracy", "Accuracy", "share", True, "share of the examples whose class is right")
MATTHEWS = Metric("mcc", "Matthews correlation", "number", True, "of predicted and true classes; 0 is chance")
MACRO_F1 = Metric("macro_f1", "Macro F1", "share", True, "mean over classes of F1")
AUROC = Metric(
    "auroc", "Area under ROC", "share", True, "a positive is ranked above a negative; 0.5 is chance"
)
AUPRC = Metric("auprc", "Average precision", "share", True, "of the second class; its share is chance")
F1 = Metric("f1", "F1", "share", True, "of the second class, by its precision and recall")
MICRO_F1 = Metric("micro_f1", "Micro F1", "share", True, "F1 over all pairs of a sequence and a class")
MACRO_AUROC = Metric("macro_auroc", "Mean area under ROC", "share", True, "over classes; 0.5 is chance")
MACRO_AUPRC = Metric("macro_auprc", "Mean average precision", "share", True, "over classes")
EXACT_MATCH = Metric("exact_match", "Exact match", "share", True, "of sequences whose classes are all right")
SPEARMAN = Metric(
    "spearman", "Spearman correlation", "number", True, "of the ranks of predictions and labels"
)
PEARSON = Metric("pearson", "Pearson correlation", "number", True, "of predictions and labels")
R2 = Metric("r2", "R²", "number", True, "share of the labels' variance that is predicted; 0 is their mean")
RMSE = Metric("rmse", "Root mean squared error", "number", False, "in units of the label")
OF_CLASSES = (MATTHEWS, ACCURACY, MACRO_F1)
OF_TWO_CLASSES = (*OF_CLASSES, F1, AUROC, AUPRC)
OF_LABEL_SETS = (MICRO_F1, MACRO_AUROC, MACRO_AUPRC, EXACT_MATCH)
OF_VALUES = (SPEARMAN, PEARSON, R2, RMSE)
"""Of a task with a user's labels, by their kind; models are compared by the first unless another is asked."""

NUCLEOTIDES_PER_SECOND = Metric("nucleotides_per_second", "nucleotides per second", "nucleotides/s", True)
LETTERS_PER_SECOND = Metric("letters_per_second", "letters per second", "letters/s", True)
PACKING_FILL = Metric("packing_fill", "packing fill", "share", True)
PEAK_MEMORY = Metric("peak_memory_gib", "peak memory", "GiB", False)
MFU = Metric("mfu", "model FLOPs utilisation", "share", True)
OF_THE_MACHINE = tuple(
    metric.name for metric in (NUCLEOTIDES_PER_SECOND, LETTERS_PER_SECOND, PEAK_MEMORY, MFU)
)
"""Names of the metrics of a training step that no two runs share."""

MASKED_MODELLING = Metric("mlm", "Masked modelling loss", "nats", False)
TRANSLATION = Metric("translation", "Translation loss", "nats", False)
DISTILLATION = Metric("distillation", "Distillation loss", "nats", False)
LEARNING_RATE = Metric("learning_rate", "Learning rate", "number", None)

_BY_NAME = {
    metric.name: metric
    for metric in (
        *HELD_OUT,
        *(baseline for metric in HELD_OUT for baseline in metric.baselines if baseline not in HELD_OUT),
        *OF_TWO_CLASSES,
        *OF_LABEL_SETS,
        *OF_VALUES,
        NUCLEOTIDES_PER_SECOND,
        LETTERS_PER_SECOND,
        PEAK_MEMORY,
        MFU,
        PACKING_FILL,
        MASKED_MODELLING,
        TRANSLATION,
        DISTILLATION,
        LEARNING_RATE,
    )
}


def of_class(metric: Metric, name: str) -> Metric:
    """A metric of one class of several, such as `auprc(donor)`."""
    return metric._replace(
        name=f"{metric.name}({name})",
        label=f"{metric.label} of {name}",
        explanation=f"{name} against the rest",
    )


def metric_named(name: str) -> Metric:
    """The metric of this name; one that is not declared is called after its name."""
    stem, bracket, rest = name.partition("(")
    if bracket and stem in (AUROC.name, AUPRC.name):
        return of_class(_BY_NAME[stem], rest.removesuffix(")"))
    return _BY_NAME.get(name) or Metric(name, name.replace("_", " ").capitalize(), "number", None)


def in_usual_order(names: Iterable[str]) -> list[str]:
    """Names of held-out metrics as `HELD_OUT` lists them, then those that are not declared."""
    names, known = set(names), [metric.name for metric in HELD_OUT]
    return [name for name in known if name in names] + sorted(names - set(known))
