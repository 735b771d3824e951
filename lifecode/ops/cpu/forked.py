"""A forked child computes on one thread of torch, as torch's own loader workers do.

The threads of torch's pool stay in the parent; a child that waits for them waits for ever, at its first large
copy. What the kernels keep for themselves, threads and memory, they drop in the child where they keep it.
"""

import os

import torch


def _compute_alone() -> None:
    if torch.get_num_threads() > 1:
        torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_compute_alone)
