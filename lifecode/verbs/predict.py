"""`lifecode predict`: what a fine-tuned model says of the sequences of a file."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value
from lifecode.host.activity import Activity
from lifecode.tasks.predict import predict_file
from lifecode.tasks.tables import require_table_name, write_table
from lifecode.tasks.tuned_model import load_tuned

if TYPE_CHECKING:
    from pandas import DataFrame


def predict(
    checkpoint: str | Path,
    input: str | Path,
    *,
    sequence: str | None = None,
    id: str | None = None,
    progress: bool = True,
) -> "DataFrame":
    """Predictions for the sequences of a file: `id`, `prediction`, and of classes the probability of each.

    Args:
        checkpoint: the run_dir of a `lifecode finetune`.
        input: CSV, TSV, Parquet or FASTA.
        sequence: column of the sequences; None finds it by its letters.
        id: column of the ids; None takes one that is called so, else numbers the rows from 1.
        progress: show on stderr how many sequences are done.

    Raises:
        UserError: no fine-tuned model there, or a file or sequence that cannot be read.
    """
    return _predicted(checkpoint, input, sequence, id, progress).to_pandas()


def run(config: DictConfig) -> "DataFrame":
    """Predict and write the table."""
    output = Path(checked_value(config, "output", str)).expanduser()
    require_table_name(output)
    table = _predicted(
        checked_value(config, "checkpoint", str),
        checked_value(config, "input", str),
        checked_value(config, "sequence", str | None),
        checked_value(config, "id", str | None),
    )
    write_table(table, output)
    print(f"{len(table):,} predictions in {output}")
    return table.to_pandas()


def _predicted(
    checkpoint: str | Path, input: str | Path, sequence: str | None, id: str | None, progress: bool = True
) -> pa.Table:
    model = load_tuned(checkpoint)
    with Activity() if progress else nullcontext() as activity:

        def told(done: int, total: int) -> None:
            if activity is not None:
                activity.say(f"{done:,} of {total:,} sequences predicted")

        return predict_file(model, input, sequence=sequence, id=id, on_progress=told)
