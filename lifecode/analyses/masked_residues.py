"""`kind=masked_residues`: how well masked residues are guessed, beside statistics of like proteins.

As `kind=masked_codons`, of proteins. A model of codons reads each protein as its commonest codons, a whole
codon masked, and what it says of a residue is the sum over the codons that spell it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import AMINO_ACIDS, NUM_AMINO_ACIDS, NUM_CODONS
from lifecode.analyses.analysis import Analysed, Say, Value
from lifecode.analyses.codon_usage import species_names
from lifecode.analyses.genes import (
    Asked,
    Gene,
    asked_and_counted,
    notes_on_unknown_training,
    read_genes,
)
from lifecode.analyses.masked_codons import standard_error
from lifecode.analyses.named_model import NamedModel
from lifecode.errors import UserError
from lifecode.evaluation.baselines import BothNeighbours, CodonUnigram, InterpolatedNeighbours
from lifecode.genetic_code import genetic_code
from lifecode.models.masked_reading import MaskedReader
from lifecode.report.charts.contest_charts import sets_of_a_suite
from lifecode.report.page import Drawing
from lifecode.variants.wild_type import residue_log_p, scan_reader

HEADINGS = ("model", "proteins of", "nats", "below unigram", "error", "right", "proteins", "residues")
UNIGRAM, NEIGHBOURS, INTERPOLATED = "residue unigram", "both neighbours", "both neighbours, interpolated"
_LETTERS = np.frombuffer(AMINO_ACIDS.encode(), dtype=np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedResidues:
    """Masked residues of proteins, file by file.

    Args:
        proteins: so many of each file are asked about.
        min_residues: of a protein that is asked about.
        max_residues: likewise.
        stride: every so many residues one is masked at a time; above 1, so that both neighbours are seen.
    """

    proteins: int = 100
    min_residues: int = 50
    max_residues: int = 400
    stride: int = 7

    def __post_init__(self) -> None:
        for name in ("proteins", "min_residues", "stride"):
            if getattr(self, name) < 2:
                raise UserError("is less than 2", source=f"kind.{name}")

    def analyse(
        self, input: str | list[str], models: Sequence[NamedModel], *, seed: int, say: Say
    ) -> Analysed:
        """As `Analysis.analyse`; every file of the input holds proteins."""
        files = [input] if isinstance(input, str) else list(input)
        readers = {one.name: scan_reader(one.model, "masked") for one in models}
        notes = notes_on_unknown_training(models)
        rows: list[list[Value]] = []
        below: dict[str, list[float | None]] = {}
        names = species_names(files)
        for name, file in zip(names, files, strict=True):
            say(f"{name}: reading proteins")
            proteins, left_out = read_genes(
                file, most=None, min_codons=2, max_codons=1 << 30, seed=seed, proteins=True
            )
            found, own = asked_and_counted(
                proteins,
                models,
                most=self.proteins,
                lengths=(self.min_residues, self.max_residues),
                seed=seed,
                name=name,
            )
            notes += [f"{name}: {note}" for note in (*left_out, *own)]
            unigram = CodonUnigram([one.residues for one in found.others], NUM_AMINO_ACIDS)
            for guess, log_p in self._guesses(found, unigram, readers, say, name).items():
                figures = residue_figures(found.genes, log_p, unigram)
                rows.append([guess, name, *figures])
                below.setdefault(guess, []).append(figures[1])
        roles = {guess: "model" if guess in readers else "baseline" for guess in below}
        shown = {guess: values for guess, values in below.items() if guess not in (UNIGRAM, NEIGHBOURS)}
        return Analysed(
            kind="masked_residues",
            verdict=f"up to {self.proteins} proteins of each file, one residue in {self.stride} masked",
            headings=HEADINGS,
            rows=rows,
            drawing=Drawing(
                sets_of_a_suite(names, shown, roles, "nats below the residue unigram"),
                "Masked residues",
                "A line for each file: by how many nats a residue each guess is better than how often each "
                "residue stands in its other proteins.",
            ),
            how_to_read=(
                "`nats` is the cross-entropy over the residues, lower is better; `below unigram` is how much "
                "lower it is than that of the residue unigram, and `error` the standard error of that over "
                "proteins. `right` is the share of residues that are guessed. The first residue of each "
                "protein is not asked about. All statistics are counted on other proteins of the same file. "
                "What a model of codons gives to stops is lost to it."
            ),
            notes=notes,
        )

    def _guesses(
        self,
        found: Asked,
        unigram: CodonUnigram,
        readers: Mapping[str, MaskedReader],
        say: Say,
        name: str,
    ) -> Mapping[str, list[NDArray[np.float64]]]:
        """log P (L, 21) of every residue of each protein that is asked about, by who guesses."""
        proteins = [one.residues.astype(np.int64) for one in found.genes]
        others = [one.residues for one in found.others]
        by_whom = {}
        for model, reader in readers.items():
            say(f"{model}: masking residues of {name}")
            by_whom[model] = self._expected(found.genes, reader)
        by_whom[UNIGRAM] = [np.tile(unigram.log_probabilities, (len(one), 1)) for one in proteins]
        for guess, kind in ((NEIGHBOURS, BothNeighbours), (INTERPOLATED, InterpolatedNeighbours)):
            neighbours = kind(others, NUM_AMINO_ACIDS)
            by_whom[guess] = [neighbours.log_probabilities(one, np.arange(len(one))) for one in proteins]
        return by_whom

    def _expected(self, proteins: Sequence[Gene], reader: MaskedReader) -> list[NDArray[np.float64]]:
        """log P (L, 21) at every residue of each protein, every `stride`-th masked at a time."""
        ids, places = [], []
        for one in proteins:
            size = len(one.residues)
            for first in range(min(self.stride, size)):
                ids.append(one.nucleotides if reader.letters_per_place == 3 else _LETTERS[one.residues])
                places.append(list(range(first, size, self.stride)))
        said = iter(zip(places, reader.log_probabilities(ids, places, places), strict=True))
        found = []
        for one in proteins:
            table = np.empty((len(one.residues), NUM_AMINO_ACIDS))
            for _ in range(min(self.stride, len(one.residues))):
                at, log_p = next(said)
                own = log_p.double().cpu().numpy()
                of_codons = reader.columns == NUM_CODONS
                table[at] = residue_log_p(own, genetic_code(one.genetic_code)) if of_codons else own
            found.append(table)
        return found


def residue_figures(
    proteins: Sequence[Gene], log_p: Sequence[NDArray[np.float64]], unigram: CodonUnigram
) -> tuple[float, float, float | None, float, int, int]:
    """The columns from `nats` on, of guesses log P (L, 21); first residues are not asked about."""
    lost, gained, right = [], [], []
    for one, table in zip(proteins, log_p, strict=True):
        residues, table = one.residues[1:].astype(np.int64), table[1:]
        own = -table[np.arange(len(residues)), residues]
        lost.append(own)
        gained.append(-unigram.log_probabilities[residues] - own)
        right.append(table.argmax(1) == residues)
    return (
        float(np.concatenate(lost).mean()),
        float(np.concatenate(gained).mean()),
        standard_error(gained),
        float(np.concatenate(right).mean()),
        len(proteins),
        sum(map(len, lost)),
    )
