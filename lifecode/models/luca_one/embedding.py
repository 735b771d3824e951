"""Sequences of any number and length through a model: a vector of each, or one of every letter.

A sequence longer than the model reads at once is read in overlapping windows, of which all but the first keep
their second half (`lifecode.models.luca_one.rows.windows`).
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal, overload

import torch
from torch import Tensor, nn

from lifecode.data.batches.packing import consecutive_rows
from lifecode.errors import UserError
from lifecode.models.chosen_layers import Layer, chosen_layers
from lifecode.models.layers.norm import at_least_fp32
from lifecode.models.life_code.evaluation_mode import in_evaluation
from lifecode.models.luca_one.letter_model import LetterModel
from lifecode.models.luca_one.molecules import Molecules, named_tokens
from lifecode.models.luca_one.rows import NUM_SPECIAL, Tokens, Window, pack_tokens, say_of_long_ones, windows
from lifecode.models.pooling import Pool, pooled, require_pool, vectors_frame

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
    @torch.inference_mode(False)
    @torch.no_grad()
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
            tokens. As a frame, the
            index `id` is the name of each record, or the place of a sequence without one; for `pool=None` a
            second level `letter` counts from 0. Ordinary tensors without gradient. The model is read as in
            evaluation mode, and its own modes stay.

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
        names, tokens = named_tokens(sequences, molecule)
        say_of_long_ones(tokens, self.max_letters)
        behind = [
            _embedded(self, tokens, pool=pool, max_tokens=max_tokens, longest=self.max_letters, layer=number)
            for number in layers
        ]
        vectors = [torch.cat(own, dim=-1) for own in zip(*behind, strict=True)]
        if as_frame:
            return vectors_frame(names, vectors, level="letter" if pool is None else None)
        return vectors if pool is None else torch.stack(vectors)


def _embedded(
    model: nn.Module,
    sequences: Sequence[Tokens],
    *,
    pool: Pool | None,
    max_tokens: int,
    longest: int,
    layer: int,
) -> list[Tensor]:
    """The vector (d,) of each sequence, or its states (n, d), behind a layer; see `EmbedsLetters.embed`."""
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
