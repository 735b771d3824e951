"""Records of the central dogma: pre-mRNAs, splice sites, DNA-protein pairs and false ones, for evaluation."""

from lifecode.datasets.central_dogma.dna import CodingSequenceOnly, GeneWithFlanks
from lifecode.datasets.central_dogma.homologs import Homologs
from lifecode.datasets.central_dogma.make import make_dataset
from lifecode.datasets.central_dogma.pairs import Pairs
from lifecode.datasets.central_dogma.pre_mrna import PreMrnas
from lifecode.datasets.central_dogma.splice_windows import SpliceWindows

__all__ = [
    "CodingSequenceOnly",
    "GeneWithFlanks",
    "Homologs",
    "Pairs",
    "PreMrnas",
    "SpliceWindows",
    "make_dataset",
]
