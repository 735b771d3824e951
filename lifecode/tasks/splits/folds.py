"""Folds that are held out in turn, of groups of examples that must not be torn apart."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import codon_ids, residue_ids, reverse_complement
from lifecode.data.splits.linked import groups_of_linked
from lifecode.data.splits.similarity import clusters, nucleotide_sketch, protein_sketch
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code
from lifecode.tasks.examples.examples import Examples, flat
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.examples.molecule import Molecule

_SHORTEST_FOR_PROTEIN = 60
"""Nucleotides; shorter coding sequences have too few residue 5-mers and are compared by their 15-mers."""


def groups_of(examples: Examples) -> NDArray[np.int64]:
    """A number (n,) for each example, the same for those of one id or one sequence, also through others.

    An empty id is none.
    """
    keys = [[ids.tobytes() for ids in examples.sequences]]
    if examples.has_ids:
        keys.append([name.encode() or b"\0%d" % row for row, name in enumerate(examples.ids)])
    return _linked([np.unique(np.array(each, dtype=object), return_inverse=True)[1] for each in keys])


def clusters_of(examples: Examples, molecule: Molecule, at_least: float) -> NDArray[np.int64]:
    """The same, for those too whose k-mers have a Jaccard index of `at_least`, estimated by sketches.

    DNA whose frame is unknown is compared on either strand.
    """
    strands = [list(examples.sequences)]
    if molecule == "dna":
        strands.append([reverse_complement(ids) for ids in examples.sequences])
    size = len(examples)
    found = clusters(sketches([ids for strand in strands for ids in strand], molecule), at_least)
    rows = np.tile(np.arange(size), len(strands))
    alike = groups_of_linked(rows, size + found, size + int(found.max(initial=-1)) + 1)[:size]
    return _linked([groups_of(examples), alike])


def sketches(sequences: Sequence[NDArray[np.uint8]], molecule: Molecule) -> NDArray[np.uint32]:
    """(n, 128) sketches: of proteins, also those of coding sequences of 60 nucleotides, else of 15-mers."""
    of_protein = compared_by_protein(sequences, molecule)
    if molecule == "protein":
        return np.array([protein_sketch(residue_ids(letters.tobytes())) for letters in sequences])
    return np.array(
        [protein_sketch(residues(ids)) if of_protein else nucleotide_sketch(ids) for ids in sequences]
    )


def compared_by_protein(sequences: Sequence[NDArray[np.uint8]], molecule: Molecule) -> bool:
    """Whether these are proteins, or coding sequences of 60 nucleotides or more, by the median."""
    if molecule == "protein":
        return True
    return molecule == "cds" and float(np.median([len(ids) for ids in sequences])) >= _SHORTEST_FOR_PROTEIN


def residues(ids: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Index in `AMINO_ACIDS` of each codon (L,) by the bacterial code, without a stop at the end."""
    found = genetic_code(11).amino_acids(codon_ids(ids), complete_cds=True).astype(np.uint8)
    return found[:-1] if len(found) > 1 and found[-1] == 20 else found


def fold_of(
    groups: NDArray[np.int64], num_folds: int, seed: int, labels: NDArray | None = None
) -> NDArray[np.int64]:
    """The fold (n,) that each example is held out in, whole groups, all folds of about one size.

    Args:
        groups: (n,).
        num_folds: at least 2.
        seed: of the order in which groups are dealt.
        labels: (n,) classes that every fold shall have its share of, or (n, num_classes) 0 or 1, where an
            example may have several; None deals by size alone.

    Raises:
        UserError: there are fewer groups than folds.
    """
    names, group = np.unique(groups, return_inverse=True)
    if len(names) < num_folds:
        raise UserError(
            f"{len(names)} groups of equal or alike sequences make no {num_folds} folds",
            source="folds",
            remedy="Give fewer folds, or more examples",
        )
    order = np.random.default_rng(seed).permutation(len(names))
    if labels is not None and labels.ndim == 2:  # an example is also one of all, as it may have no class
        counts = np.zeros((len(names), 1 + labels.shape[1]))
        np.add.at(counts, group, np.column_stack([np.ones(len(labels)), labels]))
        share = counts / np.maximum(1, counts.sum(0))
        first = share.sum(1)  # the rarest classes first
    else:
        one = np.zeros(len(groups)) if labels is None else labels
        classes = np.unique(one, return_inverse=True)[1]
        counts = np.zeros((len(names), classes.max() + 1))
        np.add.at(counts, (group, classes), 1)
        share = counts / counts.sum(0)
        first = counts.sum(1)  # the largest first
    order = order[np.argsort(-first[order], kind="stable")]
    filled, home = np.zeros((num_folds, counts.shape[1])), np.empty(len(names), np.int64)
    for number in order:
        home[number] = np.argmin(filled @ share[number] + 1e-9 * filled.sum(1))
        filled[home[number]] += share[number]
    return home[group]


def require_every_class(labels: NDArray, kinds: Labels, rows: NDArray[np.bool_], where: str) -> None:
    """Raises a `UserError` that names a class of which there is no example among some rows."""
    found = flat(labels[rows])
    present = set((np.flatnonzero(found.any(0)) if found.ndim == 2 else np.unique(found)).tolist())
    for number, name in enumerate(kinds.classes):
        if number not in present:
            raise UserError(
                f"has no example of class {name!r}",
                source=where,
                remedy="Give fewer folds, more examples of the class, or leave it out",
            )


def _linked(keys: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Groups of rows that share a number in one of several arrays (n,), directly or through others."""
    size = len(keys[0])
    columns, first = [], size
    for key in keys:
        columns.append(key.ravel() + first)
        first += int(key.max(initial=-1)) + 1
    rows = np.tile(np.arange(size), len(keys))
    return groups_of_linked(rows, np.concatenate(columns), first)[:size]
