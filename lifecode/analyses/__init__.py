"""What models hold of sequences without being tuned, an untrained model beside each; an analysis a module."""

from lifecode.analyses.accuracy.accuracy_bins import AccuracyBins
from lifecode.analyses.analysis import Analysed, Analysis
from lifecode.analyses.codon_usage import CodonUsageMap
from lifecode.analyses.convergence import Convergence
from lifecode.analyses.embedding import EmbeddingMap
from lifecode.analyses.expression import Expression
from lifecode.analyses.masked_codons import MaskedCodons
from lifecode.analyses.masked_residues import MaskedResidues
from lifecode.analyses.orthologs import Orthologs
from lifecode.analyses.pseudogene import PseudogeneRepair
from lifecode.analyses.synonymous import SynonymousChanges

__all__ = [
    "AccuracyBins",
    "Analysed",
    "Analysis",
    "CodonUsageMap",
    "Convergence",
    "EmbeddingMap",
    "Expression",
    "MaskedCodons",
    "MaskedResidues",
    "Orthologs",
    "PseudogeneRepair",
    "SynonymousChanges",
]
