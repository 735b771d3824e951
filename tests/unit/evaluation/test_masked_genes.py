"""Held-out figures of models whose answer is known, and the masks they are read at."""

import math

import numpy as np
import pytest
import torch

from lifecode.alphabet import AMINO_ACIDS, MASK
from lifecode.data import BlockSplit, prepare_corpus
from lifecode.errors import UserError
from lifecode.evaluation.distillation import kd_explained, sample_of_genes, teacher_probe
from lifecode.evaluation.evaluate import evaluate, require_held_out_genes
from lifecode.evaluation.masked_genes import HeldOut, held_out_genes, read_masked
from lifecode.evaluation.ridge import RidgeSums
from lifecode.evaluation.sample import sample_predictions
from lifecode.evaluation.sources import figures_by_source
from lifecode.genetic_code import genetic_code
from lifecode.models import CodonCodec, LifeCode
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


@pytest.fixture
def reading(small_corpus):
    train, test = small_corpus.segments("cds", "train"), small_corpus.segments("cds", "test")
    return {
        "train": train,
        "train_genes": range(len(train)),
        "held_out": test,
        "held_out_genes": range(len(test)),
    }


def num_residues(table) -> int:
    return sum(len(table.protein(i)) for i in range(len(table)))


def test_kd_explained_of_a_student_that_says_the_same_of_every_residue(reading, uniform_model):
    loss = DistillationLoss(width=3, mode="paper")
    features, train = OneFeatures(), reading["train"]
    uniform = kd_explained(uniform_model, loss, **reading, features=features)
    seen = np.concatenate([features.get(train.protein(i)) for i in range(len(train))])
    mean = torch.from_numpy(seen).float().softmax(-1).mean(0)
    with torch.no_grad():
        uniform_model.protein_decoder[-1].bias.copy_(mean.log())
    of_mean = kd_explained(uniform_model, loss, **reading, features=features)
    assert of_mean.value == pytest.approx(0.0, abs=1e-4)
    assert uniform.value < -0.1
    assert of_mean.n == num_residues(reading["held_out"])


def test_kd_explained_without_distillation_measures_centre_and_scale(reading, uniform_model):
    """A loss that no step has moved gets them from the training genes, and is left as it was."""
    features, train = OneFeatures(), reading["train"]
    untouched, measured = DistillationLoss(width=3), DistillationLoss(width=3)
    seen = [torch.from_numpy(features.get(train.protein(i))) for i in range(len(train))]
    measured.update(DistillationLoss.moments(torch.cat(seen)))
    of_untouched = kd_explained(uniform_model, untouched, **reading, features=features)
    of_measured = kd_explained(uniform_model, measured, **reading, features=features)
    assert of_untouched.value == pytest.approx(of_measured.value, rel=1e-5)
    assert int(untouched.num_updates) == 0
    assert not untouched.centre.any()


class CodonFeatures:
    """Two features of the residue's letter, and one that nothing in the gene tells; float16."""

    def get(self, protein):
        noise = np.random.default_rng(len(protein)).standard_normal(len(protein))
        letters = np.array([ord(letter) for letter in protein]) / 10
        return np.stack([letters, -letters, 0.1 * noise], 1).astype(np.float16)


def test_the_probe_reads_what_is_linear_in_the_hidden_states(reading, uniform_model, monkeypatch):
    """Hidden states that hold the letter explain all but the noise; random ones explain nothing."""
    features = CodonFeatures()
    letters = torch.tensor([ord(x) for x in AMINO_ACIDS], dtype=torch.float32)

    def encode(packed):
        ids = packed.ids.reshape(-1, 3).long()
        known = (ids < 4).all(1)
        codons = torch.where(known, (ids.clamp(max=3) * torch.tensor([16, 4, 1])).sum(1), 0)
        table = torch.from_numpy(genetic_code(11).residues.astype(np.int64))
        hidden = torch.randn(len(ids), 32, generator=torch.Generator().manual_seed(0))
        hidden[:, 3] = 5 + 0.01 * letters[table[codons]]
        return hidden

    monkeypatch.setattr(uniform_model, "encode", encode)
    probe, codon = teacher_probe(uniform_model, **reading, features=features)
    assert probe.n == codon.n == num_residues(reading["held_out"])
    variance = (
        np.concatenate(
            [features.get(reading["held_out"].protein(i)) for i in range(len(reading["held_out"]))]
        )
        .astype(np.float64)
        .var(0)
    )
    expected = 1 - variance[2] / variance.sum()
    assert codon.value == pytest.approx(expected, abs=0.01)
    assert probe.value == pytest.approx(expected, abs=0.02)  # alternative start codons read as M
    monkeypatch.setattr(
        uniform_model,
        "encode",
        lambda packed: torch.randn(packed.num_codons, 32, generator=torch.Generator()),
    )
    nothing, _ = teacher_probe(uniform_model, **reading, features=features)
    assert abs(nothing.value) < 0.05


def test_ridge_agrees_with_scikit_learn():
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    torch.manual_seed(0)
    x, y = torch.randn(200, 7) * torch.arange(1, 8) + 3, torch.randn(200, 4)
    sums = RidgeSums()
    for part in range(0, 200, 30):  # in chunks of any size
        sums.add(x[part : part + 30], y[part : part + 30])
    scaler = StandardScaler().fit(x)
    expected = Ridge(alpha=1e-3 * 200).fit(scaler.transform(x), y)
    new = torch.randn(5, 7)
    predicted = expected.predict(scaler.transform(new))
    np.testing.assert_allclose(sums.fit().predict(new).numpy(), predicted, atol=1e-6)


def test_the_sample_of_genes_fits_its_budget_and_depends_on_the_seed(reading):
    table, features = reading["train"], OneFeatures()
    genes = sample_of_genes(table, features, 3000, seed=0)
    sizes = [len(table.protein(i)) for i in genes]
    assert 1000 < sum(sizes) <= 3000
    assert genes == sample_of_genes(table, features, 3000, seed=0)
    assert genes != sample_of_genes(table, features, 3000, seed=1)
    assert sorted(sample_of_genes(table, features, 10**9, seed=0)) == list(range(len(table)))
    assert len(sample_of_genes(table, features, 1, seed=0)) == 1


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


def test_without_translator_and_encoder_only_what_is_there_is_measured(small_corpus):
    codec = CodonCodec(nucleotide_dim=16, conv_channels=8, tokenizer="linear", translator_hidden=None)
    model = LifeCode(codec=codec, width=32, depth=0, num_heads=2, attention_head_dim=16)
    heldout, baselines, _ = evaluate(model, small_corpus, HeldOut())
    assert set(heldout) == {"masked_codon_cross_entropy", "masked_codon_cross_entropy_shuffled"}
    assert heldout["masked_codon_cross_entropy"].n == baselines["codon_unigram"].n
    assert math.isfinite(heldout["masked_codon_cross_entropy"].value)


def test_sample_predictions_are_those_behind_the_figures(small_corpus, uniform_model):
    table = small_corpus.segments("cds", "test")
    with torch.no_grad():
        uniform_model.codec.codon_head.bias[3] = 2.0
    sample = sample_predictions(uniform_model, table, HeldOut(), most_codons=5)
    lengths = table.num_nucleotides
    index = table.names.index(sample.gene)
    assert lengths[index] == sorted(lengths)[len(table) // 2]
    (gene,) = held_out_genes(table, HeldOut(), rows=[index])
    assert sample.positions.tolist() == gene.masked[:5].tolist()
    assert sample.codons.tolist() == gene.codons[gene.masked[:5]].tolist()
    likely = math.exp(2) / (63 + math.exp(2))
    assert sample.probabilities[:, 3] == pytest.approx(likely)
    assert sample.probabilities.sum(1) == pytest.approx(1)
    (reading,) = read_masked(uniform_model, [gene], 8192)
    own = sample.probabilities[np.arange(5), sample.codons]
    assert -np.log(own) == pytest.approx(reading.cross_entropy[:5], abs=1e-5)


def test_without_a_gene_there_is_no_sample(small_corpus, uniform_model):
    table = small_corpus.segments("cds", "test")
    assert sample_predictions(uniform_model, table, HeldOut(), rows=[]) is None


def test_a_teacher_that_read_no_training_gene_explains_nothing(reading, uniform_model):
    loss = DistillationLoss(width=3, mode="paper")
    figure = kd_explained(uniform_model, loss, **{**reading, "train_genes": []}, features=OneFeatures())
    assert (math.isnan(figure.value), figure.n) == (True, 0)
