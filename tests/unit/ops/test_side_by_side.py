"""Processes and threads that compute at the same time do not get into each other's results."""

import multiprocessing
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from lifecode.ops import silu_gate
from lifecode.ops.cpu import buffers
from lifecode.ops.cpu.compiled import global_compiler_lock
from tests.support.repository import ROOT

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@pytest.mark.slow
@needs_fork
def test_forked_spawned_and_threaded_results_are_those_of_one_process():
    """In a process of its own on two threads of torch: none of its children may wait for their pool."""
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-m", "tests.programs.forks"]
    program = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert program.returncode == 0, program.stderr
    assert program.stdout.splitlines() == [
        "threads of torch 2",
        *(f"{way} 0" for way in ("fork", "spawn", "loader", "threads", "change", "model")),
    ]


def large_sum(seed: int) -> tuple[float, float]:
    """Of two results of a little more than 32 MB, of which the first is held while the second is made."""
    x = torch.randn(2**17 + 16, 128, generator=torch.Generator().manual_seed(seed))
    first = silu_gate(x)
    second = silu_gate(x + 1)
    return first.double().sum().item(), second.double().sum().item()


@needs_fork
def test_two_forked_children_do_not_write_into_each_others_large_results():
    """Each has its parent's free buffers before it; the parent's own results stay as well."""
    lent = silu_gate(torch.ones(2**17 + 16, 128))
    value = lent[0, 0].item()
    expected = [large_sum(seed) for seed in range(2)]
    both_there = multiprocessing.get_context("fork").Barrier(2)

    def compute(first: int) -> list[tuple[float, float]]:
        both_there.wait(600)
        found = {seed: large_sum(seed) for seed in (first, 1 - first) * 2}
        lent.fill_(7)
        return [found[0], found[1]]

    with ThreadPoolExecutor(2) as threads:
        results = list(threads.map(lambda first: in_child(lambda: compute(first)), range(2)))
    assert results == [expected, expected]
    assert (lent == value).all()


def test_threads_do_not_write_into_each_others_large_results():
    expected = [large_sum(seed) for seed in range(3)]
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(large_sum, range(3))) == expected


def in_child(task) -> object:
    """What a task returns in a forked process."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=lambda: sender.send(task()))
    child.start()
    answered = receiver.poll(30)
    if not answered:
        child.kill()
    child.join()
    assert answered
    return receiver.recv()


@needs_fork
def test_a_child_neither_lends_nor_keeps_what_its_parent_took():
    buffers.release_free()
    lent, returned = buffers.empty((buffers.SMALLEST_BYTES,)), buffers.empty((buffers.SMALLEST_BYTES,))
    del returned
    assert buffers.num_free() == 1

    def kept_in_child() -> tuple[int, int]:
        nonlocal lent
        inherited = buffers.num_free()
        del lent
        return inherited, buffers.num_free()

    assert in_child(kept_in_child) == (0, 0)
    buffers.release_free()


@needs_fork
@pytest.mark.parametrize("lock", ["buffers", "compiler"])
def test_a_lock_that_another_thread_holds_does_not_stop_a_child(lock):
    held, done = threading.Event(), threading.Event()
    guard = buffers._lock if lock == "buffers" else global_compiler_lock

    def hold() -> None:
        with guard:
            held.set()
            done.wait(0.3)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()

    def use() -> bool:
        buffers.empty((buffers.SMALLEST_BYTES,))
        with global_compiler_lock:
            return True

    assert in_child(use)
    done.set()
    holder.join()


@needs_fork
def test_a_forked_child_computes_on_one_thread_of_torch(monkeypatch):
    chosen = []
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    assert in_child(lambda: chosen) == [1]
