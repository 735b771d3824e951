"""Hidden states of a sequence that is too long for memory, a chunk of codons at a time, exactly.

A stack without attention needs of everything it has read only a recurrent state and three rows a layer, so
it can go on where it stopped. The plus strand is read from left to right; the minus strand of `paper` from
right to left, that of `rc` from left to right on the opposite strand. The tokenizer reads in both
directions: what it remembers at the border of each chunk is found first, after which any chunk can be had.
Memory grows with the chunk, not with the sequence; the result goes to an array that may be a file.
"""

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifecode.alphabet import reverse_complement
from lifecode.data.batches.packing import NUM_SPECIAL_CODONS, pack, whole_codons
from lifecode.errors import UserError
from lifecode.models.layers.block import Block
from lifecode.models.layers.gated_deltanet import GatedDeltaNet, Memory
from lifecode.models.layers.norm import at_least_fp32
from lifecode.models.life_code.encoder import HybridEncoder
from lifecode.models.life_code.evaluation_mode import undisturbed
from lifecode.models.life_code.model import LifeCode
from lifecode.models.life_code.strands import reverse_codons_index
from lifecode.models.life_code.tokenizer import CodonTokenizer
from lifecode.models.saved import SavedModel


@undisturbed
def stream_hidden_states(
    model: LifeCode,
    nucleotides: NDArray[np.uint8],
    hidden: NDArray[np.float32],
    *,
    chunk_codons: int = 16_384,
    on_chunk: Callable[[int, int], Any] = lambda done, total: None,
) -> None:
    """Writes what `model.encode(pack([nucleotides]))` gives, without holding more than a chunk in memory.

    Args:
        model: in evaluation mode, all of whose layers stream: without attention (`hybrid_ratio` a:0).
        nucleotides: ids (n,).
        hidden: filled; (ceil(n / 3) + 2, d), the first row for `[CLS]` and the last for `[SEP]`; a
            `numpy.memmap` for instance.
        chunk_codons: codons in memory at a time.
        on_chunk: called after each chunk of each strand with how many are done, and of how many.

    Raises:
        UserError: the encoder has attention layers, the tokenizer is the linear one, or `hidden` has another
            shape.
    """
    require_streamable(model)
    sequence = whole_codons(nucleotides)
    num_codons = len(sequence) // 3 + NUM_SPECIAL_CODONS
    if hidden.shape != (num_codons, model.width):
        raise UserError(f"hidden must have shape {(num_codons, model.width)}, not {hidden.shape}")
    encoder, strands = model.encoder, model.encoder.strands
    num_chunks = -(-num_codons // chunk_codons) * (1 if strands == "forward" else 2)
    counted = iter(range(1, num_chunks + 1))

    def written(rows: Any, columns: slice, states: Tensor, *, add: bool = False) -> None:
        values = at_least_fp32(encoder.out_proj(states)).cpu().numpy()
        hidden[rows, columns] = hidden[rows, columns] + values if add else values
        on_chunk(next(counted), num_chunks)

    tokenizer = cast(CodonTokenizer, model.codec.tokenizer)
    plus = _TokenizedChunks(tokenizer, sequence, chunk_codons)
    everything = slice(None)
    if strands == "forward":
        for rows, states in _read_strand(encoder, plus, encoder.in_proj):
            written(rows, everything, states)
    elif strands == "rc":
        half = model.width // 2
        for rows, states in _read_strand(encoder, plus, encoder.in_proj):
            written(rows, slice(half), states)
        minus = _TokenizedChunks(tokenizer, reverse_complement(sequence), chunk_codons)
        on_plus = reverse_codons_index(torch.tensor([0, num_codons], device="cpu"), num_codons).numpy()
        for rows, states in _read_strand(encoder, minus, encoder.in_proj):
            written(on_plus[rows], slice(half, None), states)
    else:
        # out_proj has no bias, so the two strands can go through it one after the other.
        for rows, states in _read_strand(encoder, plus, lambda x: encoder.in_proj(x).chunk(2, -1)[0]):
            written(rows, everything, torch.cat([states, torch.zeros_like(states)], -1))
        reading = _read_strand(encoder, plus, lambda x: encoder.in_proj(x).chunk(2, -1)[1], backwards=True)
        for rows, states in reading:
            written(rows, everything, torch.cat([torch.zeros_like(states), states], -1), add=True)


def require_streamable(model: SavedModel) -> LifeCode:
    """The model; raises a UserError if it must see a whole sequence at once, or has the linear tokenizer."""
    if not isinstance(model, LifeCode):
        raise UserError(
            f"a model of family {model.family} must see a whole sequence at once",
            remedy="On the command line, context=unit reads each alone",
        )
    if not isinstance(model.codec.tokenizer, CodonTokenizer):
        raise UserError(
            "a model with the linear tokenizer cannot be streamed",
            remedy="On the command line, context=unit reads windows alone",
        )
    others = {layer.mixer.label for layer in _layers(model.encoder) if not layer.mixer.streams}
    if others:
        raise UserError(
            f"a model with attention layers ({', '.join(sorted(others))}) cannot be streamed",
            remedy="Use a model of ratio a:0; on the command line, context=unit reads windows alone",
        )
    return model


def _layers(encoder: HybridEncoder) -> list[Block]:
    return [cast(Block, layer) for layer in encoder.layers]


def _read_strand(
    encoder: HybridEncoder,
    chunks: "_TokenizedChunks",
    project: Callable[[Tensor], Tensor],
    *,
    backwards: bool = False,
) -> Iterator[tuple[slice, Tensor]]:
    """Rows and states (codons, d) after the final norm, chunk by chunk in reading order."""
    mixers = [cast(GatedDeltaNet, layer.mixer) for layer in _layers(encoder)]
    memories = [mixer.blank_memory() for mixer in mixers]
    order = range(len(chunks.rows))
    for number in reversed(order) if backwards else order:
        x = at_least_fp32(project(chunks.codon_embeddings(number)))
        x = x.flip(0) if backwards else x
        for depth, (layer, mixer) in enumerate(zip(_layers(encoder), mixers, strict=True)):
            normed = layer.mixer_norm(x)
            reading, memories[depth] = mixer.read_on(normed, memories[depth])
            x = layer.after_mixer(x, mixer.mix(normed, [reading]))
        states = encoder.norm(x)
        yield chunks.rows[number], states.flip(0) if backwards else states


class _TokenizedChunks:
    """Codon embeddings of `[CLS]`, a sequence and `[SEP]`, of any chunk at a time.

    Attributes:
        rows: the codons of each chunk.
    """

    def __init__(self, tokenizer: CodonTokenizer, sequence: NDArray[np.uint8], chunk_codons: int) -> None:
        self._tokenizer, self._block = tokenizer, tokenizer.block
        self._mixer = cast(GatedDeltaNet, tokenizer.block.mixer)
        packed = pack([sequence])
        self._ids = packed.ids
        starts = range(0, packed.num_codons, chunk_codons)
        self.rows = [slice(start, min(start + chunk_codons, packed.num_codons)) for start in starts]
        numbers = range(len(self.rows))
        self._from_left = self._memories(numbers, reverse=False)
        both = self._mixer.direction == "both"
        self._from_right = self._memories(reversed(numbers), reverse=True) if both else None
        # A chunk is asked for once itself and once by either neighbour.
        self._block_output = functools.lru_cache(maxsize=3)(self._uncached_block_output)

    def codon_embeddings(self, number: int) -> Tensor:
        """(codons, codon_dim) of a chunk."""
        states = self._block_output(number)
        # The convolution looks one nucleotide beyond the chunk: lend it a codon on either side.
        border = states.new_zeros(3, states.shape[1])
        before = self._block_output(number - 1)[-3:] if number > 0 else border
        after = self._block_output(number + 1)[:3] if number + 1 < len(self.rows) else border
        lent = torch.cat([before, states, after])
        borders = torch.tensor([0, len(lent)], device=lent.device)
        return self._tokenizer.to_codons(lent, borders)[1:-1]

    def _memories(self, order: Iterable[int], *, reverse: bool) -> dict[int, Memory]:
        """What the block remembers when it comes to each chunk in this direction."""
        memory, memories = self._mixer.blank_memory(), {}
        for number in order:
            memories[number] = memory
            normed = self._block.mixer_norm(self._embedded(number))
            _, memory = self._mixer.read_on(normed, memory, reverse=reverse)
        return memories

    def _uncached_block_output(self, number: int) -> Tensor:
        x = self._embedded(number)
        normed = self._block.mixer_norm(x)
        readings = [self._mixer.read_on(normed, self._from_left[number])[0]]
        if self._from_right is not None:
            readings.append(self._mixer.read_on(normed, self._from_right[number], reverse=True)[0])
        return self._block.after_mixer(x, self._mixer.mix(normed, readings))

    def _embedded(self, number: int) -> Tensor:
        rows = self.rows[number]
        ids = self._ids[3 * rows.start : 3 * rows.stop]
        weight = self._tokenizer.embedding.weight
        return self._tokenizer.embedding(ids.to(weight.device).int())
