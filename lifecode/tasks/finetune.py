"""Learning a task of sequences or of pairs on an encoder, frozen or tuned, beside its baselines."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lifecode.models.saved import SavedModel
from lifecode.tasks.competitors.by_gradient import learner_of
from lifecode.tasks.competitors.competitor import Competitor, ModelReader, Say
from lifecode.tasks.competitors.learner import Learner, competitors
from lifecode.tasks.competitors.opened_task import OpenedTask, given_keys, opened_task
from lifecode.tasks.competitors.without_leaks import rows_without_leaks
from lifecode.tasks.contest import Contest, Entry
from lifecode.tasks.evidence import Evidence, evidence_of
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.examples.task_data import TaskData
from lifecode.tasks.names_in_tables import UNTRAINED, AnyBaseline, TaskKind, require_baselines
from lifecode.tasks.pairs.pair_baselines import pair_warnings
from lifecode.tasks.pairs.pair_head import PairHead
from lifecode.tasks.pairs.pair_leaks import PairLeaks
from lifecode.tasks.pairs.pair_task import PairTask
from lifecode.tasks.predictions import predictions_table
from lifecode.tasks.probe import Probe
from lifecode.tasks.scores import chosen_metric
from lifecode.tasks.splits.leaks import Leaks
from lifecode.tasks.tuned_model import Tuned
from lifecode.tasks.tuning.settings import TuningSettings

if TYPE_CHECKING:
    from pandas import DataFrame

_SHORTEST_WINDOW = 9
"""Letters; in fewer there are hardly places to tell apart."""
METRICS, COMPARED = "metrics.json", "compared.csv"
"""Of a run's folder: its figures, and of sequences and pairs `Evidence.compared`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finetuned:
    """What a fine-tuning gave.

    Attributes:
        model: of all examples outside the test file; None where its head is not kept (gradient boosting).
        metrics: as metrics.json has them.
        table: of held-out examples: id, label, prediction, and of classes the probability of each; of folds
            of one seed also the number of the fold, from 1 on.
        labels: kind and classes.
        leaks: what held-out examples share with others.
        notes: what was found rather than said, and why figures may be no evidence.
        evidence: what every model says of the held-out examples.
    """

    model: Tuned | None
    metrics: dict[str, Any]
    table: pa.Table
    labels: Labels
    leaks: Leaks | PairLeaks
    notes: list[str]
    evidence: Evidence

    @property
    def predictions(self) -> "DataFrame":
        """`table` as a pandas frame."""
        return self.table.to_pandas()


def tune(
    task: SequenceTask | PairTask,
    model: SavedModel,
    *,
    name: str,
    probe: Probe,
    pair: PairHead | None = None,
    by_gradient: TuningSettings | None = None,
    work: Path | None = None,
    trained: bool = True,
    seeds: int = 1,
    folds: int = 5,
    seed: int = 0,
    baselines: Sequence[AnyBaseline] | None = None,
    without: Sequence[AnyBaseline] = (),
    drop_leaks: bool = False,
    say: Say = lambda _: None,
) -> Finetuned:
    """Learn a task on an encoder, and measure it beside its baselines.

    Args:
        task: files, labels, split.
        model: the encoder, which stays as it is.
        name: of the encoder, in tables; of a trained one as `model_name` gives it.
        probe: what the head of a probe reads, and which head.
        pair: of pairs, how both sides are joined.
        by_gradient: how to tune; None takes the probe.
        work: folder that keeps what tuning has done, for a run that is killed; None keeps nothing.
        trained: whether the encoder is; of an untrained one no untrained twin is measured.
        seeds: splits into folds; with a test file, choices of the head's strength.
        folds: held out in turn, without a test file.
        seed: the first of the seeds.
        baselines: None takes the usual ones of the unit.
        without: baselines that are left out of these.
        drop_leaks: leave out of a test file what is learnt from, or has been read by the encoder.
        say: told what is being done.

    Raises:
        UserError: what the task's files or the settings do not allow.
    """
    kind: TaskKind = "pairs" if isinstance(task, PairTask) else "sequences"
    for key, names in (("baselines", baselines), ("without", without)):
        require_baselines(names, key, [kind])
    opened = opened_task(
        task,
        None,
        num_folds=folds,
        seeds=[seed + i for i in range(seeds)],
        of_test=partial(rows_without_leaks, training_genes=model.training_genes) if drop_leaks else None,
    )
    data, contest = opened.data, opened.contest
    metric = chosen_metric(data.labels.kind, task.metric)
    say("looking for leaks")
    leaks = opened.leaks(model.training_genes)

    learner = learner_of(opened, by_gradient, probe, pair or PairHead(), metric=metric, work=work, say=say)
    reader = ModelReader(name, model)
    left_out = [*without, *([] if trained else [UNTRAINED])]
    everybody = competitors(learner, [reader], baselines, left_out, seed, data.notes)
    entries = _measured(contest, everybody, name, say)
    ours = entries[name]
    say(f"{name}: fitting on all examples")
    told = {"task": given_keys(task), "encoder": name, "examples": opened.rounds.num_train, **opened.told}
    tuned = learner.fitted(reader, opened.rounds.everything(), told)
    table = contest.table(ours, {other: each for other, each in entries.items() if other != name}, metric)
    warnings = [] if opened.pairs is None else pair_warnings(opened.pairs, {name: table})
    rows, combined = contest.combined(ours)
    predictions = predictions_table(opened.examples.at(rows), data.labels, data.labels.given(combined))
    return Finetuned(
        model=tuned,
        metrics=_described(task, opened, name, learner)
        | {
            **table,
            "published": task.published or {},
            "leaks": asdict(leaks),
            **({} if opened.pairs is None else {"warnings": warnings}),
        },
        table=_with_folds(predictions, opened, rows),
        labels=data.labels,
        leaks=leaks,
        notes=[*data.notes, *_hints(opened, probe, by_gradient), *learner.notes(), *warnings],
        evidence=evidence_of(contest, entries, name, opened.examples.ids, opened.examples.texts()),
    )


def _described(
    task: SequenceTask | PairTask, opened: OpenedTask, name: str, learner: Learner
) -> dict[str, Any]:
    """What was learnt by whom, how, and from which examples."""
    labels = opened.data.labels
    return {
        "task": given_keys(task),
        "kind": labels.kind,
        "classes": list(labels.classes),
        "unit": opened.unit,
        "encoder": name,
        **learner.described(),
        "split": opened.contest.described(),
        **({} if opened.test_rows is None else {"test_rows": opened.test_rows.tolist()}),
    }


def _with_folds(table: pa.Table, opened: OpenedTask, rows: NDArray[np.int64]) -> pa.Table:
    """The predictions with the fold that each was held out in, where each was once."""
    rounds = opened.rounds
    if rounds.has_test or len(rounds.seeds) > 1:
        return table
    folds = rounds.first_split[rows] + 1
    if opened.data.labels.unit != "sequence":
        folds = np.repeat(folds, [len(labels) for labels in opened.examples.labels[rows]])
    return table.append_column("fold", pa.array(folds))


def _measured(contest: Contest, everybody: Sequence[Competitor], name: str, say: Say) -> dict[str, Entry]:
    """What each said of the held-out rows, by its name; the untrained twin of the model goes by that word."""
    entries: dict[str, Entry] = {}
    for each in everybody:
        entry_name = UNTRAINED if each.name == f"{UNTRAINED} {name}" else each.name
        assert entry_name not in entries, f"two competitors are called {entry_name!r}"
        say(f"{entry_name}: fitting")
        entries[entry_name] = contest.measured(each.predictions())
    return entries


def _hints(opened: OpenedTask, probe: Probe, by_gradient: TuningSettings | None) -> list[str]:
    """What may fit the examples better than a default; docs/results.md has what was measured of it."""
    key, pools = ("probe", probe.pools) if by_gradient is None else ("head", by_gradient.head.pools)
    data, examples = opened.data, opened.examples
    if pools is not None or not isinstance(data, TaskData) or opened.unit != "sequence":
        return []
    lengths = {len(ids) for ids in examples.sequences} if isinstance(examples, Examples) else set()
    if len(lengths) != 1 or max(lengths) < _SHORTEST_WINDOW:
        return []
    frames = f", {key}.frames=0" if data.molecule == "dna" else ""
    return [
        f"all sequences have one length, {max(lengths):,}: if the label hangs on a place in them, "
        f"{key}.pools=[centre] or [positions]{frames}, {key}.window may fit better than their mean"
    ]
