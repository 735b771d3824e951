"""ESM-2 through transformers' real classes, on a small checkpoint that is made here."""

import json
import pickle
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecode.app.configs.construct import construct
from lifecode.app.from_python import compose
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.mixture import Mixture
from lifecode.data.batches.stream import TrainingStream
from lifecode.errors import UserError
from lifecode.teachers import esm2
from lifecode.teachers.cache import FeatureCache
from lifecode.teachers.esm2 import Esm2Teacher
from lifecode.teachers.windows import windows
from tests.support.esm_checkpoint import VOCABULARY, save_esm_checkpoint

PROTEINS = st.text(alphabet="ACDEFGHIKLMNPQRSTVWYXUOBZJ*acdj", min_size=1, max_size=90)
THR_L = "MKRISTTITTTITITTGNGAG"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return save_esm_checkpoint(tmp_path_factory.mktemp("esm") / "esm2_small")


@pytest.fixture(scope="module")
def teacher(checkpoint):
    return Esm2Teacher(checkpoint=str(checkpoint), window=40, overlap=16)


@pytest.fixture(scope="module")
def direct(checkpoint):
    """transformers used directly: the last hidden state of the residues of one protein."""
    from transformers import EsmModel, EsmTokenizer

    model = EsmModel.from_pretrained(checkpoint, add_pooling_layer=False).eval()
    tokenizer = EsmTokenizer.from_pretrained(checkpoint)

    @torch.no_grad()
    def last_hidden_state(protein: str):
        tokens = tokenizer(protein, return_tensors="pt")
        return model(**tokens).last_hidden_state[0, 1:-1]

    return last_hidden_state


def test_features_are_the_last_hidden_state_of_transformers(teacher, direct):
    proteins = [THR_L, "ACDEFGHIKLMNPQRSTVWYXUOBZ", "M"]
    assert teacher.width == 16
    for protein, features in zip(proteins, teacher(proteins), strict=True):
        assert features.shape == (len(protein), 16)
        assert features.dtype == torch.float32
        torch.testing.assert_close(features, direct(protein), atol=1e-5, rtol=0)


def test_lower_case_is_the_same_protein_and_an_empty_one_has_no_residue(teacher):
    lower, upper, empty = teacher([THR_L.lower(), THR_L, ""])
    torch.testing.assert_close(lower, upper, atol=1e-5, rtol=0)
    assert empty.shape == (0, 16)
    assert teacher([]) == []


def test_neighbours_that_the_tokenizer_does_not_know_stay_apart(teacher, checkpoint):
    """transformers' tokenizer makes one token of JJ*, and would shift all that follows."""
    from transformers import EsmModel, EsmTokenizer

    assert len(EsmTokenizer.from_pretrained(checkpoint)("MJJ*K")["input_ids"]) == 5
    model = EsmModel.from_pretrained(checkpoint, add_pooling_layer=False).eval()
    ids = torch.tensor([[VOCABULARY.index(x) for x in ("<cls>", "M", *3 * ["<unk>"], "K", "<eos>")]])
    with torch.no_grad():
        expected = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0, 1:-1]
    torch.testing.assert_close(teacher(["MJJ*K"])[0], expected, atol=1e-5, rtol=0)


def test_a_character_that_is_no_residue_is_named(teacher):
    for protein, named in (("MK-L", "'-' at position 3"), ("MKß", "'ß' at position 3"), ("M K", "' '")):
        with pytest.raises(UserError, match=named):
            teacher([protein])


def test_long_proteins_are_read_in_windows(teacher, direct):
    protein = (THR_L + "ACDEFGHIKLMNPQRSTVWY") * 4
    (features,) = teacher([protein])
    cut = windows(len(protein), 40, 16)
    assert len(cut) > 4
    for part in cut:
        expected = direct(protein[part.start : part.stop])[part.first - part.start : part.last - part.start]
        torch.testing.assert_close(features[part.first : part.last], expected, atol=1e-5, rtol=0)


def test_windows_by_hand():
    assert windows(0, 10, 4) == []
    assert windows(10, 10, 4) == [(0, 10, 0, 10)]
    assert windows(11, 10, 4) == [(0, 10, 0, 5), (1, 11, 5, 11)]
    assert windows(22, 10, 4) == [(0, 10, 0, 8), (6, 16, 8, 14), (12, 22, 14, 22)]


@given(length=st.integers(1, 500), window=st.integers(1, 60), share=st.floats(0, 0.99))
def test_windows_keep_every_residue_once_with_context(length, window, share):
    overlap = int(share * window)
    cut = windows(length, window, overlap)
    assert [part.first for part in cut] == [0, *(part.last for part in cut[:-1])]
    assert cut[-1].last == length
    for part in cut:
        assert part.stop - part.start == min(window, length)
        assert part.start <= part.first < part.last <= part.stop
        assert part.start == 0 or part.first - part.start >= overlap // 2
        assert part.stop == length or part.stop - part.last >= overlap // 2
    for left, right in pairwise(cut):
        assert left.stop - right.start >= overlap


@settings(max_examples=12)
@given(proteins=st.lists(PROTEINS, min_size=2, max_size=6), residues_at_once=st.integers(1, 400))
def test_features_do_not_depend_on_the_other_proteins(teacher, proteins, residues_at_once):
    teacher.residues_at_once = residues_at_once
    together = teacher(proteins)
    for protein, features in zip(proteins, together, strict=True):
        torch.testing.assert_close(features, teacher([protein])[0], atol=2e-5, rtol=0)


def test_a_pass_stays_within_its_budget(teacher, monkeypatch):
    sizes = []
    hidden_states = Esm2Teacher._hidden_states

    def noted(self, pieces):
        states = hidden_states(self, pieces)
        sizes.append((len(pieces), states.shape[0] * states.shape[1]))
        return states

    monkeypatch.setattr(Esm2Teacher, "_hidden_states", noted)
    teacher.residues_at_once = 100
    teacher([THR_L[:n] for n in (1, 20, 3, 7, 9, 20, 12)] + [THR_L * 3])
    assert all(number == 1 or size <= 100 for number, size in sizes)
    assert sum(number for number, _ in sizes) == 7 + len(windows(63, 40, 16))
    assert len(sizes) < 8


def test_the_name_holds_the_weights_and_the_windows(teacher, checkpoint, tmp_path):
    def name(folder, **arguments):
        return Esm2Teacher(checkpoint=str(folder), **{"window": 40, "overlap": 16, **arguments}).name

    copy = shutil.copytree(checkpoint, tmp_path / "copy")
    assert name(copy) == teacher.name
    assert name(copy, residues_at_once=7) == teacher.name
    changed = [name(copy, window=41), name(copy, overlap=17), name(copy, precision="float16")]
    changed.append(name(save_esm_checkpoint(tmp_path / "other", seed=1)))
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    changed.append(name(copy))
    assert len({teacher.name, *changed}) == 6
    assert set("".join(changed)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_float16_is_close(teacher, checkpoint):
    half = Esm2Teacher(checkpoint=str(checkpoint), window=40, overlap=16, precision="float16")
    for features, expected in zip(half([THR_L, "MKV"]), teacher([THR_L, "MKV"]), strict=True):
        torch.testing.assert_close(features, expected, atol=0.05, rtol=0)


def test_weights_in_several_files(checkpoint, teacher, tmp_path):
    from transformers import EsmForMaskedLM, EsmTokenizer

    model = EsmForMaskedLM.from_pretrained(checkpoint)
    model.save_pretrained(tmp_path, max_shard_size="8KB")
    EsmTokenizer.from_pretrained(checkpoint).save_pretrained(tmp_path)
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    sharded = Esm2Teacher(checkpoint=str(tmp_path), window=40, overlap=16)
    torch.testing.assert_close(sharded([THR_L])[0], teacher([THR_L])[0], atol=0, rtol=0)


def test_the_papers_configuration_has_the_papers_teacher(checkpoint):
    model = compose("train", "experiment=life_code").teacher.model
    assert (model.checkpoint, model.window) == ("facebook/esm2_t33_650M_UR50D", 1022)
    model.checkpoint = str(checkpoint)
    assert construct(model).name == Esm2Teacher(checkpoint=str(checkpoint)).name


class _Opened:
    def __reduce__(self):
        return (print, ("a pickle was opened",))


def test_a_pickled_checkpoint_is_refused_and_not_opened(checkpoint, tmp_path, capsys):
    folder = shutil.copytree(checkpoint, tmp_path / "pickled")
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(_Opened()))
    with pytest.raises(UserError, match=r"no model\.safetensors \(a pytorch_model\.bin can run code"):
        Esm2Teacher(checkpoint=str(folder))
    assert "opened" not in capsys.readouterr().out


def test_a_checkpoint_without_all_weights_is_refused(checkpoint, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(checkpoint, tmp_path / "part")
    weights = load_file(folder / "model.safetensors")
    del weights["esm.encoder.layer.1.output.dense.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match=r"no fitting weights .*layer\.1\.output\.dense\.weight"):
        Esm2Teacher(checkpoint=str(folder))(["MKV"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"window": 1023}, "window is 1023, and this checkpoint reads at most 1022"),
        ({"window": 10, "overlap": 10}, "overlap is 10, expected 0 to 9"),
        ({"checkpoint": "no/such/folder"}, "no such model folder.*Give a folder with an ESM-2 checkpoint"),
    ],
)
def test_mistakes_are_named(checkpoint, arguments, said):
    with pytest.raises(UserError, match=said):
        Esm2Teacher(**{"checkpoint": str(checkpoint), **arguments})


def test_another_kind_of_model_is_refused(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint, tmp_path / "bert")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "bert"}))
    with pytest.raises(UserError, match="no ESM-2 checkpoint"):
        Esm2Teacher(checkpoint=str(folder))


def test_without_transformers_it_says_what_to_install(checkpoint, monkeypatch):
    monkeypatch.setattr(esm2, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'pip install "lifecode\[esm\]"'):
        Esm2Teacher(checkpoint=str(checkpoint))


HUB = """
import sys
from lifecode.errors import UserError
from lifecode.teachers.esm2 import Esm2Teacher
print(Esm2Teacher(checkpoint="user/esm2", window=40, overlap=16).name)
try:
    Esm2Teacher(checkpoint="user/not_cached")
except UserError as error:
    print(error)
"""


@pytest.mark.slow
def test_a_name_comes_from_the_hubs_cache_and_offline_says_so(checkpoint, teacher, tmp_path, monkeypatch):
    commit = "0123456789" * 4
    repository = tmp_path / "models--user--esm2"
    shutil.copytree(checkpoint, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text(commit)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    done = subprocess.run([sys.executable, "-c", HUB], capture_output=True, text=True, check=True)
    name, error = done.stdout.splitlines()
    assert name == teacher.name
    assert error.startswith("user/not_cached: the Hugging Face hub did not serve this")


NUM_BITS = 11


@pytest.fixture(scope="module")
def planted(tmp_path_factory) -> Esm2Teacher:
    """An ESM whose last hidden state says which token it stands on, and in binary digits at which position.

    Token and position embeddings hold a constant number of ones, so that the layer norm is one affine map;
    attention and feed-forward add nothing.
    """
    from transformers import EsmModel

    tokens, digits = len(VOCABULARY), 2 * NUM_BITS
    folder = save_esm_checkpoint(
        tmp_path_factory.mktemp("planted") / "esm",
        hidden_size=tokens + digits + 1,
        num_hidden_layers=1,
        position_embedding_type="absolute",
        token_dropout=False,
    )
    model = EsmModel.from_pretrained(folder, add_pooling_layer=False)
    layer = model.encoder.layer[0]
    with torch.no_grad():
        for part in (layer.attention.output.dense, layer.output.dense):
            part.weight.zero_()
            part.bias.zero_()
        model.embeddings.word_embeddings.weight.copy_(torch.eye(tokens, tokens + digits + 1))
        positions = torch.arange(1026)[:, None] >> torch.arange(NUM_BITS) & 1
        at = torch.cat([torch.zeros(1026, tokens), positions, 1 - positions, torch.zeros(1026, 1)], 1)
        model.embeddings.position_embeddings.weight.copy_(at)
    model.save_pretrained(folder)
    return Esm2Teacher(checkpoint=str(folder), window=300, overlap=100)


def letters_and_positions(features: torch.Tensor) -> tuple[list[str], list[int]]:
    """What the planted teacher said: the letter, and the place in its window (0 is the first residue)."""
    tokens = features[:, : len(VOCABULARY)].argmax(1)
    bits = features[:, len(VOCABULARY) : len(VOCABULARY) + NUM_BITS] > 1
    places = (bits * 2 ** torch.arange(NUM_BITS)).sum(1) - 3  # <pad> is 1, so <cls> is at 2
    return [VOCABULARY[token] for token in tokens], places.tolist()


def test_residue_j_is_codon_j_from_the_corpus_to_the_batch(planted, small_corpus, tmp_path):
    """Through cache, pieces of long genes, packed rows and masks; stops and special tokens have no target."""
    table = small_corpus.segments("cds", "train")
    proteins = [table.protein(index) for index in range(len(table))]
    features = FeatureCache(tmp_path, planted).features(proteins)
    stream = TrainingStream(
        small_corpus,
        shape=BatchShape(max_codons=256, rows=3, rows_at_once=1),
        mixture=Mixture(cds=0.7, dna=0.3),
        masking=Masking(),
        seed=0,
        features=features,
    )
    steps = iter(stream)
    num_targets = num_cut = num_windowed = 0
    for _, rows, _ in (own for own, _ in zip(stream.rows_of_steps(), range(40), strict=False)):
        for pieces, batch in zip(rows, next(steps).micro_batches, strict=True):
            expected = []
            starts = batch.cu_seqlens[:-1].tolist()
            for piece, start in zip(pieces, starts, strict=True):
                if piece.kind != "cds":
                    continue
                protein = proteins[piece.segment]
                kept = {j: p for p in windows(len(protein), 300, 100) for j in range(p.first, p.last)}
                for j in range(piece.start // 3, min(piece.stop // 3, len(protein))):
                    codon = start + 1 + j - piece.start // 3
                    expected.append((codon, protein[j], j - kept[j].start))
                num_cut += piece.start > 0
                num_windowed += len(protein) > 300
            if not expected:
                assert len(batch.teacher_positions) == 0
                continue
            letters, places = letters_and_positions(batch.teacher_features.float())
            assert list(zip(batch.teacher_positions.tolist(), letters, places, strict=True)) == expected
            labels = batch.amino_acid_labels[batch.teacher_positions]
            assert ["ACDEFGHIKLMNPQRSTVWY*"[label] for label in labels] == letters
            without = np.setdiff1d(np.arange(len(batch.codon_labels)), batch.teacher_positions)
            assert set(batch.amino_acid_labels[without].tolist()) <= {-100, 20}  # special, DNA, or a stop
            num_targets += len(letters)
    assert num_targets > 5000
    assert num_cut > 10
    assert num_windowed > 10


@pytest.mark.parametrize(
    ("name", "width"),
    [("facebook/esm2_t33_650M_UR50D", 1280), ("facebook/esm2_t6_8M_UR50D", 320), ("me/mine", None)],
)
def test_the_width_of_a_checkpoint_is_in_its_name(name, width):
    assert Esm2Teacher.stated_width(name) == width
    assert Esm2Teacher.stated_width(None) is None


def test_the_width_of_a_checkpoint_in_a_folder_is_that_of_the_teacher(checkpoint):
    assert Esm2Teacher.stated_width(str(checkpoint)) == Esm2Teacher(checkpoint=str(checkpoint)).width
