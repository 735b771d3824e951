"""What `embed` and its relatives take for a sequence, what they hand back, and how they leave the model."""

import threading
from collections import UserString
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from pathlib import Path

import numpy as np
import polars
import pyarrow as pa
import pytest
import torch
from Bio.Seq import MutableSeq, Seq
from Bio.SeqRecord import SeqRecord

from lifecode.alphabet import amino_acid_ids, as_sequences, codon_ids, encode_nucleotides
from lifecode.data.batches.packing import pack
from lifecode.data.cds.translation import reverse_translate, translate
from lifecode.errors import UserError
from lifecode.teachers.letters import letter_codes
from tests.support.small_models import small_model

DNA, OTHER = "ATGAAACGC", "GGCTAA"
MODEL = small_model().eval()


class Renamed(str):
    def __str__(self) -> str:
        return "ACG"

    def encode(self, *_: object, **__: object) -> bytes:
        return b"ACG"


class RenamedBytes(bytes):
    def __bytes__(self) -> bytes:
        return b"ACG"


ONE = [
    np.str_(DNA),
    np.array(DNA),
    np.bytes_(DNA.encode()),
    DNA.encode(),
    bytearray(DNA.encode()),
    memoryview(DNA.encode()),
    Seq(DNA),
    MutableSeq(DNA),
    SeqRecord(Seq(DNA), id="x"),
    UserString(DNA),
    UserString(Renamed(DNA)),
    Enum("Gene", {"KNOWN": DNA}, type=str)["KNOWN"],
    Renamed(DNA),
    RenamedBytes(DNA.encode()),
]
SEVERAL = [
    (DNA, OTHER),
    iter([DNA, OTHER]),
    (x for x in (DNA, OTHER)),
    {"a": DNA, "b": OTHER}.values(),
    np.array([DNA, OTHER]),
    np.array([DNA.encode(), OTHER.encode()]),
    np.array([DNA, OTHER], dtype=object),
    np.array([DNA, OTHER], dtype=np.dtypes.StringDType()),
    polars.Series([DNA, OTHER]),
    pa.array([DNA, OTHER]),
    [Seq(DNA), SeqRecord(Seq(OTHER), id="x")],
    [DNA.encode(), np.str_(OTHER)],
]
NONE = [
    {"a": DNA, "b": OTHER},
    {DNA, OTHER},
    Path(DNA),
    None,
    3,
    np.array(list(DNA)),
    np.array([DNA.encode()]).view("S1"),
    np.array(list(DNA), dtype=object),
    np.array([b"A", b"C"], dtype=object),
    np.array(list(DNA), dtype=np.dtypes.StringDType()),
    np.array(list(DNA), dtype="U5"),
    np.array([[DNA, OTHER]]),
    encode_nucleotides(DNA),
    torch.tensor([0, 1, 2]),
    polars.DataFrame({"ACT": [DNA]}),
    [DNA, None],
    [DNA, 3.5],
    [Path(DNA)],
    [[DNA]],
    [encode_nucleotides(DNA)],
    [DNA, float("nan")],
    Seq(None, length=9),
    [Seq(None, length=9)],
]


@pytest.mark.parametrize("given", ONE, ids=lambda x: type(x).__name__)
def test_one_sequence_is_one(given):
    assert torch.equal(MODEL.embed(given), MODEL.embed(DNA))
    assert torch.equal(MODEL.embed([given]), MODEL.embed(DNA))
    assert pack(given).ids.tolist() == pack([DNA]).ids.tolist() == pack([given]).ids.tolist()
    assert translate(given) == "MKR"
    assert len(encode_nucleotides(given)) == 9


@pytest.mark.parametrize("given", SEVERAL, ids=lambda x: type(x).__name__)
def test_several_sequences(given):
    torch.testing.assert_close(MODEL.embed(given), MODEL.embed([DNA, OTHER]), rtol=0, atol=0)


@pytest.mark.parametrize("given", NONE, ids=lambda x: type(x).__name__)
def test_what_is_no_sequence_is_refused_in_one_line(given):
    with pytest.raises(UserError, match="Give ") as caught:
        MODEL.embed(given)
    assert "\n" not in str(caught.value)


def test_an_open_file_is_no_list_of_sequences(tmp_path):
    (tmp_path / "x.fa").write_text(">a\nATG\n")
    with (tmp_path / "x.fa").open() as file, pytest.raises(UserError, match="TextIOWrapper is no sequence"):
        as_sequences(file)


@pytest.mark.parametrize(
    "given", [np.frombuffer(DNA.encode(), np.uint8), np.array(list(DNA)), np.zeros(6)], ids=str
)
def test_arrays_that_hold_no_ids_are_refused(given):
    """ASCII codes would have been read as ambiguous nucleotides, and translated to X."""
    for use in (translate, codon_ids, lambda x: pack([x])):
        with pytest.raises(UserError, match=r"does not hold nucleotide ids|single letters"):
            use(given)
    assert translate(encode_nucleotides(DNA).astype(np.int64)) == "MKR"


@pytest.mark.parametrize(
    "protein",
    ["MKR*", b"MKR*", Renamed("MKR*"), Seq("MKR*"), np.str_("MKR*"), SeqRecord(Seq("MKR*"))],
    ids=str,
)
def test_proteins_are_read_alike(protein):
    assert amino_acid_ids(protein).tolist() == amino_acid_ids("MKR*").tolist()
    assert reverse_translate(protein) == reverse_translate("MKR*")
    assert bytes(letter_codes(protein)) == b"MKR*"


# What comes back


@pytest.mark.parametrize("around", [torch.enable_grad, torch.inference_mode])
def test_embeddings_are_ordinary_tensors(around):
    with around():
        vectors, (codons,) = MODEL.embed([DNA, OTHER]), MODEL.embed(DNA, pool=None)
        framed = MODEL.embed(DNA, frames="average")
    for x in (vectors, codons, framed):
        assert not x.is_inference()
        assert not x.requires_grad
        probe = torch.nn.Linear(32, 2)
        probe(x).sum().backward()
        assert probe.weight.grad is not None
        x /= x.norm()
        x.requires_grad_()


def test_every_submodule_keeps_its_mode():
    model = small_model()
    model.codec.eval()
    model.encoder.layers[0].eval()
    modes = [part.training for part in model.modules()]
    model.embed(DNA)
    assert [part.training for part in model.modules()] == modes


def test_a_model_in_training_is_embedded_as_in_evaluation():
    """A dropout inside must not act; neither must the call be seen from elsewhere while it runs."""
    model = small_model()
    model.encoder.norm = torch.nn.Sequential(model.encoder.norm, torch.nn.Dropout(0.5))
    expected = model.eval().embed(DNA)
    model.train()
    seen = []
    model.encoder.out_proj.register_forward_hook(lambda *_: seen.append(model.encoder.training))
    assert torch.equal(model.embed(DNA), expected)
    assert seen == [True]
    with torch.no_grad():
        model.codon_projection.weight.add_(1)
        model.encoder.out_proj.weight.mul_(2)  # the weights are shared, not copied
    torch.testing.assert_close(model.embed(DNA), 2 * expected)


def test_threads_leave_the_model_in_training():
    model = small_model()
    with ThreadPoolExecutor(6) as threads:
        barrier = threading.Barrier(6)

        def embed(_: int) -> list[torch.Tensor]:
            barrier.wait()
            return [model.embed(DNA * n) for n in range(1, 4)]

        results = list(threads.map(embed, range(6)))
    assert all(part.training for part in model.modules())
    for result in results[1:]:
        assert all(map(torch.equal, result, results[0]))
