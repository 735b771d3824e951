"""Mutants by pseudo-likelihood: sum over all residues of log P(residue | the others), less the wild type's.

Each residue is masked alone (`pseudo_likelihood`), or every k-th at once (`pseudo_likelihood:k`). So a mutant
of L residues takes L passes, or k, where a masked marginal takes one: time grows with L squared. A model of
codons reads a residue as the sum over its codons, in a CDS where new residues have the commonest or a drawn
codon.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lifecode.data.batches.packing import consecutive_rows
from lifecode.variants.asking import Question, answered
from lifecode.variants.journal import Journal
from lifecode.variants.reading.scan_files import Substitution
from lifecode.variants.wild_type import WildType


def pseudo_likelihood_scores(
    wilds: Sequence[WildType],
    mutants: Sequence[tuple[Substitution, ...]],
    spans: Sequence[tuple[int, int]],
    method: str,
    *,
    journal: Path | None = None,
    about: str = "",
    on_progress: Callable[[int, int], None] | None = None,
) -> list[float]:
    """Of each mutant, in nats; a residue that the model has no letter for makes it -inf.

    Args:
        wilds: the wild type in each draw of codons, over which scores are means.
        mutants: substitutions of each.
        spans: places that are read and summed over, of each.
        method: `pseudo_likelihood` or `pseudo_likelihood:k`.
        journal, about: as for `answered`.
        on_progress: called with sequences done and in all.
    """
    size = wilds[0].reader.letters_per_place
    number_of: dict[tuple[int, int, bytes], int] = {}
    sequences: list[NDArray[np.uint8]] = []
    from_start: list[bool] = []

    def numbered(ids: NDArray[np.uint8], span: tuple[int, int]) -> int:
        cut = ids[size * span[0] : size * span[1]]
        key = (*span, cut.tobytes())
        if key not in number_of:
            number_of[key] = len(sequences)
            sequences.append(cut)
            from_start.append(span[0] == 0)
        return number_of[key]

    pairs = [
        [(numbered(wild.mutated(mutant), span), numbered(wild.ids, span)) for wild in wilds]
        for mutant, span in zip(mutants, spans, strict=True)
    ]
    totals = _totals(wilds[0], sequences, from_start, method, journal, about, on_progress)
    return [
        float("nan")
        if is_unwritten(wilds, mutant)
        else float(np.mean([totals[a] - totals[b] for a, b in own]))
        for mutant, own in zip(mutants, pairs, strict=True)
    ]


def is_unwritten(wilds: Sequence[WildType], mutant: tuple[Substitution, ...]) -> bool:
    """Whether a draw has for a new first residue the alternative start codon that is there already."""
    first = next((one for one in mutant if one.place == 0 and one.new != one.old), None)
    return first is not None and any((wild.mutated((first,)) == wild.ids).all() for wild in wilds)


def _totals(
    wild: WildType,
    sequences: Sequence[NDArray[np.uint8]],
    from_start: Sequence[bool],
    method: str,
    journal: Path | None,
    about: str,
    on_progress: Callable[[int, int], None] | None,
) -> NDArray[np.float64]:
    """The pseudo-log-likelihood of each sequence; in the journal a float32 and what is left of it."""
    reader, size = wild.reader, wild.reader.letters_per_place
    stride = method.partition(":")[2]
    marginal = f"strided:{stride}" if stride else "masked"
    totals: dict[int, float] = {}
    with ExitStack() as stack:
        book = None
        if journal is not None:
            said = sha256(f"{about} {reader.name} {method} {wild.code.number}".encode())
            for ids in sequences:
                said.update(ids.tobytes() + b"|")
            book = stack.enter_context(Journal(journal, said.hexdigest(), 2))
            totals = {number: float(rows[0].astype(np.float64).sum()) for number, rows in book.entries()}
        sizes = [len(ids) // size for ids in sequences]
        passes = [length * (int(stride) if stride else length) for length in sizes]
        for part in consecutive_rows(passes, reader.places_per_call):
            own = range(len(sequences))[part]
            if totals.keys() >= set(own):
                continue
            questions = [
                Question(place, (i,), 0, len(sequences[number]) // size)
                for place, number in enumerate(own)
                for i in range(sizes[number])
            ]
            found = iter(answered(reader, [sequences[number] for number in own], questions, marginal))
            for number in own:  # of a part that a kill cut short all are asked again, for the same bits
                residues = wild.residues_of(sequences[number], from_start=from_start[number])
                log_p = wild.residue_log_p(np.concatenate([next(found) for _ in residues]))
                known = np.flatnonzero(residues >= 0)
                is_kept = number in totals
                totals[number] = float(log_p[known, residues[known]].sum())
                if book is not None and not is_kept:
                    high = np.float32(totals[number])
                    book.add(number, np.array([[high, totals[number] - high]], dtype=np.float32))
            if on_progress is not None:
                on_progress(len(totals), len(sequences))
    return np.array([totals[number] for number in range(len(sequences))])
