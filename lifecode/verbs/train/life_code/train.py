"""`lifecode train` for Life-Code: a corpus, the tokenizer, the encoder, and figures on genes it never saw."""

from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
from lightning import seed_everything
from omegaconf import DictConfig
from rich import print as print_table

from lifecode.app.configs.construct import checked_value, construct
from lifecode.app.provenance import record_provenance
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
from lifecode.evaluation.sample import SamplePredictions, sample_predictions
from lifecode.host.activity import Activity
from lifecode.host.machine import processor
from lifecode.models.life_code.model import LifeCode
from lifecode.names import visible
from lifecode.objectives.distillation import DistillationLoss
from lifecode.report.run.html import write_report
from lifecode.report.run.run_pictures import RunPictures, log_pictures, model_pictures
from lifecode.training.processes import Processes
from lifecode.training.run.run_folder import RunFolder
from lifecode.training.trainer import TrainerSettings
from lifecode.training.two_stages import TwoStages
from lifecode.verbs.train.life_code.outcome import Outcome, held_out_table, run_metrics
from lifecode.verbs.train.life_code.start_of_encoder import (
    NO_GENES,
    begins_elsewhere,
    genes_seen_by,
    held_out_but_seen,
    require_start_of_encoder,
    start_of_encoder,
    trains_tokenizer,
)
from lifecode.verbs.train.life_code.teacher import check_teacher, teach
from lifecode.verbs.train.life_code.train_values import check_values
from lifecode.verbs.train.loggers import log_held_out
from lifecode.verbs.train.metrics_file import is_reported, write_metrics
from lifecode.verbs.train.run_place import run_place, with_loggers
from lifecode.verbs.train.seed_of_batches import seed_of_batches
from lifecode.verbs.train.stage_choice import stage_choice


def check(config: DictConfig) -> None:
    """Builds every part without memory, and looks at what stage 2 begins with, before anything is written."""
    check_values(config)
    if begins_elsewhere(config):
        require_start_of_encoder(config, stage_choice(config))


def train(config: DictConfig, settings: TrainerSettings, processes: Processes) -> None:
    """The stages that `stage` names, each from where it stopped."""
    stage = stage_choice(config)
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
    """Stage 2 with its teacher, then the model and what it makes of held-out genes."""
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
    _write_outcome(config, folder, stages, outcome, sample)


def _write_outcome(
    config: DictConfig,
    folder: RunFolder,
    stages: TwoStages,
    outcome: Outcome,
    sample: SamplePredictions | None,
) -> None:
    """Held-out figures and pictures into the report, metrics.json and the loggers, and onto the screen."""
    model, steps = outcome.model, outcome.encoder_steps
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
    log_held_out(stages.loggers, outcome.evaluation.heldout, steps)
    if stages.loggers:
        log_pictures(stages.loggers, model_pictures(model.codec, sample), SPLIT, steps)
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
        seed=seed_of_batches(config),
        reverse_complement=checked_value(config, "data.reverse_complement", bool),
        max_unknown_fraction=checked_value(config, "data.max_unknown_fraction", float),
        validation_steps=checked_value(config, "data.validation_steps", int),
        features=features,
        num_workers=num_workers,
    )
