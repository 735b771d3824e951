"""Where the figures of a sweep come from, what limits their comparison, and which runs are missing."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lifecode.names import display_name
from lifecode.report.run.time_breakdown import duration
from lifecode.report.sweep.run_groups import Grouping
from lifecode.report.sweep.runs import Run
from lifecode.report.sweep.spread import num_parameters, throughput

_SAME_SIZE = 0.01
_LONGEST = 2_000


class Fact(NamedTuple):
    """A labelled sentence or number."""

    label: str
    value: str


def facts(runs: Sequence[Run]) -> list[Fact]:
    """Command, commit, size, data, machine and time of the finished runs; what is not known is left out."""
    done = [run for run in runs if run.status == "finished"]
    found = [
        Fact("Command", _each(done, lambda run: run.provenance.get("command"))),
        Fact("Commit", _each(done, _commit)),
        Fact("Training", _each(done, _training)),
        Fact("Parameters", _range([size for run in done if (size := num_parameters(run))])),
        Fact("Data", _each(done, _data)),
        Fact("Held-out genes", _held_out(done)),
        Fact("Machine", _each(done, _machine)),
        Fact("Time", _time(done)),
    ]
    return [fact for fact in found if fact.value]


def caveats(grouping: Grouping, runs: Sequence[Run]) -> list[str]:
    """What keeps the groups from being compared as they stand, a sentence each."""
    done = [run for run in runs if run.status == "finished"]
    sentences = []
    counts = [run.provenance.get("runs_at_a_time") for run in done]
    if alone := _alone_in_every_group(grouping):
        if len(alone) < len(done):
            sentences.append(f"Throughput is that of the {len(alone)} runs that had a machine to themselves.")
    elif any(n is None for n in counts):
        sentences.append("How many runs shared a machine is not known of all: throughput may not compare.")
    else:
        shared = max(n for n in counts if n is not None)
        sentences.append(
            f"Up to {shared} runs shared a machine and slowed one another: throughput is too low."
        )
    machines = {_machine(run) for run in done} - {None}
    if len(machines) > 1:
        sentences.append(
            f"The runs had {len(machines)} machines or numbers of threads: throughput differs by it."
        )
    steps = sorted({run.metrics["model"]["encoder_steps"] for run in done})
    if len(steps) > 1:
        sentences.append(
            f"The encoders trained for {steps[0]:,} to {steps[-1]:,} steps, which is not the same."
        )
    if any(
        key.startswith(("data.batch", "data.tokenizer_batch", "optim"))
        and key.endswith(("rows", "codons", "steps"))
        for key in grouping.keys
    ):
        sentences.append("Steps or batches differ between the groups, and with them the tokens.")
    if any(key.startswith("objective.masking") for key in grouping.keys):
        sentences.append("Validation curves mask as each group's training does; held-out figures do not.")
    sizes = [size for run in done if (size := num_parameters(run))]
    if sizes and max(sizes) > (1 + _SAME_SIZE) * min(sizes):
        ratio = max(sizes) / min(sizes)
        more = f"{100 * (ratio - 1):.1f} % more" if ratio < 2 else f"{ratio:.1f} times the"
        sentences.append(f"The largest model has {more} parameters, against the smallest.")
    seeds = [{str(run.seed) for run in group.finished} for group in grouping.groups]
    if any(own != seeds[0] for own in seeds):
        sentences.append("The groups do not have the same seeds: a seed has its own split of the genome.")
    commits = {run.provenance.get("commit") for run in done if run.provenance}
    if len(commits) > 1:
        sentences.append("The runs were made by different states of the program.")
    return sentences


def comparable_throughput(grouping: Grouping) -> Callable[[Run], float | None]:
    """Throughput of a run; where every group has a run that had its machine to itself, of such runs only."""
    alone = _alone_in_every_group(grouping)
    return (lambda run: throughput(run) if run.folder in alone else None) if alone else throughput


def _alone_in_every_group(grouping: Grouping) -> set[Path]:
    """Folders of the finished runs that shared their machine with no other, if every group has one."""
    evaluated = [group.finished for group in grouping.groups if group.finished]
    alone = [[run for run in own if run.provenance.get("runs_at_a_time") == 1] for own in evaluated]
    return {run.folder for own in alone for run in own} if all(alone) else set()


def open_runs(grouping: Grouping, runs: Sequence[Run]) -> list[Fact]:
    """Runs that are not finished, cannot be read or were not begun, with what is known of them."""
    found = [
        Fact(run.folder.as_posix(), f"{run.status}: {run.note}") for run in runs if run.status != "finished"
    ]
    for group in grouping.groups:
        found += [
            Fact(f"{group.label}, seed {seed}" if seed else group.label, "not begun")
            for seed in group.missing
        ]
    return found


def _commit(run: Run) -> str | None:
    commit, version = run.provenance.get("commit"), run.provenance.get("version")
    if not version:
        return None
    return (
        f"lifecode {version}"
        + (f", commit {commit.rstrip('+')}" if commit else "")
        + (" with changes" if commit and commit.endswith("+") else "")
    )


def _training(run: Run) -> str:
    rows, codons = (run.config.get(f"data.batch.{key}") for key in ("rows", "max_codons"))
    told = f"{run.metrics['model']['encoder_steps']:,} steps of the encoder"
    if rows is not None and codons is not None:
        told += f", of {rows} rows of {codons:,} codons"
    if not any(row.stage == "tokenizer" for row in run.rows):
        return told
    planned = (run.config.get("optim.tokenizer.total_steps"), run.config.get("trainer.max_steps"))
    steps = min((step for step in planned if step is not None), default=None)
    return told if steps is None else f"{steps:,} steps of the tokenizer, {told}"


def _data(run: Run) -> str:
    data, source = run.metrics.get("data") or {}, run.config.get("input")
    counts = [f"{data['nucleotides']:,} nucleotides"] if "nucleotides" in data else []
    counts += (
        [f"{data['pairs']['kept']:,} exact CDS-protein pairs"] if "kept" in (data.get("pairs") or {}) else []
    )
    return f"{source}: {', '.join(counts)}" if counts else str(source)


def _held_out(runs: Sequence[Run]) -> str:
    """Genes of the split that the figures are of; a seed has its own split."""
    counts = []
    for run in runs:
        split = (run.metrics.get("split") or {}).get("name", "")
        own = ((run.metrics.get("data") or {}).get("splits") or {}).get(split, {})
        counts += [own["cds"]] if "cds" in own else []
    return f"{_between(counts)} CDS" if counts else ""


def _machine(run: Run) -> str | None:
    machine = run.provenance.get("machine") or {}
    if not machine:
        return None
    threads = (run.metrics.get("model") or {}).get("threads")
    return f"{machine.get('name')}, {machine.get('usable_cores')} cores, {threads} threads per run"


def _time(runs: Sequence[Run]) -> str:
    seconds = [s for run in runs if (s := (run.metrics.get("timing") or {}).get("seconds")) is not None]
    if not seconds:
        return ""
    low, high = duration(min(seconds)), duration(max(seconds))
    return f"{low} to {high} a run, {duration(sum(seconds))} for {len(seconds)} runs one after the other"


def _range(sizes: Sequence[int]) -> str:
    if not sizes:
        return ""
    return f"{_between(sizes)}, without the protein decoder"


def _between(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _each(runs: Iterable[Run], tell: Callable[[Run], Any]) -> str:
    """What the runs say, once each, in order."""
    said = list(
        dict.fromkeys(
            display_name(word, _LONGEST) for run in runs if (word := tell(run)) is not None and word != ""
        )
    )
    return "; ".join(said)
