"""Genes that a model has seen, told by the sketches that travel with it."""

import numpy as np
import pytest

from lifecode.data.statistics.seen_genes import NUM_KEPT, gene_sketches, seen_before, training_genes, union
from lifecode.errors import UserError
from lifecode.models import LifeCode
from tests.support.small_models import small_model


def test_a_table_has_seen_itself_and_not_another_split(small_corpus):
    train, test = small_corpus.segments("cds", "train"), small_corpus.segments("cds", "test")
    genes = training_genes(train)
    assert genes.shape == (len(train), NUM_KEPT)
    assert seen_before(train, genes).all()
    assert not seen_before(test, genes).any()
    assert seen_before(test, np.concatenate([genes, gene_sketches(test)[:3]])).tolist() == [True] * 3 + [
        False
    ] * (len(test) - 3)


def test_nothing_seen_is_like_nothing(small_corpus):
    test = small_corpus.segments("cds", "test")
    assert not seen_before(test, np.empty((0, NUM_KEPT), dtype=np.uint32)).any()


def test_records_join_without_repeats(small_corpus, monkeypatch):
    genes = gene_sketches(small_corpus.segments("cds", "train"))
    assert len(union(genes[:5], genes[3:8])) == 8
    assert union(genes, None) is None
    monkeypatch.setattr("lifecode.data.statistics.seen_genes.MAX_GENES", 7)
    assert union(genes[:5], genes[3:8]) is None
    assert training_genes(small_corpus.segments("cds", "train")) is None


def test_they_travel_with_the_model_under_its_checksums(small_corpus, tmp_path):
    trained = small_model()
    trained.training_genes = training_genes(small_corpus.segments("cds", "train"))
    trained.save_pretrained(tmp_path / "model")
    loaded = LifeCode.from_pretrained(tmp_path / "model")
    assert np.array_equal(loaded.training_genes, trained.training_genes)
    file = tmp_path / "model" / "training_genes.npy"
    damaged = bytearray(file.read_bytes())
    damaged[-1] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(UserError, match=r"training_genes\.npy does not match its SHA-256"):
        LifeCode.from_pretrained(tmp_path / "model")
    trained.training_genes = None
    trained.save_pretrained(tmp_path / "model")
    assert not file.exists()
    assert LifeCode.from_pretrained(tmp_path / "model").training_genes is None
