"""Models of others read as they would alone; the small CNN is the network it says, each time the same."""

import numpy as np
import pytest
import torch
from torch import nn

from lifecode.alphabet import encode_nucleotides
from lifecode.errors import UserError
from lifecode.tasks.peers.transformers_peer import TransformersPeer
from lifecode.tasks.probe import Probe
from lifecode.tasks.small_cnn import CnnHead, LetterIds
from tests.support.esm_checkpoint import save_esm_checkpoint


def dna(seed, length):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """A BERT of 3-mers, as DNABERT is one."""
    from itertools import product

    from transformers import BertConfig, BertModel, BertTokenizer

    folder = tmp_path_factory.mktemp("bert")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map("".join, product("ACGT", repeat=3))]
    (folder / "vocab.txt").write_text("\n".join(words))
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(words), initializer_range=0.3, **shape)
    BertModel(config).save_pretrained(folder)
    BertTokenizer(str(folder / "vocab.txt"), do_lower_case=False).save_pretrained(folder)
    return folder


def features(reader, sequences, molecule="dna"):
    ids = [encode_nucleotides(sequence) for sequence in sequences]
    return reader.states(Probe(), molecule, lambda *_: None)(ids)


def test_a_bert_of_words_gives_the_mean_of_its_own_states(bert):
    from transformers import AutoModel, AutoTokenizer

    sequences = [dna(0, 20), dna(1, 11)]  # padded together
    found = features(TransformersPeer(model=str(bert), kmer=3).reader("bert"), sequences)
    model, tokenizer = AutoModel.from_pretrained(bert).eval(), AutoTokenizer.from_pretrained(bert)
    for vector, sequence in zip(found, sequences, strict=True):
        words = " ".join(sequence[i : i + 3] for i in range(len(sequence) - 2))
        given = tokenizer(words, return_tensors="pt")
        assert tokenizer.unk_token_id not in given["input_ids"]
        with torch.inference_mode():
            states = model(**given).last_hidden_state[0]
        assert len(states) == len(sequence)  # 2 of them special
        np.testing.assert_allclose(vector, states[1:-1].mean(0), atol=1e-5)


def test_a_window_that_is_too_long_for_the_positions_is_one_line(bert):
    with pytest.raises(
        UserError, match=r"cannot read 700 tokens at once .* Give peer\.NAME\.window less than"
    ):
        features(TransformersPeer(model=str(bert), kmer=3).reader("bert"), [dna(3, 700)])


def letters_tokenizer(**tokens):
    """A token for each letter, and none for U."""
    from tokenizers import Tokenizer, pre_tokenizers
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast

    numbers = {name: number for number, name in enumerate(["<pad>", "<unk>", *"ACGT"])}
    found = Tokenizer(WordLevel(numbers, unk_token="<unk>"))
    found.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return PreTrainedTokenizerFast(tokenizer_object=found, **{"unk_token": "<unk>", **tokens})


@pytest.mark.parametrize("seen_by", ["positions counted from the left", "convolutions", "a state"])
def test_padding_is_not_there_to_be_seen(tmp_path, seen_by):
    """An attention mask hides it neither from learned positions behind it nor from convolutions."""
    from transformers import AutoModel, ConvBertConfig, FalconMambaConfig, GPT2Config

    sizes = {"vocab_size": 6, "hidden_size": 16, "num_hidden_layers": 1, "initializer_range": 0.3}
    ends = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    config = {
        "positions counted from the left": lambda: GPT2Config(n_head=2, n_positions=40, **ends, **sizes),
        "convolutions": lambda: ConvBertConfig(
            num_attention_heads=2, intermediate_size=32, embedding_size=16, pad_token_id=0, **sizes
        ),
        "a state": lambda: FalconMambaConfig(state_size=4, **ends, **sizes),
    }[seen_by]()
    torch.manual_seed(0)
    AutoModel.from_config(config).save_pretrained(tmp_path)
    letters_tokenizer(pad_token="<pad>", padding_side="left").save_pretrained(tmp_path)
    reader = TransformersPeer(model=str(tmp_path), pools=["mean", "max", "cls", "last"]).reader("x")
    sequences = [dna(0, 20), dna(1, 11), dna(2, 20)]
    alone = np.concatenate([features(reader, [sequence]) for sequence in sequences])
    np.testing.assert_allclose(features(reader, sequences), alone, atol=1e-5)
    inner = torch.tensor([["ACGT".index(letter) + 2 for letter in sequences[1]]])
    with torch.inference_mode():
        states = AutoModel.from_pretrained(tmp_path).eval()(input_ids=inner)[0][0]
    np.testing.assert_allclose(alone[1][:16], states.mean(0), atol=1e-5)


def test_a_tokenizer_that_does_not_know_the_letters_is_one_line(bert):
    """U in place of T, or 3-mers that are given as one word, would be unknown tokens without a word."""
    with pytest.raises(
        UserError, match=r"does not know 1 of 1 tokens, as in ACGTAC\. Give peer\.NAME\.letters"
    ):
        features(TransformersPeer(model=str(bert)).reader("x"), ["ACGTAC"])
    reader = TransformersPeer(model=str(bert), letters="rna", kmer=3).reader("x")
    with pytest.raises(UserError, match="does not know 3 of 4 tokens"):
        features(reader, ["ACGTAC"])
    assert features(reader, ["ACGCAC", "NNNNNN"]).shape == (2, 16)  # an unknown letter is one


def test_special_tokens_that_a_tokenizer_does_not_mark_have_no_part_in_a_pool(bert):
    reader = TransformersPeer(model=str(bert), kmer=3).reader("x")
    marked = features(reader, [dna(0, 20)])
    made = reader.encoder.tokenizer

    class Unmarked:
        """As of code that adds [CLS] and [SEP] and leaves `get_special_tokens_mask` as it was."""

        def __getattr__(self, name):
            return getattr(made, name)

        def __call__(self, text, **given):
            found = made(text, **given)
            found["special_tokens_mask"] = found["special_tokens_mask"][1:-1]
            return found

    reader.encoder.tokenizer = Unmarked()
    np.testing.assert_array_equal(features(reader, [dna(0, 20)]), marked)


@pytest.mark.parametrize("content", [b"version https://git-lfs.github.com/spec/v1\n", None])
def test_half_a_peer_is_one_line(bert, tmp_path, content):
    """A pointer in place of weights, or half of them."""
    from shutil import copytree

    weights = copytree(bert, tmp_path / "half") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:3000] if content is None else content)
    with pytest.raises(UserError, match=r"half: cannot be loaded .* a whole folder or a name on the hub"):
        TransformersPeer(model=str(tmp_path / "half")).reader("x")


def test_long_sequences_are_read_to_their_end_and_said_to_be_cut(bert):
    reader = TransformersPeer(model=str(bert), kmer=3, window=15).reader("x")
    given = [encode_nucleotides(dna(seed, length)) for seed, length in enumerate((15, 16, 40))]
    assert reader.notes("dna", given) == [
        "x reads 2 sequences of more than 15 letters in windows, one behind the other"
    ]
    assert reader.notes("dna", given[:1]) == []
    last = features(reader, [dna(2, 40), dna(2, 40)[:39] + "A", dna(2, 40)[:39] + "C"])
    assert len(np.unique(last, axis=0)) == 2


def test_of_a_model_that_also_writes_the_encoder_reads(bert, tmp_path):
    from transformers import AutoTokenizer, T5Config, T5EncoderModel

    tokenizer = AutoTokenizer.from_pretrained(bert)
    config = T5Config(vocab_size=len(tokenizer), d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    torch.manual_seed(0)
    model = T5EncoderModel(config).eval()
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    reader = TransformersPeer(model=str(tmp_path), kmer=3).reader("t5")
    (vector,) = features(reader, ["ACGTAC"])
    with torch.inference_mode():
        states = model(**tokenizer("ACG CGT GTA TAC", return_tensors="pt")).last_hidden_state[0]
    np.testing.assert_allclose(vector, states[1:-1].mean(0), atol=1e-5)
    assert np.abs(features(reader.untrained(1), ["ACGTAC"])[0] - vector).max() > 1e-3


def test_windows_layers_cls_and_weights_are_told_apart(bert):
    sequence = dna(2, 30)
    first, second, both = features(
        TransformersPeer(model=str(bert), kmer=3, window=15).reader("x"),
        [sequence[:15], sequence[15:], sequence],
    )
    np.testing.assert_allclose(both, (first + second) / 2, atol=1e-5)
    readers = [
        TransformersPeer(model=str(bert), kmer=3, **changes).reader("x")
        for changes in ({}, {"layer": 1}, {"pools": ["cls"]})
    ]
    vectors = [features(reader, [sequence])[0] for reader in readers]
    twin = readers[0].untrained(5)
    vectors.append(features(twin, [sequence])[0])
    assert all(np.abs(a - b).max() > 1e-3 for i, a in enumerate(vectors) for b in vectors[:i])
    assert len({reader.digest for reader in [*readers, twin]}) == 4
    np.testing.assert_array_equal(features(readers[0].untrained(5), [sequence])[0], vectors[-1])
    with pytest.raises(UserError, match="is 7, and the model has 2 layers"):
        features(TransformersPeer(model=str(bert), kmer=3, layer=7).reader("x"), [sequence])


def test_an_esm_reads_the_protein_of_coding_sequences_only(tmp_path):
    from transformers import AutoTokenizer, EsmModel

    folder = save_esm_checkpoint(tmp_path / "esm")
    reader = TransformersPeer(model=str(folder), letters="protein").reader("esm")
    (vector,) = features(reader, ["ATGAAAGTTTGGTAA"], "cds")
    model, tokenizer = EsmModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        states = model(**tokenizer("MKVW", return_tensors="pt")).last_hidden_state[0]
    np.testing.assert_allclose(vector, states[1:-1].mean(0), atol=1e-5)
    assert (reader.reads("cds"), reader.reads("dna")) == (True, False)


def test_a_peer_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(UserError, match="cannot be loaded"):
        TransformersPeer(model=str(tmp_path / "none")).reader("mine")


def motif_task(number, regression=False):
    """A motif in half of the sequences."""
    sequences, labels = [], []
    for i in range(number):
        letters = dna(i, 80)
        at = 5 + i % 60
        sequences.append(
            encode_nucleotides(letters[:at] + "TATAATGC" + letters[at + 8 :] if i % 2 else letters)
        )
        labels.append(i % 2)
    return LetterIds(80)(sequences), np.array(labels) * (2.5 if regression else 1)


def test_the_cnn_finds_a_motif_and_is_the_same_each_time():
    x, y = motif_task(900)
    folds = np.zeros(800, np.int64)
    torch.manual_seed(1)
    first = CnnHead(regression=False).fit([x[:800]], y[:800], folds, 0).predict([x[800:]])
    state = torch.random.get_rng_state()
    second = CnnHead(regression=False).fit([x[:800]], y[:800], folds, 0).predict([x[800:]])
    assert torch.equal(state, torch.random.get_rng_state())  # nobody else's draws are moved
    np.testing.assert_array_equal(first, second)
    assert np.mean(first.argmax(1) == y[800:]) > 0.8
    np.testing.assert_allclose(first.sum(1), 1)
    values = CnnHead(regression=True).fit([x[:800]], y[:800] * 2.5, folds, 0).predict([x[800:]])
    assert np.corrcoef(values, y[800:])[0, 1] > 0.5


def test_the_cnn_is_an_embedding_and_three_convolutions():
    x, y = motif_task(20)
    network = CnnHead(regression=False).fit([x], y, np.zeros(20, np.int64), 0).network
    plain = nn.Sequential(
        *(
            layer
            for convolution, norm in zip([network.first, *network.others], network.norms, strict=True)
            for layer in (convolution, norm, nn.ReLU(), nn.MaxPool1d(2))
        ),
        nn.Flatten(),
        network.hidden,
        network.out,
    ).eval()
    ids = torch.from_numpy(x.astype(np.int64))
    with torch.inference_mode():
        torch.testing.assert_close(network(ids), plain(network.embedding(ids).mT), atol=1e-5, rtol=1e-4)


def test_letters_are_padded_to_what_three_poolings_need():
    (row,) = LetterIds(5)([encode_nucleotides("ACGTNA")])
    assert row[:6].tolist() == [0, 1, 2, 3, 4, 5]
    assert len(row) == 64
