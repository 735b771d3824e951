"""The published form of a corpus: Parquet shards that pyarrow, polars and DuckDB read without lifecode.

One row is one segment: a verified CDS with its protein, a stretch of genomic DNA, or a whole transcript.
Rows keep the order of the input. docs/corpus.md describes the columns.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifecode.alphabet import NUCLEOTIDES

CDS, DNA, RNA = "cds", "dna", "rna"
KINDS = (CDS, DNA, RNA)

SHARD_SCHEMA = pa.schema(
    [
        ("id", pa.string()),  # CDS: unique on its contig; DNA: contig:start-end; RNA: its contig
        ("kind", pa.string()),  # cds, dna, rna
        ("split", pa.string()),  # train, validation, test
        ("source", pa.string()),  # name of the input file
        ("contig", pa.string()),
        ("molecule", pa.string()),  # of the contig: dna, rna, cds, protein (reverse-translated)
        ("start", pa.int64()),  # 0-based, of the leftmost exon
        ("end", pa.int64()),  # exclusive, of the rightmost exon
        ("strand", pa.int8()),  # +1, -1, 0 where exons lie on both
        ("exons", pa.string()),  # start..end(strand) 5' to 3', comma-separated, 0-based half-open
        ("genetic_code", pa.int16()),  # NCBI transl_table
        ("organism", pa.string()),
        ("taxon", pa.int64()),  # NCBI taxonomy id
        ("nucleotides", pa.large_string()),  # CDS: from the first complete codon on, 5' to 3', stop included
        ("protein", pa.string()),  # without the stop; null for DNA and RNA
        ("protein_source", pa.string()),  # annotated, or translated where the file annotates no protein
        ("gene", pa.string()),
    ]
)
_REPETITIVE = ["kind", "split", "source", "contig", "molecule", "strand", "genetic_code", "organism", "taxon"]
_REPETITIVE += ["protein_source"]

REJECTED_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("id", "contig", "source", "reason", "detail", "place")]
)

ROW_GROUP_NUCLEOTIDES, ROW_GROUP_ROWS = 2_000_000, 50_000
"""What is in memory at a time; a single longer row still makes a row group."""

_LETTER_OF_ID = np.frombuffer((NUCLEOTIDES + "N").encode(), dtype=np.uint8)


def parquet_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer of zstd Parquet whose bytes depend on the rows and row groups alone."""
    repetitive = [name for name in _REPETITIVE if name in schema.names]
    return pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=repetitive)  # pyright: ignore


def letters(ids: pa.LargeBinaryArray) -> pa.LargeStringArray:
    """Nucleotide ids of each row as DNA; `UNK` is written N."""
    values, offsets = values_and_offsets(ids)
    text = pa.py_buffer(_LETTER_OF_ID[values])
    buffers = [None, pa.py_buffer(offsets), text]
    return pa.Array.from_buffers(pa.large_string(), len(ids), buffers)  # pyright: ignore


def large_binary(values: NDArray[np.uint8], lengths: NDArray[np.int64]) -> pa.LargeBinaryArray:
    """Rows of these lengths from their concatenated bytes."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(pa.large_binary(), len(lengths), buffers)  # pyright: ignore


def values_and_offsets(array: pa.LargeBinaryArray) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Concatenated bytes of the rows and (num_rows + 1,) offsets into them, from 0; no row is null."""
    _, offset_buffer, value_buffer = array.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    values = np.frombuffer(value_buffer, dtype=np.uint8) if value_buffer else np.empty(0, dtype=np.uint8)
    if not len(offsets):
        return values[:0], np.zeros(1, dtype=np.int64)
    return values[offsets[0] : offsets[-1]], offsets - offsets[0]


def read_column(shards: list[Path], name: str, split: str) -> list[Any]:
    """A column of one split over the shards, in order."""
    table = pq.read_table(shards, columns=[name], filters=[("split", "=", split)])
    return table.column(name).to_pylist()
