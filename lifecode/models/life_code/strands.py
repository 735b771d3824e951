"""How the two strands of a segment pass through one shared stack (Life-Code 2.4).

- `paper`: the input is split along its features into E(+) and E(-), and the second is read backwards. It
  reverses without complementing, so it is not equivariant under reverse complement.
- `rc`: the minus strand is the reverse complement of the nucleotides, through the same tokenizer and stack.
  The reverse complement of a sequence of whole codons then reverses its codons and swaps the halves of
  their hidden states, exactly. It is made from the corrupted nucleotides: a masked letter is masked on
  both strands.
- `forward`: one strand only, for ablation.

Two strands share one call: a row of twice as many segments, the minus strand behind the plus strand.
"""

from typing import Literal

import torch
from torch import Tensor

from lifecode.alphabet import CLS, COMPLEMENT, SEP
from lifecode.ops.segments import reverse_segments_index

Strands = Literal["paper", "rc", "forward"]


def both_borders(cu_seqlens: Tensor) -> Tensor:
    """Borders (2S + 1,) of a row that holds the plus strand of S segments, then the minus strand."""
    return torch.cat([cu_seqlens, cu_seqlens[1:] + cu_seqlens[-1]])


def both_strands(ids: Tensor, cu_seqlens: Tensor) -> tuple[Tensor, Tensor]:
    """Nucleotide ids (6L,) of both strands, and their borders in codons (2S + 1,).

    The minus strand of a segment is `[CLS]`, the reverse complement of its nucleotides, `[SEP]`.

    Args:
        ids: nucleotide ids of a packed row (3L,).
        cu_seqlens: segment borders in codons (S + 1,).
    """
    return torch.cat([ids, reverse_complement_segments(ids, cu_seqlens)]), both_borders(cu_seqlens)


def reverse_complement_segments(ids: Tensor, cu_seqlens: Tensor) -> Tensor:
    """Every segment of nucleotide ids (3L,) as its opposite strand, special tokens where they were."""
    complement = torch.as_tensor(_COMPLEMENT_OF_SEGMENT, device=ids.device).to(ids.dtype)
    return complement[ids[reverse_segments_index(cu_seqlens * 3, len(ids))].long()]


def reverse_codons_index(cu_seqlens: Tensor, num_codons: int) -> Tensor:
    """Index (L,) that reverses the codons of each segment and leaves `[CLS]` and `[SEP]` where they are."""
    index = reverse_segments_index(cu_seqlens, num_codons)
    occupied = cu_seqlens.diff() > 0
    special = torch.cat([cu_seqlens[:-1][occupied], cu_seqlens[1:][occupied] - 1]).long()
    return index.index_copy(0, special, special)


def strand_invariant(pooled: Tensor) -> Tensor:
    """Vectors (..., d) pooled over a segment, both halves set to their mean: equal on either strand."""
    mean = (pooled[..., : pooled.shape[-1] // 2] + pooled[..., pooled.shape[-1] // 2 :]) / 2
    return torch.cat([mean, mean], dim=-1)


# Reversed, a segment ends with [CLS] and begins with [SEP]: exchanging the two puts them right.
_COMPLEMENT_OF_SEGMENT = COMPLEMENT.copy()
_COMPLEMENT_OF_SEGMENT[[CLS, SEP]] = SEP, CLS
