"""No dead options: every leaf of conf/train.yaml, changed once, changes something that can be observed.

`ROWS` says for each key another valid value, what to look at, and what else must be chosen for the key to
matter. `UNSEEN` lists the keys that must not or cannot change anything here, each with its reason.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from lightning import Trainer, seed_everything
from matplotlib.colors import to_hex
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from lifecode.app.configs.construct import construct
from lifecode.app.configs.locate_config import config_folder
from lifecode.app.from_python import compose
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.stream import BEGINNING
from lifecode.data.corpus.corpus import Corpus
from lifecode.data.corpus.prepare import prepare_corpus
from lifecode.data.reading.read import read_unit, resolve_inputs
from lifecode.data.splits.regions import Contigs
from lifecode.data.splits.split import BlockSplit
from lifecode.datasets.luca_one.tasks import TASKS
from lifecode.errors import UserError
from lifecode.evaluation.distillation import sample_of_genes
from lifecode.evaluation.masked_genes import held_out_genes, packed_rows
from lifecode.models.luca_one.heads import LEVELS
from lifecode.report.charts.figure_style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    RULE,
    VERMILION,
    FigureColours,
    use_colours,
)
from lifecode.training import trainer as trainer_module
from lifecode.training.stages.encoder_stage import EncoderStage
from lifecode.training.stages.tokenizer_stage import TokenizerStage
from lifecode.verbs.train.life_code import train as life_code
from lifecode.verbs.train.life_code.plan import plan_run
from lifecode.verbs.train.life_code.start_of_encoder import start_of_encoder
from lifecode.verbs.train.life_code.teacher import _cache_folder
from lifecode.verbs.train.plan_tables import plan_tables
from tests.support.repository import ROOT

SMALL = (
    "model.width=32",
    "model.depth=2",
    "model.hybrid_ratio='1:1'",
    "model.num_heads=2",
    "model.attention_head_dim=16",
    "model.codec.nucleotide_dim=16",
    "model.codec.conv_channels=8",
    "model.codec.translator_hidden=32",
    "data.batch.max_codons=256",
    "data.batch.warmup_codons=64",
    "data.batch.warmup_steps=1",
    "data.mixture.rna=0.2",
    "optim.tokenizer.total_steps=4",
    "optim.tokenizer.warmup_steps=1",
    "optim.encoder.total_steps=4",
    "optim.encoder.warmup_steps=1",
    "trainer.accelerator=cpu",
)
TRAINED_STEPS = 3
TEACHER_WIDTH = 8


class Row(NamedTuple):
    """How a key is seen to matter.

    Attributes:
        value: another valid one, as on the command line.
        look: name of the observation, a function of this file.
        given: overrides under which the key matters.
    """

    value: str
    look: str
    given: tuple[str, ...] = ()


PLAN = ("trainer=gpus_8", "trainer.strategy=ddp", "data.batch.rows=16", "data.batch.rows_at_once=1")


def rows(look: str, values: dict[str, str], *given: str, under: str = "") -> dict[str, Row]:
    """Rows that share what is looked at; the keys stand under one prefix."""
    return {f"{under}{key}": Row(value, look, given) for key, value in values.items()}


_OPTIMIZER = {
    "lr": "1e-2",
    "min_lr": "1e-3",
    "warmup_steps": "2",
    "total_steps": "5",
    "beta1": "0.5",
    "beta2": "0.5",
    "weight_decay": "0.3",
    "clip_norm": "1e-3",
    "matrices": "muon",
    "decay_steps": "3",
}
_CODEC = {
    "nucleotide_dim": "32",
    "conv_channels": "16",
    "num_heads": "1",
    "direction": "forward",
    "stride": "3",
    "translator_hidden": "48",
    "codon_head": "none",
    "layer_scale": "0.5",
    "short_conv_width": "2",
    "tokenizer": "linear",
}
_MODEL = {
    "width": "64",
    "depth": "4",
    "hybrid_ratio": "'2:0'",
    "mixers": "[mhsa,gdn]",
    "mixer_options": "{gdn:{norm_eps:0.1}}",
    "short_conv_width": "2",
    "num_heads": "4",
    "attention_head_dim": "32",
    "strands": "rc",
    "equal_parameters": "true",
    "layer_scale": "0.5",
    "init_std": "0.1",
}
_BATCH = {"max_codons": "200", "rows": "3", "rows_at_once": "1", "warmup_codons": "100", "warmup_steps": "2"}
_MASKING = {"nucleotide_fraction": "0.3", "codon_fraction": "0.3", "masked": "0.5", "random": "0.2"}
_TRAINER = {
    "max_steps": "2",
    "accelerator": "gpu",
    "devices": "2",
    "num_nodes": "2",
    "strategy": "ddp",
    "precision": "bf16-mixed",
    "check_finite": "true",
    "compile": "true",
    "log_every_steps": "7",
    "validate_every_steps": "7",
    "checkpoint_every_steps": "7",
    "keep_checkpoints": "3",
    "profiler": "{_target_: lightning.pytorch.profilers.SimpleProfiler}",
    "limit_val_batches": "0.5",
    "deterministic": "true",
    "detect_anomaly": "true",
}
_EARLY_STOPPING = {"monitor": "another", "mode": "max", "min_delta": "0.5", "patience": "7"}
_BEST_CHECKPOINT = {
    "dirpath": "another",
    "filename": "another",
    "monitor": "another",
    "mode": "max",
    "save_top_k": "7",
}

ROWS: dict[str, Row] = {
    "name": Row("another", "plan"),
    "run_dir": Row("elsewhere", "plan"),  # where there is no corpus
    "stage": Row("encoder", "plan"),
    "seed": Row("1", "batches"),
    "input": Row("null", "plan", ("run_dir=nowhere", "input=ecoli")),
    "input_folder": Row("elsewhere", "plan", ("sources=life_code", "run_dir=nowhere")),
    "tokenizer_checkpoint": Row("another/run", "codec_folder"),
    "init_from": Row("another/run", "plan"),  # stage 2 alone
    "plan_flops_per_second": Row("1e12", "plan"),
    **rows("batches", _BATCH, under="data.batch."),
    **rows("tokenizer_batches", _BATCH, under="data.tokenizer_batch."),
    **rows("batches", {"cds": "0.1", "dna": "0.9", "rna": "0.7"}, under="data.mixture."),
    "data.mixture.cds_repeats": Row("{small.gbk:3}", "batches"),
    **rows("batches", {"reverse_complement": "false", "max_unknown_fraction": "0.5"}, under="data."),
    "data.batch_seed": Row("1", "batches"),
    "data.validation_steps": Row("2", "validation"),
    "data.reading.genetic_code": Row("4", "reading"),
    "data.reading.organism": Row("s_cerevisiae", "reading"),
    "data.reading.codon_choice": Row("sampled", "reading"),
    "data.reading.genetic_code.default": Row("4", "reading", ("sources=life_code",)),
    "data.reading.isoforms": Row("longest", "reading"),
    "data.reading.on_malformed": Row("skip", "reading"),
    "data.split.block_nucleotides": Row("20000", "regions"),
    "data.split.validation": Row("0.3", "regions"),
    "data.split.test": Row("0.3", "regions"),
    **rows("trained_encoder", _MODEL, under="model."),
    "model.activation_checkpointing": Row("true", "plan"),
    **rows("trained_tokenizer", _CODEC, under="model.codec."),
    **rows("trained_tokenizer", _OPTIMIZER, under="optim.tokenizer."),
    **rows("trained_encoder", _OPTIMIZER, under="optim.encoder."),
    **rows("trained_encoder", _MASKING, under="objective.masking."),
    **rows("trained_encoder", {"freeze_tokenizer": "true", "freeze_readout": "false"}, under="objective."),
    "objective.task_gradients_every_steps": Row("1", "plan"),
    "objective.joint.eps": Row("0.5", "trained_encoder"),
    "objective.joint.weights": Row("lagged", "trained_encoder"),
    **rows(
        "trained_encoder",
        {"mlm": "2", "translation": "2", "distillation": "2"},
        "objective/joint=weighted_sum",
        under="objective.joint.",
    ),
    **rows(
        "trained_encoder",
        {"mode": "paper", "teacher_temperature": "0.5", "student_temperature": "0.5", "ema_decay": "0.1"},
        under="kd.",
    ),
    "teacher.targets": Row("none", "plan", ("teacher=near",)),
    "teacher.max_train_residues": Row("1000", "plan", ("teacher=near",)),
    "teacher.max_heldout_residues": Row("100", "plan", ("teacher=near",)),
    "teacher.cache": Row("shared/features", "feature_cache", ("teacher=near",)),
    "teacher.model.checkpoint": Row("facebook/esm2_t6_8M_UR50D", "plan", ("teacher=esm2",)),
    **rows("fitted", _TRAINER, under="trainer."),
    "trainer.num_workers": Row("2", "loader"),
    **rows(
        "callbacks", _EARLY_STOPPING, "callbacks=early_stopping", under="trainer.callbacks.early_stopping."
    ),
    **rows(
        "callbacks", _BEST_CHECKPOINT, "callbacks=best_checkpoint", under="trainer.callbacks.best_checkpoint."
    ),
    **rows(
        "masks",
        {
            "mask_fraction": "0.5",
            "passes": "2",
            "max_codons": "600",
            "max_train_residues": "500",
            "max_genes": "3",
            "seed": "1",
        },
        under="heldout.",
    ),
    **rows(
        "colours",
        dict.fromkeys(("blue", "orange", "green", "vermilion", "purple", "ink", "grey", "rule"), "tab:brown"),
        under="figures.",
    ),
    "logger.wandb.project": Row("another", "wandb", ("logger=wandb",)),
    "logger.wandb.name": Row("another", "wandb", ("logger=wandb",)),
    "logger.wandb.save_dir": Row("another", "wandb", ("logger=wandb",)),
    "logger.wandb.offline": Row("false", "wandb", ("logger=wandb",)),
    **rows(
        "tensorboard",
        {"save_dir": "another", "name": "another", "version": "another", "default_hp_metric": "true"},
        "logger=tensorboard",
        under="logger.tensorboard.",
    ),
}

UNSEEN = {
    "plugins": "modules of the user's own: test_plugins",
    "plan": "prints instead of training: test_plan",
    "engine.workers": "speed only: the corpus does not depend on it, test_engines",
    "engine.address": "where the same work is done: test_engines",
    "data.mixture.temperature": "needs input files of several sizes: test_stream",
    "data.mixture.joined": "needs genes shorter than half a row: test_stream",
    "data.split.clusters": "needs homologs: test_leaks prepares with and without",
    "data.reading.max_ambiguous_share": "of what is verified: test_ambiguous_codons",
    "teacher.verify_cache": "whether the checksums of stored features are compared: test_teacher_features",
    "teacher.model.revision": "of a checkpoint on the hub, which tests do not reach",
    "teacher.model.window": "of the network's input: test_teacher_esm2",
    "teacher.model.overlap": "of the windows: test_teacher_esm2",
    "teacher.model.residues_at_once": "memory only: features must not depend on it, test_teacher_esm2",
    "teacher.model.device": "needs a GPU",
    "teacher.model.precision": "of the teacher's weights: test_teacher_esm2",
    **dict.fromkeys(
        (
            "model.max_tokens",
            "model.head_dropout",
            *(f"model.heads.{task}.{key}" for task in LEVELS for key in ("classes", "hidden")),
        ),
        "of LucaOne: test_train_lucaone, dropout test_letter_stage",
    ),
    **dict.fromkeys(
        (
            *(f"pretraining.batch.{key}" for key in ("max_tokens", "rows", "rows_at_once")),
            *(f"pretraining.masking.{key}" for key in ("fraction", "masked", "random")),
            *(f"pretraining.joint.weights.{task}" for task in TASKS),
            "pretraining.rows.max_letters",
        ),
        "of LucaOne: test_train_lucaone",
    ),
    **dict.fromkeys(
        (
            *(f"pretraining.{key}" for key in ("interpro", "interpro_entries", "structures", "orders")),
            *(f"pretraining.rows.{key}" for key in ("reverse_strand", "pseudogenes", "max_unknown_share")),
            "pretraining.rows.sites",
        ),
        "handed to make_rows as they are: test_row_data",
    ),
    "pretraining.max_test_rows": "how many rows are evaluated: test_labelled_rows",
}


# What is looked at


class World(NamedTuple):
    """What observations need beside a config."""

    folder: Path
    corpus: Corpus
    inputs: list[str]


class Features:
    """Eight features per residue for every protein."""

    def get(self, protein: str):
        return np.random.default_rng(len(protein)).normal(size=(len(protein), TEACHER_WIDTH)).astype("f2")


def digest(*arrays: Any) -> str:
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype}{tuple(array.shape)}".encode() + np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def plan(config: DictConfig, world: World) -> str:
    """All that a plan prints; `run_dir` is a folder with a corpus unless a row says otherwise."""
    console = Console(width=100)
    with console.capture() as captured:
        console.print(plan_tables(plan_run(config)))
    return captured.get()


def data_of(config: DictConfig, world: World, stage: str, features: Any = None):
    return life_code._data(config, world.corpus, config.trainer.num_workers, stage, features)


def batches(config: DictConfig, world: World, stage: str = "encoder") -> list[str]:
    """Every tensor of the first steps, one digest a micro-batch."""
    data = data_of(config, world, stage)
    steps = iter(data.stream("train", BEGINNING))
    return [
        f"{step}: {digest(batch.ids.numpy(), batch.cu_seqlens.numpy(), batch.codon_labels.numpy())}"
        for step in range(TRAINED_STEPS)
        for batch in next(steps).micro_batches
    ]


def tokenizer_batches(config: DictConfig, world: World) -> list[str]:
    return batches(config, world, "tokenizer")


def validation(config: DictConfig, world: World) -> int:
    return len(data_of(config, world, "encoder").val_dataloader())


def loader(config: DictConfig, world: World) -> int:
    """The batches themselves must not differ."""
    assert batches(config, world) == batches(compose("train", *SMALL), world)
    return data_of(config, world, "encoder").train_dataloader().num_workers


def trained(config: DictConfig, world: World, name: str) -> str:
    """The weights after three real optimizer steps, frozen ones too."""
    seed_everything(config.seed, verbose=False)
    shared = {
        "objective": construct(config.objective.joint),
        "optimizer": construct(config.optim[name]),
        "task_gradients_every_steps": 0,
    }
    if name == "tokenizer":
        stage = TokenizerStage(construct(config.model.codec), **shared)
    else:
        stage = EncoderStage(
            construct(config.model, teacher_width=TEACHER_WIDTH),
            distillation=construct(config.kd, width=TEACHER_WIDTH),
            freeze_tokenizer=config.objective.freeze_tokenizer,
            freeze_readout=config.objective.freeze_readout,
            **shared,
        )
    Trainer(
        max_steps=TRAINED_STEPS,
        accelerator="cpu",
        logger=False,
        limit_val_batches=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    ).fit(stage, datamodule=data_of(config, world, name, Features()))
    return digest(*(parameter.detach().numpy() for parameter in stage.parameters()))


def trained_tokenizer(config: DictConfig, world: World) -> str:
    return trained(config, world, "tokenizer")


def trained_encoder(config: DictConfig, world: World) -> str:
    return trained(config, world, "encoder")


def reading(config: DictConfig, world: World) -> list[Any]:
    """What the readers make of proteins, CDS, isoforms and a malformed file."""
    settings = construct(config.data.reading, seed=config.seed)
    read: list[Any] = []
    for unit in resolve_inputs(world.inputs):
        try:
            for contig in read_unit(unit, settings, lambda *_: None):
                read += [contig.name, digest(contig.nucleotides), repr(contig.coding_sequences)]
        except UserError as error:
            read.append(str(error))
    return read


def regions(config: DictConfig, world: World) -> str:
    """Which stretch of forty contigs of ten taxa goes into which split."""
    numbers = np.arange(40)
    contigs = Contigs(
        names=pa.array([f"contig{number}" for number in numbers]),
        num_nucleotides=np.full(40, 200_000),
        is_dna=np.ones(40, dtype=bool),
        taxon=numbers % 10,
        group=numbers,
        twin_of=numbers,
        mirrored=np.zeros(40, dtype=bool),
    )
    found = construct(config.data.split).regions(contigs, config.seed)
    return repr([np.asarray(getattr(found, name)).tolist() for name in ("contig", "start", "split")])


def fitted(config: DictConfig, world: World) -> str:
    """What training hands to Lightning, and what it switches on in this process."""
    seen: dict[str, Any] = {}

    class Stop(Exception):
        pass

    def recorder(**settings: Any) -> None:
        named = ("every_steps", "keep")
        callbacks = [[vars(x).get(name) for name in named] for x in settings.pop("callbacks")]
        settings.pop("logger")
        plugins = [type(plugin).__name__ for plugin in settings.pop("plugins")]
        seen.update(settings, callbacks=callbacks, plugins=plugins)
        raise Stop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer_module, "Trainer", recorder)
        patch.setattr(trainer_module, "check_finite", lambda on: seen.update(finite=on))
        patch.setattr(trainer_module, "compile_blocks", lambda module: seen.update(compiled=True))
        patch.setattr(trainer_module, "require_compiler", lambda device: None)
        codec = TokenizerStage(
            construct(config.model.codec),
            objective=construct(config.objective.joint),
            optimizer=construct(config.optim.tokenizer),
        )
        folder = world.folder / "fitted"
        folder.mkdir(exist_ok=True)
        data = SimpleNamespace(
            shape=construct(config.data.batch),
            masking=Masking(),
            validation_steps=config.data.validation_steps,
        )
        with pytest.raises(Stop):
            trainer_module.train_stage(codec, data, construct(config.trainer), folder, [])
    return repr(sorted(seen.items()))


def callbacks(config: DictConfig, world: World) -> str:
    """What the callbacks of Lightning were made with."""
    made = construct(config.trainer).callbacks
    return repr({name: {k: v for k, v in vars(x).items() if "_fx" not in k} for name, x in made.items()})


def colours(config: DictConfig, world: World) -> list[str]:
    """What the names of colours are drawn as."""
    use_colours(construct(config.figures))
    found = [to_hex(name) for name in (BLUE, ORANGE, GREEN, VERMILION, PURPLE, INK, GREY, RULE)]
    use_colours(FigureColours())
    return found


def masks(config: DictConfig, world: World) -> list[str]:
    """Masked codons of every held-out gene, how the genes are packed, and the training genes beside them."""
    settings = construct(config.heldout)
    table = world.corpus.segments("cds", "test")
    genes = held_out_genes(table, settings, rows=settings.chosen(np.arange(len(table))))
    packed = packed_rows([gene.ids for gene in genes], settings.max_codons)
    train_genes = world.corpus.segments("cds", "train")
    sample = sample_of_genes(train_genes, Features(), settings.max_train_residues, settings.seed)
    return [digest(gene.masked) for gene in genes] + [repr(row) for row, _ in packed] + [repr(sample)]


def codec_folder(config: DictConfig, world: World) -> Path:
    own = world.folder / "own"
    own.mkdir(exist_ok=True)
    return start_of_encoder(config, own)


def feature_cache(config: DictConfig, world: World) -> Path:
    return _cache_folder(config, world.folder / "teacher")


def wandb(config: DictConfig, world: World) -> str:
    pytest.importorskip("wandb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_API_KEY", "0" * 40)  # never used: no run is started
        logger = construct(config.logger.wandb)
    return repr((logger._wandb_init, logger._offline))


def tensorboard(config: DictConfig, world: World) -> str:
    logger = construct(config.logger.tensorboard)
    return repr((logger.log_dir, logger._default_hp_metric))


LOOKS: dict[str, Callable[[DictConfig, World], Any]] = {
    look.__name__: look
    for look in (
        plan,
        batches,
        tokenizer_batches,
        validation,
        loader,
        trained_tokenizer,
        trained_encoder,
        reading,
        regions,
        fitted,
        callbacks,
        masks,
        colours,
        codec_folder,
        feature_cache,
        wandb,
        tensorboard,
    )
}


# The world


def fasta(path: Path, **records: str) -> str:
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in records.items()))
    return str(path)


@pytest.fixture(scope="module")
def world(small_genome: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A corpus with genes, DNA of which a third is unknown in places, and transcripts; and files to read."""
    folder = tmp_path_factory.mktemp("keys")
    letters = np.random.default_rng(0).choice(list("ACGT"), 12_000)
    letters[np.arange(0, 12_000, 4)] = "N"
    transcripts = {
        f"t{i}": "".join(np.random.default_rng(i).choice(list("ACGT"), 300 + 30 * i)) for i in range(40)
    }
    files = [
        str(small_genome),
        f"genome:{fasta(folder / 'unknown.fa', unknown=''.join(letters))}",
        f"rna:{fasta(folder / 'rna.fa', **transcripts)}",
    ]
    split = BlockSplit(block_nucleotides=6000, validation=0.1, test=0.2)
    corpus = prepare_corpus(files, folder / "corpus", split=split)
    genome = fasta(folder / "isoforms.fa", chr1="ATGAAATTTGGGCCCAAATAA")
    gff = ["##gff-version 3", "chr1\t.\tgene\t1\t21\t.\t+\t.\tID=g"]
    for name, end in (("long", 21), ("short", 9)):
        gff.append(f"chr1\t.\tmRNA\t1\t{end}\t.\t+\t.\tID={name};Parent=g")
        gff.append(f"chr1\t.\tCDS\t1\t{end}\t.\t+\t0\tID=cds-{name};Parent={name}")
    (folder / "isoforms.gff3").write_text("\n".join(gff) + "\n")
    inputs = [
        f"protein:{fasta(folder / 'proteins.fa', p1='MKLVFFAEDVGSNKGAIIGLM' * 3)}",
        f"cds:{fasta(folder / 'cds.fa', c1='ATGTGAAAATAA')}",
        f"{folder / 'isoforms.gff3'}+{genome}",
        fasta(folder / "malformed.fa", fine="ACGT", broken="AC!T"),
    ]
    return World(folder, corpus, inputs)


@pytest.fixture(scope="module")
def seen(world: World) -> Callable[[str, tuple[str, ...]], Any]:
    """An observation under some overrides, made once."""

    @cache
    def observed(look: str, overrides: tuple[str, ...]) -> Any:
        own = ("run_dir=" + str(world.folder),) if look == "plan" else ()
        return LOOKS[look](compose("train", *SMALL, *own, *overrides), world)

    return observed


# The keys


def leaves(node: Any, prefix: str = "") -> Iterator[str]:
    """Dotted names of all values in nested containers; `_target_` says which class, and not how."""
    if isinstance(node, dict) and node and not prefix.endswith("cds_repeats."):  # named by files
        for key, value in node.items():
            if not str(key).startswith("_"):
                yield from leaves(value, f"{prefix}{key}.")
    elif node != {}:
        yield prefix.removesuffix(".")


@cache
def every_key() -> frozenset[str]:
    """The leaves of conf/train.yaml under every option of every group in it."""
    folder = config_folder()
    defaults = OmegaConf.load(folder / "train.yaml").defaults
    groups = [
        str(name).split()[-1].lstrip("/")
        for entry in defaults
        if not isinstance(entry, str)
        for name in entry
    ]
    options = [f"{group}={file.stem}" for group in groups for file in sorted((folder / group).glob("*.yaml"))]
    found: set[str] = set()
    for option in ["seed=0", *options]:
        config = OmegaConf.to_container(compose("train", option), resolve=False)
        # A list is one value.
        found |= set(leaves(config))
    # `teacher=none` and an empty logger have nothing to set.
    return frozenset(found - {"teacher.model", "hydra"})


def test_every_key_has_a_row_or_a_reason():
    unknown = sorted(every_key() - ROWS.keys() - UNSEEN.keys())
    assert not unknown, (
        f"{unknown}: add each to ROWS of {Path(__file__).name} with another value and what it must change "
        "(a key that changes nothing is a bug: fix or delete it), or to UNSEEN with the reason"
    )


def test_no_row_and_no_reason_outlives_its_key():
    assert sorted((ROWS.keys() | UNSEEN.keys()) - every_key()) == []
    assert not ROWS.keys() & UNSEEN.keys()
    for reason in UNSEEN.values():
        for name in re.findall(r"test_\w+", reason):
            assert any((ROOT / "tests/unit").rglob(f"{name}.py")), reason


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(k, marks=pytest.mark.slow) if row.look.startswith("trained") else k
        for k, row in ROWS.items()
    ],
)
def test_a_key_matters(key: str, seen: Callable[[str, tuple[str, ...]], Any]):
    value, look, given = ROWS[key]
    # The later of two overrides of one key wins.
    before, after = seen(look, given), seen(look, (*given, f"{key}={value}"))
    assert before != after, f"{key}={value} changed nothing of {look}: fix or delete the key"


@pytest.mark.slow
@pytest.mark.parametrize("look", LOOKS)
def test_what_is_looked_at_is_the_same_twice(look: str, world: World):
    """Otherwise a difference would prove nothing."""
    logger = "tensorboard" if look == "tensorboard" else "wandb"
    given = ("teacher=near", f"logger={logger}", f"run_dir={world.folder}")
    first, second = (LOOKS[look](compose("train", *SMALL, *given), world) for _ in range(2))
    assert first == second
