"""The commands on LucaOne: `info`, `embed` with the molecule of each record, and what refuses it."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

import lifecode
from lifecode.app.configs.construct import construct
from lifecode.app.from_python import compose
from lifecode.app.main import main
from tests.support.small_models import small_luca_one

GENES = {"g1": "ATGAAACGCATTAGCACCACC", "g2": "ACGUNNRY"}
PROTEINS = {"p1": "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ", "p2": "MLXBZWY"}


def fasta(path: Path, records: dict[str, str]) -> Path:
    path.write_text("".join(f">{name}\n{letters}\n" for name, letters in records.items()))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with models of two layouts, genes and proteins."""
    folder = tmp_path_factory.mktemp("lucaone")
    torch.manual_seed(0)
    model = construct(compose("info", "model=lucaone_tiny").model)
    model.save_pretrained(folder / "model")
    model.save_checkpoint(folder / "released", "released")
    fasta(folder / "genes.fa", GENES)
    fasta(folder / "proteins.fa", PROTEINS)
    return folder


@pytest.mark.parametrize("checkpoint", ["model", "released"])
def test_genes_and_proteins_are_embedded_by_what_they_are(checkpoint, folder, tmp_path):
    files = f"input=[{folder}/genes.fa,{folder}/proteins.fa]"
    assert main(["embed", f"checkpoint={folder / checkpoint}", files, f"output={tmp_path}/out.npz"]) == 0
    with np.load(tmp_path / "out.npz") as stored:
        arrays = dict(stored)
    assert arrays["ids"].tolist() == ["g1", "g2", "p1", "p2"]
    assert arrays["end"].tolist() == [21, 8, 99, 21]
    expected = lifecode.load(folder / "model").embed(
        [*GENES.values(), *PROTEINS.values()], molecule=["dna", "rna", "protein", "protein"]
    )
    np.testing.assert_allclose(arrays["embeddings"], expected.numpy(), atol=1e-5)


def test_a_vector_for_each_letter(folder):
    result = lifecode.embed(folder / "model", folder / "proteins.fa", pool=None, progress=False)
    (first, second) = lifecode.load(folder / "model").embed(list(PROTEINS.values()), None, molecule="protein")
    assert result.units["num_vectors"].tolist() == [33, 7]
    np.testing.assert_allclose(result.vectors, np.concatenate([first, second]), atol=1e-5)


def test_coding_sequences_and_windows(folder):
    model = lifecode.load(folder / "model")
    genes = lifecode.embed(model, f"cds:{folder}/genes.fa", unit="cds", progress=False)
    expected = model.embed(list(GENES.values()), molecule="gene")
    np.testing.assert_allclose(genes.vectors, expected.numpy(), atol=1e-5)
    windows = lifecode.embed(model, folder / "proteins.fa", unit="window", window_codons=20, progress=False)
    assert windows.units["id"].tolist() == ["p1:0-60", "p1:60-99", "p2:0-21"]
    expected = model.embed([PROTEINS["p1"][:20], PROTEINS["p1"][20:]], molecule="protein")
    np.testing.assert_allclose(windows.vectors[:2], expected.numpy(), atol=1e-5)


def test_how_long_sequences_are_read_is_said_once(folder, tmp_path, capsys):
    small_luca_one(max_tokens=12).save_pretrained(tmp_path / "short")
    arguments = [f"checkpoint={tmp_path}/short", f"input={folder}/genes.fa", f"output={tmp_path}/o.npz"]
    assert main(["embed", *arguments]) == 0
    (line,) = [x for x in capsys.readouterr().err.splitlines() if x.startswith("lifecode embed")]
    assert line == (
        "lifecode embed: a sequence longer than 10 letters is read in overlapping windows of 10, of which "
        "all but the first keep their second half"
    )


def test_info_of_sizes_and_of_a_checkpoint(folder, capsys):
    assert main(["info", "model=lucaone"]) == 0
    text = capsys.readouterr().out
    assert "20 layers of width 2560 (20 MHSA), 40 heads of attention" in text
    assert "reads 1,278 letters" in text
    assert "1,573,529,600" in text
    assert main(["info", f"checkpoint={folder}/released"]) == 0
    assert "head of prot_domain                     899,861" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["embed", "checkpoint={model}", "frames=average"], "frames: .* no reading frames. Leave it out"),
        (
            ["embed", "checkpoint={model}", "context=contig", "unit=record"],
            "must see a whole sequence at once",
        ),
        (["train", "model=lucaone_tiny", "plan=true"], "pretraining: .* luca_one learns from labelled rows"),
        (
            ["info", "model=lucaone_tiny", "teacher_width=3"],
            "lifecode.models.LucaOne takes no 'teacher_width'",
        ),
    ],
)
def test_what_it_cannot_do_is_one_line(arguments, said, folder, tmp_path, capsys):
    words = [word.format(model=folder / "model") for word in arguments]
    wants_input = words[0] in ("embed", "train")
    words += [f"input={folder}/genes.fa"] if wants_input else []
    words += [f"output={tmp_path}/out.npz"] if words[0] == "embed" else []
    assert main(words) == 2
    (line,) = [x for x in capsys.readouterr().err.splitlines() if x]
    assert re.search(said, line), line
    assert not (tmp_path / "out.npz").exists()
