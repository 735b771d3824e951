"""Every competitor of a set of pairs: each model, its untrained twin, and the baselines of pairs."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Literal

from lifecode.host.checksum import digest_of
from lifecode.tasks.competitors.competitor import Competitor, Predictions, Reader, Say
from lifecode.tasks.contest import Contest
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.features.feature import Features
from lifecode.tasks.pairs.pair_baselines import PairBaseline, pair_blocks, pair_head, usual_pair_baselines
from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.pairs.pair_head import PairHead, require_for_pairs
from lifecode.tasks.pairs.pair_task import PairData
from lifecode.tasks.probe import Probe


def of_pairs(
    data: PairData,
    examples: PairExamples,
    readers: Sequence[Reader],
    probe: Probe,
    pair: PairHead,
    baselines: Sequence[PairBaseline] | None,
    without: Sequence[str],
    seed: int,
    say: Say,
) -> list[Competitor]:
    """Every competitor of a set of pairs; the models first.

    Args:
        data: of the set.
        examples: all of its pairs, as the rounds have them.
        readers: models, each under a name of its own.
        probe: what is read of a model.
        pair: how both sides are joined, and the head.
        baselines: None takes `usual_pair_baselines`.
        without: baselines that are left out of these.
        seed: of the untrained twins.
        say: told what is being read.

    Raises:
        UserError: a probe that is of single sequences.
    """
    require_for_pairs(probe)
    asked = usual_pair_baselines(examples) if baselines is None else baselines
    names: list[PairBaseline] = [name for name in asked if name not in without]
    kind = data.labels.kind
    how: dict[str, Any] = {
        "probe": asdict(replace(probe, cache=None)),
        "pair": asdict(pair),
        "kind": kind,
        "sides": [examples.first.kind, examples.second.kind],
    }

    mixed = examples.first.kind != examples.second.kind  # then frames are those of the nucleic acids

    def model(reader: Reader, role: Literal["model", "baseline"]) -> Competitor:
        def states(molecule: Molecule) -> Features:
            def told(done: int, total: int) -> None:
                say(f"{reader.name}: {done:,} of {total:,} sequences read")

            own = replace(probe, frames=None) if molecule == "protein" and mixed else probe
            return reader.states(own, molecule, told)

        def predictions(contest: Contest) -> Predictions:
            return contest.predictions(pair.joined(examples, states), pair.head_for(kind))

        return Competitor(reader.name, role, digest_of({"model": reader.digest} | how), predictions)

    def baseline(name: PairBaseline) -> Competitor:
        def predictions(contest: Contest) -> Predictions:
            return contest.predictions(pair_blocks(name, examples), pair_head(name, kind))

        return Competitor(name, "baseline", digest_of({"baseline": name} | how), predictions)

    def without_states(contest: Contest) -> Predictions:
        return contest.predictions(pair.others(examples), pair.head_for(kind))

    for side in (examples.first, examples.second):
        notes = [note for reader in readers for note in reader.notes(side.molecule, side.sequences())]
        data.notes.extend(note for note in dict.fromkeys(notes) if note not in data.notes)
    found = [model(reader, "model") for reader in readers]
    if "untrained" in names:
        twins = {twin.digest: twin for reader in readers if (twin := reader.untrained(seed)) is not None}
        found += [model(twin, "baseline") for twin in twins.values()]
    if pair.beside:
        found.append(
            Competitor("without_states", "baseline", digest_of({"model": None} | how), without_states)
        )
    return found + [baseline(name) for name in names if name != "untrained"]
