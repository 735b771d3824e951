"""`lifecode doctor`: what this machine will use, and what it could use if more were installed.

Each answer comes from the code that decides: the kernels from the functions that choose them, the packages
from the metadata of the installed distribution. Nothing slow is imported: flash-linear-attention only where
there is a GPU to run it on.
"""

import json
import logging
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from rich.console import Console
from rich.text import Text

from lifecode.app.configs.construct import checked_value
from lifecode.app.configs.locate_config import config_folder
from lifecode.data.reading.read import packaged_genomes
from lifecode.errors import UserError
from lifecode.host import machine
from lifecode.ops.attention import attention_kernel
from lifecode.ops.convolution import boundary as convolution
from lifecode.ops.delta_rule import boundary as delta_rule

EXTRAS = {
    "anndata": "embeddings as AnnData: lifecode embed output=x.h5ad",
    "bigwig": "tracks as bigWig: lifecode track output=x.bw",
    "near": "a protein teacher with weights: teacher=near",
    "esm": "the ESM-2 protein teachers: teacher=esm2",
    "hf": "the Hugging Face hub, AutoModel and LoRA adapters: see docs/interchange.md",
    "cuda": "the kernels for NVIDIA GPUs",
    "bench": "the benchmarks of a clone: `make bench-op`, `make bench-train`",
    "ray": "preparation of a corpus on several machines",
    "slurm": "sweeps as SLURM jobs: see docs/cluster.md",
    "sweep": "runs of a sweep side by side: hydra/launcher=joblib",
    "tensorboard": "the logger: logger=tensorboard",
    "docs": "JupyterLab, for the notebooks",
    "dev": "tests, linters and the build",
}
"""What each extra of pyproject.toml is for."""

_PORTABLE = ("chunked", "torch")
_DTYPES = (torch.float32, torch.bfloat16)


def run(config: DictConfig) -> None:
    """Print what was found, as aligned text or as JSON."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)  # the choice of a backend is logged, and stands in the report
    try:
        report = examine()
    finally:
        logging.disable(before)
    if checked_value(config, "json", bool):
        print(json.dumps(report, indent=2))
        return
    console = Console(highlight=False)
    for title, rows in _sections(report).items():
        console.print(Text(title, style="bold"))
        width = max(len(name) for name, _ in rows)
        for name, value in rows:
            console.print(Text(f"  {name:<{width}}  {value}"), soft_wrap=True)
        console.print()


def examine() -> dict[str, Any]:
    """Everything `lifecode doctor` reports, in types that JSON knows."""
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    packages = machine.installed_packages("lifecode")
    return {
        "version": machine.installed_version("lifecode"),
        "python": platform.python_version(),
        "kernels": {device: kernels(device) for device in devices},
        "processor": machine.processor(),
        "gpus": machine.gpus(),
        "compiler": machine.cpp_compiler(),
        "paths": _paths(),
        "free_disk_gib": machine.free_disk_gib(Path.cwd()),
        "packages": packages.pop(""),
        "extras": {
            name: {"adds": EXTRAS.get(name), "installed": None not in versions.values(), "packages": versions}
            for name, versions in packages.items()
        },
    }


def kernels(device: str) -> dict[str, dict[str, Any]]:
    """The backend that `auto` takes for each op and dtype, and why not a faster one."""

    def delta_rule_backend(backend: str, dtype: torch.dtype) -> str:
        return delta_rule.resolve_backend(backend, device, dtype)

    def convolution_backend(backend: str, dtype: torch.dtype) -> str:
        x = torch.empty(1, 1, 16, device=device, dtype=dtype)
        return convolution.resolve_convolution_backend(backend, x)

    attention = {str(dtype).removeprefix("torch."): attention_kernel(device, dtype) for dtype in _DTYPES}
    return {
        "gated delta rule": _choice(delta_rule_backend, delta_rule.BACKENDS),
        "short convolution": _choice(convolution_backend, convolution.BACKENDS),
        "attention": {"backends": attention, "refused": []},
    }


def _choice(resolve: Callable[[str, torch.dtype], str], backends: tuple[str, ...]) -> dict[str, Any]:
    taken = {str(dtype).removeprefix("torch."): resolve("auto", dtype) for dtype in _DTYPES}
    portable = any(name in _PORTABLE for name in taken.values())
    refusals = [_refusal(resolve, name) for name in backends] if portable else []
    return {"backends": taken, "refused": [refusal for refusal in refusals if refusal]}


def _refusal(resolve: Callable[[str, torch.dtype], str], backend: str) -> str | None:
    try:
        resolve(backend, _DTYPES[0])
    except UserError as error:
        return error.problem
    return None


def _paths() -> dict[str, str | None]:
    """Where the configs, the shipped genome and the compiled CPU kernels are; None for what is missing."""
    try:
        configs = str(config_folder())
    except FileNotFoundError:
        configs = None
    genome = packaged_genomes().get("ecoli")
    return {
        "configs": configs,
        "genome": str(genome) if genome and genome.is_file() else None,
        "compiled_kernels": _kernel_cache(),
    }


def _kernel_cache() -> str | None:
    if delta_rule.numba_problem():
        return None
    from lifecode.ops.delta_rule.forward import forward

    return str(forward.stats.cache_path)


def _sections(report: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """The report as titles with rows of name and text."""
    processor, paths = report["processor"], report["paths"]
    bf16 = processor["bf16_instructions"]
    return {
        f"lifecode {report['version']}, Python {report['python']}": [
            ("configs", paths["configs"] or "missing: the installation is incomplete"),
            ("shipped genome", paths["genome"] or "missing: the installation is incomplete"),
            ("compiled CPU kernels", paths["compiled_kernels"] or "none: Numba cannot be used"),
            ("free disk here", f"{report['free_disk_gib']} GiB"),
        ],
        "Kernels": list(_kernel_rows(report["kernels"])),
        "Processor": [
            ("name", processor["name"]),
            ("cores", f"{processor['cores']}, of which usable {processor['usable_cores']}"),
            ("threads", f"{processor['torch_threads']}, of torch and of the compiled kernels"),
            ("memory", f"{processor['memory_gib']} GiB"),
            ("vectors", processor["vector_instructions"]),
            ("bf16", "unknown" if bf16 is None else ", ".join(bf16) or "no instructions of its own"),
            ("transparent huge pages", processor["transparent_huge_pages"] or "not offered"),
            ("C++ compiler", report["compiler"] or "none: trainer.compile=true needs one"),
        ],
        "GPU": [
            (gpu["name"], f"{gpu['memory_gib']} GiB, bf16 {'yes' if gpu['bf16'] else 'no'}")
            for gpu in report["gpus"]
        ]
        or [("none", "no CUDA device is visible to torch")],
        "Packages": [(name, found or "missing") for name, found in report["packages"].items()],
        "Extras": list(_extra_rows(report["extras"])),
    }


def _kernel_rows(kernels: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for device, ops in kernels.items():
        for op, choice in ops.items():
            names = choice["backends"]
            same = len(set(names.values())) == 1
            taken = names["float32"] if same else ", ".join(f"{n} in {d}" for d, n in names.items())
            yield f"{op} on {device}", "; ".join([taken, *choice["refused"]])


def _extra_rows(extras: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, extra in extras.items():
        versions = ", ".join(
            f"{package} {found or 'missing'}" for package, found in extra["packages"].items()
        )
        state = "installed" if extra["installed"] else f"pip install 'lifecode[{name}]'"
        yield name, f"{state}: {extra['adds'] or 'no description'} ({versions})"
