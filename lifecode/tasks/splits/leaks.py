"""What held-out examples share with those that are learnt from, and with what an encoder was trained on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecode.data.splits.similarity import similar
from lifecode.data.splits.twins import strandless_digest
from lifecode.data.statistics.seen_genes import resembling
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.splits.folds import compared_by_protein, sketches

ALIKE = 0.8
"""Jaccard index of k-mers from which on a sequence is a near twin."""
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Leaks:
    """Numbers of held-out examples, each counted once, under the first that holds.

    Attributes:
        held_out: how many there are.
        equal: whose sequence is learnt from.
        reverse_complement: whose reverse complement is.
        alike: of which a sequence is that shares most k-mers, by sketches.
        named: the first ten of these, with the example that each resembles.
        seen_by_encoder: whose protein resembles a gene that the encoder was trained on; None where that is
            not known, or the sequences are no coding ones or short.
    """

    held_out: int
    equal: int
    reverse_complement: int
    alike: int
    named: list[str]
    seen_by_encoder: int | None

    def described(self) -> str:
        """One line."""
        seen = (
            ""
            if self.seen_by_encoder is None
            else f"; {self.seen_by_encoder:,} resemble genes the encoder has read"
        )
        return (
            f"of {self.held_out:,} held-out sequences {self.equal:,} are also learnt from, "
            f"{self.reverse_complement:,} as reverse complements, {self.alike:,} as near twins{seen}"
        )


def find_leaks(
    examples: Examples,
    split: NDArray[np.int64],
    held_out: NDArray[np.bool_],
    molecule: Molecule,
    training_genes: NDArray[np.uint32] | None,
) -> Leaks:
    """Compare each held-out example with those of other splits.

    Args:
        examples: of all splits.
        split: (n,) equal for examples that are held out, or learnt from, together.
        held_out: (n,) which are asked about.
        molecule: what the sequences are.
        training_genes: (num_genes, 16) sketches of the genes that an encoder was trained on, if known.
    """
    found = sketches(examples.sequences, molecule)
    kind_of = {"equal": 0, "reverse_complement": 0, "alike": 0}
    named: list[str] = []
    twins = _twins(examples, split, held_out, molecule)
    near = _near_twins(found, split, held_out)
    for row in np.flatnonzero(held_out).tolist():
        pair = twins.get(row) or near.get(row)
        if pair is not None:
            other, kind = pair
            kind_of[kind] += 1
            if len(named) < _MOST_NAMED:
                named.append(f"{examples.ids[row]} and {examples.ids[other]}: {kind.replace('_', ' ')}")
    by_protein = compared_by_protein(examples.sequences, molecule)
    seen = (
        int(resembling(found[held_out], training_genes).sum())
        if by_protein and training_genes is not None
        else None
    )
    return Leaks(int(held_out.sum()), **kind_of, named=named, seen_by_encoder=seen)


def _twins(
    examples: Examples, split: NDArray[np.int64], held_out: NDArray[np.bool_], molecule: Molecule
) -> dict[int, tuple[int, str]]:
    """For held-out rows, an equal row of another split, or else, of nucleic acids, the reverse complement."""
    if molecule == "protein":
        keys = [(ids.tobytes(), False) for ids in examples.sequences]
    else:
        keys = [strandless_digest(ids) for ids in examples.sequences]
    by_digest: dict[bytes, list[int]] = {}
    for row, (digest, _) in enumerate(keys):
        by_digest.setdefault(digest, []).append(row)
    found: dict[int, tuple[int, str]] = {}
    for rows in by_digest.values():
        for row in rows if len(rows) > 1 else ():
            others = [other for other in rows if split[other] != split[row]]
            same = [other for other in others if keys[other][1] == keys[row][1]]
            if held_out[row] and others:
                found[row] = (same[0], "equal") if same else (others[0], "reverse_complement")
    return found


def _near_twins(
    found: NDArray[np.uint32], split: NDArray[np.int64], held_out: NDArray[np.bool_]
) -> dict[int, tuple[int, str]]:
    pairs: dict[int, tuple[int, str]] = {}
    for rows, others, _ in similar(found, found, ALIKE):
        apart = (split[rows] != split[others]) & held_out[rows]
        for row, other in zip(rows[apart].tolist(), others[apart].tolist(), strict=True):
            pairs.setdefault(row, (other, "alike"))
    return pairs
