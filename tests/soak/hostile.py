"""Folders and files from strangers, forks, and signals on every verb: one line, nothing else touched.

Each row starts the real command in a process of its own, in a folder of its own.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.repository import ROOT

GENES = "".join(f">g{i}\nATG{'GCTAAAGATCTG'[3 * (i % 4) :] * 9}{'GCA' * i}TAA\n" for i in range(40))


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """`lifecode ARGUMENTS` in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "lifecode", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def place(folder: Path) -> Path:
    """A new folder with a file of genes."""
    folder.mkdir(parents=True)
    (folder / "genes.fa").write_text(GENES)
    return folder


VERBS: dict[str, tuple[str, ...]] = {
    "prepare": ("prepare", "input=[cds:genes.fa,ecoli]", "output=out"),
    "dogma": ("dogma", "input=ecoli", "output=out"),
    "rows": ("rows", "input=ecoli", "output=out"),
    "embed": ("embed", "input=ecoli", "output=out.npz"),
    "report": ("report", "input=runs", "output=out"),
    "check": ("check", "corpus=corpus"),
    "info": ("info",),
    "doctor": ("doctor",),
}


def verb_ends_cleanly(verb: str, number: int, folder: Path, chance: random.Random, whole: Path) -> list[str]:
    """What is wrong after a signal at a random moment of a verb: a traceback, or something half-written."""
    place(folder)
    if verb == "check":
        shutil.copytree(whole / "corpus", folder / "corpus")
    if verb == "report":
        shutil.copytree(whole / "run", folder / "runs" / "run")
    before = {path.name for path in folder.iterdir()}
    process = start(folder, *VERBS[verb])
    time.sleep(chance.uniform(2.0, 9.0))
    process.send_signal(number)
    _, said = process.communicate(timeout=300)
    left = {path.name for path in folder.iterdir()} - before
    wrong = [f"exit code {process.returncode}"] * (process.returncode not in (0, 130, -number))
    wrong += ["a traceback"] * ("Traceback" in said and number != signal.SIGINT)
    goes_on = {".out.partial"} if verb == "prepare" else set()
    wrong += [f"left {name}" for name in left - goes_on - {"out", "out.npz"}]
    return wrong


def _trap_yaml(run: Path) -> None:
    (run / "config.yaml").write_text("a: &a [*a]\n")


def _pipe(run: Path) -> None:
    (run / "metrics.json").unlink()
    os.mkfifo(run / "metrics.json")


def _device(run: Path) -> None:
    (run / "provenance.json").unlink()
    (run / "provenance.json").symlink_to("/dev/zero")


def _names(run: Path) -> None:
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(text.replace("input:", 'input: "\\e[2J$x$ [/b]"\nold:', 1))


FOLDERS: dict[str, Callable[[Path], None]] = {
    "config.yaml within itself": _trap_yaml,
    "a pipe for metrics.json": _pipe,
    "a device for provenance.json": _device,
    "names of terminal codes": _names,
}


def report_goes_on(harm: Callable[[Path], None], folder: Path, whole: Path) -> list[str]:
    """What is wrong with a report over a good run and one of a stranger."""
    place(folder)
    for name in ("good", "stranger"):
        shutil.copytree(whole / "run", folder / "runs" / name)
    harm(folder / "runs" / "stranger")
    process = start(folder, "report", "input=runs")
    out, said = process.communicate(timeout=300)
    wrong = [f"exit code {process.returncode}: {said[-200:]}"] * (process.returncode != 0)
    wrong += ["terminal codes"] * ("\x1b" in out + said)
    return wrong + ["no page"] * (not (folder / "runs" / "report.html").exists())


FORKS = """
import os, sys, multiprocessing
import numpy as np
import lifecode
model = lifecode.LifeCode.from_pretrained("lifecode-mini")
letters = np.array(list("ACGT"))
texts = ["".join(letters[np.random.default_rng(i).integers(0, 4, 150_000)]) for i in range(2)]
def vector(text): return np.asarray(model.embed([text]).tolist())
right = [vector(text) for text in texts]
with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
    found = pool.map(vector, texts * 2)
for got, want in zip(found, right * 2): assert np.array_equal(got, want), np.abs(got - want).max()
"""


def forks_agree(folder: Path) -> list[str]:
    """What is wrong with vectors of long sequences that two forked workers compute at once."""
    place(folder)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", FORKS, "fork"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return [done.stderr.strip().splitlines()[-1]] if done.returncode else []


def random_search(name: str) -> list[str]:
    """What the property tests of a file find with another seed than yesterday."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"tests/property/{name}"],
        cwd=ROOT,
        env={**os.environ, "LIFECODE_HYPOTHESIS": "random", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip().splitlines()[-3:] if done.returncode else []
