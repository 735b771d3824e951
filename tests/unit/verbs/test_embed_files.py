"""The files of `lifecode embed`: three formats of one content, a kill in between, names of their own."""

from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest

from lifecode.app.main import main
from lifecode.errors import UserError
from lifecode.models import LifeCode
from lifecode.models.weights import weights_checksum
from lifecode.verbs.embed import embed as embed_verb
from lifecode.verbs.embed import vectors_of_units
from lifecode.verbs.embed.embed import embed
from lifecode.verbs.embed.embedding_file import read_embeddings
from tests.support.small_models import small_model

PLACES = ["contig", "start", "end", "strand"]


@pytest.fixture(scope="module")
def model() -> LifeCode:
    return small_model().eval()


@pytest.fixture
def genes(tmp_path: Path) -> Path:
    """Forty sequences of 1 to 40 codons and one with a name of 300 letters."""
    draw = np.random.default_rng(0)
    path = tmp_path / "genes.fa"
    names = [f"g{number}" for number in range(40)] + ["x" * 300]
    letters = ["".join(draw.choice(list("ACGT"), 3 * (1 + number % 40))) for number in range(41)]
    path.write_text("".join(f">{name}\n{text}\n" for name, text in zip(names, letters, strict=True)))
    return path


@pytest.mark.parametrize("pool", ["mean", None])
def test_all_formats_hold_the_same(model, genes, tmp_path, pool):
    found = {
        suffix: embed(model, genes, tmp_path / f"out{suffix}", pool=pool, progress=False)
        for suffix in (".npz", ".parquet", ".h5ad")
    }
    in_memory = embed(model, genes, pool=pool, progress=False)
    expected = model.embed(str(genes), pool=pool, as_frame=True).to_numpy()
    for result in (*found.values(), in_memory):
        np.testing.assert_allclose(result.vectors, expected, atol=1e-6)
        assert result.vectors.dtype == np.float32
        assert result.units.equals(in_memory.units)
        assert result.frame.index.equals(in_memory.frame.index)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "genes.fa",
        "out.h5ad",
        "out.npz",
        "out.parquet",
    ]


def test_parquet_and_anndata_say_what_made_them(model, genes, tmp_path):
    for suffix in (".parquet", ".h5ad"):
        embed(model, genes, tmp_path / f"out{suffix}", pool="max", progress=False)
    schema = pq.read_schema(tmp_path / "out.parquet")
    assert schema.metadata[b"lifecode.pool"] == b"max"
    with h5py.File(tmp_path / "out.h5ad") as file:
        assert file["uns/pool"].asstr()[()] == "max"
        assert file["uns/weights"].asstr()[()] == weights_checksum(model)
        assert file["obs"].attrs["column-order"].tolist() == [*PLACES, "gene", "gene_id"]
        assert file["X"].attrs["encoding-type"] == "array"


class Killed(BaseException):
    """As if the process had ended here: nothing is caught, nothing cleaned up."""


@pytest.mark.parametrize(("suffix", "pool"), [(".npz", "mean"), (".parquet", None)])
def test_killed_it_goes_on_and_reads_nothing_twice(model, genes, tmp_path, monkeypatch, suffix, pool):
    monkeypatch.setattr(vectors_of_units, "_CODONS_PER_CALL", 60)
    output, calls = tmp_path / f"out{suffix}", []
    whole = LifeCode.embed

    def counted(self, texts, **options):
        if len(calls) == 5:
            raise Killed
        calls.append(len(texts))
        return whole(self, texts, **options)

    monkeypatch.setattr(LifeCode, "embed", counted)
    with pytest.raises(Killed):
        embed(model, genes, output, pool=pool, progress=False)
    assert not output.exists()
    kept = tmp_path / f"{output.name}.unfinished"
    for name in ("rows", "id", "gene", "units"):  # what a kill may leave behind the last whole unit
        with (kept / name).open("ab") as file:
            file.write(b"half of")
    done = sum(calls)
    calls.clear()
    monkeypatch.setattr(LifeCode, "embed", lambda self, x, **o: calls.append(len(x)) or whole(self, x, **o))
    result = embed(model, genes, output, pool=pool, progress=False)
    assert (done > 0, done + sum(calls)) == (True, 41)
    assert not kept.exists()
    again = embed(model, genes, pool=pool, progress=False)
    np.testing.assert_allclose(result.vectors, again.vectors, atol=1e-6)
    assert result.units.equals(again.units)


def test_what_was_begun_with_other_settings_does_not_count(model, genes, tmp_path, monkeypatch):
    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(embed_verb, "write_embeddings", killed)
        with pytest.raises(Killed):
            embed(model, genes, tmp_path / "out.npz", pool="max", progress=False)
    assert (tmp_path / "out.npz.unfinished").is_dir()
    result = embed(model, genes, tmp_path / "out.npz", pool="mean", progress=False)
    np.testing.assert_allclose(result.vectors, model.embed(str(genes)).numpy(), atol=1e-6)


def test_ctrl_c_is_one_line_and_keeps_what_is_there(genes, tmp_path, monkeypatch, capsys):
    small_model().save_pretrained(tmp_path / "model")
    monkeypatch.setattr(vectors_of_units, "_CODONS_PER_CALL", 60)
    whole, calls = LifeCode.embed, []

    def interrupted(self, texts, **options):
        calls.append(len(texts))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return whole(self, texts, **options)

    monkeypatch.setattr(LifeCode, "embed", interrupted)
    arguments = ["embed", f"checkpoint={tmp_path}/model", f"input={genes}", f"output={tmp_path}/out.npz"]
    assert main(arguments) == 130
    told = capsys.readouterr().err.strip().splitlines()
    assert told == [
        f"lifecode embed: stopped; {sum(calls[:2])} sequences are kept, and the same command goes on"
    ]
    assert main(arguments) == 0
    assert sum(calls) - calls[2] == 41


GENBANK = """LOCUS       {name}                 9 bp    DNA     linear   BCT 01-JAN-2000
FEATURES             Location/Qualifiers
{features}ORIGIN
        1 atgaaataa
//
"""
CDS = '     CDS             1..9\n                     /locus_tag="a"\n'


def test_genes_and_whole_records_are_never_mixed(model, tmp_path):
    (tmp_path / "genome.gb").write_text(
        "".join(
            GENBANK.format(name=name, features=own) for name, own in (("p1", ""), ("c1", CDS), ("p2", ""))
        )
    )
    (tmp_path / "bare.gb").write_text(GENBANK.format(name="p3", features=""))
    (tmp_path / "wholes.fa").write_text(">w\nATGAAATAA\n")
    of_genome = embed(model, tmp_path / "genome.gb", progress=False)
    assert of_genome.units["id"].tolist() == ["a"]
    assert of_genome.skipped == {"records without CDS": 2}
    for name, ids in (("bare.gb", ["p3"]), ("wholes.fa", ["w"])):
        assert embed(model, tmp_path / name, progress=False).units["id"].tolist() == ids
    both = [tmp_path / "genome.gb", tmp_path / "wholes.fa"]
    assert embed(model, both, progress=False).skipped == {"records without CDS": 3}
    with pytest.raises(Exception, match="c1: has coding sequences, and records before it have none"):
        embed(model, both[::-1], progress=False)


def test_names_that_occur_again_are_told_apart(model, tmp_path):
    (tmp_path / "a.fa").write_text(">x\nATG\n>x\nAAA\n>x#2\nCCC\n>y\nGGG\n")
    found = embed(model, tmp_path / "a.fa", tmp_path / "out.npz", progress=False)
    assert read_embeddings(tmp_path / "out.npz", "ids")["ids"].tolist() == ["x", "x#2", "x#2#2", "y"]
    assert Counter(found.skipped) == {"names that occur again, which end with #2 and so on": 2}
    windows = embed(model, tmp_path / "a.fa", unit="window", window_codons=1, progress=False)
    assert windows.units["id"].tolist() == ["x:0-3", "x#2:0-3", "x#2#2:0-3", "y:0-3"]


def test_letters_of_proteins_that_no_codon_means_are_counted(model, tmp_path):
    (tmp_path / "p.fa").write_text(">a\nMKUXBZJOL*\n>b\nMKL\n")
    said = "letters of proteins that no codon means: B, J, X, Z are read as NNN, U as TGA, O as TAG"
    for unit in ("auto", "window"):
        found = embed(model, f"protein:{tmp_path}/p.fa", unit=unit, window_codons=4, progress=False)
        assert found.skipped == {said: 6}


def test_genes_are_named_in_every_format(model, tmp_path):
    named = CDS.replace('"a"', '"b1"\n                     /gene="thrL"')
    (tmp_path / "genome.gb").write_text(GENBANK.format(name="c", features=named))
    for suffix in (".npz", ".parquet", ".h5ad"):
        found = embed(model, tmp_path / "genome.gb", tmp_path / f"out{suffix}", progress=False).units
        assert found[["gene", "gene_id"]].to_numpy().tolist() == [["thrL", "b1"]]


def test_states_of_several_layers_lie_side_by_side(model, genes, tmp_path):
    depth = len(model.encoder.layers)
    both = embed(model, genes, tmp_path / "both.npz", layer=[0, depth], progress=False).vectors
    last = embed(model, genes, progress=False).vectors
    first = embed(model, genes, layer=0, progress=False).vectors
    np.testing.assert_array_equal(both, np.concatenate([first, last], axis=1))
    assert np.abs(first - last).max() > 1e-3
    with pytest.raises(UserError, match=rf"layer: {depth + 1} is none of the model's layers"):
        embed(model, genes, tmp_path / "none.npz", layer=depth + 1, progress=False)
    assert not (tmp_path / "none.npz.unfinished").exists()


@pytest.mark.slow
def test_two_processes_give_what_one_gives(model, genes, monkeypatch):
    monkeypatch.setattr(vectors_of_units, "_CODONS_PER_CALL", 100)
    whole = embed(model, genes, layer=[1, 2], progress=False)
    shared = embed(model, genes, layer=[1, 2], processes=2, progress=False)
    np.testing.assert_allclose(shared.vectors, whole.vectors, atol=1e-6)
    assert shared.units.equals(whole.units)
