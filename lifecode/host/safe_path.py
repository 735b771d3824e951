"""No process that starts here imports what happens to lie in the current folder.

A child that Python starts by `-c` or `-m`, as multiprocessing, joblib and torch do, looks for modules in the
current folder first: `DATA/pickle.py` would run. PYTHONSAFEPATH in the environment is what all of them heed.
What the user names in PYTHONPATH stays.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_VARIABLE = "PYTHONSAFEPATH"
_lock = Lock()
_before: list[str | None] = []
"""What the variable was at the beginning of each block that has not ended; the first of them counts."""


@contextmanager
def safe_children() -> Iterator[None]:
    """Children that start inside, from any thread, do not import from the current folder."""
    with _lock:
        _before.append(os.environ.get(_VARIABLE))
        os.environ[_VARIABLE] = "1"
    try:
        yield
    finally:
        with _lock:
            outermost = _before[0]
            _before.pop()
            if not _before:
                os.environ.pop(_VARIABLE, None)
                if outermost is not None:
                    os.environ[_VARIABLE] = outermost
