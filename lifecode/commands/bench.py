"""`lifecode bench`: a short measurement on this machine that says what a run would take and what to change.

Real steps of both stages on the shipped E. coli, without teacher, validation or checkpoints. Other settings
are timed beside the chosen ones on short rows, in turns, so that what disturbs the machine disturbs all.
"""

import logging
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, NamedTuple

import torch
from lightning import Callback, LightningModule, Trainer
from omegaconf import DictConfig
from pydantic import Field

from lifecode.commands.construct import checked_value, construct
from lifecode.commands.machine import processor
from lifecode.commands.train_values import check_values
from lifecode.data.batch import Batch
from lifecode.data.batch_shape import BatchShape
from lifecode.data.corpus import Corpus
from lifecode.data.engine import LocalEngine
from lifecode.data.module import CorpusDataModule
from lifecode.data.prepare import prepare_corpus
from lifecode.data.reading import packaged_genomes
from lifecode.model.gated_deltanet import GatedDeltaNet
from lifecode.ops import gated_delta_rule
from lifecode.ops.delta_rule import resolve_backend
from lifecode.ops.heap import keep_freed_memory
from lifecode.training.compilation import compile_blocks
from lifecode.training.encoder_stage import EncoderStage
from lifecode.training.run_folder import peak_memory_bytes
from lifecode.training.stage import PretrainingStage
from lifecode.training.tokenizer_stage import TokenizerStage
from lifecode.training.trainer import TrainerSettings

_SHORT_ROW, _GAIN = 1024, 1.1
"""Codons of a row where settings are compared, and from which gain on a setting is worth a change."""
_BUSY = "Others kept the machine busy in the minute before: times are too long, the comparison is uncertain."
_PRECISIONS = ("32-true", "bf16-mixed")


class StageSpeed(NamedTuple):
    """How fast a stage trains here.

    Attributes:
        nucleotides_per_second: of all its processes.
        seconds_per_step: of the whole step.
        num_steps: of its schedule.
    """

    nucleotides_per_second: float
    seconds_per_step: float
    num_steps: int


class Bench(NamedTuple):
    """What was measured.

    Attributes:
        stages: by name.
        memory_bytes: the largest of a process: on its GPU, else resident.
        prepare_nucleotides_per_second: of `lifecode prepare` on one core.
        embed_nucleotides_per_second: of the model reading rows of the encoder stage without gradients.
        settings: throughput of the encoder stage under each other setting, over that of the chosen one.
        kernels: seconds of the gated delta rule, forward and backward, by backend; the chosen one first.
        load: processes that wanted a core in the minute before, per usable core.
    """

    stages: dict[str, StageSpeed]
    memory_bytes: int
    prepare_nucleotides_per_second: float
    embed_nucleotides_per_second: float
    settings: dict[str, float]
    kernels: dict[str, float]
    load: float


def run(config: DictConfig) -> None:
    """Measure, and print what follows from it."""
    genome = checked_value(config, "genome_nucleotides", Annotated[int, Field(gt=0)])
    seconds = checked_value(config, "measure_seconds", Annotated[float, Field(gt=0, allow_inf_nan=False)])
    check_values(config)
    settings: TrainerSettings = construct(config.trainer)
    keep_freed_memory()
    with _quiet(), TemporaryDirectory(prefix="lifecode-bench-") as folder:
        bench = measure(config, settings, seconds, Path(folder))
    print("\n".join(lines(bench, settings, genome)))


def measure(config: DictConfig, settings: TrainerSettings, seconds: float, folder: Path) -> Bench:
    """Measures for about ten times `seconds`; `folder` takes the corpus."""
    load = os.getloadavg()[0] / processor()["usable_cores"]
    _say("preparing E. coli K-12")
    start = time.perf_counter()
    corpus = prepare_corpus(packaged_genomes()["ecoli"], folder / "corpus", engine=LocalEngine(1))
    prepared = corpus.report["nucleotides"] / (time.perf_counter() - start)
    encoder, speed, batch = _stage_speed(config, corpus, "encoder", settings, seconds)
    memory = torch.cuda.max_memory_allocated() if settings.on_gpu else peak_memory_bytes()
    embedded = _reading_rate(encoder.model, batch)
    _, first_speed, _ = _stage_speed(config, corpus, "tokenizer", settings, seconds)
    _say("other settings")
    compared = _compared(config, corpus, encoder, settings, seconds / 2)
    kernels = _kernel_seconds(encoder.model, construct(config.data.batch).max_codons, settings)
    speeds = {"tokenizer": first_speed, "encoder": speed}
    return Bench(speeds, memory, prepared, embedded, compared, kernels, load)


def lines(bench: Bench, settings: TrainerSettings, genome_nucleotides: int) -> list[str]:
    """What a measurement says, line by line, with what to change at the end."""
    machine = processor()
    threads = f"{torch.get_num_threads()} threads on {machine['usable_cores']} usable cores"
    stages = bench.stages
    total = sum(speed.seconds_per_step * speed.num_steps for speed in stages.values())
    faster = max(bench.settings, key=lambda name: bench.settings[name], default=None)
    advice = "No other threads or precision is faster by a tenth: keep what you have."
    if faster is not None and bench.settings[faster] >= _GAIN:
        advice = f"Train with {faster}: {bench.settings[faster]:.2f} times as fast."
    return [
        f"{machine['name']}, {threads}, {machine['memory_gib']} GiB; {settings.device}, {settings.precision}",
        *(
            f"{name}: {nucleotides:,.0f} nucleotides/s, {duration(seconds)} per step, "
            f"{steps:,} steps in {duration(seconds * steps)}"
            for name, (nucleotides, seconds, steps) in stages.items()
        ),
        f"both stages: {duration(total)}, beside teacher, validation and checkpoints; "
        f"memory at most {bench.memory_bytes / 2**30:.2f} GiB",
        f"a genome of {genome_nucleotides:,} nucleotides: prepared in "
        f"{duration(genome_nucleotides / bench.prepare_nucleotides_per_second)}, read once in training in "
        f"{duration(genome_nucleotides / stages['encoder'].nucleotides_per_second)}, embedded in "
        f"{duration(genome_nucleotides / bench.embed_nucleotides_per_second)}",
        *(f"with {name}: {times:.2f} times as fast" for name, times in bench.settings.items()),
        *_kernel_line(bench.kernels),
        advice,
        *([_BUSY] if bench.load > 0.5 else []),
    ]


def _kernel_line(kernels: dict[str, float]) -> Iterator[str]:
    if kernels:
        (own, seconds), *others = kernels.items()
        times = ", ".join(f"{other} takes {took / seconds:.1f} times as long" for other, took in others)
        yield f"gated delta rule: {own}, {1e3 * seconds:.1f} ms per layer and row" + (times and f"; {times}")
        if own == "chunked":
            yield "No compiled kernel of the gated delta rule can run here: `lifecode doctor` says why."


def duration(seconds: float) -> str:
    """Seconds in the largest unit that leaves a number above 1."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1e3 * seconds:.0f} ms"


class _Clock(Callback):
    """Times steps until they have taken long enough, all but the first; keeps the first micro-batch."""

    def __init__(self, enough_seconds: float) -> None:
        self.enough_seconds = enough_seconds
        self.seconds, self.nucleotides = list[float](), list[int]()

    def on_train_batch_start(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, trainer: Trainer, pl_module: LightningModule, batch: list[Batch], batch_idx: int
    ) -> None:
        self.batch, self.start = batch[0], self._now(pl_module)

    def on_train_batch_end(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: list[Batch], batch_idx: int
    ) -> None:
        self.seconds.append(self._now(pl_module) - self.start)
        self.nucleotides.append(sum(micro_batch.num_nucleotides for micro_batch in batch))
        trainer.should_stop = sum(self.seconds[1:]) >= self.enough_seconds

    @property
    def seconds_per_step(self) -> float:
        """On average, the first apart."""
        return sum(self.seconds[1:]) / len(self.seconds[1:])

    @property
    def rate(self) -> float:
        """Nucleotides per second, those of the first step apart."""
        return sum(self.nucleotides[1:]) / sum(self.seconds[1:])

    @staticmethod
    def _now(module: LightningModule) -> float:
        if module.device.type == "cuda":
            torch.cuda.synchronize(module.device)
        return time.perf_counter()


def _stage_speed(
    config: DictConfig, corpus: Corpus, name: str, settings: TrainerSettings, seconds: float
) -> tuple[Any, StageSpeed, Batch]:
    """A stage, how fast it trains, and a micro-batch that it was trained on."""
    _say(f"training steps of the {name}")
    shape: BatchShape = construct(config.data.batch if name == "encoder" else config.data.tokenizer_batch)
    stage, part = _stage(config, name), _of_one_process(shape, settings.num_processes)
    if settings.compile:
        compile_blocks(stage)
    clock = _train(config, corpus, stage, part, settings, seconds)
    processes = settings.num_processes
    step = clock.seconds_per_step * shape.rows / (part.rows * processes)
    num_steps = settings.last_step(stage.optimizer_recipe.total_steps)
    return stage, StageSpeed(clock.rate * processes, step, num_steps), clock.batch


def _stage(config: DictConfig, name: str) -> Any:
    """A stage as training makes it, without a teacher."""
    recipe = construct(config.optim[name])
    shared: dict[str, Any] = {"objective": construct(config.objective.joint), "optimizer": recipe}
    if name == "tokenizer":
        return TokenizerStage(construct(config.model.codec), **shared)
    return EncoderStage(
        construct(config.model),
        freeze_tokenizer=checked_value(config, "objective.freeze_tokenizer", bool),
        freeze_readout=checked_value(config, "objective.freeze_readout", bool),
        **shared,
    )


def _of_one_process(shape: BatchShape, num_processes: int) -> BatchShape:
    """At most two micro-batches of one process, behind a first step of short rows that is not timed."""
    together = shape.rows_together(num_processes)
    rows = min(shape.rows // num_processes, 2 * together)
    short = min(shape.max_codons, _SHORT_ROW)
    return replace(shape, rows=rows, rows_at_once=together, warmup_codons=short, warmup_steps=1)


def _train(
    config: DictConfig,
    corpus: Corpus,
    stage: PretrainingStage,
    shape: BatchShape,
    settings: TrainerSettings,
    seconds: float,
) -> _Clock:
    """Steps of a stage on one device."""
    data = CorpusDataModule(
        corpus,
        shape=shape,
        mixture=replace(construct(config.data.mixture), cds_repeats={}),  # which names files of the input
        masking=construct(config.objective.masking),
        seed=checked_value(config, "seed", int),
        reverse_complement=checked_value(config, "data.reverse_complement", bool),
        max_unknown_fraction=checked_value(config, "data.max_unknown_fraction", float),
        validation_steps=0,
        num_workers=settings.num_workers,
    )
    clock = _Clock(seconds)
    Trainer(
        accelerator="cuda" if settings.on_gpu or settings.accelerator == "gpu" else "cpu",
        devices=1,
        precision=settings.precision,
        max_epochs=-1,
        callbacks=[clock],
        logger=False,
        limit_val_batches=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    ).fit(stage, datamodule=data)
    return clock


def _reading_rate(model: Any, batch: Batch) -> float:
    """Nucleotides per second of the model on one micro-batch, without gradients."""
    device = batch.ids.device
    model = model.to(device)
    with torch.inference_mode():
        seconds = _least_seconds(lambda: model(batch.ids, batch.cu_seqlens), device)
    return batch.num_nucleotides / seconds


def _compared(
    config: DictConfig, corpus: Corpus, stage: PretrainingStage, settings: TrainerSettings, seconds: float
) -> dict[str, float]:
    """Throughput under other threads and the other precision, over that of the chosen ones, in two rounds."""
    own = torch.get_num_threads()
    cores = processor()["usable_cores"]
    counts = [] if settings.on_gpu else sorted({1, max(1, cores // 2), cores} - {own})
    variants = {"": (own, settings)}
    variants |= {f"OMP_NUM_THREADS={threads}": (threads, settings) for threads in counts}
    for precision in _PRECISIONS:
        if precision != settings.precision:
            variants[f"trainer.precision={precision}"] = (own, replace(settings, precision=precision))
    shape = BatchShape(max_codons=_SHORT_ROW, rows=1)
    rates = dict.fromkeys(variants, 0.0)
    try:
        for name, (threads, chosen) in list(variants.items()) * 2:
            torch.set_num_threads(threads)
            clock = _train(config, corpus, stage, shape, chosen, seconds / 2)
            rates[name] = max(rates[name], clock.rate)
    finally:
        torch.set_num_threads(own)
    return {name: rate / rates[""] for name, rate in rates.items() if name}


def _kernel_seconds(model: Any, num_codons: int, settings: TrainerSettings) -> dict[str, float]:
    """Forward and backward of one layer over one row, by the chosen backend and by the portable one."""
    mixers = [part for part in model.encoder.modules() if isinstance(part, GatedDeltaNet)]
    if not mixers:
        return {}
    mixer, device = mixers[0], settings.device
    keys, values = (layer.out_features // mixer.num_heads for layer in (mixer.k_proj, mixer.v_proj))

    def random(*widths: int) -> torch.Tensor:
        return torch.rand(1, num_codons, mixer.num_heads, *widths, device=device, requires_grad=True)

    inputs = [random(keys), random(keys), random(values), random(), random()]

    def step(backend: str) -> None:
        q, k, v, g, beta = inputs
        k = torch.nn.functional.normalize(k, dim=-1)
        gated_delta_rule(q, k, v, -0.3 * g, beta, backend=backend).sum().backward()

    own = resolve_backend("auto", device.type, torch.float32, keys)
    return {
        backend: _least_seconds(lambda backend=backend: step(backend), device)
        for backend in dict.fromkeys([own, "chunked"])
    }


def _least_seconds(call: Callable[[], Any], device: torch.device) -> float:
    """Of three calls, the first apart."""
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])


def _say(what: str) -> None:
    print(f"measuring: {what}", file=sys.stderr, flush=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what Lightning and the loader say."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
