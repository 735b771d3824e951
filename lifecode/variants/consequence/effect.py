"""What one change does to one transcript, as a value, and what it does to the letters of the CDS."""

from typing import NamedTuple


class Effect(NamedTuple):
    """A change seen from a transcript.

    Attributes:
        terms: of the Sequence Ontology.
        hgvs_c, hgvs_p: names, the latter empty outside of the CDS.
        codons: `AAG/AGG`, empty where no codon changes.
        amino_acids: `K/R`, or one letter where it stays.
        first_codon: 0-based number of the first of `codons`, -1 where there are none.
        old, new: letters of all touched codons, as many in either; empty where it cannot be scored.
        status: `coding` where it can be scored, else why it cannot.
    """

    terms: tuple[str, ...]
    hgvs_c: str
    hgvs_p: str = ""
    codons: str = ""
    amino_acids: str = ""
    first_codon: int = -1
    old: str = ""
    new: str = ""
    status: str = "outside_cds"


class Edit(NamedTuple):
    """What a change does to the letters of a CDS: `size` of them from `at` on become `alt`."""

    at: int
    size: int
    alt: str
    whole: bool
