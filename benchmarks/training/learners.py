"""What a training step trains: our model, or a peer of the same size, on random sequences.

A learner holds a model, makes batches and computes the masked modelling loss, nothing else. Both kinds train
all their parameters, without dropout.
"""

from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.training.peers import Peer, PeerSize, build_peer
from lifecode.alphabet import IGNORE
from lifecode.data.batches.batch import Batch, Segment, corrupt_and_pack
from lifecode.data.batches.masking import Masking, generator
from lifecode.data.batches.packing import whole_codons
from lifecode.models.life_code.model import LifeCode
from lifecode.objectives.masked_modelling import nucleotide_loss
from lifecode.randomness.random_words import Use, word_key

MASKED_FRACTION = 0.15


class Learner(Protocol):
    """A model with its batches and its loss."""

    @property
    def model(self) -> nn.Module:
        """What is trained."""
        ...

    def batch(self, num_sequences: int, num_nucleotides: int) -> Any:
        """Random sequences of one length, masked."""
        ...

    def loss(self, batch: Any) -> Tensor:
        """Masked modelling loss of a batch, scalar, in nats a masked position."""
        ...


class LifeCodeLearner:
    """Our model on packed DNA, masked by nucleotide.

    Args:
        config: as in config.json, see `LifeCode.from_config`.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self.model = LifeCode.from_config(config).train()

    def batch(self, num_sequences: int, num_nucleotides: int) -> Batch:
        """One packed row with a segment for each sequence."""
        random = generator(0)
        ids = [random.integers(0, 4, num_nucleotides, dtype=np.uint8) for _ in range(num_sequences)]
        keys = word_key(Use.MASK, np.arange(num_sequences))
        return corrupt_and_pack([Segment(whole_codons(x)) for x in ids], Masking(), keys)

    def loss(self, batch: Batch) -> Tensor:
        """Loss over the nucleotides that masking selected, through the de-tokenizer."""
        embeddings = self.model.codon_projection(self.model(batch.ids, batch.cu_seqlens))
        return nucleotide_loss(self.model.codec, embeddings, batch, positions="selected").mean


class PeerLearner:
    """A masked language model of transformers, sequences of equal length without padding.

    Args:
        peer: which model.
        size: of it.
    """

    def __init__(self, peer: Peer, size: PeerSize) -> None:
        self.peer = peer
        self.model = build_peer(peer, size).train()

    def batch(self, num_sequences: int, num_nucleotides: int) -> tuple[Tensor, Tensor]:
        """Token ids and labels (num_sequences, tokens), labels -100 but where a token is masked."""
        random = torch.Generator().manual_seed(0)
        shape = (num_sequences, self.peer.num_tokens(num_nucleotides))
        labels = torch.randint(0, self.peer.num_words, shape, generator=random)
        masked = torch.rand(shape, generator=random) < MASKED_FRACTION
        masked[:, 1] = True  # a short sequence has a loss too
        return labels.masked_fill(masked, self.peer.mask_id), labels.masked_fill(~masked, IGNORE)

    def loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Cross-entropy at the masked tokens."""
        ids, labels = batch
        return self.model(input_ids=ids, labels=labels).loss
