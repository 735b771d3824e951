"""`kind=expression`: is how much of a gene is made told by what a model expects of its codons?

Nothing is learnt from the measured values. For each model the best of some formulas is chosen on one half
of the genes, and it alone is asked about the other half, which has no family of proteins in common with the
first. Scores that need no model stand beside.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import STOP, codon_ids, encode_nucleotides
from lifecode.analyses.analysis import Analysed, Say, Value
from lifecode.analyses.codon_scores import (
    FORMULAS,
    References,
    counted_scores,
    expected_scores,
    read_references,
)
from lifecode.analyses.named_model import NamedModel
from lifecode.data.splits.similarity import clusters, protein_sketch
from lifecode.design.masked_codons import strided_log_probabilities
from lifecode.design.synonyms import synonym_family
from lifecode.errors import UserError, require_at_least
from lifecode.report.charts.predictions.contest_charts import figures_of_all
from lifecode.report.page import Drawing
from lifecode.tasks.examples.columns import Columns, find_columns
from lifecode.tasks.examples.table import read_table
from lifecode.tasks.scores import score

HEADINGS = ("model", "formula", "chosen on", "asked once", "genes chosen on", "genes asked")
_KEYS = Columns("kind.sequence", "kind.value", None)
_FEWEST_GENES = 20
_GENES_AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """Genes with a measured value each, such as the abundance of their proteins.

    Args:
        genome: annotated genome of these genes, which names those of ribosomal proteins.
        reference: of their names, a regular expression that they match as a whole, in any case.
        sequence: column of the coding sequences; None finds it by its letters.
        value: column of the values; None finds it by its name, or takes the only one left.
        above: genes with a value that is not above this are left out, as not measured; None keeps all.
        max_codons: so many of a gene are read by a model, from its start.
        stride: every so many codons one is masked at a time.
        similarity: Jaccard index of protein 5-mers from which on two genes stay in one half.
    """

    genome: str | list[str] = "ecoli"
    reference: str = "rp[lsm].+"
    sequence: str | None = None
    value: str | None = None
    above: float | None = 0.0
    max_codons: int = 300
    stride: int = 4
    similarity: float = 0.3

    def __post_init__(self) -> None:
        require_at_least(2, self, "max_codons", "stride", within="kind")
        if not 0 < self.similarity <= 1:
            raise UserError("does not lie in (0, 1]", source="kind.similarity")
        try:
            re.compile(self.reference)
        except re.error as error:
            raise UserError(f"is no regular expression ({error})", source="kind.reference") from error

    def analyse(
        self, input: str | list[str], models: Sequence[NamedModel], *, seed: int, say: Say
    ) -> Analysed:
        """As `Analysis.analyse`; the input is a table of coding sequences and values."""
        if not isinstance(input, str):
            raise UserError("names several files", source="input", remedy="Give one table")
        say("reading genes")
        references = read_references(self.genome, self.reference)
        measured, left_out = self._measured(input, references.code)
        sketches = np.array([protein_sketch(residues) for residues in measured.residues])
        first = first_half(clusters(sketches, self.similarity), seed)
        if any(len(np.unique(measured.values[half])) < 2 for half in (first, ~first)):
            raise UserError(
                "its genes give no two halves of several values without a family of proteins in common",
                source=input,
                remedy="Give genes of more families, or kind.similarity nearer to 1",
            )
        sizes: list[Value] = [int(first.sum()), int((~first).sum())]
        counted = [counted_scores(gene, references) for gene in measured.codons]
        rows: list[list[Value]] = []
        asked: dict[str, float] = {}
        for one in models:
            scores = self._scores(one, measured.codons, references, counted, say)
            chosen_on = {
                name: score("spearman", measured.values[first], own[first]) for name, own in scores.items()
            }
            best = max(FORMULAS, key=lambda name: chosen_on[name])
            asked[one.name] = score("spearman", measured.values[~first], scores[best][~first])
            rows += [
                [one.name, name, chosen_on[name], asked[one.name] if name == best else None, *sizes]
                for name in FORMULAS
            ]
        for name, own in _columns(counted).items():
            halves = [score("spearman", measured.values[half], own[half]) for half in (first, ~first)]
            asked[name] = halves[1]
            rows.append([name, None, *halves, *sizes])
        names = {one.name for one in models}
        return Analysed(
            kind="expression",
            verdict=f"{len(first):,} genes in two halves without a family in common; "
            f"{references.ribosomal.num_genes} ribosomal proteins of {self.genome} as reference",
            headings=HEADINGS,
            rows=rows,
            drawing=Drawing(
                figures_of_all(
                    {name: [value] for name, value in asked.items()},
                    {name: "model" if name in names else "baseline" for name in asked},
                    "Spearman correlation on the half that is asked once",
                ),
                "Scores and measured values",
                "A line for each model, by the formula chosen on the first half, and for each baseline.",
            ),
            how_to_read=(
                "Spearman correlation of a score with the measured values. The formula of a model is the one "
                "that is best on the first half of the genes; it alone is asked about the other half. `its "
                "codons` is the mean log P of a gene's codons, each masked, among all or, `residues known`, "
                "among their synonyms. `expected adaptation` is the mean log relative adaptiveness of the "
                "synonyms that a model expects, where the adaptation index takes that of the codons that are "
                "there. `expected ribosomal codons` is how much likelier the expected codons are in "
                "ribosomal proteins than in all genes. The last two add the same of the gene's own codons."
            ),
            notes=[f"left out: {count:,} ({reason})" for reason, count in sorted(left_out.items())],
        )

    def _measured(self, path: str, code: int) -> tuple["_Measured", Counter[str]]:
        table = read_table(path)
        columns = find_columns(table, sequence=self.sequence, label=self.value, molecule="cds", keys=_KEYS)
        assert columns.label is not None  # one is asked for
        left_out: Counter[str] = Counter()
        found: list[tuple[NDArray[np.int64], NDArray[np.uint8], float]] = []
        family = synonym_family(code)
        cells = zip(table.columns[columns.sequence], table.columns[columns.label], strict=True)
        for row, (letters, text) in zip(table.rows, cells, strict=True):
            value = _number(text, path, row, columns.label)
            nucleotides = encode_nucleotides(letters, source=path, record=f"row {row}")
            if not np.isfinite(value) or (self.above is not None and value <= self.above):
                left_out["no value" if self.above is None else f"no value above {self.above:g}"] += 1
            elif len(nucleotides) % 3 or len(nucleotides) < 9:
                left_out["no codons, or no whole ones"] += 1
            else:
                codons = codon_ids(nucleotides).astype(np.int64)
                codons = codons[:-1] if codons[-1] >= 0 and family[codons[-1]] == STOP else codons
                if (codons < 0).any() or (family[codons] == STOP).any():
                    left_out["an ambiguous codon or a stop inside"] += 1
                else:
                    found.append((codons, family[codons].astype(np.uint8), value))
        if len(found) < _FEWEST_GENES:
            raise UserError(
                f"holds {len(found)} genes with a value, too few to compare",
                source=path,
                remedy="Give more, or kind.above=null where values of 0 and below are measured ones",
            )
        codons, residues, values = zip(*found, strict=True)
        return _Measured(codons, residues, np.array(values)), left_out

    def _scores(
        self,
        one: NamedModel,
        genes: Sequence[NDArray[np.int64]],
        references: References,
        counted: Sequence[Mapping[str, float]],
        say: Say,
    ) -> Mapping[str, NDArray[np.float64]]:
        """A score (n,) of every gene by each formula."""
        found = []
        for start in range(0, len(genes), _GENES_AT_ONCE):
            say(f"{one.name}: masking codons, {start:,} of {len(genes):,} genes")
            some = slice(start, start + _GENES_AT_ONCE)
            read = [codons[: self.max_codons] for codons in genes[some]]
            log_p = strided_log_probabilities(one.model, read, self.stride)
            found += [
                expected_scores(codons, table, references, own)
                for codons, table, own in zip(read, log_p, counted[some], strict=True)
            ]
        return _columns(found)


class _Measured(NamedTuple):
    """Codon ids (L,) and residues (L,) of genes, and the value of each."""

    codons: Sequence[NDArray[np.int64]]
    residues: Sequence[NDArray[np.uint8]]
    values: NDArray[np.float64]


def first_half(group: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """(n,) whether each row is of the first half; groups stay whole, and go in turn to the smaller half."""
    rows_of = np.bincount(group)
    first, sizes = np.zeros(len(rows_of), dtype=bool), [0, 0]
    for number in np.random.default_rng(seed).permutation(len(rows_of)).tolist():
        half = int(sizes[1] < sizes[0])
        first[number] = half == 0
        sizes[half] += int(rows_of[number])
    return first[group]


def _columns(rows: Sequence[Mapping[str, float]]) -> dict[str, NDArray[np.float64]]:
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _number(text: str, path: str, row: int, column: str) -> float:
    """A value; NaN where there is none."""
    if text.lower() in ("", "na", "n/a", "null"):
        return float("nan")
    try:
        return float(text)
    except ValueError as error:
        raise UserError(
            f"{text!r} in column {column!r} is no number",
            source=path,
            record=f"row {row}",
            remedy="Name the column of the values: kind.value=...",
        ) from error
