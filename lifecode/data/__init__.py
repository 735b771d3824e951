"""Sequence files to verified records, corpora and packed batches."""

from typing import TYPE_CHECKING, Any

from lifecode.data.corpus.corpus import Corpus
from lifecode.data.corpus.prepare import prepare_corpus
from lifecode.data.corpus.segments import SegmentTable
from lifecode.data.reading.read import packaged_genomes, read_records
from lifecode.data.splits.split import BlockSplit

if TYPE_CHECKING:
    from lifecode.data.batches.packing import Packed, pack

__all__ = [
    "BlockSplit",
    "Corpus",
    "Packed",
    "SegmentTable",
    "pack",
    "packaged_genomes",
    "prepare_corpus",
    "read_records",
]


def __getattr__(name: str) -> Any:
    """Imports packing at its first use, so that reading files does not wait for torch."""
    if name in ("Packed", "pack"):
        from lifecode.data.batches import packing

        return getattr(packing, name)
    raise AttributeError(f"module 'lifecode.data' has no attribute {name!r}")
