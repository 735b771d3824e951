"""`tuning=probe`: a head on blocks of features that a frozen model, or the letters alone, give of examples.

What the blocks are is the business of the examples, sequences or pairs; the rounds are the same for both.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from lifecode.host.checksum import digest_of
from lifecode.tasks.competitors.competitor import Competitor, Predictions, Reader, Role, Say
from lifecode.tasks.contest import Contest
from lifecode.tasks.heads.head import Blocks, FittedHead, Head
from lifecode.tasks.names_in_tables import WITHOUT_STATES
from lifecode.tasks.splits.rounds import Round
from lifecode.tasks.tuned_model import Tuned


class FeatureBlocks(Protocol):
    """Features of all examples of a task."""

    how: dict[str, Any]
    """All that they depend on beside the examples and the model."""
    head: Head
    has_beside: bool
    """Whether anything stands beside the states of a model."""

    @property
    def usual(self) -> Sequence[str]:
        """Names of the baselines that fit."""
        ...

    def why_not(self, reader: Reader) -> str | None:
        """Why a model cannot read them; None where it can."""
        ...

    def notes(self, reader: Reader) -> list[str]:
        """What a user should know of how a model reads them, a line each."""
        ...

    def of_model(self, reader: Reader, told: Callable[[int, int], None]) -> Blocks:
        """What a model says of them, and what stands beside it."""
        ...

    def beside(self) -> Blocks:
        """What stands beside it alone; often nothing."""
        ...

    def of_baseline(self, name: str) -> tuple[Blocks, Head | None]:
        """What a baseline learns from, and by which head; None predicts what is commonest."""
        ...

    def baseline_key(self, name: str) -> dict[str, Any]:
        """All that a baseline depends on beside the examples."""
        ...

    def kept(self, reader: Reader, head: FittedHead, told: dict[str, Any]) -> Tuned | None:
        """The model as a folder would hold it; None where the head is not kept."""
        ...

    def described(self) -> dict[str, Any]:
        """For metrics.json."""
        ...


class Frozen:
    """A `Learner` of a head on frozen states.

    Args:
        blocks: of all examples.
        contest: rounds and labels.
        say: told what is being done.
    """

    def __init__(self, blocks: FeatureBlocks, contest: Contest, say: Say) -> None:
        self.blocks, self.contest, self.say = blocks, contest, say
        self._first: tuple[Reader, Blocks] | None = None

    @property
    def usual(self) -> Sequence[str]:
        """As of the blocks."""
        return self.blocks.usual

    def why_not(self, reader: Reader) -> str | None:
        """As of the blocks."""
        return self.blocks.why_not(reader)

    def notes_on(self, reader: Reader) -> list[str]:
        """As of the blocks."""
        return self.blocks.notes(reader)

    def model(self, reader: Reader, role: Role) -> Competitor:
        """A head on what a model reads."""

        def predictions() -> Predictions:
            return self.contest.predictions(self._of_model(reader), self.blocks.head)

        digest = digest_of({"model": reader.digest} | self.blocks.how)
        return Competitor(reader.name, role, digest, predictions)

    def baseline(self, name: str) -> Competitor:
        """A head on what letters say."""

        def predictions() -> Predictions:
            return self.contest.predictions(*self.blocks.of_baseline(name))

        return Competitor(name, "baseline", digest_of(self.blocks.baseline_key(name)), predictions)

    def controls(self) -> list[Competitor]:
        """`without_states`, where something stands beside the states: the same head on that alone."""

        def predictions() -> Predictions:
            return self.contest.predictions(self.blocks.beside(), self.blocks.head)

        digest = digest_of({"model": None} | self.blocks.how)
        alone = Competitor(WITHOUT_STATES, "baseline", digest, predictions)
        return [alone] if self.blocks.has_beside else []

    def fitted(self, reader: Reader, everything: Round, told: dict[str, Any]) -> Tuned | None:
        """The head of all examples outside the test file."""
        head = self.contest.fitted(self._of_model(reader), self.blocks.head, everything)
        return self.blocks.kept(reader, head, told)

    def described(self) -> dict[str, Any]:
        """As of the blocks."""
        return {"tuning": "probe", **self.blocks.described()}

    def notes(self) -> list[str]:
        """None."""
        return []

    def _of_model(self, reader: Reader) -> Blocks:
        """The first model's are kept: it is asked for its head again."""
        if self._first is not None and self._first[0] is reader:
            return self._first[1]

        def told(done: int, total: int) -> None:
            self.say(f"{reader.name}: {done:,} of {total:,} sequences read")

        self.say(f"{reader.name}: reading")
        blocks = self.blocks.of_model(reader, told)
        self.say(f"{reader.name}: fitting")
        self._first = self._first or (reader, blocks)
        return blocks
