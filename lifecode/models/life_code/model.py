"""Life-Code: codon codec, hybrid encoder and the projections that the losses read."""

import copy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lifecode.alphabet import as_sequences, encode_nucleotides
from lifecode.data.batches.packing import NUM_SPECIAL_CODONS, Packed, pack, whole_codons
from lifecode.errors import UserError
from lifecode.models import hub, pretrained
from lifecode.models.config_values import require_values
from lifecode.models.layers.norm import at_least_fp32
from lifecode.models.life_code.codec import CodonCodec
from lifecode.models.life_code.encoder import HybridEncoder
from lifecode.models.life_code.frames import Frames, averaged_over_frames, in_three_frames
from lifecode.models.life_code.strands import Strands, both_strands, strand_invariant

Pool = Literal["mean", "max", "cls"]
_UNSAVED = "Merge its adapters first: merge_and_unload(); save a head of your own by itself"


class LifeCode(nn.Module):
    """The whole model: nucleotides -> codon embeddings -> hidden states (L, d), and back.

    Args:
        codec: tokenizer and its readout, trained in stage 1.
        width: d of the encoder and of the hidden states.
        depth: encoder layers; 0 leaves the codon embeddings, projected to width d.
        hybrid_ratio: `"a:b"`, Gated DeltaNet to MHSA layers.
        num_heads: heads of a Gated DeltaNet layer.
        attention_head_dim: of an MHSA layer.
        strands: how the two strands pass through the stack.
        layer_scale: initial factor of the residual branches.
        init_std: standard deviation of the encoder's initial weights.
        activation_checkpointing: recompute each layer in the backward pass.
        equal_parameters: give MHSA layers a wider feed-forward, and as many parameters as the others.
        teacher_width: D' of the protein teacher; None leaves the protein decoder out.

    Attributes:
        training_genes: (num_genes, 16) sketches of the genes it was trained on, or None where they are not
            known; saved and loaded with the weights (see `lifecode.data.statistics.seen_genes`).
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
        equal_parameters: bool = False,
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
            "equal_parameters": equal_parameters,
            "teacher_width": teacher_width,
        }
        self.width = width
        self.training_genes: NDArray[np.uint32] | None = None
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

    def forward(self, ids: Tensor, cu_seqlens: Tensor) -> Tensor:
        """Hidden states (L, d) of packed nucleotide ids (3L,); segment borders in codons (S + 1,)."""
        borders = cu_seqlens
        if self.encoder.strands == "rc":
            ids, borders = both_strands(ids, cu_seqlens)
        return self.encoder(self.codec.tokenizer(ids.int(), borders), cu_seqlens)

    def encode(self, packed: Packed) -> Tensor:
        """Hidden states (L, d) of a packed row, special tokens included, on the model's device."""
        packed = packed.to(self.codon_projection.weight.device)
        return self(packed.ids, packed.cu_seqlens)

    @torch.inference_mode(False)
    @torch.no_grad()
    def embed(
        self,
        sequences: Any,
        pool: Pool | None = "mean",
        max_codons: int = 16_384,
        frames: Frames = 0,
    ) -> Tensor | list[Tensor]:
        """Embeds DNA or RNA sequences; a sequence's result does not depend on the others in the call.

        With `strands="rc"` a pooled vector is the same for a sequence and its reverse complement (for
        whole codons, or for any length with `frames="average"`).

        Args:
            sequences: one sequence or several, any case, U or T: text, bytes, a Seq or SeqRecord of
                Biopython, or a list, iterator, array or series of such. A length that is no multiple of three
                is completed with unknown nucleotides.
            pool: over a sequence's codons: `mean`, `max`, or `cls` for the hidden state of `[CLS]`. None
                returns every codon's hidden state.
            max_codons: sequences are packed into rows of about this many codons; only memory depends on it.
            frames: 0 reads from the first nucleotide on. `average` reads in all three frames, for sequences
                without a known one, and averages: the pooled vectors, or for `pool=None` for each
                nucleotide the hidden states of the three codons that it is in.

        Returns:
            (n, d) in fp32, or for `pool=None` a list of (ceil(length / 3), d) without special tokens; with
            `frames="average"` of (length, d). Ordinary tensors without gradient. The model is read as in
            evaluation mode; its own modes stay, so other threads may train or embed with it meanwhile.

        Raises:
            UserError: no sequence, something that is none, an empty one, a letter that is no nucleotide, or
                an unknown `pool` or `frames`.
        """
        if pool not in ("mean", "max", "cls", None):
            raise UserError(f"pool {pool!r} is unknown", remedy="Choose mean, max, cls or None")
        if frames not in (0, "average"):
            raise UserError(f"frames {frames!r} is unknown", remedy="Choose 0 or 'average'")
        ids = [encode_nucleotides(sequence, record=i) for i, sequence in enumerate(as_sequences(sequences))]
        if not ids or not all(map(len, ids)):
            empty = next((i for i, sequence in enumerate(ids) if not len(sequence)), None)
            raise UserError(
                "there is no sequence to embed", record=empty, remedy="Give at least one nucleotide"
            )
        if frames == 0:
            results = self._embed_all(ids, pool, max_codons)
        else:
            framed = self._embed_all([x for s in ids for x in in_three_frames(s)], pool, max_codons)
            triples = zip(framed[::3], framed[1::3], framed[2::3], strict=True)
            if pool is None:
                by_nucleotide = ([x.repeat_interleave(3, 0) for x in triple] for triple in triples)
                results = [averaged_over_frames(x, len(s)) for x, s in zip(by_nucleotide, ids, strict=True)]
            else:
                results = [torch.stack(triple).mean(0) for triple in triples]
        return results if pool is None else torch.stack(results)

    def _embed_all(self, ids: list[np.ndarray], pool: Pool | None, max_codons: int) -> list[Tensor]:
        model = in_evaluation(self)
        return [state for row in _rows(ids, max_codons) for state in model._embed_row(row, pool)]

    def _embed_row(self, sequences: list[np.ndarray], pool: Pool | None) -> Iterable[Tensor]:
        packed = pack(sequences)
        hidden = at_least_fp32(self.encode(packed))
        for segment in hidden.split(packed.cu_seqlens.diff().tolist()):
            yield segment[1:-1].clone() if pool is None else self.pooled(segment, pool)

    def pooled(self, segment: Tensor, pool: Pool) -> Tensor:
        """One vector (d,) of a segment's hidden states (L, d), `[CLS]` first and `[SEP]` last."""
        codons = segment[1:-1]
        if pool == "cls":
            vector = segment[0]
        else:
            vector = codons.mean(0) if pool == "mean" else codons.amax(0)
        return strand_invariant(vector) if self.encoder.strands == "rc" else vector

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Loads weights, all of them.

        Args:
            state_dict: weights by name.
            strict: even if False no weight may be missing or unexpected; but the weights of peft's adapters
                may come alone to a model that has some.
            assign: as in torch.

        Raises:
            UserError: a missing, unexpected or reshaped weight.
        """
        adapted = hasattr(self, "peft_config")
        return pretrained.load_all_names(
            super().load_state_dict, self, state_dict, strict=strict, assign=assign, adapted=adapted
        )

    def save_pretrained(self, folder: str | Path, *, dtype: torch.dtype | None = None) -> None:
        """Writes config.json, model.safetensors and SHA256SUMS, and training_genes.npy if they are known.

        Args:
            folder: made if it does not exist.
            dtype: of the weights in the file, such as `torch.float16` for half its size; None keeps theirs.
                A model that is loaded is in float32 whatever the file holds.

        Raises:
            UserError: a `dtype` that is no floating-point one or too narrow, weights beside those of the
                model, such as those of an adapter, or a folder that cannot be written.
        """
        state = pretrained.converted(self.state_dict(), dtype)
        self.require_own_weights(state)
        pretrained.save(self, self.config, Path(folder), state=state, training_genes=self.training_genes)

    def require_own_weights(self, state: Mapping[str, Tensor]) -> None:
        """Raises a UserError unless `state` has the names and shapes of a model of this config."""
        with torch.device("meta"):
            own = type(self).from_config(self.config)
        found = {name: tuple(x.shape) for name, x in state.items()}
        pretrained.require_same_names(own, found, "the model", _UNSAVED)

    def push_to_hub(
        self,
        name: str,
        *,
        revision: str | None = None,
        private: bool | None = None,
        commit_message: str = "Upload a Life-Code model",
    ) -> str:
        """Uploads what `save_pretrained` writes to `user/name` on the Hugging Face hub.

        Args:
            name: of the repository, which is made if it does not exist.
            revision: branch to commit to; None is the main one.
            private: of a new repository; None leaves it to the account's default.
            commit_message: of the one commit.

        Returns:
            The address of the commit.

        Raises:
            UserError: no such name, no huggingface_hub, no connection, or no permission.
        """
        return hub.upload(
            self.save_pretrained, name, revision=revision, private=private, message=commit_message
        )

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
        try:
            return cls(codec=codec, **arguments)
        except (TypeError, RuntimeError) as error:  # RuntimeError: torch's, of a tensor beyond any memory
            raise UserError(
                f"the model's config does not fit this version of lifecode ({error})",
                source="config.json",
                remedy="It was written by another version: pip install --upgrade lifecode",
            ) from error

    @classmethod
    def from_pretrained(cls, name_or_folder: str | Path, *, revision: str | None = None) -> "LifeCode":
        """The model that `save_pretrained` wrote, in evaluation mode and on the CPU.

        Args:
            name_or_folder: its folder, or `user/name` on the Hugging Face hub.
            revision: branch, tag or commit on the hub.

        Raises:
            UserError: no such folder or name, a file is missing, a checksum does not match, or the weights
                are of another shape than config.json says.
        """
        folder = hub.model_folder(name_or_folder, revision=revision)
        config = pretrained.read_config(folder, family=cls.family)
        pretrained.require_depth(folder, config)
        with torch.device("meta"):
            pretrained.require_same_shapes(cls.from_config(config), folder)
        with torch.device("cpu"):  # whatever the host program's default is
            model = cls.from_config(config).float()
            pretrained.load_weights(model, folder)
        model.training_genes = pretrained.read_training_genes(folder)
        return model.eval()


def in_evaluation(module: nn.Module) -> Any:
    """The module if all of it is in evaluation mode, else a twin of it that is, with the same parameters.

    Setting the mode of the module itself would change it for every other thread that uses it.
    """
    if not any(part.training for part in module.modules()):
        return module
    twins: dict[int, nn.Module] = {}

    def twin_of(part: nn.Module) -> nn.Module:
        if id(part) not in twins:
            twin = twins[id(part)] = copy.copy(part)
            twin.training = False
            twin._modules = {
                name: None if child is None else twin_of(child) for name, child in part._modules.items()
            }
        return twins[id(part)]

    return twin_of(module)


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
