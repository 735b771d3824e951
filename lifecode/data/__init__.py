"""Sequence files to verified records, corpora and packed batches."""

from lifecode.data.corpus import Corpus
from lifecode.data.prepare import prepare_corpus
from lifecode.data.reading import packaged_genomes, read_records
from lifecode.data.segments import SegmentTable
from lifecode.data.split import BlockSplit

__all__ = ["BlockSplit", "Corpus", "SegmentTable", "packaged_genomes", "prepare_corpus", "read_records"]
