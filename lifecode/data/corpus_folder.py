"""A corpus folder appears whole or not at all, and is never overwritten by another corpus."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lifecode.data.checksum import sha256
from lifecode.data.corpus import Corpus
from lifecode.errors import UserError


def existing_corpus(output: Path, identity: dict[str, Any]) -> Corpus | None:
    """The corpus already at `output`; None where nothing is there.

    Args:
        output: the corpus folder.
        identity: inputs and settings as in a manifest; inputs agree by checksum, whatever their path.

    Raises:
        UserError: `output` holds something else, or a corpus of another identity, naming the key.
    """
    try:
        if not output.exists() or (output.is_dir() and not any(output.iterdir())):
            return None
        is_corpus = (output / "manifest.json").exists()
    except OSError as fault:
        raise _cannot_write(output, fault) from fault
    if not is_corpus:
        raise UserError("is there already and is no corpus", source=output, remedy="Choose another output")
    corpus = Corpus.open(output)
    found = _comparable({key: corpus.manifest.get(key) for key in identity})
    for key, asked in _comparable(identity).items():
        if found.get(key) != asked:
            raise UserError(
                f"holds a corpus with {key} {found.get(key)}, asked for {asked}",
                source=output,
                remedy="Choose another output, or delete this one",
            )
    return corpus


@contextmanager
def new_corpus_folder(output: Path, identity: dict[str, Any]) -> Iterator[Path]:
    """A temporary folder beside `output` that becomes it at the end, or vanishes at an error.

    Where another process has meanwhile finished the same corpus, that one stays.

    Raises:
        UserError: the folder cannot be written.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=output.parent, prefix=f".{output.name}.", suffix=".partial"))
    except OSError as fault:
        raise _cannot_write(output, fault) from fault
    try:
        yield folder
        folder.chmod(0o755)
        if existing_corpus(output, identity) is None:
            folder.rename(output)
    except OSError as fault:
        raise _cannot_write(output, fault) from fault
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def file_entry(folder: Path, path: Path) -> dict[str, Any]:
    """Path inside the corpus, sha256 and size of a file, for the manifest."""
    return {
        "path": path.relative_to(folder).as_posix(),
        "sha256": sha256(path),
        "bytes": path.stat().st_size,
    }


def input_entry(file: Path) -> dict[str, Any]:
    """Name, sha256 and size of an input file, for the manifest."""
    try:
        return {"name": file.name, "sha256": sha256(file), "bytes": file.stat().st_size}
    except OSError as fault:
        raise UserError(f"cannot be read ({fault.strerror or fault})", source=file) from fault


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write an indented JSON object."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _comparable(identity: dict[str, Any]) -> dict[str, Any]:
    """The identity one level deep, with each input as its checksum."""
    flat = {key: value for key, value in identity.items() if key not in ("inputs", "split")}
    flat |= {f"split.{key}": value for key, value in (identity["split"] or {}).items()}
    flat["input sha256"] = [entry["sha256"] for entry in identity["inputs"] or ()]
    return flat


def _cannot_write(output: Path, fault: OSError) -> UserError:
    return UserError(
        f"cannot be written ({fault.strerror or fault})",
        source=output,
        remedy="Choose an output where you may write and which has room",
    )
