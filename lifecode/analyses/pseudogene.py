"""`kind=pseudogene`: where a pseudogene differs from its gene, does a model fill in what the gene has?

The codons around the differences are masked and a model that was told neither says which nucleotide it
expects: among the letters of the pseudogene (correction), and among those of the gene (recovery). Both are
read in the frame of the gene: what the pseudogene has more is left out, a codon of which it lacks a part is
masked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import codon_ids, encode_nucleotides
from lifecode.analyses.analysis import Analysed, Say, Value
from lifecode.analyses.named_model import NamedModel
from lifecode.data.batches.packing import whole_codons
from lifecode.design.masked_codons import MASKED, ReadMasked, masked_log_probabilities
from lifecode.errors import UserError, require_at_least
from lifecode.report.charts.two_histograms import HistogramPanel, two_histograms
from lifecode.report.page import Drawing
from lifecode.tasks.examples.table import read_table

HEADINGS = ("model", "corrected", "recovered", "gene's letter likelier", "differences", "alignments")
_GAP, _OTHER_GAP, _UNKNOWN = "-", ".", 4
_SHARE = 0.15
"""Of the codons of a sequence, at most, are masked at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PseudogeneRepair:
    """Alignments of pseudogenes with their genes.

    Args:
        pseudogene: column of the aligned pseudogenes, with `-` or `.` for gaps.
        gene: column of the aligned genes.
        max_codons: of each gene so many are read, from its first nucleotide on.
    """

    pseudogene: str = "seq_a_aligned"
    gene: str = "seq_b_aligned"
    max_codons: int = 400

    def __post_init__(self) -> None:
        require_at_least(1, self, "max_codons", within="kind")

    def analyse(
        self, input: str | list[str], models: Sequence[NamedModel], *, seed: int, say: Say
    ) -> Analysed:
        """As `Analysis.analyse`; the input is a table with both columns. Nothing is drawn."""
        paths = [input] if isinstance(input, str) else input
        pairs, notes = self._pairs(paths)
        count = sum(len(pair.places) for pair in pairs)
        rows: list[list[Value]] = []
        panels = []
        for one in models:
            say(f"{one.name}: filling in {count:,} differences")
            read = partial(masked_log_probabilities, one.model)
            of_pseudogene = filled_in(read, pairs, [pair.pseudogene for pair in pairs])
            of_gene = filled_in(read, pairs, [pair.gene for pair in pairs])
            wanted = np.concatenate([pair.gene[pair.places] for pair in pairs])
            instead = np.concatenate([pair.pseudogene[pair.places] for pair in pairs])
            row = np.arange(count)
            odds = [table[row, wanted] - table[row, instead] for table in (of_gene, of_pseudogene)]
            rows.append(
                [
                    one.name,
                    float(np.mean(of_pseudogene.argmax(1) == wanted)),
                    float(np.mean(of_gene.argmax(1) == wanted)),
                    float(np.mean(odds[0] > 0)),
                    count,
                    len(pairs),
                ]
            )
            panels.append(HistogramPanel(one.name, "log P(gene's letter) - log P(pseudogene's)", *odds))
        for name, predicted in (
            ("commonest at that place of codons", commonest(pairs)),
            ("transition", partner(pairs)),
        ):
            wanted = np.concatenate([pair.gene[pair.places] for pair in pairs])
            right = float(np.mean(predicted == wanted))
            rows.append([name, right, right if name != "transition" else None, None, count, len(pairs)])
        return Analysed(
            kind="pseudogene",
            verdict=f"{len(pairs):,} alignments with {count:,} nucleotides that differ",
            headings=HEADINGS,
            rows=rows,
            drawing=Drawing(
                two_histograms(panels, ("among the gene's letters", "among the pseudogene's letters")),
                "How much likelier the gene's letter is",
                "For each model two histograms of log-odds, above 0 where the gene's nucleotide is likelier.",
            ),
            how_to_read=(
                "Corrected: share of the differences at which the nucleotide that the model expects among "
                "the letters of the pseudogene is the gene's; recovered: the same among the letters of "
                "the gene. The third is the share at which the gene's nucleotide is likelier than the "
                "pseudogene's, among the gene's letters. A guess is right in 0.25. The rule `transition` "
                "sees the pseudogene's letter, which models do not, and exchanges A and G, C and T. Genes "
                "are read from their first nucleotide on, whose frame is not verified: the alignments "
                "name none."
            ),
            notes=notes,
        )

    def _pairs(self, paths: Sequence[str]) -> tuple[list["Pair"], list[str]]:
        found, same, cut, broken = [], 0, 0, 0
        for path in paths:
            table = read_table(path)
            pseudogenes, genes = (
                [text.replace(_OTHER_GAP, _GAP) for text in table.column(name, key)]
                for name, key in ((self.pseudogene, "kind.pseudogene"), (self.gene, "kind.gene"))
            )
            for row, (pseudogene, gene) in enumerate(zip(pseudogenes, genes, strict=True), start=1):
                if len(pseudogene) != len(gene) or not gene.strip(_GAP):
                    sizes = f"{len(pseudogene):,} and {len(gene):,} columns are no alignment"
                    raise UserError(
                        sizes if len(pseudogene) != len(gene) else "the gene has no nucleotide",
                        source=Path(path),
                        record=f"in row {row}",
                        remedy="Give both sequences with - for gaps, of one length",
                    )
                pair = aligned(pseudogene, gene, 3 * self.max_codons, source=path, record=f"in row {row}")
                size = len(gene.replace(_GAP, ""))
                cut, broken = cut + (size > 3 * self.max_codons), broken + (size % 3 > 0)
                if len(pair.places):
                    found.append(pair)
                else:
                    same += 1
        if not found:
            raise UserError("holds no alignment with a difference", source=", ".join(paths))
        notes = [
            f"{count:,} {what}"
            for count, what in (
                (same, "alignments without a difference left out"),
                (cut, f"genes read up to {self.max_codons:,} codons"),
                (broken, "genes are no whole codons"),
            )
            if count
        ]
        return found, notes


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A pseudogene in the coordinates of its gene.

    Attributes:
        pseudogene: (N,) nucleotide ids, 4 where it has none.
        gene: (N,) nucleotide ids of whole codons.
        places: (n,) where both have a nucleotide, and not the same.
    """

    pseudogene: NDArray[np.uint8]
    gene: NDArray[np.uint8]
    places: NDArray[np.int64]


def aligned(
    pseudogene: str, gene: str, longest: int, *, source: object = None, record: object = None
) -> Pair:
    """Both rows of an alignment, up to so many nucleotides of the gene.

    Raises:
        UserError: a letter that is no nucleotide.
    """
    letters = [(a, b) for a, b in zip(pseudogene, gene, strict=True) if b != _GAP][:longest]
    both = [
        whole_codons(encode_nucleotides("".join(row).replace(_GAP, "N"), source=source, record=record))
        for row in zip(*letters, strict=True)
    ]
    known = (both[0] < _UNKNOWN) & (both[1] < _UNKNOWN)
    return Pair(both[0], both[1], np.flatnonzero(known & (both[0] != both[1])))


def filled_in(
    read: ReadMasked, pairs: Sequence[Pair], contexts: Sequence[NDArray[np.uint8]]
) -> NDArray[np.float64]:
    """log P (n, 4) of the nucleotide at each place of all pairs, its codon masked in a context."""
    copies, at, owners = [], [], []
    for number, (pair, context) in enumerate(zip(pairs, contexts, strict=True)):
        places = np.unique(pair.places // 3)
        codons = _codons(context)
        parts = -(-len(places) // max(1, int(_SHARE * len(codons))))
        for first in range(parts):
            masked = codons.copy()
            masked[places[first::parts]] = MASKED
            copies.append(masked)
            at.append(places[first::parts])
            owners.append(number)
    tables: list[dict[int, NDArray[np.float64]]] = [{} for _ in pairs]
    for number, places, table in zip(owners, at, read(copies, at), strict=True):
        tables[number] |= dict(zip(places.tolist(), table, strict=True))
    found = []
    for pair, table in zip(pairs, tables, strict=True):
        for place in pair.places.tolist():
            by_letter = table[place // 3].reshape(4, 4, 4)
            others = tuple(axis for axis in range(3) if axis != place % 3)
            found.append(np.logaddexp.reduce(by_letter, axis=others))
    return np.array(found)


def _codons(nucleotides: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Codon ids (L,); a codon with an unknown nucleotide counts as masked."""
    return codon_ids(nucleotides).astype(np.int64)


def commonest(pairs: Sequence[Pair]) -> NDArray[np.int64]:
    """(n,) the commonest nucleotide of all genes at the place in the codon that each difference has."""
    counts = np.zeros((3, 4))
    for pair in pairs:
        known = pair.gene < _UNKNOWN
        np.add.at(counts, (np.arange(len(pair.gene))[known] % 3, pair.gene[known]), 1)
    return np.concatenate([counts.argmax(1)[pair.places % 3] for pair in pairs])


def partner(pairs: Sequence[Pair]) -> NDArray[np.int64]:
    """(n,) the other purine, or pyrimidine, than the pseudogene has."""
    return np.concatenate([(pair.pseudogene[pair.places] + 2) % 4 for pair in pairs]).astype(np.int64)
