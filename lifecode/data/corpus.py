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

from lifecode.data.checksum import sha256
from lifecode.data.regions import SPLITS
from lifecode.data.segments import SegmentTable
from lifecode.data.shards import KINDS
from lifecode.errors import UserError

SCHEMA_VERSION = 2


class Corpus:
    """A folder written by `prepare_corpus`; make one with `Corpus.open`."""

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder, self.manifest = folder, manifest

    @classmethod
    def open(cls, folder: str | Path) -> "Corpus":
        """Open a corpus after a look at its files' sizes (not at their contents: see `check_files`).

        Raises:
            UserError: no corpus there, one of another format version, or a file missing or cut short.
        """
        folder = Path(folder)
        manifest = _read_json(folder / "manifest.json")
        version = manifest.get("schema_version")
        if version != SCHEMA_VERSION:
            raise UserError(
                f"the corpus has format version {version}, this program reads {SCHEMA_VERSION}",
                source=folder,
                remedy="Prepare it again",
            )
        for entry in manifest["files"]:
            path = folder / entry["path"]
            if not path.is_file() or path.stat().st_size != entry["bytes"]:
                raise UserError(
                    "is missing or cut short", source=path, remedy="Delete the corpus and prepare it again"
                )
        return cls(folder, manifest)

    @cached_property
    def report(self) -> dict[str, Any]:
        """Counts: contigs, nucleotides, CDS, exact pairs, rejected by reason, splits."""
        return _read_json(self.folder / "report.json")

    def segments(self, kind: str, split: str) -> SegmentTable:
        """The `cds`, `dna` or `rna` segments of `train`, `validation` or `test`.

        Raises:
            UserError: another kind or split.
        """
        for value, known in ((kind, KINDS), (split, SPLITS)):
            if value not in known:
                raise UserError(
                    f"a corpus has no {value!r}", source=self.folder, remedy=f"Choose {', '.join(known)}"
                )
        return SegmentTable(self.folder, kind, split)

    def check_files(self) -> None:
        """Read every file and compare it with the manifest's sha256.

        Raises:
            UserError: naming the first file that differs.
        """
        paths = [self.folder / entry["path"] for entry in self.manifest["files"]]
        with ThreadPoolExecutor() as threads:
            found = list(threads.map(sha256, paths))
        for path, checksum, entry in zip(paths, found, self.manifest["files"], strict=True):
            if checksum != entry["sha256"]:
                raise UserError(
                    "differs from the manifest's sha256",
                    source=path,
                    remedy="Delete the corpus and prepare it again",
                )


def _read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file of the corpus."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise UserError(
            "not a prepared corpus", source=path, remedy="Run lifecode prepare first"
        ) from missing
    except (OSError, ValueError) as fault:
        raise UserError(
            f"cannot be read ({fault})", source=path, remedy="Prepare the corpus again"
        ) from fault
