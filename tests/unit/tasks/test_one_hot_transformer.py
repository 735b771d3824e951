"""The transformer on one-hot letters: that it learns, what it reads, and where it is asked for."""

import numpy as np
import pytest

import lifecode
from lifecode.alphabet import encode_nucleotides
from lifecode.models.luca_one.vocabulary import PAD, TOKENS
from lifecode.tasks import PairTask, SequenceTask
from lifecode.tasks.baselines import head_of, usual_baselines
from lifecode.tasks.examples.molecule import encoded
from lifecode.tasks.one_hot_transformer import LetterTokens, TransformerHead
from tests.support.small_models import small_model


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """Networks of a quarter of the width."""
    monkeypatch.setattr("lifecode.tasks.one_hot_transformer._WIDTH", 32)


def toy(num, seed):
    """Texts of 12 to 20 letters A and C; of every second one a letter anywhere is a G."""
    draw = np.random.default_rng(seed)
    labels, texts = np.arange(num) % 2, []
    for label in labels:
        letters = draw.choice(["A", "C"], size=draw.integers(12, 21))
        if label:
            letters[draw.integers(len(letters))] = "G"
        texts.append("".join(letters))
    return texts, labels


def tokens(texts, positions=20):
    return LetterTokens(positions, "dna")([encode_nucleotides(text) for text in texts])


def test_it_learns_a_toy_and_the_same_each_time():
    (texts, labels), (others, wanted) = toy(48, 0), toy(24, 1)
    head = TransformerHead("binary", epochs=12, lr=2e-3)
    fitted, again = (head.fit([tokens(texts)], labels, labels, 3) for _ in range(2))
    found = fitted.predict([tokens(others)])
    assert (found.argmax(1) == wanted).all()
    np.testing.assert_allclose(found.sum(1), 1)
    np.testing.assert_array_equal(again.predict([tokens(others)]), found)
    alone = np.concatenate(
        [fitted.predict([tokens([text], 12 + 2 * i)]) for i, text in enumerate(["ACAC"] * 3)]
    )
    np.testing.assert_allclose(alone, fitted.predict([tokens(["ACAC", "ACACACAC"])])[[0, 0, 0]], atol=1e-5)
    assert len(fitted.predict([tokens([])])) == 0


def test_tokens_are_those_of_lucaone_and_the_end_is_no_letter():
    assert tokens(["ACG"], 4).tolist() == [[TOKENS.index(letter) for letter in "134"] + [PAD]]
    protein = [encoded("MKR", "protein"), encoded("M", "protein")]
    table = LetterTokens.of(protein, "protein")(protein)
    assert table.tolist() == [[TOKENS.index(letter) for letter in "MKR"], [TOKENS.index("M"), PAD, PAD]]
    assert LetterTokens.of([np.zeros(5_000, np.uint8)], "dna").positions == 1_278


@pytest.mark.parametrize("kind", ["regression", "multilabel"])
def test_values_and_several_classes_have_their_own_loss(kind):
    texts, labels = toy(32, 0)
    wanted = 100.0 + 50 * labels if kind == "regression" else np.stack([labels, 1 - labels, labels], axis=1)
    head = head_of("one_hot_transformer", kind)
    assert (head.epochs, head.batch, head.lr) == (20, 16, 2e-4)
    head = TransformerHead(kind, epochs=12, lr=2e-3)
    found = head.fit([tokens(texts)], wanted, labels, 0).predict([tokens(texts)])
    if kind == "regression":
        assert np.abs(found - wanted).mean() < 15
    else:
        assert ((found > 0.5) == wanted).all()


def test_it_stands_beside_a_model_of_sequences_and_of_pairs_where_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(TransformerHead.__init__, "__defaults__", (1, 16, 2e-4))
    texts, labels = toy(16, 0)
    rows = list(zip(texts, ["MKR", "GW"] * 8, labels, strict=True))
    path = tmp_path / "a.csv"
    path.write_text("first,second,label\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
    assert "one_hot_transformer" not in usual_baselines("dna", "binary")
    given = {"checkpoint": small_model(), "folds": 2, "baselines": ["one_hot_transformer"], "progress": False}
    for task in (
        SequenceTask(train=str(path), sequence="first"),
        PairTask(train=str(path), second_kind="protein"),
    ):
        found = lifecode.finetune(task, **given)
        assert set(found.metrics["baselines"]) == {"one_hot_transformer"}
