"""Windows around splice sites, and around dinucleotides of the same pre-mRNA that look like one and are none.

The junction is the middle of its window: GT follows the middle of a canonical donor, AG precedes that of a
canonical acceptor. A decoy is a GT or AG of the pre-mRNA away from every junction that any CDS of the contig,
verified or not, has on that strand, so that the site of another isoform is no decoy.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import decode_nucleotides
from lifecode.datasets.central_dogma.dataset import Dataset, Example
from lifecode.datasets.central_dogma.genes import Gene, Genes
from lifecode.datasets.central_dogma.junctions import decoys_of, junctions_of, on_contig, sites_of
from lifecode.datasets.central_dogma.locus import Locus, cut
from lifecode.datasets.central_dogma.pre_mrna import ACCEPTOR, DONOR, NONE, SITES, loci_with_introns
from lifecode.datasets.central_dogma.ranking import generator, require_shares, splits_by_ties
from lifecode.errors import UserError

_WINDOW_BEYOND_CONTIG, _TOO_FEW_DECOYS = "window_beyond_contig", "too_few_decoys"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpliceWindows:
    """The task of telling donors, acceptors and decoys apart.

    Args:
        window_nucleotides: length of a window, even.
        decoys: a site.
        away_nucleotides: least distance of a decoy from a junction.
        shares: of train, dev and test.

    Raises:
        UserError: a number out of its range.
    """

    window_nucleotides: int = 400
    decoys: int = 1
    away_nucleotides: int = 50
    shares: tuple[int, int, int] = (8, 1, 1)

    def __post_init__(self) -> None:
        require_shares(self.shares)
        if self.window_nucleotides < 4 or self.window_nucleotides % 2:
            raise UserError("window_nucleotides is no even number from 4 on")
        if self.decoys < 0:
            raise UserError("decoys is negative")
        if self.away_nucleotides < 1:
            raise UserError("away_nucleotides is not positive")

    def dataset(self, found: Genes, seed: int) -> Dataset:
        """Windows of verified genes with introns, each site once; what gives none is listed in `found`."""
        junctions = {name: junctions_of(contig) for name, contig in found.contigs.items()}
        taken: set[str] = set()
        examples: list[Example] = []
        for gene, locus in loci_with_introns(found):
            near = junctions[gene.contig.name][locus.strand]
            for site in (DONOR, ACCEPTOR):
                examples += self._windows(gene, locus, site, near, taken, found, seed)
        names, ties = [example.name for example in examples], [example.ties for example in examples]
        splits = splits_by_ties(names, ties, self.shares, seed)
        return Dataset(folder="gene/multi_class", labels=SITES, examples=examples, splits=splits)

    def _windows(
        self, gene: Gene, locus: Locus, site: int, near: set[int], taken: set[str], found: Genes, seed: int
    ) -> list[Example]:
        """The sites of one kind that no earlier gene has, and as many decoys as are wanted for them."""
        junctions = sites_of(locus, site)
        for junction in junctions:
            if self._window(gene, locus, junction) is None:
                found.leave_out(gene.id, _WINDOW_BEYOND_CONTIG, SITES[site])
        sites = list(self._examples(gene, locus, junctions, site, site, taken))
        places = decoys_of(locus, site, near, gene.contig, self.away_nucleotides)
        drawn = generator(seed, gene.id, SITES[site]).permutation(places).tolist()
        wanted = self.decoys * len(sites)
        decoys = list(islice(self._examples(gene, locus, drawn, site, NONE, taken), wanted))
        if len(decoys) < wanted:
            found.leave_out(gene.id, _TOO_FEW_DECOYS, f"{SITES[site]}: {len(decoys)} of {wanted}")
        return sites + decoys

    def _examples(
        self, gene: Gene, locus: Locus, places: Iterable[int], site: int, label: int, taken: set[str]
    ) -> Iterator[Example]:
        """The windows around places of a locus that are not taken yet and lie on the contig."""
        kind = SITES[site] if label == site else f"no_{SITES[site]}"
        for place in places:
            at = on_contig(locus, place, gene.contig)
            name = f"{gene.contig.name}:{at}:{'+' if locus.strand == 1 else '-'}:{kind}"
            window = self._window(gene, locus, place)
            if window is None or name in taken:
                continue
            taken.add(name)
            yield Example(
                columns={
                    "seq_id": name,
                    "seq_type": "gene",
                    "seq": decode_nucleotides(window),
                    "label": label,
                },
                kind=kind,
                ties=tuple(gene.ties()),
                origin={
                    "species": gene.species,
                    "contig": gene.contig.name,
                    "junction": at,
                    "strand": locus.strand,
                    "gene": gene.id,
                },
            )

    def _window(self, gene: Gene, locus: Locus, place: int) -> NDArray[np.uint8] | None:
        """The window whose middle is a place of the locus, None where it is not all on the contig."""
        at = locus.start + place if locus.strand == 1 else locus.end - place
        half = self.window_nucleotides // 2
        return cut(gene.contig, at - half, at + half, locus.strand)
