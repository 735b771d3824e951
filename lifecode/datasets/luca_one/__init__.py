"""Rows of LucaOne's pre-training: sequences with the labels of its tasks."""

from lifecode.datasets.luca_one.make import RowSettings, make_rows, rows_of
from lifecode.datasets.luca_one.records.reading import RowSources
from lifecode.datasets.luca_one.rows import LucaOneRow

__all__ = ["LucaOneRow", "RowSettings", "RowSources", "make_rows", "rows_of"]
