"""SIGTERM and SIGHUP, of a closed terminal too: one line, exit code 130, and nothing temporary stays."""

import os
import signal
import subprocess
import time
from functools import partial

import pytest

from tests.support.at_work import paths_at_work
from tests.support.small_run import COMMAND, SMALL

pytestmark = pytest.mark.slow
VERBS = {
    "prepare": ["input=ecoli", "output=out/corpus", "engine.workers=1"],
    "prepare in two processes": ["input=[ecoli,many.gbk]", "output=out/corpus", "engine.workers=2"],
    "embed": ["input=ecoli", "output=out/genes.npz"],
    "dogma": ["input=ecoli", "output=out/data"],
    "rows": ["input=ecoli", "output=out/rows"],
    "train": [*SMALL, "run_dir=out/run", "optim.tokenizer.total_steps=100000"],
    "train -m": [*SMALL, "run_dir=out/run", "optim.tokenizer.total_steps=100000", "seed=1,2"],
}
KEPT = {".corpus.partial", ".lock"}
"""What the same command goes on from, and the lock of a run, which is a file of its own."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_is_asked_to_end(verb, number, small_genome, tmp_path):
    (tmp_path / "tmp").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "many.gbk").write_text(small_genome.read_text().replace("NC_000913.3", "COPY.1"))
    words = [word for word in verb.split() if word not in ("in", "two", "processes")]
    own = [f"input={small_genome}"] if words[0] == "train" else []
    program = subprocess.Popen(
        [*COMMAND, *words, *own, *VERBS[verb]],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp"), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=partial(signal.signal, signal.SIGHUP, signal.SIG_DFL),  # which nohup has ignored
    )
    deadline = time.monotonic() + 600
    while not begun(tmp_path, words[0]) and time.monotonic() < deadline and program.poll() is None:
        time.sleep(0.02)
    os.kill(program.pid, number)
    os.kill(program.pid, number)  # as a shell that is closed and the kernel both do
    try:
        _, err = program.communicate(timeout=600)
    finally:
        program.kill()
    assert program.returncode == 130, err
    assert err.splitlines()[-1].startswith(f"lifecode {' '.join(w for w in words if w != '-m')}: ")
    assert "Traceback" not in err
    assert os.listdir(tmp_path / "tmp") == []
    hidden = {path.name for path in (tmp_path / "out").rglob(".*")}
    assert hidden <= KEPT, hidden


def begun(folder, verb):
    """Whether the verb has begun to write."""
    if verb == "train":
        return bool(paths_at_work(folder, "out/run/**/metrics.csv"))
    return any((folder / "out").iterdir())
