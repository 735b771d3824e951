"""What a machine has: processor, GPUs, disk, and which packages are installed. Reads, and changes nothing."""

import os
import platform
import re
import shutil
import sys
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import torch
from packaging.requirements import Requirement

from lifecode.host.installed import installed_version
from lifecode.host.usable_cores import usable_cores

_BF16_FLAGS = ("amx_bf16", "avx512_bf16")
_CPUINFO = Path("/proc/cpuinfo")
_HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_GIB = 2**30


def processor() -> dict[str, Any]:
    """Name, cores and threads of the processor, and what it offers for bf16 and large memory.

    `bf16_instructions` lists those that multiply bf16 faster than float32; None where they cannot be read.
    """
    cpuinfo = _CPUINFO.read_text() if _CPUINFO.exists() else ""
    name = re.search(r"^model name\s*: (.+)$", cpuinfo, re.MULTILINE)
    flags = re.search(r"^flags\s*: (.+)$", cpuinfo, re.MULTILINE)
    huge_pages = re.search(r"\[(\w+)\]", _HUGE_PAGES.read_text()) if _HUGE_PAGES.exists() else None
    return {
        "name": name[1] if name else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "usable_cores": usable_cores(),
        "torch_threads": torch.get_num_threads(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB, 1),
        "vector_instructions": torch.backends.cpu.get_cpu_capability(),
        "bf16_instructions": [flag for flag in _BF16_FLAGS if flag in flags[1].split()] if flags else None,
        "transparent_huge_pages": huge_pages[1] if huge_pages else None,
    }


def best_device() -> str:
    """`cuda` where there is a GPU, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def gpus() -> list[dict[str, Any]]:
    """Name, memory and bf16 of every CUDA device."""
    found = []
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        properties = torch.cuda.get_device_properties(index)
        with torch.cuda.device(index):
            bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        gib = round(properties.total_memory / _GIB, 1)
        found.append({"name": properties.name, "memory_gib": gib, "bf16": bf16})
    return found


def cpp_compiler() -> str | None:
    """The C++ compiler that `torch.compile` would call on a CPU, or None."""
    return shutil.which(os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++"))


def free_disk_gib(folder: Path) -> float:
    """GiB that may still be written on the file system of a folder."""
    return round(shutil.disk_usage(folder).free / _GIB, 1)


def installed_packages(distribution: str) -> dict[str, dict[str, str | None]]:
    """Version of each direct dependency, None where it is missing, by extra; "" holds those always needed.

    Read from the metadata of the installed distribution; no package is imported. An extra that names
    another one (`lifecode[near]`) holds its packages too.
    """
    wanted = [Requirement(line) for line in requires(distribution) or []]
    extras = {extra for requirement in wanted for extra in _extras(requirement)}
    return {
        extra: {
            name: installed_version(name)
            for name in sorted(_names(wanted, extra, distribution), key=str.lower)
        }
        for extra in sorted(extras | {""})
    }


def _extras(requirement: Requirement) -> list[str]:
    return re.findall(r"extra == [\"']([\w.-]+)[\"']", str(requirement.marker or ""))


def _names(wanted: list[Requirement], extra: str, distribution: str) -> set[str]:
    """Packages of one extra that this platform takes, without those always needed."""
    names: set[str] = set()
    for requirement in wanted:
        own = _extras(requirement)
        if (extra in own if extra else not own) and _applies(requirement, extra):
            if requirement.name == distribution:
                names.update(*(_names(wanted, other, distribution) for other in requirement.extras))
            else:
                names.add(requirement.name)
    return names


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})
