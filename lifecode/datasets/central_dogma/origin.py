"""Where a locus lies, in the columns of `origins.csv`."""

from lifecode.datasets.central_dogma.genes import Gene
from lifecode.datasets.central_dogma.locus import Locus


def origin_of(gene: Gene, locus: Locus) -> dict[str, str | int]:
    """Place of a locus on its contig, 0-based and half-open, and of the exons on the row's own sequence."""
    return {
        "species": gene.species,
        "contig": gene.contig.name,
        "start": locus.start,
        "end": locus.end,
        "strand": locus.strand,
        "exons": ",".join(f"{start}..{end}" for start, end in locus.exons),
        "genetic_code": gene.cds.genetic_code,
    }
