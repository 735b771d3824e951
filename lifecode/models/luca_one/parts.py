"""The parts of a LucaOne model, with what each reads of some rows; works on the meta device."""

from typing import Any

from lifecode.models.layers.cost import Part
from lifecode.models.luca_one.model import LucaOne
from lifecode.models.luca_one.vocabulary import NUM_TOKENS


def luca_one_parts(model: LucaOne, contents: Any = None) -> list[Part]:
    """Embeddings, layers, final norm, and every head; they add up to the model.

    Args:
        model: any.
        contents: what all rows hold that pass through it together (`num_tokens`, `squared_tokens`, `masked`,
            and by task what its head has `read`); None: nothing.
    """
    tokens, squared, masked, read = 0.0, 0.0, 0.0, dict.fromkeys(model.task_heads, 0.0)
    if contents is not None:
        tokens, squared = contents.num_tokens, contents.squared_tokens
        masked, read = contents.masked, contents.read
    heads = model.config["heads"]
    return [
        Part("embeddings", model.embedding, tokens, below=False),
        Part(
            "encoder layers",
            model.encoder.layers,
            tokens,
            squared,
            checkpointing=model.encoder.activation_checkpointing,
        ),
        Part("final norm", model.encoder.norm, tokens),
        # Logits and their softmax.
        Part("language head", model.language_head, masked, loss_values=2 * NUM_TOKENS),
        *(
            Part(f"head of {task}", head, read[task], loss_values=2 * heads[task]["classes"])
            for task, head in model.task_heads.items()
        ),
    ]
