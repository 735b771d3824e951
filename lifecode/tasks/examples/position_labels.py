"""Labels of every position of a sequence, in one column: a letter each, or separated by spaces or commas.

A list as JSON, Python or NumPy write it is separated labels too.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import IGNORE
from lifecode.errors import UserError
from lifecode.tasks.examples.labels import Labels

UNLABELLED = "."
"""Stands where a position has no label: it is neither learnt from nor counted."""
IGNORED = frozenset({str(IGNORE), f"{IGNORE}.0"})
"""What Hugging Face's data sets of classes write there."""
_NOTHING = frozenset({"null", "NaN", "nan", "None"})
"""What lists of JSON, Python and NumPy hold there."""
_BETWEEN = re.compile(r"[\s,]+")


def labels_in(text: str) -> list[str]:
    """The labels of a sequence: what spaces or commas separate, also in a list, else each letter."""
    text = text.strip()
    if not _BETWEEN.search(text):
        return list(text)
    if text.startswith("[") and text.endswith("]"):
        found = _BETWEEN.split(text[1:-1].strip(" \t\r\n,"))
        return [UNLABELLED if label in _NOTHING else label.strip("'\"") for label in found]
    return _BETWEEN.split(text)


def position_numbers(
    texts: Sequence[str],
    lengths: Sequence[int],
    labels: Labels,
    source: str,
    column: str,
    rows: Sequence[int] | None = None,
) -> NDArray[np.object_]:
    """For each sequence its labels as `Labels.numbers` gives them; `IGNORE`, or NaN, where there is none.

    Args:
        texts: a sequence each.
        lengths: nucleotides of each.
        labels: kind, classes and unit.
        source: file, for errors.
        column: likewise.
        rows: number of each in the file, from 1; None where they are all of it.

    Raises:
        UserError: more or fewer labels than positions, or one outside the map; it names the row.
    """
    found = np.empty(len(texts), dtype=object)
    rows = range(1, len(texts) + 1) if rows is None else rows
    for place, (row, text, length) in enumerate(zip(rows, texts, lengths, strict=True)):
        given = labels_in(text)
        if labels.unit == "codon" and length % 3:
            raise UserError(
                f"the sequence has {length:,} nucleotides, which are no whole codons",
                source=source,
                record=f"in row {row}",
                remedy="Cut it to whole codons, or use task.unit=nucleotide",
            )
        wanted = length // 3 if labels.unit == "codon" else length
        if len(given) != wanted:
            raise UserError(
                f"column {column!r} has {len(given):,} labels, and the sequence {wanted:,} {labels.unit}s",
                source=source,
                record=f"in row {row}",
                remedy=f"Give a label for each; {UNLABELLED!r} where there is none",
            )
        nothing = {UNLABELLED} | (IGNORED if labels.classes else set())
        known = np.array([label not in nothing for label in given], dtype=bool)
        values = np.full(wanted, np.nan) if labels.kind == "regression" else np.full(wanted, IGNORE)
        if known.any():
            try:
                values[known] = labels.numbers([x for x in given if x not in nothing], source, column)
            except UserError as fault:
                raise UserError(
                    fault.problem, source=source, record=f"in row {row}", remedy=fault.remedy
                ) from fault
        found[place] = values
    return found
