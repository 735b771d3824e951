"""Held-out figures of each input file on its own: a mean over a genome, mRNAs and proteins hides all three.

The codon baselines of a source are counted on the training genes of that source alone, which makes them
stronger than those of the whole corpus: every species has its own codon usage.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lifecode.data.corpus.segments import SegmentTable
from lifecode.evaluation.masked_genes import Gene, MaskedScores, baseline_metrics, masked_metrics
from lifecode.evaluation.tally import Mean


class SourceFigures(NamedTuple):
    """Figures on the held-out genes of one source.

    Attributes:
        num_genes: held out.
        back_translated: they were written from proteins, so their codons are not those of an organism.
        heldout: of the model.
        baselines: at the same positions; empty where the training split has no gene of the source.
    """

    num_genes: int
    back_translated: bool
    heldout: dict[str, Mean]
    baselines: dict[str, Mean]


def figures_by_source(
    train: SegmentTable, held_out: SegmentTable, genes: Sequence[Gene], scores: Sequence[MaskedScores]
) -> dict[str, SourceFigures]:
    """Figures by the name of the input file, in the order of the corpus; empty if there is one file only.

    Args:
        train: CDS of the training split.
        held_out: CDS of the held-out split.
        genes: of `held_out`, once or several times over.
        scores: of the genes.
    """
    source, molecule = np.array(held_out.column("source")), np.array(held_out.column("molecule"))
    names = list(dict.fromkeys(source[gene.index] for gene in genes))
    if len(names) < 2:
        return {}
    train_source = np.array(train.column("source"))
    of_source: dict[str, list[int]] = {name: [] for name in names}
    for i, gene in enumerate(genes):
        of_source[source[gene.index]].append(i)
    figures = {}
    for name, own in of_source.items():
        counted = np.flatnonzero(train_source == name).tolist()
        figures[name] = SourceFigures(
            num_genes=len({genes[i].index for i in own}),
            back_translated=bool((molecule[source == name] == "protein").all()),
            heldout=masked_metrics([scores[i] for i in own]),
            baselines=baseline_metrics(train, counted, [genes[i] for i in own]) if counted else {},
        )
    return figures
