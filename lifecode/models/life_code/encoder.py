"""The hybrid encoder: Gated DeltaNet and self-attention layers in a ratio, run over both strands."""

import re
from typing import get_args

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lifecode.errors import UserError
from lifecode.models.layers.attention import SelfAttention
from lifecode.models.layers.block import Block, matched_hidden_width
from lifecode.models.layers.gated_deltanet import GatedDeltaNet
from lifecode.models.layers.norm import RMSNorm, at_least_fp32
from lifecode.models.life_code.strands import Strands, both_borders, reverse_codons_index
from lifecode.ops.segments import reverse_segments_index


def layer_kinds(hybrid_ratio: str, depth: int) -> list[str]:
    """`gdn` or `mhsa` for each layer: in every group of a + b layers the last b are MHSA; none for depth 0.

    >>> layer_kinds("2:1", 6)
    ['gdn', 'gdn', 'mhsa', 'gdn', 'gdn', 'mhsa']
    """
    match = (
        re.fullmatch(r"([0-9]{1,6}):([0-9]{1,6})", hybrid_ratio) if isinstance(hybrid_ratio, str) else None
    )
    if match is None or match.group(1) == match.group(2) == "0":
        raise UserError(
            f"{hybrid_ratio!r} is not a ratio of Gated DeltaNet to MHSA layers",
            source="model.hybrid_ratio",
            remedy='Write it as a quoted string such as "11:1" (unquoted, YAML reads a number)',
        )
    num_gdn, num_mhsa = int(match.group(1)), int(match.group(2))
    if depth < 0 or depth % (num_gdn + num_mhsa):
        raise UserError(
            f"a depth of {depth} layers is no multiple of {num_gdn} + {num_mhsa}",
            source="model.hybrid_ratio",
            remedy="Choose model.depth as a multiple of the ratio's sum",
        )
    return (["gdn"] * num_gdn + ["mhsa"] * num_mhsa) * (depth // (num_gdn + num_mhsa)) if depth else []


class HybridEncoder(nn.Module):
    """Codon embeddings (L, codon_dim) -> hidden states (L, d).

    Without layers (depth 0) the hidden states are the codon embeddings behind both projections and the norm.

    Args:
        codon_dim: width of the codon embedding.
        width: d of the stack and of the hidden states.
        depth: number of layers.
        hybrid_ratio: `"a:b"`, Gated DeltaNet to MHSA layers.
        num_heads: heads of a Gated DeltaNet layer; K = 0.75 d / num_heads, V = 2 K.
        attention_head_dim: D of an MHSA layer.
        strands: `paper`, `rc` or `forward`, see `lifecode.models.life_code.strands`.
        layer_scale: initial factor of the residual branches.
        activation_checkpointing: recompute each layer in the backward pass instead of keeping it.
        equal_parameters: widen the feed-forward of MHSA layers until they have as many parameters as a Gated
            DeltaNet layer (within 1 % for d of 128 and more), so that models of any ratio are of one size.
    """

    def __init__(
        self,
        *,
        codon_dim: int,
        width: int,
        depth: int,
        hybrid_ratio: str,
        num_heads: int,
        attention_head_dim: int = 64,
        strands: Strands = "paper",
        layer_scale: float = 0.1,
        activation_checkpointing: bool = False,
        equal_parameters: bool = False,
    ) -> None:
        super().__init__()
        if 3 * width % (4 * num_heads) or width % attention_head_dim or attention_head_dim % 2:
            raise UserError(
                f"width {width} does not divide into {num_heads} Gated DeltaNet heads of 0.75 width / heads "
                f"and attention heads of {attention_head_dim}",
                source="model.width",
                remedy="Choose a width that 4/3 x model.num_heads and model.attention_head_dim divide",
            )
        if strands not in get_args(Strands):
            raise UserError(
                f"{strands!r} is unknown", source="model.strands", remedy="Use paper, rc or forward"
            )
        key_dim = 3 * width // (4 * num_heads)

        def mixer(kind: str) -> nn.Module:
            if kind == "mhsa":
                return SelfAttention(width=width, head_dim=attention_head_dim)
            return GatedDeltaNet(width=width, num_heads=num_heads, key_dim=key_dim, value_dim=2 * key_dim)

        feed_forward_width: dict[str, int] = {}
        if equal_parameters:
            with torch.device("meta"):  # counted, not made: no random number is drawn
                size = {kind: sum(p.numel() for p in mixer(kind).parameters()) for kind in ("gdn", "mhsa")}
            feed_forward_width["mhsa"] = matched_hidden_width(width, size["gdn"] - size["mhsa"])

        self.strands: Strands = strands
        self.activation_checkpointing = activation_checkpointing
        # `paper` makes both strands, of width d each, from one codon embedding; `rc` has one for each strand.
        self.in_proj = nn.Linear(codon_dim, 2 * width if strands == "paper" else width, bias=False)
        self.layers = nn.ModuleList(
            Block(
                mixer(kind),
                width=width,
                layer_scale=layer_scale,
                feed_forward_width=feed_forward_width.get(kind),
            )
            for kind in layer_kinds(hybrid_ratio, depth)
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
        projected: bool = True,
    ) -> Tensor:
        """Hidden states (L, d) of codon embeddings; segment borders in codons (S + 1,).

        Args:
            codon_embeddings: (L, codon_dim), or for `rc` (2L, codon_dim): the plus strand of every segment,
                then the minus strand, as `lifecode.models.life_code.strands.both_strands` lays them out.
            cu_seqlens: borders of the S segments, without the minus strands.
            num_layers: read behind so many layers and the final norm; None for all.
            projected: False gives the states of the stack before the output projection, those of both strands
                side by side: (L, 2d), or (L, d) for `forward`.
        """
        x = at_least_fp32(self.in_proj(codon_embeddings))
        project = self.out_proj if projected else nn.Identity()
        if self.strands == "forward":
            return project(self._stack(x, cu_seqlens, num_layers))
        borders = both_borders(cu_seqlens)
        if self.strands == "rc":
            plus, minus = project(self._stack(x, borders, num_layers)).chunk(2)
            return torch.cat([plus, minus[reverse_codons_index(cu_seqlens, len(plus))]], dim=-1)
        plus, minus = x.chunk(2, dim=-1)
        flip = reverse_segments_index(cu_seqlens, len(x))
        plus, minus = self._stack(torch.cat([plus, minus[flip]]), borders, num_layers).chunk(2)
        return project(torch.cat([plus, minus[flip]], dim=-1))

    def _stack(self, x: Tensor, cu_seqlens: Tensor, num_layers: int | None) -> Tensor:
        """First layers and final norm, (T, d) to (T, d); the residual stream stays in fp32 or better."""
        for layer in self.layers if num_layers is None else self.layers[:num_layers]:
            if self.activation_checkpointing and self.training:
                x = checkpoint(layer, x, cu_seqlens, use_reentrant=False)
            else:
                x = layer(x, cu_seqlens)
        return self.norm(x)
