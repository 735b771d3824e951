"""Which rows make up which step: what every stream of packed rows shares.

The rows of a step follow from a cursor of a few integers, which every step hands on. So a run goes on
exactly where it stopped at the cost of packing a group of rows, however large the data and however many the
steps before, and any number of loader workers and processes make the same steps together.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from torch.utils.data import IterableDataset, get_worker_info

from lifecode.data.batches.row_groups import RowGroup, RowGroups


class StepShape(Protocol):
    """How much sequence a step holds, and how that changes at the start of training."""

    @property
    def rows(self) -> int:
        """Of one optimizer step, over all processes."""
        ...

    @property
    def warmup_steps(self) -> int:
        """Steps with rows of the first length, 0 for none."""
        ...

    def row_length(self, step: int) -> int:
        """Budget of a row at a step, in positions of the packed row."""
        ...

    def begins_length(self, step: int) -> bool:
        """Whether a step is the first with its budget."""
        ...

    def rows_together(self, world_size: int) -> int:
        """Rows of one micro-batch on each of `world_size` processes."""
        ...


class Cursor(NamedTuple):
    """Where the stream stands before a step.

    Attributes:
        step: the next step.
        group: of packed rows that its rows begin in; counted anew at each length of rows.
        row: the first of them in that group.
        left_out_nucleotides: of windows left out of the groups before, for their unknown nucleotides.
    """

    step: int = 0
    group: int = 0
    row: int = 0
    left_out_nucleotides: int = 0

    @property
    def state(self) -> dict[str, int]:
        """As checkpoints hold it, which call the group `chunk`."""
        state = self._asdict()
        return {"step": state.pop("step"), "chunk": state.pop("group"), **state}

    @classmethod
    def of_state(cls, state: Mapping[str, int]) -> "Cursor":
        """What `state` gave."""
        return cls(**{"group" if key == "chunk" else key: value for key, value in state.items()})


BEGINNING = Cursor()


class Step(NamedTuple):
    """One optimizer step of one process.

    Attributes:
        micro_batches: accumulated into it.
        after: where the stream stands once it is done; the same on every process.
    """

    micro_batches: list[Any]
    after: Cursor


def micro_batches_of(batch: Step | list[Any]) -> list[Any]:
    """What a module trains on: of a loader without its data module, batches are whole steps."""
    return batch.micro_batches if isinstance(batch, Step) else batch


class PackedStream(IterableDataset[Step]):
    """Endless optimizer steps, from a cursor on; a subclass says which rows there are and how they are made.

    Args:
        shape: of a step.
        start: where to begin.
        rank: this process.
        world_size: number of processes; each makes its own rows of every step.

    Raises:
        UserError: the rows cannot be shared by the processes.
    """

    def __init__(
        self, shape: StepShape, *, start: Cursor = BEGINNING, rank: int = 0, world_size: int = 1
    ) -> None:
        self.shape, self.start, self.rank, self.world_size = shape, start, rank, world_size
        self._rows_together = shape.rows_together(world_size)

    def row_groups(self, step: int) -> RowGroups:
        """Rows of the length at `step`."""
        raise NotImplementedError

    def batch(self, step: int, pieces: Sequence[Any]) -> Any:
        """The micro-batch of some pieces at a step."""
        raise NotImplementedError

    @property
    def has_rows(self) -> bool:
        """Whether there is a row of every length."""
        lengths = {self.start.step, max(self.start.step, self.shape.warmup_steps)}
        return all(bool(self.row_groups(step).group(0).rows) for step in lengths)

    def first_group(self) -> RowGroup:
        """The group of rows that the first step begins in."""
        new_length = self.shape.begins_length(self.start.step)
        return self.row_groups(self.start.step).group(0 if new_length else self.start.group)

    def __iter__(self) -> Iterator[Step]:
        worker = get_worker_info()
        offset, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        for number, (step, rows, after) in enumerate(self.rows_of_steps()):
            if number % stride == offset:
                yield Step(self._batches(step, rows), after)

    def rows_of_steps(self) -> Iterator[tuple[int, list[list[Any]], Cursor]]:
        """(step, its rows over all processes, where the stream stands after it) without end."""
        step, number, row, left_out = self.start
        groups, group = self.row_groups(step), None
        while True:
            if self.shape.begins_length(step):
                groups, group, number, row = self.row_groups(step), None, 0, 0
            rows: list[list[Any]] = []
            while len(rows) < self.shape.rows:
                group = group or groups.group(number)
                taken = group.rows[row : row + self.shape.rows - len(rows)]
                rows, row = rows + taken, row + len(taken)
                if row >= len(group.rows):
                    left_out += group.left_out_nucleotides
                    group, number, row = None, number + 1, 0
            yield step, rows, Cursor(step + 1, number, row, left_out)
            step += 1

    def _batches(self, step: int, rows: list[list[Any]]) -> list[Any]:
        """This process's micro-batches of one step."""
        own, together = rows[self.rank :: self.world_size], self._rows_together
        return [
            self.batch(step, [piece for row in own[first : first + together] for piece in row])
            for first in range(0, len(own), together)
        ]
