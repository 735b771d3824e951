"""What a run of Life-Code would be, from its config; trains nothing and writes nothing."""

import math
from functools import partial
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from lifecode.app.configs.construct import checked_value, construct, locate
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.mixture import Mixture
from lifecode.data.batches.row_contents import RowContents, assumed_contents, measured_contents
from lifecode.data.batches.stream import TrainingStream
from lifecode.data.corpus.corpus import Corpus
from lifecode.data.statistics.training_size import TrainingSize, size_of_corpus, size_of_inputs
from lifecode.errors import UserError
from lifecode.training.plan import plan_stage
from lifecode.training.run.run_folder import config_leaves, read_run_config
from lifecode.training.trainer import TrainerSettings
from lifecode.verbs.train.life_code.stage_without_memory import stage_without_memory
from lifecode.verbs.train.life_code.start_of_encoder import begins_elsewhere
from lifecode.verbs.train.life_code.teacher import Arm, max_residues
from lifecode.verbs.train.plan import RunPlan, TeacherPlan
from lifecode.verbs.train.seed_of_batches import seed_of_batches
from lifecode.verbs.train.stage_choice import stage_choice


def plan_run(config: DictConfig) -> RunPlan:
    """The plan of a run; its values are checked as for training.

    Raises:
        UserError: a value that does not fit, or an input that cannot be read.
    """
    stage = stage_choice(config)
    if stage == "both" and begins_elsewhere(config):
        stage = "encoder"
    settings: TrainerSettings = construct(config.trainer)
    mixture: Mixture = construct(config.data.mixture)
    corpus = _corpus(config)
    size, missing = (size_of_corpus(corpus, mixture), None) if corpus else _size_of_input(config)
    shares = mixture.shares([kind for kind, n in size.codons.items() if n] if size else mixture.kinds)
    teacher = _teacher(config, size) if stage != "tokenizer" else None
    width = teacher.width if teacher else None
    contents = partial(_contents, config, corpus) if corpus else partial(assumed_contents, shares=shares)
    masking = construct(config.objective.masking)
    plans = [
        plan_stage(stage_without_memory(config, name, width), construct(shape), masking, settings, contents)
        for name, shape in (("tokenizer", config.data.tokenizer_batch), ("encoder", config.data.batch))
        if stage in (name, "both")
    ]
    passes = {
        plan.stage.name: {
            kind: share * plan.num_positions / size.codons[kind] for kind, share in shares.items()
        }
        for plan in plans
        if size
    }
    name = checked_value(config, "name", str)
    rate = checked_value(config, "plan_flops_per_second", float | None)
    return RunPlan(
        name, plans, rate, size=size, missing_input=missing, passes=passes, corpus=corpus, teacher=teacher
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


def _contents(config: DictConfig, corpus: Corpus, max_codons: int) -> RowContents:
    """What the rows of a corpus hold, from the first group of them of this length."""
    stream = TrainingStream(
        corpus,
        shape=BatchShape(max_codons=max_codons, rows=1),
        mixture=construct(config.data.mixture),
        masking=construct(config.objective.masking),
        seed=seed_of_batches(config),
        reverse_complement=checked_value(config, "data.reverse_complement", bool),
        max_unknown_fraction=checked_value(config, "data.max_unknown_fraction", float),
    )
    return measured_contents(stream.first_group())


def _teacher(config: DictConfig, size: TrainingSize | None) -> TeacherPlan | None:
    """The teacher's width, without its weights where its configuration tells, and the residues it reads."""
    node = config.teacher.model
    if node is None:
        return None
    targets = checked_value(config, "teacher.targets", Arm)
    stated = getattr(locate(node._target_, "teacher.model._target_"), "stated_width", None)
    width = (stated and stated(node.get("checkpoint"))) or construct(node).width
    if size is None:
        return TeacherPlan(width, targets, None)
    available = {"max_train_residues": size.train_residues, "max_heldout_residues": size.test_residues}
    residues = sum(min(n, max_residues(config, key) or math.inf) for key, n in available.items())
    return TeacherPlan(width, targets, residues)
