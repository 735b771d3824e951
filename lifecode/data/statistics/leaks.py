"""How much of one split is in another: equal sequences, reverse complements, and the most similar pair.

Reads the shards as they were published, a row group at a time; keeps a hash of every row, and 512 bytes for
each CDS and transcript. Similarity is the Jaccard index of protein 5-mers for CDS and of 15-mers for
transcripts, estimated from sketches. Genomic regions are compared as wholes only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifecode.alphabet import amino_acid_ids, encode_nucleotides
from lifecode.data.corpus.corpus import Corpus
from lifecode.data.corpus.shards import CDS, DNA, KINDS
from lifecode.data.splits.regions import SPLITS
from lifecode.data.splits.similarity import NUM_HASHES, nucleotide_sketch, protein_sketch, similar
from lifecode.data.splits.twins import DIGEST, labels, strandless_digest


class Pair(NamedTuple):
    """Two records of different splits, each as `contig/id (split)`, and how similar they are."""

    one: str
    other: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Leaks:
    """What two splits share of one kind of rows.

    Attributes:
        kind: cds, dna or rna.
        splits: the two.
        duplicates: rows of the first split that the second holds too, on the same strand.
        reverse_complements: rows of the first split whose reverse complement the second holds.
        first: the first such pair, or None.
        closest: the most similar pair, by sketches; None for genomic regions and where a split is empty.
    """

    kind: str
    splits: tuple[str, str]
    duplicates: int
    reverse_complements: int
    first: Pair | None
    closest: Pair | None


@dataclass(slots=True)
class _Rows:
    """Rows of one kind: split numbers, hashes, sketches, and where to find each one's name."""

    split: list[int] = field(default_factory=list)
    digest: list[bytes] = field(default_factory=list)
    backward: list[bool] = field(default_factory=list)
    sketch: list[NDArray[np.uint32]] = field(default_factory=list)


def find_leaks(corpus: Corpus) -> Iterator[Leaks]:
    """For every kind of rows and every two splits, what they share."""
    for kind in KINDS:
        rows, shards = _Rows(), [entry for entry in corpus.manifest["shards"] if f"/{kind}-" in entry["path"]]
        for row in _read(corpus, shards, ["split", "nucleotides", "protein"]):
            _take_in(rows, kind, row)
        if rows.split:
            yield from _compare(corpus, shards, kind, rows)


def _read(corpus: Corpus, shards: Sequence[dict[str, Any]], columns: list[str]) -> Iterator[dict[str, Any]]:
    """Rows of shards, a row group in memory."""
    for entry in shards:
        with pq.ParquetFile(corpus.place / entry["path"]) as file:
            for group in range(file.num_row_groups):
                yield from file.read_row_group(group, columns=columns).to_pylist()


def _take_in(rows: _Rows, kind: str, row: dict[str, Any]) -> None:
    ids = encode_nucleotides(row["nucleotides"])
    digest, backward = strandless_digest(ids)
    rows.split.append(SPLITS.index(row["split"]))
    rows.digest.append(digest)
    rows.backward.append(backward)
    if kind == CDS:
        rows.sketch.append(protein_sketch(amino_acid_ids(row["protein"]).astype(np.uint8)))
    elif kind != DNA:
        rows.sketch.append(nucleotide_sketch(ids))


def _compare(corpus: Corpus, shards: Sequence[dict[str, Any]], kind: str, rows: _Rows) -> Iterator[Leaks]:
    """The leaks between every two splits of one kind."""
    split, backward = np.array(rows.split), np.array(rows.backward)
    label = labels(pa.array(rows.digest, type=DIGEST))
    sketches = np.array(rows.sketch, dtype=np.uint32).reshape(-1, NUM_HASHES)
    for one, other in combinations(range(len(SPLITS)), 2):
        ours, theirs = np.flatnonzero(split == one), np.flatnonzero(split == other)
        twins = {strand: _shared(label, backward, ours, theirs, strand) for strand in (False, True)}
        pairs = [(*pair, 1.0) for found in twins.values() for pair in found[:1]]
        pairs += [_closest(sketches, ours, theirs)] if len(sketches) and len(ours) and len(theirs) else [None]
        named = _named(corpus, shards, pairs, split)
        yield Leaks(
            kind,
            (SPLITS[one], SPLITS[other]),
            duplicates=len(twins[False]),
            reverse_complements=len(twins[True]),
            first=named[0] if len(named) > 1 else None,
            closest=named[-1],
        )


def _shared(
    label: NDArray[np.int64],
    backward: NDArray[np.bool_],
    ours: NDArray[np.int64],
    theirs: NDArray[np.int64],
    other_strand: bool,
) -> list[tuple[int, int]]:
    """Rows of ours with a twin among theirs, on the same strand or the other, each with the first twin."""
    keys = 2 * label + backward
    found, first = np.unique(keys[theirs], return_index=True)
    wanted = keys[ours] ^ other_strand
    place = np.minimum(np.searchsorted(found, wanted), max(len(found) - 1, 0))
    hits = np.flatnonzero(found[place] == wanted) if len(found) else []
    return [(int(ours[hit]), int(theirs[first[place[hit]]])) for hit in hits]


def _closest(
    sketches: NDArray[np.uint32], ours: NDArray[np.int64], theirs: NDArray[np.int64]
) -> tuple[int, int, float]:
    """The most similar pair; the first rows, with similarity 0, where no two sketches share a number."""
    best = (int(ours[0]), int(theirs[0]), 0.0)
    for row, other, similarity in similar(sketches[theirs], sketches[ours], at_least=1 / NUM_HASHES):
        if len(similarity) and similarity.max() > best[2]:
            at = int(similarity.argmax())
            best = (int(ours[other[at]]), int(theirs[row[at]]), float(similarity[at]))
    return best


def _named(
    corpus: Corpus,
    shards: Sequence[dict[str, Any]],
    pairs: Sequence[tuple[int, int, float] | None],
    split: NDArray[np.int64],
) -> list[Pair | None]:
    """Pairs of row numbers as pairs of names, looked up in the shards."""
    wanted = {number for pair in pairs if pair for number in pair[:2]}
    names = (
        {
            number: f"{row['contig']}/{row['id']} ({SPLITS[split[number]]})"
            for number, row in enumerate(_read(corpus, shards, ["contig", "id"]))
            if number in wanted
        }
        if wanted
        else {}
    )
    return [Pair(names[pair[0]], names[pair[1]], pair[2]) if pair else None for pair in pairs]
