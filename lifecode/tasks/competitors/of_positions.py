"""A probe, and baselines, of labels that positions have: each position is a row for the same linear heads.

Of the training positions at most `probe.max_positions` are learnt from, drawn by the seed; all are predicted.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.host.checksum import digest_of
from lifecode.tasks.baselines import Baseline, fitting_baselines
from lifecode.tasks.competitors.competitor import Competitor, ModelReader, Predictions, Reader, Role
from lifecode.tasks.contest import Contest
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.families.place import Place
from lifecode.tasks.families.position_index import num_positions
from lifecode.tasks.features.at_positions import (
    OneHotAround,
    PositionFeatures,
    StatesAtPositions,
    position_window,
    require_position_keys,
)
from lifecode.tasks.features.encoder import ModelEncoder
from lifecode.tasks.heads.head import FittedHead
from lifecode.tasks.heads.registry import linear_head
from lifecode.tasks.probe import Probe
from lifecode.tasks.scores import known
from lifecode.tasks.splits.rounds import Round
from lifecode.tasks.tuned_model import TunedModel

_KEPT_BYTES = 1 << 30
"""Features of all positions are kept in memory up to this; beyond they are read anew in every round."""
_LETTERS: dict[str, Literal["nucleotide", "codon", "residue"]] = {
    "nucleotide_one_hot": "nucleotide",
    "codon_one_hot": "codon",
    "residue_one_hot": "residue",
}
"""What each one-hot baseline sees around a position."""
_AROUND = {"nucleotide": 41, "codon": 7, "residue": 15}
"""How many of these, the position itself in the middle."""


class PositionProbe:
    """Linear heads on features of positions, in the rounds of a contest.

    Args:
        probe: what is read of an encoder.
        contest: rounds.
        labels: kind, classes and unit.
        examples: of all rounds.
        molecule: what the sequences are.
    """

    def __init__(
        self,
        probe: Probe,
        contest: Contest,
        labels: Labels,
        examples: Examples,
        molecule: Molecule,
    ) -> None:
        require_position_keys(probe, "probe")
        if probe.beside or probe.head != "linear" or probe.cache is not None:
            key = "probe.beside" if probe.beside else "probe.cache" if probe.cache else "probe.head"
            raise UserError(f"is given, and task.unit is {labels.unit}", source=key, remedy="Leave it out")
        self.probe, self.contest, self.labels, self.examples = probe, contest, labels, examples
        self.molecule: Molecule = molecule
        self._how = {"probe": asdict(probe), "molecule": molecule, **labels.identity}
        self._first: tuple[ModelReader, _Read] | None = None

    @property
    def usual(self) -> list[Baseline]:
        """Those that say something of a position."""
        if self.labels.unit == "residue":
            return ["constant", "residue_one_hot", "untrained"]
        codons: list[Baseline] = ["codon_one_hot"] if self.molecule == "cds" else []
        return ["constant", "nucleotide_one_hot", *codons, "untrained"]

    def why_not(self, reader: Reader) -> str | None:
        """Peers read tokens, which are no codons."""
        return None if isinstance(reader, ModelReader) else "reads whole sequences, not their positions"

    def notes_on(self, reader: Reader) -> list[str]:
        """How it reads the sequences."""
        return reader.notes(self.molecule, self.examples.sequences)

    def model(self, reader: Reader, role: Role) -> Competitor:
        """A head on the states of an encoder."""
        assert isinstance(reader, ModelReader)

        def predictions() -> Predictions:
            return self._predictions(self._read(reader))

        return Competitor(reader.name, role, digest_of({"model": reader.digest} | self._how), predictions)

    def notes(self) -> list[str]:
        """That not all positions are learnt from, which a network that is trained by gradient does."""
        most, rounds = self.probe.max_positions, self.contest.rounds
        sizes = [sum(len(self.examples.labels[row]) for row in one.train) for one in rounds]
        if max(sizes) <= most:
            return []
        return [f"linear heads learn from {most:,} of up to {max(sizes):,} positions (probe.max_positions)"]

    def baseline(self, name: str) -> Competitor:
        """What the shares of the labels, or the letters around a position, say.

        Raises:
            UserError: a baseline of whole sequences.
        """
        if name not in fitting_baselines(self.molecule, self.labels.kind, self.labels.unit):
            raise UserError(
                f"{name!r} is of whole sequences or of another unit than {self.labels.unit}",
                source="baselines",
                remedy=f"Use {', '.join(self.usual)}",
            )

        def predictions() -> Predictions:
            if name == "constant":
                return [self._constant(one) for one in self.contest.rounds]
            letters = _LETTERS[name]
            around = OneHotAround(unit=self.labels.unit, letters=letters, window=_AROUND[letters])
            return self._predictions(_Read(around, self.examples.sequences, self.labels))

        of_name = {"baseline": name, "most": self.probe.max_positions, **self.labels.identity}
        return Competitor(name, "baseline", digest_of(of_name), predictions)

    def controls(self) -> list[Competitor]:
        """None: nothing stands beside the states."""
        return []

    def fitted(self, reader: Reader, everything: Round, told: dict[str, Any]) -> TunedModel:
        """The head of all examples outside the test file."""
        assert isinstance(reader, ModelReader)
        read = self._read(reader)
        head = self._fit(read, everything)
        return TunedModel(
            labels=self.labels,
            features=[read.features],
            head=head,
            model=reader.model,
            molecule=self.molecule,
            told=told,
        )

    def described(self) -> dict[str, Any]:
        """The probe."""
        return {"tuning": "probe", "probe": asdict(self.probe)}

    def _read(self, reader: ModelReader) -> "_Read":
        """What a model reads; the first one's is kept, as it is asked for its head again."""
        if self._first is None or self._first[0] is not reader:
            encoder = ModelEncoder(reader.model, self.molecule)
            features = StatesAtPositions(
                encoder=encoder,
                unit=self.labels.unit,
                frames=encoder.reading.frames(self.probe.frames, self.labels.unit, "probe.frames"),
                place=Place(self.probe.layer, self.probe.projected),
                window=position_window(self.probe.pools, self.probe.window),
            )
            read = _Read(features, self.examples.sequences, self.labels)
            if self._first is not None:
                return read
            self._first = reader, read
        return self._first[1]

    def _predictions(self, read: "_Read") -> Predictions:
        """Of each round, for each test sequence a table of its positions, (n,) of dtype object."""
        found = []
        for one in self.contest.rounds:
            head = self._fit(read, one)
            of_round = np.empty(len(one.test), dtype=object)
            for number, table in read(one.test):
                of_round[number] = head.predict([table])
            found.append(of_round)
        return found

    def _fit(self, read: "_Read", one: Round) -> FittedHead:
        """The head of a round; the chosen positions of each sequence lie between two `borders`."""
        rows, positions = self._chosen(one)
        order = np.argsort(rows, kind="stable")
        rows, positions = rows[order], positions[order]
        borders = np.searchsorted(rows, np.arange(len(one.train) + 1))
        tables: dict[int, NDArray[np.float32]] = {}
        used = np.unique(rows)
        for number, table in read(one.train[used]):
            row = int(used[number])
            tables[row] = table[positions[borders[row] : borders[row + 1]]]
        block = np.concatenate([tables[row] for row in used.tolist()])
        labels = np.concatenate(
            [
                self.examples.labels[one.train[row]][positions[borders[row] : borders[row + 1]]]
                for row in used.tolist()
            ]
        )
        return linear_head(self.labels.kind).fit([block], labels, one.inner[rows], one.seed)

    def _chosen(self, one: Round) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Number of a training row, and position in it, of those that are learnt from."""
        of_rows = [self.examples.labels[row] for row in one.train]
        sizes = np.array([len(labels) for labels in of_rows])
        rows = np.repeat(np.arange(len(sizes)), sizes)
        positions = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        everything = np.concatenate(of_rows)
        labelled = known(everything, np.arange(len(everything)))[1]
        if len(labelled) > self.probe.max_positions:
            drawn = np.random.default_rng(one.seed).permutation(labelled)
            chosen = drawn[: self.probe.max_positions]
            if self.labels.classes:  # of each class at least one
                first = np.unique(everything[drawn], return_index=True)[1]
                chosen = np.union1d(chosen, drawn[first])
            labelled = np.sort(chosen)
        return rows[labelled], positions[labelled]

    def _constant(self, one: Round) -> NDArray[Any]:
        """The shares of the classes, or the mean label, among the training positions, for every position."""
        labels = np.concatenate(self.examples.labels[one.train].tolist())
        labels = known(labels, labels)[0]
        found = np.empty(len(one.test), dtype=object)
        for number, row in enumerate(one.test):
            size = len(self.examples.labels[row])
            if self.labels.classes:
                share = np.bincount(labels, minlength=len(self.labels.classes)) / len(labels)
                found[number] = np.tile(share, (size, 1))
            else:
                found[number] = np.full(size, labels.mean())
        return found


class _Read:
    """Features of the positions of some sequences, kept where they are small enough."""

    def __init__(
        self, features: PositionFeatures, sequences: Sequence[NDArray[np.uint8]], labels: Labels
    ) -> None:
        self.features, self.sequences = features, sequences
        self._kept: list[NDArray[np.float32]] = []
        width = next(iter(features(sequences[:1])))[1].shape[1]
        positions = sum(num_positions(len(ids), labels.unit) for ids in sequences)
        if 4 * width * positions <= _KEPT_BYTES:
            tables = dict(features(sequences))
            self._kept = [tables[number] for number in range(len(sequences))]

    def __call__(self, rows: NDArray[np.int64]) -> Any:
        """Place among `rows`, in any order, and the table of that sequence."""
        if self._kept:
            return ((number, self._kept[row]) for number, row in enumerate(rows.tolist()))
        return self.features([self.sequences[row] for row in rows.tolist()])
