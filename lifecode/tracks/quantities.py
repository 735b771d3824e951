"""What a track may show: names of the quantities, and how a picture and a page speak of them."""

from typing import Literal, NamedTuple

Quantity = Literal["surprisal", "entropy", "coding_potential"]


class InWords(NamedTuple):
    """A quantity for people.

    Attributes:
        label: of the axis, with its unit.
        meaning: what it is, with places for `unit` and `smooth` of the settings.
    """

    label: str
    meaning: str


IN_WORDS: dict[Quantity, InWords] = {
    "surprisal": InWords(
        "surprisal, nats",
        "-log P of the {unit} that stands there, in nats, as the model expects it from the codons around: "
        "high where it is surprised.",
    ),
    "entropy": InWords(
        "entropy, nats",
        "Entropy of what the model expects of the {unit} there, in nats: low where it is sure.",
    ),
    "coding_potential": InWords(
        "coding potential, nats per codon",
        "Of each of six frames, the mean over {smooth} codons of log P(codon) under the model less that of "
        "its nucleotides drawn one by one as the genome has them; above zero the frame reads as codons. It "
        "is no probability of a gene.",
    ),
}
