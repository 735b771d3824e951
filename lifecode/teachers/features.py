"""Teacher features on disk: computed once, then read by every epoch, worker and process.

A store is a folder of three arrays and a manifest. Rows of proteins are sorted by the sha256 of the protein,
so a look-up is a binary search in a memory map: opening costs the same for a thousand proteins or ten
million. Features are float16: 512 bytes a residue at width 256, 0.7 GB for E. coli.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.data.checksum import sha256
from lifecode.errors import UserError
from lifecode.teachers.base import ProteinTeacher

_FORMAT = "lifecode.teacher_features/1"
_FILES = ("features.npy", "offsets.npy", "proteins.npy")
_RESIDUES_A_CALL = 32_768


class TeacherFeatures:
    """Features of a set of proteins, memory-mapped, read-only and cheap to pickle to a worker.

    `len` is the number of distinct proteins; upper and lower case are the same protein.

    Attributes:
        name: the teacher's name.
        width: features a residue.
        num_residues: residues of all proteins.

    Args:
        folder: what `build` returned or wrote.
        verify: compare every file with its checksum (about a second a gigabyte).

    Raises:
        UserError: if the folder is no store, or a file differs from its checksum (the file is named).
    """

    def __init__(self, folder: str | Path, *, verify: bool = True) -> None:
        self.folder = Path(folder)
        manifest = _read_manifest(self.folder)
        if verify:
            _verify(self.folder, manifest)
        self.name: str = manifest["teacher"]
        self.width: int = manifest["width"]
        self.num_residues: int = manifest["num_residues"]
        self._features, self._offsets, self._proteins = (
            np.load(self.folder / file, mmap_mode="r") for file in _FILES
        )

    @classmethod
    def build(
        cls,
        teacher: ProteinTeacher,
        proteins: Iterable[str],
        folder: str | Path,
        *,
        progress: Callable[[int, int], object] | None = None,
    ) -> "TeacherFeatures":
        """The store of `teacher`'s features of `proteins` in `folder`, computed unless it is there already.

        A complete store of the same teacher and the same set of proteins is opened as it is; one of another
        teacher or set is replaced. Everything is written under a temporary name and renamed at the end.
        Under several processes, one builds and the others open.

        Args:
            teacher: its `name` stands for its weights.
            proteins: in any order; duplicates are stored once.
            folder: the folder to create; its parent is created too.
            progress: called with (residues done, residues in all) after each call of the teacher.

        Raises:
            UserError: if `folder` is there but is no store, or is a damaged one.
        """
        folder = Path(folder)
        ranked = _rank(proteins)
        identity = _identity(teacher.name, [digest for digest, _ in ranked])
        if folder.exists() and _read_manifest(folder)["identity"] == identity:
            return cls(folder)
        partial = folder.with_name(f".{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.mkdir(parents=True)
            _write(teacher, ranked, identity, partial, progress)
            if folder.exists():
                shutil.rmtree(folder)
            partial.rename(folder)
        except OSError as error:
            raise UserError(f"cannot write teacher features: {error.strerror}", source=folder) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return cls(folder, verify=False)

    def get(self, protein: str) -> NDArray[np.float16] | None:
        """Features (num_residues, width) of a protein, or None if the store does not hold it."""
        digest = _digest(protein)
        row = int(np.searchsorted(self._proteins, digest))
        if row == len(self) or self._proteins[row] != digest:
            return None
        return self._features[self._offsets[row] : self._offsets[row + 1]]

    def __len__(self) -> int:
        return len(self._proteins)

    def __reduce__(self) -> tuple[Callable[..., "TeacherFeatures"], tuple[Path]]:
        return _reopen, (self.folder,)


def _reopen(folder: Path) -> TeacherFeatures:
    return TeacherFeatures(folder, verify=False)


def _digest(protein: str) -> np.bytes_:
    return np.bytes_(hashlib.sha256(protein.upper().encode()).hexdigest().encode())


def _rank(proteins: Iterable[str]) -> list[tuple[np.bytes_, str]]:
    return sorted({_digest(protein): protein for protein in proteins}.items())


def _identity(teacher: str, digests: Sequence[np.bytes_]) -> str:
    """sha256 over the teacher's name and the sorted set of proteins."""
    return hashlib.sha256(b"\n".join([teacher.encode(), *digests])).hexdigest()


def _write(
    teacher: ProteinTeacher,
    ranked: list[tuple[np.bytes_, str]],
    identity: str,
    folder: Path,
    progress: Callable[[int, int], object] | None,
) -> None:
    offsets = np.cumsum([0, *(len(protein) for _, protein in ranked)], dtype=np.int64)
    num_residues = int(offsets[-1])
    np.save(folder / "offsets.npy", offsets)
    np.save(folder / "proteins.npy", np.array([digest for digest, _ in ranked], dtype="S64"))
    with (folder / "features.npy").open("wb") as file:
        header = {"descr": "<f2", "fortran_order": False, "shape": (num_residues, teacher.width)}
        np.lib.format.write_array_header_1_0(file, header)
        done = 0
        for call in _calls([protein for _, protein in ranked]):
            for protein, features in zip(call, teacher(call), strict=True):
                assert features.shape == (len(protein), teacher.width)
                file.write(features.cpu().numpy().astype("<f2").tobytes())
            done += sum(map(len, call))
            if progress is not None:
                progress(done, num_residues)
    manifest = {
        "format": _FORMAT,
        "identity": identity,
        "teacher": teacher.name,
        "width": teacher.width,
        "num_proteins": len(ranked),
        "num_residues": num_residues,
        "sha256": {file: sha256(folder / file) for file in _FILES},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def _calls(proteins: Sequence[str]) -> Iterator[list[str]]:
    """The proteins in order, about `_RESIDUES_A_CALL` residues at a time."""
    call: list[str] = []
    size = 0
    for protein in proteins:
        call.append(protein)
        size += len(protein)
        if size >= _RESIDUES_A_CALL:
            yield call
            call, size = [], 0
    if call:
        yield call


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        if manifest["format"] == _FORMAT:
            return manifest
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise UserError(
        "this is no folder of teacher features", source=folder, remedy="Delete it or give another folder"
    )


def _verify(folder: Path, manifest: dict[str, Any]) -> None:
    for file, expected in manifest["sha256"].items():
        path = folder / file
        if not path.is_file() or sha256(path) != expected:
            raise UserError(
                "the file differs from its checksum in manifest.json",
                source=path,
                remedy=f"Delete the folder {folder}; it is computed again",
            )
