"""Genes that a model never saw, species by species, with the training genes that baselines are counted on."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import codon_ids
from lifecode.data.corpus.corpus import Corpus
from lifecode.data.corpus.segments import SegmentTable
from lifecode.data.statistics.seen_genes import seen_before
from lifecode.evaluation.masked_genes import HeldOut


class HeldOutSpecies(NamedTuple):
    """One input file of a corpus.

    Attributes:
        name: of the file.
        genetic_code: NCBI number of its genes.
        training: codon ids of each training gene, -1 where ambiguous.
        num_held_out: genes of the split that resemble none that the model saw.
        genes: codon ids of those that were drawn from them.
    """

    name: str
    genetic_code: int
    training: list[NDArray[np.int16]]
    num_held_out: int
    genes: list[NDArray[np.int16]]


def held_out_species(
    corpus: Corpus,
    seen: NDArray[np.uint32] | None,
    *,
    split: Literal["validation", "test"],
    num_genes: int,
    max_codons: int,
    seed: int,
) -> Iterator[HeldOutSpecies]:
    """The species of a corpus, in its order.

    Args:
        corpus: of which a part is held out.
        seen: sketches of the genes that the model was trained on.
        split: that is held out.
        num_genes: drawn of each species.
        max_codons: genes that are longer, or have an ambiguous codon, are not drawn.
        seed: of the draw.
    """
    train, test = corpus.segments("cds", "train"), corpus.segments("cds", split)
    unseen = np.ones(len(test), dtype=bool) if seen is None else ~seen_before(test, seen)
    of_train, of_test = np.array(train.column("source")), np.array(test.column("source"))
    for name in dict.fromkeys(of_test):
        own = np.flatnonzero(unseen & (of_test == name))
        fit = [i for i in own.tolist() if _may_be_drawn(test, i, max_codons)]
        rows = HeldOut(seed=seed, max_genes=num_genes).chosen(np.array(fit))
        yield HeldOutSpecies(
            str(name),
            test.genetic_code(rows[0]),
            [_codons(train, i) for i in np.flatnonzero(of_train == name).tolist()],
            len(own),
            [_codons(test, i) for i in rows],
        )


def _may_be_drawn(table: SegmentTable, index: int, max_codons: int) -> bool:
    codons = _codons(table, index)
    return len(codons) <= max_codons and bool((codons >= 0).all())


def _codons(table: SegmentTable, index: int) -> NDArray[np.int16]:
    return codon_ids(np.asarray(table.nucleotides(index)))
