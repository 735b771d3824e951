"""Each codon masked alone: against a plain loop, and the mistakes that are named."""

import numpy as np
import pytest
import torch
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord

import lifecode
from lifecode.alphabet import CODONS, MASK, encode_nucleotides
from lifecode.data.batches.packing import consecutive_rows, pack
from lifecode.errors import UserError
from tests.support.small_models import small_model

GENES = ["ATGAAACGCTAA", "ATGGCUNNNUUAUAG", "ATG"]
MODELS = {
    "joint head": small_model().eval(),
    "factorised head": small_model(codec={"codon_head": "factorised"}).eval(),
    "three nucleotides": small_model(codec={"codon_head": "none"}, strands="rc").eval(),
}
by_head = pytest.mark.parametrize("head", MODELS)


@torch.no_grad()
def one_at_a_time(model: lifecode.LifeCode, sequence: str) -> torch.Tensor:
    """The logits (L, 64) of a sequence by a plain loop: one masked codon and one sequence per call."""
    ids, rows = encode_nucleotides(sequence), []
    for codon in range(len(ids) // 3):
        masked = ids.copy()
        masked[3 * codon : 3 * codon + 3] = MASK
        packed = pack([masked])
        embeddings = model.codon_projection(model.encode(packed))
        at = torch.tensor([codon + 1])  # behind [CLS]
        rows.append(model.codec.codon_log_probabilities(embeddings, packed.cu_seqlens, at)[0])
    return torch.stack(rows)


@by_head
@pytest.mark.parametrize("max_codons", [1, 7, 16_384])
def test_logits_are_those_of_a_plain_loop_whatever_the_budget(head, max_codons):
    model = MODELS[head]
    found = model.masked_logits(GENES, max_codons=max_codons)
    assert [tuple(logits.shape) for logits in found] == [(4, 64), (5, 64), (1, 64)]
    for logits, gene in zip(found, GENES, strict=True):
        torch.testing.assert_close(logits, one_at_a_time(model, gene), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(logits.logsumexp(-1), torch.zeros(len(logits)), atol=1e-5, rtol=0)
        assert logits.dtype == torch.float32


@by_head
def test_a_masked_codon_does_not_see_itself_and_sees_every_other(head):
    (one,), (other,) = (MODELS[head].masked_logits(f"ATG{codon}CGCTAA") for codon in ("AAA", "CTG"))
    torch.testing.assert_close(one[1], other[1], atol=0, rtol=0)
    for codon in (0, 2, 3):
        assert not torch.allclose(one[codon], other[codon], atol=1e-4)


def test_pseudo_log_likelihood_by_hand():
    model = MODELS["joint head"]
    score = model.pseudo_log_likelihood(GENES, max_codons=11)
    codons = [["ATG", "AAA", "CGC", "TAA"], ["ATG", "GCT", None, "TTA", "TAG"], ["ATG"]]
    expected = [
        sum(float(row[CODONS.index(codon)]) for row, codon in zip(one_at_a_time(model, gene), own) if codon)
        for gene, own in zip(GENES, codons, strict=True)
    ]
    assert score.total.tolist() == pytest.approx(expected, rel=1e-4)
    assert score.num_codons.tolist() == [4, 4, 1]
    assert score.mean.tolist() == pytest.approx([expected[0] / 4, expected[1] / 4, expected[2]], rel=1e-4)
    assert score.total.dtype == torch.float32
    assert torch.isnan(model.pseudo_log_likelihood("NNN").mean).all()


def test_a_model_in_float64_gives_float64_to_ten_digits():
    model = small_model().double().eval()
    (logits,) = model.masked_logits(GENES[0])
    assert logits.dtype == torch.float64
    torch.testing.assert_close(logits, one_at_a_time(model, GENES[0]), atol=1e-10, rtol=1e-10)


def test_batch_mates_do_not_matter():
    model = MODELS["joint head"]
    together = model.pseudo_log_likelihood(GENES).total
    alone = torch.cat([model.pseudo_log_likelihood(gene).total for gene in GENES])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


def test_a_model_in_training_is_read_as_in_evaluation_and_gives_ordinary_tensors():
    model = small_model()
    model.encoder.norm = torch.nn.Sequential(model.encoder.norm, torch.nn.Dropout(0.5))
    (expected,) = model.eval().masked_logits("ATGAAA")
    model.train()
    with torch.inference_mode():
        (logits,) = model.masked_logits("ATGAAA")
    assert model.training
    assert torch.equal(logits, expected)
    assert not logits.is_inference()
    assert not logits.requires_grad


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "no sequence to score"),
        (["ATG", ""], "record 1: there is no sequence to score"),
        (["ATG", "ATGA"], "record 1: 4 nucleotides are no whole number of codons"),
        ([SeqRecord(Seq("ATGAA"), id="abcD")], "record abcD: 5 nucleotides are no whole number"),
        (["AT!"], "record 0: letter '!' at position 3 is not a nucleotide"),
        ("no/such.fasta", r"no/such\.fasta: no such file"),
    ],
)
def test_a_sequence_that_cannot_be_scored_is_named(given, said):
    for score in (MODELS["joint head"].masked_logits, MODELS["joint head"].pseudo_log_likelihood):
        with pytest.raises(UserError, match=said):
            score(given)


def test_a_file_of_proteins_has_no_codons_of_its_own(tmp_path):
    (tmp_path / "proteins.fasta").write_text(">p\nMKRISTLEFDPWMKRISTLEFDPW\n")
    with pytest.raises(UserError, match=r"proteins\.fasta, record p: is a protein, and its coding sequence"):
        MODELS["joint head"].pseudo_log_likelihood(tmp_path / "proteins.fasta")


def test_a_file_and_its_records_give_the_same_as_text(tmp_path):
    path = tmp_path / "genes.fasta"
    path.write_text("".join(f">{name}\n{gene}\n" for name, gene in zip("abc", GENES, strict=True)))
    model = MODELS["joint head"]
    expected = model.pseudo_log_likelihood(GENES).total
    records = lifecode.read_records(path)
    for given in (path, str(path), records):
        assert torch.equal(model.pseudo_log_likelihood(given).total, expected)
    assert torch.equal(model.embed(path), model.embed(GENES))
    assert torch.equal(model.embed(next(lifecode.read_records(path))), model.embed(GENES[0]))


@pytest.mark.parametrize(
    ("lengths", "rows"),
    [
        ([], []),
        ([3, 4, 5], [[0, 1], [2]]),
        ([9, 1, 9, 9], [[0], [1], [2], [3]]),
        ([7], [[0]]),
        ([2, 2, 2, 2], [[0, 1, 2], [3]]),
    ],
)
def test_rows_of_consecutive_segments(lengths, rows):
    found = [list(range(len(lengths)))[row] for row in consecutive_rows(np.array(lengths, dtype=int), 7)]
    assert found == rows
