"""Teacher features as training reads them: a look-up by protein, in the packs of a cache.

The index of one set of proteins is a sorted, memory-mapped table: opening costs the same for a thousand
proteins or ten million, in one pack or in thousands. Only the proteins of the set are found, whatever else
the cache holds, so what a run sees does not depend on other runs. A residue takes 2 bytes x width:
0.7 GB for E. coli at width 256.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.host.durable import replacing
from lifecode.teachers.array_file import map_arrays, serialized
from lifecode.teachers.pack import DIGEST, Pack, digest_array, protein_digest

_OPEN_PACKS = 256
"""A mapped file takes a file descriptor."""


class Location(NamedTuple):
    """Where a protein's features are: in which pack, from which row on, and how many."""

    pack: Path
    first: int
    num_residues: int


class TeacherFeatures:
    """Features of a set of proteins, memory-mapped, read-only and cheap to pickle to a worker.

    `len` is the number of distinct proteins; upper and lower case are the same protein.

    Attributes:
        index: its file, which `FeatureCache.features` writes.
        name: the teacher's name.
        width: features per residue.
        packs: files that hold them.

    Raises:
        FileNotFoundError: there is no such index.
        UserError: it is damaged.
    """

    def __init__(self, index: Path) -> None:
        self.index = index
        metadata, arrays = map_arrays(index)
        if metadata.get("sha256") != _checksum(arrays):
            raise UserError("differs from its checksum", source=index, remedy="Delete it; it is made anew")
        self.name, self.width = metadata["teacher"], int(metadata["width"])
        self.packs = [index.parents[1] / name for name in json.loads(metadata["packs"])]
        self._digests = arrays["digests"].view(DIGEST).reshape(-1)
        self._pack, self._first, self._length = (arrays[key] for key in ("pack", "first", "num_residues"))
        self._open = lru_cache(maxsize=_OPEN_PACKS)(self._open_pack)

    @classmethod
    def write(
        cls, index: Path, located: Mapping[bytes, Location], *, teacher: str, width: int
    ) -> "TeacherFeatures":
        """Writes the index of proteins by their keys, two folders below the cache of the teacher."""
        packs = sorted({place.pack for place in located.values()})
        number = {path: position for position, path in enumerate(packs)}
        ranked = sorted(located.items())
        arrays = {
            "digests": digest_array([digest for digest, _ in ranked]),
            "pack": np.array([number[place.pack] for _, place in ranked], dtype=np.int32),
            "first": np.array([place.first for _, place in ranked], dtype=np.int64),
            "num_residues": np.array([place.num_residues for _, place in ranked], dtype=np.int32),
        }
        metadata = {
            "teacher": teacher,
            "width": str(width),
            "packs": json.dumps([path.relative_to(index.parents[1]).as_posix() for path in packs]),
            "sha256": _checksum(arrays),
        }
        index.parent.mkdir(parents=True, exist_ok=True)
        with replacing(index, unique=True) as file:  # two runs may ask for the same proteins
            file.write(serialized(arrays, metadata))
        return cls(index)

    def get(self, protein: str) -> NDArray[np.float16] | None:
        """Features (num_residues, width) of a protein, or None if it is not in the set."""
        row = self._row(protein)
        if row is None:
            return None
        pack, first, length = (int(column[row]) for column in (self._pack, self._first, self._length))
        return self._open(pack)[first : first + length]

    def span(self, protein: str) -> tuple[int, int] | None:
        """First and last (exclusive) number of a protein's residues among those of the set, or None."""
        row = self._row(protein)
        return None if row is None else (int(self._starts[row]), int(self._starts[row + 1]))

    def residues(self, numbers: NDArray[np.int64]) -> NDArray[np.float16]:
        """Features (n, width) of any residues, by their numbers (n,) among those of the set."""
        rows = np.searchsorted(self._starts, numbers, side="right") - 1
        within = self._first[rows] + numbers - self._starts[rows]
        packs = self._pack[rows]
        features = np.empty((len(numbers), self.width), dtype=np.float16)
        for pack in np.unique(packs):
            own = packs == pack
            features[own] = self._open(int(pack))[within[own]]
        return features

    @property
    def num_residues(self) -> int:
        """Residues of all proteins."""
        return int(self._starts[-1])

    def __len__(self) -> int:
        return len(self._digests)

    def __reduce__(self) -> tuple[Callable[..., "TeacherFeatures"], tuple[Path]]:
        return TeacherFeatures, (self.index,)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(self._length, dtype=np.int64)])

    def _row(self, protein: str) -> int | None:
        digest = np.bytes_(protein_digest(protein))
        row = int(np.searchsorted(self._digests, digest))
        return row if row < len(self) and self._digests[row] == digest else None

    def _open_pack(self, number: int) -> NDArray[np.float16]:
        path = self.packs[number]
        try:
            return Pack(path).features
        except FileNotFoundError as error:
            raise UserError(
                "the file of teacher features is gone",
                source=path,
                remedy="The same command again computes them anew",
            ) from error


def _checksum(arrays: Mapping[str, NDArray]) -> str:
    whole = hashlib.sha256()
    for name in sorted(arrays):
        whole.update(arrays[name].tobytes())
    return whole.hexdigest()
