"""Whether a gene can be translated to a protein at all: what makes a pair a positive or a negative.

Judged as a ribosome might read, not as the annotation says: any of the three frames of the spliced exons,
with the flanks or without them, from any start codon to the next stop codon. So an insertion behind the
stop codon, a synonymous substitution, and a protein that begins at a later start codon are all seen through.
Introns are taken as annotated; no other splicing is tried.
"""

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import codon_ids
from lifecode.datasets.central_dogma.locus import Locus
from lifecode.genetic_code import GeneticCode


def translates(locus: Locus, protein: str, code: GeneticCode) -> bool:
    """Whether the exons of a locus, alone or between their flanks, can be read as the protein.

    Args:
        locus: of the gene.
        protein: letters of `AMINO_ACIDS`, without the stop.
        code: of the gene.
    """
    alone, between_flanks = locus.coding_sequence(), locus.transcript()
    messages = [alone] if len(alone) == len(between_flanks) else [alone, between_flanks]
    return any(_frame_reads(message[frame:], protein, code) for message in messages for frame in range(3))


def _frame_reads(nucleotides: NDArray[np.uint8], protein: str, code: GeneticCode) -> bool:
    """Whether one frame holds the protein, its first residue perhaps from an alternative start codon, and a
    stop codon or nothing behind it."""
    codons = codon_ids(nucleotides)
    letters = code.translate(codons)
    behind_the_first = protein[1:]
    at = letters.find(behind_the_first, 1)
    while at >= 0:
        end = at + len(behind_the_first)
        begins = letters[at - 1] == protein[0] or (protein[0] == "M" and code.starts[codons[at - 1]])
        if begins and (end == len(codons) or code.stops[codons[end]]):
            return True
        at = letters.find(behind_the_first, at + 1)
    return False
