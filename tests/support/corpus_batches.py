"""What a corpus is trained on: single steps, features beside them, and the data module of a run."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.data import Corpus
from lifecode.data.batches.batch import Batch
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.mixture import Mixture
from lifecode.data.batches.module import CorpusDataModule
from lifecode.data.batches.stream import TrainingStream


class RandomFeatures:
    """Some features per residue, for every second protein or for all of them."""

    def __init__(self, width: int = 2, *, of_all: bool = False) -> None:
        self.width, self.of_all = width, of_all

    def get(self, protein: bytes) -> NDArray[np.float16] | None:
        """Features of one protein, the same every time."""
        if len(protein) % 2 and not self.of_all:
            return None
        shape = (len(protein), self.width)
        return np.random.default_rng(len(protein)).normal(size=shape).astype(np.float16)


def step_of(
    corpus: Corpus,
    rows: int = 1,
    micro_batches: int = 1,
    *,
    max_codons: int = 120,
    features: RandomFeatures | None = None,
    **kinds: float,
) -> list[Batch]:
    """The micro-batches of the first step over a corpus, of so many rows each."""
    stream = TrainingStream(
        corpus,
        shape=BatchShape(max_codons=max_codons, rows=rows * micro_batches, rows_at_once=rows),
        masking=Masking(),
        mixture=Mixture(**kinds),
        seed=0,
        features=features or RandomFeatures(),
    )
    return next(iter(stream)).micro_batches


def data_module(corpus: Corpus, **changes: Any) -> CorpusDataModule:
    """The data of a run: two rows a step, of 60 codons for four steps and then of 120."""
    settings = {
        "shape": BatchShape(max_codons=120, rows=2, warmup_codons=60, warmup_steps=4),
        "mixture": Mixture(),
        "masking": Masking(),
        "seed": 0,
        "reverse_complement": True,
        "max_unknown_fraction": 0.1,
        "validation_steps": 2,
    }
    return CorpusDataModule(corpus, **{**settings, **changes})
