"""A line with its own checksum: nothing that is not what was written is ever read as a line."""

import os

import pytest

from lifecode.errors import UserError
from lifecode.host.recorded import read_recorded, write_recorded


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "new" / "record.txt"
    assert read_recorded(path, remedy="x") is None
    for line in ("esm2-float16", "ö" * 9, ""):
        write_recorded(path, line)
        assert read_recorded(path, remedy="x") == line


def test_every_flipped_bit_and_every_cut_is_seen(tmp_path):
    path = tmp_path / "record.txt"
    write_recorded(path, "0123456789abcdef" * 4)
    whole = path.read_bytes()
    damaged = [
        whole[:i] + bytes([whole[i] ^ (1 << bit)]) + whole[i + 1 :]
        for i in range(len(whole))
        for bit in (i % 8,)
    ]
    damaged += [whole[:length] for length in range(len(whole))]
    damaged += [whole + b"x", whole * 2, b"x" * 70_000]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"record\.txt: is damaged.*\. Do this"):
            read_recorded(path, remedy="Do this")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "record.txt")
    with pytest.raises(UserError, match="no plain file"):
        read_recorded(tmp_path / "record.txt", remedy="x")
