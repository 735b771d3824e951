"""What is read as codons: coding sequences as annotated, or a contig in its six frames.

Every sequence goes 5' to 3' and says where each of its nucleotides lies, so strands, joined exons and CDS
across the origin of a circular contig need no further care.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import COMPLEMENT
from lifecode.data.records import CodingSequence, Contig
from lifecode.variants.reading.genome import why_left_out

Strands = Literal["together", "apart"]
ONE_TRACK = ""
STRANDS = {1: "plus", -1: "minus"}
SIX_FRAMES = tuple(f"{strand}{number}" for strand in STRANDS.values() for number in (1, 2, 3))
"""Names: `plus1` has its first codon at the first nucleotide of the contig, `minus1` at its last one."""


class CodonSequence(NamedTuple):
    """A sequence of whole codons on a contig.

    Attributes:
        track: that its values belong to.
        places: (3 * num_codons,) nucleotides of the contig, from 0, 5' to 3'; int32.
        ids: (3 * num_codons,) nucleotide ids of these on their strand.
    """

    track: str
    places: NDArray[np.int32]
    ids: NDArray[np.uint8]


def six_frames(contig: Contig) -> Iterator[CodonSequence]:
    """The contig in every frame, as `SIX_FRAMES` names them; one that is circular is cut at its origin."""
    num_nucleotides = len(contig.nucleotides)
    for name in SIX_FRAMES:
        offset = int(name[-1]) - 1
        num_codons = max(0, num_nucleotides - offset) // 3
        places = np.arange(offset, offset + 3 * num_codons, dtype=np.int32)
        if name.startswith("plus"):
            yield CodonSequence(name, places, contig.nucleotides[places])
        else:
            places = num_nucleotides - 1 - places
            yield CodonSequence(name, places, COMPLEMENT[contig.nucleotides[places]])


def why_not_shown(cds: CodingSequence, contig: Contig) -> str | None:
    """Why a CDS has no place on a track, or None."""
    if (reason := why_left_out(cds, contig)) is not None:
        return reason
    return "parts on both strands" if len({exon.strand for exon in cds.exons}) > 1 else None


def annotated_sequences(contig: Contig, strands: Strands, left_out: Counter[str]) -> Iterator[CodonSequence]:
    """The coding sequences of a contig that can be read, in their order.

    Args:
        contig: as read.
        strands: one track for all, or one of each strand.
        left_out: counts the others by reason.
    """
    for cds in contig.coding_sequences:
        if (reason := why_not_shown(cds, contig)) is not None:
            left_out[reason] += 1
            continue
        strand = cds.exons[0].strand
        places = coding_places(cds)
        ids = contig.nucleotides[places]
        track = ONE_TRACK if strands == "together" else STRANDS[strand]
        yield CodonSequence(track, places, ids if strand == 1 else COMPLEMENT[ids])


def coding_places(cds: CodingSequence) -> NDArray[np.int32]:
    """Where the whole codons of a CDS lie, nucleotide by nucleotide, 5' to 3'."""
    stretches = [np.arange(start, end, dtype=np.int32)[::strand] for start, end, strand in cds.exons]
    places = np.concatenate(stretches)[cds.codon_start - 1 :]
    return places[: len(places) // 3 * 3]
