"""One step of every objective on this process's share of a batch; the first process saves the gradients.

Started by `tests/end_to_end/test_processes.py` as
`python -m tests.programs.gradients_of_processes CORPUS OUTPUT STRATEGY`, by itself or in several processes.
"""

import sys
from itertools import product
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, Trainer
from torch.utils.data import DataLoader

from lifecode.data import Corpus
from lifecode.training.processes import cluster_environment
from lifecode.training.sharding import FullySharded
from lifecode.training.stages.joint_gradient import plain
from tests.support.corpus_batches import step_of
from tests.support.stages import OBJECTIVES, encoder_stage, tokenizer_stage

CASES = ("cut", "apart")


class Gradients(Callback):
    """Keeps what the optimizer is handed, before it is clipped to a norm that nothing reaches."""

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: Any, optimizer: Any) -> None:
        self.found = {
            name: plain(p.grad).clone() for name, p in pl_module.named_parameters() if p.grad is not None
        }


def share(corpus: Corpus, case: str, rank: int, world_size: int) -> list:
    """`cut`: all kinds, two micro-batches a process. `apart`: DNA on one process, CDS on the other."""
    if case == "cut":
        batches = step_of(corpus, 2, 4)
    else:
        batches = [*step_of(corpus, 4, 1, cds=0, dna=1), *step_of(corpus, 4, 1, cds=1, dna=0)]
    return batches[rank::world_size]


def main(corpus_folder: str, output: str, strategy: str) -> None:
    corpus, environment = Corpus.open(Path(corpus_folder)), cluster_environment()
    world_size = environment.world_size() if environment else 1
    rank = environment.global_rank() if environment else 0
    everything = {}
    objectives = list(enumerate(OBJECTIVES))
    for case, make in product(CASES, (encoder_stage, tokenizer_stage)):
        for number, objective in objectives:
            stage, gradients = make(objective), Gradients()
            trainer = Trainer(
                max_steps=1,
                accelerator="cpu",
                devices=world_size,
                strategy=FullySharded() if strategy == "fsdp" else strategy,
                plugins=[environment] if environment else None,
                callbacks=[gradients],
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                use_distributed_sampler=False,
            )
            loader = DataLoader([share(corpus, case, rank, world_size)], batch_size=None)
            trainer.fit(stage, loader)
            for name, gradient in gradients.found.items():
                everything[f"{case} {make.__name__} {number} {name}"] = gradient
    if rank == 0:
        torch.save(everything, output)


if __name__ == "__main__":
    main(*sys.argv[1:])
