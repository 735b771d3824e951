"""What a plan says of each stage: the rows of its table, label and cell, by section."""

from collections.abc import Callable, Iterable

from rich.text import Text

from lifecode.models.layers.attention import SelfAttention
from lifecode.models.layers.gated_deltanet import GatedDeltaNet
from lifecode.models.parts import codec_parameters_by_part, parameters_by_part
from lifecode.objectives import LogSum, MaxNorm, WeightedSum
from lifecode.objectives.joint import JointObjective
from lifecode.training.callbacks.checkpoints import NUM_KEPT
from lifecode.training.plan import StagePlan
from lifecode.training.stages.encoder_stage import EncoderStage
from lifecode.training.stages.optimizer import AdamWCosine
from lifecode.training.stages.tokenizer_stage import TokenizerStage
from lifecode.verbs.train.plan import RunPlan
from lifecode.verbs.train.plan_numbers import amount, number, size

_BARS = "▁▂▃▄▅▆▇█"
_CURVE_WIDTH = 26
Cell = Callable[[StagePlan], str | Text]


def sections(run: RunPlan) -> dict[str, Iterable[tuple[str, Cell]]]:
    """Rows by the title of their section."""
    return {
        "Parameters": _parameters(run),
        "Losses": _losses(),
        "Steps and batch": _steps(run),
        "Learning rate": _learning_rate(run),
        "Operations": _operations(run),
        "Memory of each process": _memory(run),
        "Disk": _disk(),
    }


def _parameters(run: RunPlan) -> Iterable[tuple[str, Cell]]:
    names = dict.fromkeys(name for plan in run.stages for name in _parts(plan))
    for name in names:
        label = f"{name} ({_layers(run)})" if name == "encoder layers" else name
        yield label, lambda plan, name=name: _part_cell(plan, name)
    yield "all", lambda plan: f"{plan.num_parameters:,}"
    yield "trained", lambda plan: f"{plan.num_trained:,}"


def _parts(plan: StagePlan) -> dict[str, int]:
    stage = plan.stage
    if isinstance(stage, TokenizerStage):
        return codec_parameters_by_part(stage.codec)
    assert isinstance(stage, EncoderStage)
    return parameters_by_part(stage.model)


def _layers(run: RunPlan) -> str:
    """The layers of the encoder by kind, as `22 GDN, 2 MHSA`."""
    stage = run.stages[-1].stage
    assert isinstance(stage, EncoderStage)
    mixers = [type(layer.mixer) for layer in stage.model.encoder.layers]
    return f"{mixers.count(GatedDeltaNet)} GDN, {mixers.count(SelfAttention)} MHSA"


def _part_cell(plan: StagePlan, name: str) -> Text:
    count = _parts(plan).get(name)
    if name in _frozen(plan):
        return Text(f"frozen  {count:,}", style="dim")
    return Text("" if count is None else f"{count:,}")


def _losses() -> Iterable[tuple[str, Cell]]:
    yield "tasks", lambda plan: ", ".join(plan.tasks)
    yield (
        "masked DNA, CDS",
        lambda plan: f"{plan.masking.nucleotide_fraction:.3g}, {plan.masking.codon_fraction:.3g}",
    )
    yield "  to [MASK], random, kept", _fates
    yield (
        "masked modelling reads",
        lambda plan: "all" if _is_tokenizer(plan) else "selected",
    )
    yield "joined by", lambda plan: _described(plan.stage.objective)
    yield "distillation", _distillation


def _frozen(plan: StagePlan) -> set[str]:
    stage = plan.stage
    if not isinstance(stage, EncoderStage):
        return set()
    codec = stage.model.codec
    parts = {
        "tokenizer": codec.tokenizer,
        "de-tokenizer": codec.detokenizer,
        "codon head": codec.codon_head,
        "translator": codec.translator,
        "protein decoder": stage.model.protein_decoder,
    }
    return {
        name for name, part in parts.items() if part and not any(p.requires_grad for p in part.parameters())
    }


def _steps(run: RunPlan) -> Iterable[tuple[str, Cell]]:
    yield "steps", lambda plan: f"{plan.num_steps:,}"
    yield "rows of a step", lambda plan: f"{plan.shape.rows:,}"
    yield (
        "processes x rows x accumulated",
        lambda plan: f"{plan.num_processes} x {plan.rows_together} x {plan.num_micro_batches}",
    )
    yield "codons of a row, at most", lambda plan: _then(f"{phase.max_codons:,}" for phase in plan.phases)
    if any(len(plan.phases) > 1 for plan in run.stages):
        yield "  steps with the shorter ones", lambda plan: f"{_num_short_steps(plan):,}"
    bound = "" if run.corpus else "≤ "
    yield "codons of a step", lambda plan: bound + _codons_of_a_step(plan)
    yield "codons in all", lambda plan: bound + amount(plan.num_codons)
    yield "nucleotides in all", lambda plan: bound + amount(plan.num_nucleotides)
    about = "~ " if run.size and run.size.estimated else bound
    for kind in next(iter(run.passes.values()), {}):
        yield (
            f"passes over {kind.upper()}",
            lambda plan, kind=kind: f"{about}{number(run.passes[plan.stage.name][kind])}",
        )


def _codons_of_a_step(plan: StagePlan) -> str:
    return _then(f"{round(plan.shape.rows * phase.contents.num_codons):,}" for phase in plan.phases)


def _num_short_steps(plan: StagePlan) -> int:
    return plan.phases[0].num_steps if len(plan.phases) > 1 else 0


def _then(values: Iterable[str]) -> str:
    """One value a length of rows."""
    return ", then ".join(values)


def _learning_rate(run: RunPlan) -> Iterable[tuple[str, Cell]]:
    yield "curve over the steps", lambda plan: curve(plan.stage.optimizer_recipe, plan.num_steps)
    yield "first step", lambda plan: _rate(plan, 0)
    yield "end of warm-up", lambda plan: _rate(plan, min(_recipe(plan).warmup_steps, plan.num_steps) - 1)
    for share in (0.25, 0.5, 0.75):
        yield f"after {share:.0%}", lambda plan, share=share: _rate(plan, round(share * plan.num_steps) - 1)
    yield "last step", lambda plan: _rate(plan, plan.num_steps - 1)
    yield "AdamW betas, decay, clipping", _adamw
    if any(plan.num_moved_by_muon for plan in run.stages):
        yield "  by Muon, parameters", lambda plan: f"{plan.num_moved_by_muon:,}"


def _recipe(plan: StagePlan) -> AdamWCosine:
    return plan.stage.optimizer_recipe


def _is_tokenizer(plan: StagePlan) -> bool:
    return isinstance(plan.stage, TokenizerStage)


def _fates(plan: StagePlan) -> str:
    masking = plan.masking
    return f"{masking.masked:.3g}, {masking.random:.3g}, {1 - masking.masked - masking.random:.3g}"


def _described(objective: JointObjective) -> str:
    """What joins the tasks, with its settings."""
    if isinstance(objective, WeightedSum):
        return f"weighted sum, {', '.join(f'{weight:g}' for weight in objective.of_task.values())}"
    if isinstance(objective, LogSum):
        return f"log-sum, eps {objective.eps:g}, {'lagged' if objective.ahead else 'exact'}"
    if isinstance(objective, MaxNorm):
        return f"largest norm, eps {objective.eps:g}"
    return type(objective).__name__  # of a plugin


def _distillation(plan: StagePlan) -> str:
    loss = plan.stage.distillation if isinstance(plan.stage, EncoderStage) else None
    if loss is None:
        return "none"
    temperatures = f"{loss.teacher_temperature:g}, {loss.student_temperature:g}"
    return f"{loss.mode}, tau {temperatures}, EMA {loss.ema_decay:g}"


def _rate(plan: StagePlan, step: int) -> str:
    step = max(step, 0)
    return f"step {step + 1:,}  {_recipe(plan).learning_rate(step):.2e}"


def _adamw(plan: StagePlan) -> str:
    recipe = _recipe(plan)
    return f"{recipe.beta1:g}, {recipe.beta2:g}, {recipe.weight_decay:g}, {recipe.clip_norm:g}"


def curve(recipe: AdamWCosine, num_steps: int, width: int = _CURVE_WIDTH) -> str:
    """The learning rate over the steps as a line of bars, each the mean of its steps."""
    bars = ""
    for column in range(width):
        first, last = (num_steps * edge // width for edge in (column, column + 1))
        rates = [
            recipe.learning_rate(step) for step in range(first, max(last, first + 1), 1 + num_steps // 9999)
        ]
        share = sum(rates) / len(rates) / recipe.lr
        bars += _BARS[min(round(share * (len(_BARS) - 1)), len(_BARS) - 1)]
    return bars


def _operations(run: RunPlan) -> Iterable[tuple[str, Cell]]:
    yield "passes of a step, a process", _passes
    yield "FLOP of a step", lambda plan: "~ " + _then(f"{x.flops_a_step:.2e}" for x in plan.phases)
    yield "FLOP in all", lambda plan: f"~ {plan.flops:.2e}"
    if rate := run.flops_per_second:
        yield (
            f"hours at {rate:.3g} FLOP/s a process",
            lambda plan: f"~ {number(plan.flops / plan.num_processes / rate / 3600)}",
        )


def _passes(plan: StagePlan) -> str:
    cost = plan.cost
    forwards = cost.forwards_without_gradient + cost.forwards_with_gradient
    return f"{forwards:,} forward, {cost.backwards:,} backward"


def _memory(run: RunPlan) -> Iterable[tuple[str, Cell]]:
    names = {"auto": "one process", "ddp": "DDP", "fsdp": "FSDP"}
    for name in ("weights", "gradients", "optimizer", "activations"):
        yield name, lambda plan, name=name: f"~ {size(getattr(plan.memory, name))}"
    if any(plan.activations_if_recomputed for plan in run.stages):
        yield "  layers kept / checkpointed", _both_activations
    several = run.stages[0].num_processes > 1
    strategy = "ddp" if run.settings.strategy == "auto" and several else run.settings.strategy
    yield f"all ({names.get(strategy, strategy)}, {run.settings.precision})", _all_memory


def _all_memory(plan: StagePlan) -> str:
    return f"~ {size(plan.memory.total)}"


def _both_activations(plan: StagePlan) -> str:
    if plan.activations_if_recomputed is None:
        return ""
    return f"~ {size(plan.activations_if_kept)} / {size(plan.activations_if_recomputed)}"


def _disk() -> Iterable[tuple[str, Cell]]:
    yield "a checkpoint", lambda plan: size(plan.checkpoint_bytes)
    yield f"{NUM_KEPT} kept and 1 being written", lambda plan: size((NUM_KEPT + 1) * plan.checkpoint_bytes)
    yield "model", lambda plan: size(plan.model_bytes)
    yield "all, at most at a time", lambda plan: size(plan.disk_bytes)
