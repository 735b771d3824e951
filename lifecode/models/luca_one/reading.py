"""Sequences of any number and length through a model: embedded, or with each letter masked and read back.

A sequence longer than the model reads at once is read in overlapping windows, of which all but the first keep
their second half (`lifecode.models.luca_one.rows.windows`); a masked letter is read in the window that keeps
it. Of L letters the latter are L copies, so its time grows with L squared.
"""

import warnings
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lifecode.data.batches.packing import consecutive_rows
from lifecode.models.layers.norm import at_least_fp32
from lifecode.models.life_code.evaluation_mode import in_evaluation
from lifecode.models.luca_one.rows import NUM_SPECIAL, Tokens, Window, pack_tokens, windows
from lifecode.models.luca_one.vocabulary import IS_CERTAIN, MASK
from lifecode.models.pooling import Pool, pooled


class LetterLikelihood(NamedTuple):
    """Log-probability of the letters of each sequence, each given all the others; in nats.

    Attributes:
        total: sum over the scored letters of each sequence (n,).
        mean: the same per scored letter (n,); NaN where none is.
        num_letters: scored letters (n,), those that stand for one nucleotide or residue; int64.
    """

    total: Tensor
    mean: Tensor
    num_letters: Tensor


def say_of_long_ones(sequences: Sequence[Tokens], longest: int) -> None:
    """A Python warning, for the caller of the model's method, of how longer sequences will be read."""
    if any(len(tokens.ids) > longest for tokens in sequences):
        warnings.warn(
            f"a sequence longer than {longest:,} letters is read in overlapping windows of {longest:,}, "
            "of which all but the first keep their second half",
            stacklevel=5,
        )


def embedded(
    model: nn.Module,
    sequences: Sequence[Tokens],
    *,
    pool: Pool | None,
    max_tokens: int,
    longest: int,
    layer: int,
) -> list[Tensor]:
    """The vector (d,) of each sequence, or its states (n, d), behind a layer; see `LucaOne.embed`."""
    reader = in_evaluation(model)
    vectors: list[Tensor] = []
    for _, parts in groupby(_read(reader, sequences, max_tokens, longest, layer), key=itemgetter(0)):
        firsts, kept = [], []
        for _, window, states in parts:
            firsts.append(states[0])
            kept.append(states[1 + window.kept - window.start : -1])
        first = firsts[0] if len(firsts) == 1 else torch.stack(firsts).mean(0)
        letters = kept[0].clone() if len(kept) == 1 else torch.cat(kept)
        vectors.append(letters if pool is None else pooled(first, letters, pool))
    return vectors


def _read(
    reader: Any, sequences: Sequence[Tokens], max_tokens: int, longest: int, layer: int
) -> Iterator[tuple[int, Window, Tensor]]:
    """Number of the sequence, a window of it, and the states (n + 2, d) of that, in order."""
    pieces = [
        (number, window)
        for number, tokens in enumerate(sequences)
        for window in windows(len(tokens.ids), longest)
    ]
    cut = [Tokens(sequences[number].ids[w.start : w.end], sequences[number].kind) for number, w in pieces]
    for row in consecutive_rows([len(tokens.ids) + NUM_SPECIAL for tokens in cut], max_tokens):
        packed = pack_tokens(cut[row])
        hidden = at_least_fp32(reader.encode(packed, layer))
        lengths = packed.cu_seqlens.diff().tolist()
        for (number, window), states in zip(pieces[row], hidden.split(lengths), strict=True):
            yield number, window, states


def masked_log_probabilities(
    model: nn.Module, sequences: Sequence[Tokens], *, max_tokens: int, longest: int
) -> list[Tensor]:
    """log P (n, 39) of each sequence with each letter masked alone; see `LucaOne.masked_logits`."""
    reader = in_evaluation(model)
    copies = [
        (tokens, window, place)
        for tokens in sequences
        for window in windows(len(tokens.ids), longest)
        for place in range(window.kept, window.end)
    ]
    lengths = [window.end - window.start + NUM_SPECIAL for _, window, _ in copies]
    rows = []
    for row in consecutive_rows(lengths, max_tokens):
        packed = pack_tokens([_with_mask(*copy) for copy in copies[row]])
        within = [1 + place - window.start for _, window, place in copies[row]]
        at = packed.cu_seqlens[:-1].long() + torch.tensor(within)
        hidden = reader.encode(packed)
        rows.append(reader.language_logits(hidden[at.to(hidden.device)]).log_softmax(-1))
    return list(torch.cat(rows).split([len(tokens.ids) for tokens in sequences]))


def _with_mask(tokens: Tokens, window: Window, place: int) -> Tokens:
    """The letters of a window, of which that at `place`, counted on the sequence, is masked."""
    ids = tokens.ids[window.start : window.end].copy()
    ids[place - window.start] = MASK
    return Tokens(ids, tokens.kind)


def letter_likelihood(sequences: Sequence[Tokens], log_probabilities: Sequence[Tensor]) -> LetterLikelihood:
    """The score of each sequence from its rows of `masked_log_probabilities`."""
    totals, counts = [], []
    for tokens, rows in zip(sequences, log_probabilities, strict=True):
        own = rows.gather(1, torch.from_numpy(tokens.ids.astype(np.int64))[:, None].to(rows.device))
        certain = torch.from_numpy(IS_CERTAIN[tokens.ids]).to(rows.device)
        totals.append(own.squeeze(1).where(certain, 0).sum())
        counts.append(certain.sum())
    total, count = torch.stack(totals), torch.stack(counts)
    return LetterLikelihood(total, total / count, count)
