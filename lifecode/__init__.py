"""lifecode: from annotated genomes to codon-level language models.

>>> import lifecode
>>> model = lifecode.LifeCode.from_pretrained("lifecode-mini")
>>> model.embed(["ATGAAACGCATTAGCACC"]).shape
torch.Size([1, 128])
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifecode.app.from_python import compose, run
    from lifecode.models import LifeCode, load

__all__ = ["LifeCode", "compose", "load", "run"]
_HOMES = {
    "LifeCode": "lifecode.models",
    "load": "lifecode.models",
    "compose": "lifecode.app.from_python",
    "run": "lifecode.app.from_python",
    "finetune": "lifecode.verbs.finetune",
    "predict": "lifecode.verbs.predict",
}


def __getattr__(name: str) -> Any:
    """Imports what is asked for at its first use, so that `import lifecode` does not wait for torch."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'lifecode' has no attribute {name!r}")
