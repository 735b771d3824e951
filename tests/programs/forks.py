"""Run as a program: large results of the kernels in forked processes, a loader's workers and threads.

Prints one line for each way to work side by side, with how many results were not those of the parent.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import torch
import torch.multiprocessing as mp
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lifecode.models import LifeCode
from lifecode.ops import gated_delta_rule, silu_gate
from lifecode.ops.cpu.buffers import SMALLEST_BYTES
from tests.support.small_models import small_model

ROWS, WIDTH, KEYS = SMALLEST_BYTES // 4 // 64 + 1, 64, 16
SEEDS = range(2)


def large(seed: int) -> str:
    """Digest of a result of a little more than 32 MB, held while a second one is made."""
    x = torch.randn(ROWS, 2 * WIDTH, generator=torch.Generator().manual_seed(seed))
    first = silu_gate(x)
    second = silu_gate(x + 1)
    return hashlib.sha256(first[::16].numpy().tobytes() + second[::1000].numpy().tobytes()).hexdigest()


def recurrent(seed: int) -> str:
    """Digest of outputs and gradients of a delta rule on several threads."""
    draw = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(1, 600, 4, KEYS, generator=draw).requires_grad_() for _ in range(3))
    g, beta = -torch.rand(1, 600, 4, generator=draw), torch.rand(1, 600, 4, generator=draw)
    output = gated_delta_rule(q, torch.nn.functional.normalize(k, dim=-1), v, g, beta, backend="native")
    output.sum().backward()
    parts = (output.detach(), q.grad, k.grad, v.grad)
    return hashlib.sha256(b"".join(x.numpy().tobytes() for x in parts if x is not None)).hexdigest()


def digests() -> list[str]:
    return [work(seed) for seed in SEEDS for work in (large, recurrent)]


class Results(Dataset):
    """The digests, one an index."""

    def __len__(self) -> int:
        return len(SEEDS)

    def __getitem__(self, seed: int) -> tuple[str, str]:
        return large(seed), recurrent(seed)


def in_processes(context: str, task: Callable[..., object], *args: object) -> list[object]:
    """What a task puts into a queue, called in two processes at once."""
    machine = mp.get_context(context)
    queue = machine.SimpleQueue()
    workers = [machine.Process(target=_put, args=(queue, task, *args)) for _ in range(2)]
    for worker in workers:
        worker.start()
    results = [queue.get() for _ in workers]
    for worker in workers:
        worker.join()
    return results


def _put(queue: mp.SimpleQueue, task: Callable[..., object], *args: object) -> None:
    queue.put(task(*args))


def change(lent: Tensor) -> float:
    """A child's change in place; what it sees of it."""
    lent.fill_(7.0)
    return float(lent.mean())


def embedded(model: LifeCode, text: str) -> list[float]:
    return model.embed(text)[0].tolist()


def counts() -> Iterator[tuple[str, int]]:
    """Each way to work side by side, with how many results were not those of one process."""
    expected = digests()
    for context in ("fork", "spawn"):
        yield context, sum(result != expected for result in in_processes(context, digests))
    yield "loader", sum(tuple(pair) != (large(i), recurrent(i)) for i, pair in enumerate(loaded()))
    with ThreadPoolExecutor(3) as threads:
        yield "threads", sum(found != expected for found in threads.map(lambda _: digests(), range(3)))

    lent = silu_gate(torch.ones(ROWS, 2 * WIDTH))
    before = float(lent.mean())
    assert in_processes("fork", change, lent) == [7.0, 7.0]
    yield "change", int(float(lent.mean()) != before)

    # Loading, copying and computing have filled torch's pool of threads, which no child has.
    model, text = small_model(hybrid_ratio="1:1").eval(), "ACGTTGCATTAGCCA" * 100
    torch.ones(2**20).int()
    vector = torch.tensor(embedded(model, text))
    others = [torch.tensor(x) for x in in_processes("fork", embedded, model, text)]
    yield "model", sum(not torch.allclose(x, vector, atol=1e-6) for x in others)


def main() -> int:
    """1 if a result was wrong."""
    print("threads of torch", torch.get_num_threads(), flush=True)
    wrong = 0
    for way, count in counts():
        print(way, count, flush=True)
        wrong += count
    return int(wrong > 0)


def loaded() -> list[tuple[str, str]]:
    loader = DataLoader(Results(), batch_size=None, num_workers=2, multiprocessing_context="fork")
    return list(loader)


if __name__ == "__main__":
    sys.exit(main())
