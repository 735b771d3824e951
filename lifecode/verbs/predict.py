"""`lifecode predict`: what a fine-tuned model says of the sequences, or pairs, of a file."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value
from lifecode.arguments import arguments_checked
from lifecode.host.activity import Say, told
from lifecode.tasks.predict.in_parts import predict_into, predicted_parts
from lifecode.tasks.predict.input_columns import InputColumns
from lifecode.tasks.tables import read_table_file, require_table_name
from lifecode.tasks.tuned_model import load_tuned, tuned_folder

if TYPE_CHECKING:
    from pandas import DataFrame


@arguments_checked
def predict(
    checkpoint: str | Path,
    input: str | Path,
    *,
    sequence: str | None = None,
    id: str | None = None,
    first: str | None = None,
    second: str | None = None,
    first_fasta: str | None = None,
    second_fasta: str | None = None,
    progress: bool = True,
) -> "DataFrame":
    """Predictions for the sequences of a file: `id`, `prediction`, and of classes the probability of each.

    Where positions have labels, a position is a row, with its number, from 1, in `position`.

    Args:
        checkpoint: the run_dir of a `lifecode finetune`, or its name on the hub.
        input: CSV, TSV, Parquet or FASTA; of a model of pairs a table.
        sequence: column of the sequences; None takes that of the training, where the task named it and it is
            there, else finds it by its letters.
        id: column of the ids; None takes that of the training likewise, else one that is called so, else
            numbers the rows from 1.
        first: of a model of pairs the column of the first sequences; None takes that of its training.
        second: likewise of the second ones.
        first_fasta: file that holds the first sequences by the names in their column.
        second_fasta: likewise.
        progress: show on stderr how many sequences are done.

    Raises:
        UserError: no fine-tuned model there, or a file or sequence that cannot be read.
    """
    model = load_tuned(checkpoint)
    with told(progress) as say:
        columns = InputColumns(
            sequence=sequence,
            id=id,
            first=first,
            second=second,
            first_fasta=first_fasta,
            second_fasta=second_fasta,
        )
        parts = predicted_parts(model, input, columns, on_progress=_counting(say))
        return pa.concat_tables(parts).to_pandas()


@dataclass(frozen=True, slots=True)
class Predicted:
    """A table of predictions that was written.

    Attributes:
        path: of the file.
        num_rows: a sequence each, or a position.
    """

    path: Path
    num_rows: int

    @property
    def frame(self) -> "DataFrame":
        """All of it as a pandas frame."""
        return read_table_file(self.path).to_pandas()


def run(config: DictConfig) -> Predicted:
    """Predict and write the table; killed, the same command goes on."""
    output = Path(checked_value(config, "output", str)).expanduser()
    require_table_name(output)
    checkpoint = tuned_folder(checked_value(config, "checkpoint", str))
    model = load_tuned(checkpoint)
    with told(True) as say:
        num_rows = predict_into(
            checkpoint,
            model,
            Path(checked_value(config, "input", str)),
            output,
            InputColumns(
                **{each.name: checked_value(config, each.name, str | None) for each in fields(InputColumns)}
            ),
            on_progress=_counting(say),
        )
    print(f"{num_rows:,} predictions in {output}")
    return Predicted(output, num_rows)


def _counting(say: Say) -> Callable[[int], None]:
    return lambda done: say(f"{done:,} sequences predicted")
