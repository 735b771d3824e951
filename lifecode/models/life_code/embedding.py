"""Hidden states of sequences of any number and length, pooled or one per codon."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lifecode.arguments import require_positive
from lifecode.data.batches.packing import NUM_SPECIAL_CODONS, pack, whole_codons
from lifecode.data.reading.named_sequences import NamedSequences, named_sequences
from lifecode.errors import UserError
from lifecode.models.chosen_layers import Layer, chosen_layers
from lifecode.models.life_code.encoder import HybridEncoder
from lifecode.models.life_code.evaluation_mode import in_evaluation, undisturbed
from lifecode.models.life_code.frames import Frames, averaged_over_frames, in_three_frames
from lifecode.models.packed_states import packed_states
from lifecode.models.pooling import Pool, embeddings, require_pool
from lifecode.models.saved import SavedModel

if TYPE_CHECKING:
    from pandas import DataFrame


class EmbedsCodons(SavedModel):
    """`embed` of a model of codons.

    Attributes:
        encoder: its layers.
    """

    encoder: HybridEncoder

    @overload
    def embed(
        self,
        sequences: Any,
        pool: Pool = "mean",
        max_codons: int = 16_384,
        frames: Frames = 0,
        *,
        layer: Layer = None,
        as_frame: Literal[False] = False,
    ) -> Tensor: ...
    @overload
    def embed(
        self,
        sequences: Any,
        pool: None,
        max_codons: int = 16_384,
        frames: Frames = 0,
        *,
        layer: Layer = None,
        as_frame: Literal[False] = False,
    ) -> list[Tensor]: ...
    @overload
    def embed(
        self,
        sequences: Any,
        pool: Pool | None = "mean",
        max_codons: int = 16_384,
        frames: Frames = 0,
        *,
        layer: Layer = None,
        as_frame: Literal[True],
    ) -> "DataFrame": ...
    @undisturbed
    def embed(
        self,
        sequences: Any,
        pool: Pool | None = "mean",
        max_codons: int = 16_384,
        frames: Frames = 0,
        *,
        layer: Layer = None,
        as_frame: bool = False,
    ) -> "Tensor | list[Tensor] | DataFrame":
        """Embeds DNA or RNA sequences; a sequence's result does not depend on the others in the call.

        With `strands="rc"` a pooled vector is the same for a sequence and its reverse complement (for
        whole codons, or for any length with `frames="average"`).

        Args:
            sequences: one sequence or several, any case, U or T: text, bytes, a Seq or SeqRecord of
                Biopython, a record of `lifecode.read_records`, or a list, iterator, array or series of such;
                or the path of a sequence file, whose records are read. A length that is no multiple of three
                is completed with unknown nucleotides.
            pool: over a sequence's codons: `mean`, `max`, or `cls` for the hidden state of `[CLS]`. None
                returns every codon's hidden state.
            max_codons: sequences are packed into rows of about this many codons; only memory depends on it.
            frames: 0 reads from the first nucleotide on. `average` reads in all three frames, for sequences
                without a known one, and averages: the pooled vectors, or for `pool=None` for each
                nucleotide the hidden states of the three codons that it is in.
            layer: the number of layers that the hidden states have passed, before the final norm and the
                output projection; None for all. Of several numbers the vectors lie one behind the other.
            as_frame: return a pandas frame of d columns instead.

        Returns:
            (n, d), or (n, k d) of k layers, in fp32; for `pool=None` a list of (ceil(length / 3), d) without
            special tokens; with `frames="average"` of (length, d). As a frame, the index `id` is the name of
            each record, or the place of a sequence without one; for `pool=None` a second level `codon` or
            `nucleotide` counts from 0. Ordinary tensors without gradient. The model is read as in
            evaluation mode and without autocast (`model.to(torch.bfloat16)` is read in half precision); its
            own modes stay, so other threads may train or embed with it meanwhile.

        Raises:
            UserError: no sequence, something that is none, an empty one, a letter that is no nucleotide, or
                an unknown `pool` or `frames`, a layer that the model does not have, or `max_codons` below 1.
        """
        require_positive(max_codons=max_codons)
        given = named_sequences(sequences)
        _require_embeddable(given, pool, frames)
        layers = chosen_layers(layer, len(self.encoder.layers))
        vectors = _embedded(
            self, given.nucleotides, pool=pool, max_codons=max_codons, frames=frames, layers=layers
        )
        level = "nucleotide" if frames == "average" else "codon"
        return embeddings(given.names, vectors, pool=pool, level=level, as_frame=as_frame)


def _embedded(
    model: nn.Module,
    sequences: Sequence[NDArray[np.uint8]],
    *,
    pool: Pool | None,
    max_codons: int,
    frames: Frames,
    layers: Sequence[int],
) -> list[Tensor]:
    """The vector (d,) of each sequence of nucleotide ids, or its states; see `EmbedsCodons.embed`."""
    if frames == 0:
        return _embed_all(model, sequences, pool, max_codons, layers)
    framed = _embed_all(model, [x for s in sequences for x in in_three_frames(s)], pool, max_codons, layers)
    triples = zip(framed[::3], framed[1::3], framed[2::3], strict=True)
    if pool is not None:
        return [torch.stack(triple).mean(0) for triple in triples]
    by_nucleotide = ([x.repeat_interleave(3, 0) for x in triple] for triple in triples)
    return [averaged_over_frames(x, len(s)) for x, s in zip(by_nucleotide, sequences, strict=True)]


def _require_embeddable(given: NamedSequences, pool: Pool | None, frames: Frames) -> None:
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
