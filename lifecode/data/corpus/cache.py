"""Writing the training cache: files of their final size first, then slices of them from any process.

Slices go through plain writes and not through a memory map, whose pages would count as memory.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from lifecode.data.corpus.segments import cache_folder, record_index
from lifecode.data.corpus.shards import CDS, values_and_offsets

_TYPES = {
    "offsets": np.int64,
    "nucleotides": np.uint8,
    "amino_acids": np.uint8,
    "genetic_code": np.int16,
    "record_index": np.int64,
}


def allocate_segments(corpus: Path, kind: str, split: str, num_segments: int, num_nucleotides: int) -> None:
    """Create the cache of one kind and split, filled with zeros; files that are there stay."""
    folder = cache_folder(corpus, kind, split)
    folder.mkdir(parents=True, exist_ok=True)
    lengths = {
        "offsets": num_segments + 1,
        "nucleotides": num_nucleotides,
        "amino_acids": num_nucleotides // 3 if kind == CDS else 0,
        "genetic_code": num_segments,
        "record_index": num_segments,
    }
    for name, length in lengths.items():
        path = folder / f"{name}.npy"
        if not path.exists():
            unfinished = path.with_name(f".{path.name}")
            open_memmap(unfinished, mode="w+", dtype=_TYPES[name], shape=(length,))
            unfinished.replace(path)


def write_segments(
    corpus: Path,
    kind: str,
    split: str,
    rows: pa.Table,
    row_numbers: NDArray[np.int64],
    first: int,
    first_nucleotide: int,
) -> None:
    """Write consecutive segments at their place in the cache of one kind and split.

    Args:
        corpus: its folder.
        kind: cds, dna or rna.
        split: train, validation or test.
        rows: `nucleotides` and `amino_acids` as ids, `genetic_code`; columns of one chunk.
        row_numbers: (num_rows,) number of each row among those of its kind.
        first: number of the first segment in this cache.
        first_nucleotide: where its nucleotides begin in this cache.
    """
    if not len(rows):
        return
    folder = cache_folder(corpus, kind, split)
    nucleotides, offsets = values_and_offsets(rows["nucleotides"].chunk(0))
    amino_acids, _ = values_and_offsets(rows["amino_acids"].chunk(0))
    _write_at(folder / "offsets.npy", first + 1, first_nucleotide + offsets[1:])
    _write_at(folder / "nucleotides.npy", first_nucleotide, nucleotides)
    _write_at(folder / "amino_acids.npy", first_nucleotide // 3, amino_acids)
    _write_at(folder / "genetic_code.npy", first, rows["genetic_code"].to_numpy())
    _write_at(folder / "record_index.npy", first, record_index(kind, row_numbers))


def _write_at(path: Path, position: int, values: NDArray) -> None:
    """Write values into an array file, from an index on."""
    if len(values):
        array = np.load(path, mmap_mode="r")
        assert position + len(values) <= len(array)
        with path.open("r+b") as file:
            file.seek(array.offset + position * array.itemsize)
            file.write(np.ascontiguousarray(values, dtype=array.dtype).data)
