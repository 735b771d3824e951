"""`lifecode finetune task=pair`: pairs, measured beside their baselines; a run folder without a model."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from rich import print as print_table

from lifecode.app.configs.construct import checked_value, construct
from lifecode.host.activity import Activity
from lifecode.host.output_folder import output_folder, require_absent
from lifecode.names import display_name
from lifecode.report.task.page import write_task_report
from lifecode.tasks.competitors.competitor import Reader
from lifecode.tasks.finetune_pairs import FinetunedPairs, tune_pairs
from lifecode.tasks.pairs.pair_baselines import PairBaseline
from lifecode.tasks.pairs.pair_task import PairTask
from lifecode.tasks.tables import write_table
from lifecode.verbs.task_table import comparison

METRICS, PREDICTIONS, CONFIG = "metrics.json", "predictions.csv", "config.yaml"


def finetune_pairs(
    task: PairTask,
    reader: Reader,
    *,
    run_dir: str | Path | None,
    config: str | None = None,
    progress: bool = True,
    **settings: Any,
) -> FinetunedPairs:
    """`tune_pairs`, and where there is a `run_dir` all that a run leaves.

    Raises:
        UserError: what the files or settings do not allow, or a `run_dir` that is there already.
    """
    folder = None if run_dir is None else Path(run_dir).expanduser()
    if folder is not None:
        require_absent(folder)
    with Activity() if progress else nullcontext() as activity:
        say = (lambda _: None) if activity is None else activity.say
        result = tune_pairs(task, reader, say=say, **settings)
    if folder is not None:
        with output_folder(folder) as partial:
            text = json.dumps(result.metrics, indent=2, ensure_ascii=False) + "\n"
            (partial / METRICS).write_text(text, encoding="utf-8")
            write_table(result.table, partial / PREDICTIONS)
            write_task_report(
                partial,
                result.metrics,
                result.evidence,
                name=folder.resolve().name,
                notes=result.notes,
                config=config or "",
            )
            if config is not None:
                (partial / CONFIG).write_text(config, encoding="utf-8")
    return result


def run_pairs(config: DictConfig, task: PairTask, reader: Reader) -> FinetunedPairs:
    """Learn, write the run folder, and print the table."""
    run_dir = checked_value(config, "run_dir", str)
    result = finetune_pairs(
        task,
        reader,
        trained=checked_value(config, "checkpoint", str | None) is not None,
        probe=construct(config.probe),
        pair=construct(config.pair),
        seeds=checked_value(config, "seeds", int),
        folds=checked_value(config, "folds", int),
        seed=checked_value(config, "seed", int),
        baselines=checked_value(config, "baselines", list[PairBaseline] | None),
        without=checked_value(config, "without", list[PairBaseline]),
        run_dir=run_dir,
        config=OmegaConf.to_yaml(config, resolve=True),
    )
    for note in result.notes:
        print(display_name(note, 500))
    print_table(comparison(result.metrics))
    print(result.leaks.described())
    print(f"\n{METRICS}, {PREDICTIONS} and report.html are in {run_dir}")
    return result
