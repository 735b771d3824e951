"""A way to learn a task, and everybody who takes part in it: models, untrained twins, controls, baselines."""

from collections.abc import Sequence
from typing import Any, Protocol

from lifecode.tasks.competitors.competitor import Competitor, Reader, Role
from lifecode.tasks.names_in_tables import UNTRAINED, notes_on_name
from lifecode.tasks.splits.rounds import Round
from lifecode.tasks.tuned_model import Tuned


class Learner(Protocol):
    """One way to learn one task: on frozen states, of sequences, positions or pairs, or by gradient."""

    @property
    def usual(self) -> Sequence[str]:
        """Names of the baselines that fit."""
        ...

    def why_not(self, reader: Reader) -> str | None:
        """Why a model cannot take part; None where it can."""
        ...

    def notes_on(self, reader: Reader) -> list[str]:
        """What a user should know of how a model reads the examples, a line each."""
        ...

    def model(self, reader: Reader, role: Role) -> Competitor:
        """A model, learnt from in every round."""
        ...

    def baseline(self, name: str) -> Competitor:
        """A baseline other than `untrained`."""
        ...

    def controls(self) -> list[Competitor]:
        """Baselines of its own."""
        ...

    def fitted(self, reader: Reader, everything: Round, told: dict[str, Any]) -> Tuned | None:
        """The model with all examples outside the test file; None where its head is not kept."""
        ...

    def described(self) -> dict[str, Any]:
        """How it learns and what it chose, for metrics.json."""
        ...

    def notes(self) -> list[str]:
        """What is to be said beside the table."""
        ...


def competitors(
    learner: Learner,
    readers: Sequence[Reader],
    asked: Sequence[str] | None,
    without: Sequence[str],
    seed: int,
    notes: list[str],
) -> list[Competitor]:
    """Everybody who takes part; the models first.

    Args:
        learner: how the task is learnt.
        readers: models, each under a name of its own.
        asked: baselines; None takes the usual ones.
        without: baselines that are left out of these.
        seed: of the untrained twins.
        notes: gets a line for each model that cannot take part, how the others read, and how they are called.
    """
    names = [name for name in (learner.usual if asked is None else asked) if name not in without]
    there = []
    for reader in readers:
        notes += notes_on_name(reader.name)
        reason = learner.why_not(reader)
        if reason is None:
            there.append(reader)
            notes += [note for note in learner.notes_on(reader) if note not in notes]
        else:
            notes.append(f"{reader.name} {reason}, and is left out")
    found = [learner.model(reader, "model") for reader in there]
    if UNTRAINED in names:
        twins = {twin.digest: twin for reader in there if (twin := reader.untrained(seed)) is not None}
        found += [learner.model(twin, "baseline") for twin in twins.values()]
    return [*found, *learner.controls(), *(learner.baseline(name) for name in names if name != UNTRAINED)]
