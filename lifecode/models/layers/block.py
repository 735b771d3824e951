"""The pre-norm residual block around a mixer, and the way through a stack of them."""

from collections.abc import Iterable

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lifecode.models.layers.feed_forward import GeluFeedForward, SwiGLU, swiglu_hidden_width
from lifecode.models.layers.mixers import Mixer
from lifecode.models.layers.norm import LayerNorm, LayerScale, PlainSum, RMSNorm
from lifecode.models.layers.value_bytes import FLOAT32


class Block(nn.Module):
    """x + scale * mixer(norm(x)), then x + scale * feed_forward(norm(x)), on a packed row.

    Args:
        mixer: of any kind.
        width: d.
        layer_scale: initial factor of both residual branches; None adds them as they are.
        feed_forward_width: hidden width of the feed-forward; None for `swiglu_hidden_width(width)`.
        feed_forward: its class.
        norm: class of both norms.
    """

    def __init__(
        self,
        mixer: Mixer,
        *,
        width: int,
        layer_scale: float | None = 0.1,
        feed_forward_width: int | None = None,
        feed_forward: type[SwiGLU] | type[GeluFeedForward] = SwiGLU,
        norm: type[RMSNorm] | type[LayerNorm] = RMSNorm,
    ) -> None:
        super().__init__()
        self.mixer_norm = norm(width)
        self.mixer = mixer
        self.mixer_scale = PlainSum() if layer_scale is None else LayerScale(width, layer_scale)
        self.feed_forward_norm = norm(width)
        self.feed_forward = feed_forward(width, feed_forward_width or swiglu_hidden_width(width))
        self.feed_forward_scale = PlainSum() if layer_scale is None else LayerScale(width, layer_scale)

    def forward(self, x: Tensor, cu_seqlens: Tensor) -> Tensor:
        """Maps (T, d) to (T, d)."""
        normed, x = self.mixer_norm.of_branch(x)
        return self.after_mixer(x, self.mixer(normed, cu_seqlens))

    def after_mixer(self, x: Tensor, mixed: Tensor) -> Tensor:
        """The rest of the block, given its input and what the mixer made of it, both (T, d)."""
        normed, x = self.feed_forward_norm.of_branch(self.mixer_scale(x, mixed))
        return self.feed_forward_scale(x, self.feed_forward(normed))

    def kept_bytes(self, low: int) -> float:
        """Bytes per position that a forward pass keeps for the backward pass.

        Of the residual stream 2 d in float32, of its two branches 2 d, and what feed-forward and mixer keep.

        Args:
            low: bytes of a value in the precision of matrix products: 4, or 2 under bf16 autocast.
        """
        stream = 2 * self.mixer_norm.weight.numel() * (FLOAT32 + low)
        return stream + self.feed_forward.kept_bytes(low) + self.mixer.kept_bytes(low)


def states_of_stack(
    blocks: nn.ModuleList,
    norm: nn.Module,
    x: Tensor,
    cu_seqlens: Tensor,
    *,
    num_layers: int | None,
    layer_weights: Tensor | None,
    recompute: bool,
) -> Tensor:
    """(T, d) through the first blocks and the final norm.

    Args:
        blocks: of the stack.
        norm: behind it.
        x: input of the first block.
        cu_seqlens: borders of the segments (S + 1,).
        num_layers: how many blocks; None for all.
        layer_weights: (depth + 1,) instead, the sum of what is read before the first block and behind each,
            so weighted; each behind the norm.
        recompute: as for `_through_blocks`.
    """
    blocks = blocks if num_layers is None else blocks[:num_layers]
    if layer_weights is None:
        return norm(_through_blocks(blocks, x, cu_seqlens, recompute=recompute))
    mixed = layer_weights[0] * norm(x)
    for number, block in enumerate(blocks, 1):
        x = _through_blocks([block], x, cu_seqlens, recompute=recompute)
        mixed = mixed + layer_weights[number] * norm(x)
    return mixed


def _through_blocks(blocks: Iterable[nn.Module], x: Tensor, cu_seqlens: Tensor, *, recompute: bool) -> Tensor:
    """(T, d) through one block after the other.

    Args:
        blocks: in their order.
        x: input of the first.
        cu_seqlens: borders of the segments (S + 1,).
        recompute: each block in the backward pass, instead of keeping what it computed.
    """
    for block in blocks:
        x = checkpoint(block, x, cu_seqlens, use_reentrant=False) if recompute else block(x, cu_seqlens)
    return x
