"""The notebooks, as a reader runs them, on small settings."""

import re

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.repository import ROOT
from tests.support.small_run import train

pytestmark = pytest.mark.slow
NOTEBOOKS = ROOT / "notebooks"


def executed(name: str) -> tuple[str, int]:
    """What the notebook prints, and how many pictures it draws."""
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOKS)}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    text = "".join(output.get("text", "") for output in outputs)
    return text, sum("image/png" in output.get("data", {}) for output in outputs)


def test_notebooks_are_committed_without_outputs():
    for path in NOTEBOOKS.glob("*.ipynb"):
        cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        assert cells
        assert not any(cell.outputs or cell.execution_count for cell in cells), path


def test_quickstart():
    text, pictures = executed("01_quickstart.ipynb")
    assert "4,288 genes, 54 of them ribosomal proteins" in text
    assert text.count("average precision") == 2
    assert text.count(": own codons -") == 3
    assert pictures == 3


def test_hybrid_ratios(small_genome, tmp_path, monkeypatch):
    swept = ["-m", "model.hybrid_ratio=2:0,1:1", "seed=0,1"]
    settings = ["teacher.model=null", "trainer.max_steps=2", "trainer.validate_every_steps=1"]
    assert train(tmp_path, small_genome, *swept, *settings).returncode == 0
    monkeypatch.setenv("LIFECODE_SWEEP", str(tmp_path / "runs/small"))
    text, pictures = executed("02_hybrid_ratios.ipynb")
    assert "   1:1: 2 of 2 runs are finished" in text
    assert re.search(r"1:1 less 2:0: [+-]0\.\d{3} \(seed 0\), [+-]0\.\d{3} \(seed 1\) nats", text)
    assert "encoder step 20/20" in text
    assert "['GatedDeltaNet', 'GatedDeltaNet', 'SelfAttention']" in text
    assert pictures == 3


def test_two_families(small_genome, monkeypatch):
    sizes = {"GENOME": small_genome, "BLOCK": 3000, "WIDTH": 32, "STEPS": 8, "EXAMPLES": 60}
    monkeypatch.delenv("LIFECODE_DATA", raising=False)
    for name, value in sizes.items():
        monkeypatch.setenv(f"LIFECODE_{name}", str(value))
    text, pictures = executed("03_two_families.ipynb")
    sizes = [int(size.replace(",", "")) for size in re.findall(r": ([\d,]+) parameters, 16,384 tokens", text)]
    assert len(sizes) == 2
    assert sizes[1] == pytest.approx(sizes[0], rel=0.25)
    for task in ("central dogma", "ncRNA-protein (made up)", "codons (made up)"):
        for family in ("Life-Code", "LucaOne"):
            assert re.search(re.escape(f"{task}: {family} minus untrained ") + r"[+-]\d\.\d{3} \(", text)
    assert "60 held-out rows of central dogma Life-Code, learnt by" in text
    assert pictures == 2
