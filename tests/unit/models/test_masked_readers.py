"""Each family says of masked places what its own interface says, or transformers' for a model of these."""

import numpy as np
import pytest
import torch

import lifecode
from lifecode.alphabet import AMINO_ACIDS, CODONS, MASK, encode_nucleotides
from lifecode.data.batches.packing import pack
from lifecode.errors import UserError
from lifecode.models.families import load_masked
from lifecode.models.luca_one.vocabulary import TOKENS
from tests.support.esm_checkpoint import VOCABULARY, save_esm_checkpoint
from tests.support.small_models import small_luca_one, small_model

MODEL = small_model(hybrid_ratio="1:1").eval()
LUCA = small_luca_one()
CDS, PROTEIN = "ATGAAAGCTTGGCCAAAAACGTAA", "MKAWPKTVL"


def ascii_of(protein: str) -> np.ndarray:
    return np.frombuffer(protein.encode(), np.uint8)


def test_codons_are_those_of_masked_logits():
    ids = encode_nucleotides(CDS)
    found = MODEL.masked_reader("codon").log_probabilities([ids, ids[:9]], [[1], []], [[1], [0, 2]])
    torch.testing.assert_close(found[0][0], MODEL.masked_logits([CDS])[0][1], atol=1e-5, rtol=0)
    assert [tuple(rows.shape) for rows in found] == [(1, len(CODONS)), (2, len(CODONS))]


def test_a_translation_is_the_translators():
    ids = encode_nucleotides(CDS).copy()
    ids[3:6] = MASK
    with torch.no_grad():
        row = pack([ids])
        embeddings = MODEL.codon_projection(MODEL.encode(row))
        expected = MODEL.codec.translator(embeddings[2]).log_softmax(-1)
    reader = MODEL.masked_reader("translation")
    (found,) = reader.log_probabilities([encode_nucleotides(CDS)], [[1]], [[1]])
    torch.testing.assert_close(found[0], expected, atol=1e-5, rtol=0)
    assert found.shape == (1, len(AMINO_ACIDS))


def test_what_a_family_does_not_read():
    assert MODEL.masked_reader("residue") is None
    assert LUCA.masked_reader("codon") is LUCA.masked_reader("translation") is None
    assert small_model(codec={"translator_hidden": None}).masked_reader("translation") is None


@pytest.mark.parametrize(("reading", "text"), [("residue", PROTEIN), ("nucleotide", "ATGCGTAAC")])
def test_letters_of_luca_one(reading, text):
    reader = LUCA.masked_reader(reading)
    ids = ascii_of(text) if reading == "residue" else encode_nucleotides(text)
    found = torch.cat(reader.log_probabilities([ids] * 9, [[i] for i in range(9)], [[i] for i in range(9)]))
    (expected,) = LUCA.masked_logits([text], molecule="protein" if reading == "residue" else "dna")
    letters = AMINO_ACIDS if reading == "residue" else "1342"  # A, C, G, T
    columns = [TOKENS.index(letter) for letter in letters]
    torch.testing.assert_close(found, expected[:, columns], atol=1e-5, rtol=0)


@pytest.fixture(scope="module")
def esm(tmp_path_factory):
    return save_esm_checkpoint(tmp_path_factory.mktemp("esm") / "esm")


def test_residues_of_a_transformers_model(esm):
    from transformers import EsmForMaskedLM, EsmTokenizer

    model, tokenizer = EsmForMaskedLM.from_pretrained(esm).eval(), EsmTokenizer.from_pretrained(esm)
    loaded = load_masked(esm)
    reader = loaded.masked_reader("residue")
    assert reader.longest == 1022
    assert loaded.masked_reader("codon") is None
    found = reader.log_probabilities([ascii_of(PROTEIN), ascii_of("MKX")], [[2, 4], []], [[2, 4], [0]])
    for rows, text, places in zip(found, ("MK<mask>W<mask>KTVL", "MKX"), ((2, 4), (0,)), strict=True):
        with torch.no_grad():
            logits = model(**tokenizer(text, return_tensors="pt")).logits[0].log_softmax(-1)
        for row, place in zip(rows, places, strict=True):
            expected = logits[1 + place][[VOCABULARY.index(letter) for letter in AMINO_ACIDS[:20]]]
            torch.testing.assert_close(row[:20], expected, atol=1e-5, rtol=0)
            assert row[20] == -torch.inf  # no token for a stop


def test_what_is_no_masked_model_of_residues(esm, tmp_path):
    with pytest.raises(UserError, match="no SHA256SUMS"):
        lifecode.load(esm)
    (esm / "model.safetensors").rename(tmp_path / "weights")
    with pytest.raises(UserError, match="cannot be loaded"):
        load_masked(esm)
    (tmp_path / "weights").rename(esm / "model.safetensors")
    with pytest.raises(UserError, match="no such model folder"):
        load_masked(tmp_path / "nowhere")
