"""`lifecode train` for LucaOne: labelled rows, one stage, and figures on rows it never saw."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from lightning import seed_everything
from omegaconf import DictConfig, OmegaConf
from pydantic import Field

from lifecode.app.configs.construct import checked_value, construct
from lifecode.app.provenance import record_provenance
from lifecode.datasets.luca_one.batch import assumed_contents
from lifecode.datasets.luca_one.make import LABELS
from lifecode.datasets.luca_one.rows import COORDINATES
from lifecode.datasets.luca_one.stream import TokenShape
from lifecode.datasets.luca_one.tasks import TASKS
from lifecode.errors import UserError
from lifecode.evaluation.labelled_rows import (
    ACCURACY,
    CONSTANT,
    MAJORITY,
    RowEvaluation,
    constant_outputs,
    evaluate_rows,
)
from lifecode.evaluation.metric_rows import read_whole_metric_rows
from lifecode.evaluation.metrics import LETTERS_PER_SECOND
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.host.machine import processor
from lifecode.host.small_file import read_small_text
from lifecode.models.families import load
from lifecode.models.luca_one.model import LucaOne
from lifecode.models.luca_one.parts import luca_one_parts
from lifecode.models.luca_one.rows import NUM_SPECIAL
from lifecode.models.parts import parameters_of
from lifecode.models.pretrained import read_config
from lifecode.report.run.letters_page import write_letters_report
from lifecode.training.plan import plan_stage
from lifecode.training.processes import Processes
from lifecode.training.run.checkpoint_file import checkpoint_step, latest_checkpoint
from lifecode.training.run.run_folder import RunFolder, peak_memory_bytes
from lifecode.training.stages.letter_stage import LetterStage
from lifecode.training.trainer import TrainerSettings, train_stage
from lifecode.verbs.train.loggers import check_loggers, log_held_out
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
from lifecode.verbs.train.plan import RunPlan
from lifecode.verbs.train.run_place import run_place, with_loggers
from lifecode.verbs.train.seed_of_batches import seed_of_batches

_SCHEMA_VERSION = 1
_AXES = 3
_AT_LEAST_ONE = Annotated[int, Field(ge=1)]
_LACKS = {
    "teacher.model": "has no teacher",
    "tokenizer_checkpoint": "has no tokenizer to train",
}
"""Keys of Life-Code that a LucaOne run must leave at null, and why."""


def check(config: DictConfig) -> None:
    """Builds every part without memory, so that a wrong value is found before anything is written."""
    if OmegaConf.select(config, "pretraining") is None:
        raise UserError(
            "a model of family luca_one learns from labelled rows, and pretraining is null",
            source="pretraining",
            remedy="Add pretraining=luca_one, or choose experiment=lucaone_quickstart",
        )
    if checked_value(config, "stage", Literal["tokenizer", "encoder", "both"]) == "tokenizer":
        raise UserError("a model of family luca_one has one stage", source="stage", remedy="Leave it out")
    for key, lack in _LACKS.items():
        if OmegaConf.select(config, key) is not None:
            raise UserError(f"a model of family luca_one {lack}", source=key, remedy="Leave it out")
    stage = _stage_without_memory(config)
    _beginning(config)
    head = stage.model.config["heads"].get(COORDINATES)
    if head is not None and head["classes"] != _AXES:
        raise UserError(
            f"is {head['classes']}, and coordinates have {_AXES} axes",
            source=f"model.heads.{COORDINATES}.classes",
        )
    for node in (config.data.split, config.pretraining.rows, config.pretraining.masking):
        construct(node)
    construct(config.data.reading, seed=0)
    longest_row(config, stage.model)
    checked_value(config, "data.validation_steps", int)
    seed_of_batches(config)
    checked_value(config, "pretraining.max_test_rows", _AT_LEAST_ONE | None)
    stage.objective.require_weight(stage.tasks)
    settings: TrainerSettings = construct(config.trainer, compile=False)
    shape: TokenShape = construct(config.pretraining.batch)
    shape.rows_together(settings.num_processes)
    check_loggers(config)


def plan(config: DictConfig) -> RunPlan:
    """What a run would be; rows are taken as full of the longest sequences, with every label."""
    stage, masking = _stage_without_memory(config), construct(config.pretraining.masking)
    longest = longest_row(config, stage.model) + NUM_SPECIAL
    contents = partial(assumed_contents, longest=longest, masked=masking.fraction)
    shape, settings = construct(config.pretraining.batch), construct(config.trainer)
    assumption = (
        f"Rows are taken as full, of sequences of {longest:,} tokens with a label of every task at every "
        "letter: the most that fits."
    )
    return RunPlan(
        name=checked_value(config, "name", str),
        stages=[plan_stage(stage, shape, masking, settings, contents)],
        flops_per_second=checked_value(config, "plan_flops_per_second", float | None),
        assumption=assumption,
        missing_input="rows are counted by lifecode rows and when they are read",
    )


def train(config: DictConfig, settings: TrainerSettings, processes: Processes) -> None:
    """Trains from where the run stopped; evaluates and writes the model after the last step."""
    with run_place(config, processes, partial(_require, config)) as folder:
        seed_everything(checked_value(config, "seed", int), verbose=False)
        model: LucaOne = construct(config.model)
        with folder.timed("rows"), folder.begun():
            rows = processes.first_then_others(partial(prepare_rows, config, folder.path))
            data = read_row_data(rows, longest_row(config, model))
            data.names.require_room({task: head["classes"] for task, head in model.config["heads"].items()})
            processes.only_first(partial(require_same_rows, rows, folder.path))
        if processes.from_first(partial(_is_complete, config, settings, folder.path)):
            print(f"This run is complete. The report is in {folder.path / 'report.html'}")
            return
        _begin_with(config, model)
        processes.only_first(lambda: record_provenance(folder.path, processor()))
        with with_loggers(config, folder.path, processes) as loggers:
            stage = _stage(config, model)
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


def held_out_table(metrics: dict[str, Any]) -> str:
    """The held-out losses beside those of the constant predictor, a line a task."""
    lines = [
        "\nHeld-out rows (test split): loss, of the best constant, accuracy, of the most frequent class",
        f"  {'':<16}{'sequences':>10}{'loss':>10}{'constant':>10}{'accuracy':>10}{'majority':>10}",
    ]
    heldout, baselines = metrics["heldout"], metrics["baselines"]

    def cell(figures: dict[str, Any], name: str, form: str) -> str:
        return format(figures[name]["value"], form) if name in figures else ""

    for task in (task for task in TASKS if task in heldout):
        lines.append(
            f"  {task:<16}{heldout[task]['n']:>10,}{heldout[task]['value']:>10.4f}"
            f"{cell(baselines, task + CONSTANT, '.4f'):>10}{cell(heldout, task + ACCURACY, '.2%'):>10}"
            f"{cell(baselines, task + MAJORITY, '.2%'):>10}"
        )
    return "\n".join(lines)


def _require(config: DictConfig) -> None:
    check(config)
    require_input(config)


def _stage(config: DictConfig, model: LucaOne) -> LetterStage:
    return LetterStage(
        model,
        objective=construct(config.pretraining.joint),
        optimizer=construct(config.optim.encoder),
        task_gradients_every_steps=checked_value(config, "objective.task_gradients_every_steps", int),
        seed=checked_value(config, "seed", int),
    )


def _stage_without_memory(config: DictConfig) -> LetterStage:
    with torch.device("meta"):
        return _stage(config, construct(config.model))


def _beginning(config: DictConfig) -> LucaOne | None:
    """The model that `init_from` names.

    Raises:
        UserError: it cannot be read, or has another shape than the model of the run.
    """
    name = checked_value(config, "init_from", str | None)
    if name is None:
        return None
    in_run = Path(name).expanduser() / "model"
    found = load(in_run if in_run.exists() else name)
    if not isinstance(found, LucaOne):
        raise UserError(f"is a model of family {found.family}", source="init_from")
    shapes, wanted = (
        {name: tuple(value.shape) for name, value in each.state_dict().items()}
        for each in (found, _stage_without_memory(config).model)
    )
    for weight in sorted(shapes.keys() | wanted.keys()):
        own, of_run = shapes.get(weight), wanted.get(weight)
        if own != of_run:
            has = f"lacks {weight}" if own is None else f"has {weight} of shape {own}"
            raise UserError(
                f"{has}, which {'the model lacks' if of_run is None else f'in the model is of {of_run}'}",
                source="init_from",
                remedy="Give model.* the values of its config.json",
            )
    return found


def _begin_with(config: DictConfig, model: LucaOne) -> None:
    """The weights that `init_from` names; a checkpoint of this run takes their place later."""
    found = _beginning(config)
    if found is not None:
        model.load_state_dict(found.state_dict())


def _finish(
    config: DictConfig,
    folder: RunFolder,
    stage: LetterStage,
    data: RowData,
    steps: int,
    settings: TrainerSettings,
) -> RowEvaluation:
    stage.model.save_pretrained(folder.path / "model")
    most = checked_value(config, "pretraining.max_test_rows", _AT_LEAST_ONE | None)
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
    metrics = _metrics(evaluation, stage, data, steps, folder, most)
    page = write_letters_report(
        folder.path,
        metrics,
        name=checked_value(config, "name", str),
        rows=read_whole_metric_rows(folder.path / "metrics.csv")[0],
        config=(folder.path / "config.yaml").read_text(),
    )
    for name, text in ((LABELS, data.names.text), ("metrics.json", json.dumps(metrics, indent=2) + "\n")):
        with disk_faults_named(folder.path / name), replacing(folder.path / name) as file:
            file.write(text.encode())
    print(held_out_table(metrics))
    print(f"\nThe model is in {folder.path / 'model'}\nThe report is in {page}")
    return evaluation


def _metrics(
    evaluation: RowEvaluation,
    stage: LetterStage,
    data: RowData,
    steps: int,
    folder: RunFolder,
    most: int | None,
) -> dict[str, Any]:
    parts = folder.seconds()
    speeds = sorted(
        row.value
        for row in read_whole_metric_rows(folder.path / "metrics.csv")[0]
        if row.name == LETTERS_PER_SECOND.name
    )
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
        "heldout": {name: figure._asdict() for name, figure in evaluation.heldout.items()},
        "baselines": {name: figure._asdict() for name, figure in evaluation.baselines.items()},
        "timing": {
            "seconds": sum(parts.values()),
            LETTERS_PER_SECOND.name: speeds[len(speeds) // 2] if speeds else None,
            "peak_memory_bytes": peak_memory_bytes(),
            "parts": parts,
        },
    }


def _is_complete(config: DictConfig, settings: TrainerSettings, folder: Path) -> bool:
    """Whether metrics.json and the model are those of the last checkpoint, the last of all; with a report."""
    checkpoint = latest_checkpoint(folder / LetterStage.name / "checkpoints")
    total_steps = construct(config.optim.encoder).total_steps
    if checkpoint is None or not settings.is_last(checkpoint, total_steps):
        return False
    try:
        read_config(folder / "model")
        metrics = json.loads(read_small_text(folder / "metrics.json"))
        same_steps = metrics["model"]["encoder_steps"] == checkpoint_step(checkpoint)
        return same_steps and (folder / "report.html").exists()
    except (OSError, ValueError, KeyError, TypeError, RecursionError):  # not there yet, or damaged
        return False
