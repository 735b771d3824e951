"""SIGKILL at random steps and within a save, and SIGTERM: the run that goes on is the run without them."""

import random
import signal
import time
from pathlib import Path

import torch

from lifecode.training.run.checkpoint_file import checkpoint_step, latest_checkpoint
from tests.soak.sitting import Run, Sitting

STAGES = {"tokenizer": 12, "encoder": 48}
LONGEST_DELAY_SECONDS = 0.05


def kill_at_steps(run: Run, kills: int, workers: int, seed: int = 0) -> list[tuple[str, int]]:
    """Kills the run within or after each of some random steps, in their order, and lets it finish.

    Returns:
        Stage and 0-based step of each kill.
    """
    draw = random.Random(seed + workers)
    steps = [(stage, step) for stage, number in STAGES.items() for step in range(number)]
    chosen = [steps[i] for i in sorted(draw.sample(range(len(steps)), kills))]
    for stage, step in chosen:
        before = run.began()
        sitting = run.start(f"trainer.num_workers={workers}")
        reached = sitting.until(lambda: run.began() != before and run.has_trained(stage, step))
        assert reached, sitting.errors()
        time.sleep(draw.uniform(0, LONGEST_DELAY_SECONDS))
        sitting.kill()
        assert sitting.code == -signal.SIGKILL
    run.finish(f"trainer.num_workers={workers}")
    return chosen


def row_groups_read(run: Run, stage: str) -> int:
    """Whole groups of packed rows (here epochs of the coding sequences) that a stage has gone through."""
    return torch.load(run.newest(stage), weights_only=True)["CorpusDataModule"]["chunk"]


def kill_in_saves(run: Run, kills: int, seed: int = 0) -> dict[str, int]:
    """Kills the run while it writes a checkpoint, at a random point of its growth, and lets it finish.

    Returns:
        How often a checkpoint could be loaded afterwards, and how often the kill left a half-written file.
    """
    draw, folder = random.Random(seed), run.checkpoints("tokenizer")
    found = {"loadable": 0, "half_written": 0}
    newest = None
    for number in range(kills):
        sitting = run.start()
        if number == 0:  # before the first checkpoint there is none to lose
            assert sitting.until(lambda: any(folder.glob("step=*.ckpt"))), sitting.errors()
        _kill_in_a_save(sitting, folder, draw)
        found["half_written"] += any(folder.glob(".step=*"))
        latest = latest_checkpoint(folder)
        found["loadable"] += latest is not None and (newest is None or latest >= newest)
        newest = latest
    run.finish()
    return found


def _kill_in_a_save(sitting: Sitting, folder: Path, draw: random.Random) -> None:
    """Waits for a file of a hidden name that this sitting writes, and a random time for it to grow."""
    before = _half_written(folder)
    assert sitting.until(lambda: _half_written(folder) - before, every=0.0), sitting.errors()
    time.sleep(draw.choice([0.0, draw.uniform(0, 0.004), draw.uniform(0, 0.03)]))
    sitting.kill()


def _half_written(folder: Path) -> set[tuple[str, int, int]]:
    found = set()
    for path in folder.glob(".step=*.partial"):
        try:
            file = path.stat()
            found.add((path.name, file.st_ino, file.st_mtime_ns))
        except FileNotFoundError:
            continue
    return found


def terminate(run: Run, stage: str, step: int) -> tuple[Sitting, int, int]:
    """SIGTERM once a step is done; the sitting, the steps that metrics.csv had then, and those saved."""
    sitting = run.start()
    assert sitting.until(lambda: run.has_trained(stage, step)), sitting.errors()
    sitting.send(signal.SIGSTOP)
    done = max(int(row[0]) for row in run.rows() if row[1] == stage) + 1
    sitting.send(signal.SIGTERM)
    sitting.send(signal.SIGCONT)
    sitting.wait()
    return sitting, done, checkpoint_step(run.newest(stage))


def kill_at(run: Run, stage: str, step: int, faults: dict[str, list[int]]) -> None:
    """SIGKILL once a step is done."""
    sitting = run.start(faults=faults)
    assert sitting.until(lambda: run.has_trained(stage, step)), sitting.errors()
    sitting.kill()


def is_finite(run: Run, stage: str) -> bool:
    """Whether every weight in the newest checkpoint of a stage is."""
    state = torch.load(run.newest(stage), weights_only=True)["state_dict"]
    return all(bool(torch.isfinite(tensor).all()) for tensor in state.values())
