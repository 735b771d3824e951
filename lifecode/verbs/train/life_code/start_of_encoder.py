"""What stage 2 of `lifecode train` begins with: this run's tokenizer, that of another, or a whole model."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value, construct
from lifecode.data.corpus.corpus import Corpus
from lifecode.data.statistics.seen_genes import NUM_KEPT, seen_before
from lifecode.errors import UserError
from lifecode.evaluation.evaluate import SPLIT
from lifecode.models.hub import model_folder
from lifecode.models.life_code.model import LifeCode
from lifecode.models.pretrained import read_training_genes
from lifecode.training.two_stages import require_fit

NO_GENES = np.empty((0, NUM_KEPT), dtype=np.uint32)
"""The sketches of a model that was trained on nothing."""


def begins_elsewhere(config: DictConfig) -> bool:
    """Whether stage 2 begins with what another run has trained."""
    return config.init_from is not None or config.tokenizer_checkpoint is not None


def trains_tokenizer(config: DictConfig, stage: str) -> bool:
    """Whether `stage` includes stage 1."""
    return stage == "tokenizer" or (stage == "both" and not begins_elsewhere(config))


def require_start_of_encoder(config: DictConfig, stage: str) -> None:
    """Stage 2 alone begins with a tokenizer, or a model, that is there already and has the shape it needs."""
    if config.init_from is not None and (stage == "tokenizer" or config.tokenizer_checkpoint is not None):
        raise UserError(
            "begins stage 2 with a whole model, tokenizer included",
            source="init_from",
            remedy="Leave out tokenizer_checkpoint and stage=tokenizer",
        )
    if config.tokenizer_checkpoint is not None and stage == "tokenizer":
        raise UserError(
            "is a tokenizer for stage 2, and stage=tokenizer trains a new one",
            source="tokenizer_checkpoint",
            remedy="Leave one of them out",
        )
    if trains_tokenizer(config, stage):
        return
    own = Path(checked_value(config, "run_dir", str)).expanduser() / "tokenizer" / "model"
    with torch.device("meta"):
        model: LifeCode = construct(config.model, teacher_width=1)
    require_fit(model, start_of_encoder(config, own), whole=config.init_from is not None)


def start_of_encoder(config: DictConfig, own: Path, *, must_exist: bool = True) -> Path:
    """What stage 2 begins with: a whole model, or a tokenizer: that of a folder, or this run's `own`."""
    if config.init_from is not None:
        name = checked_value(config, "init_from", str)
        in_run = Path(name).expanduser() / "model"
        return in_run if in_run.exists() else model_folder(name)
    if config.tokenizer_checkpoint is None:
        if must_exist and not own.exists():
            raise UserError(
                "there is no trained tokenizer in this run",
                source=own,
                remedy="Train it with stage=both, or give tokenizer_checkpoint=another/run",
            )
        return own
    path = Path(checked_value(config, "tokenizer_checkpoint", str)).expanduser()
    in_run = path / "tokenizer" / "model"
    return in_run if in_run.exists() else path


def genes_seen_by(folder: Path) -> NDArray[np.uint32] | None:
    """What the model that a run begins with was trained on."""
    genes = read_training_genes(folder)
    if genes is None:
        print(
            f"{folder} keeps no record of its training genes: it may have seen genes that are held out here"
        )
    return genes


def held_out_but_seen(corpus: Corpus, genes: NDArray[np.uint32] | None) -> NDArray[np.bool_]:
    """(num_cds,) which genes of the test split resemble some that the model has seen before this run."""
    table = corpus.segments("cds", SPLIT)
    seen = seen_before(table, genes if genes is not None else NO_GENES)
    if seen.all():
        raise UserError(
            "the model was trained on the like of every held-out gene of this input",
            source="init_from or tokenizer_checkpoint",
            remedy="Give another genome, or another seed or share of held-out blocks",
        )
    if seen.any():
        print(
            f"{seen.sum():,} of {len(seen):,} held-out genes resemble genes that what stage 2 begins with "
            "was trained on; they are left out of the held-out figures"
        )
    return seen
