"""`kind=codon_usage`: codons that species use for each residue, beside those that a model expects at them.

Every codon of some genes is masked once, and what the model expects is divided among the codons of the
residue that stands there, so that it says how the residue is written and nothing of which it is.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import NUM_CODONS
from lifecode.analyses.analysis import Analysed, Say, Value
from lifecode.analyses.genes import Gene, read_genes
from lifecode.analyses.named_model import NamedModel
from lifecode.data.cds.codon_usage import relative_usage
from lifecode.design.masked_codons import strided_log_probabilities
from lifecode.design.synonyms import synonym_family
from lifecode.errors import UserError, require_at_least
from lifecode.report.charts.codons.usage_heat_map import usage_heat_map
from lifecode.report.page import Drawing

HEADINGS = ("model", "species", "correlation", "mean difference", "genes")
_WORDS = (
    "gz bgz bz2 xz lzma zst zip fa fas fasta fna ffn faa frn mpfa gb gbk gbf gbff genbank embl dat seq txt "
    "gff gff2 gff3 gtf bed bed12 cds cdna rna mrna ncrna pep protein proteins dna genome genomic all toplevel"
)
_ENDINGS = re.compile(
    rf"(\.({'|'.join(_WORDS.split())})|_(cds_from_|rna_from_)?genomic|_rna|_protein|_cds)+$", re.IGNORECASE
)
"""What stands behind the name of a species: words of formats and contents, those of NCBI's files too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodonUsageMap:
    """Relative codon usage of several species.

    Args:
        genes: so many of each species are drawn.
        min_codons: of a gene.
        max_codons: likewise.
    """

    genes: int = 60
    min_codons: int = 50
    max_codons: int = 400

    def __post_init__(self) -> None:
        require_at_least(1, self, "genes", "min_codons", within="kind")

    def analyse(
        self, input: str | list[str], models: Sequence[NamedModel], *, seed: int, say: Say
    ) -> Analysed:
        """As `Analysis.analyse`; a file of the input is a species."""
        species, notes = self._species([input] if isinstance(input, str) else list(input), seed, say)
        code = next(iter(species.values()))[0].genetic_code
        for name, genes in species.items():
            species[name], own = _of_code(genes, code, name)
            notes += own
        observed = {name: _observed(genes, code) for name, genes in species.items()}
        tables: dict[str, dict[str, NDArray[np.float64]]] = {"genes": observed}
        rows: list[list[Value]] = []
        for one in models:
            tables[one.name] = {}
            for name, genes in species.items():
                say(f"{one.name}: masking codons of {name}")
                expected = strided_log_probabilities(one.model, [gene.codons for gene in genes])
                usage = _expected(genes, expected, code)
                tables[one.name][name] = usage
                rows.append([one.name, name, *agreement(usage, observed[name], code), len(genes)])
        for name, genes in species.items():
            for expects, usage in _without_a_model(observed, name, code):
                rows.append([expects, name, *agreement(usage, observed[name], code), len(genes)])
        return Analysed(
            kind="codon_usage",
            verdict=f"{sum(map(len, species.values())):,} genes of {len(species)} species, by code {code}",
            headings=HEADINGS,
            rows=rows,
            drawing=Drawing(
                usage_heat_map(tables, code),
                "Codon usage",
                "A heat map of the share of each codon among its synonyms, a block for the genes and each "
                "model, a row for each species.",
            ),
            how_to_read=(
                "Each value is the share of a codon among those of its residue. Correlation (Pearson) and "
                "mean absolute difference compare what a model expects with what stands in the same "
                "genes, over all codons that have synonyms; a model that knows the species is above the "
                "mean of the others, and one that knows nothing expects equal shares, whose correlation "
                "says only how many synonyms there are."
            ),
            notes=notes,
        )

    def _species(self, files: Sequence[str], seed: int, say: Say) -> tuple[dict[str, list[Gene]], list[str]]:
        """Genes by species, and what was left out."""
        notes: list[str] = []
        species: dict[str, list[Gene]] = {}
        for name, file in zip(species_names(files), files, strict=True):
            say(f"{name}: reading genes")
            species[name], own = read_genes(
                file, most=self.genes, min_codons=self.min_codons, max_codons=self.max_codons, seed=seed
            )
            notes += [f"{name}: {note}" for note in own]
        return species, notes


def species_names(files: Sequence[str]) -> list[str]:
    """A name for each file, no two alike: without folder, kind (`cds:`), compression, format and contents.

    `D.melanogaster.1pct` for `flies/D.melanogaster.1pct.fa.gz`; of two files that belong together the first
    says it. Where two would have one name, a number stands behind it.
    """
    names = [_species_name(file) for file in files]
    found: list[str] = []
    for name in names:
        told, number = name, 0
        while told in found or (names.count(name) > 1 and not number) or (number and told in names):
            number += 1
            told = f"{name} {number}"
        found.append(told)
    return found


def _species_name(file: str) -> str:
    named = file.rpartition(":")[2]
    one = named if Path(named).expanduser().exists() else named.partition("+")[0]
    return _ENDINGS.sub("", Path(one).name) or Path(one).name


def agreement(
    expected: NDArray[np.float64], observed: NDArray[np.float64], code: int
) -> tuple[float | None, float | None]:
    """Pearson correlation and mean absolute difference over codons with synonyms, None where undefined."""
    family = synonym_family(code)
    chosen = (np.bincount(family, minlength=family.max() + 1)[family] > 1) & (family != family.max())
    chosen &= ~np.isnan(expected) & ~np.isnan(observed)
    if not chosen.any():
        return None, None
    a, b = expected[chosen], observed[chosen]
    defined = min(a.std(), b.std()) > 1e-12
    return (float(np.corrcoef(a, b)[0, 1]) if defined else None), float(np.abs(a - b).mean())


def _of_code(genes: Sequence[Gene], code: int, species: str) -> tuple[list[Gene], list[str]]:
    """Genes whose codons spell what they do in a code, and how many others are left out."""
    family = synonym_family(code)
    kept = [gene for gene in genes if np.array_equal(synonym_family(gene.genetic_code), family)]
    if not kept:
        raise UserError(
            f"has no genes whose codons mean what they do in genetic code {code}",
            source=species,
            remedy="Compare species of one genetic code",
        )
    left_out = len(genes) - len(kept)
    return kept, [f"{species}: left out: {left_out:,} (another genetic code)"] if left_out else []


def _observed(genes: Sequence[Gene], code: int) -> NDArray[np.float64]:
    counts = sum(np.bincount(gene.codons, minlength=NUM_CODONS) for gene in genes)
    return relative_usage(np.asarray(counts), code)


def _without_a_model(
    observed: Mapping[str, NDArray[np.float64]], species: str, code: int
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Relative usage (64,) that one would expect of a species: that of the others, and equal shares."""
    rest = [usage for other, usage in observed.items() if other != species]
    if rest:
        known = np.isfinite(rest).sum(0)
        yield (
            "mean of the others",
            np.where(known > 0, np.nansum(rest, axis=0) / np.maximum(1, known), np.nan),
        )
    yield "equal shares", relative_usage(np.ones(NUM_CODONS, dtype=np.int64), code)


def _expected(genes: Sequence[Gene], log_p: Sequence[NDArray[np.float64]], code: int) -> NDArray[np.float64]:
    """(64,) mean over the codons of each residue of what is expected among its synonyms."""
    family = synonym_family(code)
    total, count = np.zeros(NUM_CODONS), np.zeros(NUM_CODONS)
    for gene, table in zip(genes, log_p, strict=True):
        among = np.where(family[gene.codons][:, None] == family, np.exp(table), 0.0)
        total += (among / among.sum(1, keepdims=True)).sum(0)
        count += (family[gene.codons][:, None] == family).sum(0)
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, total / count, np.nan)
