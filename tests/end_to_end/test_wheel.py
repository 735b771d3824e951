"""The wheel alone: built, installed where no sources are on the path, and used from an empty folder."""

import hashlib
import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.support.repository import ROOT

pytestmark = pytest.mark.slow


def run(*command: object, cwd: Path) -> str:
    """Run a command without this session's Python settings; fail with what it said."""
    settings = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    line = [str(word) for word in command]
    done = subprocess.run(line, cwd=cwd, env=settings, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, f"{' '.join(line)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """`bin` of an environment with the wheel and, by path only, the packages of this one.

    A folder named in a .pth file goes on the path, and the .pth files in it stay unread: so the editable
    install of the sources is not seen.
    """
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("lifecode-*.whl")
    venv.create(folder / "env", with_pip=False)
    scheme = {"base": str(folder / "env"), "platbase": str(folder / "env")}
    packages = Path(sysconfig.get_path("purelib", "venv", scheme))
    packages.joinpath("dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = folder / "env/bin/python"
    install = ["install", "--quiet", "--no-deps", "--ignore-installed", "--no-index", wheel]
    run(sys.executable, "-m", "pip", "--python", python, *install, cwd=folder)
    return folder / "env/bin"


def test_the_package_comes_from_the_wheel(installed, tmp_path):
    ask = "import lifecode, sys; from lifecode.app.configs.locate_config import config_folder\n"
    ask += "print(lifecode.__file__, config_folder(), *sys.path, sep='\\n')"
    file, conf, *path = run(installed / "python", "-c", ask, cwd=tmp_path).splitlines()
    assert file.startswith(str(installed.parent))
    assert conf == str(Path(file).parent / "conf")
    assert str(ROOT) not in path


def test_what_the_wheel_holds(installed):
    package = next(installed.parent.glob("lib/python*/site-packages/lifecode"))
    shipped = {path.relative_to(package / "conf") for path in (package / "conf").rglob("*.yaml")}
    assert shipped == {path.relative_to(ROOT / "conf") for path in (ROOT / "conf").rglob("*.yaml")}
    assert (package / "assets/ecoli_K12_MG1655.gbff.gz").stat().st_size > 3_000_000
    assert not (package.parent / "benchmarks").exists()
    assert not (package / "benchmarks").exists()
    licences = next(package.parent.glob("lifecode-*.dist-info")) / "licenses"
    assert {path.name for path in licences.iterdir()} == {"LICENSE", "NOTICE"}


def test_info(installed, tmp_path):
    assert "tokenizer" in run(installed / "lifecode", "info", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_two_steps_of_the_quick_start(installed, tmp_path):
    few_proteins = ["teacher.max_train_residues=20000", "teacher.max_heldout_residues=5000"]
    command = ["train", "experiment=quickstart", "trainer.max_steps=2", *few_proteins]
    run(installed / "lifecode", *command, cwd=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    folder = tmp_path / "runs/quickstart"
    for name in ("config.yaml", "metrics.csv", "metrics.json", "report.html"):
        assert (folder / name).stat().st_size > 0, name
    for stage in ("tokenizer", "encoder"):
        assert any((folder / stage / "checkpoints").iterdir()), stage
    assert any((folder / "figures").glob("*.png"))
    assert "schema_version" in json.loads((folder / "metrics.json").read_text())
    sums = (folder / "model/SHA256SUMS").read_text().splitlines()
    files = {"config.json", "model.safetensors", "training_genes.npy"}
    assert {line.split()[1].lstrip("*") for line in sums} == files
    for line in sums:
        digest, name = line.split()
        assert hashlib.sha256((folder / "model" / name.lstrip("*")).read_bytes()).hexdigest() == digest
    for name in ("runs/quickstart/model", "lifecode-mini"):
        load = f"import lifecode; model = lifecode.LifeCode.from_pretrained({name!r}); "
        load += "print(tuple(model.embed(['ATGGCT']).shape))"
        assert run(installed / "python", "-c", load, cwd=tmp_path).strip() == "(1, 128)"
