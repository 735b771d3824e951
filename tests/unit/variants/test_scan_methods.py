"""The methods of a mutational scan, and the families of models that can be asked in it."""

import numpy as np
import pandas as pd
import pytest
import torch

import lifecode
from lifecode.alphabet import AMINO_ACIDS, encode_nucleotides
from lifecode.app.main import main
from lifecode.data.formats.proteins import CodonUsage
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code
from lifecode.models.life_code.masked_readers import CodonReader
from lifecode.models.luca_one.vocabulary import TOKENS
from lifecode.variants.asking import Scoring
from lifecode.variants.pseudo_likelihood import pseudo_likelihood_scores
from lifecode.variants.reading.scan_files import Substitution
from lifecode.variants.wild_type import WildType
from tests.support.esm_checkpoint import VOCABULARY, save_esm_checkpoint
from tests.support.small_models import small_luca_one, small_model

MODEL, LUCA = small_model(hybrid_ratio="1:1").eval(), small_luca_one()
PROTEIN, CDS = "MKAWPKT", "ATGAAAGCTTGGCCAAAAACGTAA"


def scan(mutants, model=MODEL, method="masked", **options):
    own = {"protein": PROTEIN, "scoring": Scoring(method=method), "progress": False, **options}
    return lifecode.score_scan(model, mutants, **own)


def residue_likelihood(cds: str) -> float:
    """Sum over codons of log P of their residues, each masked alone."""
    residues, total = genetic_code(1).residues[:64], 0.0
    for log_p, residue in zip(MODEL.masked_logits([cds])[0].double(), lifecode.translate(cds), strict=True):
        own = np.flatnonzero(residues == AMINO_ACIDS.index(residue))
        total += float(torch.logsumexp(log_p[own], 0))
    return total


def test_pseudo_likelihood_compares_whole_sequences():
    asked = {"method": "pseudo_likelihood", "cds": CDS, "codon_choice": "frequent"}
    found = scan(["A3L", "A3L:K6E", "A3A", "WT"], **asked).frame
    one = residue_likelihood("ATGAAACTGTGGCCAAAAACGTAA") - residue_likelihood(CDS)
    two = residue_likelihood("ATGAAACTGTGGCCAGAAACGTAA") - residue_likelihood(CDS)
    np.testing.assert_allclose(found["score"], [one, two, 0, 0], atol=1e-4)
    assert found["method"].tolist()[:2] == ["pseudo_likelihood"] * 2
    assert found["context"][0] == "codons 1-8 of 8, new residues in the commonest codons of e_coli"
    assert found["status"].tolist() == ["scored"] * 3 + ["wild_type"]


def test_pseudo_likelihood_masks_every_kth_at_once():
    whole = scan(["A3L"], method="pseudo_likelihood:8", cds=CDS).frame["score"][0]
    assert whole == pytest.approx(
        scan(["A3L"], method="pseudo_likelihood", cds=CDS).frame["score"][0], abs=1e-4
    )
    pairs = scan(["A3L"], method="pseudo_likelihood:2", cds=CDS).frame["score"][0]
    assert pairs != pytest.approx(whole, abs=1e-4)


def test_pseudo_likelihood_goes_on_after_a_kill(tmp_path):
    class Reader(CodonReader):
        passes, last = 0, 100

        def log_probabilities(self, sequences, masked, read):
            if self.passes >= self.last:
                raise KeyboardInterrupt
            self.passes += len(sequences)
            return super().log_probabilities(sequences, masked, read)

    reader = Reader(MODEL)
    reader.places_per_call = 80  # eight copies of one sequence
    wild = WildType(encode_nucleotides(CDS), reader, CodonUsage("e_coli", "frequent", 0, 1), PROTEIN)
    mutants = [(Substitution(2, "A", letter),) for letter in "CDEL"]
    whole = pseudo_likelihood_scores([wild], mutants, [(0, 8)] * 4, "pseudo_likelihood")
    assert reader.passes == 5 * 8  # of four mutants and the wild type
    reader.passes, reader.last = 0, 24
    asked = {"journal": tmp_path / "journal", "about": "m"}
    with pytest.raises(KeyboardInterrupt):
        pseudo_likelihood_scores([wild], mutants, [(0, 8)] * 4, "pseudo_likelihood", **asked)
    reader.passes, reader.last = 0, 100
    again = pseudo_likelihood_scores([wild], mutants, [(0, 8)] * 4, "pseudo_likelihood", **asked)
    assert reader.passes == 2 * 8
    np.testing.assert_allclose(again, whole, atol=1e-5)


def test_the_translator_is_asked_behind_the_same_masks():
    reader = MODEL.masked_reader("translation")
    (log_p,) = reader.log_probabilities([encode_nucleotides(CDS)], [[1, 4]], [[1, 4]])
    expected = sum(
        float(rows[AMINO_ACIDS.index(new)] - rows[AMINO_ACIDS.index(old)])
        for rows, old, new in zip(log_p, "KP", "EA", strict=True)
    )
    found = scan(["K2E:P5A"], method="translator", cds=CDS).frame
    assert found["score"][0] == pytest.approx(expected, abs=1e-5)
    assert found["method"][0] == "translator"
    with pytest.raises(UserError, match="no translation head"):
        scan(["A3L"], small_model(codec={"translator_hidden": None}).eval(), "translator", cds=CDS)


def test_the_wild_type_marginal_sees_what_it_is_asked_about():
    found = scan(["A3L", "K2E", "A3L:K2E"], method="wild_type", cds=CDS).frame
    same = scan(["A3L", "K2E", "A3L:K2E"], method="unmasked", cds=CDS).frame
    assert found["score"].tolist() == same["score"].tolist()
    assert found["score"][2] == pytest.approx(found["score"][:2].sum(), abs=1e-6)
    assert set(found["method"]) == {"wild_type"}


def test_luca_one_reads_residues():
    found = scan(["A3L", "A3L:K6E", "W4*"], LUCA)
    (log_p,) = LUCA.masked_logits([PROTEIN], molecule="protein")
    expected = log_p[2, TOKENS.index("L")] - log_p[2, TOKENS.index("A")]
    assert found.frame["score"][0] == pytest.approx(float(expected), abs=1e-5)
    assert found.frame["context"][0] == "residues 1-7 of 7"
    assert found.notes == []  # nothing is reverse-translated
    whole = scan(["A3L"], LUCA, "pseudo_likelihood").frame["score"][0]
    total = LUCA.pseudo_log_likelihood(["MKLWPKT", PROTEIN], molecule="protein").total
    assert whole == pytest.approx(float(total[0] - total[1]), abs=1e-4)


def test_a_transformers_model_by_its_folder(tmp_path, monkeypatch):
    from transformers import EsmForMaskedLM, EsmTokenizer

    monkeypatch.chdir(tmp_path)
    save_esm_checkpoint(tmp_path / "esm")
    (tmp_path / "scan.csv").write_text("mutant,DMS_score\nA3L,1\nK2E:P5A,2\nW4*,3\n")
    words = ["score", "input=scan.csv", f"protein={PROTEIN}", "checkpoint=esm", "output=s.csv"]
    assert main([*words, "heat_map=map.png"]) == 0
    found = pd.read_csv("s.csv")
    assert found["status"].tolist() == ["scored", "scored", "no_such_residue"]
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    model, tokenizer = EsmForMaskedLM.from_pretrained("esm").eval(), EsmTokenizer.from_pretrained("esm")

    def log_p(text: str) -> torch.Tensor:
        with torch.no_grad():
            return model(**tokenizer(text, return_tensors="pt")).logits[0, 1:-1].log_softmax(-1)

    of = VOCABULARY.index
    one = log_p("MK<mask>WPKT")[2]
    both = log_p("M<mask>AW<mask>KT")
    expected = [one[of("L")] - one[of("A")]]
    expected.append(both[1, of("E")] - both[1, of("K")] + both[4, of("A")] - both[4, of("P")])
    np.testing.assert_allclose(found["score"][:2], [float(x) for x in expected], atol=1e-5)


def test_a_protein_model_has_nothing_to_say_of_a_genome(tmp_path, capsys, small_genome):
    save_esm_checkpoint(tmp_path / "esm")
    (tmp_path / "v.tsv").write_text("chrom\tpos\tref\talt\nNC_000913.3\t340\tC\tG\n")
    words = [f"input={tmp_path / 'v.tsv'}", f"genome={small_genome}", f"checkpoint={tmp_path / 'esm'}"]
    assert main(["score", *words, f"output={tmp_path / 'o.tsv'}"]) == 2
    assert "the model reads neither codons nor nucleotides" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "pseudo_likelihood", "heat_map": "map.png"}, "heat_map: shows what is expected"),
        ({"method": "pseudo_likelihood:0"}, "'pseudo_likelihood:0' is unknown"),
    ],
)
def test_what_stops_it(options, message):
    with pytest.raises(UserError, match=message):
        scan(["A3L"], **options)
