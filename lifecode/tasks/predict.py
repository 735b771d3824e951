"""Predictions of a fine-tuned model for the sequences of a file: ids and order kept."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from lifecode.tasks.examples.columns import find_columns
from lifecode.tasks.examples.examples import examples_of
from lifecode.tasks.examples.table import read_table
from lifecode.tasks.predictions import predictions_table
from lifecode.tasks.tuned_model import TunedModel
from lifecode.tasks.tuning.tuned_network import TunedNetwork

_SEQUENCES_AT_ONCE = 1_000


def predict_file(
    model: TunedModel | TunedNetwork,
    path: str | Path,
    *,
    sequence: str | None = None,
    id: str | None = None,
    on_progress: Callable[[int, int], None] = lambda *_: None,
) -> pa.Table:
    """Columns `id` and `prediction`, and of classes the probability `p(NAME)` of each, a row a sequence.

    Args:
        model: fine-tuned.
        path: CSV, TSV, Parquet or FASTA.
        sequence: column of the sequences; None finds it by its letters.
        id: column of the ids; None takes one that is called so, else numbers the rows from 1.
        on_progress: told how many of how many sequences are done.

    Raises:
        UserError: the file cannot be read, or a sequence has a letter that is no nucleotide.
    """
    table = read_table(path)
    columns = find_columns(table, sequence=sequence, id=id, labelled=False)
    examples = examples_of(table, columns)
    predictions = []
    for first in range(0, len(examples), _SEQUENCES_AT_ONCE):
        on_progress(first, len(examples))
        predictions.append(model.predict(examples.nucleotides[first : first + _SEQUENCES_AT_ONCE]))
    return predictions_table(examples, model.labels, np.concatenate(predictions), labelled=False)
