"""What held-out pairs share with those that are learnt from: the pair, a near twin of it, or of one side."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import reverse_complement
from lifecode.data.splits.linked import groups_of_linked
from lifecode.data.splits.similarity import NUM_HASHES, similar
from lifecode.data.splits.twins import strandless_digest
from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.pairs.side import Side
from lifecode.tasks.splits.folds import sketches
from lifecode.tasks.splits.leaks import ALIKE, MOST_NAMED

_KINDS = ("equal", "reverse_complement", "alike")
_EQUAL, _REVERSE, _ALIKE, _STRANGE = range(4)


@dataclass(frozen=True, slots=True)
class PairLeaks:
    """Numbers of held-out pairs; of the first three each is counted once, under the first that holds.

    Where both sides are of one kind, a pair is compared with its sides exchanged too.

    Attributes:
        held_out: how many there are.
        equal: that are also learnt from.
        reverse_complement: that are with a nucleic acid, or both, as the reverse complement.
        alike: of which a pair is with both sides equal, reverse complements or near twins: sequences that
            share most k-mers, by sketches, of DNA on either strand.
        first_known: whose first sequence is learnt from in some pair, of sides of one kind on either side.
        second_known: whose second one is.
        first_alike: of the others, of whose first sequence a reverse complement or near twin is.
        second_alike: of whose second one.
        named: the first ten of the first three, with the pair that each resembles.
    """

    held_out: int
    equal: int
    reverse_complement: int
    alike: int
    first_known: int
    second_known: int
    first_alike: int
    second_alike: int
    named: list[str]

    def described(self) -> str:
        """One line."""
        return (
            f"of {self.held_out:,} held-out pairs {self.equal:,} are also learnt from, "
            f"{self.reverse_complement:,} as reverse complements, {self.alike:,} as near twins of both; "
            f"{self.first_known:,} have a first sequence that is, {self.second_known:,} a second one, "
            f"{self.first_alike:,} and {self.second_alike:,} a near twin of one"
        )


def pair_leaks(examples: PairExamples, split: NDArray[np.int64], held_out: NDArray[np.bool_]) -> PairLeaks:
    """Compare each held-out pair with those of other splits.

    Args:
        examples: of all splits.
        split: (n,) equal for pairs that are held out, or learnt from, together.
        held_out: (n,) which are asked about.
    """
    sides = _Sides(examples)
    leaking = _leaking(sides, split, held_out)
    counts: dict[str, int] = dict.fromkeys(_KINDS, 0)
    named: list[str] = []
    for row, (other, kind, exchanged) in leaking.items():
        counts[kind] += 1
        if len(named) < MOST_NAMED:
            how = f"{kind.replace('_', ' ')}{', sides exchanged' if exchanged else ''}"
            named.append(f"{examples.ids[row]} and {examples.ids[other]}: {how}")
    first, second = (_one_side(sides, number, split, held_out) for number in (0, 1))
    return PairLeaks(
        int(held_out.sum()),
        **counts,
        first_known=first[0],
        second_known=second[0],
        first_alike=first[1],
        second_alike=second[1],
        named=named,
    )


def leaking_pairs(
    examples: PairExamples, split: NDArray[np.int64], held_out: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(n,) which held-out pairs are learnt from, as `PairLeaks` counts its first three."""
    found = np.zeros(len(examples), dtype=bool)
    found[list(_leaking(_Sides(examples), split, held_out))] = True
    return found


class _Relatives:
    """Distinct sequences of one kind, and how any two of them are related.

    Attributes:
        family: (num_sequences,) number, the same for those that are related, also through others.
    """

    def __init__(self, side: Side) -> None:
        sequences, molecule = side.sequences(), side.molecule
        if molecule == "protein":
            keys = [(ids.tobytes(), False) for ids in sequences]
        else:
            keys = [strandless_digest(ids) for ids in sequences]
        numbers: dict[bytes, int] = {}
        self._key = np.array([numbers.setdefault(key, len(numbers)) for key, _ in keys], dtype=np.int64)
        self._turned = np.array([turned for _, turned in keys], dtype=bool)
        self._strands = [sketches(sequences, molecule)]
        if molecule == "dna":
            self._strands.append(sketches([reverse_complement(ids) for ids in sequences], molecule))
        size = len(sequences)
        rows, columns = [np.arange(size)], [size + self._key]
        for strand in self._strands:
            for ours, theirs, _ in similar(strand, self._strands[0], ALIKE):
                rows.append(ours)
                columns.append(theirs)
        joined = np.concatenate(rows), np.concatenate(columns)
        self.family = groups_of_linked(*joined, size + len(numbers))[:size]

    def kinship(self, one: int, others: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n,) of a sequence and some of its family: equal, reverse complement, alike, or through others."""
        found = np.full(len(others), _STRANGE)
        for strand in self._strands:
            shared = (strand[one] == self._strands[0][others]).sum(1)
            found[shared >= ALIKE * NUM_HASHES] = _ALIKE
        same = self._key[others] == self._key[one]
        return np.where(same, np.where(self._turned[others] == self._turned[one], _EQUAL, _REVERSE), found)


class _Sides:
    """Both sides of pairs, whose sequences are one set where they are of one kind.

    Attributes:
        rows: (2, n) number of the first and the second sequence of each pair.
        relatives: of the first side, and of the second; the same object where they are of one kind.
    """

    def __init__(self, examples: PairExamples) -> None:
        first, second = examples.first, examples.second
        self.are_one_kind = first.kind == second.kind
        if self.are_one_kind:
            both = Side.of([*first.letters, *second.letters], first.kind)
            border = len(first.letters)
            self.rows = np.stack([both.rows[:border][first.rows], both.rows[border:][second.rows]])
            self.relatives = [_Relatives(both)] * 2
        else:
            self.rows = np.stack([first.rows, second.rows])
            self.relatives = [_Relatives(first), _Relatives(second)]


def _leaking(
    sides: _Sides, split: NDArray[np.int64], held_out: NDArray[np.bool_]
) -> dict[int, tuple[int, str, bool]]:
    """For held-out pairs the nearest one of another split, how they are related, and whether exchanged."""
    families = np.stack([each.family[rows] for each, rows in zip(sides.relatives, sides.rows, strict=True)])
    if sides.are_one_kind:
        families.sort(axis=0)
    of_family = np.unique(families, axis=1, return_inverse=True)[1].ravel()
    found: dict[int, tuple[int, str, bool]] = {}
    for rows in np.split(np.argsort(of_family, kind="stable"), np.cumsum(np.bincount(of_family))[:-1]):
        for row in rows[held_out[rows]].tolist():
            others = rows[split[rows] != split[row]]
            if not len(others):
                continue
            kinship = _of_pairs(sides, row, others, (0, 1))
            exchanged = _of_pairs(sides, row, others, (1, 0)) if sides.are_one_kind else kinship
            nearest = int(np.argmin(np.minimum(kinship, exchanged)))
            degree = min(kinship[nearest], exchanged[nearest])
            if degree < _STRANGE:
                found[row] = (int(others[nearest]), _KINDS[degree], bool(degree < kinship[nearest]))
    return dict(sorted(found.items()))


def _of_pairs(
    sides: _Sides, row: int, others: NDArray[np.int64], order: tuple[int, int]
) -> NDArray[np.int64]:
    """(n,) the more distant of the kinships of both sides with the sides of other pairs, in this order."""
    each = [
        sides.relatives[number].kinship(int(sides.rows[number][row]), sides.rows[other][others])
        for number, other in enumerate(order)
    ]
    return np.maximum(*each)


def _one_side(
    sides: _Sides, number: int, split: NDArray[np.int64], held_out: NDArray[np.bool_]
) -> tuple[int, int]:
    """How many held-out pairs have a sequence on a side that is learnt from, and else a relative of one."""
    relatives = sides.relatives[number]
    rows = sides.rows.ravel() if sides.are_one_kind else sides.rows[number]
    splits = np.tile(split, 2) if sides.are_one_kind else split
    lowest, highest = (np.full(len(relatives.family), fill) for fill in (split.max() + 1, -1))
    np.minimum.at(lowest, rows, splits)
    np.maximum.at(highest, rows, splits)
    members = np.split(
        np.argsort(relatives.family, kind="stable"), np.cumsum(np.bincount(relatives.family))[:-1]
    )
    known = alike = 0
    asked, counts = np.unique(
        np.stack([sides.rows[number][held_out], split[held_out]]), axis=1, return_counts=True
    )
    for sequence, own, count in zip(*asked.tolist(), counts.tolist(), strict=True):
        family = members[relatives.family[sequence]]
        elsewhere = family[(lowest[family] != own) | (highest[family] != own)]
        if sequence in elsewhere:
            known += count
        elif len(elsewhere) and relatives.kinship(sequence, elsewhere).min() < _STRANGE:
            alike += count
    return known, alike
