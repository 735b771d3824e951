"""The model's shape, sizes, embeddings and how it is saved."""

import json

import pytest
import torch

from lifecode import LifeCode, load
from lifecode.commands.construct import construct
from lifecode.errors import UserError
from lifecode.model import CodonCodec
from lifecode.model.block import swiglu_hidden_width
from lifecode.model.encoder import layer_kinds
from lifecode.model.parts import parameters_by_part
from tests.compose import compose


@pytest.fixture
def model() -> LifeCode:
    torch.manual_seed(0)
    codec = CodonCodec(nucleotide_dim=16, conv_channels=8, num_heads=2, translator_hidden=16)
    shape = {"width": 32, "depth": 2, "hybrid_ratio": "1:1", "num_heads": 2, "attention_head_dim": 16}
    return LifeCode(codec=codec, teacher_width=4, **shape).eval()


def test_the_last_layers_of_a_group_are_attention():
    assert layer_kinds("11:1", 24) == (["gdn"] * 11 + ["mhsa"]) * 2
    assert layer_kinds("12:0", 12) == ["gdn"] * 12
    assert layer_kinds("0:12", 12) == ["mhsa"] * 12


@pytest.mark.parametrize(("ratio", "depth"), [(661, 12), ("11-1", 12), ("0:0", 12), ("11:1", 13), ("", 1)])
def test_a_ratio_that_makes_no_stack_is_an_error(ratio, depth):
    with pytest.raises(UserError, match=r"model\.hybrid_ratio"):
        layer_kinds(ratio, depth)


@pytest.mark.parametrize(("name", "millions"), [("life_code_350m", 351.2), ("life_code_500m", 549.7)])
def test_the_paper_sizes(name, millions):
    with torch.device("meta"):
        model = construct(compose("info", f"model={name}").model)
    parts = parameters_by_part(model)
    assert parts["encoder layers"] / 1e6 == pytest.approx(millions, rel=0.002)
    assert parts["tokenizer"] + parts["de-tokenizer"] + parts["translator"] == pytest.approx(5.1e6, rel=0.01)
    assert sum(parts.values()) == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("name", ["tiny", "mini", "life_code_350m", "life_code_500m"])
def test_every_model_instantiates_without_memory(name):
    with torch.device("meta"):
        model = construct(compose("info", f"model={name}").model, teacher_width=1280)
    assert {p.device.type for p in model.parameters()} == {"meta"}


def test_swiglu_width_is_a_multiple_of_64():
    assert [swiglu_hidden_width(d) for d in (1024, 1280, 128)] == [2752, 3456, 384]


def test_embeddings(model):
    sequences = ["ATGAAACGC", "atgaaacgc", "AUGAAACGC", "ATGAAACG", "ACGTT"]
    pooled = model.embed(sequences)
    assert pooled.shape == (5, 32)
    torch.testing.assert_close(pooled[0], pooled[1])
    torch.testing.assert_close(pooled[0], pooled[2])
    assert not torch.allclose(pooled[0], pooled[3])
    codons = model.embed(sequences, pool=None)
    assert [tuple(states.shape) for states in codons] == [(3, 32), (3, 32), (3, 32), (3, 32), (2, 32)]
    torch.testing.assert_close(codons[0].mean(0), pooled[0])
    torch.testing.assert_close(model.embed(sequences, pool="max")[0], codons[0].amax(0))
    assert model.embed("ACGT").shape == (1, 32)


@pytest.mark.parametrize(
    ("sequences", "said"), [([], "no sequence"), (["ACG", ""], "record 1"), (["AC!"], "'!'")]
)
def test_embedding_nothing_is_an_error(model, sequences, said):
    with pytest.raises(UserError, match=said):
        model.embed(sequences)
    with pytest.raises(UserError, match="pool"):
        model.embed("ACG", pool="median")


def test_saved_and_loaded_again(model, tmp_path):
    model.save_pretrained(tmp_path / "model")
    for again in (LifeCode.from_pretrained(tmp_path / "model"), load(tmp_path / "model")):
        torch.testing.assert_close(again.embed("ACGTTG"), model.embed("ACGTTG"), atol=0, rtol=0)
    assert json.loads((tmp_path / "model/config.json").read_text())["family"] == "life_code"


def test_a_flipped_byte_is_named(model, tmp_path):
    model.save_pretrained(tmp_path / "model")
    weights = bytearray((tmp_path / "model/model.safetensors").read_bytes())
    weights[-5] ^= 1
    (tmp_path / "model/model.safetensors").write_bytes(bytes(weights))
    with pytest.raises(UserError, match=r"model\.safetensors does not match"):
        load(tmp_path / "model")


def test_weights_of_another_shape_are_refused(model, tmp_path):
    model.save_pretrained(tmp_path / "model")
    config = json.loads((tmp_path / "model/config.json").read_text())
    other = LifeCode.from_config({**config, "teacher_width": 8})
    other.config["teacher_width"] = 4
    other.save_pretrained(tmp_path / "other")
    with pytest.raises(
        UserError, match=r"protein_decoder.2.bias is \(8,\), the model wants \(4,\) \(and 1 more\)"
    ):
        load(tmp_path / "other")
    with pytest.raises(UserError, match=r"no config\.json"):
        load(tmp_path)


@torch.no_grad()
def test_without_a_joint_head_a_codon_is_three_nucleotides():
    torch.manual_seed(0)
    codec = CodonCodec(
        nucleotide_dim=16, conv_channels=8, num_heads=2, translator_hidden=16, codon_head="none"
    )
    embeddings, borders = torch.randn(3, 24), torch.tensor([0, 3])
    joint = codec.codon_log_probabilities(embeddings, borders, torch.tensor([1]))
    logits = codec.detokenizer(embeddings, borders)[3:6, :4].log_softmax(-1)
    assert joint.exp().sum() == pytest.approx(1.0, abs=1e-5)
    assert float(joint[0, 16 * 2 + 4 * 0 + 3]) == pytest.approx(
        float(logits[0, 2] + logits[1, 0] + logits[2, 3])
    )


def test_the_codon_map_tells_codons_apart(model):
    codons = model.codec.codon_map()
    assert codons.shape == (64, 24)
    assert torch.cdist(codons, codons).fill_diagonal_(1).min() > 1e-4
