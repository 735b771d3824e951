"""Where the rows of a corpus come from: their organisms, and how many are back-translated proteins."""

from collections import Counter
from typing import NamedTuple

import pyarrow.parquet as pq

from lifecode.data.corpus.corpus import Corpus


class Origins(NamedTuple):
    """Number of rows of each organism (None where the file names none), and of rows written from proteins."""

    organisms: Counter[str | None]
    from_proteins: int


def row_origins(corpus: Corpus, kind: str) -> Origins:
    """Count the rows of one kind by organism, reading two columns of its shards batch by batch."""
    organisms: Counter[str | None] = Counter()
    molecules: Counter[str | None] = Counter()
    for shard in sorted((corpus.place / "shards").glob(f"{kind}-*.parquet")):
        with pq.ParquetFile(shard) as file:
            columns = {"organism": organisms, "molecule": molecules}
            present = [name for name in columns if name in file.schema_arrow.names]
            for batch in file.iter_batches(columns=present):
                for name in present:
                    for entry in batch.column(name).value_counts().to_pylist():
                        columns[name][entry["values"]] += entry["counts"]
    return Origins(organisms, molecules["protein"])
