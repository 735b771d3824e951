"""Scores of a gene by its codons: what a model expects of them, and what is counted without a model.

How much of a gene is made is told by how its codons are chosen; the reference for that are the genes of
ribosomal proteins, which are made most.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.analyses.genes import read_genes
from lifecode.design.host import HostUsage, counted
from lifecode.design.measures import codon_adaptation_index
from lifecode.design.synonyms import synonym_family
from lifecode.errors import UserError

ADAPTATION, RIBOSOMAL, USAGE, LENGTH = (
    "codon adaptation index",
    "ribosomal proteins against all genes",
    "codon usage of the genome",
    "length, shorter first",
)
"""Scores that need no model."""
FORMULAS = (
    "its codons, residues known",
    "its codons",
    "expected adaptation",
    "expected ribosomal codons",
    "expected and own adaptation",
    "expected and own ribosomal codons",
)
"""Scores by a model's probabilities."""
_FEWEST_REFERENCES = 10


class References(NamedTuple):
    """How the genes of a genome use codons, and those of its ribosomal proteins."""

    genome: HostUsage
    ribosomal: HostUsage

    @property
    def code(self) -> int:
        """NCBI genetic code of both."""
        return self.genome.genetic_code

    @property
    def log_adaptiveness(self) -> NDArray[np.float64]:
        """(64,) log relative adaptiveness by the ribosomal proteins (Sharp and Li 1987)."""
        return np.log(self.ribosomal.relative_adaptiveness)

    @property
    def likeness(self) -> NDArray[np.float64]:
        """(64,) log of how much likelier each codon is in ribosomal proteins than in all genes."""
        return np.log(self.ribosomal.frequencies / self.genome.frequencies)


def read_references(genome: str | list[str], pattern: str) -> References:
    """Count codons of a genome.

    Args:
        genome: annotated, as for `lifecode.read_records`.
        pattern: regular expression of the names of ribosomal proteins' genes, in any case.

    Raises:
        UserError: a genome that cannot be read, or names too few such genes.
    """
    genes, _ = read_genes(genome, most=None, min_codons=2, max_codons=1 << 30, seed=0)
    code = Counter(gene.genetic_code for gene in genes).most_common(1)[0][0]
    name = re.compile(pattern, re.IGNORECASE)
    own = [gene for gene in genes if gene.genetic_code == code]
    ribosomal = [gene for gene in own if gene.gene is not None and name.fullmatch(gene.gene)]
    if len(ribosomal) < _FEWEST_REFERENCES:
        raise UserError(
            f"names {len(ribosomal)} genes that match {pattern!r}",
            source=genome if isinstance(genome, str) else ", ".join(genome),
            remedy="Give a genome that names its ribosomal proteins (kind.genome), or how it names them "
            "(kind.reference)",
        )
    return References(
        counted([gene.codons for gene in own], code, "genome"),
        counted([gene.codons for gene in ribosomal], code, "ribosomal proteins"),
    )


def counted_scores(codons: NDArray[np.int64], references: References) -> dict[str, float]:
    """Scores of a gene without a model, its first codon apart.

    Args:
        codons: ids (L,), without a stop.
        references: what is counted.
    """
    inner = codons[1:]
    return {
        ADAPTATION: codon_adaptation_index(inner, references.ribosomal),
        RIBOSOMAL: _mean(references.likeness[inner]),
        USAGE: _mean(np.log(references.genome.shares)[inner]),
        LENGTH: -float(len(codons)),
    }


def expected_scores(
    codons: NDArray[np.int64],
    log_p: NDArray[np.float64],
    references: References,
    own: Mapping[str, float],
) -> dict[str, float]:
    """Scores of a gene by a model, its first codon apart.

    `its codons` is the mean log P of the gene's own codons, among all or among their synonyms. `expected
    adaptation` is the mean, over codons that have synonyms, of the log relative adaptiveness of these
    synonyms, weighed by the model's probabilities; `expected ribosomal codons` the same of `likeness` over
    all codons. The last two add the same of the whole gene's own codons, which needs no model.

    Args:
        codons: ids (L,) that the model has read, without a stop.
        log_p: (L, 64) of each, masked.
        references: whose adaptiveness and likeness are expected.
        own: `counted_scores` of the whole gene.
    """
    family = synonym_family(references.code)
    codons, log_p = codons[1:], log_p[1:]
    probability = np.exp(log_p)
    alike = family[codons][:, None] == family
    several = alike.sum(1) > 1
    among = np.where(alike, probability, 0)[several]
    among /= among.sum(1, keepdims=True)
    chosen = codons[several]
    adaptation = _mean(among @ references.log_adaptiveness)
    ribosomal = _mean(probability @ references.likeness)
    values = (
        _mean(np.log(among[np.arange(len(chosen)), chosen])),
        _mean(log_p[np.arange(len(codons)), codons]),
        adaptation,
        ribosomal,
        adaptation + float(np.nan_to_num(np.log(own[ADAPTATION]))),
        ribosomal + own[RIBOSOMAL],
    )
    return dict(zip(FORMULAS, values, strict=True))


def _mean(values: NDArray[np.float64]) -> float:
    """0 where there is none: a gene of methionines has no choice."""
    return float(values.mean()) if len(values) else 0.0
