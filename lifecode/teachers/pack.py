"""A pack: the features of some proteins in one file that never changes and is named by its checksum.

Being immutable and whole or absent, packs need no journal: a process that is killed loses the pack it was
computing, and two processes can at worst store the same protein twice. Packs are of a bounded size, so that
little is lost and a damaged one is soon computed again.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.host.checksum import sha256
from lifecode.host.durable import replacing
from lifecode.teachers.array_file import map_arrays, serialized

SUFFIX = ".safetensors"
DIGEST = np.dtype("S64")
"""A protein's key: its sha256 in hexadecimal digits."""
_LARGEST = float(np.finfo(np.float16).max)


def protein_digest(protein: str) -> bytes:
    """The key of a protein; upper and lower case are the same protein."""
    return hashlib.sha256(protein.upper().encode()).hexdigest().encode()


def digest_array(digests: Sequence[bytes]) -> NDArray[np.uint8]:
    """Keys (n,) as bytes (n, 64), which a file can hold."""
    return np.array(digests, dtype=DIGEST).view(np.uint8).reshape(len(digests), DIGEST.itemsize)


class Pack:
    """One stored pack, memory-mapped.

    Attributes:
        path: its file.
        digests: key of each protein (n,), sorted.
        offsets: (n + 1,) where each protein begins among the residues.
        features: (num_residues, width) float16 of all.

    Raises:
        UserError: the file is damaged so that it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        _, arrays = map_arrays(path)
        try:
            self.digests: NDArray[np.bytes_] = arrays["digests"].view(DIGEST).reshape(-1)
            self.offsets: NDArray[np.int64] = arrays["offsets"]
            self.features: NDArray[np.float16] = arrays["features"]
            whole = len(self.offsets) == len(self.digests) + 1 and self.offsets[-1] == len(self.features)
        except (KeyError, ValueError, IndexError):
            whole = False
        if not whole:
            raise UserError("is no pack of teacher features", source=path)


def write_pack(
    folder: Path, teacher: str, digests: Sequence[bytes], features: Sequence[NDArray[np.float16]]
) -> Path:
    """Stores the features (num_residues, width) of proteins with these sorted keys; returns the file."""
    offsets = np.cumsum([0, *map(len, features)], dtype=np.int64)
    arrays = {"digests": digest_array(digests), "offsets": offsets, "features": np.concatenate(features)}
    content = serialized(arrays, {"teacher": teacher})
    path = folder / f"{hashlib.sha256(content).hexdigest()}{SUFFIX}"
    with replacing(path) as file:
        file.write(content)
    return path


def is_intact(path: Path) -> bool:
    """Whether a pack is there and the one its name says, byte by byte."""
    try:
        return sha256(path) == path.name.removesuffix(SUFFIX)
    except FileNotFoundError:
        return False


def half_precision(features: NDArray[np.float32], protein: str) -> NDArray[np.float16]:
    """Features of one protein as they are stored.

    Raises:
        UserError: one is not finite, or beyond the largest float16, 65504.
    """
    largest = float(np.abs(features).max(initial=0.0))
    if not largest <= _LARGEST:
        raise UserError(
            f"a feature of the teacher is {largest}, and half precision ends at {_LARGEST:.0f}",
            record=f"{protein[:20]}… ({len(protein)} residues)",
            remedy="Check the teacher's weights, or let it compute in float32 where it has a precision",
        )
    return features.astype(np.float16)
