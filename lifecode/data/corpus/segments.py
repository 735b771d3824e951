"""The training form of a corpus: memory-mapped nucleotide ids with offsets, one folder a kind and split.

A byte per nucleotide, read without decoding: a segment is a slice. Codons need no offsets of their own,
since every CDS is a whole number of them.
"""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.data.corpus.shards import CDS, KINDS, read_column
from lifecode.genetic_code import residue_letters


class SegmentTable:
    """The segments of one kind and split of a corpus, by number; memory-mapped and cheap to pickle.

    Args:
        folder: the corpus.
        kind: `cds`, `dna` or `rna`.
        split: `train`, `validation` or `test`.

    Attributes:
        offsets: (num_segments + 1,) where each segment begins among the nucleotides of all, and their number.
    """

    def __init__(self, folder: Path, kind: str, split: str) -> None:
        self.folder, self.kind, self.split = Path(folder), kind, split
        cache = cache_folder(self.folder, kind, split)
        self.offsets: NDArray[np.int64] = _mapped(cache / "offsets.npy")
        self._nucleotides = _mapped(cache / "nucleotides.npy")
        self._amino_acids = _mapped(cache / "amino_acids.npy")
        self._genetic_code = _mapped(cache / "genetic_code.npy")
        self._record_index = _mapped(cache / "record_index.npy")

    def __reduce__(self) -> tuple[type["SegmentTable"], tuple[Path, str, str]]:
        return SegmentTable, (self.folder, self.kind, self.split)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return f"SegmentTable({self.kind}, {self.split}: {len(self)} segments in {self.folder})"

    @property
    def all_nucleotides(self) -> NDArray[np.uint8]:
        """Ids of all segments, one after the other: a read-only view of the file, no copy."""
        return self._nucleotides

    @property
    def genetic_codes(self) -> NDArray[np.int16]:
        """(num_segments,) NCBI `transl_table` of each segment."""
        return self._genetic_code

    @cached_property
    def names(self) -> list[str]:
        """The `id` column of the shards, read at the first call."""
        return self.column("id")

    def column(self, name: str) -> list[Any]:
        """(num_segments,) values of a column of the shards, read from them at every call."""
        return read_column(sorted((self.folder / "shards").glob(f"{self.kind}-*.parquet")), name, self.split)

    @cached_property
    def num_nucleotides(self) -> NDArray[np.int64]:
        """(num_segments,) nucleotides of each segment; a multiple of 3 for CDS."""
        return np.diff(self.offsets)

    def nucleotides(self, index: int) -> NDArray[np.uint8]:
        """(num_nucleotides,) ids of a segment: a read-only view of the file, no copy."""
        index = range(len(self))[index]
        return self._nucleotides[self.offsets[index] : self.offsets[index + 1]]

    def amino_acids(self, index: int) -> NDArray[np.uint8]:
        """(num_codons,) index in `AMINO_ACIDS` of each codon of a CDS, read-only.

        The stop codon is included where the CDS has one; an alternative start codon is M, and a codon with an
        ambiguous nucleotide is `NO_RESIDUE`.
        """
        assert self.kind == CDS, "only CDS have residues"
        index = range(len(self))[index]
        return self._amino_acids[self.offsets[index] // 3 : self.offsets[index + 1] // 3]

    def protein(self, index: int) -> str:
        """The protein of a CDS as annotated, without the stop; X at ambiguous codons."""
        return residue_letters(self.amino_acids(index)).removesuffix("*")

    def genetic_code(self, index: int) -> int:
        """NCBI `transl_table` of a segment."""
        return int(self._genetic_code[index])

    def record_index(self, index: int) -> int:
        """The number of a segment in the whole corpus: no other segment of any kind or split has it."""
        return int(self._record_index[index])


def cache_folder(corpus: Path, kind: str, split: str) -> Path:
    """Where the cache of one kind and split lies in a corpus."""
    return corpus / "cache" / f"{kind}-{split}"


def record_index(kind: str, row: NDArray[np.int64]) -> NDArray[np.int64]:
    """The corpus-wide number of the row-th segment of a kind: the kinds take turns."""
    return row * len(KINDS) + KINDS.index(kind)


def _mapped(path: Path) -> NDArray:
    """The array in a file, memory-mapped; a plain view, whose slices are fast."""
    return np.asarray(np.load(path, mmap_mode="r"))
