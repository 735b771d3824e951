"""`lifecode embed`: what is embedded, where it lies, and the whole contig as context."""

import errno
import itertools
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from lifecode.alphabet import decode_nucleotides, encode_nucleotides
from lifecode.app.main import main
from lifecode.data import pack, read_records
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.models import LifeCode
from lifecode.verbs.embed import vectors_of_units
from lifecode.verbs.embed.embed_units import units_of
from lifecode.verbs.embed.embedding_store import EmbeddingStore
from tests.support.small_models import small_model


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
    assert "attention layers (MHSA) cannot be streamed" in capsys.readouterr().err


def test_short_records_share_a_call_of_the_model(model_folder, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    texts = ["".join("ACGT"[i] for i in rng.integers(0, 4, n)) for n in rng.integers(1, 60, 300)]
    (tmp_path / "many.fa").write_text("".join(f">r{i}\n{text}\n" for i, text in enumerate(texts)))
    calls = []
    whole = LifeCode.embed
    monkeypatch.setattr(
        LifeCode, "embed", lambda self, x, **options: calls.append(len(x)) or whole(self, x, **options)
    )
    arrays = embed(tmp_path, f"checkpoint={model_folder}", f"input={tmp_path}/many.fa")
    assert calls == [300]
    assert arrays["ids"].tolist() == arrays["contig"].tolist() == [f"r{i}" for i in range(300)]
    assert arrays["end"].tolist() == [len(text) for text in texts]
    model = LifeCode.from_pretrained(model_folder)
    for i in (0, 7, 299):
        np.testing.assert_allclose(arrays["embeddings"][i], whole(model, texts[i])[0], atol=1e-5)


def test_a_call_takes_no_more_codons_than_it_may(monkeypatch):
    monkeypatch.setattr(vectors_of_units, "_CODONS_PER_CALL", 10)
    contigs = [
        Contig(str(i), encode_nucleotides("A" * n), "by hand", False)
        for i, n in enumerate((1, 1, 12, 40, 1, 1, 1, 1))
    ]
    units = (unit for contig in contigs for unit in units_of(contig, "record", 1, Counter()))
    batches = [[unit.id for unit in batch] for batch in vectors_of_units._batches(units)]
    assert batches == [["0", "1"], ["2"], ["3"], ["4", "5", "6"], ["7"]]  # each has [CLS] and [SEP] beside it


@pytest.mark.parametrize("arguments", [[], ["unit=window", "window_codons=50"]])
def test_one_long_name_does_not_make_room_for_itself_at_every_other(model_folder, tmp_path, arguments):
    names = [f"é{i}" for i in range(40)]
    names[7] = "x" * 20_000
    (tmp_path / "long.fa").write_text("".join(f">{name}\nATGAAA\n" for name in names), encoding="utf-8")
    arrays = embed(tmp_path, f"checkpoint={model_folder}", f"input={tmp_path}/long.fa", *arguments)
    assert (tmp_path / "out.npz").stat().st_size < 100_000
    ids = texts_of(arrays["ids"], arrays["ids_offsets"])
    assert ids == [f"{name}:0-6" for name in names] if arguments else ids == names
    contigs = texts_of(arrays["contig"], arrays["contig_offsets"])
    assert [contigs[number] for number in arrays["contig_number"]] == names


def texts_of(letters: np.ndarray, offsets: np.ndarray) -> list[str]:
    """As docs/interchange.md reads them."""
    text = letters.tobytes()
    return [text[a:b].decode() for a, b in itertools.pairwise(offsets)]


@pytest.mark.parametrize("when", ["scratch", "rows", "end"])
def test_a_full_disk_is_one_line(model_folder, tmp_path, monkeypatch, capsys, when):
    """What the system would say of a full disk, at each of the places where room is asked for."""
    (tmp_path / "one.fa").write_text(">a\n" + "ATGAAACCC" * 40 + "\n")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if when == "scratch":
        monkeypatch.setattr(os, "posix_fallocate", full)
    elif when == "end":
        monkeypatch.setattr(np, "savez", full)
    else:
        monkeypatch.setattr(np, "ascontiguousarray", full)
    output = tmp_path / "out.npz"
    arguments = [f"checkpoint={model_folder}", f"input={tmp_path}/one.fa", "unit=window", "context=contig"]
    assert main(["embed", f"output={output}", *arguments]) == 2
    err = capsys.readouterr().err.strip().splitlines()
    assert len(err) == 1
    assert "No space left on device" in err[0]
    assert [path.name for path in tmp_path.iterdir()] == ["one.fa"]


def test_the_room_of_a_contig_is_taken_before_it_is_written(tmp_path):
    with EmbeddingStore(tmp_path / "x.npz", width=8, identity={}) as file:
        with file.scratch(100_000) as hidden:
            (path,) = (path for path in tmp_path.rglob("scratch"))
            assert path.stat().st_blocks * 512 >= hidden.nbytes == 3_200_000
        file.add(next(units_of(a_contig(), "record", 1, Counter())), np.zeros(8, np.float32))


def test_the_folder_of_the_output_is_made(model_folder, tmp_path):
    (tmp_path / "gene.fa").write_text(">a\nATGAAATAA\n")
    given = [f"checkpoint={model_folder}", f"input={tmp_path}/gene.fa", f"output={tmp_path}/de/ep/x.npz"]
    assert main(["embed", *given]) == 0
    assert [path.name for path in (tmp_path / "de/ep").iterdir()] == ["x.npz"]
