"""lifecode: from annotated genomes to codon-level language models.

>>> import lifecode
>>> model = lifecode.LifeCode.from_pretrained("runs/quickstart/model")  # doctest: +SKIP
>>> model.embed(["ATGAAACGCATTAGCACC"]).shape  # doctest: +SKIP
torch.Size([1, 128])
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifecode.model import LifeCode, load

__all__ = ["LifeCode", "load"]


def __getattr__(name: str) -> Any:
    """Imports the model at its first use, so that `import lifecode` does not wait for torch."""
    if name in __all__:
        from lifecode import model

        return getattr(model, name)
    raise AttributeError(f"module 'lifecode' has no attribute {name!r}")
