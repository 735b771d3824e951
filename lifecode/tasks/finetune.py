"""Learning a task on an encoder, frozen or tuned, beside its baselines, each through the same rounds."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import torch

from lifecode.errors import UserError
from lifecode.models.saved import SavedModel
from lifecode.tasks.baselines import Baseline, features_of, head_of, usual_baselines
from lifecode.tasks.contest import Contest, Entry
from lifecode.tasks.entrants import Entrant, ProbeEntrant, TuningEntrant
from lifecode.tasks.evidence import Evidence, evidence_of
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.examples.sequence_task import SequenceTask, TaskData, read_task
from lifecode.tasks.families.registry import reading_of
from lifecode.tasks.position_probe import PositionProbe, usual_position_baselines
from lifecode.tasks.predictions import predictions_table
from lifecode.tasks.probe import Probe
from lifecode.tasks.scores import chosen_metric
from lifecode.tasks.splits.leaks import Leaks, find_leaks
from lifecode.tasks.splits.rounds import Rounds, rounds_of
from lifecode.tasks.tuned_model import TunedModel
from lifecode.tasks.tuning.tuned_network import TunedNetwork
from lifecode.tasks.tuning.tuner import TuningPlan

if TYPE_CHECKING:
    from pandas import DataFrame

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finetuned:
    """What a fine-tuning gave.

    Attributes:
        model: of all examples outside the test file.
        metrics: as metrics.json has them.
        table: of held-out examples: id, label, prediction, and of classes the probability of each.
        labels: kind and classes.
        leaks: what held-out examples share with others.
        notes: what was found rather than said.
        evidence: what every model says of the held-out examples.
    """

    model: TunedModel | TunedNetwork
    metrics: dict[str, Any]
    table: pa.Table
    labels: Labels
    leaks: Leaks
    notes: list[str]
    evidence: Evidence

    @property
    def predictions(self) -> "DataFrame":
        """`table` as a pandas frame."""
        return self.table.to_pandas()


def tune(
    task: SequenceTask,
    model: SavedModel,
    *,
    name: str,
    probe: Probe,
    plan: TuningPlan | None = None,
    work: Path | None = None,
    trained: bool = True,
    seeds: int = 1,
    folds: int = 5,
    seed: int = 0,
    baselines: Sequence[Baseline] | None = None,
    without: Sequence[Baseline] = (),
    say: Say = lambda _: None,
) -> Finetuned:
    """Learn a task on an encoder, and measure it beside its baselines.

    Args:
        task: files, labels, split.
        model: the encoder, which stays as it is.
        name: of the encoder, in tables.
        probe: what the head reads, and which head.
        plan: how to tune by gradient; None takes the probe.
        work: folder that keeps what tuning has done, for a run that is killed; None keeps nothing.
        trained: whether the encoder is; of an untrained one no untrained twin is measured.
        seeds: splits into folds; with a test file, choices of the head's strength.
        folds: held out in turn, without a test file.
        seed: the first of the seeds.
        baselines: None takes `usual_baselines`.
        without: baselines that are left out of these.
        say: told what is being done.

    Raises:
        UserError: what the task's files or the settings do not allow.
    """
    if seeds < 1:
        raise UserError("is less than 1", source="seeds")
    data = read_task(task)
    metric = chosen_metric(data.labels.kind, task.metric)
    rounds = rounds_of(task, data, num_folds=folds, seeds=[seed + i for i in range(seeds)])
    contest = Contest(rounds, data.labels)
    sequences = rounds.examples.sequences
    data.notes.extend(reading_of(model, data.molecule).notes(sequences))
    say("looking for leaks")
    leaks = _leaks(rounds, data, model)

    told = {"task": _given(task), "encoder": name, "examples": rounds.num_train, "molecule": data.molecule}
    entrant: Entrant
    of_positions: PositionProbe | None = None
    if data.labels.unit != "sequence":
        of_positions = PositionProbe(probe, contest, data.labels, rounds.examples, data.molecule, told)
    if plan is None and of_positions is not None:
        entrant = of_positions
    elif plan is None:
        entrant = ProbeEntrant(probe, contest, rounds.examples, data, told, say)
    else:
        entrant = TuningEntrant(
            plan,
            contest,
            rounds.examples,
            data,
            told,
            metric=metric,
            work=work,
            say=say,
        )
    ours = entrant.enter(model, name)
    entries: dict[str, Entry] = {}
    usual = (
        usual_baselines(data.molecule, data.labels.kind)
        if of_positions is None
        else usual_position_baselines(data.molecule, data.labels.unit)
    )
    if plan is not None and of_positions is not None:
        data.notes.extend(of_positions.notes())
    for baseline in usual if baselines is None else baselines:
        if baseline in without:
            continue
        say(f"{baseline}: fitting")
        if baseline != "untrained" and of_positions is not None:
            entries[baseline] = of_positions.baseline(baseline)
        elif baseline != "untrained":
            own = features_of(baseline, data.train, data.molecule)
            learner = None if own is None else head_of(baseline, data.labels.kind)
            entries[baseline] = contest.enter([] if own is None else [own(sequences)], learner)
        elif trained:
            entries[baseline] = entrant.enter(untrained_twin(model, seed), "untrained")
    entries |= entrant.controls()
    say(f"{name}: fitting on all examples")
    tuned = entrant.fitted(rounds.everything())
    rows, combined = contest.combined(ours)
    return Finetuned(
        model=tuned,
        metrics={
            "task": _given(task),
            "kind": data.labels.kind,
            "classes": list(data.labels.classes),
            "unit": data.labels.unit,
            "encoder": name,
            **entrant.described(),
            "split": contest.described(),
            **contest.table(ours, entries, metric),
            "published": task.published or {},
            "leaks": asdict(leaks),
        },
        table=predictions_table(rounds.examples.at(rows), data.labels, combined),
        labels=data.labels,
        leaks=leaks,
        notes=data.notes,
        evidence=evidence_of(
            contest, {name: ours, **entries}, name, rounds.examples.ids, rounds.examples.texts(data.molecule)
        ),
    )


def untrained_twin(model: SavedModel, seed: int) -> SavedModel:
    """A model of the same shape with new weights, by this seed; torch's own random state stays."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return type(model).from_config(model.config).eval()


def _given(task: SequenceTask) -> dict[str, Any]:
    """What the task says, without what it leaves open."""
    return {key: value for key, value in asdict(task).items() if value is not None}


def _leaks(rounds: Rounds[Examples], data: TaskData, model: SavedModel) -> Leaks:
    split, held_out = rounds.first_split, rounds.first_held_out
    return find_leaks(rounds.examples, split, held_out, data.molecule, model.training_genes)
