"""The rows that both tasks of DNA-protein pairs write."""

from collections.abc import Hashable, Iterator, Mapping
from typing import TypeAlias

from lifecode.alphabet import decode_nucleotides
from lifecode.datasets.central_dogma.dataset import Dataset, Example
from lifecode.datasets.central_dogma.dna import CodingSequenceOnly, GeneWithFlanks
from lifecode.datasets.central_dogma.genes import DUPLICATE, Gene, Genes, origin_of
from lifecode.datasets.central_dogma.locus import Locus

_POSITIVE = "positive"
_More: TypeAlias = Mapping[str, str | float]


def distinct_loci(found: Genes, dna: GeneWithFlanks | CodingSequenceOnly) -> Iterator[tuple[Gene, Locus]]:
    """Each gene with its locus; one whose DNA and protein an earlier gene has is left out."""
    seen: dict[tuple[bytes, str], str] = {}
    for gene in found.genes:
        locus = dna.locus(gene)
        if not isinstance(locus, Locus):
            found.leave_out(gene.id, locus)
            continue
        first = seen.setdefault((locus.nucleotides.tobytes(), gene.protein), gene.id)
        if first == gene.id:
            yield gene, locus
        else:
            found.leave_out(gene.id, DUPLICATE, f"DNA and protein of {first}")


def true_pair(gene: Gene, locus: Locus, more: _More, ties: tuple[Hashable, ...] = ()) -> Example:
    """The row of a gene and its protein; `more` are further columns of `origins.csv`."""
    return _pair(gene, locus, gene.protein, (gene.id, gene.id), 1, _POSITIVE, more, ties)


def untrue_pair(
    gene: Gene,
    locus: Locus,
    protein: str,
    ids: tuple[str, str],
    kind: str,
    more: _More,
    ties: tuple[Hashable, ...] = (),
) -> Example:
    """The row of a locus and a protein it does not give.

    Args:
        gene: the negative is made from.
        locus: of the gene, perhaps changed.
        protein: perhaps changed, or of another gene.
        ids: of the DNA and of the protein.
        kind: of negative.
        more: further columns of `origins.csv`.
        ties: beside those of the gene.
    """
    return _pair(gene, locus, protein, ids, 0, kind, more, ties)


def pair_dataset(examples: list[Example], splits: list[str]) -> Dataset:
    """The examples in the folder of LucaOne's task."""
    return Dataset(folder="gene_protein/binary_class", labels=("0", "1"), examples=examples, splits=splits)


def _pair(
    gene: Gene,
    locus: Locus,
    protein: str,
    ids: tuple[str, str],
    label: int,
    kind: str,
    more: _More,
    ties: tuple[Hashable, ...],
) -> Example:
    columns = {
        "seq_id_a": ids[0],
        "seq_id_b": ids[1],
        "seq_type_a": "gene",
        "seq_type_b": "prot",
        "seq_a": decode_nucleotides(locus.nucleotides),
        "seq_b": protein,
        "label": label,
    }
    origin = {**origin_of(gene, locus), **more}
    return Example(columns=columns, kind=kind, ties=(*gene.ties(), *ties), origin=origin)
