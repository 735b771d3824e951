"""How fast a machine multiplies matrices: the measure that the speed of a model is held against."""

import time

import torch


def matmul_flops(device: torch.device | str, dtype: torch.dtype, size: int, num_products: int = 6) -> float:
    """Best rate of products of two size x size matrices, operations per second; leaves torch's RNG alone."""
    device = torch.device(device)
    x = torch.rand(size, size, generator=torch.Generator().manual_seed(0)).to(device, dtype)
    seconds = []
    for _ in range(num_products):
        _wait_for(device)
        start = time.perf_counter()
        torch.mm(x, x)
        _wait_for(device)
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds)


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
