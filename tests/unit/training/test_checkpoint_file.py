"""Checkpoint files: whole or not at all, verified, the one before where the newest is damaged."""

import errno
import os
import resource
import subprocess

import pytest
import torch
from torch import nn

from lifecode.errors import UserError
from lifecode.host.durable import replacing
from lifecode.training.run.checkpoint_file import (
    checkpoint_path,
    fault_of,
    keep_checkpoints,
    latest_checkpoint,
    load_module_state,
    write_checkpoint,
)
from tests.soak.damage import Intruder, flip_byte, truncate


def write(folder, *steps: int, size: int = 1000):
    for step in steps:
        state = {"state_dict": {"weight": torch.full((size,), float(step))}}
        write_checkpoint(state, checkpoint_path(folder, step))
    return checkpoint_path(folder, steps[-1])


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_checksum_is_one_that_sha256sum_reads(tmp_path):
    path = write(tmp_path, 3)
    assert names(tmp_path) == ["step=0000003.ckpt", "step=0000003.ckpt.sha256"]
    subprocess.run(["sha256sum", "--check", "--strict", f"{path.name}.sha256"], cwd=tmp_path, check=True)
    assert latest_checkpoint(tmp_path) == path
    module = nn.Linear(1, 1)
    module.weight, module.bias = nn.Parameter(torch.zeros(1000)), None
    load_module_state(module, path)
    assert module.weight[0] == 3


def test_without_a_checkpoint_there_is_none(tmp_path):
    assert latest_checkpoint(tmp_path) is None
    assert latest_checkpoint(tmp_path / "nowhere") is None


@pytest.mark.parametrize("position", [0.0, 0.3, 0.6, 0.999])
def test_a_flipped_byte_anywhere_is_noticed_and_the_one_before_is_used(tmp_path, caplog, position):
    newest = write(tmp_path, 3, 6)
    flip_byte(newest, position)
    assert latest_checkpoint(tmp_path) == checkpoint_path(tmp_path, 3)
    (line,) = caplog.messages
    assert line.startswith(f"{newest}: this checkpoint differs from its checksum")


def test_cut_short_and_without_or_with_a_wrong_checksum(tmp_path):
    path = write(tmp_path, 3)
    sidecar = path.with_name(f"{path.name}.sha256")
    sum_of_path = sidecar.read_text()
    truncate(path)
    assert "differs" in fault_of(path)
    write(tmp_path, 3)
    sidecar.unlink()
    assert "has no checksum" in fault_of(path)
    for text in ("", f"{'0' * 64}  {path.name}\n"):
        sidecar.write_text(text)
        assert "differs" in fault_of(path)
    sidecar.write_text(sum_of_path)
    assert fault_of(path) is None


def test_code_in_a_checkpoint_does_not_run(tmp_path, caplog):
    write(tmp_path, 3)
    mark = tmp_path / "ran"
    path = checkpoint_path(tmp_path, 6)
    write_checkpoint({"state_dict": {}, "code": Intruder(mark)}, path)
    assert latest_checkpoint(tmp_path) == checkpoint_path(tmp_path, 3)
    assert "more than tensors and numbers" in caplog.text
    assert not mark.exists()
    torch.load(path, weights_only=False)  # it would have
    assert mark.is_dir()


@pytest.mark.parametrize("content", [b"", b"no zip file", b"PK\x03\x04" + bytes(200)])
def test_what_is_no_checkpoint_but_has_its_checksum(tmp_path, content):
    path = write(tmp_path, 3)
    path.write_bytes(content)
    digest = subprocess.run(["sha256sum", path.name], cwd=tmp_path, capture_output=True, check=True).stdout
    path.with_name(f"{path.name}.sha256").write_bytes(digest)
    assert "cannot be loaded" in fault_of(path) or "more than tensors" in fault_of(path)
    with pytest.raises(UserError, match="none of the 1 checkpoints here can be loaded"):
        latest_checkpoint(tmp_path)


@pytest.mark.parametrize("fails_at", range(1, 5))
def test_whenever_a_save_ends_there_is_a_checkpoint(tmp_path, monkeypatch, caplog, fails_at):
    """It is stopped dead at each of the four calls that make its parts permanent: nothing is tidied up."""
    write(tmp_path, 3)
    calls = 0

    def dying(function):
        def call(*arguments):
            nonlocal calls
            calls += 1
            if calls == fails_at:
                os._exit(9)
            return function(*arguments)

        return call

    process = os.fork()
    if not process:
        monkeypatch.setattr(os, "fsync", dying(os.fsync))
        monkeypatch.setattr("pathlib.Path.replace", dying(type(tmp_path).replace))
        write(tmp_path, 6)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 9
    assert latest_checkpoint(tmp_path) in [checkpoint_path(tmp_path, step) for step in (3, 6)]
    assert caplog.messages == []  # and none that would have to be passed by
    write(tmp_path, 9)
    keep_checkpoints(tmp_path, up_to=9, number=2)
    assert not [name for name in names(tmp_path) if name.startswith(".")]


def test_a_full_disk_leaves_what_was_there(tmp_path):
    """The system lets no file grow beyond 20 kB, as a full disk would not; after that there is room again."""
    path = write(tmp_path, 3)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(
            UserError, match=r"step=0000006\.ckpt: cannot be written \(File too large\)\. Make"
        ):
            write(tmp_path, 6, size=100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert names(tmp_path) == ["step=0000003.ckpt", "step=0000003.ckpt.sha256"]
    assert latest_checkpoint(tmp_path) == path
    assert latest_checkpoint(write(tmp_path, 6, size=100_000).parent) == checkpoint_path(tmp_path, 6)


def test_a_disk_that_is_found_full_at_the_end(tmp_path, monkeypatch):
    """Where room is given out late, the last call says so."""
    write(tmp_path, 3)

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left on device"):
        write(tmp_path, 6)
    assert names(tmp_path) == ["step=0000003.ckpt", "step=0000003.ckpt.sha256"]


def test_what_is_kept(tmp_path):
    write(tmp_path, 3, 6, 9, 12)
    flip_byte(checkpoint_path(tmp_path, 12))
    (tmp_path / "step=0000001.ckpt.sha256").touch()
    keep_checkpoints(tmp_path, up_to=9, number=2)
    assert [n for n in names(tmp_path) if n.endswith(".ckpt")] == ["step=0000006.ckpt", "step=0000009.ckpt"]
    assert len(names(tmp_path)) == 4


def test_replacing_leaves_nothing_of_a_failure(tmp_path):
    path = tmp_path / "file"
    path.write_text("before")

    def interrupted():
        with replacing(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert names(tmp_path) == ["file"]
    assert path.read_text() == "before"


def test_what_has_another_name_is_no_checkpoint_and_stays(tmp_path):
    good = write(tmp_path, 3)
    odd = [
        "step=abc.ckpt",
        "step=.ckpt",
        "step=-000001.ckpt",
        "step=٣٣٣٣٣٣٣.ckpt",
        "step=1e9.ckpt",
        "step=0000003 (1).ckpt",
    ]
    for name in odd:
        (tmp_path / name).write_bytes(good.read_bytes())
        (tmp_path / f"{name}.sha256").write_text("x")
    (tmp_path / "step=0000099.ckpt").mkdir()
    os.mkfifo(tmp_path / "step=0000098.ckpt")
    assert latest_checkpoint(tmp_path) == good
    keep_checkpoints(tmp_path, up_to=3, number=2)
    left = {path.name for path in tmp_path.iterdir()}
    assert left >= {
        good.name,
        *odd,
        *(f"{name}.sha256" for name in odd),
        "step=0000099.ckpt",
        "step=0000098.ckpt",
    }


def test_a_checkpoint_under_the_name_of_another_step(tmp_path):
    path = checkpoint_path(tmp_path, 6)
    write_checkpoint({"state_dict": {}, "global_step": 6}, path)
    assert fault_of(path) is None
    other = checkpoint_path(tmp_path, 60)
    write_checkpoint({"state_dict": {}, "global_step": 6}, other)
    assert fault_of(other) == "holds another step than its name says"
    assert latest_checkpoint(tmp_path) == path


@pytest.mark.parametrize("content", [[1], {"no": "weights"}, torch.zeros(2)])
def test_a_checkpoint_without_weights(tmp_path, content):
    path = checkpoint_path(tmp_path, 6)
    write_checkpoint(content, path)
    assert fault_of(path) == "cannot be loaded (it holds no weights)"
