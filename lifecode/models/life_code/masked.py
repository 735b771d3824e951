"""What a model makes of a codon from all the others: each codon masked alone, and read back.

A sequence of L codons becomes L copies, each with `[MASK]` in the place of one codon. Copies are packed into
rows of a budget of codons, which bounds the memory; time grows with L squared.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lifecode.alphabet import codon_ids
from lifecode.arguments import require_positive
from lifecode.data.batches.packing import NUM_SPECIAL_CODONS, consecutive_rows
from lifecode.data.reading.named_sequences import NamedSequences, named_sequences
from lifecode.errors import UserError
from lifecode.models.life_code.embedding import require_sequences
from lifecode.models.life_code.evaluation_mode import undisturbed
from lifecode.models.life_code.masked_readers import CodonReader
from lifecode.models.saved import SavedModel


class PseudoLogLikelihood(NamedTuple):
    """Log-probability of the codons of each sequence, each given all the others; in nats.

    Attributes:
        total: sum over the scored codons of each sequence (n,).
        mean: the same per scored codon (n,); NaN where none is.
        num_codons: scored codons (n,), those without an ambiguous nucleotide; int64.
    """

    total: Tensor
    mean: Tensor
    num_codons: Tensor


class MasksCodons(SavedModel):
    """`masked_logits` and `pseudo_log_likelihood` of a model of codons."""

    def masked_logits(self, sequences: Any, max_codons: int = 16_384) -> list[Tensor]:
        """What the model expects at each codon of coding sequences when that codon alone is masked.

        Every codon is masked once, start and stop codon and those with an ambiguous nucleotide too, and all
        others are given. A sequence's result does not depend on the others in the call.

        Args:
            sequences: of whole codons, in frame; otherwise as for `embed`.
            max_codons: masked copies are packed into rows of about this many codons; only memory depends on
                it. L codons are L copies of L + 2, so time grows with L squared.

        Returns:
            For each sequence of L codons a tensor (L, 64), a column per codon in the order of
            `lifecode.alphabet.CODONS`. The logits are log-probabilities in nats (their logsumexp is 0), in
            float32, or float64 for a model in float64. Ordinary tensors without gradient, on the model's
            device; the model is read as in evaluation mode and without autocast, and its own modes stay.

        Raises:
            UserError: no sequence, an empty one, one whose length is no multiple of 3, a letter that is no
                nucleotide, a file of proteins, or `max_codons` below 1.
        """
        require_positive(max_codons=max_codons)
        given = named_sequences(sequences, coding=True)
        require_whole_codons(given)
        return masked_logits(self, given.nucleotides, max_codons=max_codons)

    def pseudo_log_likelihood(self, sequences: Any, max_codons: int = 16_384) -> PseudoLogLikelihood:
        """How likely each codon of coding sequences is, given all the others: sum and mean of log P, in nats.

        Every codon counts, start and stop codon too, but for those with an ambiguous nucleotide.

        Args:
            sequences: as for `masked_logits`.
            max_codons: likewise.

        Returns:
            `total`, `mean` and `num_codons`, (n,) each; dtype as for `masked_logits`.

        Raises:
            UserError: as for `masked_logits`.
        """
        require_positive(max_codons=max_codons)
        given = named_sequences(sequences, coding=True)
        require_whole_codons(given)
        return pseudo_log_likelihood(self, given.nucleotides, max_codons=max_codons)


def require_whole_codons(given: NamedSequences) -> None:
    """Raises a UserError for no sequence, an empty one, or one that is not of whole codons."""
    require_sequences(given, "score")
    for name, sequence in zip(given.names, given.nucleotides, strict=True):
        if len(sequence) % 3:
            raise UserError(
                f"{len(sequence):,} nucleotides are no whole number of codons",
                record=name,
                remedy="Give a coding sequence from its first codon on, whose length is a multiple of 3",
            )


@undisturbed
def masked_logits(
    model: nn.Module, sequences: Sequence[NDArray[np.uint8]], *, max_codons: int
) -> list[Tensor]:
    """The logits (L, 64) of each sequence of nucleotide ids; see `MasksCodons.masked_logits`."""
    logits = torch.cat([rows for _, rows in _read(model, sequences, max_codons)])
    return list(logits.split([len(sequence) // 3 for sequence in sequences]))


@undisturbed
def pseudo_log_likelihood(
    model: nn.Module, sequences: Sequence[NDArray[np.uint8]], *, max_codons: int
) -> PseudoLogLikelihood:
    """The score of each sequence of nucleotide ids; see `MasksCodons.pseudo_log_likelihood`."""
    codons = np.concatenate([codon_ids(sequence) for sequence in sequences])
    scores = torch.cat(
        [
            rows.gather(1, torch.from_numpy(codons[copies]).long().clamp(min=0)[:, None].to(rows.device))
            for copies, rows in _read(model, sequences, max_codons)
        ]
    ).squeeze(1)
    known = torch.from_numpy(codons >= 0).to(scores.device)
    lengths = [len(sequence) // 3 for sequence in sequences]
    total = torch.stack([own.sum() for own in scores.where(known, 0).split(lengths)])
    num_codons = torch.stack([own.sum() for own in known.split(lengths)])
    return PseudoLogLikelihood(total, total / num_codons, num_codons)


def _read(
    model: nn.Module, sequences: Sequence[NDArray[np.uint8]], max_codons: int
) -> Iterator[tuple[slice, Tensor]]:
    """Row by row: which copies are in it, counted over all sequences, and log P(codon) of each (n, 64)."""
    reader = CodonReader(model)
    reader.places_per_call = max_codons
    lengths = np.array([len(sequence) // 3 for sequence in sequences], dtype=np.int64)
    owner = np.repeat(np.arange(len(sequences)), lengths)
    position = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    for copies in consecutive_rows(lengths[owner] + NUM_SPECIAL_CODONS, max_codons):
        own = [sequences[number] for number in owner[copies]]
        alone = position[copies, None].tolist()
        yield copies, torch.cat(reader.log_probabilities(own, masked=alone, read=alone))
