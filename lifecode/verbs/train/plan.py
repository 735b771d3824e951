"""`lifecode train plan=true`: what a run would be, from its config; trains nothing and writes nothing."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from omegaconf import DictConfig, OmegaConf

from lifecode.app.configs.construct import checked_value, construct
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.mixture import Mixture
from lifecode.data.batches.row_contents import RowContents, assumed_contents, measured_contents
from lifecode.data.batches.stream import TrainingStream
from lifecode.data.corpus.corpus import Corpus
from lifecode.data.corpus.shards import CDS
from lifecode.data.statistics.training_size import TrainingSize, size_of_corpus, size_of_inputs
from lifecode.errors import UserError
from lifecode.teachers.width import stated_width
from lifecode.training.plan import StagePlan, plan_stage
from lifecode.training.run.run_folder import config_leaves, read_run_config
from lifecode.training.stages.encoder_stage import EncoderStage
from lifecode.training.stages.tokenizer_stage import TokenizerStage
from lifecode.training.trainer import TrainerSettings
from lifecode.verbs.train.start_of_encoder import begins_elsewhere
from lifecode.verbs.train.teacher import Arm, max_residues


class TeacherPlan(NamedTuple):
    """What distillation needs.

    Attributes:
        width: D', features per residue.
        targets: what training sees of them: `own`, `shuffled` or `none`.
        num_residues: that the teacher reads, at most; None where the input is not known.
    """

    width: int
    targets: Arm
    num_residues: float | None

    @property
    def cache_bytes(self) -> float | None:
        """Features in half precision."""
        return None if self.num_residues is None else 2 * self.width * self.num_residues


class RunPlan(NamedTuple):
    """What `lifecode train` would do.

    Attributes:
        name: of the run.
        stages: plans of the stages that would run.
        settings: of the trainer.
        size: of the training data, or None where it is not known.
        passes: how often each kind is read in a stage, by stage and kind; empty without `size`.
        corpus: that was found, or None.
        missing_input: why the input could not be looked at, or None.
        teacher: None without one.
        flops_per_second: of each process, if the user says so.
        assumption: what is taken of the rows where no corpus tells.
    """

    name: str
    stages: list[StagePlan]
    settings: TrainerSettings
    size: TrainingSize | None
    passes: dict[str, dict[str, float]]
    corpus: Corpus | None
    missing_input: str | None
    teacher: TeacherPlan | None
    flops_per_second: float | None
    assumption: str = "Rows are taken as full, of one sequence each: the most codons and operations that fit."


def plan_run(config: DictConfig) -> RunPlan:
    """The plan of a run; its values are checked as for training.

    Raises:
        UserError: a value that does not fit, or an input that cannot be read.
    """
    stage = checked_value(config, "stage", Literal["tokenizer", "encoder", "both"])
    if stage == "both" and begins_elsewhere(config):
        stage = "encoder"
    settings: TrainerSettings = construct(config.trainer)
    mixture: Mixture = construct(config.data.mixture)
    corpus = _corpus(config)
    size, missing = (size_of_corpus(corpus.report), None) if corpus else _size_of_input(config)
    shares = mixture.shares([kind for kind, n in size.codons.items() if n] if size else mixture.kinds)
    teacher = _teacher(config, size) if stage != "tokenizer" else None
    plans = []
    for name, node in (("tokenizer", config.data.tokenizer_batch), ("encoder", config.data.batch)):
        if stage in (name, "both"):
            shape: BatchShape = construct(node)
            part = stage_without_memory(config, name, teacher)
            contents = (
                _contents(config, corpus, shape, mixture)
                if corpus
                else partial(assumed_contents, shares=shares)
            )
            plans.append(plan_stage(part, shape, construct(config.objective.masking), settings, contents))
    a_pass = dict(size.codons) if size else {}
    if corpus:
        a_pass[CDS] = mixture.codons_of_pass(corpus.segments(CDS, "train"))
    passes = {
        plan.stage.name: {kind: share * plan.num_positions / a_pass[kind] for kind, share in shares.items()}
        for plan in plans
        if size
    }
    name = checked_value(config, "name", str)
    rate = checked_value(config, "plan_flops_per_second", float | None)
    return RunPlan(name, plans, settings, size, passes, corpus, missing, teacher, rate)


def stage_without_memory(
    config: DictConfig, name: str, teacher: TeacherPlan | None
) -> TokenizerStage | EncoderStage:
    """A stage as training makes it, without memory for its weights."""
    width = teacher.width if teacher else None
    distilled = teacher is not None and teacher.targets != "none"
    shared = {
        "objective": construct(config.objective.joint),
        "task_gradients_every_steps": checked_value(config, "objective.task_gradients_every_steps", int),
    }
    with torch.device("meta"):
        if name == "tokenizer":
            codec = construct(config.model.codec)
            return TokenizerStage(codec, optimizer=construct(config.optim.tokenizer), **shared)
        return EncoderStage(
            construct(config.model, teacher_width=width),
            optimizer=construct(config.optim.encoder),
            distillation=construct(config.kd, width=width) if distilled else None,
            freeze_tokenizer=checked_value(config, "objective.freeze_tokenizer", bool),
            freeze_readout=checked_value(config, "objective.freeze_readout", bool),
            **shared,
        )


def _corpus(config: DictConfig) -> Corpus | None:
    """The corpus that a sitting before has left in the run folder, if it is of the same input."""
    run = Path(checked_value(config, "run_dir", str)).expanduser()
    if not (run / "corpus" / "manifest.json").exists():
        return None
    if (run / "config.yaml").exists():
        both = (read_run_config(run / "config.yaml"), OmegaConf.to_container(config, resolve=True))
        depends = ("input", "seed", "data.reading.", "data.split.")
        before, now = (
            {key: value for key, value in config_leaves(one).items() if key.startswith(depends)}
            for one in both
        )
        if before != now:
            return None
    return Corpus.open(run / "corpus")


def _size_of_input(config: DictConfig) -> tuple[TrainingSize | None, str | None]:
    """The size of the input and, where that is not known, why."""
    inputs = checked_value(config, "input", str | list[str] | None)
    if inputs is None:
        return None, "no input is given"
    reading = construct(config.data.reading, seed=checked_value(config, "seed", int))
    try:
        size = size_of_inputs(inputs, reading, construct(config.data.split))
    except UserError as error:
        return None, str(error)
    return size, None if size else "the input is too large to be read for a plan"


def _contents(
    config: DictConfig, corpus: Corpus, shape: BatchShape, mixture: Mixture
) -> Callable[[int], RowContents]:
    """What the rows of a corpus hold, from the first chunk of each length."""

    @cache
    def contents(max_codons: int) -> RowContents:
        stream = TrainingStream(
            corpus,
            shape=BatchShape(max_codons=max_codons, rows=1),
            mixture=mixture,
            masking=construct(config.objective.masking),
            seed=checked_value(config, "seed", int),
            reverse_complement=checked_value(config, "data.reverse_complement", bool),
            max_unknown_fraction=checked_value(config, "data.max_unknown_fraction", float),
        )
        return measured_contents(stream.first_chunk())

    return contents


def _teacher(config: DictConfig, size: TrainingSize | None) -> TeacherPlan | None:
    """The teacher's width, without its weights where its configuration tells, and the residues it reads."""
    node = config.teacher.model
    if node is None:
        return None
    width = stated_width(node._target_, node.get("checkpoint")) or construct(node).width
    targets = checked_value(config, "teacher.targets", Arm)
    if size is None:
        return TeacherPlan(width, targets, None)
    residues = 0.0
    for key, available in (
        ("max_train_residues", size.train_residues),
        ("max_heldout_residues", size.test_residues),
    ):
        most = max_residues(config, key)
        residues += available if most is None else min(most, available)
    return TeacherPlan(width, targets, residues)
