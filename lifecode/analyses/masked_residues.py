"""`kind=masked_residues`: how well masked residues are guessed, beside statistics of like proteins.

As `kind=masked_codons`, of proteins. A model of codons reads each protein written as codons, one of them
masked, and what it says of a residue is the sum over the codons that spell it. Codons are drawn by an
organism's usage: the commonest ones alone are no gene that a model has read. What it gives to stops, which no
protein has inside, is divided among the residues.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import AMINO_ACIDS, NUM_AMINO_ACIDS, NUM_CODONS, STOP, encode_nucleotides
from lifecode.analyses.analysis import Analysed, Say
from lifecode.analyses.genes import Asked, Gene
from lifecode.analyses.guesses import Letter, LogP, compared, guesses
from lifecode.analyses.named_model import NamedModel
from lifecode.data.formats.proteins import CodonChoice
from lifecode.data.translation import reverse_translate
from lifecode.errors import UserError, require_at_least
from lifecode.evaluation.baselines import CodonUnigram
from lifecode.genetic_code import genetic_code
from lifecode.models.masked_reading import MaskedReader
from lifecode.report.page import Drawing
from lifecode.variants.wild_type import residue_log_p, scan_reader

HEADINGS = ("model", "proteins of", "nats", "below unigram", "error", "right", "proteins", "residues")
_LETTERS = np.frombuffer(AMINO_ACIDS.encode(), dtype=np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedResidues:
    """Masked residues of proteins, file by file.

    Args:
        proteins: so many of each file are asked about.
        min_residues: of a protein that is asked about.
        max_residues: likewise.
        stride: every so many residues one is masked at a time; above 1, so that both neighbours are seen.
        organism: whose codons a model of codons reads, as for `lifecode.usage_tables`.
        codon_choice: `sampled` draws each by its share, `frequent` takes the commonest.
    """

    proteins: int = 100
    min_residues: int = 50
    max_residues: int = 400
    stride: int = 7
    organism: str = "e_coli"
    codon_choice: CodonChoice = "sampled"

    def __post_init__(self) -> None:
        require_at_least(2, self, "proteins", "min_residues", "stride", within="kind")

    def analyse(
        self, input: str | list[str], models: Sequence[NamedModel], *, seed: int, say: Say
    ) -> Analysed:
        """As `Analysis.analyse`; every file of the input holds proteins."""
        readers = {one.name: scan_reader(one.model, "masked") for one in models}
        found = guesses(
            [input] if isinstance(input, str) else list(input),
            models,
            Letter("residue", "proteins", NUM_AMINO_ACIDS, _residues, residue_figures),
            {name: partial(self._expected, reader, seed) for name, reader in readers.items()},
            most=self.proteins,
            lengths=(self.min_residues, self.max_residues),
            seed=seed,
            say=say,
        )
        return Analysed(
            kind="masked_residues",
            verdict=f"up to {self.proteins} proteins of each file, one residue in {self.stride} masked",
            headings=HEADINGS,
            rows=found.rows,
            drawing=Drawing(
                found.chart("nats below the residue unigram"),
                "Masked residues",
                "A line for each file: by how many nats a residue each guess is better than how often each "
                "residue stands in its other proteins.",
            ),
            how_to_read=(
                "`nats` is the cross-entropy over the residues, lower is better; `below unigram` is how much "
                "lower it is than that of the residue unigram, and `error` the standard error of that over "
                "proteins. `right` is the share of residues that are guessed. The first residue of each "
                "protein is not asked about. All statistics are counted on other proteins of the same file."
            ),
            notes=found.notes,
        )

    def _expected(self, reader: MaskedReader, seed: int, drawn: Asked) -> LogP:
        """log P (L, 21) at every residue of each protein, every `stride`-th masked at a time.

        Raises:
            UserError: a protein is longer than the model reads at once.
        """
        proteins = drawn.genes
        longest = max(len(one.residues) for one in proteins)
        if reader.longest is not None and longest > reader.longest:
            raise UserError(
                f"proteins have {longest:,} residues, and the model reads {reader.longest:,} at once",
                remedy=f"Give kind.max_residues={reader.longest}",
            )
        ids, places = [], []
        for one in proteins:
            size = len(one.residues)
            letters = _LETTERS[one.residues]
            if reader.letters_per_place == 3:
                letters = encode_nucleotides(
                    reverse_translate(letters.tobytes().decode(), self.organism, self.codon_choice, seed=seed)
                )
            for first in range(min(self.stride, size)):
                ids.append(letters)
                places.append(list(range(first, size, self.stride)))
        said = iter(zip(places, reader.log_probabilities(ids, places, places), strict=True))
        found = []
        for one in proteins:
            table = np.empty((len(one.residues), NUM_AMINO_ACIDS))
            for _ in range(min(self.stride, len(one.residues))):
                at, log_p = next(said)
                own = log_p.double().cpu().numpy()
                of_codons = reader.columns == NUM_CODONS
                table[at] = residue_log_p(own, genetic_code(1)) if of_codons else own
            table[:, STOP] = -np.inf
            found.append(table - np.logaddexp.reduce(table, axis=1, keepdims=True))
        return found


def residue_figures(proteins: Sequence[Gene], log_p: LogP, unigram: CodonUnigram) -> Sequence[float | None]:
    """The columns from `nats` on, of guesses log P (L, 21); first residues are not asked about."""
    residues = [_residues(one) for one in proteins]
    return *compared(residues, log_p, unigram), len(proteins), sum(len(own) - 1 for own in residues)


def _residues(protein: Gene) -> NDArray[np.int64]:
    return protein.residues.astype(np.int64)
