"""What a finished run of LucaOne reached: metrics.json, and the table on the terminal."""

from typing import Any

import torch

from lifecode.datasets.luca_one.tasks import TASKS
from lifecode.evaluation.labelled_rows import ACCURACY, CONSTANT, MAJORITY, RowEvaluation
from lifecode.evaluation.metrics import LETTERS_PER_SECOND
from lifecode.models.luca_one.parts import luca_one_parts
from lifecode.models.parts import parameters_of
from lifecode.training.run.run_folder import RunFolder
from lifecode.training.stages.letter_stage import LetterStage
from lifecode.verbs.train.luca_one.row_data import RowData
from lifecode.verbs.train.metrics_file import figures, timing

_SCHEMA_VERSION = 1


def run_metrics(
    evaluation: RowEvaluation,
    stage: LetterStage,
    data: RowData,
    steps: int,
    folder: RunFolder,
    most: int | None,
) -> dict[str, Any]:
    """The content of metrics.json.

    Args:
        evaluation: on rows of the test split.
        stage: with the trained model.
        data: that it learnt from.
        steps: that it has done.
        folder: of the run.
        most: rows that were evaluated, at most; None for all.
    """
    return {
        "schema_version": _SCHEMA_VERSION,
        "split": {"name": "test", "max_rows": most},
        "data": data.counts,
        "model": {
            "parts": parameters_of(luca_one_parts(stage.model)),
            "config": stage.model.config,
            "encoder_steps": steps,
            "threads": torch.get_num_threads(),
        },
        "heldout": figures(evaluation.heldout),
        "baselines": figures(evaluation.baselines),
        "timing": timing(folder, LETTERS_PER_SECOND),
    }


def held_out_table(metrics: dict[str, Any]) -> str:
    """The held-out losses beside those of the constant predictor, a line a task."""
    lines = [
        "\nHeld-out rows (test split): loss, of the best constant, accuracy, of the most frequent class",
        f"  {'':<16}{'sequences':>10}{'loss':>10}{'constant':>10}{'accuracy':>10}{'majority':>10}",
    ]
    heldout, baselines = metrics["heldout"], metrics["baselines"]

    def cell(of: dict[str, Any], name: str, form: str) -> str:
        return format(of[name]["value"], form) if name in of else ""

    for task in (task for task in TASKS if task in heldout):
        lines.append(
            f"  {task:<16}{heldout[task]['n']:>10,}{heldout[task]['value']:>10.4f}"
            f"{cell(baselines, task + CONSTANT, '.4f'):>10}{cell(heldout, task + ACCURACY, '.2%'):>10}"
            f"{cell(baselines, task + MAJORITY, '.2%'):>10}"
        )
    return "\n".join(lines)
