"""What a track shows, and how the model is asked."""

from dataclasses import dataclass
from typing import Literal

from lifecode.arguments import fields_checked
from lifecode.errors import UserError
from lifecode.tracks.codon_sequences import Strands
from lifecode.tracks.quantities import Quantity
from lifecode.variants.asking import Scoring

Frames = Literal["auto", "cds", "all"]
ValueUnit = Literal["codon", "nucleotide"]


@fields_checked
@dataclass(frozen=True, slots=True, kw_only=True)
class TrackSettings:
    """What a track shows, and how the model is asked.

    Args:
        quantity: `surprisal`, -log P of what stands there; `entropy` of what the model expects there; both in
            nats; or `coding_potential` of the six frames, see `lifecode.tracks.coding_potential`.
        frames: `cds` reads the annotated coding sequences, `all` every contig in six frames, `auto` the
            former where the input annotates any. The coding potential is always of all.
        unit: `codon`, or `nucleotide`: each by itself, its probability summed over the codons that have it
            in this place. The whole codon is masked for both.
        strands: of coding sequences; `together` on one track, or `apart` on one for each strand.
        method: `masked`, `strided:k` or `unmasked`, as for `Scoring`.
        window_codons: of what is longer, so many codons are read at once; None: all of it.
        smooth_codons: odd number of codons that a coding potential is the mean of.

    Raises:
        UserError: a value that is none of these, or does not go with another.
    """

    quantity: Quantity = "surprisal"
    frames: Frames = "auto"
    unit: ValueUnit = "codon"
    strands: Strands = "together"
    method: str = "strided:8"
    window_codons: int | None = 1024
    smooth_codons: int = 31

    def __post_init__(self) -> None:
        if Scoring(method=self.method, window_codons=self.window_codons).is_of_scans:
            raise UserError(
                "is of mutants of a protein", source="method", remedy="Choose masked, strided:8 or unmasked"
            )
        if self.smooth_codons < 1 or self.smooth_codons % 2 == 0:
            raise UserError(
                f"{self.smooth_codons} has no codon in its middle",
                source="smooth_codons",
                remedy="Give an odd number, such as 31",
            )
        if self.strands == "apart" and (self.frames == "all" or self.quantity == "coding_potential"):
            raise UserError(
                "has no effect on six frames, which are a track each", source="strands", remedy="Leave it out"
            )
        if self.quantity != "coding_potential":
            return
        if self.frames == "cds":
            raise UserError(
                "the coding potential is of all six frames", source="frames", remedy="Leave it out"
            )
        if self.unit == "nucleotide":
            raise UserError("the coding potential is of codons", source="unit", remedy="Leave it out")
