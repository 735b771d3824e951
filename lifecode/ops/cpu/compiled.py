"""How the CPU kernels are compiled, and where the result is kept, so that each machine compiles only once.

The first call of a kernel takes some ten seconds; every later process loads it in a fraction of one. Numba
keeps the machine code beside the source. Where that folder is read-only it goes to the user's cache folder,
or to the temporary folder if there is none; `NUMBA_CACHE_DIR` in the environment overrides all of this.
"""

import atexit
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba import njit
from numba.core import config as _settings
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic

# Numba takes settings from a file in the current folder, where `cache_dir` names pickles that it loads.
_settings._config_fname = os.devnull  # pyright: ignore[reportAttributeAccessIssue]
_settings.reload_config()

_FOLDER = Path(__file__).parents[1]  # of all kernels

# Without `_nrt` Numba counts references to every view of a workspace: a fifth of the time of a kernel. It may
# go because the kernels allocate nothing and the caller holds their arrays.
_OPTIONS = {"nogil": True, "error_model": "numpy", "_nrt": False}

compiled: Callable[..., Any] = njit(**_OPTIONS)
code_generator: Callable[..., Any] = intrinsic

# A child that is forked while a thread compiles would wait for ever for a lock that nobody in it holds.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=global_compiler_lock.release,
    )


def compiled_entry(function: Callable[..., Any]) -> Any:
    """Compile a function that Python calls, and keep the machine code on disk."""
    _choose_cache_folder()
    kernel = njit(cache=True, **_OPTIONS)(function)
    # Numba notices a change of the function's own file only; the functions it calls lie in others. It
    # compares versions before it unpickles an index, which may name types that are no longer where they were.
    index = getattr(getattr(kernel, "_cache", None), "_cache_file", None)
    if index is not None:
        index._version = f"{index._version} {_digest()}"
    return kernel


def _digest() -> str:
    sources = b"".join(path.read_bytes() for path in sorted(_FOLDER.rglob("*.py")))
    return hashlib.sha256(sources).hexdigest()


def _choose_cache_folder() -> None:
    if os.environ.get("NUMBA_CACHE_DIR") or os.access(_FOLDER, os.W_OK):
        return
    folder = _user_cache() / "lifecode" / "numba"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        usable = os.access(folder, os.W_OK)
    except OSError:
        usable = False
    if not usable:
        # A fixed name in a shared folder would let another user plant machine code.
        folder = Path(tempfile.mkdtemp(prefix="lifecode-numba-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    # Numba read the environment when it was imported.
    numba.config.CACHE_DIR = str(folder)  # pyright: ignore[reportAttributeAccessIssue]


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
