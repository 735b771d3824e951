"""`make bench-design`: what is scored, baselines by hand, and the command on a tiny model."""

import json

import numpy as np
import pytest

from benchmarks.codon_recovery import cai_matched, leave_one_out, scored
from benchmarks.design import main
from lifecode.alphabet import AMINO_ACIDS, CODONS
from lifecode.design.host import counted
from lifecode.design.measures import codon_adaptation_index
from lifecode.design.synonyms import choices, residues_of
from lifecode.evaluation.baselines import BothNeighbours
from tests.support.hosts import host_of, ids
from tests.support.small_models import small_model


def test_start_stop_and_residues_of_one_codon_are_not_scored():
    assert scored(ids("GTGAAATGGATGGATTAA"), 1).tolist() == [1, 4]


def test_guesses_given_the_residue_by_hand():
    training = [ids("ATGAAAGATTAA")] * 3 + [ids("ATGAAGGACTAA")]
    host, neighbours = counted(training, 1, "by hand"), BothNeighbours(training)
    gene = ids("ATGAAGGACTAA")
    model = small_model(hybrid_ratio="2:0").eval()
    found = leave_one_out(model, [gene], host, neighbours, 2, lambda: None)
    frequent, beside = found["most frequent codon"], found["both neighbours"]
    assert (frequent.top_1, frequent.n) == (0, 2)  # AAA and GAT are commoner
    assert frequent.perplexity == pytest.approx(4)
    # P(c | left) P(right | c), each count + .5: GAC follows AAG alone, GAT follows AAA alone.
    row = 0.5 * 65
    aag = (1.5 / (4 + row)) * (1.5 / (1 + row))
    aaa = (3.5 / (4 + row)) * (0.5 / (3 + row))
    expected = np.log(aag / (aag + aaa))
    (log_p,) = [neighbours.log_probabilities(gene, np.array([1]))]
    lysine = log_p[0, [ids("AAG")[0], ids("AAA")[0]]]
    assert lysine[0] - np.logaddexp(*lysine) == pytest.approx(expected)
    assert beside.top_1 == 1
    assert found["model"].n == 2


def test_sampling_at_the_cai_of_a_gene():
    host = host_of({"AAA": 0.03, "AAG": 0.01, "GAC": 0.01, "GAT": 0.05})
    for dna in ("AAAAAAAAAAAG", "AAGAAGAAGAAA"):
        gene = ids("ATG" + dna * 400 + "TAA")
        spelling = choices(residues_of("M" + "K" * 1600 + "*", 1, name="x"), 1)
        drawn = cai_matched(gene, spelling, host, np.random.default_rng(0))
        assert spelling[np.arange(len(gene)), drawn].all()
        wanted = codon_adaptation_index(gene, host)
        assert codon_adaptation_index(drawn, host) == pytest.approx(wanted, rel=0.06)  # 5 standard errors


def test_the_command(small_corpus, tmp_path, capsys):
    small_model(hybrid_ratio="2:0").save_pretrained(tmp_path / "model")
    arguments = [
        f"corpus={small_corpus.folder}",
        f"checkpoint={tmp_path}/model",
        f"output={tmp_path}/out",
        "num_genes=2",
        "num_designed=1",
        "max_codons=300",
        "stride=3",
        "passes=1",
    ]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert said.count("| small.gbk |") == 3 + 5
    (species,) = json.loads((tmp_path / "out/design.json").read_text())["species"].values()
    assert species["genes"] == 2
    assert 0 < species["leave_one_out"]["model"]["top_1"] < 1
    assert species["de_novo"]["most frequent codon"]["min_max_correlation"] is None
    assert main([*arguments, "stride=1"]) == 2
    assert "stride at least 2" in capsys.readouterr().err
    assert main(["corpus=x", "no_such_key=1"]) == 2
    assert main(["--help"]) == 0


def test_codons_are_those_of_the_alphabet():
    assert CODONS[14] == "ATG"
    assert AMINO_ACIDS[-1] == "*"
