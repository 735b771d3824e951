"""The command without the seconds that a process of its own takes."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from lifecode.app.main import main


@pytest.fixture
def here(monkeypatch, capfd) -> Callable[..., CompletedProcess[str]]:
    """`small_run.lifecode` in this process."""

    def called(folder: Path, *arguments: str) -> CompletedProcess[str]:
        monkeypatch.chdir(folder)
        code = main([*arguments])
        return CompletedProcess(arguments, code, *capfd.readouterr())

    return called
