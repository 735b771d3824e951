"""Models that travel: the hub (a local stand-in), transformers' AutoModel, peft adapters."""

import fnmatch
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import huggingface_hub
import peft
import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from transformers import CONFIG_MAPPING, MODEL_MAPPING, AutoConfig, AutoModel

import lifecode
from lifecode import LifeCode
from lifecode.alphabet import PAD
from lifecode.data.batches.packing import pack
from lifecode.errors import UserError
from lifecode.models import CodonCodec, pretrained
from lifecode.models.auto_model import LifeCodeModel, padded_batch, register_auto_model
from lifecode.models.pretrained import FILES
from tests.support.adapters import adapted, move_adapters
from tests.support.repository import ROOT
from tests.support.small_models import small_model

SEQUENCES = ["ATGAAACGCATTAGC", "AUGGCU", "ACGTTGA"]
ROW = pack(SEQUENCES)


@pytest.fixture
def model() -> LifeCode:
    return small_model().eval()


@pytest.fixture
def folder(model, tmp_path) -> Path:
    model.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def states(model) -> torch.Tensor:
    return model(ROW.ids, ROW.cu_seqlens)


class Unpickled:
    """Leaves a trace when a pickle of it is opened."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


@pytest.fixture
def trace(folder, tmp_path) -> Path:
    """A pickled checkpoint lies in the folder; the file exists once it has been opened."""
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Unpickled(tmp_path / "opened")))
    return tmp_path / "opened"


def flip_a_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(bytes(content))


# The folder


def test_saving_again_replaces_the_model_and_leaves_other_files(folder):
    (folder / "notes.txt").write_text("mine")
    other = small_model(width=64).eval()
    other.save_pretrained(folder)
    assert LifeCode.from_pretrained(folder).width == 64
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "notes.txt"])
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_a_folder_that_cannot_be_written_is_one_line(model, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write here"):
        model.save_pretrained(tmp_path / "file" / "model")


# The hub


class Hub:
    """Stands in for huggingface_hub's two ends: repositories are folders, and calls are written down."""

    def __init__(self, root: Path) -> None:
        self.root, self.calls = root, []

    def snapshot_download(self, repo_id, *, revision, allow_patterns, **options):
        self.calls.append(("download", repo_id, revision, options))
        if not (self.root / repo_id).is_dir():
            raise LocalEntryNotFoundError(f"no {repo_id} here\nand more lines")
        copy = self.root / "cache" / repo_id
        copy.mkdir(parents=True, exist_ok=True)
        for file in (self.root / repo_id).iterdir():
            if any(fnmatch.fnmatch(file.name, pattern) for pattern in allow_patterns):
                shutil.copy(file, copy)
        return str(copy)

    def create_repo(self, repo_id, *, private, exist_ok):
        self.calls.append(("create", repo_id, private, exist_ok))

    def upload_folder(self, repo_id, *, folder_path, revision, commit_message):
        self.calls.append(("upload", repo_id, revision, commit_message))
        shutil.copytree(folder_path, self.root / repo_id, dirs_exist_ok=True)
        return f"https://hub/{repo_id}/commit/1"


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Hub:
    hub = Hub(tmp_path / "hub")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.snapshot_download)
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: hub)
    monkeypatch.chdir(tmp_path)
    return hub


@pytest.mark.parametrize("load", [LifeCode.from_pretrained, lifecode.load])
def test_pushed_and_loaded_by_name(model, hub, load):
    address = model.push_to_hub("user/name", private=True, revision="new", commit_message="first")
    assert address == "https://hub/user/name/commit/1"
    again = load("user/name", revision="v1")
    torch.testing.assert_close(states(again), states(model), atol=0, rtol=0)
    assert not again.training
    assert hub.calls == [
        ("create", "user/name", True, True),
        ("upload", "user/name", "new", "first"),
        ("download", "user/name", "v1", {}),
    ]
    assert sorted(path.name for path in (hub.root / "user/name").iterdir()) == sorted(FILES)


def test_the_wrapper_loads_by_name_too(model, hub):
    model.push_to_hub("user/name")
    again = LifeCodeModel.from_pretrained("user/name", revision="v1", token="t")
    torch.testing.assert_close(states(again.life_code), states(model), atol=0, rtol=0)
    assert hub.calls[-1] == ("download", "user/name", "v1", {"token": "t"})


@pytest.mark.slow
def test_the_real_hub_client_loads_by_name_from_its_cache(model, tmp_path):
    commit = "0123456789" * 4
    repository = tmp_path / "hub/models--user--name"
    model.save_pretrained(repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text(commit)
    code = (
        "import lifecode, torch\n"
        "from transformers import AutoModel\n"
        "from lifecode.models.auto_model import register_auto_model\n"
        "register_auto_model()\n"
        "auto, model = AutoModel.from_pretrained('user/name'), lifecode.load('user/name')\n"
        "assert all(map(torch.equal, auto.parameters(), model.parameters()))\n"
        "lifecode.load('user/other')"
    )
    environment = {**os.environ, "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("lifecode.errors.UserError: user/other: the Hugging Face hub did not serve this")


def test_a_folder_goes_before_a_name(model, hub, tmp_path):
    model.save_pretrained(tmp_path / "user/name")
    lifecode.load("user/name")
    assert hub.calls == []
    with pytest.raises(UserError, match="user/name: a local folder has no revision"):
        lifecode.load("user/name", revision="v1")


def test_weights_in_half_precision_take_half_the_room_and_load_in_single(model, tmp_path):
    model.save_pretrained(tmp_path / "whole")
    model.save_pretrained(tmp_path / "half", dtype=torch.float16)
    whole, half = (tmp_path / name / "model.safetensors" for name in ("whole", "half"))
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    loaded = lifecode.load(tmp_path / "half").state_dict()
    assert {x.dtype for x in loaded.values()} == {torch.float32}
    for name, weights in model.state_dict().items():
        assert weights.dtype == torch.float32
        assert torch.equal(loaded[name], weights.half().float())


def test_nothing_but_the_three_files_is_downloaded(model, hub, tmp_path):
    model.push_to_hub("user/name")
    (hub.root / "user/name/pytorch_model.bin").write_bytes(pickle.dumps(Unpickled(tmp_path / "opened")))
    lifecode.load("user/name")
    assert not (hub.root / "cache/user/name/pytorch_model.bin").exists()


def test_a_byte_that_was_flipped_on_the_hub_is_named(model, hub):
    model.push_to_hub("user/name")
    flip_a_byte(hub.root / "user/name/model.safetensors")
    with pytest.raises(UserError, match=r"model\.safetensors does not match its SHA-256"):
        lifecode.load("user/name")


@pytest.mark.parametrize(
    "name", ["nothing", "a/b/c", "runs/quickstart/model", "a b/c", Path("user/name"), ""]
)
def test_neither_folder_nor_name(hub, tmp_path, name):
    if name == "":
        name = str(tmp_path / "absent")
    with pytest.raises(UserError, match="no such model folder, and it is no name") as caught:
        lifecode.load(name)
    assert "\n" not in str(caught.value)
    assert hub.calls == []


def test_a_name_the_hub_does_not_have_is_one_line(hub):
    with pytest.raises(
        UserError, match=r"user/other: .*LocalEntryNotFoundError: no user/other here"
    ) as caught:
        lifecode.load("user/other")
    assert "more lines" not in str(caught.value)


def test_a_refused_upload_is_one_line(model, hub, monkeypatch):
    def refuse(*args, **options):
        raise OSError("403 Forbidden")

    monkeypatch.setattr(hub, "upload_folder", refuse)
    with pytest.raises(UserError, match=r"user/name: .*403 Forbidden"):
        model.push_to_hub("user/name")
    with pytest.raises(UserError, match="Write it as user/name"):
        model.push_to_hub("name")


def test_without_huggingface_hub_folders_load_and_names_say_what_to_install(model, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert lifecode.load(folder).width == 32
    for use in (lambda: lifecode.load("user/name"), lambda: model.push_to_hub("user/name")):
        with pytest.raises(
            UserError, match=r"huggingface_hub is not installed.*pip install 'lifecode\[hf\]'"
        ):
            use()


def test_loading_a_folder_imports_neither_the_hub_nor_transformers(folder):
    code = (
        f"import sys, lifecode; lifecode.load({str(folder)!r})\n"
        "assert not {'huggingface_hub', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# AutoModel


@pytest.fixture
def auto(folder):
    register_auto_model()
    return AutoModel.from_pretrained(folder)


def test_automodel_gives_the_same_hidden_states(model, auto):
    batch = padded_batch(SEQUENCES)
    assert batch["input_ids"].shape == (3, 21)
    hidden = auto(**batch).last_hidden_state
    assert hidden.shape == (3, 7, 32)
    for row, expected in enumerate(states(model).split(ROW.cu_seqlens.diff().tolist())):
        torch.testing.assert_close(hidden[row, : len(expected)], expected, atol=1e-6, rtol=1e-6)
        assert (hidden[row, len(expected) :] == 0).all()
    torch.testing.assert_close(auto(batch["input_ids"]).last_hidden_state, hidden)
    (alone,) = auto(**batch, return_dict=False)
    torch.testing.assert_close(alone, hidden)


def test_padding_may_be_on_the_left_and_a_row_may_be_nothing_but_padding(model, auto):
    row = pack([SEQUENCES[1]]).ids.long()
    ids = torch.full((2, len(row) + 6), PAD)
    ids[1, 6:] = row
    hidden = auto(ids, attention_mask=(ids != PAD).long()).last_hidden_state
    assert (hidden[0] == 0).all()
    torch.testing.assert_close(hidden[1, 2:], auto(row[None]).last_hidden_state[0])


def test_gradients_pass_through_the_padded_form(auto):
    auto(**padded_batch(SEQUENCES)).last_hidden_state.square().sum().backward()
    reached = [name for name, p in auto.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    assert "life_code.codec.tokenizer.embedding.weight" in reached
    assert "life_code.encoder.out_proj.weight" in reached


@pytest.mark.parametrize(
    ("shape", "masked", "said"),
    [
        ((1, 7), [], "must both be"),
        ((1, 9), [2], "cuts a codon or has a gap"),
        ((1, 9), [3, 4, 5], "cuts a codon or has a gap"),
    ],
)
def test_a_mask_that_is_no_padding_is_an_error(auto, shape, masked, said):
    mask = torch.ones(shape)
    mask[:, masked] = 0
    with pytest.raises(UserError, match=said):
        auto(torch.zeros(shape, dtype=torch.long), attention_mask=mask)


def test_an_option_without_effect_is_an_error(auto, folder):
    with pytest.raises(UserError, match="output_attentions has no effect"):
        auto(torch.zeros(1, 3, dtype=torch.long), output_attentions=True)
    with pytest.raises(UserError, match="the weights stay float32"):
        AutoModel.from_pretrained(folder, dtype=torch.bfloat16)


def test_what_automodel_saves_is_what_lifecode_saves(auto, folder, tmp_path):
    auto.save_pretrained(tmp_path / "again")
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()
    doubled = {name: 2 * tensor for name, tensor in auto.state_dict().items()}
    auto.save_pretrained(tmp_path / "doubled", state_dict=doubled)
    twice = lifecode.load(tmp_path / "doubled").codon_projection.weight
    torch.testing.assert_close(twice, 2 * auto.life_code.codon_projection.weight)
    auto.save_pretrained(tmp_path / "none", is_main_process=False)
    assert not (tmp_path / "none").exists()


def test_the_config_knows_the_shape_by_both_names(folder, auto):
    config = AutoConfig.from_pretrained(folder)
    assert (config.hidden_size, config.num_hidden_layers, config.hybrid_ratio) == (32, 2, "1:1")
    assert config.shape() == auto.life_code.config
    assert json.loads((folder / "config.json").read_text())["model_type"] == "life_code"


def test_an_untrained_automodel_is_drawn_as_lifecode_draws_it(folder):
    register_auto_model()
    torch.manual_seed(5)
    auto = AutoModel.from_config(AutoConfig.from_pretrained(folder))
    torch.manual_seed(5)
    expected = LifeCode.from_config(auto.life_code.config).state_dict()
    for name, tensor in auto.life_code.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], atol=0, rtol=0)


def test_automodel_refuses_what_lifecode_refuses(folder, auto, trace):
    with pytest.raises(UserError, match="the model wants"):
        AutoModel.from_pretrained(folder, width=64)
    (folder / "model.safetensors").rename(folder / "elsewhere")
    with pytest.raises(UserError, match=r"no model\.safetensors"):
        AutoModel.from_pretrained(folder)
    (folder / "elsewhere").rename(folder / "model.safetensors")
    flip_a_byte(folder / "model.safetensors")
    with pytest.raises(UserError, match=r"model\.safetensors does not match"):
        AutoModel.from_pretrained(folder)
    assert not trace.exists()


@pytest.mark.parametrize("name", ["A_log", "dt_bias"])
def test_automodel_refuses_a_missing_key(folder, auto, name):
    key = f"encoder.layers.0.mixer.{name}"
    state = {k: v for k, v in auto.life_code.state_dict().items() if k != key}
    with pytest.raises(UserError, match=f"{key} is missing"):
        auto.save_pretrained(folder, state_dict=state)
    pretrained.save(auto.life_code, auto.life_code.config, folder, state=state)
    with pytest.raises(UserError, match=f"{key} is missing"):
        AutoModel.from_pretrained(folder)
    with pytest.raises(UserError, match=f"{key} is missing"):
        lifecode.load(folder)


def test_a_pickle_is_never_opened(folder, auto, trace):
    lifecode.load(folder)
    AutoModel.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError):
        lifecode.load(folder)
    assert not trace.exists()
    pickle.loads((folder / "pytorch_model.bin").read_bytes())
    assert trace.exists()


def test_without_transformers_one_line_says_what_to_install():
    code = "import sys; sys.modules['transformers'] = None; import lifecode.models.auto_model"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'lifecode[hf]'" in result.stderr.splitlines()[-1]


# peft

TARGETS = [
    ["q_proj", "v_proj"],
    ["k_proj", "o_proj", "down_proj"],
    ["gate_proj", "up_proj", "in_proj", "out_proj"],
    ["a_proj", "b_proj", "g_proj"],
]


@pytest.mark.parametrize("targets", TARGETS, ids="+".join)
def test_adapters_start_at_nothing_and_alone_are_trained(model, targets):
    before = states(model).detach()
    lora = adapted(model, targets)
    # Without adapters a_proj and b_proj are one product, which some processors round otherwise than two.
    torch.testing.assert_close(states(lora), before, atol=1e-5 if "a_proj" in targets else 0, rtol=0)
    states(lora).square().sum().backward()
    trained = {name: p for name, p in lora.named_parameters() if p.requires_grad}
    assert trained
    assert all("lora_" in name for name in trained)
    reached = {name for name, p in trained.items() if p.grad is not None and p.grad.abs().sum() > 0}
    assert reached == {name for name in trained if "lora_B" in name}  # a gradient of A needs a B that moved
    move_adapters(lora)
    states(lora).square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in trained.values())


def test_adapters_reach_both_kinds_of_layers(model):
    names = [name for name, p in adapted(model, ["q_proj"]).named_parameters() if p.requires_grad]
    assert {name.split(".layers.")[1][0] for name in names if ".layers." in name} == {"0", "1"}


@pytest.mark.parametrize("targets", TARGETS, ids="+".join)
def test_merged_equals_unmerged_and_adapters_travel_alone(model, targets, tmp_path):
    base = states(model).detach()
    lora = adapted(model, targets).eval()
    move_adapters(lora)
    moved = states(lora).detach()
    assert (moved - base).abs().max() > 1e-2
    lora.save_pretrained(tmp_path / "adapter")
    assert (tmp_path / "adapter/adapter_model.safetensors").exists()
    again = peft.PeftModel.from_pretrained(small_model().eval(), tmp_path / "adapter").eval()
    torch.testing.assert_close(states(again), moved, atol=1e-6, rtol=1e-6)
    merged = lora.merge_and_unload()
    assert isinstance(merged, LifeCode)
    torch.testing.assert_close(states(merged), moved, atol=1e-5, rtol=1e-5)
    merged.save_pretrained(tmp_path / "merged")
    torch.testing.assert_close(states(lifecode.load(tmp_path / "merged")), moved, atol=1e-5, rtol=1e-5)


def test_adapters_can_be_injected_and_embed_still_works(model):
    before = model.embed(SEQUENCES)
    peft.inject_adapter_in_model(peft.LoraConfig(r=2, target_modules=["q_proj"]), model)
    torch.testing.assert_close(model.embed(SEQUENCES), before, atol=0, rtol=0)
    move_adapters(model)
    assert (model.embed(SEQUENCES) - before).abs().max() > 1e-3


# The page


def test_every_snippet_of_the_page_runs(hub, model, tmp_path, monkeypatch):
    for mapping in (CONFIG_MAPPING, MODEL_MAPPING):  # other tests have registered the model already
        monkeypatch.setattr(mapping, "_extra_content", {})
    page = (ROOT / "docs/interchange.md").read_text(encoding="utf-8")
    snippets = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    assert len(snippets) == 3
    model.save_pretrained(tmp_path / "runs/quickstart/model")
    names: dict[str, object] = {}
    for snippet in snippets:
        exec(snippet, names)
    assert names["states"].shape == (2, 7, 32)
    for folder in ("again", "../merged"):
        assert lifecode.load(tmp_path / "runs/quickstart" / folder).width == 32


def test_a_config_of_another_version_is_one_clear_error(tmp_path):
    model = LifeCode(
        codec=CodonCodec(nucleotide_dim=16, conv_channels=8, num_heads=2),
        width=32,
        depth=0,
        num_heads=2,
        attention_head_dim=16,
    )
    pretrained.save(model, {**model.config, "wings": 2}, tmp_path / "model")
    with pytest.raises(UserError, match=r"does not fit this version of lifecode .*wings"):
        LifeCode.from_pretrained(tmp_path / "model")
