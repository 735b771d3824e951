"""The codon tokenizers: nucleotides in, one embedding per codon out (Life-Code 2.3, Figure 4; Table 7)."""

from typing import Literal

from einops import rearrange
from torch import Tensor, nn

from lifecode.alphabet import NUM_NUCLEOTIDE_IDS
from lifecode.models.layers.block import Block
from lifecode.models.layers.gated_deltanet import Direction, GatedDeltaNet
from lifecode.models.layers.segment_conv import SegmentConv1d


class CodonTokenizer(nn.Module):
    """Embedding -> Gated DeltaNet block -> Conv1d over nucleotides -> unfold by 3.

    Args:
        nucleotide_dim: width of the nucleotide embedding and its block (384 in the paper).
        conv_channels: output channels per nucleotide; a codon embedding is three times as wide (256, so 768).
        num_heads: heads of the block; K = 0.75 nucleotide_dim / num_heads, V = 2 K.
        direction: `both` averages two readings of the block's mixer, `forward` is causal.
        stride: 1 looks one nucleotide across codon borders, 3 stays inside the codon.
        layer_scale: initial residual factor of the block.
        short_conv_width: positions that the convolution in the block's mixer sees.
    """

    def __init__(
        self,
        *,
        nucleotide_dim: int,
        conv_channels: int,
        num_heads: int,
        direction: Direction = "both",
        stride: Literal[1, 3] = 1,
        layer_scale: float = 0.1,
        short_conv_width: int = 4,
    ) -> None:
        super().__init__()
        self.stride = stride
        key_dim = 3 * nucleotide_dim // (4 * num_heads)
        self.embedding = nn.Embedding(NUM_NUCLEOTIDE_IDS, nucleotide_dim)
        mixer = GatedDeltaNet(
            width=nucleotide_dim,
            num_heads=num_heads,
            key_dim=key_dim,
            value_dim=2 * key_dim,
            direction=direction,
            short_conv_width=short_conv_width,
        )
        self.block = Block(mixer, width=nucleotide_dim, layer_scale=layer_scale)
        self.conv: nn.Module = (
            SegmentConv1d(nucleotide_dim, conv_channels)
            if stride == 1
            else nn.Linear(3 * nucleotide_dim, 3 * conv_channels)
        )

    def forward(self, ids: Tensor, cu_seqlens: Tensor) -> Tensor:
        """Codon embeddings (L, 3 * conv_channels) of nucleotide ids (3L,).

        Args:
            ids: packed nucleotide ids, three a codon, special tokens written three times.
            cu_seqlens: segment borders in codons (S + 1,).
        """
        in_nucleotides = cu_seqlens * 3
        return self.to_codons(self.block(self.embedding(ids), in_nucleotides), in_nucleotides)

    def to_codons(self, x: Tensor, cu_seqlens: Tensor) -> Tensor:
        """Codon embeddings (L, 3 * conv_channels) of the block's output (3L, d); borders in nucleotides."""
        if self.stride == 3:
            return self.conv(rearrange(x, "(codon three) c -> codon (three c)", three=3))
        return rearrange(self.conv(x, cu_seqlens), "(codon three) c -> codon (three c)", three=3)


class LinearTokenizer(nn.Module):
    """The 1-mer tokenizer of the paper's ablation (Table 7): nucleotides alone, three of them side by side.

    Embedding -> Linear, with neither recurrence nor convolution: nothing looks beyond a nucleotide.

    Args:
        nucleotide_dim: width of the nucleotide embedding.
        conv_channels: output width of a nucleotide; a codon embedding is three times as wide.
    """

    def __init__(self, *, nucleotide_dim: int, conv_channels: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(NUM_NUCLEOTIDE_IDS, nucleotide_dim)
        self.linear = nn.Linear(nucleotide_dim, conv_channels)

    def forward(self, ids: Tensor, cu_seqlens: Tensor) -> Tensor:
        """Codon embeddings (L, 3 * conv_channels) of nucleotide ids (3L,); `cu_seqlens` has no effect."""
        return rearrange(self.linear(self.embedding(ids)), "(codon three) c -> codon (three c)", three=3)


class CodonDetokenizer(nn.Module):
    """The mirror image: fold a codon into three nucleotides, Conv1d, logits for each nucleotide id.

    Args:
        nucleotide_dim: width between the convolution and the logits.
        conv_channels: a third of the codon embedding's width.
        pointwise: a Linear in place of the Conv1d, the mirror image of the linear tokenizer.
    """

    def __init__(self, *, nucleotide_dim: int, conv_channels: int, pointwise: bool = False) -> None:
        super().__init__()
        self.conv: nn.Module = (
            nn.Linear(conv_channels, nucleotide_dim)
            if pointwise
            else SegmentConv1d(conv_channels, nucleotide_dim)
        )
        self.head = nn.Linear(nucleotide_dim, NUM_NUCLEOTIDE_IDS)

    def forward(self, codon_embeddings: Tensor, cu_seqlens: Tensor) -> Tensor:
        """Logits (3L, 9) from codon embeddings (L, 3 * conv_channels); borders in codons (S + 1,)."""
        x = rearrange(codon_embeddings, "codon (three c) -> (codon three) c", three=3)
        if isinstance(self.conv, SegmentConv1d):
            return self.head(self.conv(x, cu_seqlens * 3))
        return self.head(self.conv(x))
