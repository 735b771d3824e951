"""Hidden states of sequences of any number and length, pooled or one per codon."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lifecode.data.batches.packing import NUM_SPECIAL_CODONS, pack, whole_codons
from lifecode.data.reading.named_sequences import NamedSequences
from lifecode.errors import UserError
from lifecode.models.life_code.evaluation_mode import in_evaluation
from lifecode.models.life_code.frames import Frames, averaged_over_frames, in_three_frames
from lifecode.models.packed_states import packed_states
from lifecode.models.pooling import Pool, require_pool


def embed(
    model: nn.Module,
    sequences: Sequence[NDArray[np.uint8]],
    *,
    pool: Pool | None,
    max_codons: int,
    frames: Frames,
    layers: Sequence[int],
) -> list[Tensor]:
    """The vector (d,) of each sequence of nucleotide ids, or its states; see `LifeCode.embed`."""
    if frames == 0:
        return _embed_all(model, sequences, pool, max_codons, layers)
    framed = _embed_all(model, [x for s in sequences for x in in_three_frames(s)], pool, max_codons, layers)
    triples = zip(framed[::3], framed[1::3], framed[2::3], strict=True)
    if pool is not None:
        return [torch.stack(triple).mean(0) for triple in triples]
    by_nucleotide = ([x.repeat_interleave(3, 0) for x in triple] for triple in triples)
    return [averaged_over_frames(x, len(s)) for x, s in zip(by_nucleotide, sequences, strict=True)]


def require_embeddable(given: NamedSequences, pool: Pool | None, frames: Frames) -> None:
    """Raises a UserError for no sequence, an empty one, or an unknown `pool` or `frames`."""
    require_pool(pool)
    if frames not in (0, "average"):
        raise UserError(f"frames {frames!r} is unknown", remedy="Choose 0 or 'average'")
    require_sequences(given, "embed")


def require_sequences(given: NamedSequences, purpose: str) -> None:
    """Raises a UserError for no sequence or an empty one; `purpose` is a verb."""
    if not given.nucleotides or not all(map(len, given.nucleotides)):
        named = zip(given.names, given.nucleotides, strict=True)
        empty = next((name for name, sequence in named if not len(sequence)), None)
        raise UserError(
            f"there is no sequence to {purpose}", record=empty, remedy="Give at least one nucleotide"
        )


def _embed_all(
    model: nn.Module,
    sequences: Sequence[NDArray[np.uint8]],
    pool: Pool | None,
    max_codons: int,
    layers: Sequence[int],
) -> list[Tensor]:
    reader = in_evaluation(model)
    whole = [whole_codons(sequence) for sequence in sequences]
    lengths = [len(sequence) // 3 + NUM_SPECIAL_CODONS for sequence in whole]
    return [
        torch.cat([own[1:-1] if pool is None else reader.pooled(own, pool) for own in behind], dim=-1)
        for behind in packed_states(reader, whole, lengths, pack, max_tokens=max_codons, layers=layers)
    ]
