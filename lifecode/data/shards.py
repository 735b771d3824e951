"""The published form of a corpus: Parquet shards that pyarrow, polars and DuckDB read without lifecode.

One row is one segment: a verified CDS with its protein, or a stretch of genomic DNA. Rows keep the order of
the input; a shard ends once it holds 250 million nucleotides.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifecode.alphabet import decode_nucleotides
from lifecode.data.records import Exon
from lifecode.genetic_code import residue_letters

CDS, DNA, RNA = "cds", "dna", "rna"
KINDS = (CDS, DNA, RNA)

SHARD_SCHEMA = pa.schema(
    [
        ("id", pa.string()),  # CDS: protein_id or locus_tag, unique on its contig; DNA: contig:start-end
        ("kind", pa.string()),  # cds, dna, rna
        ("split", pa.string()),  # train, validation, test
        ("source", pa.string()),  # name of the input file
        ("contig", pa.string()),
        ("start", pa.int64()),  # 0-based, of the leftmost exon
        ("end", pa.int64()),  # exclusive, of the rightmost exon
        ("strand", pa.int8()),  # +1, -1, 0 where exons lie on both
        ("exons", pa.string()),  # start..end(strand) 5' to 3', comma-separated, 0-based half-open
        ("genetic_code", pa.int16()),  # NCBI transl_table
        ("organism", pa.string()),
        ("taxon", pa.int64()),  # NCBI taxonomy id
        ("nucleotides", pa.large_string()),  # CDS: from the first complete codon on, 5' to 3', stop included
        ("protein", pa.string()),  # without the stop; null for DNA
        ("gene", pa.string()),
    ]
)
_REPETITIVE = ["kind", "split", "source", "contig", "strand", "genetic_code", "organism", "taxon"]

REJECTED_SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "contig", "source", "reason", "detail")])


@dataclass(frozen=True, slots=True, eq=False)
class CorpusRow:
    """One row of a corpus; `SHARD_SCHEMA` describes the columns.

    Attributes:
        nucleotides: (num_nucleotides,) uint8 ids.
        amino_acids: (num_nucleotides / 3,) uint8 index in `AMINO_ACIDS` with the stop; None for DNA.
    """

    id: str
    kind: str
    split: str
    source: str
    contig: str
    exons: tuple[Exon, ...]
    genetic_code: int
    organism: str | None
    taxon: int | None
    nucleotides: NDArray[np.uint8]
    amino_acids: NDArray[np.uint8] | None = None
    gene: str | None = None

    def columns(self) -> dict[str, object]:
        """The values of `SHARD_SCHEMA`, by column."""
        strands = {exon.strand for exon in self.exons}
        protein = None if self.amino_acids is None else residue_letters(self.amino_acids).removesuffix("*")
        return {
            "id": self.id,
            "kind": self.kind,
            "split": self.split,
            "source": self.source,
            "contig": self.contig,
            "start": min(exon.start for exon in self.exons),
            "end": max(exon.end for exon in self.exons),
            "strand": strands.pop() if len(strands) == 1 else 0,
            "exons": ",".join(f"{start}..{end}({'+' if s == 1 else '-'})" for start, end, s in self.exons),
            "genetic_code": self.genetic_code,
            "organism": self.organism,
            "taxon": self.taxon,
            "nucleotides": decode_nucleotides(self.nucleotides),
            "protein": protein,
            "gene": self.gene,
        }


def write_shards(
    folder: Path, kind: str, rows: Iterable[CorpusRow], *, shard_nucleotides: int = 250_000_000
) -> list[tuple[Path, int]]:
    """Write `<kind>-00000.parquet` and so on into a folder; gives each shard's path and number of rows.

    There is always a first shard, if need be without rows.
    """
    written: list[tuple[Path, int]] = []
    for number, columns in enumerate(_columns_of_shards(rows, shard_nucleotides)):
        path = folder / f"{kind}-{number:05d}.parquet"
        table = pa.Table.from_pylist(columns, schema=SHARD_SCHEMA)
        pq.write_table(table, path, compression="zstd", use_dictionary=_REPETITIVE)  # pyright: ignore
        written.append((path, table.num_rows))
    return written


def write_rejected(path: Path, rows: list[dict[str, str]]) -> None:
    """Write the table of CDS that are no exact pair or fell to the split, with the reason for each."""
    pq.write_table(pa.Table.from_pylist(rows, schema=REJECTED_SCHEMA), path, compression="zstd")


def read_ids(shards: list[Path], split: str) -> list[str]:
    """The `id` column of one split over the shards, in order."""
    table = pq.read_table(shards, columns=["id"], filters=[("split", "=", split)])
    return table.column("id").to_pylist()


def _columns_of_shards(
    rows: Iterable[CorpusRow], shard_nucleotides: int
) -> Iterator[list[dict[str, object]]]:
    """The rows of each shard; one shard without rows where there are none."""
    shard: list[dict[str, object]] = []
    filled, shards = 0, 0
    for row in rows:
        shard.append(row.columns())
        filled += len(row.nucleotides)
        if filled >= shard_nucleotides:
            yield shard
            shard, filled, shards = [], 0, shards + 1
    if shard or not shards:
        yield shard
