"""Units to vectors by a model: here, or by several processes that have a copy of the model each."""

import copy
import pickle
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from lifecode.host.usable_cores import usable_cores
from lifecode.host.worker_pool import worker_pool
from lifecode.models.chosen_layers import Layer
from lifecode.models.life_code.frames import Frames
from lifecode.models.pooling import Pool
from lifecode.models.saved import SavedModel
from lifecode.verbs.embed.embed_units import Unit

_HELD_A_WORKER = 2
"""Batches that are under way for each process: one that is read, one that waits."""


class EmbedOptions(NamedTuple):
    """What is wanted of each unit; as for `LifeCode.embed`."""

    pool: Pool | None
    frames: Frames
    layer: Layer


Batch = list[Unit]
Vectors = list[NDArray[np.float32]]


def read(model: Any, batch: Sequence[Unit], options: EmbedOptions) -> Vectors:
    """The vector (d,) of each unit, or its vectors (rows, d)."""
    records = [unit.as_record() for unit in batch]
    return [vectors.cpu().numpy() for vectors in model.embed(records, **options._asdict())]


@contextmanager
def reader(model: SavedModel, options: EmbedOptions, processes: int) -> Iterator["Reader"]:
    """Reads batches in order, many at a time where there are several processes.

    Args:
        model: on its device; where that is a GPU, several processes take all GPUs in turn.
        options: what is wanted.
        processes: 1 reads in this one.

    Raises:
        UserError: processes cannot be started, or one ended.
    """
    if processes == 1:
        yield lambda batches: ((batch, read(model, batch, options)) for batch in batches)
        return
    numbers = get_context("spawn").SimpleQueue()
    for number in range(processes):
        numbers.put(number)
    gpus = torch.cuda.device_count() if next(model.parameters()).is_cuda else 0
    own = copy.deepcopy(model).cpu() if gpus else model  # the caller's stays where it is
    begun = pickle.dumps(own), options, numbers, processes, gpus  # torch would share it through /dev/shm
    with worker_pool(processes, _begin, *begun, key="processes") as pool:

        def by_processes(batches: Iterator[Batch]) -> Iterator[tuple[Batch, Vectors]]:
            under_way: deque[tuple[Batch, Future[Vectors]]] = deque()
            for batch in batches:
                under_way.append((batch, pool.submit(_read_there, batch)))
                if len(under_way) >= _HELD_A_WORKER * processes:
                    first, vectors = under_way.popleft()
                    yield first, vectors.result()
            for batch, vectors in under_way:
                yield batch, vectors.result()

        yield by_processes


Reader = Callable[[Iterator[Batch]], Iterator[tuple[Batch, Vectors]]]
"""Batches in, each with its vectors out, in order."""

_there: dict[str, Any] = {}
"""What a worker process has: its model and what is wanted of it."""


def _begin(pickled: bytes, options: EmbedOptions, numbers: Any, processes: int, gpus: int) -> None:
    warnings.showwarning = lambda message, *_: print(f"lifecode embed: {message}", file=sys.stderr)
    torch.set_num_threads(max(1, usable_cores() // processes))
    device = f"cuda:{numbers.get() % gpus}" if gpus else "cpu"
    _there.update(model=pickle.loads(pickled).to(device), options=options)


def _read_there(batch: Batch) -> Vectors:
    return read(_there["model"], batch, _there["options"])
