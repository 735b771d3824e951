"""Tests that need Triton's interpreter, which is chosen for a whole process before Triton is imported.

An ordinary run collects nothing here: `tests/parity/test_fla_interpreted.py` runs each file in its own
process. By hand: `TRITON_INTERPRET=1 pytest tests/interpreted`.
"""

import os

import pytest

from lifecode.ops.convolution import boundary as convolution
from lifecode.ops.delta_rule import boundary as delta_rule

collect_ignore_glob = [] if os.environ.get("TRITON_INTERPRET") == "1" else ["test_*.py"]


@pytest.fixture(scope="session", autouse=True)
def kernels() -> None:
    """flash-linear-attention, imported for the interpreter."""
    from tests.interpreted.interpreter import load_kernels

    load_kernels()


@pytest.fixture(autouse=True)
def open_boundary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let CPU tensors through to the backends that ask for CUDA."""
    monkeypatch.setattr(delta_rule, "_problem", lambda *_: None)
    monkeypatch.setattr(convolution, "_problem", lambda *_: None)


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the Triton kernels in the order of their launches."""
    from triton.runtime.interpreter import GridExecutor

    names, launch = [], GridExecutor.__call__

    def watched(self: GridExecutor, *args: object, **kwargs: object) -> None:
        names.append(self.fn.__name__)
        launch(self, *args, **kwargs)

    monkeypatch.setattr(GridExecutor, "__call__", watched)
    return names
