"""A plan as tables for a terminal of 100 columns: a column a stage, then what holds for the whole run."""

from collections.abc import Iterable

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from lifecode.objectives import LogSum, MaxNorm, WeightedSum
from lifecode.objectives.joint import JointObjective
from lifecode.training.plan import StagePlan
from lifecode.verbs.train.plan import RunPlan
from lifecode.verbs.train.plan_numbers import amount, size
from lifecode.verbs.train.plan_rows import sections

_WIDTH = 98
_WIDTH_OF_A_FILE = 100
_TITLES = {"tokenizer": "Stage 1: tokenizer", "encoder": "Stage 2: encoder"}


def print_plan(run: RunPlan) -> None:
    """Prints to stdout; into a file or pipe as wide as a terminal of 100 columns."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(_WIDTH_OF_A_FILE, console.width))
    console.print(plan_tables(run), highlight=False)


def plan_tables(run: RunPlan) -> Group:
    """The whole plan, for `rich.print`."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("", width=33)
    for plan in run.stages:
        table.add_column(_TITLES[plan.stage.name], justify="right", width=30)
    for title, rows in sections(run).items():
        table.add_row(Text(title, style="bold"))
        for label, cell in rows:
            table.add_row(f"  {label}", *(cell(plan) for plan in run.stages))
        table.add_row()
    head = Text(
        f"Plan of {run.name}: nothing is trained, nothing is written. ~ is an estimate, ≤ a bound.", "bold"
    )
    return Group(head, Text(), table, *_below(run))


def _below(run: RunPlan) -> Iterable[RenderableType]:
    yield _joint_objectives(run.stages[-1])
    yield Text()
    for line in _lines(run):
        yield Text(line)


def _joint_objectives(plan: StagePlan) -> Table:
    """What each way to join the tasks would cost, beside the cheapest, in the last stage."""
    stage = plan.stage
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, width=_WIDTH, header_style="bold")
    table.add_column(f"objective/joint, {stage.name}")
    for heading in ("forward passes", "backward passes", "gradient buffers", "their memory"):
        table.add_column(heading, justify="right")
    choices: dict[str, JointObjective] = {
        "log_sum": LogSum(),
        "log_sum, weights: lagged": LogSum(weights="lagged"),
        "max_norm": MaxNorm(),
        "weighted_sum": WeightedSum(),
    }
    for name, objective in choices.items():
        cost = objective.cost(plan.num_micro_batches, len(plan.tasks))
        forwards = cost.forwards_without_gradient + cost.forwards_with_gradient
        memory = size(4 * cost.gradient_buffers * plan.num_trained)
        mark = " *" if _is_chosen(objective, stage.objective) else ""
        cells = (f"{forwards:,}", f"{cost.backwards:,}", f"{cost.gradient_buffers}", memory)
        table.add_row(f"{name}{mark}", *cells)
    return table


def _is_chosen(objective: JointObjective, chosen: JointObjective) -> bool:
    lagged = [getattr(x, "ahead", None) for x in (objective, chosen)]
    return type(objective) is type(chosen) and lagged[0] == lagged[1]


def _lines(run: RunPlan) -> Iterable[str]:
    if run.corpus:
        phase = run.stages[-1].phases[-1]
        yield (
            f"Rows are those of {run.corpus.folder}: of {phase.max_codons:,} codons "
            f"{phase.contents.num_codons:,.0f} are used, by {phase.contents.num_segments:.1f} sequences."
        )
    else:
        yield "Rows are taken as full, of one sequence each: the most codons and operations that fit."
    if run.missing_input:
        yield f"The size of the data is not known: {run.missing_input}."
    elif run.size and run.size.estimated:
        yield "The size of the data is that of the files: no pair was verified, no border cut yet."
    if run.corpus:
        files = sum(entry["bytes"] for entry in run.corpus.manifest["files"])
        yield f"The corpus takes {size(files)} on disk."
    if run.teacher:
        known = run.teacher.num_residues is not None
        residues = f"≤ {amount(run.teacher.num_residues)} residues, {size(run.teacher.cache_bytes)}"
        yield f"Teacher features of width {run.teacher.width} (targets: {run.teacher.targets}) take " + (
            f"{residues} on disk." if known else f"{2 * run.teacher.width:,} bytes a residue on disk."
        )
