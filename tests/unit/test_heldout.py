"""Held-out figures of models whose answer is known, and the masks they are read at."""

import math

import numpy as np
import pytest
import torch

from lifecode.alphabet import AMINO_ACIDS, MASK
from lifecode.data import BlockSplit, prepare_corpus
from lifecode.errors import UserError
from lifecode.evaluation.distillation import kd_explained
from lifecode.evaluation.evaluate import evaluate, require_held_out_genes
from lifecode.evaluation.heldout import HeldOut, held_out_genes, read_masked
from lifecode.evaluation.sources import figures_by_source
from lifecode.model import CodonCodec, LifeCode
from lifecode.objectives import DistillationLoss


@pytest.fixture
def uniform_model() -> LifeCode:
    """Every codon has probability 1/64, and every codon translates to alanine."""
    codec = CodonCodec(nucleotide_dim=16, conv_channels=8, num_heads=2, translator_hidden=16)
    shape = {"width": 32, "depth": 1, "hybrid_ratio": "1:0", "num_heads": 2, "attention_head_dim": 16}
    model = LifeCode(codec=codec, teacher_width=3, **shape)
    with torch.no_grad():
        for head in (codec.codon_head, codec.translator[-1], model.protein_decoder[-1]):
            head.weight.zero_()
            head.bias.zero_()
        codec.translator[-1].bias[AMINO_ACIDS.index("A")] = 1.0
    return model


def test_figures_of_a_model_that_knows_nothing(small_corpus, uniform_model):
    heldout, baselines, sources = evaluate(uniform_model, small_corpus, HeldOut(passes=2))
    assert sources == {}
    table = small_corpus.segments("cds", "test")
    assert heldout["masked_codon_cross_entropy"].value == pytest.approx(math.log(64), abs=1e-5)
    assert heldout["masked_codon_cross_entropy_shuffled"].value == pytest.approx(math.log(64), abs=1e-5)
    masked = [gene.amino_acids[gene.masked] for gene in held_out_genes(table, HeldOut(passes=2))]
    alanine = (np.concatenate(masked) == AMINO_ACIDS.index("A")).mean()
    assert heldout["masked_translation_accuracy"].value == pytest.approx(alanine)
    assert baselines["codon_unigram"].value < math.log(64)
    assert heldout["translation_accuracy"].n == table.num_nucleotides.sum() // 3
    assert baselines["codon_unigram"].n == heldout["masked_codon_cross_entropy"].n
    assert set(heldout) & {"kd_explained"} == set()


def test_masks_lie_between_start_and_stop_and_depend_on_the_seed_alone(small_corpus):
    table = small_corpus.segments("cds", "test")
    genes, again = (
        held_out_genes(table, HeldOut()),
        held_out_genes(table, HeldOut()),
    )
    other = held_out_genes(table, HeldOut(seed=1))
    assert all(np.array_equal(a.masked, b.masked) for a, b in zip(genes, again, strict=True))
    assert any(not np.array_equal(a.masked, b.masked) for a, b in zip(genes, other, strict=True))
    for gene in genes:
        assert gene.masked.min(initial=1) >= 1
        assert gene.masked.max(initial=1) <= len(gene.codons) - 2
        triplets = gene.corrupted().reshape(-1, 3)
        assert (triplets[gene.masked] == MASK).all()
        assert (triplets == MASK).all(1).sum() == len(gene.masked)


def test_shuffling_keeps_the_codons_and_the_ends(small_corpus):
    table = small_corpus.segments("cds", "test")
    pairs = zip(
        held_out_genes(table, HeldOut()),
        held_out_genes(table, HeldOut(), shuffled=True),
        strict=True,
    )
    for gene, shuffled in pairs:
        assert (gene.codons[[0, -1]] == shuffled.codons[[0, -1]]).all()
        assert sorted(gene.codons) == sorted(shuffled.codons)
        assert (gene.codons != shuffled.codons).any()


class OneFeatures:
    """The same three features for every residue, but another last one for every fifth protein."""

    def get(self, protein):
        features = np.tile(np.array([1.0, 0.0, 0.0], dtype=np.float16), (len(protein), 1))
        features[:, 2] = len(protein) % 5 == 0
        return features


def test_kd_explained_of_a_student_that_says_the_same_of_every_residue(small_corpus, uniform_model):
    tables = {
        "train": small_corpus.segments("cds", "train"),
        "held_out": small_corpus.segments("cds", "test"),
    }
    loss = DistillationLoss(width=3, mode="paper")
    features = OneFeatures()
    uniform = kd_explained(uniform_model, loss, **tables, features=features)
    seen = np.concatenate([features.get(tables["train"].protein(i)) for i in range(len(tables["train"]))])
    mean = torch.from_numpy(seen).float().softmax(-1).mean(0)
    with torch.no_grad():
        uniform_model.protein_decoder[-1].bias.copy_(mean.log())
    of_mean = kd_explained(uniform_model, loss, **tables, features=features)
    assert of_mean.value == pytest.approx(0.0, abs=1e-4)
    assert uniform.value < -0.1
    assert of_mean.n == sum(len(tables["held_out"].protein(i)) for i in range(len(tables["held_out"])))


def test_a_genome_without_held_out_genes_is_refused_before_training(small_genome, tmp_path):
    split = BlockSplit(block_nucleotides=6000, validation=0.3, test=0.0)
    with pytest.raises(UserError, match="no gene to evaluate"):
        require_held_out_genes(prepare_corpus(str(small_genome), tmp_path / "corpus", split=split))


@pytest.fixture(scope="module")
def two_sources(small_genome, tmp_path_factory):
    """The small genome, and proteins of alanine alone, all of whose codons are the same."""
    folder = tmp_path_factory.mktemp("sources")
    proteins = [f">p{i}\nM{'A' * (20 + i)}\n" for i in range(40)]
    (folder / "alanine.fasta").write_text("".join(proteins))
    inputs = [str(small_genome), f"protein:{folder / 'alanine.fasta'}"]
    split = BlockSplit(block_nucleotides=6000, validation=0.1, test=0.2)
    return prepare_corpus(inputs, folder / "corpus", split=split)


def test_every_source_has_its_own_figures_and_baselines(two_sources, uniform_model):
    heldout, baselines, sources = evaluate(uniform_model, two_sources, HeldOut(passes=2))
    assert list(sources) == ["small.gbk", "alanine.fasta"]
    genome, alanine = sources.values()
    assert (genome.back_translated, alanine.back_translated) == (False, True)
    assert genome.num_genes + alanine.num_genes == len(two_sources.segments("cds", "test"))
    assert alanine.heldout["masked_translation_accuracy"].value == 1.0  # the model says alanine
    assert alanine.baselines["codon_bigram"].value < 0.3 < baselines["codon_bigram"].value
    for name, whole in heldout.items():
        if name.startswith("masked") and not name.endswith("shuffled"):
            parts = [source.heldout[name] for source in sources.values()]
            assert whole.n == sum(part.n for part in parts)
            assert whole.value == pytest.approx(sum(part.n * part.value for part in parts) / whole.n)


def test_a_source_without_training_genes_has_no_baselines(two_sources, uniform_model):
    train, held_out = two_sources.segments("cds", "train"), two_sources.segments("cds", "test")
    genes = held_out_genes(held_out, HeldOut())
    readings = read_masked(uniform_model, genes, 8192)
    train.column = lambda name: ["alanine.fasta"] * len(train)
    assert figures_by_source(train, held_out, genes, readings)["small.gbk"].baselines == {}


def test_genes_that_were_seen_are_left_out(two_sources, uniform_model):
    table = two_sources.segments("cds", "test")
    seen = np.array([source == "alanine.fasta" for source in table.column("source")])
    teaching = {"distillation": DistillationLoss(width=3, mode="paper"), "features": OneFeatures()}
    heldout, _, sources = evaluate(uniform_model, two_sources, HeldOut(), seen=seen, **teaching)
    own = held_out_genes(table, HeldOut(), rows=np.flatnonzero(~seen).tolist())
    assert heldout["masked_codon_cross_entropy"].n == sum(len(gene.masked) for gene in own)
    assert heldout["translation_accuracy"].n == sum(len(gene.codons) for gene in own)
    assert heldout["kd_explained"].n == sum(len(table.protein(gene.index)) for gene in own)
    assert sources == {}
