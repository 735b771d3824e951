"""`lifecode train`: from annotated genomes to an evaluated two-stage model in a run folder."""

import logging
import warnings
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from lightning import seed_everything
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, OmegaConf
from rich import print as print_table
from rich.progress import Progress

from lifecode.commands.construct import checked_value, construct
from lifecode.commands.outcome import (
    Outcome,
    held_out_table,
    is_reported,
    run_metrics,
    write_metrics,
)
from lifecode.commands.preparation_progress import PreparationProgress
from lifecode.data.batch import ResidueFeatures
from lifecode.data.census import census_table
from lifecode.data.corpus import Corpus
from lifecode.data.module import CorpusDataModule
from lifecode.data.prepare import prepare_corpus
from lifecode.data.reading import resolve_inputs
from lifecode.errors import UserError
from lifecode.evaluation.evaluate import SPLIT, evaluate, require_held_out_genes
from lifecode.evaluation.heldout import HeldOut
from lifecode.evaluation.metric_rows import read_whole_metric_rows
from lifecode.model.life_code import LifeCode
from lifecode.model.pretrained import read_config
from lifecode.objectives.distillation import DistillationLoss
from lifecode.ops.heap import keep_freed_memory
from lifecode.report.html import write_report
from lifecode.teachers.features import TeacherFeatures
from lifecode.teachers.selection import select_proteins
from lifecode.training.run_folder import RunFolder
from lifecode.training.trainer import TrainerSettings
from lifecode.training.two_stages import CODEC_FAMILY, TwoStages


def run(config: DictConfig) -> None:
    """Train the stages that `stage` names, each from where it stopped; evaluate and report after the last."""
    _quiet_lightning()
    keep_freed_memory()
    stage = checked_value(config, "stage", Literal["tokenizer", "encoder", "both"])
    settings: TrainerSettings = construct(config.trainer)
    inputs = _inputs(config)
    _check_before_anything_is_written(config, stage)
    resolved: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # pyright: ignore
    folder = RunFolder(checked_value(config, "run_dir", str), resolved)
    seed_everything(checked_value(config, "seed", int), verbose=False)
    with folder.timed("corpus"), folder.begun():
        corpus = _corpus(config, inputs, folder.path / "corpus")
    print_table(census_table(corpus.report))
    if stage != "tokenizer":
        require_held_out_genes(corpus)
    stages = TwoStages(
        folder=folder.path,
        data=partial(_data, config, corpus, settings.num_workers),
        objective=construct(config.objective.joint),
        trainer=settings,
        loggers=_loggers(config),
    )
    if stage in ("tokenizer", "both"):
        with folder.timed("tokenizer"):
            stages.train_tokenizer(construct(config.model.codec), construct(config.optim.tokenizer))
    if stage in ("encoder", "both"):
        _encoder(config, folder, corpus, stages)
    else:
        print(f"The tokenizer is in {stages.tokenizer_model}")


def _encoder(config: DictConfig, folder: RunFolder, corpus: Corpus, stages: TwoStages) -> None:
    """Stage 2 with its teacher, then the model, its held-out figures and the report."""
    with folder.timed("teacher"):
        features = _teacher_features(config, corpus, folder.path / "teacher")
    width = features.width if features else None
    distillation: DistillationLoss | None = construct(config.kd, width=width) if features else None
    seed_everything(checked_value(config, "seed", int), verbose=False)
    model: LifeCode = construct(config.model, teacher_width=width)
    with folder.timed("encoder"):
        steps = stages.train_encoder(
            model,
            construct(config.optim.encoder),
            codec_folder=_codec_folder(config, stages.tokenizer_model),
            distillation=distillation,
            features=features,
            freeze_tokenizer=checked_value(config, "objective.freeze_tokenizer", bool),
            freeze_readout=checked_value(config, "objective.freeze_readout", bool),
        )
    masks: HeldOut = construct(config.heldout)
    if is_reported(folder.path, steps, masks):
        print(f"This run is complete. The report is in {folder.path / 'report.html'}")
        return
    model.save_pretrained(folder.path / "model")
    with folder.timed("evaluation"):
        heldout, baselines = evaluate(model, corpus, masks, distillation=distillation, features=features)
    outcome = Outcome(model, steps, corpus, features, masks, heldout, baselines)
    metrics = run_metrics(outcome, folder, split=asdict(construct(config.data.split)))
    page = write_report(
        folder.path,
        metrics,
        name=checked_value(config, "name", str),
        rows=read_whole_metric_rows(folder.path / "metrics.csv")[0],
        codon_embeddings=model.codec.codon_map().cpu().numpy(),
        config=(folder.path / "config.yaml").read_text(),
    )
    write_metrics(folder.path, metrics)
    print(held_out_table(metrics))
    print(f"\nThe model is in {folder.path / 'model'}\nThe report is in {page}")


def _check_before_anything_is_written(config: DictConfig, stage: str) -> None:
    """Builds every part without memory, so that a wrong value is found before the first stage begins."""
    with torch.device("meta"):
        construct(config.model, teacher_width=1)
        construct(config.kd, width=1)
    construct(config.engine)
    construct(config.data.reading, seed=0)
    for node in (config.data.split, config.data.batch, config.data.mixture):
        construct(node)
    for node in (config.objective.joint, config.objective.masking):
        construct(node)
    for node in (config.optim.tokenizer, config.optim.encoder, config.heldout):
        construct(node)
    if stage == "encoder":
        own = Path(checked_value(config, "run_dir", str)).expanduser() / "tokenizer" / "model"
        read_config(_codec_folder(config, own), family=CODEC_FAMILY)


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
    with PreparationProgress() as progress:
        corpus = prepare_corpus(
            inputs,
            folder,
            split=construct(config.data.split),
            reading=construct(config.data.reading, seed=checked_value(config, "seed", int)),
            seed=checked_value(config, "seed", int),
            engine=construct(config.engine),
            progress=progress,
        )
    corpus.check_files()
    return corpus


def _data(
    config: DictConfig, corpus: Corpus, num_workers: int, features: ResidueFeatures | None
) -> CorpusDataModule:
    return CorpusDataModule(
        corpus,
        shape=construct(config.data.batch),
        mixture=construct(config.data.mixture),
        masking=construct(config.objective.masking),
        seed=checked_value(config, "seed", int),
        reverse_complement=checked_value(config, "data.reverse_complement", bool),
        max_unknown_fraction=checked_value(config, "data.max_unknown_fraction", float),
        validation_steps=checked_value(config, "data.validation_steps", int),
        features=features,
        num_workers=num_workers,
    )


def _teacher_features(config: DictConfig, corpus: Corpus, folder: Path) -> TeacherFeatures | None:
    """Features of the training and held-out proteins that the teacher is given time for."""
    if config.teacher.model is None:
        return None
    teacher = construct(config.teacher.model)
    proteins: list[str] = []
    for split, key in (("train", "max_train_residues"), (SPLIT, "max_heldout_residues")):
        table = corpus.segments("cds", split)
        own = [table.protein(i) for i in range(len(table))]
        chosen = select_proteins(
            own, checked_value(config, f"teacher.{key}", int), checked_value(config, "seed", int)
        )
        residues = sum(map(len, chosen))
        print(
            f"{teacher.name} reads {len(chosen):,} of {len(own):,} {split} proteins ({residues:,} residues)"
        )
        proteins += chosen
    with Progress(transient=True) as progress:
        task = progress.add_task("teacher", total=None)
        return TeacherFeatures.build(
            teacher,
            proteins,
            folder,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )


def _codec_folder(config: DictConfig, own: Path) -> Path:
    """The tokenizer that stage 2 begins with: a model folder, a run folder, or this run's `own`."""
    if config.tokenizer_checkpoint is None:
        if not own.exists():
            raise UserError(
                "there is no trained tokenizer in this run",
                source=own,
                remedy="Train it with stage=both, or give tokenizer_checkpoint=another/run",
            )
        return own
    path = Path(checked_value(config, "tokenizer_checkpoint", str)).expanduser()
    in_run = path / "tokenizer" / "model"
    return in_run if in_run.exists() else path


def _loggers(config: DictConfig) -> list[Logger]:
    return [construct(node) for node in config.logger.values()]


def _quiet_lightning() -> None:
    """Only what concerns the user: devices, tips and missing workers do not."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    for message in (".*many workers.*", ".*mid-epoch.*", ".*`IterableDataset` has.*", ".*LeafSpec.*"):
        warnings.filterwarnings("ignore", message=message)
