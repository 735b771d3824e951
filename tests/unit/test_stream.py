"""The training stream: complete epochs, the same batches for any number of workers, exact resumption."""

from dataclasses import fields
from itertools import islice

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from lifecode.alphabet import CLS, MASK, SEP
from lifecode.data.masking import Masking
from lifecode.data.stream import BatchShape, TrainingStream
from lifecode.errors import UserError

SHAPE = BatchShape(max_codons=200, rows=2)


def stream(corpus, **changes):
    settings = {"shape": SHAPE, "masking": Masking(), "seed": 3, "dna_fraction": 0.25}
    return TrainingStream(corpus, **{**settings, **changes})


def same(one, other):
    return all(
        torch.equal(getattr(a, f.name), getattr(b, f.name))
        if isinstance(getattr(a, f.name), torch.Tensor)
        else getattr(a, f.name) == getattr(b, f.name)
        for step, again in zip(one, other, strict=True)
        for a, b in zip(step, again, strict=True)
        for f in fields(a)
    )


def test_an_epoch_holds_every_codon_of_every_cds_once(small_corpus):
    training = stream(small_corpus)
    for epoch in (0, 1):
        pieces = [p for row in training.rows_of_epoch(epoch) for p in row if p.kind == "cds"]
        for index, length in enumerate(training.cds.num_nucleotides):
            own = sorted((p.start, p.stop) for p in pieces if p.index == index)
            covered = [codon for start, stop in own for codon in range(start, stop)]
            assert covered == list(range(length // 3))


def test_epochs_have_different_orders_and_seeds_too(small_corpus):
    training = stream(small_corpus)
    assert training.rows_of_epoch(0) != training.rows_of_epoch(1)
    assert training.rows_of_epoch(0) != stream(small_corpus, seed=4).rows_of_epoch(0)
    assert training.rows_of_epoch(0) == stream(small_corpus).rows_of_epoch(0)


def test_the_share_of_dna_rows(small_corpus):
    rows = stream(small_corpus, dna_fraction=0.5).rows_of_epoch(0)
    dna = sum(row[0].kind == "dna" for row in rows)
    assert dna == len(rows) - dna
    assert all(row[0].kind == "dna" for row in stream(small_corpus, dna_fraction=1.0).rows_of_epoch(0))


def test_resuming_gives_the_steps_that_would_have_come(small_corpus):
    steps_of_two_epochs = 2 * len(stream(small_corpus).rows_of_epoch(0)) // 2 + 3
    whole = list(islice(stream(small_corpus), steps_of_two_epochs))
    for first in (1, 7, len(whole) - 2):
        resumed = islice(stream(small_corpus, first_step=first), len(whole) - first)
        assert same(whole[first:], list(resumed))


def test_batches_do_not_depend_on_the_number_of_workers(small_corpus):
    training = stream(small_corpus, first_step=2)
    alone = list(islice(training, 5))
    loader = DataLoader(training, batch_size=None, num_workers=2)
    assert same(alone, list(islice(loader, 5)))


def test_two_processes_share_the_rows_of_one(small_corpus):
    shape = BatchShape(max_codons=200, rows=4)
    alone = next(iter(stream(small_corpus, shape=shape)))
    parts = [next(iter(stream(small_corpus, rank=rank, world_size=2))) for rank in (0, 1)]
    segments = {tuple(s.tolist()) for b in alone for s in b.ids.split((b.cu_seqlens.diff() * 3).tolist())}
    split = {
        tuple(s.tolist())
        for part in parts
        for b in part
        for s in b.ids.split((b.cu_seqlens.diff() * 3).tolist())
    }
    assert split == segments


def test_labels_are_where_the_corrupted_ids_came_from(small_corpus):
    (batch,) = next(iter(stream(small_corpus)))
    ids, triplets = batch.ids.long(), batch.ids.reshape(-1, 3).long()
    assert batch.cu_seqlens[-1] * 3 == len(ids)
    starts = batch.cu_seqlens[:-1].long()
    assert (triplets[starts] == CLS).all()
    assert (triplets[batch.cu_seqlens[1:].long() - 1] == SEP).all()
    nucleotide = (batch.nucleotide_labels >= 0) & ~batch.nucleotide_selected
    assert torch.equal(ids[nucleotide], batch.nucleotide_labels[nucleotide])
    codon = (batch.codon_labels >= 0) & ~batch.codon_selected
    assert torch.equal(triplets[codon] @ torch.tensor([16, 4, 1]), batch.codon_labels[codon])
    assert ((batch.codon_labels >= 0) == (batch.amino_acid_labels >= 0)).all()
    assert not ((batch.codon_labels >= 0) & (batch.nucleotide_labels.reshape(-1, 3) >= 0).any(1)).any()
    assert (triplets[batch.codon_selected] == MASK).all(1).float().mean() > 0.6


def test_teacher_features_lie_at_their_residues(small_corpus):
    class Lengths:
        def get(self, protein):
            ranks = np.array([[ord(letter), i] for i, letter in enumerate(protein)], dtype=np.float16)
            return ranks if len(protein) % 2 else None

    (batch,) = next(iter(stream(small_corpus, dna_fraction=0.0, features=Lengths())))
    assert 0 < len(batch.teacher_positions) < len(batch.codon_labels)
    letters = [chr(int(code)) for code in batch.teacher_features[:, 0]]
    labels = ["ACDEFGHIKLMNPQRSTVWY*"[i] for i in batch.amino_acid_labels[batch.teacher_positions]]
    assert letters == labels


def test_windows_with_too_many_unknown_nucleotides_are_left_out(small_corpus):
    assert stream(small_corpus, max_unknown_fraction=0.0, dna_fraction=1.0).rows_of_epoch(0)
    with pytest.raises(UserError, match="max_codons"):
        BatchShape(max_codons=3)
    with pytest.raises(UserError, match="dna_fraction"):
        stream(small_corpus, dna_fraction=1.5)
