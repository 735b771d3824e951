"""The processes of one run: who they are, and what only the first of them does.

Files are written by the first process; the others wait for it, over gloo and as long as it takes, and go on
with what it left. If its work fails, it says why, and all the others end with its exit code.
"""

import ctypes
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import torch
import torch.distributed
from lightning.fabric.plugins.environments import (
    ClusterEnvironment,
    SLURMEnvironment,
    TorchElasticEnvironment,
)

from lifecode.errors import AlreadyReported, UserError

T = TypeVar("T")
_LONGEST_WAIT = timedelta(days=30)
LAUNCHER = "LIFECODE_LAUNCHER"
"""Environment variable with the process id of the command that started this process among others."""
_PR_SET_PDEATHSIG = 1
_FAILED = "lifecode/failed"
_OTHER_FAULT, _USER_ERROR, _INTERRUPTED = 1, 2, 130


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those of the run.

    Attributes:
        rank: of this process, over all machines.
        world_size: number of processes.
        waiting: gloo group in which the others wait for the first; None for one process.
    """

    rank: int = 0
    world_size: int = 1
    waiting: Any = None

    @property
    def is_first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def from_first(self, work: Callable[[], T]) -> T:
        """What `work` returns on the first process, on all of them (so it must be picklable)."""
        if self.world_size == 1:
            return work()
        result, code = None, 0
        try:
            result = work() if self.is_first else None
        except BaseException as error:
            code = _exit_code(error)
            raise
        finally:
            told = [result, code]
            torch.distributed.broadcast_object_list(told, src=0, group=self.waiting)
        result, code = told
        if code:
            raise AlreadyReported(code)
        return result

    def only_first(self, work: Callable[[], Any]) -> None:
        """Does `work` on the first process; no process goes on before it is done."""
        self.from_first(partial(_without_result, work))

    def first_then_others(self, work: Callable[[], T]) -> T:
        """Does `work` on the first process and then on the others, which find it done."""
        done: list[T] = []
        self.only_first(lambda: done.append(work()))
        return done[0] if done else work()


ALONE = Processes()


def cluster_environment() -> ClusterEnvironment | None:
    """Who started this process among others: torchrun (or this command, in its place), SLURM, or nobody."""
    if TorchElasticEnvironment.detect():
        return TorchElasticEnvironment()
    # Lightning's own requeueing would save a checkpoint beside ours.
    return SLURMEnvironment(auto_requeue=False) if SLURMEnvironment.detect() else None


@contextmanager
def joined(num_processes: int, *, gpu: bool) -> Iterator[Processes]:
    """Connects this process with the others of the run and keeps those quiet that are not the first.

    Raises:
        UserError: another number of processes was started.
    """
    environment = cluster_environment()
    started = environment.world_size() if environment else 1
    if started != num_processes:
        raise UserError(
            f"trainer.devices x trainer.num_nodes is {num_processes}, and {started} processes were started",
            source="trainer",
            remedy="Start one process for each device: docs/cluster.md",
        )
    if environment is None or num_processes == 1:
        yield ALONE
        return
    os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = (
        environment.main_address,
        str(environment.main_port),
    )
    rank = environment.global_rank()
    _end_with_launcher()
    if gpu:
        torch.cuda.set_device(environment.local_rank())
    store, _, _ = next(torch.distributed.rendezvous("env://", rank, num_processes))
    backend = "nccl" if gpu else "gloo"
    torch.distributed.init_process_group(backend, store=store, rank=rank, world_size=num_processes)
    waiting = torch.distributed.new_group(backend="gloo", timeout=_LONGEST_WAIT)
    try:
        with _quiet(rank > 0):
            yield Processes(rank, num_processes, waiting)
    except BaseException as error:
        if rank == 0:
            store.set(_FAILED, str(_exit_code(error)))
        elif _may_follow_another(error) and _first_failed_too(store):
            raise AlreadyReported(int(store.get(_FAILED))) from error
        raise
    finally:
        torch.distributed.destroy_process_group()


def _may_follow_another(error: BaseException) -> bool:
    """Whether this is an error of a user, or what a process sees when another one has gone."""
    lost = isinstance(error, torch.distributed.DistError) or "gloo" in str(error).lower()
    return isinstance(error, UserError | KeyboardInterrupt) or (isinstance(error, RuntimeError) and lost)


def _first_failed_too(store: torch.distributed.Store) -> bool:
    """Whether the first process has failed by now or does within seconds, and so says why."""
    try:
        store.wait([_FAILED], timedelta(seconds=5))
    except RuntimeError:
        return False
    return True


def _end_with_launcher() -> None:
    """Asks for SIGTERM should the process that started this one be killed, which could not pass it on."""
    launcher = os.environ.get(LAUNCHER)
    if launcher is None or sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(launcher):
        raise KeyboardInterrupt


@contextmanager
def _quiet(quiet: bool) -> Iterator[None]:
    """Drops what goes to stdout, and messages below a warning."""
    if not quiet:
        yield
        return
    logging.getLogger("lifecode").setLevel(logging.WARNING)
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        yield


def _without_result(work: Callable[[], Any]) -> None:
    work()


def _exit_code(error: BaseException) -> int:
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else _OTHER_FAULT
    if isinstance(error, KeyboardInterrupt):
        return _INTERRUPTED
    return _USER_ERROR if isinstance(error, UserError) else _OTHER_FAULT
