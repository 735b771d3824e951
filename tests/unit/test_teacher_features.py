import json
import pickle
import random

import numpy as np
import pytest
import torch

from lifecode.errors import UserError
from lifecode.teachers.base import ProteinTeacher
from lifecode.teachers.features import TeacherFeatures
from lifecode.teachers.selection import select_proteins


class LetterTeacher(ProteinTeacher):
    """Features that can be read by eye: the letter's code, and the position."""

    width = 2

    def __init__(self, name="letters-1"):
        super().__init__()
        self.name = name
        self.num_calls = 0

    def encode(self, proteins):
        self.num_calls += 1
        return [torch.tensor([[float(ord(x)), i] for i, x in enumerate(p)]).view(-1, 2) for p in proteins]


class DeadTeacher(LetterTeacher):
    def encode(self, proteins):
        raise KeyboardInterrupt


def random_proteins(number, seed=0):
    rng = random.Random(seed)
    return ["".join(rng.choices("ACDEFGHIKLMNPQRSTVWY", k=rng.randint(5, 60))) for _ in range(number)]


PROTEINS = random_proteins(400)


@pytest.fixture
def store(tmp_path):
    return TeacherFeatures.build(LetterTeacher(), PROTEINS, tmp_path / "features")


def test_every_protein_comes_back(store):
    assert (store.name, store.width, len(store)) == ("letters-1", 2, 400)
    assert store.num_residues == sum(map(len, PROTEINS))
    for protein, expected in zip(PROTEINS, LetterTeacher()(PROTEINS), strict=True):
        features = store.get(protein)
        assert features.dtype == np.float16
        np.testing.assert_array_equal(features, expected.numpy())


def test_other_proteins_are_none_and_case_does_not_matter(store):
    assert all(store.get(protein + "A") is None for protein in PROTEINS)
    np.testing.assert_array_equal(store.get(PROTEINS[0].lower()), store.get(PROTEINS[0]))


def test_duplicates_are_stored_once(tmp_path):
    store = TeacherFeatures.build(LetterTeacher(), ["MKV", "MA", "mkv"], tmp_path / "features")
    assert (len(store), store.num_residues) == (2, 5)


def test_an_empty_set_is_a_store(tmp_path):
    store = TeacherFeatures.build(LetterTeacher(), [], tmp_path / "features")
    assert len(store) == 0
    assert store.get("MKV") is None


def test_a_complete_store_is_used_again(store):
    teacher = LetterTeacher()
    TeacherFeatures.build(teacher, reversed(PROTEINS), store.folder)
    assert teacher.num_calls == 0


@pytest.mark.parametrize(("name", "proteins"), [("letters-2", PROTEINS), ("letters-1", PROTEINS[1:])])
def test_another_teacher_or_set_replaces_the_store(store, name, proteins):
    teacher = LetterTeacher(name)
    rebuilt = TeacherFeatures.build(teacher, proteins, store.folder)
    assert teacher.num_calls > 0
    assert (rebuilt.name, len(rebuilt)) == (name, len(proteins))


def test_progress_counts_residues_up_to_the_total(tmp_path):
    calls = []
    proteins = [letter * 20_000 for letter in "ACDEF"]
    TeacherFeatures.build(
        LetterTeacher(), proteins, tmp_path / "f", progress=lambda *call: calls.append(call)
    )
    assert calls == [(40_000, 100_000), (80_000, 100_000), (100_000, 100_000)]


def test_an_interrupted_build_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        TeacherFeatures.build(DeadTeacher(), PROTEINS, tmp_path / "features")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("file", ["features.npy", "offsets.npy", "proteins.npy"])
def test_one_flipped_bit_is_noticed_and_the_file_named(store, file):
    content = bytearray((store.folder / file).read_bytes())
    content[-3] ^= 1
    (store.folder / file).write_bytes(content)
    with pytest.raises(UserError, match=rf"{file}: the file differs"):
        TeacherFeatures(store.folder)
    with pytest.raises(UserError, match=rf"{file}: the file differs"):
        TeacherFeatures.build(LetterTeacher(), PROTEINS, store.folder)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"format": "something else"}))
    (tmp_path / "precious.txt").write_text("data")
    with pytest.raises(UserError, match="no folder of teacher features"):
        TeacherFeatures.build(LetterTeacher(), PROTEINS, tmp_path)
    assert (tmp_path / "precious.txt").read_text() == "data"


def test_a_store_travels_to_a_worker_without_its_data(store):
    pickled = pickle.dumps(store)
    assert len(pickled) < 1000
    np.testing.assert_array_equal(pickle.loads(pickled).get(PROTEINS[7]), store.get(PROTEINS[7]))


def test_selection_fits_the_budget_and_is_nearly_full():
    chosen = select_proteins(PROTEINS, 2000, seed=1)
    assert 1940 <= sum(map(len, chosen)) <= 2000
    assert set(chosen) < set(PROTEINS)


def test_selection_depends_on_the_seed_alone():
    chosen = set(select_proteins(PROTEINS, 2000, seed=1))
    assert chosen == set(select_proteins(PROTEINS[::-1] + PROTEINS, 2000, seed=1))
    assert chosen != set(select_proteins(PROTEINS, 2000, seed=2))
    assert chosen < set(select_proteins(PROTEINS, 4000, seed=1))


def test_selection_keeps_everything_when_it_fits():
    assert select_proteins(["MK", "MA", "MK"], 4) == ["MK", "MA"]
