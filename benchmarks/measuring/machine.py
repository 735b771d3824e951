"""The machine a benchmark ran on, and how fast it multiplies matrices: the measure of everything else."""

import os
import platform
from typing import Literal, NamedTuple

import psutil
import torch

from benchmarks.measuring.fresh_process import FreshProcess
from lifecode.host.installed import installed_versions
from lifecode.host.machine import processor
from lifecode.ops.cpu.matmul_rate import matmul_flops

Precision = Literal["fp32", "bf16"]
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}

_PACKAGES = (
    "lifecode",
    "torch",
    "numba",
    "numpy",
    "transformers",
    "opengdn",
    "flash-linear-attention",
    "biopython",
    "gb-io",
    "pyarrow",
)
_BUSY_LOAD_A_CORE = 0.5
_MATRIX_SIZE = 2048


class Machine(NamedTuple):
    """Where figures come from.

    Attributes:
        cpu: its name.
        num_cores: that the process may use.
        threads: that it used.
        memory_bytes: of the machine.
        load_average: of the last minute, before anything was measured; None where unknown.
        system: operating system and architecture.
        versions: of Python and the packages that matter, those that are installed.
        matmul_precision: of the products behind `matmul_gflops`.
        matmul_gflops: best rate of products of two 2048 x 2048 matrices, in 1e9 operations per second.
    """

    cpu: str
    num_cores: int
    threads: int
    memory_bytes: int
    load_average: float | None
    system: str
    versions: dict[str, str]
    matmul_precision: Precision
    matmul_gflops: float

    def description(self) -> str:
        """Two lines for the terminal."""
        versions = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        load = "unknown" if self.load_average is None else f"{self.load_average:.2f}"
        return (
            f"{self.cpu}, {self.num_cores} cores, {self.threads} threads, load before {load}, "
            f"{self.matmul_precision} matrix products {self.matmul_gflops:.1f} GFLOP/s\n{versions}"
        )

    def load_warning(self) -> str | None:
        """A line for a machine that was busy before the run, or None."""
        if self.load_average is None or self.load_average <= _BUSY_LOAD_A_CORE * self.num_cores:
            return None
        return (
            f"The machine was busy before the run (load {self.load_average:.2f} on {self.num_cores} cores): "
            "the times are too long."
        )


class MatrixProducts:
    """Square matrix products in a process of their own."""

    def best_gflops(self, precision: Precision, size: int = _MATRIX_SIZE) -> float:
        """Best rate over a few products of size x size matrices on the CPU, in 1e9 operations per second."""
        return matmul_flops("cpu", DTYPES[precision], size) / 1e9


def describe_machine(threads: int, precision: Precision = "fp32") -> Machine:
    """Describes this machine, load first; takes about a second for the products."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    with FreshProcess(MatrixProducts, threads=threads) as process:
        rate = process.call("best_gflops", precision)
    known = processor()
    return Machine(
        cpu=known["name"],
        num_cores=known["usable_cores"],
        threads=threads,
        memory_bytes=psutil.virtual_memory().total,
        load_average=load,
        system=f"{platform.system()} {platform.machine()}",
        versions=installed_versions(*_PACKAGES),
        matmul_precision=precision,
        matmul_gflops=rate,
    )
