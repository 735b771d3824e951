"""`lifecode finetune`: learn a user's labels on an encoder, and say what baselines reach on the same rows."""

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from rich import print as print_table

from lifecode.app.configs.construct import checked_value, construct
from lifecode.arguments import arguments_checked
from lifecode.errors import Interrupted
from lifecode.host.activity import told
from lifecode.host.output_folder import output_folder, require_absent
from lifecode.host.own_folder import require_own
from lifecode.models.families import load
from lifecode.models.saved import SavedModel
from lifecode.names import display_name
from lifecode.report.charts.figure_style import use_colours
from lifecode.report.task.page import write_task_report
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.finetune import COMPARED, METRICS, Finetuned, tune
from lifecode.tasks.names_in_tables import UNTRAINED, AnyBaseline, model_name
from lifecode.tasks.pairs.pair_head import PairHead
from lifecode.tasks.pairs.pair_task import PairTask
from lifecode.tasks.probe import Probe
from lifecode.tasks.tables import write_table
from lifecode.tasks.tuned_model import save_tuned
from lifecode.tasks.tuning.settings import Fit, Lora, TrainedHead, Tuning
from lifecode.verbs import tuning_keys
from lifecode.verbs.task_table import comparison

PREDICTIONS, CONFIG = "predictions.csv", "config.yaml"
UNFINISHED = ".unfinished"
"""Ends the name of the folder beside the run's in which a tuning keeps what it has done."""


@arguments_checked
def finetune(
    task: SequenceTask | PairTask | str | Path,
    *,
    checkpoint: str | Path | SavedModel = "lifecode-mini",
    tuning: Tuning = "probe",
    probe: Probe | None = None,
    head: TrainedHead | None = None,
    fit: Fit | None = None,
    lora: Lora | None = None,
    seeds: int = 1,
    folds: int = 5,
    seed: int = 0,
    baselines: Sequence[AnyBaseline] | None = None,
    without: Sequence[AnyBaseline] = (),
    drop_leaks: bool = False,
    pair: PairHead | None = None,
    run_dir: str | Path | None = None,
    progress: bool = True,
) -> Finetuned:
    """Learn a task on an encoder, beside its baselines.

    Killed, a run with a `run_dir` that tunes by gradient goes on by the same call: what is done lies in
    `RUN_DIR.unfinished` until the end.

    Args:
        task: or the path of its training file, where nothing else need be said.
        checkpoint: name or folder of a trained model, or a model.
        tuning: `probe` fits a head on frozen states; `head` trains one by gradient, `lora` adapters of the
            encoder too, `full` all of its weights.
        probe: what the head of `probe` reads; None takes the default.
        head: what a head that is trained by gradient reads; likewise.
        fit: how it is trained; likewise.
        lora: the adapters; likewise.
        seeds: splits into folds; with a test file, choices of the head's strength, or trainings.
        folds: held out in turn, where the task has no test file.
        seed: the first of the seeds.
        baselines: None takes all that fit the sequences or pairs.
        without: baselines that are left out of these, such as `cnn`, which takes longest.
        drop_leaks: leave out of a test file what is learnt from as it is, as its reverse complement or as a
            near twin, and what the model has read, unless that is more than half.
        pair: of a task of pairs, how both sides are joined, and the head; None takes the default.
        run_dir: folder to write; None writes nothing.
        progress: show on stderr what is being done.

    Raises:
        UserError: what the files or settings do not allow, or a `run_dir` that is there already.
    """
    model = checkpoint if isinstance(checkpoint, SavedModel) else load(checkpoint)
    return _finetune(
        SequenceTask(train=str(task)) if isinstance(task, str | Path) else task,
        model,
        name="model" if isinstance(checkpoint, SavedModel) else model_name(str(checkpoint)),
        probe=probe or Probe(),
        pair=pair or PairHead(),
        by_gradient=tuning_keys.by_gradient(tuning, head or TrainedHead(), fit or Fit(), lora or Lora()),
        seeds=seeds,
        folds=folds,
        seed=seed,
        baselines=baselines,
        without=without,
        drop_leaks=drop_leaks,
        run_dir=run_dir,
        progress=progress,
    )


def run(config: DictConfig) -> Finetuned:
    """Learn, write the run folder, and print the table."""
    use_colours(construct(config.figures))
    tuning = checked_value(config, "tuning", Tuning)
    task, probe = construct(config.task), construct(config.probe)
    of_pairs = isinstance(task, PairTask)
    sections = (construct(config.head), construct(config.fit), construct(config.lora))
    by_gradient = tuning_keys.by_gradient(tuning, *sections)
    for section in tuning_keys.unread_sections(config, tuning, pairs=of_pairs):
        print(f"lifecode finetune: {section} is set, and this run does not read it", file=sys.stderr)
    run_dir = checked_value(config, "run_dir", str)
    require_absent(Path(run_dir).expanduser())
    checkpoint, seed = checked_value(config, "checkpoint", str | None), checked_value(config, "seed", int)
    result = _finetune(
        task,
        _untrained(config, seed) if checkpoint is None else load(checkpoint),
        name=UNTRAINED if checkpoint is None else model_name(checkpoint),
        trained=checkpoint is not None,
        probe=probe,
        pair=construct(config.pair),
        by_gradient=by_gradient,
        seeds=checked_value(config, "seeds", int),
        folds=checked_value(config, "folds", int),
        seed=seed,
        baselines=checked_value(config, "baselines", list[str] | None),
        without=checked_value(config, "without", list[str]),
        drop_leaks=checked_value(config, "drop_leaks", bool),
        run_dir=run_dir,
        config=OmegaConf.to_yaml(config, resolve=True),
    )
    for note in result.notes:
        print(display_name(note, 500))
    print_table(comparison(result.metrics))
    print(result.leaks.described())
    model = "No model (gradient boosting is not kept)" if result.model is None else "The model"
    print(f"\n{model}, {METRICS}, {PREDICTIONS} and report.html are in {run_dir}")
    return result


def _untrained(config: DictConfig, seed: int) -> SavedModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return construct(config.model).eval()


def _finetune(
    task: SequenceTask | PairTask,
    model: SavedModel,
    *,
    run_dir: str | Path | None,
    config: str | None = None,
    progress: bool = True,
    **settings: Any,
) -> Finetuned:
    """`tune`, and where there is a `run_dir` all that a run leaves."""
    folder = None if run_dir is None else Path(run_dir).expanduser()
    if folder is not None:
        require_absent(folder)
    with told(progress) as say:
        work = (
            None
            if folder is None or settings["by_gradient"] is None
            else folder.with_name(folder.name + UNFINISHED)
        )
        if work is not None:
            require_own(work)
        with _resumable(work):
            result = tune(task, model, say=say, work=work, **settings)
    if folder is not None:
        with output_folder(folder) as partial:
            if result.model is not None:
                save_tuned(result.model, partial)
            text = json.dumps(result.metrics, indent=2, ensure_ascii=False) + "\n"
            (partial / METRICS).write_text(text, encoding="utf-8")
            write_table(result.table, partial / PREDICTIONS)
            if result.metrics["unit"] in ("sequence", "pair"):
                write_table(result.evidence.compared, partial / COMPARED)
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
    if work is not None:
        shutil.rmtree(work, ignore_errors=True)
    return result


@contextmanager
def _resumable(work: Path | None) -> Iterator[None]:
    """Says of a stop that what is done is kept."""
    try:
        yield
    except Interrupted:
        raise
    except KeyboardInterrupt as stop:
        if work is None:
            raise
        raise Interrupted("interrupted; the same command goes on with what is not done") from stop
