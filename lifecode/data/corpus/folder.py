"""A corpus folder appears whole or not at all, and is never overwritten by another corpus.

What is being prepared lies beside it in `.NAME.partial` until it is complete, so that a run that was killed
goes on from there; `.NAME.lock` keeps a second process waiting until the first has finished.
"""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lifecode.data.corpus.corpus import Corpus
from lifecode.errors import Interrupted, UserError
from lifecode.host.durable import require_writable
from lifecode.host.exclusive import exclusive
from lifecode.host.own_folder import require_own


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
    found = _comparable({key: corpus.manifest.get(key) for key in identity}) | _said_since(corpus, identity)
    for key, asked in _comparable(identity).items():
        if found.get(key) != asked:
            raise UserError(
                f"holds a corpus with {key} {found.get(key)}, asked for {asked}",
                source=output,
                remedy="Choose another output, or delete this one",
            )
    return corpus


@contextmanager
def partial_folder(output: Path) -> Iterator[Path]:
    """The folder where the corpus of `output` comes about, for one process at a time.

    It stays when the run is interrupted or killed, or when the disk fails; it goes at the end, and at a
    mistake of the user that came before any unit was read.

    Raises:
        UserError: the folder cannot be written.
        Interrupted: at Ctrl-C.
    """
    folder = output.parent / f".{output.name}.partial"
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        require_own(folder, inside=output.parent, changed_in_place=True)
        lock = output.parent / f".{output.name}.lock"
        require_own(lock, inside=output.parent)
        require_writable(output.parent)
        with exclusive(lock, f"preparing {output.name}"):
            folder.mkdir(exist_ok=True)
            try:
                yield folder
            except UserError:
                if not any(folder.glob("units/*/unit.json")):
                    shutil.rmtree(folder, ignore_errors=True)
                raise
            shutil.rmtree(folder)
    except OSError as fault:
        if fault.errno in (errno.EMFILE, errno.ENFILE):
            raise  # no fault of the folder
        raise _cannot_write(output, fault) from fault
    except KeyboardInterrupt as stop:
        raise Interrupted(f"interrupted; the same command goes on from {folder}") from stop


def _said_since(corpus: Corpus, identity: dict[str, Any]) -> dict[str, Any]:
    """What a corpus from before `max_ambiguous_share` agrees with: any share, and code 1 was the default."""
    reading, asked = corpus.manifest.get("reading") or {}, identity.get("reading") or {}
    if "max_ambiguous_share" in reading or "max_ambiguous_share" not in asked:
        return {}
    agreed = {"reading.max_ambiguous_share": asked["max_ambiguous_share"]}
    if reading.get("genetic_code") == 1 and asked["genetic_code"] is None:
        agreed["reading.genetic_code"] = None
    return agreed


def _comparable(identity: dict[str, Any]) -> dict[str, Any]:
    """The identity one level deep, with each input as its checksum."""
    flat = {key: value for key, value in identity.items() if key not in ("inputs", "split", "reading")}
    for group in ("split", "reading"):
        flat |= {f"{group}.{key}": value for key, value in (identity[group] or {}).items()}
    flat["input sha256"] = [(entry["sha256"], entry.get("holds")) for entry in identity["inputs"] or ()]
    return flat


def _cannot_write(output: Path, fault: OSError) -> UserError:
    return UserError(
        f"cannot be written ({fault.strerror or fault})",
        source=output,
        remedy="Choose an output where you may write and which has room",
    )
