"""Models of transformers to stand beside ours: BERT and ModernBERT, random weights, our number of parameters.

They have the depth and width of our model; the width of their feed-forward is chosen so that the parameters
are as many. BERT's table of learned positions is not counted: it is looked up and never
multiplied, and for 64 thousand nucleotides it alone would be larger than the model.
"""

from importlib import import_module
from typing import Any, NamedTuple

import torch
from torch import nn

from lifecode.errors import UserError

NUM_SPECIAL_TOKENS = 5
"""Unknown, padding, beginning, end and mask, behind the words."""

LARGEST_DIFFERENCE = 0.05
"""Between the parameters of a peer and ours, as a share of ours."""

_STEP = 8


class Peer(NamedTuple):
    """A kind of model with a kind of token.

    Attributes:
        family: `bert` or `modernbert`.
        nucleotides_a_token: 1, or 6 for non-overlapping words of six.
    """

    family: str
    nucleotides_a_token: int

    @property
    def num_words(self) -> int:
        """Tokens that stand for nucleotides."""
        return 4**self.nucleotides_a_token

    @property
    def mask_id(self) -> int:
        """The last token of the vocabulary."""
        return self.num_words + NUM_SPECIAL_TOKENS - 1

    def num_tokens(self, num_nucleotides: int) -> int:
        """Tokens of a sequence, with one before and one behind it."""
        return -(-num_nucleotides // self.nucleotides_a_token) + 2


class PeerSize(NamedTuple):
    """What a peer has in common with our model.

    Attributes:
        depth: layers.
        width: of the hidden states.
        head_dim: of an attention head.
        num_parameters: positions not counted.
        max_nucleotides: of the longest sequence.
    """

    depth: int
    width: int
    head_dim: int
    num_parameters: int
    max_nucleotides: int


PEERS = {
    "bert_6nt": Peer("bert", 6),
    "modernbert_6nt": Peer("modernbert", 6),
    "bert_1nt": Peer("bert", 1),
    "modernbert_1nt": Peer("modernbert", 1),
}


def build_peer(peer: Peer, size: PeerSize) -> nn.Module:
    """A masked language model with random weights, its size made by the width of the feed-forward.

    Raises:
        UserError: no width gets within 5 % of the wanted parameters, because the rest has more.
    """
    with torch.device("meta"):
        narrow, wide = (counted_parameters(_model(peer, size, width)) for width in (_STEP, 2 * _STEP))
    steps = max(1, 1 + round((size.num_parameters - narrow) / (wide - narrow)))
    reached = narrow + (steps - 1) * (wide - narrow)
    if abs(reached - size.num_parameters) > LARGEST_DIFFERENCE * size.num_parameters:
        raise UserError(
            f"a {peer.family} of depth {size.depth} and width {size.width} has {reached:,} parameters and "
            f"not {size.num_parameters:,}"
        )
    return _model(peer, size, steps * _STEP)


def counted_parameters(model: nn.Module) -> int:
    """Parameters but those of learned positions."""
    return sum(p.numel() for name, p in model.named_parameters() if "position_embeddings" not in name)


def _model(peer: Peer, size: PeerSize, feed_forward_width: int) -> nn.Module:
    transformers = import_module("transformers")
    settings: dict[str, Any] = {
        "vocab_size": peer.num_words + NUM_SPECIAL_TOKENS,
        "hidden_size": size.width,
        "num_hidden_layers": size.depth,
        "num_attention_heads": size.width // size.head_dim,
        "intermediate_size": feed_forward_width,
        "max_position_embeddings": peer.num_tokens(size.max_nucleotides),
        "pad_token_id": peer.num_words + 1,
        "attn_implementation": "sdpa",
    }
    if peer.family == "bert":
        config = transformers.BertConfig(
            **settings, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
        )
        return transformers.BertForMaskedLM(config)
    specials = {
        f"{name}_token_id": peer.num_words + 2 + end
        for names, end in ((("bos", "cls"), 0), (("eos", "sep"), 1))
        for name in names
    }
    return transformers.ModernBertForMaskedLM(transformers.ModernBertConfig(**settings, **specials))
