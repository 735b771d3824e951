"""What the system denies the loader workers is one line with a remedy."""

import errno
import os
import signal

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from lifecode.errors import UserError
from lifecode.training.loader_faults import loader_faults_named


class Deadly(Dataset):
    """Its third item kills the worker that reads it, or raises what it is told."""

    def __init__(self, fault=None):
        self.fault = fault

    def __len__(self):
        return 8

    def __getitem__(self, index):
        if index == 2 and self.fault is None:
            os.kill(os.getpid(), signal.SIGKILL)
        if index == 2:
            raise self.fault
        return torch.zeros(2)


def read(dataset, workers=1):
    with loader_faults_named():
        list(DataLoader(dataset, batch_size=None, num_workers=workers))


def test_a_killed_worker():
    with pytest.raises(UserError, match=r"a loader worker was killed.*trainer\.num_workers=0"):
        read(Deadly())


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "ulimit -n"),
        (OSError(errno.ENOSPC, "No space left on device"), "/dev/shm"),
        (RuntimeError("unable to write to file </torch_1_2_3>: No space left on device (28)"), "/dev/shm"),
        (RuntimeError("received 0 items of ancdata"), "ulimit -n"),
    ],
)
def test_what_the_system_denies(fault, words):
    with pytest.raises(UserError, match=words):
        read(Deadly(fault), workers=0)


def test_a_fault_that_another_one_hides():
    seen = RuntimeError("Please call `iter(combined_loader)` first.")
    seen.__context__ = OSError(errno.ENOSPC, "No space left on device")  # as Lightning leaves it
    with pytest.raises(UserError, match="/dev/shm"), loader_faults_named():
        raise seen


def test_other_faults_stay_what_they_are():
    for fault in (
        RuntimeError("a bug"),
        OSError(errno.ENOSPC, "full", "a.ckpt"),
        UserError("mine"),
        KeyError("k"),
    ):
        with pytest.raises(type(fault)) as raised, loader_faults_named():
            raise fault
        assert raised.value is fault
