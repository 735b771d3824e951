"""The names of all baselines, which each kind of task has, and names of models that differ from them."""

from collections.abc import Sequence
from typing import Literal, get_args

from lifecode.errors import UserError
from lifecode.tasks.baselines import Baseline
from lifecode.tasks.pairs.pair_baselines import PairBaseline

ZeroShotBaseline = Literal["untrained", "blosum62", "residue_unigram"]
"""Of mutants that are scored and not learnt from: of the substitution matrix, and of residue frequencies."""
AnyBaseline = Baseline | PairBaseline | ZeroShotBaseline
TaskKind = Literal["sequences", "pairs", "mutants"]

BASELINES: dict[TaskKind, tuple[str, ...]] = {
    "sequences": get_args(Baseline),
    "pairs": get_args(PairBaseline),
    "mutants": get_args(ZeroShotBaseline),
}
WITHOUT_STATES, UNTRAINED, MODEL = "without_states", "untrained", " (model)"
"""What stands beside states, alone; a model's twin with new weights; what tells a model from a baseline."""
_NOT_OF_MODELS = {WITHOUT_STATES, *(name for names in BASELINES.values() for name in names)}


def require_baselines(names: Sequence[str] | None, key: str, kinds: Sequence[TaskKind]) -> None:
    """Raises a `UserError` for a name that is no baseline of these kinds of task, with those that are.

    Args:
        names: that were given; None and none are fine.
        key: under which they were given.
        kinds: of the task, or of all sets of a suite.
    """
    known = dict.fromkeys(name for kind in kinds for name in BASELINES[kind])
    for name in names or ():
        if name not in known:
            others = " and ".join(kind for kind, own in BASELINES.items() if name in own)
            what = (
                f"is a baseline of {others}, and these are {' and '.join(kinds)}"
                if others
                else "is no baseline"
            )
            raise UserError(f"{name!r} {what}", source=key, remedy=f"Use {', '.join(known)}")


def model_name(given: str) -> str:
    """The name of a model in tables: as it was given, unless a baseline or another's twin is called so."""
    is_taken = given in _NOT_OF_MODELS or given.startswith(f"{UNTRAINED} ")
    return f"{given}{MODEL}" if is_taken else given


def notes_on_name(name: str) -> list[str]:
    """A line on a model that `model_name` gave another name."""
    given = name.removesuffix(MODEL)
    if given == name or model_name(given) != name:
        return []
    return [f"the model {given!r} is called {name!r} here, as a baseline is called {given!r}"]
