"""The checksum every file that lifecode writes is verified by, and the JSON that lists them."""

import hashlib
import json
from pathlib import Path
from typing import Any

from lifecode.host.durable import replacing


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_entry(folder: Path, path: Path) -> dict[str, Any]:
    """Path inside `folder`, sha256 and size of a file."""
    return {
        "path": path.relative_to(folder).as_posix(),
        "sha256": sha256(path),
        "bytes": path.stat().st_size,
    }


def matches_entry(folder: Path, entry: dict[str, Any]) -> bool:
    """Whether the file of a `file_entry` is there and as it was."""
    path = folder / entry["path"]
    return path.is_file() and path.stat().st_size == entry["bytes"] and sha256(path) == entry["sha256"]


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write an indented JSON object, whole or not at all."""
    with replacing(path, forced=False) as file:
        file.write((json.dumps(content, indent=2) + "\n").encode())


def digest_of(content: dict[str, Any]) -> str:
    """A short name, fit for a path, for anything that JSON can hold."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
