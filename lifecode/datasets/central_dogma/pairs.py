"""DNA-protein pairs, true and false, as LucaOne's central-dogma task defines them.

True pairs are verified genes; false ones are made of them by changes. Ours is stricter in two ways: a pair
counts as false only if no reading of the gene gives the protein (see `translation`), and a true pair and
those made from it lie in one split, together with whatever shares its protein, gene or exons.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lifecode.datasets.central_dogma.dataset import Dataset, Example
from lifecode.datasets.central_dogma.dna import CodingSequenceOnly, GeneWithFlanks
from lifecode.datasets.central_dogma.genes import Gene, Genes
from lifecode.datasets.central_dogma.locus import Locus
from lifecode.datasets.central_dogma.mutation import Molecule, false_pair
from lifecode.datasets.central_dogma.pair_rows import distinct_loci, pair_dataset, true_pair, untrue_pair
from lifecode.datasets.central_dogma.ranking import assign_splits, require_shares, splits_by_ties
from lifecode.errors import UserError

_NO_NEGATIVE = "no_negative"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """The task of true and changed pairs.

    Args:
        dna: how the gene is written.
        dna_negatives: pairs per gene whose DNA is changed.
        protein_negatives: pairs per gene whose protein is changed.
        max_changed: at most this share of the residues, or as many nucleotides, changes.
        shares: of train, dev and test.
        split_by: `gene` keeps a gene and its negatives in one split; `pair` shuffles the true and the false
            pairs each on their own, as LucaOne does.

    Raises:
        UserError: a number out of its range.
    """

    dna: GeneWithFlanks | CodingSequenceOnly
    dna_negatives: int = 1
    protein_negatives: int = 1
    max_changed: float = 0.1
    shares: tuple[int, int, int] = (4, 3, 25)
    split_by: Literal["gene", "pair"] = "gene"

    def __post_init__(self) -> None:
        require_shares(self.shares)
        for name in ("dna_negatives", "protein_negatives"):
            if getattr(self, name) < 0:
                raise UserError(f"{name} is negative")
        if not 0 < self.max_changed <= 1:
            raise UserError(f"max_changed {self.max_changed} is no share", remedy="Give 0.1, say")

    def dataset(self, found: Genes, seed: int) -> Dataset:
        """Examples of every verified gene; those that give none are listed in `found`."""
        examples = [
            example
            for gene, locus in distinct_loci(found, self.dna)
            for example in self._examples(gene, locus, found, seed)
        ]
        return pair_dataset(examples, self._splits(examples, seed))

    def _examples(self, gene: Gene, locus: Locus, found: Genes, seed: int) -> list[Example]:
        """The pair of a gene and its negatives, or nothing where one of them cannot be made."""
        examples = [true_pair(gene, locus, {"changes": 0})]
        for molecule, number in self._wanted():
            false = false_pair(gene, locus, molecule, number, seed, self.max_changed)
            if false is None:
                found.leave_out(gene.id, _NO_NEGATIVE, "every draw still translates")
                return []
            changed_id = f"{gene.id}#{molecule}{number}"
            ids = (changed_id, gene.id) if molecule == "dna" else (gene.id, changed_id)
            changes: dict[str, str | float] = {"changes": false.num_changes}
            examples.append(untrue_pair(gene, false.locus, false.protein, ids, false.kind, changes))
        return examples

    def _wanted(self) -> Iterator[tuple[Molecule, int]]:
        """Molecule and number of each negative."""
        for number in range(self.dna_negatives):
            yield "dna", number + 1
        for number in range(self.protein_negatives):
            yield "protein", number + 1

    def _splits(self, examples: list[Example], seed: int) -> list[str]:
        names = [example.name for example in examples]
        if self.split_by == "gene":
            return splits_by_ties(names, [example.ties for example in examples], self.shares, seed)
        split_of: dict[str, str] = {}
        for label in (0, 1):
            chosen = [example.name for example in examples if example.columns["label"] == label]
            splits = assign_splits(chosen, range(len(chosen)), self.shares, seed)
            split_of |= zip(chosen, splits, strict=True)
        return [split_of[name] for name in names]
