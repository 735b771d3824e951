"""What a synthesis or a cloning asks of a sequence, in the words of DnaChisel (MIT), which sees to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.arguments import fields_checked
from lifecode.design.fixed_codons import fixed_codons
from lifecode.design.search import found_near
from lifecode.design.sites import motifs_of, named_sites
from lifecode.errors import UserError


@fields_checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What every design has to satisfy; None asks for nothing.

    Args:
        forbidden_sites: restriction enzymes by name (`EcoRI`, `bsai`, `BsaI-HFv2`) or motifs of IUPAC
            letters, a list or text with commas between; on neither strand.
        gc_min: least share of G and C, 0 to 1.
        gc_max: largest.
        gc_window: nucleotides that this holds for wherever they lie; None: for the whole sequence.
        max_homopolymer: longest run of one nucleotide.
        unique_kmers: no stretch of so many nucleotides occurs twice, in either direction.
        hairpin_stem: no stretch of so many nucleotides has its reverse complement nearby.
        hairpin_window: how many nucleotides around it are nearby.
        fixed_codons: codons by position, such as `2:AAA,40:CTG`.
    """

    forbidden_sites: str | list[str] | None = None
    gc_min: float | None = None
    gc_max: float | None = None
    gc_window: int | None = None
    max_homopolymer: int | None = None
    unique_kmers: int | None = None
    hairpin_stem: int | None = None
    hairpin_window: int = 200
    fixed_codons: str | None = None

    def __post_init__(self) -> None:
        low, high = self.gc_bounds
        if not 0 <= low <= high <= 1:
            raise UserError(
                f"gc_min {low} and gc_max {high} are no range within 0 to 1",
                remedy="Give shares, such as 0.4",
            )
        if self.gc_window is not None and (low, high) == (0, 1):
            raise UserError("gc_window asks for nothing alone", remedy="Give gc_min or gc_max with it")
        for name, least in (
            ("gc_window", 1),
            ("max_homopolymer", 1),
            ("unique_kmers", 2),
            ("hairpin_stem", 2),
            ("hairpin_window", 1),
        ):
            if (value := getattr(self, name)) is not None and value < least:
                raise UserError(f"{name} {value} is below {least}", remedy=f"Give at least {least}")
        if self.hairpin_stem is not None and self.hairpin_window < 2 * self.hairpin_stem:
            raise UserError(
                f"hairpin_window {self.hairpin_window} has no room for two stems of {self.hairpin_stem}",
                remedy=f"Give at least {2 * self.hairpin_stem}",
            )
        fixed_codons(self.fixed_codons)
        named_sites(self.forbidden_sites)

    @property
    def sites(self) -> list[str]:
        """The forbidden sites one by one, as `named_sites` spells them."""
        return named_sites(self.forbidden_sites)

    @property
    def gc_bounds(self) -> tuple[float, float]:
        """Least and largest share of G and C."""
        return 0 if self.gc_min is None else self.gc_min, 1 if self.gc_max is None else self.gc_max

    @property
    def asks_for_search(self) -> bool:
        """Whether there is anything that DnaChisel has to see to."""
        return bool(
            self.sites
            or self.gc_bounds != (0, 1)
            or self.max_homopolymer
            or self.unique_kmers
            or self.hairpin_stem
        )

    def satisfied(
        self,
        codons: NDArray[np.integer],
        *,
        protein: str,
        fixed: NDArray[np.integer],
        code: int,
        seed: int,
        name: str,
    ) -> NDArray[np.int64]:
        """The codons (L,), changed where a constraint needs it.

        Args:
            codons: of a sequence that spells the protein.
            protein: one letter a codon, `*` for a stop.
            fixed: positions whose codons stay.
            code: NCBI genetic code.
            seed: of the search.
            name: of the protein, for the error.

        Raises:
            UserError: no such sequence exists, or the search found none; says what DnaChisel says.
        """
        if not self.asks_for_search:
            return np.asarray(codons, dtype=np.int64)
        return found_near(
            codons, self._specifications, protein=protein, fixed=fixed, code=code, seed=seed, name=name
        )

    def _specifications(self, num_nucleotides: int) -> Iterator[Any]:
        import dnachisel

        for site in self.sites:
            for motif in motifs_of(site):
                name: Any = None if motif == site else site
                yield dnachisel.AvoidPattern(dnachisel.DnaNotationPattern(motif, name))
        low, high = self.gc_bounds
        if (low, high) != (0, 1):
            window = None if self.gc_window is None else min(self.gc_window, num_nucleotides)
            yield dnachisel.EnforceGCContent(mini=low, maxi=high, window=window)  # pyright: ignore
        if self.max_homopolymer is not None:
            for letter in "ACGT":
                run = dnachisel.HomopolymerPattern(letter, self.max_homopolymer + 1)
                yield dnachisel.AvoidPattern(run, strand=1)  # pyright: ignore[reportArgumentType]
        if self.unique_kmers is not None and self.unique_kmers < num_nucleotides:
            yield dnachisel.UniquifyAllKmers(self.unique_kmers)
        if self.hairpin_stem is not None:
            yield dnachisel.AvoidHairpins(self.hairpin_stem, self.hairpin_window)
