"""Records of the central dogma, for evaluation: pre-mRNAs, splice sites, coding windows, pairs."""

from lifecode.datasets.central_dogma.coding_windows import CodingWindows
from lifecode.datasets.central_dogma.dna import CodingSequenceOnly, GeneWithFlanks
from lifecode.datasets.central_dogma.homologs import Homologs
from lifecode.datasets.central_dogma.make import make_dataset
from lifecode.datasets.central_dogma.pairs import Pairs
from lifecode.datasets.central_dogma.pre_mrna import PreMrnas
from lifecode.datasets.central_dogma.splice_windows import SpliceWindows

__all__ = [
    "CodingSequenceOnly",
    "CodingWindows",
    "GeneWithFlanks",
    "Homologs",
    "Pairs",
    "PreMrnas",
    "SpliceWindows",
    "make_dataset",
]
