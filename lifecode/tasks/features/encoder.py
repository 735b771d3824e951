"""What reads sequences for a head: any model that gives states, and Life-Code as one of them."""

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifecode.data.batches.packing import Packed, whole_codons
from lifecode.errors import UserError
from lifecode.evaluation.masked_genes import packed_rows
from lifecode.models.layers.norm import at_least_fp32
from lifecode.models.life_code.evaluation_mode import in_evaluation
from lifecode.models.life_code.model import LifeCode
from lifecode.models.life_code.strands import both_strands


class Place(NamedTuple):
    """Where in an encoder states are read.

    Attributes:
        layer: number of layers they have passed; None for all.
        projected: behind the output projection, as `embed` gives them, or before it, where the states of both
            strands stand side by side.
    """

    layer: int | None = None
    projected: bool = False


class Encoder(Protocol):
    """A frozen model that gives a state for each position of a sequence."""

    @property
    def digest(self) -> str:
        """Of its shape and all of its weights."""
        ...

    def states(
        self, sequences: Sequence[NDArray[np.uint8]], place: Place
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Number of a sequence, in any order, and its states (L + 2, d).

        The first is that of the whole, the last that of the end, those between are of its positions.
        """
        ...


class LifeCodeEncoder:
    """`LifeCode` as an encoder: a position is a codon, the first state that of `[CLS]`, the last of `[SEP]`.

    Args:
        model: trained or not.
        max_codons: of a packed row.
    """

    def __init__(self, model: LifeCode, max_codons: int = 8_192) -> None:
        self.model, self.max_codons = in_evaluation(model), max_codons

    @property
    def digest(self) -> str:
        """Of its shape and all of its weights."""
        found = sha256(json.dumps(self.model.config, sort_keys=True).encode())
        for name, tensor in sorted(self.model.state_dict().items()):
            found.update(name.encode())
            found.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
        return found.hexdigest()

    @torch.inference_mode()
    def states(
        self, sequences: Sequence[NDArray[np.uint8]], place: Place
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """As `Encoder.states`, in float32.

        Raises:
            UserError: the model has fewer layers.
        """
        require_layer(self.model, place, "probe.layer")
        for row, packed in packed_rows([whole_codons(ids) for ids in sequences], self.max_codons):
            hidden = read_states(self.model, packed, place).cpu().numpy()
            borders = packed.cu_seqlens.tolist()
            for number, start, end in zip(row, borders[:-1], borders[1:], strict=True):
                yield number, hidden[start:end]


def require_layer(model: LifeCode, place: Place, key: str) -> None:
    """Raises a `UserError` at the config key where the model has fewer layers."""
    depth = len(model.encoder.layers)
    if place.layer is not None and not 0 <= place.layer <= depth:
        raise UserError(f"is {place.layer}, and the model has {depth} layers", source=key)


def read_states(model: LifeCode, packed: Packed, place: Place, layer_weights: Tensor | None = None) -> Tensor:
    """The states (L, D) of a packed row at one place, or a weighted sum over layers (depth + 1,); float32."""
    packed = packed.to(model.codon_projection.weight.device)
    ids, borders = packed.ids, packed.cu_seqlens
    if model.encoder.strands == "rc":
        ids, borders = both_strands(ids, borders)
    states = model.encoder(
        model.codec.tokenizer(ids.int(), borders),
        packed.cu_seqlens,
        num_layers=place.layer,
        layer_weights=layer_weights,
        projected=place.projected,
    )
    return at_least_fp32(states)
