"""Features by hand, and an encoder's states as its own `embed` gives them."""

import numpy as np
import pytest
import torch

from lifecode.alphabet import CODONS, encode_nucleotides
from lifecode.tasks.families.place import Place
from lifecode.tasks.features.cache import CachedFeatures
from lifecode.tasks.features.counts import (
    CodonFrequency,
    CodonPreference,
    GeneShape,
    Kmers,
    LengthAndGc,
    Residues,
)
from lifecode.tasks.features.encoder import ModelEncoder
from lifecode.tasks.features.one_hot import OneHot, positions_of
from lifecode.tasks.features.reading_frames import OpenFrame, ReadingFrames
from lifecode.tasks.features.registry import features_from
from lifecode.tasks.features.states import StateFeatures
from tests.support.small_models import small_model

TEXTS = ["ATGAAACGCATT", "GGCNNNAAA", "ATGGGGCCCAAATTT"]
SEQUENCES = [encode_nucleotides(text) for text in TEXTS]


def test_counts_by_hand():
    np.testing.assert_allclose(LengthAndGc()(SEQUENCES)[0], [np.log(13), 4 / 12], rtol=1e-6)
    np.testing.assert_allclose(LengthAndGc()(SEQUENCES)[1, 1], 3 / 6)
    pairs = Kmers(2)(SEQUENCES[1:2])[0]  # GG GC AA AA
    assert pairs[[0b1010, 0b1001, 0b0000]].tolist() == [0.25, 0.25, 0.5]
    codons = CodonFrequency()(SEQUENCES)
    assert codons[1, CODONS.index("GGC")] == codons[1, CODONS.index("AAA")] == 0.5
    assert Residues()(SEQUENCES)[0].sum() == pytest.approx(1)
    preference = CodonPreference()(SEQUENCES)[0]
    assert preference[CODONS.index("AAA")] == pytest.approx(np.log(2 / 3))  # of lysine's two, one is seen
    assert preference[CODONS.index("ATG")] == 0
    shape = GeneShape()(SEQUENCES)[0]
    np.testing.assert_allclose(shape[:5], [np.log(5), 1 / 4, 1 / 4, 1 / 4, 2 / 4], rtol=1e-6)
    assert shape[5:].sum() == pytest.approx(1)


def test_reading_frames_by_hand():
    """TAAATGC: TAA ATG (a stop), AAA TGC (none), AAT GC (none); then a stop in every frame: TAATTAATTAA."""
    sequences = [encode_nucleotides(text) for text in ("TAAATGC", "TAATTAATTAA", "TA")]
    assert OpenFrame()(sequences).ravel().tolist() == [1, 0, 1]
    first, stopped, empty = ReadingFrames()(sequences).reshape(3, 3, 65)
    assert first[:, 0].tolist() == [0, 0, 0.5]  # the frame with the stop codon stands last
    assert first[0, 1 + CODONS.index("AAA")] == first[0, 1 + CODONS.index("TGC")] == 0.5
    assert first[1, 1 + CODONS.index("AAT")] == 1
    assert first[2, 1 + CODONS.index("TAA")] == 0.5
    assert stopped[:, 0].tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    assert not empty.any()


def test_one_hot_by_hand():
    table = OneHot("nucleotide", 4)(SEQUENCES).reshape(3, 4, 4)
    assert table[0].argmax(1).tolist() == [0, 3, 2, 0]
    assert table[1].sum(1).tolist() == [1, 1, 1, 0]  # N is none
    codons = OneHot("codon", 5)(SEQUENCES).reshape(3, 5, 64)
    assert codons[0].sum(1).tolist() == [1, 1, 1, 1, 0]
    assert codons[0, 1].argmax() == CODONS.index("AAA")
    assert positions_of(SEQUENCES, "codon") == 5


@pytest.mark.parametrize("strands", ["paper", "rc", "forward"])
def test_states_behind_the_projection_are_those_of_embed(strands):
    model = small_model(strands=strands).eval()
    features = StateFeatures(
        encoder=ModelEncoder(model), label="x", pools=("max", "cls"), place=Place(projected=True)
    )
    states = [model.embed(TEXTS, pool=None)[i] for i in range(3)]
    found = features(SEQUENCES)
    np.testing.assert_allclose(found[:, :32], torch.stack([x.amax(0) for x in states]), atol=1e-5)
    assert found.shape == (3, 64)
    assert found.dtype == np.float32


def test_states_before_the_projection_and_behind_fewer_layers():
    model = small_model().eval()
    encoder = ModelEncoder(model)
    wide = StateFeatures(encoder=encoder, label="x")(SEQUENCES)
    assert wide.shape == (3, 64)
    projected = StateFeatures(encoder=encoder, label="x", place=Place(projected=True))(SEQUENCES)
    np.testing.assert_allclose(wide @ model.encoder.out_proj.weight.detach().numpy().T, projected, atol=1e-5)
    last = StateFeatures(encoder=encoder, label="x", place=Place(layer=2))(SEQUENCES)
    np.testing.assert_array_equal(last, wide)
    assert (
        np.abs(StateFeatures(encoder=encoder, label="x", place=Place(layer=1))(SEQUENCES) - wide).max() > 1e-3
    )


def test_positions_centre_and_frames():
    encoder = ModelEncoder(small_model().eval())

    def features(**settings):
        return StateFeatures(encoder=encoder, label="x", **settings)(SEQUENCES)

    inner = dict(encoder.states(SEQUENCES, Place()))
    np.testing.assert_allclose(features(pools=("positions",), window=4)[0], inner[0][1:-1].ravel(), atol=1e-6)
    assert not features(pools=("positions",), window=4)[1, 3 * 64 :].any()  # behind its end
    np.testing.assert_allclose(features(pools=("centre",), window=2)[0], inner[0][2:4].ravel(), atol=1e-6)
    np.testing.assert_allclose(features(pools=("last",))[0], inner[0][-2], atol=1e-6)
    frames = [features(frames=frame) for frame in (0, 1, 2)]
    np.testing.assert_allclose(features(frames="average"), np.mean(frames, axis=0), atol=1e-6)
    stacked = np.concatenate([np.mean(frames, 0), np.max(frames, 0), np.min(frames, 0)], axis=1)
    np.testing.assert_allclose(features(frames="stack"), stacked, atol=1e-6)


def test_what_was_read_is_not_read_again(tmp_path):
    class Counting(CodonFrequency):
        asked = 0

        def __call__(self, sequences):
            Counting.asked += len(sequences)
            return CodonFrequency()(sequences)

    first = CachedFeatures(Counting(), tmp_path)(SEQUENCES[:2])
    again = CachedFeatures(Counting(), tmp_path)(SEQUENCES[::-1])
    np.testing.assert_array_equal(again, CodonFrequency()(SEQUENCES[::-1]))
    np.testing.assert_array_equal(first, again[:0:-1])
    assert Counting.asked == 3


def test_features_come_back_from_their_description():
    encoder = ModelEncoder(small_model().eval())
    for features in (
        Kmers(3),
        OneHot("codon", 7),
        GeneShape(),
        StateFeatures(
            encoder=encoder, label="x", frames=1, place=Place(1, True), pools=("mean", "cls"), window=3
        ),
    ):
        assert features_from(features.config, encoder) == features
