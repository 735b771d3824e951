"""LucaOne: embeddings, transformer, the masked-language head and those of the labelled tasks.

What it says of sequences that a user gives stands beside it: `embed` in `embedding`, `masked_logits` and
`pseudo_log_likelihood` in `masked`.
"""

from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from lifecode.errors import UserError
from lifecode.models.luca_one.embedding import EmbedsLetters
from lifecode.models.luca_one.encoder import TokenEmbedding, TransformerEncoder
from lifecode.models.luca_one.foreign import Layout, read_checkpoint, write_checkpoint
from lifecode.models.luca_one.heads import LEVELS, LanguageHead, TaskHead, head_shapes
from lifecode.models.luca_one.masked import MasksLetters
from lifecode.models.luca_one.masked_readers import masked_reader
from lifecode.models.luca_one.rows import NUM_SPECIAL, TokenRow
from lifecode.models.luca_one.vocabulary import PAD
from lifecode.models.masked_reading import MaskedReader, MaskedReading
from lifecode.models.weights import require_same_names


class LucaOne(EmbedsLetters, MasksLetters):
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

    def forward(
        self, ids: Tensor, molecules: Tensor, cu_seqlens: Tensor, num_layers: int | None = None
    ) -> Tensor:
        """Hidden states (T, d) of a packed row of letters; see `lifecode.models.luca_one.rows.TokenRow`.

        Args:
            ids: (T,) of tokens.
            molecules: (T,) the molecule that each is of.
            cu_seqlens: (S + 1,) borders of the segments.
            num_layers: states behind so many layers, which pass the final norm all the same; None: behind
                all.
        """
        return self.encoder(self.embedding(ids, molecules), cu_seqlens, num_layers=num_layers)

    def encode(self, row: TokenRow, num_layers: int | None = None) -> Tensor:
        """Hidden states (T, d) of a packed row, special tokens included, on the model's device.

        Args:
            row: letters, packed.
            num_layers: as for `forward`.
        """
        row = row.to(self.embedding.tokens.weight.device)
        return self(row.ids, row.molecules, row.cu_seqlens, num_layers)

    def language_logits(self, states: Tensor) -> Tensor:
        """Logits of the 39 tokens, in fp32 or better.

        Args:
            states: (n, d), as `encode` gives them.

        Returns:
            (n, 39).
        """
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

    def masked_reader(self, reading: MaskedReading) -> MaskedReader | None:
        """The model as one that is asked what it expects at masked places; see `MaskedModel`.

        Args:
            reading: about `residue` or `nucleotide`; None comes back for any other.
        """
        return masked_reader(self, reading)

    @classmethod
    def from_foreign(cls, path: Path) -> Self | None:
        """The model of a released checkpoint or of a folder of the transformers port; None for anything else.

        The shape, with the classes of every head, comes from the shapes of the weights. No pickle beside the
        weights is opened, and in the weights nothing but tensors.

        Args:
            path: of the file, or the folder around it.

        Raises:
            UserError: weights of another vocabulary, that are incomplete or unexpected, or cannot be read.
        """
        found = read_checkpoint(path)
        if found is None:
            return None
        with torch.device("meta"):
            model = cls(**found.shape)
        shapes = {name: tuple(x.shape) for name, x in found.state.items()}
        require_same_names(model, shapes, path, "Copy them again")
        model.load_state_dict({name: x.float() for name, x in found.state.items()}, assign=True)
        return model.eval()

    def save_checkpoint(self, folder: str | Path, layout: Layout) -> None:
        """Writes the weights as LucaOne's own programs read them, into a folder that is new.

        Args:
            folder: must not exist, or be empty.
            layout: `released` (pytorch.pth; numbers the heads of tasks, so it takes all eight, the two of
                genes, the six of proteins, or none) or `transformers` (config.json and model.safetensors,
                which have no room for the heads).

        Raises:
            UserError: the layout is unknown or has no place for the heads, or the folder is there already or
                cannot be written.
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
