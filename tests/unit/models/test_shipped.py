"""The models that come with the package: under their names, small, licensed, as good as their cards say."""

import doctest
import json
from pathlib import Path

import pytest
import torch

import lifecode
from lifecode.app.main import main
from lifecode.data import BlockSplit, prepare_corpus
from lifecode.errors import UserError
from lifecode.evaluation.masked_genes import HeldOut, held_out_genes, masked_metrics, read_masked
from lifecode.models.hub import model_folder
from lifecode.models.shipped import shipped_models
from tests.support.repository import ROOT

SHIPPED = shipped_models()
MAX_BYTES = {"lifecode-mini": 15_000_000, "lifecode-mini@1": 15_000_000, "lifecode-tiny": 2_000_000}


def figures_of(name: str) -> dict[str, dict]:
    """Held-out figures and baselines by source."""
    metrics = json.loads((SHIPPED[name] / "metrics.json").read_text())
    return metrics["sources"] or {"ecoli_K12_MG1655.gbff.gz": metrics}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_name_is_enough(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = lifecode.LifeCode.from_pretrained(name)
    assert model.training_genes is not None
    vectors = model.embed(["ATGAAACGCATTAGC", "AUGGCU"])
    assert vectors.shape == (2, model.width)
    assert vectors.dtype == torch.float32
    assert torch.isfinite(vectors).all()


def test_a_folder_of_that_name_goes_first_and_a_path_is_never_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert model_folder("lifecode-mini") == SHIPPED["lifecode-mini"]
    assert model_folder("lifecode-mini@1") == SHIPPED["lifecode-mini@1"] != SHIPPED["lifecode-mini"]
    with pytest.raises(UserError, match="no such model folder"):
        model_folder(Path("lifecode-mini"))
    Path("lifecode-mini").mkdir()
    assert model_folder("lifecode-mini") == Path("lifecode-mini")


def test_a_wrong_name_is_told_the_right_one():
    with pytest.raises(UserError, match="lifecode-mini"):
        model_folder("lifecode-mimi")


def test_the_first_edition_stays_what_it_is():
    sums = (SHIPPED["lifecode-mini@1"] / "SHA256SUMS").read_text()
    assert "b04c36dc67efec9199c9a153e9b0a38d9bf81d5b17e68a0beeed2ccc7a176f27  model.safetensors" in sums


@pytest.mark.parametrize("name", SHIPPED)
def test_it_is_small_and_in_half_precision(name):
    folder = SHIPPED[name]
    assert sum(path.stat().st_size for path in folder.iterdir()) < MAX_BYTES[name]
    from safetensors.torch import load_file

    assert {tensor.dtype for tensor in load_file(folder / "model.safetensors").values()} == {torch.float16}


def test_embed_takes_it_when_no_model_is_named(tmp_path, small_genome, capsys):
    assert main(["embed", f"input={small_genome}", f"output={tmp_path}/genes.npz"]) == 0
    assert "sequences embedded" in capsys.readouterr().out


@pytest.mark.parametrize("name", SHIPPED)
def test_the_card_says_what_was_measured(name):
    card = (SHIPPED[name] / "MODEL_CARD.md").read_text()
    table = card[card.index("## Held-out figures") :]
    for file, source in figures_of(name).items():
        row = next(line for line in table.splitlines() if line.startswith(f"| `{file}` |"))
        assert f"{source['heldout']['masked_codon_cross_entropy']['value']:.3f}" in row
        for baseline in ("codon_unigram", "codon_bigram"):
            assert f"{source['baselines'][baseline]['value']:.3f}" in row
    for part in ("## Data", "## Licence", "## Recipe", "## Held-out figures", "## What it is not good for"):
        assert part in card


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lifecode-mini@1", "lifecode-tiny"])
def test_what_the_card_says_of_e_coli_can_be_measured_again(name, tmp_path):
    """Its held-out genes follow from the genome that ships; their masks are others here."""
    corpus = prepare_corpus("ecoli", tmp_path / "corpus", split=BlockSplit(clusters=0.5))
    genes = held_out_genes(corpus.segments("cds", "test"), HeldOut())
    said = figures_of(name)["ecoli_K12_MG1655.gbff.gz"]
    if "genes" in said:
        assert said["genes"] <= len(genes) <= said["genes"] + 1  # one resembles a gene of the first sitting
    model = lifecode.LifeCode.from_pretrained(name)
    figures = masked_metrics(read_masked(model, genes, 8192))
    for figure, tolerance in (("masked_codon_cross_entropy", 0.02), ("masked_translation_accuracy", 0.01)):
        assert figures[figure].value == pytest.approx(said["heldout"][figure]["value"], abs=tolerance)


def test_the_example_of_the_package_is_true():
    assert doctest.testmod(lifecode) == (0, 3)


def test_the_licences_of_its_data_are_in_the_notice():
    notice = (ROOT / "NOTICE").read_text()
    for folder in SHIPPED.values():
        assert f"lifecode/assets/{folder.name}\n" in notice
    assert "CC BY 4.0" in notice
