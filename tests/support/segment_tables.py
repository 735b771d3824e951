"""Segments of a corpus's training cache, out of arrays."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from lifecode.data.corpus.cache import allocate_segments, write_segments


def write_table(corpus: Path, kind: str, records: Sequence[np.ndarray]) -> None:
    """The records, nucleotide ids each, as the training segments of a kind without residues."""
    rows = pa.table(
        {
            "nucleotides": pa.array([ids.astype(np.uint8).tobytes() for ids in records], pa.large_binary()),
            "amino_acids": pa.array([b""] * len(records), pa.large_binary()),
            "genetic_code": pa.array([1] * len(records), pa.int16()),
        }
    ).combine_chunks()
    allocate_segments(corpus, kind, "train", len(records), sum(map(len, records)))
    write_segments(corpus, kind, "train", rows, np.arange(len(records)), 0, 0)
