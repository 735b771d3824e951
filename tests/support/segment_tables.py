"""Segments of a corpus's training cache, out of arrays or letters."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lifecode.alphabet import encode_nucleotides
from lifecode.data.corpus.cache import allocate_segments, write_segments
from lifecode.data.corpus.segments import SegmentTable


def write_table(
    corpus: Path,
    kind: str,
    sequences: Sequence[str] | Sequence[NDArray[np.uint8]],
    genetic_codes: Sequence[int] | None = None,
    split: str = "train",
) -> SegmentTable:
    """The sequences, letters or nucleotide ids, as the segments of one kind; every residue is number 0."""
    records = [encode_nucleotides(x) if isinstance(x, str) else x.astype(np.uint8) for x in sequences]
    residues = [bytes(len(ids) // 3 if kind == "cds" else 0) for ids in records]
    rows = pa.table(
        {
            "nucleotides": pa.array([ids.tobytes() for ids in records], pa.large_binary()),
            "amino_acids": pa.array(residues, pa.large_binary()),
            "genetic_code": pa.array(genetic_codes or [1] * len(records), pa.int16()),
        }
    ).combine_chunks()
    allocate_segments(corpus, kind, split, len(records), sum(map(len, records)))
    write_segments(corpus, kind, split, rows, np.arange(len(records)), 0, 0)
    return SegmentTable(corpus, kind, split)
