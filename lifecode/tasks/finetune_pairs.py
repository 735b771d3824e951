"""Learning a task of pairs on the frozen states of both sides, beside its baselines."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lifecode.errors import UserError
from lifecode.tasks.competitors.competitor import Reader, Say
from lifecode.tasks.competitors.of_pairs import of_pairs
from lifecode.tasks.contest import Contest, Entry
from lifecode.tasks.evidence import Evidence, evidence_of
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.pairs.pair_baselines import PairBaseline, pair_warnings
from lifecode.tasks.pairs.pair_examples import PairLeaks, pair_leaks
from lifecode.tasks.pairs.pair_head import PairHead
from lifecode.tasks.pairs.pair_rounds import rounds_of_pairs
from lifecode.tasks.pairs.pair_task import PairTask, read_pairs
from lifecode.tasks.predictions import predictions_table
from lifecode.tasks.probe import Probe
from lifecode.tasks.scores import chosen_metric

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class FinetunedPairs:
    """What a fine-tuning on pairs gave; its heads are measured and not kept.

    Attributes:
        metrics: as metrics.json has them.
        table: of held-out pairs: id, label, prediction, and of classes the probability of each.
        labels: kind and classes.
        leaks: what held-out pairs share with others.
        notes: what was found rather than said, and why figures may be no evidence.
        evidence: what every model says of the held-out pairs.
    """

    metrics: dict[str, Any]
    table: pa.Table
    labels: Labels
    leaks: PairLeaks
    notes: list[str]
    evidence: Evidence

    @property
    def predictions(self) -> "DataFrame":
        """`table` as a pandas frame."""
        return self.table.to_pandas()


def tune_pairs(
    task: PairTask,
    reader: Reader,
    *,
    probe: Probe,
    pair: PairHead,
    trained: bool = True,
    seeds: int = 1,
    folds: int = 5,
    seed: int = 0,
    baselines: Sequence[PairBaseline] | None = None,
    without: Sequence[PairBaseline] = (),
    say: Say = lambda _: None,
) -> FinetunedPairs:
    """Learn a task of pairs by a probe of an encoder, and measure it beside its baselines.

    Args:
        task: files, labels, split.
        reader: the encoder, under its name.
        probe: what is read of it; its `beside` and `head` are of single sequences and stay as they are.
        pair: how both sides are joined, and the head.
        trained: whether the encoder is; of an untrained one no untrained twin is measured.
        seeds: splits into folds; with a test file, choices of the head's strength.
        folds: held out in turn, without a test file.
        seed: the first of the seeds.
        baselines: None takes `usual_pair_baselines`.
        without: baselines that are left out of these.
        say: told what is being done.

    Raises:
        UserError: what the task's files or the settings do not allow.
    """
    if seeds < 1:
        raise UserError("is less than 1", source="seeds")
    data = read_pairs(task)
    metric = chosen_metric(data.labels.kind, task.metric)
    rounds = rounds_of_pairs(task, data, num_folds=folds, seeds=[seed + i for i in range(seeds)])
    examples, contest = rounds.examples, Contest(rounds, data.labels)
    leaks = pair_leaks(examples, rounds.first_split, rounds.first_held_out)
    entries: dict[str, Entry] = {}
    for competitor in of_pairs(data, examples, [reader], probe, pair, baselines, without, seed, say):
        if competitor.name == f"untrained {reader.name}":
            if not trained:
                continue
            competitor = competitor._replace(name="untrained")
        say(f"{competitor.name}: fitting")
        entries[competitor.name] = contest.measured(competitor.predictions(contest))
    ours = entries[reader.name]
    others = {name: entry for name, entry in entries.items() if name != reader.name}
    table = contest.table(ours, others, metric)
    warnings = pair_warnings(examples, {reader.name: table})
    rows, combined = contest.combined(ours)
    held_out = Examples([examples.ids[i] for i in rows.tolist()], [], examples.labels[rows], has_ids=True)
    given = {key: value for key, value in asdict(task).items() if value is not None}
    return FinetunedPairs(
        metrics={
            "task": given,
            "kind": data.labels.kind,
            "classes": list(data.labels.classes),
            "encoder": reader.name,
            "probe": asdict(probe),
            "pair": asdict(pair),
            "split": contest.described(),
            **table,
            "published": task.published or {},
            "leaks": asdict(leaks),
            "warnings": warnings,
        },
        table=predictions_table(held_out, data.labels, combined),
        labels=data.labels,
        leaks=leaks,
        notes=[*data.notes, *warnings],
        evidence=evidence_of(contest, entries, reader.name, examples.ids, examples.texts()),
    )
