"""The teacher's part of `lifecode train`: what it reads, where that is kept, and what training sees of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from omegaconf import DictConfig
from pydantic import Field

from lifecode.app.configs.construct import checked_value, construct
from lifecode.data.batches.batch import ResidueFeatures
from lifecode.data.corpus.corpus import Corpus
from lifecode.errors import UserError
from lifecode.evaluation.evaluate import SPLIT
from lifecode.host.activity import Activity
from lifecode.host.recorded import read_recorded, write_recorded
from lifecode.names import display_name
from lifecode.teachers.base import ProteinTeacher
from lifecode.teachers.cache import FeatureCache
from lifecode.teachers.features import TeacherFeatures
from lifecode.teachers.selection import select_proteins
from lifecode.teachers.shuffled import ShuffledFeatures
from lifecode.verbs.train.printed_numbers import size

Arm = Literal["own", "shuffled", "none"]


class Teaching(NamedTuple):
    """What a teacher says.

    Attributes:
        features: of the training and held-out proteins that it was given time for.
        arm: what training sees of them.
        targets: that, or None if training does without.
    """

    features: TeacherFeatures
    arm: Arm
    targets: ResidueFeatures | None


def check_teacher(config: DictConfig) -> None:
    """Finds a missing package or an unknown checkpoint before hours of training."""
    if config.teacher.model is not None:
        construct(config.teacher.model)


def check_teacher_values(config: DictConfig) -> None:
    """Finds a wrong value of how a teacher is used, without its weights."""
    if config.teacher.model is None:
        return
    _arm(config)
    _cache_folder(config, Path())
    checked_value(config, "teacher.verify_cache", bool)
    for key in ("max_train_residues", "max_heldout_residues"):
        max_residues(config, key)


def teach(config: DictConfig, corpus: Corpus, own_folder: Path) -> Teaching | None:
    """The teacher's features, computed where the cache lacks them.

    Args:
        config: `teacher` says which one, and `seed` which proteins it reads if there are too many.
        corpus: whose proteins are read.
        own_folder: of the run, where features are kept unless `teacher.cache` names another; the teacher's
            name is kept beside it.

    Raises:
        UserError: an earlier sitting of the run learned from another teacher, or no protein is left to learn.
    """
    if config.teacher.model is None:
        return None
    teacher: ProteinTeacher = construct(config.teacher.model)
    cache = FeatureCache(
        _cache_folder(config, own_folder),
        teacher,
        verify=checked_value(config, "teacher.verify_cache", bool),
    )
    _require_same_teacher(own_folder.with_suffix(".txt"), teacher.name)
    train = _chosen(config, corpus, teacher.name, "train", "max_train_residues")
    held_out = _chosen(config, corpus, teacher.name, SPLIT, "max_heldout_residues")
    arm = _arm(config)
    if arm != "none" and not train:
        raise UserError(
            "leaves the teacher no training protein, so that there is nothing to distil",
            source="teacher.max_train_residues",
            remedy="Give more residues than the longest protein has, or teacher.targets=none",
        )
    _say_disk_use(cache, train + held_out)
    with Activity() as activity:
        features = cache.features(
            train + held_out,
            progress=lambda done, total: activity.say(f"residues read by {teacher.name}", done, total),
        )
    targets: dict[Arm, Callable[[], ResidueFeatures | None]] = {
        "own": lambda: features,
        "shuffled": lambda: ShuffledFeatures(cache.features(train), checked_value(config, "seed", int)),
        "none": lambda: None,
    }
    return Teaching(features, arm, targets[arm]())


def _require_same_teacher(path: Path, name: str) -> None:
    """One run learns from one teacher, whose precision may follow the device."""
    before = read_recorded(path, remedy=f"If this run has learned from {name}, delete the file")
    if before is None:
        write_recorded(path, name)
    elif before != name:
        raise UserError(
            f"this run has learned from {before}, and here the teacher is {name}",
            source="teacher.model",
            remedy="Its last word is the precision: give teacher.model.precision, or another run_dir",
        )


def _chosen(config: DictConfig, corpus: Corpus, name: str, split: str, key: str) -> list[str]:
    """The distinct proteins of a split that the teacher is given time for."""
    table = corpus.segments("cds", split)
    own = [table.protein(index) for index in range(len(table))]
    chosen = select_proteins(own, max_residues(config, key), checked_value(config, "seed", int))
    residues = f"{sum(map(len, chosen)):,} residues"
    print(f"{display_name(name)} reads {len(chosen):,} of {len(own):,} {split} proteins ({residues})")
    return chosen


def _say_disk_use(cache: FeatureCache, proteins: list[str]) -> None:
    total, missing, free = cache.disk_use(proteins)
    print(
        f"Its features take {size(total)} in {cache.folder}; "
        f"{size(missing)} are still to be computed, {size(free)} are free"
    )
    if missing > free:
        raise UserError(
            f"the teacher's features need {size(missing)}, and {size(free)} are free",
            source=cache.folder,
            remedy="Lower teacher.max_train_residues, or give teacher.cache a folder on a larger disk",
        )


def _arm(config: DictConfig) -> Arm:
    return checked_value(config, "teacher.targets", Arm)


def max_residues(config: DictConfig, key: str) -> int | None:
    """How many residues of a split the teacher reads at most; None for all."""
    return checked_value(config, f"teacher.{key}", Annotated[int | None, Field(ge=1)])


def _cache_folder(config: DictConfig, own: Path) -> Path:
    folder = checked_value(config, "teacher.cache", str | None)
    return own if folder is None else Path(folder).expanduser()
