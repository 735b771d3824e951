"""A probe, and baselines, of labels that positions have: each position is a row for the same linear heads.

Of the training positions at most `probe.max_positions` are learnt from, drawn by the seed; all are predicted.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.models.saved import SavedModel
from lifecode.tasks.baselines import Baseline
from lifecode.tasks.contest import Contest, Entry
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.labels import Labels, Unit
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
from lifecode.tasks.probe import Probe, linear_head
from lifecode.tasks.scores import known
from lifecode.tasks.splits.rounds import Round
from lifecode.tasks.tuned_model import TunedModel

_KEPT_BYTES = 1 << 30
"""Features of all positions are kept in memory up to this; beyond they are read anew in every round."""
_AROUND = {"nucleotide": 41, "codon": 7, "residue": 15}
_LETTERS: dict[Baseline, Literal["nucleotide", "codon", "residue"]] = {
    "nucleotide_one_hot": "nucleotide",
    "codon_one_hot": "codon",
    "residue_one_hot": "residue",
}
"""Places that the one-hot baselines see around a position."""


class PositionProbe:
    """Linear heads on features of positions, in the rounds of a contest.

    Args:
        probe: what is read of an encoder.
        contest: rounds.
        labels: kind, classes and unit.
        examples: of all rounds.
        molecule: what the sequences are.
        told: what the model is told to have been tuned on.
    """

    def __init__(
        self,
        probe: Probe,
        contest: Contest,
        labels: Labels,
        examples: Examples,
        molecule: Molecule,
        told: dict[str, Any],
    ) -> None:
        require_position_keys(probe, "probe")
        if probe.beside or probe.head != "linear" or probe.cache is not None:
            key = "probe.beside" if probe.beside else "probe.cache" if probe.cache else "probe.head"
            raise UserError(f"is given, and task.unit is {labels.unit}", source=key, remedy="Leave it out")
        self.probe, self.contest, self.labels, self.examples = probe, contest, labels, examples
        self.told = told
        self.molecule: Molecule = molecule
        self._first: tuple[SavedModel, _Read] | None = None

    def enter(self, model: SavedModel, label: str) -> Entry:
        """Measure a head on the states of an encoder."""
        encoder = ModelEncoder(model, self.molecule)
        features = StatesAtPositions(
            encoder=encoder,
            unit=self.labels.unit,
            frames=encoder.reading.frames(self.probe.frames, self.labels.unit, "probe.frames"),
            place=Place(self.probe.layer, self.probe.projected),
            window=position_window(self.probe.pools, self.probe.window),
        )
        read = _Read(features, self.examples.sequences, self.labels)
        self._first = self._first or (model, read)
        return self._measured(read)

    def notes(self) -> list[str]:
        """That baselines learn from fewer positions than a network that is trained by gradient."""
        most, rounds = self.probe.max_positions, self.contest.rounds
        sizes = [sum(len(self.examples.labels[row]) for row in one.train) for one in rounds]
        if max(sizes) <= most:
            return []
        return [f"baselines learn from {most:,} of up to {max(sizes):,} positions (probe.max_positions)"]

    def baseline(self, baseline: Baseline) -> Entry:
        """Measure what the shares of the labels, or the letters around a position, say.

        Raises:
            UserError: a baseline of whole sequences.
        """
        if baseline == "constant":
            return self.contest.measure(self._constant)
        if (baseline == "residue_one_hot") != (self.molecule == "protein") or baseline not in _LETTERS:
            usual = usual_position_baselines(self.molecule, self.labels.unit)
            raise UserError(
                f"{baseline!r} is of whole sequences or of another unit than {self.labels.unit}",
                source="baselines",
                remedy=f"Use {', '.join(usual)}",
            )
        letters = _LETTERS[baseline]
        features = OneHotAround(unit=self.labels.unit, letters=letters, window=_AROUND[letters])
        return self._measured(_Read(features, self.examples.sequences, self.labels))

    def controls(self) -> dict[str, Entry]:
        """None: nothing stands beside the states."""
        return {}

    def fitted(self, everything: Round) -> TunedModel:
        """The head of all examples outside the test file, on the first encoder that entered."""
        assert self._first is not None
        model, read = self._first
        head = self._fit(read, everything)
        features = [read.features]
        return TunedModel(
            labels=self.labels,
            features=features,
            head=head,
            model=model,
            molecule=self.molecule,
            told=self.told,
        )

    def described(self) -> dict[str, Any]:
        """The probe."""
        return {"tuning": "probe", "probe": asdict(self.probe)}

    def _measured(self, read: "_Read") -> Entry:
        def predicted(one: Round) -> NDArray[Any]:
            head = self._fit(read, one)
            found = np.empty(len(one.test), dtype=object)
            for number, table in read(one.test):
                found[number] = head.predict([table])
            return found

        return self.contest.measure(predicted)

    def _fit(self, read: "_Read", one: Round) -> FittedHead:
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


def usual_position_baselines(molecule: Molecule, unit: Unit) -> list[Baseline]:
    """Those that say something of a position."""
    if unit == "residue":
        return ["constant", "residue_one_hot", "untrained"]
    codons: list[Baseline] = ["codon_one_hot"] if molecule == "cds" else []
    return ["constant", "nucleotide_one_hot", *codons, "untrained"]


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
