"""Train, validation and test of rows: windows by block of their contig, proteins by groups that are alike.

Contigs are divided as a corpus is (`lifecode.data.splits`) and windows are cut within the stretches of one
split, so that none lies in two. Proteins stay whole, equal ones together. With `split.clusters` so do similar
proteins, RNAs and coding sequences, by the k-mers that they share. A genome repeats itself: of windows that
are equal or, with `clusters`, similar, on either strand and whatever contig they are of, only those stay that
are in the most held-out split of them.
"""

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lifecode.alphabet import AMINO_ACIDS, reverse_complement
from lifecode.data.records import Contig
from lifecode.data.splits.linked import groups_of_linked
from lifecode.data.splits.regions import Contigs
from lifecode.data.splits.similarity import clusters, nucleotide_sketch, protein_sketch, similar
from lifecode.data.splits.split import Split
from lifecode.data.splits.twins import first_by_name, labels, linked, strandless_digest, without_twins
from lifecode.datasets.luca_one.records.gene_rows import Window, share_unknown, windows_of
from lifecode.datasets.luca_one.records.reading import Records
from lifecode.errors import UserError

_DUPLICATE, _SIMILAR = "duplicate_across_splits", "similar_across_splits"


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """Which rows are made, and their splits.

    Attributes:
        windows: (number of the contig, window) of those that stay.
        split_of_window: (num_windows,) split number.
        split_of_protein: (num_proteins,) likewise.
    """

    windows: list[tuple[int, Window]]
    split_of_window: NDArray[np.int8]
    split_of_protein: NDArray[np.int8]


def divide(
    records: Records, split: Split, seed: int, *, max_letters: int, max_unknown_share: float
) -> Division:
    """Cut the contigs into windows and give every window and protein its split.

    Args:
        records: what was read; takes note of what is left out.
        split: a `BlockSplit`, `ContigSplit` or `TaxonSplit`.
        seed: of the ranking.
        max_letters: of a window.
        max_unknown_share: windows with more letters that are no A, C, G or T are left out.

    Raises:
        UserError: a protein has the name of a contig, or there is too little to divide.
    """
    num_contigs = len(records.contigs)
    regions = split.regions(_as_contigs(records, split.clusters), seed)
    windows: list[tuple[int, Window]] = []
    splits: list[int] = []
    of_protein = np.zeros(len(records.proteins), dtype=np.int8)
    places = (regions.contig.tolist(), regions.start.tolist(), regions.end.tolist(), regions.split.tolist())
    for number, start, end, in_split in zip(*places, strict=True):
        if number >= num_contigs:
            of_protein[number - num_contigs] = in_split
            continue
        contig = records.contigs[number].contig
        for window in windows_of(start, end, max_letters):
            share = share_unknown(contig.nucleotides[window.start : window.end])
            if share > max_unknown_share:
                place = f"{contig.name}:{window.start + 1}-{window.end}"
                records.left_out.add(place, "mostly_unknown_letters", f"{share:.0%}")
            else:
                windows.append((number, window))
                splits.append(in_split)
    split_of_window = np.array(splits, dtype=np.int8)
    keep = _unlike_across_splits(records, windows, split_of_window, split.clusters)
    kept = [window for window, stays in zip(windows, keep.tolist(), strict=True) if stays]
    return Division(kept, split_of_window[keep], of_protein)


def undivided(records: Records, *, max_letters: int, max_unknown_share: float) -> list[tuple[int, Window]]:
    """(number of the contig, window) of all contigs, whole; what `divide` takes note of is passed over."""
    return [
        (number, window)
        for number, annotated in enumerate(records.contigs)
        for window in windows_of(0, len(annotated.contig.nucleotides), max_letters)
        if share_unknown(annotated.contig.nucleotides[window.start : window.end]) <= max_unknown_share
    ]


def _as_contigs(records: Records, at_least: float | None) -> Contigs:
    """Contigs and behind them proteins, as a split wants them."""
    contigs = [annotated.contig for annotated in records.contigs]
    proteins = [labelled.protein for labelled in records.proteins]
    names = [contig.name for contig in contigs]
    if clash := set(names) & {protein.id for protein in proteins}:
        problem = "a contig and a protein have this name"
        raise UserError(problem, source="input", record=min(clash), remedy="Give them in two calls")
    digests = [strandless_digest(contig.nucleotides) for contig in contigs]
    digests += [
        (blake2b(protein.sequence.encode(), digest_size=16, person=b"protein").digest(), False)
        for protein in proteins
    ]
    joined = pa.array(names + [protein.id for protein in proteins], type=pa.string())
    label = labels(pa.array([digest for digest, _ in digests], type=pa.binary(16)))
    backward = np.array([is_backward for _, is_backward in digests], dtype=bool)
    twin_of = first_by_name(joined, label)
    whole, cluster = _clusters(records, at_least) if at_least else (np.arange(0), np.arange(0))
    lengths = [len(contig.nucleotides) for contig in contigs] + [len(one.sequence) for one in proteins]
    taxa = [record.taxon for record in (*contigs, *proteins)]
    return Contigs(
        names=joined,
        num_nucleotides=np.array(lengths, dtype=np.int64),
        is_dna=np.array([one.molecule == "dna" for one in contigs] + [False] * len(proteins), dtype=bool),
        taxon=np.array([-1 if taxon is None else taxon for taxon in taxa], dtype=np.int64),
        group=linked(label, whole, cluster),
        twin_of=twin_of,
        mirrored=backward != backward[twin_of],
    )


def _clusters(records: Records, at_least: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number of each record that stays whole, and that of its cluster."""
    numbers = [i for i, one in enumerate(records.contigs) if one.contig.molecule != "dna"]
    transcripts = [nucleotide_sketch(records.contigs[i].contig.nucleotides) for i in numbers]
    proteins = [protein_sketch(_residues(one.protein.sequence)) for one in records.proteins]
    numbers += range(len(records.contigs), len(records.contigs) + len(proteins))
    found = [clusters(np.stack(sketches), at_least) for sketches in (transcripts, proteins) if sketches]
    firsts = [0, *(int(cluster.max()) + 1 for cluster in found[:-1])]
    joined = [cluster + first for cluster, first in zip(found, firsts, strict=False)]
    return np.array(numbers, dtype=np.int64), np.concatenate(joined or [np.empty(0, dtype=np.int64)])


def _residues(sequence: str) -> NDArray[np.uint8]:
    """Index in `AMINO_ACIDS` of each residue; any other letter is none of these."""
    return _INDEX_OF_BYTE[np.frombuffer(sequence.encode("ascii", "replace"), dtype=np.uint8)]


_INDEX_OF_BYTE = np.full(256, len(AMINO_ACIDS), dtype=np.uint8)
for _index, _letter in enumerate(AMINO_ACIDS):
    _INDEX_OF_BYTE[ord(_letter)] = _index


def _unlike_across_splits(
    records: Records, windows: list[tuple[int, Window]], split: NDArray[np.int8], at_least: float | None
) -> NDArray[np.bool_]:
    """(num_windows,) which to keep so that no two splits share one; the others are listed."""
    keep = np.ones(len(windows), dtype=bool)
    if not windows or not len(np.unique(split)) > 1:
        return keep
    pieces = [_nucleotides(records, window) for window in windows]
    equal = labels(pa.array([strandless_digest(piece)[0] for piece in pieces], type=pa.binary(16)))
    keep &= _listed(records, windows, without_twins(equal, split), _DUPLICATE)
    if at_least is not None:
        left = np.flatnonzero(keep)
        alike = _alike([pieces[i] for i in left.tolist()], split[left] > 0, at_least)
        stays = without_twins(alike, split[left])
        keep[left] = _listed(records, [windows[i] for i in left.tolist()], stays, _SIMILAR)
    return keep


def _alike(
    pieces: list[NDArray[np.uint8]], held_out: NDArray[np.bool_], at_least: float
) -> NDArray[np.int64]:
    """A number for each, the same for what is linked: a window that is held out and one similar to it.

    Two windows are as similar as their reverse complements, so those of the few that are held out suffice.
    """
    few = np.flatnonzero(held_out)
    forward = np.stack([nucleotide_sketch(piece) for piece in pieces])
    backward = np.stack([nucleotide_sketch(reverse_complement(pieces[i])) for i in few.tolist()])
    pairs = [*similar(forward, forward[few], at_least), *similar(forward, backward, at_least)]
    rows = np.concatenate([of_rows for of_rows, _, _ in pairs])
    return groups_of_linked(rows, few[np.concatenate([others for _, others, _ in pairs])], len(pieces))


def _listed(
    records: Records, windows: list[tuple[int, Window]], stays: NDArray[np.bool_], reason: str
) -> NDArray[np.bool_]:
    for number, window in (windows[i] for i in np.flatnonzero(~stays).tolist()):
        name = records.contigs[number].contig.name
        records.left_out.add(f"{name}:{window.start + 1}-{window.end}", reason)
    return stays


def _nucleotides(records: Records, window: tuple[int, Window]) -> NDArray[np.uint8]:
    contig: Contig = records.contigs[window[0]].contig
    return contig.nucleotides[window[1].start : window[1].end]
