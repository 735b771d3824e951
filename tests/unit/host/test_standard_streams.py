"""Streams that are closed or that nobody reads: no traceback, and an exit code that says it."""

import subprocess
import sys

import pytest

from lifecode.app.main import main

LIFECODE = f"{sys.executable} -m lifecode"


def shell(command: str) -> tuple[int, str, str]:
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("{} --help >&-", 0),
        ("{} --version <&- >&- 2>&-", 0),
        ("{} nonsense 2>&-", 2),
        ("{} --help > /dev/full", 2),
        ("set -o pipefail; {} --help | true", 141),
    ],
)
def test_the_exit_code_of_what_cannot_be_printed(command, code):
    found, out, err = shell(command.format(LIFECODE))
    assert found == code or (code == 141 and found == 0)  # it may be quicker than its reader's end
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    assert out == ""


@pytest.mark.slow
@pytest.mark.parametrize("command", ["{} info >&-", "{} info >&- 2>&- <&-", "{} info model=tiny | head -n 1"])
def test_a_verb_without_its_streams(command):
    code, _, err = shell(command.format(LIFECODE))
    assert code == 0
    assert "Traceback" not in err


def test_what_is_opened_next_is_not_printed_into(tmp_path):
    code = "from lifecode.app.main import main; main(['--version']); f = open('f', 'w'); print(f)"
    found, _, err = shell(f'cd {tmp_path}; PYTHONPATH=$OLDPWD {sys.executable} -c "{code}" >&-')
    assert found == 0, err
    assert (tmp_path / "f").read_text() == ""


def test_too_many_open_files_is_one_line(monkeypatch, capsys):
    def fail(config):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("lifecode.verbs.info.run", fail)
    assert main(["info"]) == 2
    assert capsys.readouterr().err.startswith(
        "lifecode info: Too many open files. Raise the limit (ulimit -n"
    )
