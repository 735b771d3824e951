"""`lifecode train plan=true`: what a run of any family would do, stage by stage."""

from collections.abc import Mapping
from typing import NamedTuple

from lifecode.data.corpus.corpus import Corpus
from lifecode.data.statistics.training_size import TrainingSize
from lifecode.training.plan import StagePlan
from lifecode.verbs.train.life_code.teacher import Arm


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


class RunPlan(NamedTuple):
    """What `lifecode train` would do.

    Attributes:
        name: of the run.
        stages: plans of the stages that would run.
        flops_per_second: of each process, if the user says so.
        assumption: what is taken of the rows where no corpus tells.
        size: of the training data, or None where it is not known.
        missing_input: why the input could not be looked at, or None.
        passes: how often each kind is read in a stage, by stage and kind; empty without `size`.
        corpus: that was found, or None.
        teacher: None without one.
    """

    name: str
    stages: list[StagePlan]
    flops_per_second: float | None
    assumption: str = "Rows are taken as full, of one sequence each: the most codons and operations that fit."
    size: TrainingSize | None = None
    missing_input: str | None = None
    passes: Mapping[str, Mapping[str, float]] = {}
    corpus: Corpus | None = None
    teacher: TeacherPlan | None = None
