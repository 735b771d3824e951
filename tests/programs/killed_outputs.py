"""Run as a program in a folder: one command to its end, and again with a SIGKILL at each of some moments.

Prints a line of JSON for each output: whether it is that of the run that nothing happened to, exit codes,
whether it was there behind each kill, passes of the model, how many more all sittings made, and hidden files
that stayed. Imports are done once; each sitting is a fork.

python -m tests.programs.killed_outputs FOLDER '{"tsv": ["score", ...], ...}'
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lifecode.tracks.asked
import lifecode.verbs.score.score
import lifecode.verbs.track.track
from lifecode.app.main import main
from lifecode.models.life_code import masked_readers
from lifecode.variants.journal import Journal

MOMENTS = (("torn", 1), ("kept", 2), ("unnamed", 0), ("named", 0))
"""In the n-th record that this sitting keeps, behind it, and before or behind the rename of the output."""
CODONS_A_BATCH = 40


def sitting(words: list[str], output: Path, moment: tuple[str, int] | None) -> int:
    """The exit code of a command in a process of its own, negative for a signal."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        if moment is not None:
            _killed_at(moment, output)
        code = main(words)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _killed_at(moment: tuple[str, int], output: Path) -> None:
    what, number = moment
    add, replace, kept = Journal.add, Path.replace, []

    def end() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def added(self: Any, *record: Any) -> None:
        before = os.path.getsize(self.path)
        add(self, *record)
        if what in ("torn", "kept") and len(kept) == number:
            if what == "torn":
                os.truncate(self.path, (before + os.path.getsize(self.path)) // 2)
            end()
        kept.append(record[0])

    def replaced(self: Path, target: Path) -> Path:
        own = Path(target) == output
        if own and what == "unnamed":
            end()
        found = replace(self, target)
        if own and what == "named":
            end()
        return found

    patched: list[tuple[Any, str, Any]] = [(Journal, "add", added), (Path, "replace", replaced)]
    for owner, name, function in patched:
        setattr(owner, name, function)


_READ = masked_readers._Reader._read


def _counted(count: Path) -> Callable[..., Any]:
    def reading(self: Any, sequences: Any, *how: Any) -> Any:
        with count.open("a") as file:
            file.write("x" * len(sequences))
        return _READ(self, sequences, *how)

    return reading


def survived(name: str, words: list[str]) -> dict[str, Any]:
    """What became of one output, in the working folder."""
    count, whole, killed = Path("count"), Path(f"whole-{name}"), Path(f"killed-{name}")
    count.write_text("")
    masked_readers._Reader._read = _counted(count)
    codes = [sitting([*words, f"output={whole}"], whole, None)]
    passes = count.stat().st_size
    there = []
    for moment in MOMENTS:
        codes.append(sitting([*words, f"output={killed}"], killed, moment))
        there.append(killed.exists())
    codes.append(sitting([*words, f"output={killed}"], killed, None))
    return {
        "same": killed.read_bytes() == whole.read_bytes(),
        "codes": codes,
        "there": there,
        "passes": passes,
        "more": count.stat().st_size - 2 * passes,
        "hidden": sorted(path.name for path in Path().glob(".*")),
    }


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    masked_readers._CODONS_PER_CALL_OF_A_CPU = CODONS_A_BATCH
    lifecode.tracks.asked._CODONS_A_BATCH = CODONS_A_BATCH
    for output, command in json.loads(sys.argv[2]).items():
        print(json.dumps({output: survived(output, command)}), flush=True)
