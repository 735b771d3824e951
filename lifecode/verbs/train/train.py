"""`lifecode train`: from annotated genomes to an evaluated model in a run folder, by its family's recipe."""

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from lightning import seed_everything
from omegaconf import DictConfig
from rich import print as print_table

from lifecode.app.configs.construct import checked_value, construct, locate
from lifecode.app.launch import run_processes
from lifecode.app.provenance import current_start, record_provenance
from lifecode.data.batches.batch import ResidueFeatures
from lifecode.data.batches.module import CorpusDataModule
from lifecode.data.corpus.corpus import Corpus
from lifecode.data.corpus.prepare import prepare_corpus
from lifecode.data.reading.read import resolve_inputs
from lifecode.data.statistics.census import census_table
from lifecode.data.statistics.seen_genes import training_genes, union
from lifecode.errors import UserError
from lifecode.evaluation.evaluate import SPLIT, evaluate, require_held_out_genes
from lifecode.evaluation.masked_genes import HeldOut
from lifecode.evaluation.metric_rows import read_whole_metric_rows
from lifecode.evaluation.sample import sample_predictions
from lifecode.host.activity import Activity
from lifecode.host.machine import processor
from lifecode.models.life_code.model import LifeCode
from lifecode.models.luca_one.model import LucaOne
from lifecode.names import visible
from lifecode.objectives.distillation import DistillationLoss
from lifecode.ops.cpu.heap import keep_freed_memory
from lifecode.report.charts.figure_style import use_colours
from lifecode.report.run.html import write_report
from lifecode.report.run.run_pictures import RunPictures, log_figures, model_figures
from lifecode.training.processes import Processes, cluster_environment, joined
from lifecode.training.run.run_folder import RunFolder
from lifecode.training.trainer import TrainerSettings
from lifecode.training.two_stages import TwoStages
from lifecode.verbs.train import letters
from lifecode.verbs.train.keys_without_effect import require_effect
from lifecode.verbs.train.loggers import log_held_out
from lifecode.verbs.train.outcome import (
    Outcome,
    held_out_table,
    is_reported,
    run_metrics,
    write_metrics,
)
from lifecode.verbs.train.plan import RunPlan, plan_run
from lifecode.verbs.train.plan_tables import print_plan
from lifecode.verbs.train.run_place import run_place, with_loggers
from lifecode.verbs.train.start_of_encoder import (
    NO_GENES,
    begins_elsewhere,
    genes_seen_by,
    held_out_but_seen,
    require_start_of_encoder,
    start_of_encoder,
    trains_tokenizer,
)
from lifecode.verbs.train.teacher import check_teacher, teach
from lifecode.verbs.train.train_values import check_values
from lifecode.verbs.train.training_run import TrainingRun


def run(config: DictConfig) -> TrainingRun | RunPlan:
    """Train what the family of the model needs, each stage from where it stopped; evaluate after the last."""
    recipe = recipe_of(config)
    recipe.require_effect(config, current_start().overrides)
    if checked_value(config, "plan", bool):
        recipe.check(config)
        plan = recipe.plan(config)
        print_plan(plan)
        return plan
    _quiet_lightning()
    keep_freed_memory()
    use_colours(construct(config.figures))
    settings: TrainerSettings = construct(config.trainer)
    run_dir = checked_value(config, "run_dir", str)
    _require_devices(settings)
    if settings.num_processes > 1 and cluster_environment() is None:
        run_processes("train", run_dir, settings.num_processes)
        return TrainingRun(run_dir)
    with joined(settings.num_processes, gpu=settings.on_gpu) as processes:
        recipe.train(config, settings, processes)
    return TrainingRun(run_dir)


class Recipe(NamedTuple):
    """How a family of models is trained.

    Attributes:
        check: raises a `UserError` where a value does not fit, before anything is written.
        plan: what a run would be.
        train: trains, in one of several processes or in the only one, and evaluates.
        require_effect: raises a `UserError` where an override of the command line says what is not read.
    """

    check: Callable[[DictConfig], None]
    plan: Callable[[DictConfig], RunPlan]
    train: Callable[[DictConfig, TrainerSettings, Processes], None]
    require_effect: Callable[[DictConfig, Sequence[str]], None] = lambda config, overrides: None


def recipe_of(config: DictConfig) -> Recipe:
    """That of the family whose class `model` names; of a class that is none, Life-Code's says so."""
    model = locate(config.model.get("_target_"), "model._target_")
    return RECIPES.get(getattr(model, "family", ""), RECIPES[LifeCode.family])


def _check(config: DictConfig) -> None:
    check_values(config)
    if begins_elsewhere(config):
        require_start_of_encoder(config, _stage_of(config))


def _stage_of(config: DictConfig) -> str:
    return checked_value(config, "stage", Literal["tokenizer", "encoder", "both"])


def _train(config: DictConfig, settings: TrainerSettings, processes: Processes) -> None:
    """The stages that `stage` names, each from where it stopped."""
    stage = _stage_of(config)
    with run_place(config, processes, partial(_require, config, stage, processes)) as folder:
        _train_in(folder, _inputs(config), config, stage, settings, processes)


def _train_in(
    folder: RunFolder,
    inputs: str | list[str],
    config: DictConfig,
    stage: str,
    settings: TrainerSettings,
    processes: Processes,
) -> None:
    """The corpus, then the stages that are not finished."""
    seed_everything(checked_value(config, "seed", int), verbose=False)
    with folder.timed("corpus"), folder.begun():
        corpus = processes.first_then_others(partial(_corpus, config, inputs, folder.path / "corpus"))
    print_table(census_table(corpus.report))
    if stage != "tokenizer":
        processes.only_first(partial(require_held_out_genes, corpus))
    stages = TwoStages(
        folder=folder.path,
        data=partial(_data, config, corpus, settings.num_workers),
        objective=construct(config.objective.joint),
        task_gradients_every_steps=checked_value(config, "objective.task_gradients_every_steps", int),
        trainer=settings,
        processes=processes,
    )
    if processes.from_first(partial(_is_complete, config, stage, stages)):
        _say_complete(folder)
        return
    processes.only_first(lambda: record_provenance(folder.path, processor()))
    with with_loggers(config, folder.path, processes) as loggers:
        if loggers:
            pictures = RunPictures(loggers, corpus, construct(config.heldout))
            stages = replace(stages, loggers=loggers, callbacks=[pictures])
        if trains_tokenizer(config, stage):
            with folder.timed("tokenizer"):
                stages.train_tokenizer(
                    construct(config.model.codec),
                    construct(config.optim.tokenizer),
                    training_genes=partial(training_genes, corpus.segments("cds", "train")),
                )
        if stage in ("encoder", "both"):
            _encoder(config, folder, corpus, stages)
        else:
            print(f"The tokenizer is in {stages.tokenizer_model}")


def _require(config: DictConfig, stage: str, processes: Processes) -> None:
    """Raises a `UserError` where something is wrong with inputs or config."""
    _inputs(config)
    check_values(config)
    if stage != "tokenizer":
        check_teacher(config)
    require_start_of_encoder(config, stage)
    for node in (config.data.batch, config.data.tokenizer_batch):
        construct(node).rows_together(processes.world_size)


def _encoder(config: DictConfig, folder: RunFolder, corpus: Corpus, stages: TwoStages) -> None:
    """Stage 2 with its teacher, then the model, its held-out figures and the report."""
    processes = stages.processes
    begin_with = processes.from_first(partial(start_of_encoder, config, stages.tokenizer_model))
    seen_before_this = genes_seen_by(begin_with) if begins_elsewhere(config) else NO_GENES
    seen = processes.from_first(partial(held_out_but_seen, corpus, seen_before_this))
    with folder.timed("teacher"):
        learn = partial(teach, config, corpus, folder.path / "teacher")
        teaching = processes.first_then_others(learn)
    features, targets = (teaching.features, teaching.targets) if teaching else (None, None)
    width = features.width if features is not None else None
    distillation: DistillationLoss | None = construct(config.kd, width=width) if width else None
    seed_everything(checked_value(config, "seed", int), verbose=False)
    model: LifeCode = construct(config.model, teacher_width=width)
    with folder.timed("encoder"):
        steps = stages.train_encoder(
            model,
            construct(config.optim.encoder),
            begin_with=begin_with,
            distillation=distillation if targets is not None else None,
            features=targets,
            freeze_tokenizer=checked_value(config, "objective.freeze_tokenizer", bool),
            freeze_readout=checked_value(config, "objective.freeze_readout", bool),
        )
    if not processes.is_first:
        return
    masks: HeldOut = construct(config.heldout)
    if is_reported(folder.path, steps, masks):
        _say_complete(folder)
        return
    model.training_genes = union(training_genes(corpus.segments("cds", "train")), seen_before_this)
    model.save_pretrained(folder.path / "model")
    for part in (model, distillation):
        if part is not None:
            part.to(stages.trainer.device)  # Lightning leaves what it has trained on the CPU
    with folder.timed("evaluation"):
        evaluation = evaluate(model, corpus, masks, distillation=distillation, features=features, seen=seen)
        sample = sample_predictions(
            model, corpus.segments("cds", SPLIT), masks, rows=np.flatnonzero(~seen).tolist()
        )
    outcome = Outcome(model, steps, corpus, teaching, masks, evaluation, int(seen.sum()))
    metrics = run_metrics(outcome, folder, split=asdict(construct(config.data.split)))
    page = write_report(
        folder.path,
        metrics,
        name=checked_value(config, "name", str),
        rows=read_whole_metric_rows(folder.path / "metrics.csv")[0],
        codon_embeddings=model.codec.codon_map().cpu().numpy(),
        sample=sample,
        config=(folder.path / "config.yaml").read_text(),
    )
    write_metrics(folder.path, metrics)
    log_held_out(stages.loggers, evaluation.heldout, steps)
    if stages.loggers:
        log_figures(stages.loggers, model_figures(model.codec, sample), SPLIT, steps)
    print(visible(held_out_table(metrics), keep="\n"))
    print(f"\nThe model is in {folder.path / 'model'}\nThe report is in {page}")


def _is_complete(config: DictConfig, stage: str, stages: TwoStages) -> bool:
    """Whether there is nothing to do, found without teacher and model: a sweep asks it of every run."""
    if stage == "tokenizer" or not (stages.folder / "metrics.json").exists():
        return False
    steps = stages.finished_steps(
        tokenizer=construct(config.optim.tokenizer) if trains_tokenizer(config, stage) else None,
        encoder=construct(config.optim.encoder),
        begin_with=start_of_encoder(config, stages.tokenizer_model, must_exist=False),
    )
    return steps is not None and is_reported(stages.folder, steps, construct(config.heldout))


def _say_complete(folder: RunFolder) -> None:
    print(f"This run is complete. The report is in {folder.path / 'report.html'}")


def _require_devices(settings: TrainerSettings) -> None:
    found = torch.cuda.device_count()
    if (settings.on_gpu or settings.accelerator == "gpu") and settings.processes_per_node > found:
        raise UserError(
            f"asks for {settings.processes_per_node} GPUs, and this machine has {found}",
            source="trainer.devices",
            remedy="Ask for fewer, or for trainer.accelerator=cpu",
        )
    if settings.num_nodes > 1 and cluster_environment() is None:
        raise UserError(
            f"is {settings.num_nodes}, and this command can start processes on its own machine only",
            source="trainer.num_nodes",
            remedy="Start it on every machine with torchrun or srun: docs/cluster.md",
        )


def _inputs(config: DictConfig) -> str | list[str]:
    """The sequence files, which must exist before a run folder is made for them."""
    inputs = checked_value(config, "input", str | list[str] | None)
    if inputs is None:
        raise UserError(
            "input needs a value",
            remedy="Give annotated genomes, input=genome.gbff.gz, or try experiment=quickstart",
        )
    resolve_inputs(inputs)
    return inputs


def _corpus(config: DictConfig, inputs: str | list[str], folder: Path) -> Corpus:
    """The corpus of the run, prepared or found there, with every file as its manifest says."""
    with Activity() as activity:
        corpus = prepare_corpus(
            inputs,
            folder,
            split=construct(config.data.split),
            reading=construct(config.data.reading, seed=checked_value(config, "seed", int)),
            seed=checked_value(config, "seed", int),
            engine=construct(config.engine),
            progress=activity.say,
        )
    corpus.check_files()
    return corpus


def _data(
    config: DictConfig, corpus: Corpus, num_workers: int, stage: str, features: ResidueFeatures | None
) -> CorpusDataModule:
    return CorpusDataModule(
        corpus,
        shape=construct(config.data.tokenizer_batch if stage == "tokenizer" else config.data.batch),
        mixture=construct(config.data.mixture),
        masking=construct(config.objective.masking),
        seed=checked_value(config, "seed", int),
        reverse_complement=checked_value(config, "data.reverse_complement", bool),
        max_unknown_fraction=checked_value(config, "data.max_unknown_fraction", float),
        validation_steps=checked_value(config, "data.validation_steps", int),
        features=features,
        num_workers=num_workers,
    )


def _quiet_lightning() -> None:
    """Only what concerns the user: devices, tips and missing workers do not."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    for message in (
        ".*many workers.*",
        ".*mid-epoch.*",
        ".*`IterableDataset` has.*",
        ".*LeafSpec.*",
        ".*sync_dist=True.*",  # the stages sum over processes themselves
        ".*returned a view tensor.*",  # and change none in place
        ".*pre-optimization state.*",  # of ModelCheckpoint: it saves what a step has left
    ):
        warnings.filterwarnings("ignore", message=message)


RECIPES = {
    LifeCode.family: Recipe(_check, plan_run, _train),
    LucaOne.family: Recipe(letters.check, letters.plan, letters.train, require_effect),
}
"""By family of models."""
