"""Sequences of any number and length through a model: a vector of each, or one of every letter.

A sequence longer than the model reads at once is read in overlapping windows, of which all but the first keep
their second half (`lifecode.models.luca_one.rows.windows`).
"""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, overload

import torch
from torch import Tensor, nn

from lifecode.arguments import require_positive
from lifecode.errors import UserError
from lifecode.models.chosen_layers import Layer, chosen_layers
from lifecode.models.life_code.evaluation_mode import in_evaluation, undisturbed
from lifecode.models.luca_one.letter_model import LetterModel
from lifecode.models.luca_one.molecules import Molecules, named_tokens
from lifecode.models.luca_one.rows import NUM_SPECIAL, Tokens, Window, pack_tokens, say_of_long_ones, windows
from lifecode.models.packed_states import packed_states
from lifecode.models.pooling import Pool, embeddings, pooled, require_pool

if TYPE_CHECKING:
    from pandas import DataFrame


class EmbedsLetters(LetterModel):
    """`embed` of a model of letters."""

    @overload
    def embed(
        self,
        sequences: Any,
        pool: Pool = "mean",
        max_tokens: int = 16_384,
        frames: Literal[0] = 0,
        *,
        molecule: Molecules = None,
        layer: Layer = None,
        as_frame: Literal[False] = False,
    ) -> Tensor: ...
    @overload
    def embed(
        self,
        sequences: Any,
        pool: None,
        max_tokens: int = 16_384,
        frames: Literal[0] = 0,
        *,
        molecule: Molecules = None,
        layer: Layer = None,
        as_frame: Literal[False] = False,
    ) -> list[Tensor]: ...
    @overload
    def embed(
        self,
        sequences: Any,
        pool: Pool | None = "mean",
        max_tokens: int = 16_384,
        frames: Literal[0] = 0,
        *,
        molecule: Molecules = None,
        layer: Layer = None,
        as_frame: Literal[True],
    ) -> "DataFrame": ...
    @undisturbed
    def embed(
        self,
        sequences: Any,
        pool: Pool | None = "mean",
        max_tokens: int = 16_384,
        frames: object = 0,
        *,
        molecule: Molecules = None,
        layer: Layer = None,
        as_frame: bool = False,
    ) -> "Tensor | list[Tensor] | DataFrame":
        """Embeds nucleic acids and proteins; a sequence's result does not depend on the others in the call.

        Args:
            sequences: one or several, in either case: text, bytes, a Seq or SeqRecord of Biopython, a record
                of `lifecode.read_records`, or a list, iterator, array or series of such; or the path of a
                sequence file, whose records are read.
            pool: over a sequence's letters: `mean`, `max`, or `cls` for the hidden state of `[CLS]` (of a
                sequence that is read in windows their mean). None returns every letter's hidden state.
            max_tokens: sequences are packed into rows of about this many tokens; only memory depends on it.
            frames: 0; a model of letters has no reading frames.
            molecule: what the sequences are, one word for all or a list: `dna`, `rna`, `gene`, `nucleotide`,
                or `protein`. Records of files say it themselves.
            layer: the number of layers that the hidden states have passed, before the final norm; None for
                all. Of several numbers the vectors lie one behind the other.
            as_frame: return a pandas frame of d columns instead.

        Returns:
            (n, d), or (n, k d) of k layers, in fp32; for `pool=None` a list of (length, d) without special
            tokens. As a frame, the index `id` is the name of each record, or the place of a sequence without
            one; for `pool=None` a second level `letter` counts from 0. Ordinary tensors without gradient.
            The model is read as in evaluation mode and without autocast, and its own modes stay.

        Warns:
            UserWarning: sequences longer than `max_letters` are read in overlapping windows.

        Raises:
            UserError: no sequence, something that is none, an empty one, a molecule that is unknown or not
                said, a character that is no letter, an unknown `pool` or `frames`, or a layer that the model
                does not have.
        """
        require_pool(pool)
        layers = chosen_layers(layer, len(self.encoder.layers))
        if frames != 0:
            raise UserError(
                f"a model of family {self.family} reads single letters, which have no reading frames",
                source="frames",
                remedy="Leave it out",
            )
        require_positive(max_tokens=max_tokens)
        names, tokens = named_tokens(sequences, molecule)
        say_of_long_ones(tokens, self.max_letters)
        vectors = _embedded(
            self, tokens, pool=pool, max_tokens=max_tokens, longest=self.max_letters, layers=layers
        )
        return embeddings(names, vectors, pool=pool, level="letter", as_frame=as_frame)


def _embedded(
    model: nn.Module,
    sequences: Sequence[Tokens],
    *,
    pool: Pool | None,
    max_tokens: int,
    longest: int,
    layers: Sequence[int],
) -> list[Tensor]:
    """The vector (k d,) of each sequence, or its states (n, k d), of k layers; see `EmbedsLetters.embed`."""
    pieces = [
        (number, window)
        for number, tokens in enumerate(sequences)
        for window in windows(len(tokens.ids), longest)
    ]
    cut = [Tokens(sequences[number].ids[w.start : w.end], sequences[number].kind) for number, w in pieces]
    lengths = [len(tokens.ids) + NUM_SPECIAL for tokens in cut]
    states = packed_states(
        in_evaluation(model), cut, lengths, pack_tokens, max_tokens=max_tokens, layers=layers
    )
    vectors = []
    for _, parts in groupby(zip(pieces, states, strict=True), key=lambda part: part[0][0]):
        own, behind = zip(*((window, behind) for (_, window), behind in parts), strict=True)
        vectors.append(torch.cat([_joined(own, one, pool) for one in zip(*behind, strict=True)], dim=-1))
    return vectors


def _joined(own: Sequence[Window], states: Sequence[Tensor], pool: Pool | None) -> Tensor:
    """The vector (d,) of a sequence, or its states (n, d), from those (n + 2, d) of its windows."""
    letters = torch.cat([x[1 + w.kept - w.start : -1] for w, x in zip(own, states, strict=True)])
    return letters if pool is None else pooled(torch.stack([x[0] for x in states]).mean(0), letters, pool)
