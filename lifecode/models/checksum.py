"""A name for the weights of a model, so that a result says which ones gave it."""

import hashlib

import torch
from torch import nn


def weights_checksum(model: nn.Module) -> str:
    """16 hexadecimal digits of the SHA-256 of all weights, by their names and in their precision."""
    digest = hashlib.sha256()
    for name, weight in sorted(model.state_dict().items()):
        digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}".encode())
        digest.update(weight.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]
