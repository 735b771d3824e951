"""The parts of a LucaOne model, for tables of parameters; works on the meta device."""

from lifecode.models.layers.cost import Part
from lifecode.models.luca_one.model import LucaOne


def luca_one_parts(model: LucaOne) -> list[Part]:
    """Embeddings, layers, final norm, and every head; they add up to the model."""
    return [
        Part("embeddings", model.embedding),
        Part("encoder layers", model.encoder.layers),
        Part("final norm", model.encoder.norm),
        Part("language head", model.language_head),
        *(Part(f"head of {task}", head) for task, head in model.task_heads.items()),
    ]
