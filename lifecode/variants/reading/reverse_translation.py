"""In which codons a model reads a protein that comes without its coding sequence.

A gene of the commonest codons alone is no gene that a model has read, so codons are drawn by an organism's
usage. One draw is as good as another, and scores differ between them: so they are means over several. That
takes as many times the passes.
"""

from dataclasses import dataclass

from lifecode.arguments import fields_checked
from lifecode.data.formats.proteins import CodonChoice, CodonUsage
from lifecode.errors import UserError


@fields_checked
@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseTranslation:
    """How a protein without a coding sequence, and new residues by `pseudo_likelihood`, become codons.

    Args:
        organism: whose codons, as for `lifecode.usage_tables`.
        codon_choice: `sampled` draws each by its share there, `frequent` takes the commonest.
        codon_draws: over so many draws scores are means; of no effect on the commonest.
        seed: of the draws; no two seeds share one.

    Raises:
        UserError: there is no draw.
    """

    organism: str = "e_coli"
    codon_choice: CodonChoice = "sampled"
    codon_draws: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        if self.codon_draws < 1:
            raise UserError("is less than 1", source="codon_draws", remedy="Give how many to draw, such as 4")

    def usages(self, genetic_code: int) -> list[CodonUsage]:
        """One for each draw; draw i of n is `reverse_translate`'s by seed `seed * n + i`."""
        number = self.codon_draws if self.codon_choice == "sampled" else 1
        return [
            CodonUsage(self.organism, self.codon_choice, self.seed * number + draw, genetic_code)
            for draw in range(number)
        ]

    @property
    def told(self) -> str:
        """What a row of scores says of it."""
        if self.codon_choice == "frequent":
            return f"the commonest codons of {self.organism}"
        return f"codons drawn by the usage of {self.organism}, mean of {self.codon_draws}, seed {self.seed}"
