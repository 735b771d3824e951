"""What a model expects at letters masked one at a time, and how likely it holds those that are there.

A masked letter of a sequence that is read in windows is read in the window that keeps it. L letters are L
copies of the sequence, so time grows with L squared.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lifecode.arguments import require_positive
from lifecode.data.batches.packing import consecutive_rows
from lifecode.models.life_code.evaluation_mode import in_evaluation, undisturbed
from lifecode.models.luca_one.letter_model import LetterModel
from lifecode.models.luca_one.molecules import Molecules, named_tokens
from lifecode.models.luca_one.rows import NUM_SPECIAL, Tokens, Window, pack_tokens, say_of_long_ones, windows
from lifecode.models.luca_one.vocabulary import IS_CERTAIN, MASK


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


class MasksLetters(LetterModel):
    """`masked_logits` and `pseudo_log_likelihood` of a model of letters."""

    @undisturbed
    def masked_logits(
        self, sequences: Any, max_tokens: int = 16_384, *, molecule: Molecules = None
    ) -> list[Tensor]:
        """What the model expects at each letter when that letter alone is masked.

        Args:
            sequences: as for `embed`.
            max_tokens: masked copies are packed into rows of about this many tokens. L letters are L copies,
                so time grows with L squared.
            molecule: as for `embed`.

        Returns:
            For each sequence of n letters a tensor (n, 39), a column per token in the order of
            `lifecode.models.luca_one.vocabulary.TOKENS`: log-probabilities in nats over all 39, in float32,
            or float64 for a model in float64.

        Raises:
            UserError: as for `embed`.
        """
        require_positive(max_tokens=max_tokens)
        _, tokens = named_tokens(sequences, molecule)
        say_of_long_ones(tokens, self.max_letters)
        return _masked_log_probabilities(self, tokens, max_tokens=max_tokens, longest=self.max_letters)

    @undisturbed
    def pseudo_log_likelihood(
        self, sequences: Any, max_tokens: int = 16_384, *, molecule: Molecules = None
    ) -> LetterLikelihood:
        """How likely each letter is, given all the others: sum and mean of log P, in nats.

        Letters that stand for several or none (N of a gene; X, B, Z, J, `.`, `-` and `*` of a protein) are
        read and not scored.

        Args:
            sequences: as for `masked_logits`.
            max_tokens: likewise.
            molecule: likewise.

        Returns:
            `total`, `mean` and `num_letters`, (n,) each.

        Raises:
            UserError: as for `masked_logits`.
        """
        require_positive(max_tokens=max_tokens)
        _, tokens = named_tokens(sequences, molecule)
        say_of_long_ones(tokens, self.max_letters)
        rows = _masked_log_probabilities(self, tokens, max_tokens=max_tokens, longest=self.max_letters)
        return _letter_likelihood(tokens, rows)


def _masked_log_probabilities(
    model: nn.Module, sequences: Sequence[Tokens], *, max_tokens: int, longest: int
) -> list[Tensor]:
    """log P (n, 39) of each sequence with each letter masked alone; see `MasksLetters.masked_logits`."""
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


def _letter_likelihood(sequences: Sequence[Tokens], log_probabilities: Sequence[Tensor]) -> LetterLikelihood:
    """The score of each sequence from its rows of `_masked_log_probabilities`."""
    totals, counts = [], []
    for tokens, rows in zip(sequences, log_probabilities, strict=True):
        own = rows.gather(1, torch.from_numpy(tokens.ids.astype(np.int64))[:, None].to(rows.device))
        certain = torch.from_numpy(IS_CERTAIN[tokens.ids]).to(rows.device)
        totals.append(own.squeeze(1).where(certain, 0).sum())
        counts.append(certain.sum())
    total, count = torch.stack(totals), torch.stack(counts)
    return LetterLikelihood(total, total / count, count)
