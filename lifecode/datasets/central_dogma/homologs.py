"""DNA-protein pairs whose negatives are real: the protein of the most similar gene of another species.

Similar is who shares residue 5-mers: sketches find the candidates, and the Jaccard index of the 5-mer sets
themselves ranks them. That finds relatives of close species and misses remote ones, which no longer share
five residues in a row.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lifecode.data.splits.similarity import RESIDUES_OF_KMER, protein_sketch, similar
from lifecode.datasets.central_dogma.dataset import Dataset, Example
from lifecode.datasets.central_dogma.dna import CodingSequenceOnly, GeneWithFlanks
from lifecode.datasets.central_dogma.genes import Gene, Genes
from lifecode.datasets.central_dogma.locus import Locus
from lifecode.datasets.central_dogma.pair_rows import distinct_loci, pair_dataset, true_pair, untrue_pair
from lifecode.datasets.central_dogma.ranking import require_shares, splits_by_ties
from lifecode.datasets.central_dogma.translation import translates
from lifecode.errors import UserError

_HOMOLOG = "homolog"
_NO_HOMOLOG = "no_homolog"


@dataclass(frozen=True, slots=True, kw_only=True)
class Homologs:
    """The task of a gene with its own protein and with that of its best homolog.

    A gene without one is left out, so half of the pairs are true. A gene is in the split of its homolog.

    Args:
        dna: how the gene is written.
        at_least: similarity of a homolog, a Jaccard index of 5-mers.
        shares: of train, dev and test.

    Raises:
        UserError: a number out of its range.
    """

    dna: GeneWithFlanks | CodingSequenceOnly
    at_least: float = 0.1
    shares: tuple[int, int, int] = (4, 3, 25)

    def __post_init__(self) -> None:
        require_shares(self.shares)
        if not 0 < self.at_least <= 1:
            raise UserError(f"at_least {self.at_least} is no similarity", remedy="Give 0.1, say")

    def dataset(self, found: Genes, seed: int) -> Dataset:
        """Examples of every gene with a homolog; those that give none are listed in `found`.

        Raises:
            UserError: all genes are of one species.
        """
        loci = list(distinct_loci(found, self.dna))
        genes = [gene for gene, _ in loci]
        _require_two_species(genes)
        candidates = _candidates_of(genes, self.at_least)
        examples: list[Example] = []
        for number, (gene, locus) in enumerate(loci):
            best = self._best(gene, locus, [genes[other] for other in candidates[number]])
            if best is None:
                found.leave_out(gene.id, _NO_HOMOLOG)
            else:
                examples += _two_examples(gene, locus, *best)
        names, ties = [example.name for example in examples], [example.ties for example in examples]
        return pair_dataset(examples, splits_by_ties(names, ties, self.shares, seed))

    def _best(self, gene: Gene, locus: Locus, others: Sequence[Gene]) -> tuple[Gene, float] | None:
        """The most similar of the others whose protein the gene does not give, with the similarity."""
        scored = [(other, similarity(gene, other)) for other in others]
        for other, score in sorted(scored, key=lambda row: (-row[1], row[0].id)):
            if score >= self.at_least and not translates(locus, other.protein, gene.genetic_code):
                return other, score
        return None


def _candidates_of(genes: Sequence[Gene], at_least: float) -> dict[int, list[int]]:
    """For each gene, by number, those of other species whose sketches are about as similar as asked.

    Half the similarity is enough here, for a sketch only estimates it.
    """
    sketches = np.stack([protein_sketch(gene.residues) for gene in genes])
    found: dict[int, list[int]] = defaultdict(list)
    for rows, others, _ in similar(sketches, sketches, at_least / 2):
        for row, other in zip(rows.tolist(), others.tolist(), strict=True):
            if genes[row].species != genes[other].species:
                found[row].append(other)
    return found


def similarity(gene: Gene, other: Gene) -> float:
    """Jaccard index of the 5-mers of two proteins; 0 where neither has any."""
    ours, theirs = (
        {protein[i : i + RESIDUES_OF_KMER] for i in range(len(protein) - RESIDUES_OF_KMER + 1)}
        for protein in (gene.protein, other.protein)
    )
    return len(ours & theirs) / max(1, len(ours | theirs))


def _two_examples(gene: Gene, locus: Locus, homolog: Gene, score: float) -> list[Example]:
    """The true pair and the one with the homolog's protein; both are tied to the homolog."""
    ties = tuple(homolog.ties())
    more = {"homolog_species": homolog.species, "similarity": round(score, 6)}
    return [
        true_pair(gene, locus, {"homolog_species": "", "similarity": 1}, ties),
        untrue_pair(gene, locus, homolog.protein, (gene.id, homolog.id), _HOMOLOG, more, ties),
    ]


def _require_two_species(genes: Sequence[Gene]) -> None:
    species = sorted({gene.species for gene in genes})
    if len(species) < 2:
        raise UserError(
            f"homologs need two species, found {', '.join(species) or 'none'}",
            source="input",
            remedy="Give annotated genomes of several organisms",
        )
