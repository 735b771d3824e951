import errno
import os
import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from filelock import FileLock

from lifecode.errors import Interrupted, UserError
from lifecode.host.durable import PARTIAL
from lifecode.teachers import cache
from lifecode.teachers.cache import FeatureCache
from lifecode.teachers.selection import select_proteins
from lifecode.teachers.shuffled import ShuffledFeatures
from lifecode.verbs.train.life_code.teacher import _require_same_teacher
from tests.support.letter_teacher import LetterTeacher, random_proteins
from tests.support.repository import ROOT

PROTEINS = random_proteins(400)


def features_of(folder, proteins=PROTEINS, teacher=None, **settings):
    return FeatureCache(folder, teacher or LetterTeacher(), **settings).features(proteins)


@pytest.fixture
def stored(tmp_path):
    return features_of(tmp_path / "cache")


def packs_of(folder):
    return sorted(folder.glob("*/[0-9][0-9]/*.safetensors"))


def test_every_protein_comes_back(stored):
    assert (stored.name, stored.width, len(stored)) == ("letters-1", 2, 400)
    assert stored.num_residues == sum(map(len, PROTEINS))
    for protein, expected in zip(PROTEINS, LetterTeacher()(PROTEINS), strict=True):
        features = stored.get(protein)
        assert features.dtype == np.float16
        np.testing.assert_array_equal(features, expected.numpy())


def test_other_proteins_are_none_and_case_does_not_matter(stored):
    assert all(stored.get(protein + "A") is None for protein in PROTEINS)
    np.testing.assert_array_equal(stored.get(PROTEINS[0].lower()), stored.get(PROTEINS[0]))


def test_duplicates_are_stored_once(tmp_path):
    teacher = LetterTeacher()
    stored = features_of(tmp_path, ["MKV", "MA", "mkv"], teacher)
    assert (len(stored), stored.num_residues) == (2, 5)
    assert sorted(teacher.read) == ["MA", "MKV"]


def test_an_empty_set_is_a_set(tmp_path):
    stored = features_of(tmp_path, [])
    assert (len(stored), stored.num_residues) == (0, 0)
    assert stored.get("MKV") is None


def test_a_protein_goes_through_a_teacher_once_ever(tmp_path):
    """Another run, other proteins beside it, the whole set again: only what is new is read."""
    first, second, third = LetterTeacher(), LetterTeacher(), LetterTeacher()
    features_of(tmp_path, PROTEINS[:250], first)
    more = features_of(tmp_path, reversed(PROTEINS), second)
    features_of(tmp_path, PROTEINS[100:300], third)
    assert (sorted(first.read), sorted(second.read), third.read) == (
        sorted(PROTEINS[:250]),
        sorted(PROTEINS[250:]),
        [],
    )
    np.testing.assert_array_equal(more.get(PROTEINS[0])[:, 1], np.arange(len(PROTEINS[0])))
    other = LetterTeacher("letters-2")
    features_of(tmp_path, PROTEINS, other)
    assert len(other.read) == 400


def test_a_set_does_not_see_what_else_is_in_the_cache(tmp_path):
    features_of(tmp_path, PROTEINS)
    some = features_of(tmp_path, PROTEINS[:7])
    assert len(some) == 7
    assert some.get(PROTEINS[8]) is None


def test_the_same_set_again_is_one_file_to_open(tmp_path, monkeypatch):
    features_of(tmp_path)

    def read(*arguments):
        raise AssertionError("a pack was opened")

    monkeypatch.setattr(cache, "Pack", read)
    assert len(features_of(tmp_path, verify=False)) == 400


def test_packs_are_bounded_and_any_number_of_them_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_PACK_BYTES", 4 * 150)
    monkeypatch.setattr("lifecode.teachers.features._OPEN_PACKS", 3)
    stored = features_of(tmp_path)
    packs = packs_of(tmp_path)
    assert len(packs) > 100
    assert max(path.stat().st_size for path in packs) < 4 * 150 + 2000
    for protein in PROTEINS:
        np.testing.assert_array_equal(stored.get(protein)[:, 1], np.arange(len(protein)))


def test_progress_ends_with_all_residues(tmp_path):
    calls = []
    total = sum(map(len, PROTEINS))
    FeatureCache(tmp_path, LetterTeacher()).features(PROTEINS, progress=lambda *call: calls.append(call))
    assert calls == sorted(calls)
    assert calls[-1] == (total, total)
    assert len(calls) > 60


def test_disk_use_is_known_before_anything_is_computed(tmp_path):
    folder = FeatureCache(tmp_path / "not" / "there", LetterTeacher())
    total = 4 * sum(map(len, PROTEINS))
    assert folder.disk_use(PROTEINS)[:2] == (total, total)
    assert not list(tmp_path.iterdir())
    folder.features(PROTEINS[:100])
    rest = 4 * sum(map(len, PROTEINS[100:]))
    use = folder.disk_use(PROTEINS)
    assert use[:2] == (total, rest)
    assert use.free_bytes > 0
    assert folder.disk_use(PROTEINS[:100]).missing_bytes == 0


def test_interrupted_it_goes_on_where_it_was(tmp_path):
    class Tired(LetterTeacher):
        def encode(self, proteins):
            if self.num_calls == 5:
                raise KeyboardInterrupt
            return super().encode(proteins)

    tired, rested = Tired(), LetterTeacher()
    with pytest.raises(Interrupted, match="the same command goes on"):
        features_of(tmp_path, teacher=tired)
    features_of(tmp_path, teacher=rested)
    assert len(tired.read) > 5
    assert sorted(tired.read + rested.read) == sorted(PROTEINS)


KILLED = """
import sys
from pathlib import Path
from lifecode.teachers.cache import FeatureCache
from tests.support.letter_teacher import LetterTeacher, random_proteins
folder, dies_at, first, last = Path(sys.argv[1]), *map(int, sys.argv[2:])
teacher = LetterTeacher(diary=folder / "diary", dies_at=dies_at)
FeatureCache(folder / "cache", teacher).features(random_proteins(400)[first:last])
"""


def start(folder, *, dies_at=0, first=0, last=400):
    numbers = map(str, (dies_at, first, last))
    root = ROOT
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-c", KILLED, folder, *numbers], cwd=root, env=environment)


@pytest.mark.slow
def test_kill_9_loses_the_current_pack_and_nothing_else(tmp_path):
    process = start(tmp_path, dies_at=20)
    assert process.wait() == -signal.SIGKILL
    left = tmp_path / "cache" / "letters-1"
    before = (tmp_path / "diary").read_text().split()
    bucket = next(iter(left.glob("[0-9][0-9]")))
    (bucket / f".half{PARTIAL}").write_bytes(b"what a kill within a write leaves")
    teacher = LetterTeacher()
    stored = features_of(tmp_path / "cache", teacher=teacher)
    assert sorted(before + teacher.read) == sorted(PROTEINS)
    assert len(stored) == 400
    assert not list(left.rglob("*" + PARTIAL))


@pytest.mark.slow
def test_processes_share_the_work_and_compute_no_protein_twice(tmp_path):
    """Three at once, on sets that overlap in part, one of which is killed."""
    processes = [
        start(tmp_path),
        start(tmp_path, first=100),
        start(tmp_path, last=300),
        start(tmp_path, dies_at=9),
    ]
    assert [process.wait() for process in processes[:3]] == [0, 0, 0]
    assert processes[3].wait() in (0, -signal.SIGKILL)
    read = (tmp_path / "diary").read_text().split()
    assert sorted(read) == sorted(PROTEINS)
    assert len({path.parent for path in packs_of(tmp_path / "cache")}) == 64
    teacher = LetterTeacher()
    stored = features_of(tmp_path / "cache", teacher=teacher)
    assert teacher.read == []
    for protein in PROTEINS:
        np.testing.assert_array_equal(stored.get(protein)[:, 1], np.arange(len(protein)))


def test_a_bucket_that_another_process_holds_is_left_for_last(tmp_path, monkeypatch):
    features_of(tmp_path, PROTEINS[:1])
    (taken,) = (path.parent for path in packs_of(tmp_path))
    lock = FileLock(taken / "lock")
    lock.acquire()
    order = []
    complete = FeatureCache._complete

    def noted(self, folder, asked):
        order.append(folder)
        return complete(self, folder, asked)

    monkeypatch.setattr(FeatureCache, "_complete", noted)

    def release(done, total):
        if len(order) == 63:
            lock.release()

    FeatureCache(tmp_path, LetterTeacher()).features(PROTEINS, progress=release)
    assert len(order) == 64
    assert order[-1] == taken


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("at", [3, 20, -3], ids=["length", "header", "features"])
def test_a_flipped_byte_is_named_and_that_pack_computed_again(stored, caplog, at):
    folder = stored.index.parents[2]
    damaged = packs_of(folder)[5]
    flip(damaged, at)
    teacher = LetterTeacher()
    again = features_of(folder, teacher=teacher)
    assert f"{damaged} differs from its checksum" in caplog.text
    assert 0 < len(teacher.read) < 30
    for protein in PROTEINS:
        np.testing.assert_array_equal(again.get(protein)[:, 1], np.arange(len(protein)))
    assert features_of(folder, teacher=teacher).packs == again.packs


def test_a_flipped_byte_of_an_index_costs_no_computation(stored):
    flip(stored.index, -3)
    teacher = LetterTeacher()
    again = features_of(stored.index.parents[2], teacher=teacher)
    assert teacher.read == []
    np.testing.assert_array_equal(again.get(PROTEINS[3])[:, 1], np.arange(len(PROTEINS[3])))


def test_without_verification_damage_is_not_looked_for(stored):
    folder = stored.index.parents[2]
    flip(packs_of(folder)[5], -3)
    teacher = LetterTeacher()
    features_of(folder, teacher=teacher, verify=False)
    assert teacher.read == []


def test_a_pack_that_is_gone_is_computed_again(stored):
    folder = stored.index.parents[2]
    gone = packs_of(folder)[0]
    gone.unlink()
    with pytest.raises(UserError, match="features is gone"):
        [stored.get(protein) for protein in PROTEINS]
    teacher = LetterTeacher()
    features_of(folder, teacher=teacher, verify=False)
    assert 0 < len(teacher.read) < 30


def test_a_full_disk_keeps_what_is_stored(tmp_path, monkeypatch):
    written = []
    replace = os.replace

    def full(source, target):
        if len(written) == 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UserError, match=r"No space left on device.*make room"):
        features_of(tmp_path)
    monkeypatch.setattr(os, "replace", replace)
    assert len(packs_of(tmp_path)) == 10
    assert not list(tmp_path.rglob("*" + PARTIAL))
    teacher = LetterTeacher()
    features_of(tmp_path, teacher=teacher)
    assert 200 < len(teacher.read) < 400


@pytest.mark.parametrize("value", [70_000.0, -70_000.0, float("nan"), float("inf")])
def test_a_feature_beyond_half_precision_is_an_error(tmp_path, value):
    class Loud(LetterTeacher):
        def encode(self, proteins):
            return [torch.full((len(protein), 2), value) for protein in proteins]

    with pytest.raises(UserError, match="half precision ends at 65504"):
        features_of(tmp_path, ["MKV"], Loud())


def test_features_travel_to_a_worker_without_their_data(stored):
    pickled = pickle.dumps(stored)
    assert len(pickled) < 1000
    np.testing.assert_array_equal(pickle.loads(pickled).get(PROTEINS[7]), stored.get(PROTEINS[7]))
    shuffled = ShuffledFeatures(stored, seed=0)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(shuffled)).get(PROTEINS[7]), shuffled.get(PROTEINS[7])
    )


def test_shuffled_features_are_the_same_vectors_at_other_residues(stored):
    shuffled, other = (
        np.concatenate([ShuffledFeatures(stored, seed).get(protein) for protein in PROTEINS])
        for seed in (0, 1)
    )
    own = np.concatenate([stored.get(protein) for protein in PROTEINS])
    for permuted in (shuffled, other):
        assert sorted(map(tuple, permuted.tolist())) == sorted(map(tuple, own.tolist()))
    # The position of a residue in its protein says nothing about the one its target comes from.
    assert abs(np.corrcoef(own[:, 1].astype(float), shuffled[:, 1].astype(float))[0, 1]) < 0.05
    assert (shuffled[:, 0] == own[:, 0]).mean() < 0.1
    assert (shuffled != other).any()
    assert ShuffledFeatures(stored, 0).get("MKV") is None


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
    assert select_proteins(["MK", "MA", "MK"], None) == ["MK", "MA"]


def test_one_run_learns_from_one_teacher(tmp_path):
    path = tmp_path / "teacher.txt"
    _require_same_teacher(path, "esm2-float16")
    _require_same_teacher(path, "esm2-float16")
    with pytest.raises(UserError, match="learned from esm2-float16, and here the teacher is esm2-float32"):
        _require_same_teacher(path, "esm2-float32")
