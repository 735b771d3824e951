"""The model's shape, sizes, embeddings and how it is saved."""

import json

import pytest
import torch

from lifecode import LifeCode, load
from lifecode.app.configs.construct import construct
from lifecode.app.from_python import compose
from lifecode.errors import UserError
from lifecode.models import CodonCodec, pretrained
from lifecode.models.layers.feed_forward import matched_hidden_width, swiglu_hidden_width
from lifecode.models.layers.mixers import layer_kinds
from lifecode.models.parts import parameters_by_part
from lifecode.training.two_stages import load_codec


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
        layer_kinds(ratio, depth, source="model.hybrid_ratio")


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
    # Whoever may read one of the files may read all.
    assert len({path.stat().st_mode for path in (tmp_path / "model").iterdir()}) == 1


def test_loading_leaves_the_callers_dice_alone():
    before = torch.get_rng_state()
    load("lifecode-tiny")
    LifeCode.from_pretrained("lifecode-tiny")
    assert torch.equal(torch.get_rng_state(), before)


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
    with pytest.raises(UserError, match=r"the model: .*protein_decoder.2.bias is \(8,\)"):
        other.save_pretrained(tmp_path / "other")
    pretrained.save(other, other.config, tmp_path / "other")
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


RATIOS = ("12:0", "11:1", "5:1", "3:1", "0:12")


@pytest.mark.parametrize("name", ["mini", "life_code_350m"])
def test_equal_parameters_at_every_ratio(name):
    sizes, unequal = [], []
    for ratio in RATIOS:
        for equal, counts in (("true", sizes), ("false", unequal)):
            changes = [f"model={name}", f"model.hybrid_ratio={ratio}", f"model.equal_parameters={equal}"]
            with torch.device("meta"):
                model = construct(compose("info", *changes).model)
            counts.append(sum(p.numel() for p in model.parameters()))
    assert max(sizes) < 1.01 * min(sizes)
    assert max(unequal) > 1.1 * min(unequal)
    assert sizes[0] == unequal[0]  # a Gated DeltaNet layer is as it was


def test_the_matched_width_by_hand():
    # d = 128: 4 heads of 24 and 48. q, k 2 x 128 x 96; v, g, o 3 x 128 x 192; a, b 2 x 128 x 4; convolutions
    # 4 x 384; rates and biases 8; norm 48. MHSA: 4 x 128^2. The rest goes to 3 x 128 columns.
    missing = 24_576 + 73_728 + 1024 + 1536 + 8 + 48 - 65_536
    assert missing / 384 == pytest.approx(92.1, abs=0.1)
    assert matched_hidden_width(128, missing) == 384 + 96


def test_equal_parameters_are_saved_and_an_old_config_still_loads(model, tmp_path):
    wide = LifeCode.from_config({**model.config, "equal_parameters": True}).eval()
    assert sum(p.numel() for p in wide.parameters()) > sum(p.numel() for p in model.parameters())
    wide.save_pretrained(tmp_path / "wide")
    again = LifeCode.from_pretrained(tmp_path / "wide")
    torch.testing.assert_close(again.embed("ACGTTG"), wide.embed("ACGTTG"), atol=0, rtol=0)
    later = ("equal_parameters", "mixers", "mixer_options", "short_conv_width", "tokenizer")
    old = {key: value for key, value in model.config.items() if key not in later}
    old["codec"] = {key: value for key, value in old["codec"].items() if key not in later}
    assert LifeCode.from_config(old).config == model.config


def test_a_tokenizer_of_an_older_config_fits(model, tmp_path):
    config = {"family": "codon_codec", **model.codec.config}
    del config["tokenizer"]
    pretrained.save(model.codec, config, tmp_path / "codec")
    load_codec(model.codec, tmp_path / "codec")
    other = CodonCodec(**{**model.codec.config, "tokenizer": "linear"})
    with pytest.raises(UserError, match="trained with tokenizer 'gdn', the model has 'linear'"):
        load_codec(other, tmp_path / "codec")


@pytest.mark.parametrize(("tokenizer", "reaches"), [("gdn", True), ("linear", False)])
@torch.no_grad()
def test_the_linear_tokenizer_sees_each_nucleotide_alone(model, tokenizer, reaches):
    torch.manual_seed(0)
    codec = CodonCodec(**{**model.codec.config, "tokenizer": tokenizer, "translator_hidden": None})
    ids, borders = torch.randint(0, 4, (15,)), torch.tensor([0, 5])
    changed = ids.clone()
    changed[7] = (ids[7] + 1) % 4
    differs = (codec.tokenizer(ids, borders) != codec.tokenizer(changed, borders)).reshape(15, -1).any(1)
    assert bool(differs[7])
    assert bool(differs[torch.arange(15) != 7].any()) == reaches
    embeddings = torch.randn(5, codec.codon_dim)
    moved = embeddings.clone()
    moved[2, 8:16] += 1  # the middle nucleotide of the third codon
    logits = (codec.detokenizer(embeddings, borders) != codec.detokenizer(moved, borders)).any(1)
    assert logits.nonzero().flatten().tolist() == ([6, 7, 8] if reaches else [7])
    assert codec.translator is None
    assert len(codec.readout()) == 2


@pytest.mark.parametrize("strands", ["paper", "rc", "forward"])
def test_without_layers_a_codon_is_on_its_own(model, strands, tmp_path):
    codec = {**model.codec.config, "tokenizer": "linear", "translator_hidden": None}
    shallow = LifeCode.from_config({**model.config, "codec": codec, "depth": 0, "strands": strands}).eval()
    one, other = shallow.embed(["ATGAAACGC", "GGGAAATTT"], pool=None)
    torch.testing.assert_close(one[1], other[1])
    assert not torch.allclose(one[0], other[0])
    assert "encoder layers" not in parameters_by_part(shallow)
    shallow.save_pretrained(tmp_path / "model")
    torch.testing.assert_close(load(tmp_path / "model").embed("ACG"), shallow.embed("ACG"), atol=0, rtol=0)
