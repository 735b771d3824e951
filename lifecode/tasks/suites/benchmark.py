"""What every suite is: named sets of labelled examples, each read when it is its turn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.tasks.baselines import fitting_baselines
from lifecode.tasks.competitors.competitor import Competitor, Reader, Say
from lifecode.tasks.examples.molecule import molecule_named
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.examples.task_data import TaskData, read_task
from lifecode.tasks.names_in_tables import BASELINES, TaskKind
from lifecode.tasks.pairs.pair_baselines import fitting_pair_baselines
from lifecode.tasks.pairs.pair_task import PairData, PairTask, read_pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceSet:
    """One set of labelled sequences.

    Attributes:
        name: within the suite, fit for a file name.
        task: with the paths of the files.
        read: what the files hold; some layouts read them in a way of their own.
        left_out: why it is not learnt here; None where it is.
    """

    name: str
    task: SequenceTask
    read: Callable[[SequenceTask], TaskData] = read_task
    left_out: str | None = None
    kind: ClassVar[TaskKind] = "sequences"

    @property
    def baselines(self) -> Sequence[str]:
        """Names of those that can be asked for, as far as the task says it before its files are read."""
        molecule = molecule_named(self.task.molecule or "dna")
        return fitting_baselines(molecule, self.task.kind, self.task.unit)

    def data(self) -> TaskData:
        """Read the files."""
        return self.read(self.task)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSet:
    """One set of labelled pairs; as `SequenceSet`."""

    name: str
    task: PairTask
    read: Callable[[PairTask], PairData] = read_pairs
    left_out: str | None = None
    kind: ClassVar[TaskKind] = "pairs"

    @property
    def baselines(self) -> Sequence[str]:
        """As of sequences."""
        return fitting_pair_baselines(*self.task.kinds)

    def data(self) -> PairData:
        """Read the files."""
        return self.read(self.task)


class Scored(NamedTuple):
    """Examples that are scored and not learnt from.

    Attributes:
        ids: of each.
        texts: of each, for people.
        labels: (n,) measured values.
        notes: what was found rather than said.
        competitors: everybody who scores them, the models first.
    """

    ids: list[str]
    texts: list[str]
    labels: NDArray[np.float64]
    notes: list[str]
    competitors: list[Competitor]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroShotSet:
    """One set of measured examples that models score as they are; nothing is learnt from it.

    Attributes:
        name: within the suite.
        read: models, the seed of untrained twins, and who is told what is being done, to the scored examples.
        averaged_by: sets of one such name are averaged first.
        group: a mean of all sets is also taken for each group.
        left_out: why it is not scored here; None where it is.
    """

    name: str
    read: Callable[[Sequence[Reader], int, Say], Scored]
    averaged_by: str
    group: str
    left_out: str | None = None
    kind: ClassVar[TaskKind] = "mutants"

    @property
    def baselines(self) -> Sequence[str]:
        """Names of those that can be asked for."""
        return BASELINES[self.kind]


BenchmarkSet = SequenceSet | PairSet | ZeroShotSet


class Suite(Protocol):
    """The layout of a benchmark on disk."""

    def sets(self, root: Path) -> Mapping[str, BenchmarkSet]:
        """The sets that are there, by name, in the order of the suite.

        Raises:
            UserError: the folder holds none.
        """
        ...


def chosen_sets(suite: Suite, root: Path, names: list[str] | None) -> list[BenchmarkSet]:
    """The sets of these names, or all that are there.

    Raises:
        UserError: no such folder, no set in it, or none of a name.
    """
    if not root.exists():
        raise UserError("there is no such folder", source=root, remedy="Give root=FOLDER of the benchmark")
    found = suite.sets(root)
    for name in names or ():
        if name not in found:
            raise UserError(
                f"holds no set {name!r}; it holds {', '.join(found)}",
                source=root,
                remedy="Give some of them as sets=[...]",
            )
    return [found[name] for name in (found if names is None else names)]


def none_found(root: Path, expected: str) -> UserError:
    """The fault of a folder in which no set was found."""
    return UserError(f"holds no {expected}", source=root, remedy="Give the folder as downloaded: root=...")
