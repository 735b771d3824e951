"""Life-Code: codon codec, hybrid encoder and the projections that the losses read.

What it says of sequences that a user gives stands beside it: `embed` in `embedding`, `masked_logits` and
`pseudo_log_likelihood` in `masked`.
"""

from typing import Any

from torch import Tensor, nn

from lifecode.data.batches.packing import Packed
from lifecode.models.config_values import built, require_values
from lifecode.models.layers.mixers import layer_kinds
from lifecode.models.life_code.codec import CodonCodec
from lifecode.models.life_code.embedding import EmbedsCodons
from lifecode.models.life_code.encoder import HybridEncoder
from lifecode.models.life_code.masked import MasksCodons
from lifecode.models.life_code.masked_readers import masked_reader
from lifecode.models.life_code.strands import Strands, both_strands, strand_invariant
from lifecode.models.masked_reading import MaskedReader, MaskedReading
from lifecode.models.pooling import Pool, pooled


class LifeCode(EmbedsCodons, MasksCodons):
    """The whole model: nucleotides -> codon embeddings -> hidden states (L, d), and back.

    Args:
        codec: tokenizer and its readout, trained in stage 1.
        width: d of the encoder and of the hidden states.
        depth: encoder layers; 0 leaves the codon embeddings, projected to width d.
        hybrid_ratio: `"a:b"`, Gated DeltaNet to self-attention layers; without effect beside `mixers`.
        mixers: the kind of each layer, as a pattern of letters that repeats over the depth (`GGGA`) or a list
            of `depth` registered names; None as `hybrid_ratio` says. See `lifecode.models.layers.mixers`.
        mixer_options: further arguments of a kind of mixer, by its name.
        num_heads: heads of a Gated DeltaNet layer.
        attention_head_dim: of a self-attention layer.
        short_conv_width: positions that the convolution before q, k and v of a Gated DeltaNet layer sees.
        strands: how the two strands pass through the stack.
        layer_scale: initial factor of the residual branches.
        init_std: standard deviation of the encoder's initial weights.
        activation_checkpointing: recompute each layer in the backward pass.
        equal_parameters: give every layer as many parameters as a Gated DeltaNet layer, by its feed-forward.
        teacher_width: D' of the protein teacher; None leaves the protein decoder out.
    """

    family = "life_code"

    def __init__(
        self,
        *,
        codec: CodonCodec,
        width: int,
        depth: int,
        hybrid_ratio: str = "11:1",
        mixers: str | list[str] | None = None,
        mixer_options: dict[str, dict[str, Any]] | None = None,
        num_heads: int = 24,
        attention_head_dim: int = 64,
        short_conv_width: int = 4,
        strands: Strands = "paper",
        layer_scale: float = 0.1,
        init_std: float = 0.02,
        activation_checkpointing: bool = False,
        equal_parameters: bool = False,
        teacher_width: int | None = None,
    ) -> None:
        super().__init__()
        kinds = (
            layer_kinds(hybrid_ratio, depth, source="model.hybrid_ratio")
            if mixers is None
            else layer_kinds(mixers, depth)
        )
        self.config: dict[str, Any] = {
            "family": self.family,
            "codec": codec.config,
            "width": width,
            "depth": depth,
            "hybrid_ratio": hybrid_ratio,
            "mixers": None if mixers is None else kinds,
            "mixer_options": mixer_options or None,
            "num_heads": num_heads,
            "attention_head_dim": attention_head_dim,
            "short_conv_width": short_conv_width,
            "strands": strands,
            "layer_scale": layer_scale,
            "init_std": init_std,
            "activation_checkpointing": activation_checkpointing,
            "equal_parameters": equal_parameters,
            "teacher_width": teacher_width,
        }
        self.width = width
        self.codec = codec
        self.encoder = HybridEncoder(
            codon_dim=codec.codon_dim,
            width=width,
            kinds=kinds,
            num_heads=num_heads,
            attention_head_dim=attention_head_dim,
            short_conv_width=short_conv_width,
            mixer_options=mixer_options,
            strands=strands,
            layer_scale=layer_scale,
            activation_checkpointing=activation_checkpointing,
            equal_parameters=equal_parameters,
        )
        self.codon_projection = nn.Linear(width, codec.codon_dim)
        self.protein_decoder = (
            nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, teacher_width))
            if teacher_width is not None
            else None
        )
        for part in (self.encoder, self.codon_projection, self.protein_decoder):
            if part is not None:
                _initialise(part, init_std)

    def forward(self, ids: Tensor, cu_seqlens: Tensor, num_layers: int | None = None) -> Tensor:
        """Hidden states (L, d) of a packed row of codons, special tokens included.

        Args:
            ids: (3 L,) of nucleotides and special tokens, as `lifecode.alphabet` numbers them.
            cu_seqlens: (S + 1,) borders of the segments, in codons.
            num_layers: states behind so many layers, which pass the final norm and the output projection all
                the same; None: behind all.
        """
        borders = cu_seqlens
        if self.encoder.strands == "rc":
            ids, borders = both_strands(ids, cu_seqlens)
        return self.encoder(self.codec.tokenizer(ids.int(), borders), cu_seqlens, num_layers=num_layers)

    def encode(self, packed: Packed, num_layers: int | None = None) -> Tensor:
        """Hidden states (L, d) of a packed row, special tokens included, on the model's device.

        Args:
            packed: the row.
            num_layers: as for `forward`.
        """
        packed = packed.to(next(self.parameters()).device)
        return self(packed.ids, packed.cu_seqlens, num_layers)

    def masked_reader(self, reading: MaskedReading) -> MaskedReader | None:
        """The model as one that is asked what it expects at masked places; see `MaskedModel`.

        Args:
            reading: about `codon`, `translation` or `nucleotide`; None comes back for any other.
        """
        return masked_reader(self, reading)

    def pooled(self, segment: Tensor, pool: Pool) -> Tensor:
        """One vector (d,) of a segment.

        Args:
            segment: (L, d) hidden states, `[CLS]` first and `[SEP]` last.
            pool: as for `embed`.
        """
        vector = pooled(segment[0], segment[1:-1], pool)
        return strand_invariant(vector) if self.encoder.strands == "rc" else vector

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LifeCode":
        """An untrained model of the shape that `config` (as in config.json) describes.

        Raises:
            UserError: it has keys that this version of the program does not know, or values that no model
                has.
        """
        not_arguments = ("family", "model_type", "codec")
        arguments = {key: value for key, value in config.items() if key not in not_arguments}
        codec = CodonCodec.from_config(config.get("codec"))
        require_values(cls, arguments)
        return built(cls, {"codec": codec, **arguments})


def _initialise(part: nn.Module, std: float) -> None:
    for module in part.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
