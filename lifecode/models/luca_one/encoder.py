"""The transformer of LucaOne: embeddings of token and molecule type, pre-norm blocks, a final norm."""

from torch import Tensor, nn

from lifecode.errors import UserError
from lifecode.models.layers.attention import SelfAttention
from lifecode.models.layers.block import Block, states_of_stack
from lifecode.models.layers.feed_forward import GeluFeedForward
from lifecode.models.layers.norm import LayerNorm, at_least_fp32
from lifecode.models.luca_one.vocabulary import NUM_TOKENS, NUMBER_OF_KIND, PAD

_FEED_FORWARD = 4
"""Hidden width of the feed-forward, in d."""


class TokenEmbedding(nn.Module):
    """Token ids and molecule types (T,) to the sum of their embeddings (T, d); nothing of `[PAD]`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(NUM_TOKENS, width, padding_idx=PAD)
        self.molecules = nn.Embedding(len(NUMBER_OF_KIND), width)

    def forward(self, ids: Tensor, molecules: Tensor) -> Tensor:
        """In fp32 or better."""
        summed = at_least_fp32(self.tokens(ids.int())) + at_least_fp32(self.molecules(molecules.int()))
        return summed.masked_fill((ids == PAD)[:, None], 0.0)


class TransformerEncoder(nn.Module):
    """Embeddings (T, d) to hidden states (T, d).

    Args:
        width: d.
        depth: number of layers.
        num_heads: of attention; they share the width, an even number of features each.
        activation_checkpointing: recompute each layer in the backward pass instead of keeping it.
    """

    def __init__(self, *, width: int, depth: int, num_heads: int, activation_checkpointing: bool) -> None:
        super().__init__()
        if width % (2 * num_heads):
            raise UserError(
                f"width {width} does not divide into {num_heads} heads of an even number of features",
                source="model.width",
                remedy="Choose a width that is a multiple of 2 x model.num_heads",
            )
        self.activation_checkpointing = activation_checkpointing
        self.layers = nn.ModuleList(
            Block(
                SelfAttention(width=width, head_dim=width // num_heads, bias=True),
                width=width,
                layer_scale=None,
                feed_forward_width=_FEED_FORWARD * width,
                feed_forward=GeluFeedForward,
                norm=LayerNorm,
            )
            for _ in range(depth)
        )
        self.norm = LayerNorm(width)

    def forward(
        self,
        x: Tensor,
        cu_seqlens: Tensor,
        *,
        num_layers: int | None = None,
        layer_weights: Tensor | None = None,
    ) -> Tensor:
        """Reads each segment of `cu_seqlens` (S + 1,) by itself; see `states_of_stack`."""
        return states_of_stack(
            self.layers,
            self.norm,
            x,
            cu_seqlens,
            num_layers=num_layers,
            layer_weights=layer_weights,
            recompute=self.activation_checkpointing and self.training,
        )
