"""`lifecode embed`: what is embedded, where it lies, and the whole contig as context."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from lifecode.alphabet import decode_nucleotides, encode_nucleotides
from lifecode.commands.embed_units import units_of
from lifecode.commands.main import main
from lifecode.data import pack, read_records
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.model import LifeCode
from tests.property.test_packing_properties import small_model


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "streamable"
    small_model(hybrid_ratio="2:0").save_pretrained(folder)
    return folder


def embed(folder: Path, *arguments: str) -> dict[str, np.ndarray]:
    output = folder / "out.npz"
    assert main(["embed", f"output={output}", *arguments]) == 0
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []
    with np.load(output) as arrays:
        return dict(arrays)


def a_contig(*genes: CodingSequence) -> Contig:
    return Contig("plasmid", encode_nucleotides("ATGAAACCCGGGTTTAG"), "by hand", True, coding_sequences=genes)


def test_units_by_hand():
    skipped: Counter[str] = Counter()
    contig = a_contig(
        CodingSequence("plus", None, (Exon(0, 6, 1),)),
        CodingSequence("minus", None, (Exon(9, 12, -1), Exon(0, 3, -1)), codon_start=2),
        CodingSequence("origin", None, (Exon(14, 17, 1), Exon(0, 3, 1))),
        CodingSequence("beyond", None, (Exon(12, 20, 1),)),
        CodingSequence("nowhere", None, (), location_problem="unreadable"),
        CodingSequence("nothing", None, (Exon(0, 4, 1),), codon_start=3),
    )
    units = list(units_of(contig, "auto", 1, skipped))
    assert [(u.id, u.start, u.end, u.strand) for u in units] == [
        ("plus", 0, 6, 1),
        ("minus", 0, 12, -1),
        ("origin", 14, 3, 1),
    ]
    assert [decode_nucleotides(u.nucleotides) for u in units] == ["ATGAAA", "CCCAT", "TAGATG"]
    assert skipped == {
        "location beyond the contig": 1,
        "location that cannot be read": 1,
        "no complete codon": 1,
    }
    windows = list(units_of(contig, "window", 2, skipped))
    assert [(u.id, decode_nucleotides(u.nucleotides)) for u in windows] == [
        ("plasmid:0-6", "ATGAAA"),
        ("plasmid:6-12", "CCCGGG"),
        ("plasmid:12-17", "TTTAG"),
    ]
    (record,) = units_of(a_contig(), "auto", 2, skipped)
    assert (record.id, record.start, record.end, record.strand) == ("plasmid", 0, 17, 1)


def test_genes_are_embedded_with_their_places(model_folder, small_genome, tmp_path):
    arrays = embed(tmp_path, f"checkpoint={model_folder}", f"input={small_genome}")
    (contig,) = read_records(small_genome)
    places = list(zip(*(arrays[name].tolist() for name in ("ids", "start", "end", "strand")), strict=True))
    single = [cds for cds in contig.coding_sequences if len(cds.exons) == 1]
    assert len(places) == len(contig.coding_sequences)
    assert {(cds.id, *cds.exons[0]) for cds in single} <= set(places)
    unit = next(units_of(contig, "cds", 1, Counter()))
    vector = LifeCode.from_pretrained(model_folder).embed(decode_nucleotides(unit.nucleotides))
    np.testing.assert_allclose(arrays["embeddings"][:1], vector, atol=1e-5)


def test_windows_in_the_context_of_their_contig(model_folder, tmp_path):
    sequences = ["ACGTTGCATTAGCCA" * 20, "TTGAC"]
    (tmp_path / "two.fa").write_text("".join(f">c{i}\n{s}\n" for i, s in enumerate(sequences)))
    arguments = [f"checkpoint={model_folder}", f"input={tmp_path}/two.fa", "unit=window", "window_codons=40"]
    pooled = embed(tmp_path, *arguments, "context=contig")
    codons = embed(tmp_path, *arguments, "context=contig", "pool=null")
    alone = embed(tmp_path, *arguments)
    model = LifeCode.from_pretrained(model_folder)
    with torch.no_grad():
        hidden = [model.encode(pack([s]))[1:-1].numpy() for s in sequences]
    assert pooled["ids"].tolist() == ["c0:0-120", "c0:120-240", "c0:240-300", "c1:0-5"]
    assert pooled["contig"].tolist() == ["c0", "c0", "c0", "c1"]
    assert codons["offsets"].tolist() == [0, 40, 80, 100, 102]
    np.testing.assert_allclose(codons["embeddings"], np.concatenate(hidden), atol=1e-5)
    np.testing.assert_allclose(pooled["embeddings"][1], hidden[0][40:80].mean(0), atol=1e-5)
    np.testing.assert_allclose(pooled["embeddings"][3], alone["embeddings"][3], atol=1e-5)
    assert np.abs(pooled["embeddings"][1] - alone["embeddings"][1]).max() > 1e-3


def test_frames_are_averaged(model_folder, tmp_path):
    (tmp_path / "one.fa").write_text(">a\nATGAAACG\n")
    arguments = [f"checkpoint={model_folder}", f"input={tmp_path}/one.fa", "frames=average"]
    model = LifeCode.from_pretrained(model_folder)
    expected = model.embed("ATGAAACG", pool=None, frames="average")[0]
    states = embed(tmp_path, *arguments, "pool=null")
    assert states["offsets"].tolist() == [0, 8]
    np.testing.assert_allclose(states["embeddings"], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["context=contig"], "context"),
        (["context=contig", "unit=record", "pool=cls"], "context"),
        (["context=contig", "unit=record", "frames=average"], "context"),
        (["window_codons=0"], "window_codons"),
        (["frames=1"], "frames"),
        (["output=x.txt"], "npz"),
        (["unit=gene"], "unit"),
    ],
)
def test_what_does_not_go_together_is_one_line(model_folder, tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert main(["embed", f"checkpoint={model_folder}", "input=ecoli", *arguments]) == 2
    err = capsys.readouterr().err.strip()
    assert said in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_model_with_attention_does_not_read_whole_contigs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small_model().save_pretrained(tmp_path / "hybrid")
    assert main(["embed", "checkpoint=hybrid", "input=ecoli", "unit=window", "context=contig"]) == 2
    assert "attention layers (hybrid ratio 1:1)" in capsys.readouterr().err
