"""What held-out examples share with those that are learnt from, and with what an encoder was trained on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import reverse_complement
from lifecode.data.splits.similarity import similar
from lifecode.data.splits.twins import strandless_digest
from lifecode.data.statistics.seen_genes import resembling
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.splits.folds import compared_by_protein, sketches

ALIKE = 0.8
"""Jaccard index of k-mers from which on a sequence is a near twin."""
MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Leaks:
    """Numbers of held-out examples, each counted once, under the first that holds.

    Attributes:
        held_out: how many there are.
        equal: whose sequence is learnt from.
        reverse_complement: whose reverse complement is.
        alike: of which a sequence is that shares most k-mers, by sketches, of DNA on either strand.
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
    leaking, seen = leaking_rows(examples, split, held_out, molecule, training_genes)
    kind_of = {"equal": 0, "reverse_complement": 0, "alike": 0}
    named: list[str] = []
    for row, (other, kind) in leaking.items():
        kind_of[kind] += 1
        if len(named) < MOST_NAMED:
            named.append(f"{examples.ids[row]} and {examples.ids[other]}: {kind.replace('_', ' ')}")
    return Leaks(
        int(held_out.sum()),
        **kind_of,
        named=named,
        seen_by_encoder=None if seen is None else int(seen[held_out].sum()),
    )


def leaking_rows(
    examples: Examples,
    split: NDArray[np.int64],
    held_out: NDArray[np.bool_],
    molecule: Molecule,
    training_genes: NDArray[np.uint32] | None,
) -> tuple[dict[int, tuple[int, str]], NDArray[np.bool_] | None]:
    """For each held-out row that is also learnt from the row it resembles and how, in their order.

    Also (n,) which rows an encoder has read; None where that is not known. Arguments as of `find_leaks`.
    """
    found = sketches(examples.sequences, molecule)
    twins = _twins(examples, split, held_out, molecule)
    near = _near_twins(found, found, split, held_out)
    if molecule == "dna":
        asked = np.flatnonzero(held_out & ~np.isin(np.arange(len(split)), [*twins, *near]))
        if len(asked):
            other = [reverse_complement(examples.sequences[row]) for row in asked.tolist()]
            near |= _near_twins(sketches(other, molecule), found, split, held_out, asked)
    rows = (row for row in np.flatnonzero(held_out).tolist() if row in twins or row in near)
    leaking = {row: twins.get(row) or near[row] for row in rows}
    if training_genes is None or not compared_by_protein(examples.sequences, molecule):
        return leaking, None
    return leaking, resembling(found, training_genes)


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
    asked: NDArray[np.uint32],
    found: NDArray[np.uint32],
    split: NDArray[np.int64],
    held_out: NDArray[np.bool_],
    number: NDArray[np.int64] | None = None,
) -> dict[int, tuple[int, str]]:
    """For held-out rows a row of another split that is alike; `number` says which rows are `asked`."""
    pairs: dict[int, tuple[int, str]] = {}
    for rows, others, _ in similar(asked, found, ALIKE):
        rows = rows if number is None else number[rows]
        apart = (split[rows] != split[others]) & held_out[rows]
        for row, other in zip(rows[apart].tolist(), others[apart].tolist(), strict=True):
            pairs.setdefault(row, (other, "alike"))
    return pairs
