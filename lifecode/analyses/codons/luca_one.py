"""Masked codons of LucaOne: all three letters are masked, and log P is the sum over them.

Letters other than A, C, G and T are left out of the softmax, so that the 64 codons share all probability.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from lifecode.alphabet import UNK
from lifecode.data.batches.packing import consecutive_rows
from lifecode.errors import UserError
from lifecode.models.luca_one.model import LucaOne
from lifecode.models.luca_one.rows import NUM_SPECIAL, Tokens, pack_tokens
from lifecode.models.luca_one.vocabulary import MASK, tokens_of_nucleotides

_MAX_TOKENS = 8_192
_LETTERS = tokens_of_nucleotides(np.arange(4, dtype=np.uint8)).astype(np.int64)
"""Tokens of A, C, G, T."""


@torch.inference_mode()
def masked_log_probabilities(
    model: LucaOne, sequences: Sequence[NDArray[np.integer]], at: Sequence[NDArray[np.integer]]
) -> list[NDArray[np.float64]]:
    """log P (n, 64) of the codons at some positions (n,) of each sequence of codon ids, masked below 0.

    Raises:
        UserError: a sequence is longer than the model reads at once.
    """
    longest = max((3 * len(codons) for codons in sequences), default=0)
    if longest > model.max_letters:
        raise UserError(
            f"genes have {longest:,} nucleotides, and the model reads {model.max_letters:,} at once",
            source="kind.max_codons",
            remedy=f"Give at most {model.max_letters // 3}",
        )
    read: list[NDArray[np.float64]] = []
    tokens = [_tokens(codons) for codons in sequences]
    for row in consecutive_rows([len(own.ids) + NUM_SPECIAL for own in tokens], _MAX_TOKENS):
        packed = pack_tokens(tokens[row])
        hidden = model.encode(packed)
        firsts = packed.cu_seqlens[:-1].tolist()
        for first, positions in zip(firsts, at[row], strict=True):
            letters = first + 1 + 3 * np.asarray(positions, dtype=np.int64)[:, None] + np.arange(3)
            logits = model.language_logits(hidden[torch.from_numpy(letters.ravel()).to(hidden.device)])
            log_p = logits[:, _LETTERS].double().log_softmax(-1).cpu().numpy().reshape(-1, 3, 4)
            joint = log_p[:, 0, :, None, None] + log_p[:, 1, None, :, None] + log_p[:, 2, None, None, :]
            read.append(joint.reshape(-1, 64))
    return read


def _tokens(codons: NDArray[np.integer]) -> Tokens:
    known = np.asarray(codons, dtype=np.int64)
    triplets = np.stack([known >> 4, (known >> 2) & 3, known & 3], axis=1)
    ids = tokens_of_nucleotides(np.where(known[:, None] < 0, UNK, triplets).astype(np.uint8).ravel())
    ids[np.repeat(known < 0, 3)] = MASK
    return Tokens(ids, "nucleic acid")
