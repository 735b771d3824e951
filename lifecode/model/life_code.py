"""Life-Code: codon codec, hybrid encoder and the projections that the losses read."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from lifecode.alphabet import encode_nucleotides
from lifecode.data.packing import NUM_SPECIAL_CODONS, Packed, pack, whole_codons
from lifecode.errors import UserError
from lifecode.model import pretrained
from lifecode.model.codec import CodonCodec
from lifecode.model.encoder import HybridEncoder
from lifecode.model.strands import Strands

Pool = Literal["mean", "max", "cls"]


class LifeCode(nn.Module):
    """The whole model: nucleotides -> codon embeddings -> hidden states (L, d), and back.

    Args:
        codec: tokenizer and its readout, trained in stage 1.
        width: d of the encoder and of the hidden states.
        depth: encoder layers.
        hybrid_ratio: `"a:b"`, Gated DeltaNet to MHSA layers.
        num_heads: heads of a Gated DeltaNet layer.
        attention_head_dim: of an MHSA layer.
        strands: how the two strands pass through the stack.
        layer_scale: initial factor of the residual branches.
        init_std: standard deviation of the encoder's initial weights.
        activation_checkpointing: recompute each layer in the backward pass.
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
        num_heads: int = 24,
        attention_head_dim: int = 64,
        strands: Strands = "paper",
        layer_scale: float = 0.1,
        init_std: float = 0.02,
        activation_checkpointing: bool = False,
        teacher_width: int | None = None,
    ) -> None:
        super().__init__()
        self.config: dict[str, Any] = {
            "family": self.family,
            "codec": codec.config,
            "width": width,
            "depth": depth,
            "hybrid_ratio": hybrid_ratio,
            "num_heads": num_heads,
            "attention_head_dim": attention_head_dim,
            "strands": strands,
            "layer_scale": layer_scale,
            "init_std": init_std,
            "activation_checkpointing": activation_checkpointing,
            "teacher_width": teacher_width,
        }
        self.width = width
        self.codec = codec
        self.encoder = HybridEncoder(
            codon_dim=codec.codon_dim,
            width=width,
            depth=depth,
            hybrid_ratio=hybrid_ratio,
            num_heads=num_heads,
            attention_head_dim=attention_head_dim,
            strands=strands,
            layer_scale=layer_scale,
            activation_checkpointing=activation_checkpointing,
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

    def forward(self, ids: Tensor, cu_seqlens: Tensor) -> Tensor:
        """Hidden states (L, d) of packed nucleotide ids (3L,); segment borders in codons (S + 1,)."""
        return self.encoder(self.codec.tokenizer(ids.int(), cu_seqlens), cu_seqlens)

    def encode(self, packed: Packed) -> Tensor:
        """Hidden states (L, d) of a packed row, special tokens included, on the model's device."""
        packed = packed.to(self.codon_projection.weight.device)
        return self(packed.ids, packed.cu_seqlens)

    @torch.inference_mode()
    def embed(
        self, sequences: str | Sequence[str], pool: Pool | None = "mean", max_codons: int = 16_384
    ) -> Tensor | list[Tensor]:
        """Embeds DNA or RNA sequences; a sequence's result does not depend on the others in the call.

        Args:
            sequences: one sequence or several, any case, U or T; a length that is no multiple of three is
                completed with unknown nucleotides.
            pool: over a sequence's codons: `mean`, `max`, or `cls` for the hidden state of `[CLS]`. None
                returns every codon's hidden state.
            max_codons: sequences are packed into rows of about this many codons; only memory depends on it.

        Returns:
            (n, d) in fp32, or for `pool=None` a list of (ceil(length / 3), d) without special tokens.

        Raises:
            UserError: no sequence, an empty one, a letter that is no nucleotide, or an unknown `pool`.
        """
        if pool not in ("mean", "max", "cls", None):
            raise UserError(f"pool {pool!r} is unknown", remedy="Choose mean, max, cls or None")
        sequences = [sequences] if isinstance(sequences, str) else list(sequences)
        ids = [encode_nucleotides(sequence, record=i) for i, sequence in enumerate(sequences)]
        if not ids or not all(map(len, ids)):
            empty = next((i for i, sequence in enumerate(ids) if not len(sequence)), None)
            raise UserError(
                "there is no sequence to embed", record=empty, remedy="Give at least one nucleotide"
            )
        was_training = self.training
        self.eval()
        try:
            results = [state for row in _rows(ids, max_codons) for state in self._embed_row(row, pool)]
        finally:
            self.train(was_training)
        return results if pool is None else torch.stack(results)

    def _embed_row(self, sequences: list[np.ndarray], pool: Pool | None) -> Iterable[Tensor]:
        packed = pack(sequences)
        hidden = self.encode(packed).float()
        for segment in hidden.split(packed.cu_seqlens.diff().tolist()):
            codons = segment[1:-1]
            if pool is None:
                yield codons.clone()
            elif pool == "cls":
                yield segment[0]
            else:
                yield codons.mean(0) if pool == "mean" else codons.amax(0)

    def save_pretrained(self, folder: str | Path) -> None:
        """Writes config.json, model.safetensors and SHA256SUMS; the folder appears whole or not at all."""
        pretrained.save(self, self.config, Path(folder))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LifeCode":
        """An untrained model of the shape that `config` (as in config.json) describes."""
        arguments = {key: value for key, value in config.items() if key not in ("family", "codec")}
        return cls(codec=CodonCodec(**config["codec"]), **arguments)

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> "LifeCode":
        """The model that `save_pretrained` wrote, in evaluation mode.

        Raises:
            UserError: the folder or a file is missing, a checksum does not match, or the weights are of
                another shape than config.json says.
        """
        config = pretrained.read_config(Path(folder), family=cls.family)
        model = cls.from_config(config)
        pretrained.load_weights(model, Path(folder))
        return model.eval()


def _rows(ids: list[np.ndarray], max_codons: int) -> Iterable[list[np.ndarray]]:
    """Consecutive sequences in rows of at most `max_codons`, a longer one in a row of its own."""
    row: list[np.ndarray] = []
    room = max_codons
    for sequence in map(whole_codons, ids):
        num_codons = len(sequence) // 3 + NUM_SPECIAL_CODONS
        if row and num_codons > room:
            yield row
            row, room = [], max_codons
        row.append(sequence)
        room -= num_codons
    if row:
        yield row


def _initialise(part: nn.Module, std: float) -> None:
    for module in part.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
