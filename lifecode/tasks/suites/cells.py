"""What an evaluation has done, a file for each set and competitor, so that none of it is done again.

A cell is known by what it depends on: the examples, their rounds, and the competitor. Changed settings are
other cells, and those that are there stay.
"""

import re
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from lifecode.errors import UserError
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.tasks.competitors.competitor import Competitor, Predictions
from lifecode.tasks.contest import Contest
from lifecode.tasks.examples.examples import as_positions, flat

_LONGEST_NAME, _DIGITS = 40, 16


class Cells:
    """The cells of one set.

    Args:
        folder: of the set.
        contest: its rounds.
        parts: all that a model may read, in the order of the examples.
    """

    def __init__(self, folder: Path, contest: Contest, parts: Sequence[bytes]) -> None:
        self.folder, self.contest = folder, contest
        self._rounds = _digest(contest, parts)

    def path(self, competitor: Competitor) -> Path:
        """The file of a cell."""
        name = re.sub(r"[^\w.+-]+", "_", competitor.name)[-_LONGEST_NAME:]
        key = blake2b(f"{self._rounds} {competitor.digest}".encode()).hexdigest()[:_DIGITS]
        return self.folder / f"{name}.{key}.npz"

    def is_done(self, competitor: Competitor) -> bool:
        """Whether the cell is there."""
        return self.path(competitor).is_file()

    def predictions(self, competitor: Competitor, before: Callable[[], None]) -> Predictions:
        """Those of the file, else made and written.

        Args:
            competitor: whose cell.
            before: called if they have to be made.

        Raises:
            UserError: the file is damaged, or cannot be written.
        """
        path = self.path(competitor)
        if path.is_file():
            return self._read(path)
        before()
        found = competitor.predictions()
        with disk_faults_named(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            with replacing(path, unique=True) as file:
                np.savez(file, allow_pickle=False, **{str(i): flat(values) for i, values in enumerate(found)})
        return found

    def _read(self, path: Path) -> Predictions:
        try:
            with np.load(path, allow_pickle=False) as file:
                flattened = [file[str(number)] for number in range(len(self.contest.rounds))]
        except (OSError, ValueError, KeyError, BadZipFile) as fault:
            raise UserError(
                f"is damaged ({fault})", source=path, remedy="Delete it; the same command makes it again"
            ) from fault
        found = []
        for values, one in zip(flattened, self.contest.rounds, strict=True):
            labels = self.contest.all_labels[one.test]
            if len(values) != len(flat(labels)):
                raise UserError("holds another number of rows", source=path, remedy="Delete it")
            found.append(as_positions(values, labels))
        return found


def _digest(contest: Contest, parts: Sequence[bytes]) -> str:
    """Of all sequences, labels and rounds."""
    found = blake2b(digest_size=16)
    for part in parts:
        found.update(len(part).to_bytes(8, "little") + part)
    found.update(np.ascontiguousarray(flat(contest.all_labels)).tobytes())
    for one in contest.rounds:
        for rows in (one.train, one.test, one.inner):
            found.update(rows.tobytes() + b"|")
    return found.hexdigest()
