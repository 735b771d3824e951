"""LucaOne's checkpoints: names of every layout, there and back; nothing but tensors is read."""

import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import lifecode
from lifecode.errors import UserError
from lifecode.models.luca_one.key_tables import (
    as_released,
    frequency_name,
    port_name,
    released_names,
    rotary_frequencies,
)
from lifecode.models.pretrained import FILES
from tests.support.small_models import HEADS, small_luca_one

GENE_HEADS = {name: shape for name, shape in HEADS.items() if name.startswith("gene")}
PROTEIN_HEADS = {name: shape for name, shape in HEADS.items() if name.startswith("prot")}


class Unpickled:
    """Leaves a trace when a pickle of it is opened."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints") / "released"
    small_luca_one().save_checkpoint(folder, "released")
    return folder


@pytest.fixture
def state(released) -> dict[str, Tensor]:
    return torch.load(released / "pytorch.pth", weights_only=True)


def same_weights(model, other) -> None:
    theirs = other.state_dict()
    assert model.state_dict().keys() == theirs.keys()
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(tensor, theirs[name], atol=0, rtol=0)


def keys_of_the_release(depth: int, heads: int) -> set[str]:
    """Written out as the released state dict has them, which is known from its description alone."""
    ends = ("weight", "bias")
    names = {"embed_tokens.weight", "embed_type.weight", "lm_head.weight", "lm_head.bias"}
    names |= {
        f"{part}.{end}" for part in ("last_layer_norm", "lm_head.dense", "lm_head.layer_norm") for end in ends
    }
    for layer in range(depth):
        parts = [f"self_attn.{one}_proj" for one in ("q", "k", "v", "out")]
        parts += ["pre_layer_norm", "post_layer_norm", "fc1", "fc2"]
        names |= {f"layers.{layer}.{part}.{end}" for part in parts for end in ends}
        names.add(f"layers.{layer}.self_attn.rot_emb.inv_freq")
    lists = ("hidden_layer_list", "classifier_list")
    return names | {f"{one}.{number}.{end}" for one in lists for number in range(heads) for end in ends}


# Names


@pytest.mark.parametrize("heads", [HEADS, GENE_HEADS, PROTEIN_HEADS, {}], ids=["all", "gene", "prot", "none"])
def test_every_weight_has_one_name_in_each_layout(heads):
    model = small_luca_one(heads=heads, depth=3)
    names = released_names(3, list(heads))
    assert names.keys() == model.state_dict().keys()
    assert len(set(names.values())) == len(names)
    derived = {"lm_head.weight"} | {frequency_name(layer) for layer in range(3)}
    assert set(names.values()) | derived == keys_of_the_release(3, len(heads))
    assert not set(names.values()) & derived
    in_port = {name: port_name(name) for name in keys_of_the_release(3, len(heads))}
    assert {name for name, ported in in_port.items() if ported is None} == {
        name for name in in_port if "_list." in name
    }
    ported = {name: torch.zeros(1) for name in in_port.values() if name is not None}
    assert as_released(ported).keys() == keys_of_the_release(3, 0)


def test_the_order_of_heads_is_that_of_the_release(state):
    order = [*HEADS]
    assert order == [
        "gene_type",
        "prot_homo",
        "prot_site",
        "prot_domain",
        "gene_taxonomy",
        "prot_taxonomy",
        "prot_keyword",
        "prot_structure",
    ]
    for number, task in enumerate(order):
        assert len(state[f"hidden_layer_list.{number}.weight"]) == HEADS[task]["hidden"]
        assert len(state[f"classifier_list.{number}.weight"]) == HEADS[task]["classes"]


def test_rotary_frequencies_by_hand():
    torch.testing.assert_close(rotary_frequencies(4), torch.tensor([1.0, 0.01]))


# There and back


@pytest.mark.parametrize("heads", [HEADS, GENE_HEADS, PROTEIN_HEADS, {}], ids=["all", "gene", "prot", "none"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_released_file_comes_back_with_its_shape(heads, prefix, tmp_path):
    model = small_luca_one(heads=heads)
    model.save_checkpoint(tmp_path / "released", "released")
    file = tmp_path / "released" / "pytorch.pth"
    state = torch.load(file, weights_only=True)
    torch.save({prefix + name: x for name, x in state.items()}, file)
    for given in (file, tmp_path / "released"):
        loaded = lifecode.load(given)
        assert loaded.config == {**model.config, "init_std": 0.02}
        assert not loaded.training
        same_weights(loaded, model)


def test_the_port_comes_back_without_heads(tmp_path):
    model = small_luca_one()
    model.save_checkpoint(tmp_path / "port", "transformers")
    assert {path.name for path in (tmp_path / "port").iterdir()} == {"config.json", "model.safetensors"}
    loaded = lifecode.load(tmp_path / "port")
    assert loaded.config["heads"] == {}
    own = {name: x for name, x in model.state_dict().items() if not name.startswith("task_heads")}
    assert all(torch.equal(x, loaded.state_dict()[name]) for name, x in own.items())
    assert own.keys() == loaded.state_dict().keys()
    with pytest.raises(UserError, match="is there already"):
        model.save_checkpoint(tmp_path / "port", "transformers")
    with pytest.raises(UserError, match="layout 'onnx' is unknown"):
        model.save_checkpoint(tmp_path / "other", "onnx")  # pyright: ignore[reportArgumentType]


def test_heads_that_would_be_taken_for_others_are_not_written_by_number(tmp_path):
    """Two heads of a release are those of genes, whatever they were trained for."""
    model = small_luca_one(heads={name: HEADS[name] for name in ("gene_type", "prot_homo")})
    with pytest.raises(UserError, match="no place for gene_type, prot_homo alone"):
        model.save_checkpoint(tmp_path / "released", "released")
    assert not (tmp_path / "released").exists()
    model.save_checkpoint(tmp_path / "port", "transformers")


def test_the_port_in_parts(tmp_path):
    small_luca_one().save_checkpoint(tmp_path / "port", "transformers")
    whole = tmp_path / "port" / "model.safetensors"
    names = sorted(load_file(whole))
    of_name = {name: f"model-0000{1 + number % 2}-of-00002.safetensors" for number, name in enumerate(names)}
    expected = lifecode.load(tmp_path / "port")
    state = load_file(whole)
    for part in set(of_name.values()):
        save_file({name: state[name] for name in names if of_name[name] == part}, tmp_path / "port" / part)
    whole.unlink()
    index = tmp_path / "port" / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": of_name}))
    same_weights(lifecode.load(tmp_path / "port"), expected)
    save_file({name: state[name] for name in names[:3]}, tmp_path / "port" / "more.safetensors")
    index.write_text(json.dumps({"weight_map": {**of_name, "x": "more.safetensors"}}))
    with pytest.raises(UserError, match=f"{names[0]} is in two of its files"):
        lifecode.load(tmp_path / "port")
    index.write_text(json.dumps({"weight_map": {**of_name, "x": "../model-00001-of-00002.safetensors"}}))
    with pytest.raises(UserError, match="it lists"):
        lifecode.load(tmp_path / "port")
    for damaged in ("{}", '{"weight_map": []}', '{"weight_map": {"x": 5}}', '{"weight_map": {"x": "y.py"}}'):
        index.write_text(damaged)
        with pytest.raises(UserError, match="it lists"):
            lifecode.load(tmp_path / "port")
    index.unlink()
    for part in set(of_name.values()):
        torch.save({name: state[name] for name in names if of_name[name] == part}, tmp_path / "port" / part)
        (tmp_path / "port" / part).rename(tmp_path / "port" / part.replace("safetensors", "bin"))
    pickled = {name: part.replace("safetensors", "bin") for name, part in of_name.items()}
    (tmp_path / "port" / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": pickled}))
    same_weights(lifecode.load(tmp_path / "port"), expected)


def test_the_port_without_a_head_says_which_weights_it_lacks(tmp_path):
    """As `AutoModel` saves it."""
    small_luca_one().save_checkpoint(tmp_path / "port", "transformers")
    file = tmp_path / "port" / "model.safetensors"
    state = load_file(file)
    base = {name.removeprefix("lucaone."): x for name, x in state.items() if name.startswith("lucaone.")}
    save_file(base, file)
    with pytest.raises(UserError, match=r"lm_head\.\S+ is missing \(and 4 more\)"):
        lifecode.load(tmp_path / "port")


def test_a_folder_of_ours_comes_back(tmp_path):
    model = small_luca_one()
    model.save_pretrained(tmp_path / "model")
    assert {path.name for path in (tmp_path / "model").iterdir()} == set(FILES)
    loaded = lifecode.load(tmp_path / "model")
    assert loaded.config == model.config
    same_weights(loaded, model)
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert (config["family"], config["model_type"]) == ("luca_one", "luca_one")


def test_half_precision_is_read_in_full(state, tmp_path):
    torch.save({name: x.bfloat16() for name, x in state.items()}, tmp_path / "low.pth")
    loaded = lifecode.load(tmp_path / "low.pth")
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    torch.testing.assert_close(
        loaded.embed("ACGT", molecule="dna"), small_luca_one().embed("ACGT", molecule="dna"), atol=0.2, rtol=0
    )


# What is not read


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_no_pickle_is_opened(released, state, tmp_path):
    trace = tmp_path / "opened"
    for name in ("alphabet.pkl", "training_args.bin"):
        (released / name).write_bytes(pickle.dumps(Unpickled(trace)))
    lifecode.load(released)
    torch.save({**state, "extra": Unpickled(trace)}, tmp_path / "more.pth")
    torch.save(small_luca_one(), tmp_path / "model.pth")  # the class with its weights
    (tmp_path / "plain.bin").write_bytes(pickle.dumps(Unpickled(trace)))
    for file in ("more.pth", "plain.bin", "model.pth"):
        with pytest.raises(
            UserError, match=r"nothing but weights is read \(it is cut, or holds more"
        ) as fault:
            lifecode.load(tmp_path / file)
        assert "weights_only" not in str(fault.value)
    (released / "pytorch.pt").write_bytes(pickle.dumps(Unpickled(trace)))  # the whole model, in a release
    with pytest.raises(UserError, match=r"Give pytorch\.pth, which lies beside it"):
        lifecode.load(released / "pytorch.pt")
    assert not trace.exists()


def test_what_no_output_depends_on_is_left_out(state, tmp_path):
    more = {"contact_head.regression.weight": torch.ones(1, 8), "loss_fct_list.6.pos_weight": torch.ones(14)}
    torch.save({**state, **more}, tmp_path / "more.pth")
    same_weights(lifecode.load(tmp_path / "more.pth"), small_luca_one())


def test_a_port_whose_tied_weight_was_left_out(tmp_path):
    small_luca_one().save_checkpoint(tmp_path / "port", "transformers")
    file = tmp_path / "port" / "model.safetensors"
    expected, state = lifecode.load(tmp_path / "port"), load_file(file)
    del state["lm_head.decoder.weight"]
    save_file(state, file)
    same_weights(lifecode.load(tmp_path / "port"), expected)


def test_heads_of_attention_come_from_the_config_where_frequencies_are_missing(state, tmp_path):
    without = {name: x for name, x in state.items() if "inv_freq" not in name}
    torch.save(without, tmp_path / "pytorch.pth")
    with pytest.raises(UserError, match=r"neither rotary frequencies nor a config\.json"):
        lifecode.load(tmp_path)
    config = tmp_path / "config.json"
    config.write_text('{"num_attention_heads": 4, "num_hidden_layers": 36, "embed_scale": 1.0}')
    same_weights(lifecode.load(tmp_path), small_luca_one())
    config.write_text('{"num_attention_heads": 4, "token_dropout": true}')
    with pytest.warns(UserWarning, match="token_dropout is True; embeddings are read as with False"):
        lifecode.load(tmp_path)


CHANGES = {
    "missing": ("layers.1.fc2.bias", None, "layers.1.fc2.bias is missing"),
    "unexpected": ("layers.1.fc3.bias", torch.ones(2), "layers.1.fc3.bias is unexpected"),
    "no embedding": ("embed_tokens.weight", None, "there is no embed_tokens.weight"),
    "vocabulary": ("embed_tokens.weight", torch.ones(34, 32), "its vocabulary has 34 tokens, not 39"),
    "untied": ("lm_head.weight", torch.ones(39, 32), "the language head has weights of its own"),
    "frequencies": ("layers.0.self_attn.rot_emb.inv_freq", torch.ones(4), "rotary frequencies"),
    "integers": ("lm_head.bias", torch.ones(39).long(), "lm_head.bias holds no floating-point numbers"),
    "head": ("hidden_layer_list.7.weight", None, "the weights have 7 heads"),
    "half a head": ("classifier_list.7.weight", None, "the head of prot_structure .number 7. is incomplete"),
    "reshaped": ("layers.0.fc1.weight", torch.ones(127, 32), r"up_proj.weight is \(127, 32\)"),
    "flat embedding": ("embed_tokens.weight", torch.ones(39), "embed_tokens.weight is no matrix"),
    "flat head": ("hidden_layer_list.0.weight", torch.ones(()), "the head of gene_type .* is incomplete"),
    "no frequencies": ("layers.0.self_attn.rot_emb.inv_freq", torch.ones(0), "rotary frequencies"),
    "not finite": ("lm_head.bias", torch.full((39,), torch.nan), "lm_head.bias holds numbers that are not"),
    "twice": ("module.lm_head.bias", torch.ones(39), "both lm_head.bias and module.lm_head.bias"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_other_weights_are_refused(change, state, tmp_path):
    name, tensor, said = CHANGES[change]
    changed = {**state, name: tensor}
    torch.save({name: x for name, x in changed.items() if x is not None}, tmp_path / "other.pth")
    with pytest.raises(UserError, match=rf"^{tmp_path}/other\.pth: .*{said}"):
        lifecode.load(tmp_path / "other.pth")


def test_a_truncated_file_is_refused(released, tmp_path):
    (tmp_path / "cut.pth").write_bytes((released / "pytorch.pth").read_bytes()[:5000])
    (tmp_path / "cut.safetensors").write_bytes(b"\x10")
    for name in ("cut.pth", "cut.safetensors"):
        with pytest.raises(UserError, match="cannot be read as weights"):
            lifecode.load(tmp_path / name)
