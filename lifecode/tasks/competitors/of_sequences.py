"""Every competitor of a set of sequences: each model, its untrained twin, and the baselines."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Literal

from lifecode.host.checksum import digest_of
from lifecode.tasks.baselines import Baseline, features_of, head_of, usual_baselines
from lifecode.tasks.competitors.competitor import Competitor, Predictions, Reader, Say
from lifecode.tasks.contest import Contest
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.sequence_task import TaskData
from lifecode.tasks.probe import Probe


def of_sequences(
    data: TaskData,
    examples: Examples,
    readers: Sequence[Reader],
    probe: Probe,
    baselines: Sequence[Baseline] | None,
    without: Sequence[str],
    seed: int,
    say: Say,
) -> list[Competitor]:
    """Every competitor of a set of sequences; the models first.

    Args:
        data: of the set.
        examples: all of its examples, as the rounds have them.
        readers: models, each under a name of its own.
        probe: what heads read, and which head.
        baselines: None takes `usual_baselines`.
        without: baselines that are left out of these.
        seed: of the untrained twins.
        say: told what is being read.
    """
    asked = usual_baselines(data.molecule, data.labels.kind) if baselines is None else baselines
    names: list[Baseline] = [name for name in asked if name not in without]
    how: dict[str, Any] = {
        "probe": asdict(replace(probe, cache=None)),
        "kind": data.labels.kind,
        "molecule": data.molecule,
    }
    for reader in readers:
        if not reader.reads(data.molecule):
            data.notes.append(f"{reader.name} reads proteins, and is left out of sequences without a frame")
    readers = [reader for reader in readers if reader.reads(data.molecule)]
    notes = [note for reader in readers for note in reader.notes(data.molecule, examples.sequences)]
    data.notes.extend(dict.fromkeys(notes))
    found = [_model(reader, "model", data, examples, probe, how, say) for reader in readers]
    if "untrained" in names:
        twins = {twin.digest: twin for reader in readers if (twin := reader.untrained(seed)) is not None}
        found += [_model(twin, "baseline", data, examples, probe, how, say) for twin in twins.values()]
    if probe.beside:
        found.append(_without_states(data, examples, probe, how))
    return found + [_baseline(name, data, examples) for name in names if name != "untrained"]


def _model(
    reader: Reader,
    role: Literal["model", "baseline"],
    data: TaskData,
    examples: Examples,
    probe: Probe,
    how: dict[str, Any],
    say: Say,
) -> Competitor:
    def predictions(contest: Contest) -> Predictions:
        def told(done: int, total: int) -> None:
            say(f"{reader.name}: {done:,} of {total:,} sequences read")

        features = [
            reader.states(probe, data.molecule, told),
            *probe.others(data.train.sequences, data.molecule),
        ]
        blocks = [each(examples.sequences) for each in features]
        return contest.predictions(blocks, probe.head_for(data.labels.kind))

    return Competitor(reader.name, role, digest_of({"model": reader.digest} | how), predictions)


def _without_states(data: TaskData, examples: Examples, probe: Probe, how: dict[str, Any]) -> Competitor:
    def predictions(contest: Contest) -> Predictions:
        blocks = [each(examples.sequences) for each in probe.others(data.train.sequences, data.molecule)]
        return contest.predictions(blocks, probe.head_for(data.labels.kind))

    return Competitor("without_states", "baseline", digest_of({"model": None} | how), predictions)


def _baseline(name: Baseline, data: TaskData, examples: Examples) -> Competitor:
    own = features_of(name, data.train, data.molecule)

    def predictions(contest: Contest) -> Predictions:
        if own is None:
            return contest.predictions([], None)
        return contest.predictions([own(examples.sequences)], head_of(name, data.labels.kind))

    config = {"baseline": name, "features": own and own.config, "kind": data.labels.kind}
    return Competitor(name, "baseline", digest_of(config), predictions)
