"""A teacher whose features can be read by eye, and proteins for it."""

import os
import random
import signal
from pathlib import Path

import torch

from lifecode.teachers.base import ProteinTeacher


class LetterTeacher(ProteinTeacher):
    """Features that can be read by eye: the letter's code, and the position.

    Args:
        name: of the teacher.
        diary: file where every protein it reads is written down.
        dies_at: the call at which the process is killed, counted from 1.
    """

    width = 2

    def __init__(self, name="letters-1", diary: Path | None = None, dies_at: int = 0):
        super().__init__()
        self.name, self.diary, self.dies_at = name, diary, dies_at
        self.read: list[str] = []
        self.num_calls = 0

    def encode(self, proteins):
        self.num_calls += 1
        if self.num_calls == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.read += proteins
        if self.diary is not None:
            with self.diary.open("a") as file:
                file.writelines(f"{protein}\n" for protein in proteins)
        return [torch.tensor([[float(ord(x)), i] for i, x in enumerate(p)]).view(-1, 2) for p in proteins]


def random_proteins(number, seed=0):
    rng = random.Random(seed)
    return ["".join(rng.choices("ACDEFGHIKLMNPQRSTVWY", k=rng.randint(5, 60))) for _ in range(number)]
