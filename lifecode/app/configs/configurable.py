"""The classes that a `_target_` may name.

A config may come from a stranger, so this is a list and not a rule: a public function or class of ours may
well write, delete or start a process. A class that `conf/` names for the first time is entered here.
"""

import inspect

OURS = frozenset(
    {
        "lifecode.analyses.accuracy.accuracy_bins.AccuracyBins",
        "lifecode.analyses.codon_usage.CodonUsageMap",
        "lifecode.analyses.convergence.Convergence",
        "lifecode.analyses.embedding.EmbeddingMap",
        "lifecode.analyses.expression.Expression",
        "lifecode.analyses.masked_codons.MaskedCodons",
        "lifecode.analyses.masked_residues.MaskedResidues",
        "lifecode.analyses.orthologs.Orthologs",
        "lifecode.analyses.pseudogene.PseudogeneRepair",
        "lifecode.analyses.synonymous.SynonymousChanges",
        "lifecode.data.batches.batch_shape.BatchShape",
        "lifecode.datasets.central_dogma.dna.CodingSequenceOnly",
        "lifecode.datasets.central_dogma.dna.GeneWithFlanks",
        "lifecode.datasets.central_dogma.homologs.Homologs",
        "lifecode.datasets.central_dogma.pairs.Pairs",
        "lifecode.datasets.central_dogma.pre_mrna.PreMrnas",
        "lifecode.datasets.central_dogma.coding_windows.CodingWindows",
        "lifecode.datasets.central_dogma.splice_windows.SpliceWindows",
        "lifecode.datasets.luca_one.make.RowSettings",
        "lifecode.datasets.luca_one.masking.LetterMasking",
        "lifecode.datasets.luca_one.stream.TokenShape",
        "lifecode.data.corpus.engine.LocalEngine",
        "lifecode.data.batches.masking.Masking",
        "lifecode.data.batches.mixture.Mixture",
        "lifecode.data.corpus.ray_engine.RayEngine",
        "lifecode.data.reading.read.ReadingSettings",
        "lifecode.data.splits.split.BlockSplit",
        "lifecode.data.splits.split.ContigSplit",
        "lifecode.data.splits.split.TaxonSplit",
        "lifecode.design.constraints.Constraints",
        "lifecode.design.sampler.Sampling",
        "lifecode.evaluation.masked_genes.HeldOut",
        "lifecode.models.life_code.codec.CodonCodec",
        "lifecode.models.life_code.model.LifeCode",
        "lifecode.models.luca_one.model.LucaOne",
        "lifecode.objectives.distillation.DistillationLoss",
        "lifecode.objectives.log_sum.LogSum",
        "lifecode.objectives.max_norm.MaxNorm",
        "lifecode.objectives.weighted_sum.WeightedSum",
        "lifecode.objectives.weighted_tasks.WeightedTasks",
        "lifecode.report.charts.figure_style.FigureColours",
        "lifecode.tasks.examples.sequence_task.SequenceTask",
        "lifecode.tasks.pairs.pair_head.PairHead",
        "lifecode.tasks.pairs.pair_task.PairTask",
        "lifecode.tasks.peers.transformers_peer.TransformersPeer",
        "lifecode.tasks.probe.Probe",
        "lifecode.tasks.suites.layouts.genomic_benchmarks.GenomicBenchmarks",
        "lifecode.tasks.suites.layouts.gue.Gue",
        "lifecode.tasks.suites.layouts.lucaone.LucaOne",
        "lifecode.tasks.suites.layouts.rpi.Rpi",
        "lifecode.tasks.suites.layouts.species.SpeciesByChromosome",
        "lifecode.tasks.suites.layouts.splice_sites.SpliceSites",
        "lifecode.tasks.suites.layouts.spliceator.Spliceator",
        "lifecode.tasks.suites.layouts.tables.TableSuite",
        "lifecode.tasks.suites.layouts.uci_splice.UciSplice",
        "lifecode.tasks.tuning.settings.Fit",
        "lifecode.tasks.tuning.settings.Lora",
        "lifecode.tasks.tuning.settings.TrainedHead",
        "lifecode.teachers.esm2.Esm2Teacher",
        "lifecode.teachers.near.NearTeacher",
        "lifecode.training.stages.optimizer.OptimizerRecipe",
        "lifecode.training.trainer.TrainerSettings",
        "lifecode.variants.proteingym.ProteinGym",
    }
)
"""By the module that defines them, whatever path a config takes."""
LOGGERS = frozenset(
    {
        "lightning.pytorch.loggers.tensorboard.TensorBoardLogger",
        "lightning.pytorch.loggers.wandb.WandbLogger",
    }
)
"""Those of `conf/logger`."""
PACKAGES = (
    "torch.optim",
    "lightning.pytorch.callbacks",
    "lightning.pytorch.loggers",
    "lightning.pytorch.profilers",
    "lightning.pytorch.trainer.trainer",
)
"""Whose classes, and no functions, a command line may name besides."""


def home_of(target: object) -> str:
    """Where a class was defined, which is not always the path taken to it; empty for what is no class."""
    return f"{target.__module__}.{target.__qualname__}" if inspect.isclass(target) else ""


def is_configurable(target: object) -> bool:
    """Whether a `_target_` may name this."""
    home = home_of(target)
    return home in OURS or home.startswith(tuple(f"{package}." for package in PACKAGES))
