"""The examples of a set as they were read and split, kept beside its table for those who look at single rows.

A layout may read its files in a way of its own, so that what was read is kept, not only where it lay.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.tasks.competitors.opened_task import OpenedTask
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.molecule import Molecule, decoded
from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.pairs.side import Side
from lifecode.tasks.tables import read_table_file

EXAMPLES = "examples.parquet"
_SIDES = ("first", "second")


class KeptExamples(NamedTuple):
    """Examples of one class each.

    Attributes:
        ids: of all of them, those of a test file last.
        labels: their classes.
        split: (n,) equal for those that are held out, or learnt from, together, by the first seed.
        is_held_out: (n,) whether some round of that seed predicts them.
        sides: the sequences, or both sides of pairs, by their name.
    """

    ids: list[str]
    labels: list[str]
    split: NDArray[np.int64]
    is_held_out: NDArray[np.bool_]
    sides: dict[str, Side]


def examples_table(opened: OpenedTask) -> pa.Table | None:
    """The examples of a set as a table; None where they have not one class each."""
    labels, examples = opened.data.labels, opened.examples
    if labels.kind not in ("binary", "multiclass") or labels.unit != "sequence":
        return None
    columns = {
        "id": examples.ids,
        "label": [labels.classes[int(i)] for i in examples.labels],
        "split": opened.rounds.first_split.tolist(),
        "held_out": opened.rounds.first_held_out.tolist(),
    }
    if isinstance(examples, PairExamples):
        for name, side in zip(_SIDES, (examples.first, examples.second), strict=True):
            columns[name] = [side.letters[row] for row in side.rows.tolist()]
            columns[f"{name}_molecule"] = [side.molecule] * len(examples)
    else:
        assert isinstance(examples, Examples)
        molecule: Molecule = opened.told["molecule"]
        columns["sequence"] = [decoded(ids, molecule) for ids in examples.sequences]
        columns["sequence_molecule"] = [molecule] * len(examples)
    return pa.table(columns)


def kept_examples(folder: Path) -> KeptExamples:
    """Those in the folder of a set.

    Raises:
        UserError: the file is damaged.
    """
    path = folder / EXAMPLES
    try:
        table = read_table_file(path).to_pydict()
        names = ("sequence",) if "sequence" in table else _SIDES
        sides = {name: Side.of(table[name], table[f"{name}_molecule"][0]) for name in names}
        split, held_out = np.array(table["split"], np.int64), np.array(table["held_out"], bool)
        return KeptExamples(table["id"], table["label"], split, held_out, sides)
    except (OSError, ValueError, KeyError, IndexError, pa.ArrowException) as fault:
        raise UserError(
            f"is damaged ({str(fault).splitlines()[0][:200]})",
            source=path,
            remedy="Delete it; the same lifecode evaluate writes it again",
        ) from fault
