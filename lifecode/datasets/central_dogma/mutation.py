"""Changes that make a false pair of a true one: substitutions, insertions or deletions in DNA or protein.

One negative has changes of one kind, from one to a given share of the residues. Changes of the DNA fall on
coding exons, since no other can change the protein; flanks, introns and splice sites stay. What still
translates is drawn again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import NUCLEOTIDES, NUM_AMINO_ACIDS
from lifecode.datasets.central_dogma.genes import Gene
from lifecode.datasets.central_dogma.locus import Locus, Span
from lifecode.datasets.central_dogma.ranking import generator
from lifecode.datasets.central_dogma.translation import translates
from lifecode.genetic_code import residue_letters

Molecule: TypeAlias = Literal["dna", "protein"]
Change: TypeAlias = Literal["substitution", "insertion", "deletion"]
CHANGES: tuple[Change, ...] = ("substitution", "insertion", "deletion")
_DRAWS = 100
_NUM_RESIDUES = NUM_AMINO_ACIDS - 1  # a protein has no stop


@dataclass(frozen=True, slots=True, eq=False)
class FalsePair:
    """A locus and a protein that it cannot be translated to.

    Attributes:
        locus: of the gene, changed or as it is.
        protein: of the gene, changed or as it is.
        kind: what was changed and how, such as `dna_deletion`.
        num_changes: letters substituted, inserted or deleted.
    """

    locus: Locus
    protein: str
    kind: str
    num_changes: int


def false_pair(
    gene: Gene, locus: Locus, molecule: Molecule, number: int, seed: int, max_changed: float
) -> FalsePair | None:
    """A negative, a pure function of the arguments; None where a hundred draws all translate.

    Args:
        gene: the positive.
        locus: of the gene.
        molecule: what is changed.
        number: tells several negatives of one gene and molecule apart.
        seed: of the draws.
        max_changed: share of the residues, of which one is always allowed.
    """
    random = generator(seed, gene.id, molecule, number)
    most = max(1, int(max_changed * len(gene.residues)))
    for pair in _drawn(gene, locus, molecule, most, random):
        if pair.protein and not translates(pair.locus, pair.protein, gene.genetic_code):
            return pair
    return None


def _drawn(
    gene: Gene, locus: Locus, molecule: Molecule, most: int, random: np.random.Generator
) -> Iterator[FalsePair]:
    for _ in range(_DRAWS):
        change = CHANGES[random.integers(len(CHANGES))]
        num_changes = int(random.integers(1, most + 1))
        kind = f"{molecule}_{change}"
        if molecule == "dna":
            yield FalsePair(
                changed_locus(locus, change, num_changes, random), gene.protein, kind, num_changes
            )
        else:
            at = _places(np.arange(len(gene.residues)), num_changes, random)
            residues = _changed(gene.residues, at, change, _NUM_RESIDUES, random)
            yield FalsePair(locus, residue_letters(residues), kind, num_changes)


def changed_locus(locus: Locus, change: Change, num_changes: int, random: np.random.Generator) -> Locus:
    """The locus with as many nucleotides of its exons changed; exons move with what is before them."""
    exonic = np.concatenate([np.arange(start, end) for start, end in locus.exons])
    at = _places(exonic, num_changes, random)
    nucleotides = _changed(locus.nucleotides, at, change, len(NUCLEOTIDES), random)
    shift = {"substitution": 0, "insertion": 1, "deletion": -1}[change]

    def moved(border: int) -> int:
        return border + shift * int(np.searchsorted(at, border))

    exons = tuple(Span(moved(start), moved(end)) for start, end in locus.exons)
    return replace(
        locus, nucleotides=nucleotides, exons=tuple(exon for exon in exons if exon.end > exon.start)
    )


def _places(allowed: NDArray[np.int64], number: int, random: np.random.Generator) -> NDArray[np.int64]:
    """That many of the allowed places, ascending."""
    return np.sort(random.choice(allowed, number, replace=False))


def _changed(
    letters: NDArray[np.uint8],
    at: NDArray[np.int64],
    change: Change,
    num_letters: int,
    random: np.random.Generator,
) -> NDArray[np.uint8]:
    """The letters changed at these places; an insertion stands before its place, a substitution is no letter
    that was there."""
    if change == "deletion":
        return np.delete(letters, at)
    if change == "insertion":
        return np.insert(letters, at, random.integers(num_letters, size=len(at), dtype=np.uint8))
    changed = letters.copy()
    steps = random.integers(1, num_letters, size=len(at), dtype=np.uint8)
    changed[at] = (changed[at] + steps) % num_letters
    return changed
