"""A model folder with a wrong bit, or made by somebody who means no good: one line, and nothing is built."""

import io
import json
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import lifecode
from lifecode.errors import UserError
from lifecode.host.checksum import sha256
from lifecode.models.auto_model import LifeCodeModel
from lifecode.models.layers.mixers import layer_kinds
from lifecode.models.pretrained import CHECKSUMS, CONFIG, GENES
from lifecode.models.weights import WEIGHTS
from tests.support.small_models import small_model


@pytest.fixture
def folder(tmp_path) -> Path:
    model = small_model().eval()
    model.training_genes = np.ones((2, 16), np.uint32)
    model.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def sign(folder: Path) -> None:
    """Checksums that fit what lies there."""
    names = (CONFIG, WEIGHTS, GENES)
    (folder / CHECKSUMS).write_text("".join(f"{sha256(folder / name)}  {name}\n" for name in names))


def assert_refused(folder: Path, said: str) -> None:
    started = time.process_time()
    for load in (lifecode.load, lifecode.LifeCode.from_pretrained, LifeCodeModel.from_pretrained):
        with pytest.raises(UserError, match=said) as caught:
            load(folder)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 600
    assert time.process_time() - started < 20  # a model of millions of layers takes hours


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        "null",
        '"x"',
        '{"a": NaN}',
        '{"a": Infinity}',
        "[" * 100_000,
        "9" * 5000,
        " " * 2**21,
    ],
    ids=range(11),
)
def test_a_config_that_is_no_object_of_json(folder, text):
    (folder / CONFIG).write_text(text)
    sign(folder)
    assert_refused(folder, r"config\.json describes no model")


def test_a_config_that_is_no_text(folder):
    (folder / CONFIG).write_bytes(b"\xff\xfe{}")
    sign(folder)
    assert_refused(folder, r"config\.json describes no model")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("depth", 2_000_000, "depth"),
        ("depth", 60_000, "depth 60000, and the weights have 2 layers"),
        ("depth", -2, "depth"),
        ("depth", 2.0, "depth"),
        ("depth", True, "depth"),
        ("width", -32, "width is -32"),
        pytest.param("width", 10**400, "width is 1", id="width-huge"),
        ("width", 65_536, "another shape"),
        ("width", "32", "width is '32'"),
        ("width", [32], "width"),
        ("num_heads", 0, "num_heads is 0"),
        ("layer_scale", 1e999, "describes no model|layer_scale"),
        ("init_std", -1.0, "init_std is -1.0"),
        ("strands", "backward", "strands"),
        ("strands", ["paper"], "strands"),
        ("hybrid_ratio", "999999999999:1", "hybrid_ratio|ratio"),
        ("hybrid_ratio", 11.1, "hybrid_ratio"),
        ("mixers", "GX", "no mixer 'X' is registered"),
        ("mixers", ["gdn", 2], "mixers"),
        ("mixer_options", {"gdn": {"wings": 2}}, "gdn takes no 'wings'"),
        ("short_conv_width", 0, "short_conv_width is 0"),
        ("equal_parameters", "yes", "equal_parameters"),
        ("codec", None, "does not fit"),
        ("codec", {}, "another shape"),
        ("wings", 2, "wings"),
        ("family", "other", "family"),
        ("codec.direction", "backward", "codec.direction is 'backward'"),
        ("codec.stride", 2, "codec.stride"),
        ("codec.tokenizer", "bpe", "codec.tokenizer"),
        ("codec.codon_head", "both", "codec.codon_head"),
        ("codec.nucleotide_dim", 2**40, "codec.nucleotide_dim"),
        ("codec.layer_scale", -0.1, "codec.layer_scale"),
        ("codec.wings", 1, "wings"),
    ],
)
def test_a_value_that_no_model_has(folder, key, value, said):
    config = json.loads((folder / CONFIG).read_text())
    part = config["codec"] if key.startswith("codec.") else config
    part[key.removeprefix("codec.")] = value
    (folder / CONFIG).write_text(json.dumps(config).replace("Infinity", "1e999"))
    sign(folder)
    assert_refused(folder, said)


def test_no_depth_makes_a_list_of_any_ratio():
    assert layer_kinds("999999:1", 0) == []


@pytest.mark.parametrize("bit", range(8))
@pytest.mark.parametrize("place", [0, 63, 64, 66, 76, 77, -2, -12, -20])
def test_a_bit_of_the_checksums(folder, bit, place):
    content = bytearray((folder / CHECKSUMS).read_bytes())
    content[place] ^= 1 << bit
    (folder / CHECKSUMS).write_bytes(bytes(content))
    with pytest.raises(UserError, match=r"checksum|SHA-256|SHA256SUMS"):
        lifecode.load(folder)


def test_genes_that_are_not_listed_are_not_passed_over(folder):
    lines = (folder / CHECKSUMS).read_text().splitlines(keepends=True)
    (folder / CHECKSUMS).write_text("".join(line for line in lines if GENES not in line))
    assert_refused(folder, "training_genes")


def written(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def zipped() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.ones(3))
    return file.getvalue()


def of_claimed_shape() -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": "<u4", "fortran_order": False, "shape": (10**12, 16)}
    )
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        written(np.array([print, {}], dtype=object)),
        written(np.ones((2, 16))),
        written(np.ones(16, np.uint32)),
        written(np.ones((2, 16), np.uint32))[:-9],
        zipped(),
        of_claimed_shape(),
        b"",
        b"PK",
    ],
    ids=["objects", "floats", "a row", "cut short", "zip", "bomb", "nothing", "no array"],
)
def test_genes_that_are_none(folder, content):
    (folder / GENES).write_bytes(content)
    sign(folder)
    assert_refused(folder, r"training_genes\.npy holds no sketches")


def test_weights_that_are_no_floating_point_numbers(folder):
    state = load_file(folder / WEIGHTS)
    save_file({name: x.to(torch.int8) for name, x in state.items()}, folder / WEIGHTS)
    sign(folder)
    assert_refused(folder, "holds I8")


@pytest.mark.parametrize(
    "dtype", [torch.int8, torch.int32, torch.bool, torch.complex64, torch.float8_e4m3fn, "half"]
)
def test_a_model_is_not_saved_in_what_holds_no_weights(folder, tmp_path, dtype):
    with pytest.raises(UserError, match="weights are kept in float16, bfloat16, float32, float64"):
        small_model().eval().save_pretrained(tmp_path / "other", dtype=dtype)
    assert not (tmp_path / "other").exists()


def test_numbers_that_may_be_zero_may_be_written_as_integers(tmp_path):
    model = small_model(layer_scale=0).eval()
    model.save_pretrained(tmp_path / "model")
    assert lifecode.load(tmp_path / "model").config["layer_scale"] == 0


def test_a_weight_that_half_precision_cannot_hold(tmp_path):
    model = small_model().eval()
    with torch.no_grad():
        model.codon_projection.weight[0, 0] = 70_000
    with pytest.raises(UserError, match=r"codon_projection\.weight is too large for torch\.float16"):
        model.save_pretrained(tmp_path / "half", dtype=torch.float16)
    model.save_pretrained(tmp_path / "half", dtype=torch.bfloat16)
