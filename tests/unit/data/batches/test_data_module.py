"""The data module under a trainer: what a checkpoint stores, and that the loader leaves other dice alone."""

import logging
from itertools import islice

import pytest
import torch
from lightning import LightningModule, Trainer
from torch import nn

from lifecode.data.batches.mixture import Mixture
from lifecode.data.batches.stream import Cursor
from tests.support.corpus_batches import data_module


class Listener(LightningModule):
    """Keeps what it is trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.weight = nn.Parameter(torch.zeros(1))
        self.heard: list[bytes] = []
        self.validated: list[bytes] = []

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def training_step(self, batch, batch_idx):
        self.optimizers().step()
        self.heard += [micro_batch.ids.numpy().tobytes() for micro_batch in batch]

    def validation_step(self, batch, batch_idx):
        self.validated += [micro_batch.ids.numpy().tobytes() for micro_batch in batch]


def quiet_trainer(**settings) -> Trainer:
    silent = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    defaults = {"enable_checkpointing": False, "num_sanity_val_steps": 0, "accelerator": "cpu", **silent}
    return Trainer(**{**defaults, **settings})


def fit(corpus, folder, max_steps: int, ckpt_path=None, **changes) -> Listener:
    listener = Listener()
    trainer = quiet_trainer(
        max_steps=max_steps, max_epochs=-1, val_check_interval=3, check_val_every_n_epoch=None
    )
    trainer.fit(listener, datamodule=data_module(corpus, **changes), ckpt_path=ckpt_path, weights_only=True)
    trainer.save_checkpoint(folder / f"{max_steps}.ckpt")
    return listener


@pytest.mark.parametrize("workers", [0, 2])
def test_a_checkpoint_stands_behind_the_last_trained_step(small_corpus, tmp_path, workers):
    """Workers have read ahead; the run goes on with the step they had read first."""
    whole = fit(small_corpus, tmp_path, 11).heard
    for stop in (3, 4, 7):
        heard = fit(small_corpus, tmp_path, stop, num_workers=workers).heard
        state = torch.load(tmp_path / f"{stop}.ckpt", weights_only=True)["CorpusDataModule"]
        assert state["step"] == stop
        assert all(type(value) is int for value in state.values())
        resumed = fit(small_corpus, tmp_path, 11, tmp_path / f"{stop}.ckpt", num_workers=workers)
        assert heard + resumed.heard == whole


@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_goes_on_behind_the_one_before(small_corpus, tmp_path, workers):
    whole, epochs, same = fit(small_corpus, tmp_path, 6).heard, Listener(), Listener()
    data = data_module(small_corpus, num_workers=workers)
    for module, ending in ((epochs, "limit_train_batches"), (same, "overfit_batches")):
        quiet_trainer(max_epochs=3, limit_val_batches=0, **{ending: 2}).fit(module, datamodule=data)
    assert epochs.heard == whole
    assert same.heard == 3 * whole[:2]  # also: a new trainer begins anew


def test_only_training_moves_where_training_goes_on(small_corpus, tmp_path):
    data, listener = data_module(small_corpus), Listener()
    trainer = quiet_trainer(max_epochs=1, limit_train_batches=2, limit_val_batches=0)
    trainer.fit(listener, datamodule=data)
    trainer.save_checkpoint(tmp_path / "2.ckpt")
    trainer.fit_loop.max_epochs = 2
    trainer.fit(listener, datamodule=data)
    trainer.validate(listener, datamodule=data, ckpt_path=tmp_path / "2.ckpt", weights_only=True)
    assert data.cursor.step == 4
    trainer.fit_loop.max_epochs = 3
    trainer.fit(listener, datamodule=data)
    assert listener.heard == fit(small_corpus, tmp_path, 6).heard
    put = data_module(small_corpus)
    put.load_state_dict(torch.load(tmp_path / "2.ckpt", weights_only=True)["CorpusDataModule"])
    for again in (Listener(), Listener()):
        quiet_trainer(max_steps=4, limit_val_batches=0).fit(again, datamodule=put)
        assert again.heard == listener.heard[2:6]


def test_it_is_said_that_an_endless_epoch_is_never_validated(small_corpus, caplog):
    warnings = []
    for settings in ({}, {"limit_val_batches": 0}, {"limit_train_batches": 1}, {"val_check_interval": 1}):
        caplog.clear()
        quiet_trainer(max_steps=1, **settings).fit(Listener(), datamodule=data_module(small_corpus))
        warnings.append(sum("nothing will be validated" in line for line in caplog.messages))
    assert warnings == [1, 0, 0, 0]


def test_validation_is_always_the_same(small_corpus, tmp_path):
    listener = fit(small_corpus, tmp_path, 9)
    third = len(listener.validated) // 3
    assert third == 2
    assert (
        listener.validated[:third] == listener.validated[third : 2 * third] == listener.validated[2 * third :]
    )


def test_state_round_trip(small_corpus):
    data = data_module(small_corpus)
    assert data.state_dict() == {"step": 0, "chunk": 0, "row": 0, "left_out_nucleotides": 0}
    state = {"step": 5, "chunk": 1, "row": 2, "left_out_nucleotides": 7}
    data.load_state_dict(state)
    assert data.cursor == Cursor(5, 1, 2, 7)
    assert list(data.state_dict().items()) == list(state.items())
    assert next(iter(data.train_dataloader())).after.step == 6


@pytest.mark.parametrize("workers", [0, 2])
def test_loaders_do_not_draw_from_the_global_generator(small_corpus, workers):
    data = data_module(small_corpus, num_workers=workers)
    before = torch.get_rng_state()
    for loader in (data.train_dataloader(), data.val_dataloader()):
        list(islice(loader, 2))
    assert torch.equal(torch.get_rng_state(), before)


def test_what_is_read_is_said_once(small_corpus, caplog):
    data = data_module(small_corpus, mixture=Mixture(cds=0.6, dna=0.2, rna=0.2))
    with caplog.at_level(logging.INFO, logger="lifecode"):
        data.train_dataloader()
        data.val_dataloader()
    missing, packing = caplog.messages
    assert missing == "the corpus holds no rna; its share of data.mixture goes to the others"
    assert packing.startswith("reading 75% cds, 25% dna; the first ")
    assert " rows of 60 codons are " in packing
    assert "sequences longer than a row were cut" in packing


def test_a_split_without_the_kinds_asked_for_is_not_validated(rna_corpus):
    assert len(list(data_module(rna_corpus).val_dataloader())) == 2
    only_in_training = data_module(rna_corpus, mixture=Mixture(cds=0, dna=0, rna=1))
    assert list(only_in_training.val_dataloader()) == []
    assert next(iter(only_in_training.train_dataloader())).micro_batches
