"""A prepared corpus on disk: `manifest.json` says what it is made of, `report.json` what was found.

shards/cds-00000.parquet  shards/dna-00000.parquet   the published form
rejected.parquet                                     every CDS left out, with the reason
manifest.json  report.json
cache/<kind>-<split>/*.npy                           the memory-mapped training form
"""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lifecode.arguments import arguments_checked
from lifecode.data.corpus.segments import SegmentTable
from lifecode.data.corpus.shards import KINDS
from lifecode.data.splits.regions import SPLITS
from lifecode.errors import UserError
from lifecode.host.checksum import matches_entry, sha256
from lifecode.host.small_file import read_small_text

SCHEMA_VERSION = 2
_MOST_BYTES = 1 << 30
_AGAIN = "Delete the corpus and prepare it again"


class _Input(BaseModel):
    sha256: str


class _Shard(BaseModel):
    path: str


class _File(_Shard):
    sha256: str
    bytes: int = Field(ge=0)


class _Manifest(BaseModel):
    """What every reader of a manifest counts on."""

    model_config = ConfigDict(strict=True)

    files: list[_File]
    shards: list[_Shard] = []
    inputs: list[_Input] | None = None
    split: dict[str, Any] | None = None
    reading: dict[str, Any] | None = None


class Corpus:
    """A folder written by `prepare_corpus`; make one with `Corpus.open`.

    Args:
        folder: where it lies.
        manifest: content of its manifest.json.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder, self.manifest = folder, manifest
        self._place = folder.absolute()

    def __repr__(self) -> str:
        return f"Corpus({str(self.folder)!r})"

    @property
    def place(self) -> Path:
        """Its folder from the root, which holds too where the program has gone to another folder."""
        return self._place

    @classmethod
    @arguments_checked
    def open(cls, folder: str | Path) -> "Corpus":
        """Open a corpus after a look at its files' sizes (not at their contents: see `check_files`).

        Args:
            folder: as `lifecode prepare` writes it.

        Raises:
            UserError: no corpus there, one of another format version, a manifest that is none, or a file
                missing or cut short.
        """
        folder = Path(folder).expanduser()
        manifest = _read_json(folder / "manifest.json")
        version = manifest.get("schema_version")
        if version != SCHEMA_VERSION:
            raise UserError(
                f"the corpus has format version {version}, this program reads {SCHEMA_VERSION}",
                source=folder,
                remedy="Prepare it again",
            )
        _require_manifest(manifest, folder / "manifest.json")
        for entry in manifest["files"]:
            path = folder / entry["path"]
            if not _has_size(path, entry["bytes"]):
                raise UserError("is missing or cut short", source=path, remedy=_AGAIN)
        return cls(folder, manifest)

    @cached_property
    def report(self) -> dict[str, Any]:
        """Counts: contigs, nucleotides, CDS, exact pairs, rejected by reason, splits.

        Raises:
            UserError: report.json is not the one of the manifest.
        """
        path = self.place / "report.json"
        report = _read_json(path)
        listed = (entry for entry in self.manifest["files"] if entry["path"] == path.name)
        if not any(matches_entry(self.place, entry) for entry in listed):
            raise UserError("differs from the manifest's sha256", source=path, remedy=_AGAIN)
        return report

    def segments(self, kind: str, split: str) -> SegmentTable:
        """The segments of one kind and split.

        Args:
            kind: `cds`, `dna` or `rna`.
            split: `train`, `validation` or `test`.

        Raises:
            UserError: another kind or split.
        """
        for value, known in ((kind, KINDS), (split, SPLITS)):
            if value not in known:
                raise UserError(
                    f"a corpus has no {value!r}", source=self.folder, remedy=f"Choose {', '.join(known)}"
                )
        return SegmentTable(self.place, kind, split)

    def check_files(self) -> None:
        """Read every file and compare it with the manifest's sha256.

        Raises:
            UserError: naming the first file that differs.
        """
        paths = [self.place / entry["path"] for entry in self.manifest["files"]]
        with ThreadPoolExecutor() as threads:
            found = list(threads.map(sha256, paths))
        for path, checksum, entry in zip(paths, found, self.manifest["files"], strict=True):
            if checksum != entry["sha256"]:
                raise UserError(
                    "differs from the manifest's sha256",
                    source=path,
                    remedy=_AGAIN,
                )


def _read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file of the corpus."""
    try:
        content = json.loads(read_small_text(path, _MOST_BYTES))
        if not isinstance(content, dict):
            raise ValueError(f"a {type(content).__name__}, not an object")
    except FileNotFoundError as missing:
        raise UserError(
            "not a prepared corpus", source=path, remedy="Run lifecode prepare first"
        ) from missing
    except (OSError, ValueError, RecursionError) as fault:
        problem = "nested too deeply" if isinstance(fault, RecursionError) else fault
        raise UserError(f"cannot be read ({problem})", source=path, remedy=_AGAIN) from fault
    return content


def _require_manifest(manifest: dict[str, Any], path: Path) -> None:
    try:
        checked = _Manifest.model_validate(manifest)
    except ValidationError as fault:
        first = fault.errors()[0]
        problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise UserError(f"is no manifest ({problem})", source=path, remedy=_AGAIN) from fault
    if unlisted := {shard.path for shard in checked.shards} - {file.path for file in checked.files}:
        raise UserError(f"does not list the shard {min(unlisted)!r}", source=path, remedy=_AGAIN)


def _has_size(path: Path, num_bytes: int) -> bool:
    try:
        return path.is_file() and path.stat().st_size == num_bytes
    except (OSError, ValueError):  # a name that no file can have
        return False
