"""`kind=orthologs`: is a gene of one species found among genes of another by the cosine of embeddings alone?

Genes of the same name are taken for orthologs, which holds for most named genes of related genomes. Residue
composition and words of three residues, read off the proteins, stand beside.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from lifecode.analyses.analysis import Analysed, Say, Value
from lifecode.analyses.codon_usage import species_names
from lifecode.analyses.convergence import HEADINGS, cosines, pairs_told_apart
from lifecode.analyses.genes import Gene, read_genes
from lifecode.analyses.named_model import NamedModel, notes_on_reading
from lifecode.errors import UserError, require_at_least
from lifecode.report.charts.two_histograms import two_histograms
from lifecode.report.page import Drawing
from lifecode.tasks.features.residue_counts import ResidueKmers


@dataclass(frozen=True, slots=True, kw_only=True)
class Orthologs:
    """Genes that two species both name.

    Args:
        genes: so many are drawn.
        min_codons: of a gene, in both species.
        max_codons: likewise.
    """

    genes: int = 120
    min_codons: int = 30
    max_codons: int = 1000

    def __post_init__(self) -> None:
        require_at_least(3, self, "genes", "min_codons", within="kind")

    def analyse(
        self, input: str | list[str], models: Sequence[NamedModel], *, seed: int, say: Say
    ) -> Analysed:
        """As `Analysis.analyse`; the input is two annotated genomes."""
        files = [input] if isinstance(input, str) else list(input)
        if len(files) != 2:
            raise UserError(
                f"names {len(files)} files", source="input", remedy="Give two: input=[ecoli,other.gbff.gz]"
            )
        species = species_names(files)
        notes: list[str] = []
        named: list[dict[str, Gene]] = []
        for name, file in zip(species, files, strict=True):
            say(f"{name}: reading genes")
            genes, own = read_genes(
                file, most=None, min_codons=self.min_codons, max_codons=self.max_codons, seed=seed
            )
            named.append(_by_name(genes))
            notes += [f"{name}: {note}" for note in own]
        shared = sorted(named[0].keys() & named[1].keys())
        if len(shared) < 3:
            raise UserError(
                f"{' and '.join(species)} have {len(shared)} genes of one name",
                source="input",
                remedy="Give two genomes that name their genes",
            )
        order = np.sort(np.random.default_rng(seed).permutation(len(shared))[: self.genes])
        first, second = ([of[shared[i]] for i in order.tolist()] for of in named)
        notes += notes_on_reading(models, [gene.nucleotides for gene in [*first, *second]], "cds")
        readers = {
            **{one.name: partial(_vectors, one) for one in models},
            "residue composition": partial(_words, 1),
            "words of 3 residues": partial(_words, 3),
        }
        rows: list[list[Value]] = []
        panels = []
        for name, read in readers.items():
            say(f"{name}: reading {2 * len(first):,} genes")
            row, panel = pairs_told_apart(name, cosines(read(first), read(second)))
            rows.append(row)
            panels.append(panel)
        return Analysed(
            kind="orthologs",
            verdict=f"{len(first):,} genes that {species[0]} and {species[1]} both name",
            headings=HEADINGS,
            rows=rows,
            drawing=Drawing(
                two_histograms(panels, ("same name", "other names")),
                "Cosines of genes of two species",
                "For each model two histograms of cosines, of genes of the same name and of others.",
            ),
            how_to_read=(
                "Each gene of the first species is looked for among those of the second by the cosine of "
                "their embeddings, centred and scaled within either species. Found first: share of genes "
                "whose namesake is the most alike of all; the rank is that of the namesake. AUC: how often "
                "a pair of one name is more alike than another pair."
            ),
            notes=notes,
        )


def _by_name(genes: Sequence[Gene]) -> dict[str, Gene]:
    """The genes by their names, without those that have none or share theirs; capitals do not count."""
    names = [gene.gene.lower() if gene.gene else "" for gene in genes]
    count = Counter(names)
    return {name: gene for name, gene in zip(names, genes, strict=True) if name and count[name] == 1}


def _vectors(one: NamedModel, genes: Sequence[Gene]) -> np.ndarray:
    return one.vectors([gene.nucleotides for gene in genes], "cds")


def _words(k: int, genes: Sequence[Gene]) -> np.ndarray:
    return ResidueKmers(k)([gene.protein for gene in genes])
