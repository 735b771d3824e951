"""`kind=masked_residues`: figures by hand, models of codons and of residues, who is asked."""

import numpy as np
import pytest

import lifecode
from lifecode.alphabet import AMINO_ACIDS, NUM_AMINO_ACIDS
from lifecode.analyses import MaskedCodons, MaskedResidues
from lifecode.analyses.genes import Asked, Gene, read_genes
from lifecode.analyses.masked_residues import residue_figures
from lifecode.errors import UserError
from lifecode.evaluation.baselines import BothNeighbours, CodonUnigram, InterpolatedNeighbours
from tests.support.small_models import small_luca_one, small_model

A, M, K = (AMINO_ACIDS.index(letter) for letter in "AMK")


@pytest.fixture
def proteins(tmp_path):
    records = []
    for number in range(30):
        draw = np.random.default_rng(number)
        records.append(f">p{number}\nM{''.join(draw.choice(list(AMINO_ACIDS[:-1]), size=30 + number % 5))}\n")
    (tmp_path / "proteins.fa").write_text("".join(records))
    return f"protein:{tmp_path / 'proteins.fa'}"


def protein(*residues):
    return Gene("p", np.zeros(3 * len(residues), np.uint8), np.array(residues, np.uint8), 1)


def test_figures_by_hand():
    unigram = CodonUnigram([np.array([M, A, A, K])], NUM_AMINO_ACIDS)
    log_p = np.log(np.full((3, 21), 0.3 / 19))
    log_p[1, A], log_p[1, K], log_p[2, A], log_p[2, K] = np.log([0.5, 0.2, 0.6, 0.1])
    nats, below, error, right, count, residues = residue_figures([protein(M, A, K)], [log_p], unigram)
    assert nats == pytest.approx(-(np.log(0.5) + np.log(0.1)) / 2)
    p = (np.array([2, 1]) + 0.5) / (4 + 0.5 * 21)
    assert below == pytest.approx(-np.log(p).mean() - nats)
    assert (error, right, count, residues) == (None, 0.5, 1, 2)


@pytest.mark.parametrize("kind", [BothNeighbours, InterpolatedNeighbours])
def test_statistics_of_residues_speak_of_residues_alone(kind):
    train = [np.array([M, A, K, A, K]), np.array([M, A, K, K, A])] * 10
    log_p = kind(train, NUM_AMINO_ACIDS).log_probabilities(np.array([M, A, K]), np.array([1, 2]))
    assert log_p.shape == (2, NUM_AMINO_ACIDS)
    np.testing.assert_allclose(np.exp(log_p).sum(1), 1)
    assert log_p[0].argmax() == A


def test_models_of_codons_and_of_residues_are_asked_alike(proteins):
    models = [small_model().eval(), small_luca_one().eval()]
    found = lifecode.analyse(MaskedResidues(proteins=8, min_residues=20), proteins, models, progress=False)
    frame = found.frame
    assert list(frame["model"]) == [
        *("model 1", "untrained model 1", "model 2", "untrained model 2"),
        *("residue unigram", "both neighbours", "both neighbours, interpolated"),
    ]
    assert frame["proteins"].eq(8).all()
    assert frame["residues"].nunique() == 1
    unigram = frame[frame["model"] == "residue unigram"]
    assert unigram["below unigram"].item() == 0
    np.testing.assert_allclose(frame["below unigram"], unigram["nats"].item() - frame["nats"], atol=1e-12)
    assert "proteins: 22 genes are counted" in found.notes


def test_a_residue_is_the_sum_over_its_codons(proteins):
    """By `masked_logits` of the model itself, one codon masked at a time."""
    model = small_model().eval()
    kind = MaskedResidues(proteins=2, min_residues=20, stride=100)  # one residue masked at a time
    genes, _ = read_genes(proteins, most=None, min_codons=2, max_codons=99, seed=0, proteins=True)
    table = kind._expected(model.masked_reader("codon"), 3, Asked(genes[:1], []))[0]
    residues = "".join(AMINO_ACIDS[i] for i in genes[0].residues)
    letters = lifecode.reverse_translate(residues, "e_coli", "sampled", seed=3)
    codons = model.masked_logits([letters])[0].double().log_softmax(-1).exp().numpy()
    lysine = codons[:, [0, 2]].sum(1)  # AAA and AAG
    stops = codons[:, [48, 50, 56]].sum(1)  # TAA, TAG and TGA
    np.testing.assert_allclose(np.exp(table[:, K]), lysine / (1 - stops), rtol=1e-4)
    assert np.isneginf(table[:, AMINO_ACIDS.index("*")]).all()


def test_a_protein_that_is_longer_than_the_model_is_one_error(proteins):
    short = small_luca_one(heads={}, max_tokens=22)
    with pytest.raises(UserError, match=r"and the model reads 20 at once\. Give kind\.max_residues=20"):
        lifecode.analyse(MaskedResidues(proteins=8, min_residues=20), proteins, [short], progress=False)


def test_coding_sequences_are_no_proteins(proteins, tmp_path):
    with pytest.raises(UserError, match="holds no coding sequence"):
        lifecode.analyse(MaskedCodons(), proteins, [small_model()], progress=False)
    (tmp_path / "cds.fa").write_text(">g\nATGAAAAAATAA\n")
    with pytest.raises(UserError, match=r"holds no protein .*protein:FILE"):
        lifecode.analyse(MaskedResidues(), f"cds:{tmp_path / 'cds.fa'}", [small_model()], progress=False)
