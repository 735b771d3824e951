"""`lifecode predict`: what a fine-tuned model says of the sequences of a file."""

from pathlib import Path

import pyarrow as pa
from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value
from lifecode.host.activity import Activity
from lifecode.tasks.predict import predict_file
from lifecode.tasks.tables import require_table_name, write_table
from lifecode.tasks.tuned_model import load_tuned


def predict(
    checkpoint: str | Path, input: str | Path, *, sequence: str | None = None, id: str | None = None
) -> pa.Table:
    """Predictions for the sequences of a file: `id`, `prediction`, and of classes the probability of each.

    Args:
        checkpoint: the run_dir of a `lifecode finetune`.
        input: CSV, TSV, Parquet or FASTA.
        sequence: column of the sequences; None finds it by its letters.
        id: column of the ids; None takes one that is called so, else numbers the rows from 1.

    Raises:
        UserError: no fine-tuned model there, or a file or sequence that cannot be read.
    """
    model = load_tuned(checkpoint)
    with Activity() as activity:
        return predict_file(
            model,
            input,
            sequence=sequence,
            id=id,
            on_progress=lambda done, total: activity.say(f"{done:,} of {total:,} sequences predicted"),
        )


def run(config: DictConfig) -> None:
    """Predict and write the table."""
    output = Path(checked_value(config, "output", str)).expanduser()
    require_table_name(output)
    table = predict(
        checked_value(config, "checkpoint", str),
        checked_value(config, "input", str),
        sequence=checked_value(config, "sequence", str | None),
        id=checked_value(config, "id", str | None),
    )
    write_table(table, output)
    print(f"{len(table):,} predictions in {output}")
