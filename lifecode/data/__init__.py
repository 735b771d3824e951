"""Sequence files to verified records, corpora and packed batches."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lifecode.alphabet import CODONS, decode_nucleotides
from lifecode.data.cds.coding_sequence import extract
from lifecode.data.cds.codon_usage import codon_usage, gc3_content, kazusa_usage, relative_usage
from lifecode.data.corpus.corpus import Corpus
from lifecode.data.corpus.prepare import prepare_corpus
from lifecode.data.corpus.segments import SegmentTable
from lifecode.data.reading.read import ReadingSettings, packaged_genomes, read_records
from lifecode.data.splits.split import BlockSplit, ContigSplit, Split, TaxonSplit

if TYPE_CHECKING:
    from lifecode.data.batches.batch_shape import BatchShape
    from lifecode.data.batches.masking import Masking
    from lifecode.data.batches.mixture import Mixture
    from lifecode.data.batches.packing import Packed, pack
    from lifecode.data.corpus.engine import LocalEngine
    from lifecode.data.corpus.ray_engine import RayEngine

__all__ = [
    "CODONS",
    "BatchShape",
    "BlockSplit",
    "ContigSplit",
    "Corpus",
    "LocalEngine",
    "Masking",
    "Mixture",
    "Packed",
    "RayEngine",
    "ReadingSettings",
    "SegmentTable",
    "Split",
    "TaxonSplit",
    "codon_usage",
    "decode_nucleotides",
    "extract",
    "gc3_content",
    "kazusa_usage",
    "pack",
    "packaged_genomes",
    "prepare_corpus",
    "read_records",
    "relative_usage",
]
_HOMES = {
    "BatchShape": "batches.batch_shape",
    "LocalEngine": "corpus.engine",
    "Masking": "batches.masking",
    "Mixture": "batches.mixture",
    "Packed": "batches.packing",
    "RayEngine": "corpus.ray_engine",
    "pack": "batches.packing",
}


def __getattr__(name: str) -> Any:
    """Imports what training needs at its first use, so that reading files does not wait for torch."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
