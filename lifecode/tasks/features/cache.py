"""Features on disk, so that what an encoder has read once is not read again, nor lost at a kill.

A folder for each encoder and its features holds .npz files of a few hundred sequences, each written whole.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from uuid import uuid4
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.tasks.features.feature import Features

_SEQUENCES_A_FILE = 256
_DIGEST = np.dtype("S32")


class CachedFeatures:
    """The same features, read from a folder where they are there, else computed and written into it.

    Args:
        features: what computes.
        folder: of this encoder and these features alone.
        on_progress: told how many of how many sequences are done.
    """

    def __init__(
        self, features: Features, folder: Path, on_progress: Callable[[int, int], None] = lambda *_: None
    ) -> None:
        self.features, self.folder, self.on_progress = features, folder, on_progress
        self.name, self.config = features.name, features.config

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, num_features).

        Raises:
            UserError: a file of the folder is damaged, or the disk is full.
        """
        keys = [blake2b(ids.tobytes(), digest_size=16).hexdigest().encode() for ids in sequences]
        known = self._read()
        missing = {key: ids for key, ids in zip(keys, sequences, strict=True) if key not in known}
        pending = sorted(missing.items(), key=lambda item: len(item[1]))  # rows of one length are filled best
        for first in range(0, len(pending), _SEQUENCES_A_FILE):
            self.on_progress(first, len(pending))
            part = pending[first : first + _SEQUENCES_A_FILE]
            vectors = self.features([ids for _, ids in part])
            self._write([key for key, _ in part], vectors)
            known |= dict(zip([key for key, _ in part], vectors, strict=True))
        return np.stack([known[key] for key in keys])

    def _read(self) -> dict[bytes, NDArray[np.float32]]:
        known: dict[bytes, NDArray[np.float32]] = {}
        for path in sorted(self.folder.glob("*.npz")):
            try:
                with np.load(path, allow_pickle=False) as file:
                    known |= dict(zip(file["sequences"].tolist(), file["vectors"], strict=True))
            except (OSError, ValueError, KeyError, BadZipFile) as fault:
                raise UserError(
                    f"is damaged ({fault})", source=path, remedy="Delete it; it is made again"
                ) from fault
        return known

    def _write(self, keys: list[bytes], vectors: NDArray[np.float32]) -> None:
        with disk_faults_named(self.folder, remedy="Make room there, or choose another probe.cache"):
            self.folder.mkdir(parents=True, exist_ok=True)
            with replacing(self.folder / f"{uuid4().hex}.npz") as file:
                np.savez(file, allow_pickle=False, sequences=np.array(keys, dtype=_DIGEST), vectors=vectors)
