"""log P(codon) = log P(residue) + log P(codon | residue), by hand and by its gradient."""

import math

import pytest
import torch

from lifecode.alphabet import AMINO_ACIDS, CODONS, STOP
from lifecode.errors import UserError
from lifecode.models import CodonCodec, LifeCode
from lifecode.models.life_code.codon_head import FactorisedCodonHead
from lifecode.training.two_stages import load_model

SMALL = {"nucleotide_dim": 16, "conv_channels": 8, "num_heads": 2, "translator_hidden": 16}


def logits_in(head: FactorisedCodonHead, residues: dict[str, float], codons: dict[str, float]) -> None:
    """Makes every embedding give these logits, 0 elsewhere."""
    with torch.no_grad():
        head.linear.weight.zero_()
        head.linear.bias.zero_()
        for letter, value in residues.items():
            head.linear.bias[AMINO_ACIDS.index(letter)] = value
        for codon, value in codons.items():
            head.linear.bias[len(AMINO_ACIDS) + CODONS.index(codon)] = value


def test_probabilities_by_hand():
    head = FactorisedCodonHead(3)
    logits_in(head, {"F": math.log(4), "*": math.log(2)}, {"TTT": math.log(3), "TGA": math.log(6)})
    probability = dict(zip(CODONS, head(torch.randn(1, 3))[0].exp().tolist(), strict=True))
    # Residues weigh 4 (F), 2 (stop) and 19 times 1: 25 in all. Of F, TTT is 3 of 4; of the stops, TGA 6 of 8.
    expected = {"TTT": 4 / 25 * 3 / 4, "TTC": 4 / 25 / 4, "TGA": 2 / 25 * 6 / 8, "TAA": 2 / 25 / 8}
    expected |= {"TAG": 2 / 25 / 8, "ATG": 1 / 25, "TGG": 1 / 25, "CTG": 1 / 25 / 6, "ATA": 1 / 25 / 3}
    assert {codon: probability[codon] for codon in expected} == pytest.approx(expected)


def test_it_adds_up_to_one_and_the_logit_of_a_residue_moves_its_codons_together():
    head, x = FactorisedCodonHead(8).double(), torch.randn(7, 8, dtype=torch.float64)
    before = head(x)
    torch.testing.assert_close(before.exp().sum(1), torch.ones(7, dtype=torch.float64))
    with torch.no_grad():
        head.linear.bias[STOP] += 1.0
    change = head(x) - before
    stops = [CODONS.index(codon) for codon in ("TAA", "TAG", "TGA")]
    assert (change[:, stops] > 0).all()
    torch.testing.assert_close(change[:, stops], change[:, stops[:1]].expand(-1, 3))
    sense = [i for i in range(64) if i not in stops]
    assert (change[:, sense] < 0).all()


def test_its_gradient_in_double_precision():
    head = FactorisedCodonHead(4).double()
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    names, values = zip(*head.named_parameters(), strict=True)

    def log_probabilities(x, *values):
        return torch.func.functional_call(head, dict(zip(names, values, strict=True)), (x,))

    assert torch.autograd.gradcheck(log_probabilities, (x, *values))


def test_in_a_codec_it_stands_where_the_joint_head_does():
    codec = CodonCodec(**SMALL, codon_head="factorised")
    embeddings, at = torch.randn(3, 24), torch.tensor([0, 2])
    got = codec.codon_log_probabilities(embeddings, torch.tensor([0, 3]), at)
    torch.testing.assert_close(got, codec.codon_head(embeddings[at]))
    assert any(part is codec.codon_head for part in codec.readout())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low = codec.codon_log_probabilities(embeddings, torch.tensor([0, 3]), at)
    assert low.dtype == torch.float32
    torch.testing.assert_close(low.exp().sum(1), torch.ones(2))


def test_a_model_with_it_comes_back_and_is_not_taken_for_a_joint_one(tmp_path):
    shape = {"width": 32, "depth": 0, "num_heads": 2, "attention_head_dim": 16}
    saved = LifeCode(codec=CodonCodec(**SMALL, codon_head="factorised"), **shape)
    saved.save_pretrained(tmp_path / "model")
    loaded = LifeCode.from_pretrained(tmp_path / "model")
    assert loaded.config["codec"]["codon_head"] == "factorised"
    x = torch.randn(2, 24)
    assert torch.equal(loaded.codec.codon_head(x), saved.codec.codon_head(x))
    with pytest.raises(UserError, match="codon_head 'factorised', the model has 'joint'"):
        load_model(LifeCode(codec=CodonCodec(**SMALL), **shape), tmp_path / "model")


def test_a_config_without_the_key_is_a_joint_head():
    config = {key: value for key, value in CodonCodec(**SMALL).config.items() if key != "codon_head"}
    assert isinstance(CodonCodec(**config).codon_head, torch.nn.Linear)
