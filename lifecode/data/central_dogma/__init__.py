"""Records of the central dogma: pre-mRNAs, splice sites, DNA-protein pairs and false ones, for evaluation."""

from lifecode.data.central_dogma.dna import CodingSequenceOnly, GeneWithFlanks
from lifecode.data.central_dogma.homologs import Homologs
from lifecode.data.central_dogma.make import make_dataset
from lifecode.data.central_dogma.pairs import Pairs
from lifecode.data.central_dogma.pre_mrna import PreMrnas
from lifecode.data.central_dogma.splice_windows import SpliceWindows

__all__ = [
    "CodingSequenceOnly",
    "GeneWithFlanks",
    "Homologs",
    "Pairs",
    "PreMrnas",
    "SpliceWindows",
    "make_dataset",
]
