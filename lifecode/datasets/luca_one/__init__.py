"""Rows of LucaOne's pre-training: sequences with the labels of its tasks, and the batches made of them."""

from lifecode.datasets.luca_one.make import RowSettings, make_rows, rows_of
from lifecode.datasets.luca_one.masking import LetterMasking
from lifecode.datasets.luca_one.records.label_source import LabelSource, ProteinLabels
from lifecode.datasets.luca_one.records.reading import RowSources
from lifecode.datasets.luca_one.rows import LucaOneRow
from lifecode.datasets.luca_one.stream import TokenShape

__all__ = [
    "LabelSource",
    "LetterMasking",
    "LucaOneRow",
    "ProteinLabels",
    "RowSettings",
    "RowSources",
    "TokenShape",
    "make_rows",
    "rows_of",
]
