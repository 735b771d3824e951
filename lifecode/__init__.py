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
    from lifecode.app.load import load
    from lifecode.data.corpus.corpus import Corpus
    from lifecode.data.reading.read import read_records
    from lifecode.data.translation import reverse_translate, translate
    from lifecode.errors import UserError
    from lifecode.models import LifeCode, LucaOne
    from lifecode.verbs.analyse import analyse
    from lifecode.verbs.check import check
    from lifecode.verbs.dogma import make_dataset
    from lifecode.verbs.embed.embed import embed
    from lifecode.verbs.evaluate.evaluate import evaluate
    from lifecode.verbs.finetune import finetune
    from lifecode.verbs.info import info
    from lifecode.verbs.optimize import optimize
    from lifecode.verbs.predict import predict
    from lifecode.verbs.prepare.prepare import prepare
    from lifecode.verbs.report import compare_runs
    from lifecode.verbs.rows import make_rows
    from lifecode.verbs.score.scan import score_scan
    from lifecode.verbs.score.score import score
    from lifecode.verbs.track.track import track
    from lifecode.verbs.train.training_run import TrainingRun

    __version__: str

_HOMES = {
    "Corpus": "lifecode.data.corpus.corpus",
    "LifeCode": "lifecode.models",
    "LucaOne": "lifecode.models",
    "TrainingRun": "lifecode.verbs.train.training_run",
    "UserError": "lifecode.errors",
    "analyse": "lifecode.verbs.analyse",
    "check": "lifecode.verbs.check",
    "compare_runs": "lifecode.verbs.report",
    "compose": "lifecode.app.from_python",
    "embed": "lifecode.verbs.embed.embed",
    "evaluate": "lifecode.verbs.evaluate.evaluate",
    "finetune": "lifecode.verbs.finetune",
    "info": "lifecode.verbs.info",
    "load": "lifecode.app.load",
    "make_dataset": "lifecode.verbs.dogma",
    "make_rows": "lifecode.verbs.rows",
    "optimize": "lifecode.verbs.optimize",
    "predict": "lifecode.verbs.predict",
    "prepare": "lifecode.verbs.prepare.prepare",
    "read_records": "lifecode.data.reading.read",
    "reverse_translate": "lifecode.data.translation",
    "run": "lifecode.app.from_python",
    "score": "lifecode.verbs.score.score",
    "score_scan": "lifecode.verbs.score.scan",
    "track": "lifecode.verbs.track.track",
    "translate": "lifecode.data.translation",
}
__all__ = [
    "Corpus",
    "LifeCode",
    "LucaOne",
    "TrainingRun",
    "UserError",
    "__version__",
    "analyse",
    "check",
    "compare_runs",
    "compose",
    "embed",
    "evaluate",
    "finetune",
    "info",
    "load",
    "make_dataset",
    "make_rows",
    "optimize",
    "predict",
    "prepare",
    "read_records",
    "reverse_translate",
    "run",
    "score",
    "score_scan",
    "track",
    "translate",
]


def __getattr__(name: str) -> Any:
    """Imports what is asked for at its first use, so that `import lifecode` does not wait for torch."""
    if name == "__version__":
        return import_module("importlib.metadata").version("lifecode")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'lifecode' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names."""
    return __all__
