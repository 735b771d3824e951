"""Life-Code: codon codec, hybrid encoder and the projections that the losses read."""

from typing import TYPE_CHECKING, Any, Literal, overload

from torch import Tensor, nn

from lifecode.arguments import require_positive
from lifecode.data.batches.packing import Packed
from lifecode.data.reading.named_sequences import named_sequences
from lifecode.models.chosen_layers import Layer, chosen_layers
from lifecode.models.config_values import built, require_values
from lifecode.models.layers.mixers import layer_kinds
from lifecode.models.life_code import embedding, masked
from lifecode.models.life_code.codec import CodonCodec
from lifecode.models.life_code.embedding import require_embeddable
from lifecode.models.life_code.encoder import HybridEncoder
from lifecode.models.life_code.evaluation_mode import undisturbed
from lifecode.models.life_code.frames import Frames
from lifecode.models.life_code.masked import PseudoLogLikelihood, require_whole_codons
from lifecode.models.life_code.masked_readers import masked_reader
from lifecode.models.life_code.strands import Strands, both_strands, strand_invariant
from lifecode.models.masked_reading import MaskedReader, MaskedReading
from lifecode.models.pooling import Pool, embeddings, pooled
from lifecode.models.saved import SavedModel

if TYPE_CHECKING:
    from pandas import DataFrame


class LifeCode(SavedModel):
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
        packed = packed.to(self.codon_projection.weight.device)
        return self(packed.ids, packed.cu_seqlens, num_layers)

    @overload
    def embed(
        self,
        sequences: Any,
        pool: Pool = "mean",
        max_codons: int = 16_384,
        frames: Frames = 0,
        *,
        layer: Layer = None,
        as_frame: Literal[False] = False,
    ) -> Tensor: ...
    @overload
    def embed(
        self,
        sequences: Any,
        pool: None,
        max_codons: int = 16_384,
        frames: Frames = 0,
        *,
        layer: Layer = None,
        as_frame: Literal[False] = False,
    ) -> list[Tensor]: ...
    @overload
    def embed(
        self,
        sequences: Any,
        pool: Pool | None = "mean",
        max_codons: int = 16_384,
        frames: Frames = 0,
        *,
        layer: Layer = None,
        as_frame: Literal[True],
    ) -> "DataFrame": ...
    @undisturbed
    def embed(
        self,
        sequences: Any,
        pool: Pool | None = "mean",
        max_codons: int = 16_384,
        frames: Frames = 0,
        *,
        layer: Layer = None,
        as_frame: bool = False,
    ) -> "Tensor | list[Tensor] | DataFrame":
        """Embeds DNA or RNA sequences; a sequence's result does not depend on the others in the call.

        With `strands="rc"` a pooled vector is the same for a sequence and its reverse complement (for
        whole codons, or for any length with `frames="average"`).

        Args:
            sequences: one sequence or several, any case, U or T: text, bytes, a Seq or SeqRecord of
                Biopython, a record of `lifecode.read_records`, or a list, iterator, array or series of such;
                or the path of a sequence file, whose records are read. A length that is no multiple of three
                is completed with unknown nucleotides.
            pool: over a sequence's codons: `mean`, `max`, or `cls` for the hidden state of `[CLS]`. None
                returns every codon's hidden state.
            max_codons: sequences are packed into rows of about this many codons; only memory depends on it.
            frames: 0 reads from the first nucleotide on. `average` reads in all three frames, for sequences
                without a known one, and averages: the pooled vectors, or for `pool=None` for each
                nucleotide the hidden states of the three codons that it is in.
            layer: the number of layers that the hidden states have passed, before the final norm and the
                output projection; None for all. Of several numbers the vectors lie one behind the other.
            as_frame: return a pandas frame of d columns instead.

        Returns:
            (n, d), or (n, k d) of k layers, in fp32; for `pool=None` a list of (ceil(length / 3), d) without
            special tokens; with `frames="average"` of (length, d). As a frame, the index `id` is the name of
            each record, or the place of a sequence without one; for `pool=None` a second level `codon` or
            `nucleotide` counts from 0. Ordinary tensors without gradient. The model is read as in
            evaluation mode and without autocast (`model.to(torch.bfloat16)` is read in half precision); its
            own modes stay, so other threads may train or embed with it meanwhile.

        Raises:
            UserError: no sequence, something that is none, an empty one, a letter that is no nucleotide, or
                an unknown `pool` or `frames`, a layer that the model does not have, or `max_codons` below 1.
        """
        require_positive(max_codons=max_codons)
        given = named_sequences(sequences)
        require_embeddable(given, pool, frames)
        layers = chosen_layers(layer, len(self.encoder.layers))
        vectors = embedding.embed(
            self, given.nucleotides, pool=pool, max_codons=max_codons, frames=frames, layers=layers
        )
        level = "nucleotide" if frames == "average" else "codon"
        return embeddings(given.names, vectors, pool=pool, level=level, as_frame=as_frame)

    def masked_logits(self, sequences: Any, max_codons: int = 16_384) -> list[Tensor]:
        """What the model expects at each codon of coding sequences when that codon alone is masked.

        Every codon is masked once, start and stop codon and those with an ambiguous nucleotide too, and all
        others are given. A sequence's result does not depend on the others in the call.

        Args:
            sequences: of whole codons, in frame; otherwise as for `embed`.
            max_codons: masked copies are packed into rows of about this many codons; only memory depends on
                it. L codons are L copies of L + 2, so time grows with L squared.

        Returns:
            For each sequence of L codons a tensor (L, 64), a column per codon in the order of
            `lifecode.alphabet.CODONS`. The logits are log-probabilities in nats (their logsumexp is 0), in
            float32, or float64 for a model in float64. Ordinary tensors without gradient, on the model's
            device; the model is read as in evaluation mode and without autocast, and its own modes stay.

        Raises:
            UserError: no sequence, an empty one, one whose length is no multiple of 3, a letter that is no
                nucleotide, a file of proteins, or `max_codons` below 1.
        """
        require_positive(max_codons=max_codons)
        given = named_sequences(sequences, coding=True)
        require_whole_codons(given)
        return masked.masked_logits(self, given.nucleotides, max_codons=max_codons)

    def pseudo_log_likelihood(self, sequences: Any, max_codons: int = 16_384) -> PseudoLogLikelihood:
        """How likely each codon of coding sequences is, given all the others: sum and mean of log P, in nats.

        Every codon counts, start and stop codon too, but for those with an ambiguous nucleotide.

        Args:
            sequences: as for `masked_logits`.
            max_codons: likewise.

        Returns:
            `total`, `mean` and `num_codons`, (n,) each; dtype as for `masked_logits`.

        Raises:
            UserError: as for `masked_logits`.
        """
        require_positive(max_codons=max_codons)
        given = named_sequences(sequences, coding=True)
        require_whole_codons(given)
        return masked.pseudo_log_likelihood(self, given.nucleotides, max_codons=max_codons)

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
