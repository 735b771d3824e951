"""`kind=accuracy`: a finished task by what its held-out rows have in common with those learnt from."""

from lifecode.analyses.accuracy.accuracy_bins import AccuracyBins

__all__ = ["AccuracyBins"]
