"""What stage 1 trains: the tokenizer and everything that reads a codon embedding back."""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from lifecode.alphabet import NUM_AMINO_ACIDS, NUM_CODONS
from lifecode.errors import UserError
from lifecode.models.config_values import built, require_values
from lifecode.models.layers.gated_deltanet import Direction
from lifecode.models.layers.norm import at_least_fp32
from lifecode.models.life_code.codon_head import FactorisedCodonHead
from lifecode.models.life_code.tokenizer import CodonDetokenizer, CodonTokenizer, LinearTokenizer


class CodonCodec(nn.Module):
    """Tokenizer, de-tokenizer, codon head and amino-acid translator.

    Three independent nucleotide softmaxes cannot say that a codon is likely as a whole, so a head of 64
    classes stands beside the de-tokenizer: one softmax (`joint`), or one over residues and one over the
    codons of each (`factorised`, see `lifecode.models.life_code.codon_head`); `codon_head="none"` leaves it
    out, and a codon's probability is then the product of its nucleotides'.

    Args:
        nucleotide_dim: width of the nucleotide embedding (384 in the paper).
        conv_channels: a third of the codon embedding's width (256).
        num_heads: heads of the tokenizer's Gated DeltaNet block (6).
        direction: reading direction of that block.
        stride: of the tokenizer's convolution.
        translator_hidden: hidden width of the two-layer translator; None leaves it out, and the translation
            task with it.
        codon_head: `joint`, `factorised` or `none`.
        layer_scale: initial residual factor of the block.
        short_conv_width: positions that the convolution in the block's mixer sees.
        tokenizer: `gdn`, or `linear` for nucleotides alone, without block and convolution on either side
            (Table 7); `num_heads`, `direction`, `stride`, `layer_scale` and `short_conv_width` then have no
            effect.
    """

    def __init__(
        self,
        *,
        nucleotide_dim: int = 384,
        conv_channels: int = 256,
        num_heads: int = 6,
        direction: Direction = "both",
        stride: Literal[1, 3] = 1,
        translator_hidden: int | None = 3072,
        codon_head: Literal["joint", "factorised", "none"] = "joint",
        layer_scale: float = 0.1,
        short_conv_width: int = 4,
        tokenizer: Literal["gdn", "linear"] = "gdn",
    ) -> None:
        super().__init__()
        if 3 * nucleotide_dim % (4 * num_heads):
            raise UserError(
                f"nucleotide_dim {nucleotide_dim} does not divide into {num_heads} heads of width "
                "0.75 nucleotide_dim / num_heads",
                remedy="Choose a nucleotide_dim that is a multiple of 4 x num_heads",
            )
        self.config: dict[str, Any] = {
            "nucleotide_dim": nucleotide_dim,
            "conv_channels": conv_channels,
            "num_heads": num_heads,
            "direction": direction,
            "stride": stride,
            "translator_hidden": translator_hidden,
            "codon_head": codon_head,
            "layer_scale": layer_scale,
            "short_conv_width": short_conv_width,
            "tokenizer": tokenizer,
        }
        self.codon_dim = 3 * conv_channels
        self.tokenizer: CodonTokenizer | LinearTokenizer = (
            LinearTokenizer(nucleotide_dim=nucleotide_dim, conv_channels=conv_channels)
            if tokenizer == "linear"
            else CodonTokenizer(
                nucleotide_dim=nucleotide_dim,
                conv_channels=conv_channels,
                num_heads=num_heads,
                direction=direction,
                stride=stride,
                layer_scale=layer_scale,
                short_conv_width=short_conv_width,
            )
        )
        self.detokenizer = CodonDetokenizer(
            nucleotide_dim=nucleotide_dim, conv_channels=conv_channels, pointwise=tokenizer == "linear"
        )
        self.codon_head: nn.Module | None = None
        if codon_head != "none":
            factorised = codon_head == "factorised"
            self.codon_head = (
                FactorisedCodonHead(self.codon_dim) if factorised else nn.Linear(self.codon_dim, NUM_CODONS)
            )
        self.translator = (
            nn.Sequential(
                nn.Linear(self.codon_dim, translator_hidden),
                nn.GELU(),
                nn.Linear(translator_hidden, NUM_AMINO_ACIDS),
            )
            if translator_hidden is not None
            else None
        )

    @classmethod
    def from_config(cls, config: Any) -> "CodonCodec":
        """An untrained codec of the shape that `config` (as in config.json) describes.

        Raises:
            UserError: it is no object, has keys that this version does not know, or values that no codec has.
        """
        arguments = config if isinstance(config, dict) else {"codec": config}
        require_values(cls, arguments, under="codec.")
        return built(cls, arguments)

    def readout(self) -> list[nn.Module]:
        """The parts that stage 2 freezes: everything behind the codon embedding."""
        return [part for part in (self.detokenizer, self.codon_head, self.translator) if part is not None]

    def codon_log_probabilities(self, codon_embeddings: Tensor, cu_seqlens: Tensor, at: Tensor) -> Tensor:
        """log P(codon) (num_selected, 64) in fp32 at the codon indices `at` of embeddings (L, codon_dim)."""
        if self.codon_head is not None:
            return at_least_fp32(self.codon_head(codon_embeddings[at])).log_softmax(-1)
        nucleotide_logits = at_least_fp32(self.detokenizer(codon_embeddings, cu_seqlens))[:, :4]
        first, second, third = nucleotide_logits.log_softmax(-1).unflatten(0, (-1, 3))[at].unbind(1)
        joint = first[:, :, None, None] + second[:, None, :, None] + third[:, None, None, :]
        return joint.flatten(1)

    @torch.no_grad()
    def codon_map(self) -> Tensor:
        """Embedding (64, codon_dim) of each codon alone in a segment, for the codon map (Figure 6)."""
        device = self.tokenizer.embedding.weight.device
        codons = torch.cartesian_prod(*[torch.arange(4, device=device)] * 3).flatten()
        return self.tokenizer(codons, torch.arange(NUM_CODONS + 1, device=device)).float()
