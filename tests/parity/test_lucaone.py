"""LucaOne against the package `lucaone` 1.1.1, whose outputs `tests/programs/lucaone_reference.py` stored."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import lifecode
from lifecode import LucaOne
from lifecode.models.luca_one.rows import Tokens, pack_tokens
from lifecode.models.luca_one.vocabulary import Kind, tokens_of_letters

HOME = Path(__file__).parent / "lucaone"
TOLERANCE = 1e-5
by_kind = pytest.mark.parametrize(("name", "kind"), [("gene", "nucleic acid"), ("prot", "protein")])


class Reference(NamedTuple):
    """A sequence of a padded batch, its tokens, and what came out at the positions that were kept."""

    text: str
    ids: NDArray[np.uint8]
    kept: NDArray[np.int16]
    states: NDArray[np.float32]
    logits: NDArray[np.float32]


@pytest.fixture(scope="module")
def model() -> LucaOne:
    return lifecode.load(HOME / "weights.safetensors")


def references(name: str) -> list[Reference]:
    with np.load(HOME / "outputs.npz") as stored:
        numbers = sorted({int(key.split(".")[1]) for key in stored if key.startswith(name)})
        return [
            Reference(
                str(stored[f"{name}.{number}.text"]),
                *(stored[f"{name}.{number}.{field}"] for field in Reference._fields[1:]),
            )
            for number in numbers
        ]


@by_kind
def test_tokens_are_those_of_the_package(name: str, kind: Kind):
    wanted = references(name)
    assert [len(one.text) for one in wanted][0::4] == [1, 1278]
    for one in wanted:
        np.testing.assert_array_equal(tokens_of_letters(one.text, kind), one.ids[1:-1])


@by_kind
def test_states_and_logits_of_a_packed_row_are_those_of_the_padded_batch(name: str, kind: Kind, model):
    wanted = references(name)
    row = pack_tokens([Tokens(one.ids[1:-1], kind) for one in wanted])
    with torch.no_grad():
        states = model.encode(row)
        logits = model.language_logits(states)
    lengths = row.cu_seqlens.diff().tolist()
    for one, own, said in zip(wanted, states.split(lengths), logits.split(lengths), strict=True):
        kept = one.kept.astype(int)
        np.testing.assert_allclose(own[kept].numpy(), one.states, atol=TOLERANCE, rtol=0)
        np.testing.assert_allclose(said[kept].numpy(), one.logits, atol=TOLERANCE, rtol=0)


def test_the_type_of_the_molecule_matters(model):
    ids = references("gene")[2].ids[1:-1]
    with torch.no_grad():
        as_gene, as_protein = (
            model.encode(pack_tokens([Tokens(ids, kind)])) for kind in ("nucleic acid", "protein")
        )
    assert (as_gene - as_protein).abs().max() > 0.1


def test_names_are_those_of_the_package(model):
    from safetensors.torch import load_file

    from lifecode.models.luca_one.key_tables import as_released, port_name, released_names

    theirs = set(load_file(HOME / "weights.safetensors"))
    ours = {port_name(name) for name in released_names(model.config["depth"], []).values()}
    derived = {"lm_head.decoder.weight"} | {name for name in theirs if name.endswith(".inv_freq")}
    assert ours | derived == theirs
    assert not ours & derived
    there_and_back = {port_name(name) for name in as_released(dict.fromkeys(theirs, torch.zeros(1)))}
    assert there_and_back == theirs
