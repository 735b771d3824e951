"""The records of a `.wandb` file, read without wandb's own reader: blocks of 32 KiB as in a LevelDB log."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_FILE_HEADER, _BLOCK, _RECORD_HEADER = 7, 32768, 7
_WHOLE, _LAST = 1, 4


def records(path: Path) -> Iterator[Any]:
    """Every record, in order."""
    from wandb.proto import wandb_internal_pb2

    data, at, content = path.read_bytes(), _FILE_HEADER, b""
    while at + _RECORD_HEADER <= len(data):
        if (room := _BLOCK - at % _BLOCK) < _RECORD_HEADER:
            at += room
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + _RECORD_HEADER])
        at += _RECORD_HEADER
        content += data[at : at + length]
        at += length
        if kind in (_WHOLE, _LAST):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(content)
            yield record
            content = b""


def history(path: Path) -> list[dict[str, str]]:
    """What was logged, call by call, as JSON texts by name."""
    found = [r.history for r in records(path) if r.WhichOneof("record_type") == "history"]
    return [{item.key or "/".join(item.nested_key): item.value_json for item in row.item} for row in found]
