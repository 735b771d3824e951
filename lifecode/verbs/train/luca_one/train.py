"""`lifecode train` for LucaOne: labelled rows, one stage, and figures on rows it never saw."""

from functools import partial
from pathlib import Path

from lightning import seed_everything
from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value, construct
from lifecode.app.provenance import record_provenance
from lifecode.datasets.luca_one.make import LABELS
from lifecode.evaluation.labelled_rows import RowEvaluation, constant_outputs, evaluate_rows
from lifecode.evaluation.metric_rows import read_whole_metric_rows
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.host.machine import processor
from lifecode.models.luca_one.model import LucaOne
from lifecode.report.run.letters_page import write_letters_report
from lifecode.training.processes import Processes
from lifecode.training.run.checkpoint_file import checkpoint_step, latest_checkpoint
from lifecode.training.run.run_folder import RunFolder
from lifecode.training.stages.letter_stage import LetterStage
from lifecode.training.trainer import TrainerSettings, train_stage
from lifecode.verbs.train.loggers import log_held_out
from lifecode.verbs.train.luca_one.check import check, most_test_rows
from lifecode.verbs.train.luca_one.initial_weights import begin_with, say_of_other_labels
from lifecode.verbs.train.luca_one.letter_stage import stage_of
from lifecode.verbs.train.luca_one.outcome import held_out_table, run_metrics
from lifecode.verbs.train.luca_one.row_data import (
    RowData,
    data_module,
    longest_row,
    prepare_rows,
    read_row_data,
    require_input,
    require_same_rows,
    stream_alone,
)
from lifecode.verbs.train.metrics_file import is_reported, write_metrics
from lifecode.verbs.train.run_place import run_place, with_loggers


def train(config: DictConfig, settings: TrainerSettings, processes: Processes) -> None:
    """Trains from where the run stopped; evaluates and writes the model after the last step."""
    with run_place(config, processes, partial(_require, config)) as folder:
        seed_everything(checked_value(config, "seed", int), verbose=False)
        model: LucaOne = construct(config.model)
        with folder.timed("rows"), folder.begun():
            rows = processes.first_then_others(partial(prepare_rows, config, folder.path))
            longest = longest_row(config, model)
            data = read_row_data(rows, longest)
            processes.only_first(partial(_say_of_rows, data, longest))
            data.names.require_room({task: head["classes"] for task, head in model.config["heads"].items()})
            processes.only_first(partial(require_same_rows, rows, folder.path))
        if processes.from_first(partial(_is_complete, config, settings, folder.path)):
            print(f"This run is complete. The report is in {folder.path / 'report.html'}")
            return
        processes.only_first(partial(say_of_other_labels, config, data.names))
        begin_with(config, model)
        processes.only_first(lambda: record_provenance(folder.path, processor()))
        with with_loggers(config, folder.path, processes) as loggers:
            stage = stage_of(config, model)
            with folder.timed("encoder"):
                steps = train_stage(
                    stage,
                    data_module(config, data, settings.num_workers),
                    settings,
                    folder.path,
                    loggers,
                    processes,
                )
            if processes.is_first:
                evaluation = _finish(config, folder, stage, data, steps, settings)
                log_held_out(loggers, evaluation.heldout, steps)


def _require(config: DictConfig) -> None:
    check(config)
    require_input(config)


def _say_of_rows(data: RowData, longest: int) -> None:
    if data.names.numbered:
        print(f"Labels of {', '.join(sorted(data.names.numbered))} are numbers of classes, counted from 0")
    if num_cut := sum(table.num_cut for table in data.tables.values()):
        print(
            f"{num_cut:,} rows of more than {longest:,} letters are cut into equal pieces, with their labels"
        )


def _finish(
    config: DictConfig,
    folder: RunFolder,
    stage: LetterStage,
    data: RowData,
    steps: int,
    settings: TrainerSettings,
) -> RowEvaluation:
    stage.model.save_pretrained(folder.path / "model")
    most = most_test_rows(config)
    stage.to(settings.device).eval()  # Lightning leaves what it has trained on the CPU
    with folder.timed("evaluation"):
        classes = {task: head["classes"] for task, head in stage.model.config["heads"].items()}
        constant = constant_outputs(data.tables["train"], data.names, classes)
        evaluation = evaluate_rows(
            lambda batch: stage.outputs(batch.to(settings.device)),
            constant,
            stream_alone(config, data, "test"),
            most,
        )
    metrics = run_metrics(evaluation, stage, data, steps, folder, most)
    page = write_letters_report(
        folder.path,
        metrics,
        name=checked_value(config, "name", str),
        rows=read_whole_metric_rows(folder.path / "metrics.csv")[0],
        config=(folder.path / "config.yaml").read_text(),
    )
    with disk_faults_named(folder.path / LABELS), replacing(folder.path / LABELS) as file:
        file.write(data.names.text.encode())
    write_metrics(folder.path, metrics)
    print(held_out_table(metrics))
    print(f"\nThe model is in {folder.path / 'model'}\nThe report is in {page}")
    return evaluation


def _is_complete(config: DictConfig, settings: TrainerSettings, folder: Path) -> bool:
    """Whether metrics.json and the model are those of the last checkpoint, the last of all; with a report."""
    checkpoint = latest_checkpoint(folder / LetterStage.name / "checkpoints")
    total_steps = construct(config.optim.encoder).total_steps
    if checkpoint is None or not settings.is_last(checkpoint, total_steps):
        return False
    return is_reported(folder, checkpoint_step(checkpoint))
