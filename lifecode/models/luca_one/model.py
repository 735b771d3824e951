"""LucaOne: embeddings, transformer, the masked-language head and those of the labelled tasks."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import torch
from torch import Tensor, nn

from lifecode.errors import UserError
from lifecode.models.chosen_layers import Layer, chosen_layers
from lifecode.models.luca_one import reading
from lifecode.models.luca_one.encoder import TokenEmbedding, TransformerEncoder
from lifecode.models.luca_one.foreign import Layout, read_checkpoint, write_checkpoint
from lifecode.models.luca_one.heads import LEVELS, LanguageHead, TaskHead, head_shapes
from lifecode.models.luca_one.masked_readers import masked_reader
from lifecode.models.luca_one.molecules import named_tokens
from lifecode.models.luca_one.reading import LetterLikelihood
from lifecode.models.luca_one.rows import NUM_SPECIAL, TokenRow
from lifecode.models.luca_one.vocabulary import PAD
from lifecode.models.masked_reading import MaskedReader, Reading
from lifecode.models.pooling import Pool, require_pool, vectors_frame
from lifecode.models.saved import SavedModel

if TYPE_CHECKING:
    from pandas import DataFrame

Molecule = str | Sequence[str] | None


class LucaOne(SavedModel):
    """The whole model: letters of a nucleic acid or protein -> hidden states (T, d) -> what its heads say.

    Args:
        width: d.
        depth: number of layers.
        num_heads: of attention.
        heads: of the labelled tasks, `{gene_type: {hidden: 128, classes: 8}}`; none for an empty mapping.
        max_tokens: that are read at once, `[CLS]` and `[SEP]` included; longer sequences in windows.
        head_dropout: in the heads of the tasks.
        init_std: standard deviation of the initial weights.
        activation_checkpointing: recompute each layer in the backward pass.

    Raises:
        UserError: a width that does not divide into heads, an unknown task, or a head of no shape.
    """

    family = "luca_one"

    def __init__(
        self,
        *,
        width: int,
        depth: int,
        num_heads: int,
        heads: dict[str, dict[str, int]],
        max_tokens: int = 1280,
        head_dropout: float = 0.1,
        init_std: float = 0.02,
        activation_checkpointing: bool = False,
    ) -> None:
        super().__init__()
        if max_tokens < NUM_SPECIAL + 2:
            raise UserError(f"is {max_tokens}, which has no room for letters", source="model.max_tokens")
        shapes = head_shapes(heads)
        self.config: dict[str, Any] = {
            "family": self.family,
            "width": width,
            "depth": depth,
            "num_heads": num_heads,
            "heads": {name: shape._asdict() for name, shape in shapes.items()},
            "max_tokens": max_tokens,
            "head_dropout": head_dropout,
            "init_std": init_std,
            "activation_checkpointing": activation_checkpointing,
        }
        self.width = width
        self.embedding = TokenEmbedding(width)
        self.encoder = TransformerEncoder(
            width=width, depth=depth, num_heads=num_heads, activation_checkpointing=activation_checkpointing
        )
        self.language_head = LanguageHead(width)
        self.task_heads = nn.ModuleDict(
            {name: TaskHead(width, shape, head_dropout) for name, shape in shapes.items()}
        )
        _initialise(self, init_std)

    @property
    def max_letters(self) -> int:
        """Of a sequence that is read at once."""
        return self.config["max_tokens"] - NUM_SPECIAL

    def forward(
        self, ids: Tensor, molecules: Tensor, cu_seqlens: Tensor, num_layers: int | None = None
    ) -> Tensor:
        """Hidden states (T, d) of packed token ids (T,); see `lifecode.models.luca_one.rows.TokenRow`.

        Those behind the first `num_layers` layers pass the final norm all the same.
        """
        return self.encoder(self.embedding(ids, molecules), cu_seqlens, num_layers=num_layers)

    def encode(self, row: TokenRow, num_layers: int | None = None) -> Tensor:
        """Hidden states (T, d) of a packed row, special tokens included, on the model's device."""
        row = row.to(self.embedding.tokens.weight.device)
        return self(row.ids, row.molecules, row.cu_seqlens, num_layers)

    def language_logits(self, states: Tensor) -> Tensor:
        """Logits (n, 39) of hidden states (n, d), in fp32 or better."""
        return self.language_head(states, self.embedding.tokens.weight)

    def task_logits(self, task: str, states: Tensor, cu_seqlens: Tensor) -> Tensor:
        """What the head of a task makes of the hidden states of a row.

        Args:
            task: of `lifecode.models.luca_one.heads.LEVELS`.
            states: (T, d), as `encode` gives them.
            cu_seqlens: borders of the S segments.

        Returns:
            (S, classes) for a task of whole sequences, read at `[CLS]`; else (T, classes), of every position.

        Raises:
            UserError: the model has no such head.
        """
        if task not in self.task_heads:
            own = ", ".join(self.task_heads) or "none"
            raise UserError(f"the model has no head for {task!r}", remedy=f"Its heads: {own}")
        return self.task_heads[task](states[cu_seqlens[:-1].long()] if LEVELS[task] == "sequence" else states)

    @overload
    def embed(
        self,
        sequences: Any,
        pool: Pool = "mean",
        max_tokens: int = 16_384,
        frames: Literal[0] = 0,
        *,
        molecule: Molecule = None,
        layer: Layer = None,
        as_frame: Literal[False] = False,
    ) -> Tensor: ...
    @overload
    def embed(
        self,
        sequences: Any,
        pool: None,
        max_tokens: int = 16_384,
        frames: Literal[0] = 0,
        *,
        molecule: Molecule = None,
        layer: Layer = None,
        as_frame: Literal[False] = False,
    ) -> list[Tensor]: ...
    @overload
    def embed(
        self,
        sequences: Any,
        pool: Pool | None = "mean",
        max_tokens: int = 16_384,
        frames: Literal[0] = 0,
        *,
        molecule: Molecule = None,
        layer: Layer = None,
        as_frame: Literal[True],
    ) -> "DataFrame": ...
    @torch.inference_mode(False)
    @torch.no_grad()
    def embed(
        self,
        sequences: Any,
        pool: Pool | None = "mean",
        max_tokens: int = 16_384,
        frames: object = 0,
        *,
        molecule: Molecule = None,
        layer: Layer = None,
        as_frame: bool = False,
    ) -> "Tensor | list[Tensor] | DataFrame":
        """Embeds nucleic acids and proteins; a sequence's result does not depend on the others in the call.

        Args:
            sequences: one or several, in either case: text, bytes, a Seq or SeqRecord of Biopython, a record
                of `lifecode.read_records`, or a list, iterator, array or series of such; or the path of a
                sequence file, whose records are read.
            pool: over a sequence's letters: `mean`, `max`, or `cls` for the hidden state of `[CLS]` (of a
                sequence that is read in windows their mean). None returns every letter's hidden state.
            max_tokens: sequences are packed into rows of about this many tokens; only memory depends on it.
            frames: 0; a model of letters has no reading frames.
            molecule: what the sequences are, one word for all or a list: `dna`, `rna`, `gene`, `nucleotide`,
                or `protein`. Records of files say it themselves.
            layer: the number of layers that the hidden states have passed, before the final norm; None for
                all. Of several numbers the vectors lie one behind the other.
            as_frame: return a pandas frame of d columns instead.

        Returns:
            (n, d), or (n, k d) of k layers, in fp32; for `pool=None` a list of (length, d) without special
            tokens. As a frame, the
            index `id` is the name of each record, or the place of a sequence without one; for `pool=None` a
            second level `letter` counts from 0. Ordinary tensors without gradient. The model is read as in
            evaluation mode, and its own modes stay.

        Warns:
            UserWarning: sequences longer than `max_letters` are read in overlapping windows.

        Raises:
            UserError: no sequence, something that is none, an empty one, a molecule that is unknown or not
                said, a character that is no letter, an unknown `pool` or `frames`, or a layer that the model
                does not have.
        """
        require_pool(pool)
        layers = chosen_layers(layer, len(self.encoder.layers))
        if frames != 0:
            raise UserError(
                f"a model of family {self.family} reads single letters, which have no reading frames",
                source="frames",
                remedy="Leave it out",
            )
        names, tokens = named_tokens(sequences, molecule)
        reading.say_of_long_ones(tokens, self.max_letters)
        behind = [
            reading.embedded(
                self, tokens, pool=pool, max_tokens=max_tokens, longest=self.max_letters, layer=number
            )
            for number in layers
        ]
        vectors = [torch.cat(own, dim=-1) for own in zip(*behind, strict=True)]
        if as_frame:
            return vectors_frame(names, vectors, level="letter" if pool is None else None)
        return vectors if pool is None else torch.stack(vectors)

    @torch.inference_mode(False)
    @torch.no_grad()
    def masked_logits(
        self, sequences: Any, max_tokens: int = 16_384, *, molecule: Molecule = None
    ) -> list[Tensor]:
        """What the model expects at each letter when that letter alone is masked.

        Args:
            sequences: as for `embed`.
            max_tokens: masked copies are packed into rows of about this many tokens. L letters are L copies,
                so time grows with L squared.
            molecule: as for `embed`.

        Returns:
            For each sequence of n letters a tensor (n, 39), a column per token in the order of
            `lifecode.models.luca_one.vocabulary.TOKENS`: log-probabilities in nats over all 39, in float32,
            or float64 for a model in float64.

        Raises:
            UserError: as for `embed`.
        """
        _, tokens = named_tokens(sequences, molecule)
        reading.say_of_long_ones(tokens, self.max_letters)
        return reading.masked_log_probabilities(self, tokens, max_tokens=max_tokens, longest=self.max_letters)

    @torch.inference_mode(False)
    @torch.no_grad()
    def pseudo_log_likelihood(
        self, sequences: Any, max_tokens: int = 16_384, *, molecule: Molecule = None
    ) -> LetterLikelihood:
        """How likely each letter is, given all the others: sum and mean of log P, in nats.

        Letters that stand for several or none (N of a gene; X, B, Z, J, `.`, `-` and `*` of a protein) are
        read and not scored.

        Args:
            sequences: as for `masked_logits`.
            max_tokens: likewise.
            molecule: likewise.

        Returns:
            `total`, `mean` and `num_letters`, (n,) each.

        Raises:
            UserError: as for `masked_logits`.
        """
        _, tokens = named_tokens(sequences, molecule)
        reading.say_of_long_ones(tokens, self.max_letters)
        rows = reading.masked_log_probabilities(self, tokens, max_tokens=max_tokens, longest=self.max_letters)
        return reading.letter_likelihood(tokens, rows)

    def masked_reader(self, reading: Reading) -> MaskedReader | None:
        """The model as one that is asked about `residue` or `nucleotide`; see `MaskedModel`."""
        return masked_reader(self, reading)

    @classmethod
    def from_foreign(cls, path: Path) -> Self | None:
        """The model of a released checkpoint or of a folder of the transformers port; None for anything else.

        The shape, with the classes of every head, comes from the shapes of the weights. No pickle beside the
        weights is opened, and in the weights nothing but tensors.

        Raises:
            UserError: weights of another vocabulary, that are incomplete or unexpected, or cannot be read.
        """
        found = read_checkpoint(path)
        if found is None:
            return None
        with torch.device("meta"):
            model = cls(**found.shape)
        model.load_state_dict({name: x.float() for name, x in found.state.items()}, assign=True)
        return model.eval()

    def save_checkpoint(self, folder: str | Path, layout: Layout) -> None:
        """Writes the weights as LucaOne's own programs read them, into a folder that is new.

        Args:
            folder: must not exist, or be empty.
            layout: `released` (pytorch.pth) or `transformers` (config.json and model.safetensors, which have
                no room for the heads of the tasks).

        Raises:
            UserError: the layout is unknown, or the folder is there already or cannot be written.
        """
        write_checkpoint(self.state_dict(), self.config, Path(folder), layout)


def _initialise(model: nn.Module, std: float) -> None:
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=std)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
        if isinstance(module, nn.Embedding) and module.padding_idx == PAD:
            with torch.no_grad():
                module.weight[PAD] = 0.0
