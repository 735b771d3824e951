"""Starts the processes of a run on this machine, one per device, as torchrun would.

Each is this command again, with the same overrides, and finds itself in the environment that torchrun sets.
This process then only passes signals on and waits: after a failure the others get some time to end by
themselves, so that only the one that knows the reason speaks.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from types import FrameType

from hydra.core.hydra_config import HydraConfig
from torch.distributed import TCPStore

from lifecode.app.provenance import HANDED_DOWN, current_start
from lifecode.errors import AlreadyReported, UserError
from lifecode.host.stop_signals import taken_over
from lifecode.host.usable_cores import usable_cores
from lifecode.training.processes import LAUNCHER

GRACE_SECONDS = 20.0
"""How long the others may go on after one process has failed."""
_GENTLE = (0, 130)
"""Exit codes of processes that end in their own time: done, or interrupted and saving."""
_HOST = "127.0.0.1"


def run_processes(verb: str, run_dir: str, num_processes: int) -> None:
    """Runs the verb with this job's overrides in `num_processes` processes.

    Args:
        verb: of one word.
        run_dir: of this job, which in a sweep is no override.
        num_processes: on this machine.

    Raises:
        AlreadyReported: one of them failed, or they were interrupted.
        UserError: this is no command, so that it cannot be given again.
    """
    if not current_start().command:
        raise UserError(
            f"asks for {num_processes} processes, and Python can only be one of them",
            source="trainer.devices",
            remedy="Use the command `lifecode train`, or torchrun (docs/cluster.md)",
        )
    store = TCPStore(_HOST, 0, is_master=True, wait_for_workers=False, timeout=timedelta(days=30))
    command = [sys.executable, "-P", "-m", "lifecode", verb, *_overrides(run_dir)]
    children: list[subprocess.Popen[bytes]] = []
    with _passing_signals_on(children):
        for rank in range(num_processes):
            environment = _environment(rank, num_processes, store.port)
            # In a session of its own, Ctrl-C reaches it once: through this process.
            children.append(subprocess.Popen(command, env=environment, start_new_session=True))
        codes = _wait(children)
    if code := next((code for code in codes if code), 0):
        raise AlreadyReported(code if code > 0 else 128 - code)


def _overrides(run_dir: str) -> list[str]:
    sources = HydraConfig.get().runtime.config_sources
    folders = [f"--config-dir={source.path}" for source in sources if source.provider == "command-line"]
    quoted = run_dir.replace("'", r"\'")
    return [*folders, *current_start().overrides, f"run_dir='{quoted}'"]


def _environment(rank: int, num_processes: int, port: int) -> dict[str, str]:
    environment = {**os.environ, HANDED_DOWN: json.dumps(asdict(replace(current_start(), overrides=())))}
    environment.setdefault("OMP_NUM_THREADS", str(max(1, usable_cores() // num_processes)))
    return environment | {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(num_processes),
        "LOCAL_WORLD_SIZE": str(num_processes),
        "GROUP_RANK": "0",
        "MASTER_ADDR": _HOST,
        "MASTER_PORT": str(port),
        "TORCHELASTIC_RUN_ID": "lifecode",
        "TORCHELASTIC_USE_AGENT_STORE": "True",
        LAUNCHER: str(os.getpid()),
    }


def _wait(children: Sequence["subprocess.Popen[bytes]"]) -> list[int]:
    """The exit codes, once all have ended."""
    deadline = float("inf")
    while any(child.poll() is None for child in children):
        codes = [child.poll() for child in children]
        if deadline == float("inf") and any(code not in (*_GENTLE, None) for code in codes):
            deadline = time.monotonic() + GRACE_SECONDS
        if time.monotonic() > deadline:
            for child in children:
                child.kill()
        time.sleep(0.05)
    return [child.wait() for child in children]


@contextmanager
def _passing_signals_on(children: Sequence["subprocess.Popen[bytes]"]) -> Iterator[None]:
    def pass_on(number: int, frame: FrameType | None) -> None:
        for child in children:
            if child.poll() is None:
                child.send_signal(number)

    try:
        with taken_over(pass_on):
            yield
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
