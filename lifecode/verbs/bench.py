"""`lifecode bench`: a short measurement on this machine that says what a run would take and what to change.

Other settings are timed beside the chosen ones in turns, so that what disturbs the machine disturbs all.
"""

import logging
import os
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, NamedTuple

import torch
from omegaconf import DictConfig
from pydantic import Field

from lifecode.app.configs.construct import checked_value, construct
from lifecode.data.batches.batch import Batch
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.module import CorpusDataModule
from lifecode.data.corpus.corpus import Corpus
from lifecode.data.corpus.engine import LocalEngine
from lifecode.data.corpus.prepare import prepare_corpus
from lifecode.data.reading.read import packaged_genomes
from lifecode.errors import UserError
from lifecode.host.machine import processor
from lifecode.ops.cpu.heap import keep_freed_memory
from lifecode.training.compilation import compile_blocks
from lifecode.training.run.run_folder import peak_memory_bytes
from lifecode.training.speed import (
    SHORT_ROW,
    delta_rule_seconds,
    part_of_one_process,
    reading_rate,
    train_for,
)
from lifecode.training.stages.encoder_stage import EncoderStage
from lifecode.training.stages.tokenizer_stage import TokenizerStage
from lifecode.training.trainer import TrainerSettings
from lifecode.verbs.train.life_code.train_values import check_values

_WORTH_A_CHANGE, _BUSY_LOAD = 1.1, 0.5
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
        kernels: seconds of a layer's gated delta rule by backend, the one that runs first.
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
    if settings.accelerator == "gpu" and not settings.on_gpu:
        raise UserError(
            "asks for a GPU, and this machine has none",
            source="trainer.accelerator",
            remedy="Measure with trainer.accelerator=cpu",
        )
    keep_freed_memory()  # as training does
    if settings.num_processes > 1 and not settings.on_gpu:  # they share the cores
        torch.set_num_threads(max(1, processor()["usable_cores"] // settings.processes_per_node))
    with _quiet(), TemporaryDirectory(prefix="lifecode-bench-") as folder:
        bench = measure(config, settings, seconds, Path(folder))
    print("\n".join(lines(bench, settings, genome)))


def measure(config: DictConfig, settings: TrainerSettings, seconds: float, folder: Path) -> Bench:
    """Times preparation, both stages and other settings; `folder` takes the corpus."""
    load = os.getloadavg()[0] / processor()["usable_cores"]
    _say("preparation of E. coli K-12")
    start = time.perf_counter()
    corpus = prepare_corpus(packaged_genomes()["ecoli"], folder / "corpus", engine=LocalEngine(1))
    prepared = corpus.report["nucleotides"] / (time.perf_counter() - start)
    encoder, encoder_speed, batch = _stage_speed(config, corpus, "encoder", settings, seconds)
    memory = torch.cuda.max_memory_allocated() if settings.on_gpu else peak_memory_bytes()
    embedded = reading_rate(encoder.model, batch)
    _, tokenizer_speed, _ = _stage_speed(config, corpus, "tokenizer", settings, seconds)
    _say("other settings")
    compared = _compared(config, corpus, encoder, settings, seconds / 4)
    kernels = delta_rule_seconds(encoder.model, construct(config.data.batch).max_codons, settings.device)
    speeds = {"tokenizer": tokenizer_speed, "encoder": encoder_speed}
    return Bench(speeds, memory, prepared, embedded, compared, kernels, load)


def lines(bench: Bench, settings: TrainerSettings, genome_nucleotides: int) -> list[str]:
    """What a measurement says, line by line, with what to change at the end."""
    machine, stages = processor(), bench.stages
    threads = f"{torch.get_num_threads()} threads on {machine['usable_cores']} usable cores"
    shared = f", {settings.num_processes} processes as fast as one" if settings.num_processes > 1 else ""
    total = sum(speed.seconds_per_step * speed.num_steps for speed in stages.values())
    prepared, read, embedded = (
        duration(genome_nucleotides / rate)
        for rate in (
            bench.prepare_nucleotides_per_second,
            stages["encoder"].nucleotides_per_second,
            bench.embed_nucleotides_per_second,
        )
    )
    return [
        f"{machine['name']}, {threads}, {machine['memory_gib']} GiB; {settings.device}, {settings.precision}"
        f"{shared}",
        *(
            f"{name}: {nucleotides:,.0f} nucleotides/s, {duration(seconds)} per step, "
            f"{steps:,} steps in {duration(seconds * steps)}"
            for name, (nucleotides, seconds, steps) in stages.items()
        ),
        f"both stages: {duration(total)}, and teacher, validation and checkpoints on top",
        f"memory of a process: {bench.memory_bytes / 2**30:.2f} GiB at most",
        f"a genome of {genome_nucleotides:,} nucleotides: prepared in {prepared}, "
        f"read once by the encoder in training in {read}, embedded in {embedded}",
        *(f"with {name}: {times:.2f} times as fast" for name, times in bench.settings.items()),
        *_kernel_lines(bench.kernels),
        _advice(bench.settings),
        *(["The machine was busy before: all is slower than it need be."] if bench.load > _BUSY_LOAD else []),
    ]


def _kernel_lines(kernels: dict[str, float]) -> Iterator[str]:
    if not kernels:
        return
    (own, seconds), *others = kernels.items()
    said = f"gated delta rule: {own}, {duration(seconds)} per layer and row"
    yield "; ".join([said, *(f"{other} {took / seconds:.1f} times as long" for other, took in others)])
    if not others:
        yield "No compiled kernel of the gated delta rule runs here: lifecode doctor says why."


def _advice(settings: dict[str, float]) -> str:
    name = max(settings, key=lambda name: settings[name], default=None)
    if name is None or settings[name] < _WORTH_A_CHANGE:
        return "No other number of threads or precision is faster by a tenth: keep what you have."
    command = f"{name} lifecode train ..." if name.startswith("OMP_") else f"lifecode train ... {name}"
    return f"Faster: {command}"


def duration(seconds: float) -> str:
    """Seconds in the largest unit of which there are one and a half."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1e3 * seconds:.1f} ms"


def _stage_speed(
    config: DictConfig, corpus: Corpus, name: str, settings: TrainerSettings, seconds: float
) -> tuple[Any, StageSpeed, Batch]:
    """A stage as training makes it, how fast it trains, and a micro-batch that it was trained on."""
    _say(f"training steps of the {name}")
    shared = {"objective": construct(config.objective.joint), "optimizer": construct(config.optim[name])}
    if name == "tokenizer":
        shape: BatchShape = construct(config.data.tokenizer_batch)
        stage = TokenizerStage(construct(config.model.codec), **shared)
    else:
        shape = construct(config.data.batch)
        frozen = {key: config.objective[key] for key in ("freeze_tokenizer", "freeze_readout")}
        stage = EncoderStage(construct(config.model), **frozen, **shared)
    if settings.compile:
        compile_blocks(stage)
    processes = settings.num_processes
    part = part_of_one_process(shape, processes)
    clock = train_for(stage, _data(config, corpus, part, settings), settings, seconds)
    rate, step = clock.nucleotides_per_second, clock.seconds_per_step
    num_steps = settings.last_step(stage.optimizer_recipe.total_steps)
    speed = StageSpeed(rate * processes, step * shape.rows / (part.rows * processes), num_steps)
    return stage, speed, clock.batch


def _compared(
    config: DictConfig, corpus: Corpus, stage: EncoderStage, settings: TrainerSettings, seconds: float
) -> dict[str, float]:
    """Throughput under other threads and the other precision over that of the chosen ones, in two rounds."""
    own, cores = torch.get_num_threads(), processor()["usable_cores"]
    others = () if settings.on_gpu else sorted({1, max(1, cores // 2), cores} - {own})
    variants = {"": (own, settings)}
    variants |= {f"OMP_NUM_THREADS={threads}": (threads, settings) for threads in others}
    variants |= {
        f"trainer.precision={precision}": (own, replace(settings, precision=precision))
        for precision in _PRECISIONS
        if precision != settings.precision
    }
    rates, data = dict.fromkeys(variants, 0.0), partial(_data, config, corpus)
    try:
        for name, (threads, chosen) in list(variants.items()) * 2:
            torch.set_num_threads(threads)
            clock = train_for(stage, data(BatchShape(SHORT_ROW, rows=1), chosen), chosen, seconds)
            rates[name] = max(rates[name], clock.nucleotides_per_second)
    finally:
        torch.set_num_threads(own)
    return {name: rate / rates[""] for name, rate in rates.items() if name}


def _data(
    config: DictConfig, corpus: Corpus, shape: BatchShape, settings: TrainerSettings
) -> CorpusDataModule:
    return CorpusDataModule(
        corpus,
        shape=shape,
        mixture=replace(construct(config.data.mixture), cds_repeats=None),  # names files of another input
        masking=construct(config.objective.masking),
        seed=config.seed,
        reverse_complement=config.data.reverse_complement,
        max_unknown_fraction=config.data.max_unknown_fraction,
        validation_steps=0,
        num_workers=settings.num_workers,
    )


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
