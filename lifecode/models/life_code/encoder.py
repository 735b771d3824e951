"""The hybrid encoder: layers of several kinds of mixer, Gated DeltaNet foremost, run over both strands."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import torch
from torch import Tensor, nn

from lifecode.errors import UserError
from lifecode.models.layers import attention, gated_deltanet  # noqa: F401  # registered by being imported
from lifecode.models.layers.block import Block, states_of_stack
from lifecode.models.layers.feed_forward import matched_hidden_width
from lifecode.models.layers.mixers import StackShape, build_mixer, registered_mixer
from lifecode.models.layers.norm import RMSNorm, at_least_fp32
from lifecode.models.life_code.strands import Strands, both_borders, reverse_codons_index
from lifecode.ops.segments import reverse_segments_index

_REFERENCE = "gdn"
"""Kind of layer whose size `equal_parameters` gives the others."""


class HybridEncoder(nn.Module):
    """Codon embeddings (L, codon_dim) -> hidden states (L, d).

    Without layers (depth 0) the hidden states are the codon embeddings behind both projections and the norm.

    Args:
        codon_dim: width of the codon embedding.
        width: d of the stack and of the hidden states.
        kinds: name of the mixer of each layer, see `lifecode.models.layers.mixers.layer_kinds`.
        num_heads: heads of a Gated DeltaNet layer; K = 0.75 d / num_heads, V = 2 K.
        attention_head_dim: D of a self-attention layer.
        short_conv_width: positions that the convolution of a Gated DeltaNet layer sees.
        mixer_options: further arguments of a mixer, by its name.
        strands: `paper`, `rc` or `forward`, see `lifecode.models.life_code.strands`.
        layer_scale: initial factor of the residual branches.
        activation_checkpointing: recompute each layer in the backward pass instead of keeping it.
        equal_parameters: give every other layer the feed-forward with which it has as many parameters as a
            Gated DeltaNet layer (within 1 % for d of 128 and more), so that any stack is of one size.
    """

    def __init__(
        self,
        *,
        codon_dim: int,
        width: int,
        kinds: Sequence[str],
        num_heads: int,
        attention_head_dim: int = 64,
        short_conv_width: int = 4,
        mixer_options: Mapping[str, Mapping[str, Any]] | None = None,
        strands: Strands = "paper",
        layer_scale: float = 0.1,
        activation_checkpointing: bool = False,
        equal_parameters: bool = False,
    ) -> None:
        super().__init__()
        if strands not in get_args(Strands):
            raise UserError(
                f"{strands!r} is unknown", source="model.strands", remedy="Use paper, rc or forward"
            )
        shape = StackShape(width, num_heads, attention_head_dim, short_conv_width)
        options = mixer_options or {}
        for name in options:
            registered_mixer(name, source="model.mixer_options")

        def num_parameters(kind: str) -> int:
            with torch.device("meta"):  # counted, not made: no random number is drawn
                return sum(p.numel() for p in build_mixer(kind, shape, options).parameters())

        feed_forward_width: dict[str, int] = {}
        if equal_parameters:
            for kind in set(kinds) - {_REFERENCE}:
                missing = num_parameters(_REFERENCE) - num_parameters(kind)
                feed_forward_width[kind] = matched_hidden_width(width, missing)

        self.strands: Strands = strands
        self.activation_checkpointing = activation_checkpointing
        # `paper` makes both strands, of width d each, from one codon embedding; `rc` has one for each strand.
        self.in_proj = nn.Linear(codon_dim, 2 * width if strands == "paper" else width, bias=False)
        self.layers = nn.ModuleList(
            Block(
                build_mixer(kind, shape, options),
                width=width,
                layer_scale=layer_scale,
                feed_forward_width=feed_forward_width.get(kind),
            )
            for kind in kinds
        )
        self.norm = RMSNorm(width)
        self.out_proj = nn.Linear(
            2 * width if strands == "paper" else width, width // 2 if strands == "rc" else width, bias=False
        )

    def forward(
        self,
        codon_embeddings: Tensor,
        cu_seqlens: Tensor,
        *,
        num_layers: int | None = None,
        layer_weights: Tensor | None = None,
        projected: bool = True,
    ) -> Tensor:
        """Hidden states (L, d) of codon embeddings; segment borders in codons (S + 1,).

        Args:
            codon_embeddings: (L, codon_dim), or for `rc` (2L, codon_dim): the plus strand of every segment,
                then the minus strand, as `lifecode.models.life_code.strands.both_strands` lays them out.
            cu_seqlens: borders of the S segments, without the minus strands.
            num_layers: read behind so many layers and the final norm; None for all.
            layer_weights: (depth + 1,) instead, the sum of what is read before the first layer and behind
                each, so weighted; each behind the final norm.
            projected: False gives the states of the stack before the output projection, those of both strands
                side by side: (L, 2d), or (L, d) for `forward`.
        """
        x = at_least_fp32(self.in_proj(codon_embeddings))
        project = self.out_proj if projected else nn.Identity()
        if self.strands == "forward":
            return project(self._stack(x, cu_seqlens, num_layers, layer_weights))
        borders = both_borders(cu_seqlens)
        if self.strands == "rc":
            plus, minus = project(self._stack(x, borders, num_layers, layer_weights)).chunk(2)
            return torch.cat([plus, minus[reverse_codons_index(cu_seqlens, len(plus))]], dim=-1)
        plus, minus = x.chunk(2, dim=-1)
        flip = reverse_segments_index(cu_seqlens, len(x))
        plus, minus = self._stack(torch.cat([plus, minus[flip]]), borders, num_layers, layer_weights).chunk(2)
        return project(torch.cat([plus, minus[flip]], dim=-1))

    def _stack(
        self, x: Tensor, cu_seqlens: Tensor, num_layers: int | None, layer_weights: Tensor | None
    ) -> Tensor:
        """First layers and final norm, (T, d) to (T, d); the residual stream stays in fp32 or better."""
        return states_of_stack(
            self.layers,
            self.norm,
            x,
            cu_seqlens,
            num_layers=num_layers,
            layer_weights=layer_weights,
            recompute=self.activation_checkpointing and self.training,
        )
