"""A plan as tables for a terminal of 100 columns: a column per stage, then what holds for the whole run."""

from collections.abc import Iterable

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from lifecode.models.layers.cost import is_trained
from lifecode.models.layers.mixers import mixers_of
from lifecode.models.layers.value_bytes import FLOAT32, bytes_of_a_value
from lifecode.models.parts import LAYERS, parameters_of
from lifecode.objectives.joint import JointObjective
from lifecode.training.cost.step_cost import activation_bytes
from lifecode.training.plan import StagePlan
from lifecode.training.stages.optimizer import OptimizerRecipe
from lifecode.verbs.train.plan import RunPlan
from lifecode.verbs.train.printed_numbers import amount, number, size

_WIDTH = 98
_WIDTH_OF_A_FILE = 100
_BARS = "▁▂▃▄▅▆▇█"
_CURVE_WIDTH = 26
_STRATEGIES = {"auto": "one process", "ddp": "DDP", "fsdp": "FSDP"}
Cells = dict[str, str | Text]
"""What stands in the column of a stage, by the label of the line."""


def print_plan(run: RunPlan) -> None:
    """Prints to stdout; into a file or pipe as wide as a terminal of 100 columns."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(_WIDTH_OF_A_FILE, console.width))
    console.print(plan_tables(run), highlight=False)


def plan_tables(run: RunPlan) -> Group:
    """The whole plan, for `rich.print`."""
    table = _table("", width=33)
    for plan in run.stages:
        table.add_column(f"Stage {plan.stage.number}: {plan.stage.name}", justify="right", width=30)
    columns = [_sections(run, plan) for plan in run.stages]
    for title in columns[0]:
        table.add_row(Text(title, style="bold"))
        # The last stage has every line of the one before it, in the order in which they shall stand.
        for label in dict.fromkeys(label for column in reversed(columns) for label in column[title]):
            table.add_row(f"  {label}", *(column[title].get(label, "") for column in columns))
        table.add_row()
    head = f"Plan of {run.name}: nothing is trained, nothing is written. ~ is an estimate, ≤ a bound."
    below = (_joint_objectives(run.stages[-1]), Text(), *map(Text, _remarks(run)))
    return Group(Text(head, "bold"), Text(), table, *below)


def _table(first: str, *, width: int | None = None, whole: int | None = None) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, width=whole, header_style="bold")
    table.add_column(first, width=width)
    return table


def _sections(run: RunPlan, plan: StagePlan) -> dict[str, Cells]:
    """What is said of one stage, by the title of the section."""
    kept, model = plan.settings.keep_checkpoints, FLOAT32 * plan.num_parameters
    checkpoints = (kept + 1) * plan.checkpoint_bytes
    cost = plan.cost
    operations: Cells = {
        "passes of a step, per process": f"{cost.forwards:,} forward, {cost.backwards:,} backward",
        "FLOP of a step": "~ " + _then(f"{phase.flops_per_step:.2e}" for phase in plan.phases),
        "FLOP in all": f"~ {plan.flops:.2e}",
    }
    if rate := run.flops_per_second:
        hours = number(plan.flops / plan.settings.num_processes / rate / 3600)
        operations[f"hours at {rate:.3g} FLOP/s per process"] = f"~ {hours}"
    return {
        "Parameters": _parameters(plan),
        "Losses": _losses(plan),
        "Steps and batch": _steps(run, plan),
        "Learning rate": _learning_rate(run, plan),
        "Operations": operations,
        "Memory of each process": _memory(plan),
        "Disk": {
            "a checkpoint": size(plan.checkpoint_bytes),
            f"{kept} kept and 1 being written": size(checkpoints),
            "model": size(model),
            "all, at most at a time": size(checkpoints + model),
        },
    }


def _parameters(plan: StagePlan) -> Cells:
    cells: Cells = {}
    for name, count in parameters_of(plan.parts).items():
        modules = [part.module for part in plan.parts if part.name == name]
        label = f"{name} ({mixers_of(modules[0])})" if name == LAYERS else name
        is_frozen = not any(map(is_trained, modules))
        cells[label] = Text(f"frozen  {count:,}", style="dim") if is_frozen else f"{count:,}"
    return {**cells, "all": f"{plan.num_parameters:,}", "trained": f"{plan.num_trained:,}"}


def _losses(plan: StagePlan) -> Cells:
    stage, masking = plan.stage, plan.masking
    kept = 1 - masking.masked - masking.random
    distillation = getattr(stage, "distillation", None)
    return {
        "tasks": ", ".join(stage.tasks),
        **dict([masking.selected]),
        "  to [MASK], random, kept": f"{masking.masked:.3g}, {masking.random:.3g}, {kept:.3g}",
        "masked modelling reads": stage.positions,
        "joined by": stage.objective.description,
        "distillation": distillation.description if distillation is not None else "none",
    }


def _steps(run: RunPlan, plan: StagePlan) -> Cells:
    bound = "" if run.corpus else "≤ "
    about = "~ " if run.size and run.size.estimated else bound
    rows, phases = plan.shape.rows, plan.phases
    position, letter = phases[0].contents.units
    shared = (plan.settings.num_processes, plan.rows_together, plan.num_micro_batches)
    shorter = {"  steps with the shorter ones": f"{sum(phase.num_steps for phase in phases[:-1]):,}"}
    letters = plan.in_all(lambda phase: rows * phase.contents.length)
    passes = run.passes.get(plan.stage.name, {})
    return {
        "steps": f"{plan.num_steps:,}",
        "rows of a step": f"{rows:,}",
        "processes x rows x accumulated": " x ".join(map(str, shared)),
        f"{position} of a row, at most": _then(f"{phase.row_length:,}" for phase in phases),
        **(shorter if any(len(each.phases) > 1 for each in run.stages) else {}),
        f"{position} of a step": bound + _then(f"{round(rows * x.contents.num_positions):,}" for x in phases),
        f"{position} in all": bound + amount(plan.num_positions),
        f"{letter} in all": bound + amount(letters),
        **{f"passes over {kind.upper()}": about + number(times) for kind, times in passes.items()},
    }


def _then(values: Iterable[str]) -> str:
    """One value per length of rows."""
    return ", then ".join(values)


def _learning_rate(run: RunPlan, plan: StagePlan) -> Cells:
    recipe, num_steps = plan.stage.optimizer_recipe, plan.num_steps
    moments = {
        "first step": 1,
        "end of warm-up": min(recipe.warmup_steps, num_steps),
        **{f"after {share:.0%}": round(share * num_steps) for share in (0.25, 0.5, 0.75)},
        "last step": num_steps,
    }
    cells: Cells = {"curve over the steps": curve(recipe, num_steps)}
    for label, step in moments.items():
        cells[label] = f"step {max(step, 1):,}  {recipe.learning_rate(max(step, 1) - 1):.2e}"
    values = (recipe.beta1, recipe.beta2, recipe.weight_decay, recipe.clip_norm)
    cells["AdamW betas, decay, clipping"] = ", ".join(f"{value:g}" for value in values)
    if any(each.stage.optimizer_recipe.matrices == "muon" for each in run.stages):
        cells["  by Muon, parameters"] = f"{sum(p.numel() for p in recipe.moved_by_muon(plan.stage)):,}"
    return cells


def curve(recipe: OptimizerRecipe, num_steps: int, width: int = _CURVE_WIDTH) -> str:
    """The learning rate over the steps as a line of bars, each the mean of its steps."""
    bars = ""
    for column in range(width):
        first, last = (num_steps * edge // width for edge in (column, column + 1))
        steps = range(first, max(last, first + 1), 1 + num_steps // 9999)
        share = sum(map(recipe.learning_rate, steps)) / len(steps) / recipe.lr
        bars += _BARS[min(round(share * (len(_BARS) - 1)), len(_BARS) - 1)]
    return bars


def _memory(plan: StagePlan) -> Cells:
    settings, memory = plan.settings, plan.memory
    cells: Cells = {name: f"~ {size(value)}" for name, value in memory._asdict().items()}
    if any(part.checkpointing is not None for part in plan.parts):
        low = bytes_of_a_value(settings.precision)
        kept, again = (size(activation_bytes(plan.parts, low, checkpointing=on)) for on in (False, True))
        cells["  layers kept / checkpointed"] = f"~ {kept} / {again}"
    strategy = "ddp" if settings.strategy == "auto" and settings.num_processes > 1 else settings.strategy
    return {**cells, f"all ({_STRATEGIES[strategy]}, {settings.precision})": f"~ {size(memory.total)}"}


def _joint_objectives(plan: StagePlan) -> Table:
    """What each way to join the tasks would cost, beside the chosen one, in the last stage."""
    table = _table(f"objective/joint, {plan.stage.name}", whole=_WIDTH)
    for heading in ("forward passes", "backward passes", "gradient buffers", "their memory"):
        table.add_column(heading, justify="right")
    chosen = plan.stage.objective
    choices = [choice for kind in JointObjective.__subclasses__() for choice in kind.choices()]
    alike = [type(choice) is type(chosen) and choice.ahead == chosen.ahead for choice in choices]
    choices = [chosen if is_alike else choice for choice, is_alike in zip(choices, alike, strict=True)]
    for objective in choices if any(alike) else [chosen, *choices]:
        cost = objective.cost(plan.num_micro_batches, len(plan.stage.tasks))
        memory = size(FLOAT32 * cost.gradient_buffers * plan.num_trained)
        cells = (f"{cost.forwards:,}", f"{cost.backwards:,}", f"{cost.gradient_buffers}", memory)
        table.add_row(objective.description + (" *" if objective is chosen else ""), *cells)
    return table


def _remarks(run: RunPlan) -> Iterable[str]:
    """What stands below the tables, a line each."""
    if run.corpus:
        phase = run.stages[-1].phases[-1]
        yield (
            f"Rows are those of {run.corpus.folder}: of {phase.row_length:,} codons "
            f"{phase.contents.num_positions:,.0f} are used, "
            f"by {phase.contents.num_segments:.1f} sequences."
        )
    else:
        yield run.assumption
    if run.missing_input:
        yield f"The size of the data is not known: {run.missing_input}."
    elif run.size and run.size.estimated:
        yield "The size of the data is that of the files: no pair was verified, no border cut yet."
    if run.corpus:
        files = sum(entry["bytes"] for entry in run.corpus.manifest["files"])
        yield f"The corpus takes {size(files)} on disk."
    if teacher := run.teacher:
        per_residue, residues = 2 * teacher.width, teacher.num_residues  # in half precision
        takes = f"{per_residue:,} bytes per residue"
        if residues is not None:
            takes = f"≤ {amount(residues)} residues, {size(per_residue * residues)}"
        yield f"Teacher features of width {teacher.width} (targets: {teacher.targets}) take {takes} on disk."
