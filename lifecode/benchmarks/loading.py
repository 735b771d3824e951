"""The training loader: how fast one core makes ready batches of packed and masked rows.

A call goes on where the last one stopped, so that the planning of chunks counts as often as in training.
Nucleotides are those of the sequences, special tokens and what a row leaves empty not counted.
"""

from collections.abc import Iterator
from pathlib import Path

from lifecode.data.batch_shape import BatchShape
from lifecode.data.engine import LocalEngine
from lifecode.data.masking import Masking
from lifecode.data.mixture import Mixture
from lifecode.data.prepare import prepare_corpus
from lifecode.data.stream import Step, TrainingStream

PART = "load"
LOADER = "loader"


class LoaderCall:
    """The workload: CDS and DNA windows of one genome, without a teacher.

    Args:
        file: the genome.
        folder: where its corpus is made.
        num_nucleotides: that a call delivers, at least.
    """

    def __init__(self, file: Path, folder: Path, num_nucleotides: int) -> None:
        self.corpus = prepare_corpus(file, folder, engine=LocalEngine(1))
        self.num_nucleotides = num_nucleotides
        self.steps: Iterator[Step] = iter(())

    def prepare(self, length: int) -> dict[str, float]:
        """Begins a stream of rows of `length` codons; returns how full its first 256 rows are."""
        stream = TrainingStream(
            self.corpus, shape=BatchShape(max_codons=length), mixture=Mixture(), masking=Masking(), seed=0
        )
        self.steps = iter(stream)
        chunk = stream.first_chunk()
        return {"filled": chunk.filled, "num_cut": chunk.num_cut}

    def run(self, part: str) -> None:
        """Takes steps until they hold enough nucleotides."""
        taken = 0
        while taken < self.num_nucleotides:
            taken += sum(batch.num_nucleotides for batch in next(self.steps).micro_batches)
