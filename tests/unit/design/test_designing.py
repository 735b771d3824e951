"""Sampling, positions, fixed codons and constraints, on a tiny model."""

import numpy as np
import pytest

import lifecode
from lifecode.alphabet import MASK, NUM_CODONS
from lifecode.design import designing
from lifecode.design.constraints import Constraints
from lifecode.design.designing import CodingDesign, Task
from lifecode.design.designs import Designs
from lifecode.design.fixed_codons import fixed_codons
from lifecode.design.host import counted, host_usage
from lifecode.design.masked_codons import MASKED, masked_log_probabilities, strided_log_probabilities
from lifecode.design.positions import positions
from lifecode.design.sampler import Sampling, sample
from lifecode.design.synonyms import choices, residues_of, with_ordinary_start
from lifecode.design.verified import require_translates
from lifecode.errors import UserError
from tests.support.hosts import host_of, ids
from tests.support.small_models import small_model

MODEL = small_model(hybrid_ratio="2:0").eval()
HOST = host_of({})
PROTEIN = "MKRISTTITTTITITTGNGAGLLSS"
NOTHING = np.empty(0, dtype=np.int64)


def test_a_stride_as_long_as_the_sequence_masks_each_codon_alone():
    dna = "ATGAAACGCATTAGCACCTAA"
    (ours,) = strided_log_probabilities(MODEL, [ids(dna)], stride=7)
    (alone,) = MODEL.masked_logits([dna])
    np.testing.assert_allclose(ours, alone.numpy(), atol=1e-5)
    (every_second,) = strided_log_probabilities(MODEL, [ids(dna)], stride=2)
    copy = ids(dna)
    copy[1::2] = MASKED
    (read,) = masked_log_probabilities(MODEL, [copy], [np.array([3])])
    np.testing.assert_allclose(every_second[3], read[0], atol=1e-5)
    assert not np.allclose(every_second, alone.numpy(), atol=1e-3)
    assert MASK == 8


class Guess:
    """Stands for a model: P of each codon is as it is told, whatever else is there."""

    def __init__(self, monkeypatch, log_p):
        self.calls = []

        def read(_, sequences, at):
            self.calls.append([np.array(codons) for codons in sequences])
            return [np.tile(log_p, (len(own), 1)) for own in at]

        monkeypatch.setattr("lifecode.design.sampler.masked_log_probabilities", read)


def test_codons_are_drawn_by_model_times_usage(monkeypatch):
    log_p = np.full(NUM_CODONS, np.log(1 / 64))
    log_p[ids("AAG")] = np.log(3 / 64)
    Guess(monkeypatch, log_p)
    allowed = choices(residues_of("K" * 3000, 1, name="x"), 1)
    host = host_of({"AAA": 0.03, "AAG": 0.01})
    start = np.full(3000, MASKED)

    def share_of_aag(**settings):
        once = Sampling(passes=1, **settings)
        drawn = sample(MODEL, start, allowed, host.shares, once, [np.random.default_rng(1)])
        return (drawn == ids("AAG")).mean()

    assert share_of_aag(host_weight=0) == pytest.approx(3 / 4, abs=0.03)
    assert share_of_aag(host_weight=1) == pytest.approx(1 / 2, abs=0.04)
    assert share_of_aag(host_weight=2) == pytest.approx(1 / 4, abs=0.03)
    assert share_of_aag(host_weight=0, temperature=0.5) == pytest.approx(9 / 10, abs=0.02)
    assert share_of_aag(host_weight=0, temperature=0) == 1


def test_passes_end_where_nothing_changes_and_blocks_are_masked_together(monkeypatch):
    guess = Guess(monkeypatch, np.log(np.arange(1, 65) / 2080))
    allowed = choices(residues_of("MKKKKKKKK", 1, name="x"), 1)
    settings = Sampling(passes=9, temperature=0, host_weight=0, mask_fraction=0.25)
    sample(MODEL, np.full(9, MASKED), allowed, HOST.shares, settings, [np.random.default_rng(0)])
    assert len(guess.calls) == 2 * 4  # filled, then read once more
    assert all(call[0][0] == ids("ATG")[0] for call in guess.calls)  # which has no synonym
    assert [int((call[0] == MASKED).sum()) for call in guess.calls] == [8, 6, 4, 2, 2, 2, 2, 2]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1-3,5", [0, 1, 2, 4]),
        ("5, 1 - 2", [0, 1, 4]),
        (4, [3]),
        ("2,2-3", [1, 2]),
        ("1..2,4–5", [0, 1, 3, 4]),
        ([1, "4-5"], [0, 3, 4]),
    ],
)
def test_positions(text, found):
    assert positions(text, 5, source="keep", name="p").tolist() == found


@pytest.mark.parametrize("text", ["0", "6", "3-9", "3-1", "a", "1,,2", "-2"])
def test_positions_that_are_none(text):
    with pytest.raises(UserError):
        positions(text, 5, source="keep", name="p")


def task(protein=PROTEIN, **changes):
    given = {"draft": None, "keep": NOTHING, "wild_type": None, "n": 2, "seed": 0, **changes}
    return Task(name="p", protein=protein, **given)


ONE_PASS = Sampling(passes=1, mask_fraction=0.5)


def design(constraints=None, sampling=ONE_PASS, **changes):
    return designing.design(MODEL, task(**changes), HOST, sampling, constraints or Constraints())


def test_the_same_seed_the_same_designs_and_another_others():
    first, again, other = design(), design(), design(seed=1)
    assert [one.dna for one in first] == [one.dna for one in again]
    assert first[0].dna != other[0].dna
    assert [one.id for one in first] == ["p|1", "p|2", "p|best_codon", "p|matched_usage"]


def test_the_best_of_several_is_at_least_as_likely():
    likelihoods = [
        design(sampling=Sampling(passes=1, mask_fraction=0.5, host_weight=0, best_of=k), n=1)[
            0
        ].log_likelihood
        for k in (1, 6)
    ]
    assert likelihoods[1] >= likelihoods[0]


def test_where_the_sampling_starts_with_a_draft():
    draft = ids("ATGAAA" + "CTG" * 23)
    of = {"protein": "MK" + "L" * 23, "draft": draft, "keep": np.array([2]), "n": 1}
    (from_draft, *_), (from_host, *_) = (
        design(sampling=Sampling(start=start, host_weight=0.5, passes=1, mask_fraction=0.5), **of)
        for start in ("draft", "host")
    )
    default = design(sampling=ONE_PASS, **of)[0]
    assert default.dna == from_draft.dna != from_host.dna
    for start in ("draft", "host", "masked"):
        found = design(sampling=Sampling(start=start, passes=1, mask_fraction=0.5), **of)[0]
        assert found.codons[2] == draft[2]
    with pytest.raises(UserError, match="has no draft to start from"):
        design(sampling=Sampling(start="draft"))


def test_designs_stand_in_the_order_of_their_scores():
    designs = design(n=4)[:4]
    scores = [one.score for one in designs]
    assert scores == sorted(scores, reverse=True)
    one = designs[0]
    spelling = choices(residues_of(PROTEIN, 1, name="p"), 1)
    (logits,) = strided_log_probabilities(MODEL, [one.codons])
    among = [logits[place] - np.logaddexp.reduce(logits[place][own]) for place, own in enumerate(spelling)]
    expected = [
        row[codon] + 0.5 * np.log(HOST.shares[codon]) for row, codon in zip(among, one.codons, strict=True)
    ]
    assert one.score == pytest.approx(np.mean(expected))


def test_an_alternative_start_of_the_wild_type_counts_as_the_atg_of_designs():
    wild, plain = ids("GTGAAACTGAGC"), ids("ATGAAACTGAGC")
    for own in (wild, plain):
        found = design(protein="MKLS", wild_type=own)[-1]
        spelling = choices(residues_of("MKLS", 1, name="p"), 1)
        (logits,) = strided_log_probabilities(MODEL, [own])
        terms = [
            logits[place][own[place]] - np.logaddexp.reduce(logits[place][spelling[place]])
            + 0.5 * np.log(HOST.shares[own[place]])
            for place in range(int(own is wild), 4)
        ]  # fmt: skip
        assert found.score == pytest.approx(sum(terms) / 4)  # ATG has no synonym: 0
    assert with_ordinary_start(wild, "MKLS", 1).tolist() == plain.tolist()
    assert with_ordinary_start(plain, "MKLS", 1).tolist() == plain.tolist()
    assert with_ordinary_start(wild, "VKLS", 1).tolist() == wild.tolist()


def test_figures_of_a_wild_type_do_not_hang_on_its_start_codon():
    rest = "AAAGATGAAAAACGTTCTAAAGATGAAAAA" * 2
    host = counted([ids("ATG" + rest + "TAA"), ids("ATGGTGAAGGACGTGTAA")], 11, "two genes")
    rows = []
    for codons in (ids("ATG" + rest), ids("GTG" + rest)):
        one = CodingDesign("p", "wild_type", 0, codons, log_likelihood=-1.0, score=-1.0)
        rows += Designs([one], host, {"p": "M" + "KDEKRSKDEK" * 2}).rows()
    rows = [{**row, "gc": 0} for row in rows]
    assert rows[0] == rows[1]


def test_a_sequence_stops_where_it_stops_alone():
    """One that a pass has not changed is done, however many others go on."""
    allowed = choices(residues_of("MKLSV", 1, name="p"), 1)
    settings = Sampling(passes=6, temperature=0, mask_fraction=0.5)
    start = np.full(5, MASKED)
    for seed in range(12):
        alone = sample(MODEL, start, allowed, HOST.shares, settings, [np.random.default_rng(seed)])
        mates = [np.random.default_rng(s) for s in (seed, 100, 101, 102)]
        together = sample(MODEL, start, allowed, HOST.shares, settings, mates)
        assert together[0].tolist() == alone[0].tolist()


def test_the_first_codon_starts_a_gene():
    """Code 21 reads ATA as M inside a gene alone, and both it and ATG may begin one of code 5."""
    for code, firsts in ((21, {"ATG"}), (5, {"ATA", "ATG"})):
        host = host_usage("e_coli", code)
        asked = Constraints(forbidden_sites="TTTTTTT")
        found = designing.design(MODEL, task("MMMMMMMMMMMM", n=8), host, ONE_PASS, asked)
        assert {one.dna[:3] for one in found} <= firsts
        assert any("ATA" in [one.dna[i : i + 3] for i in range(3, 36, 3)] for one in found)


@pytest.mark.parametrize(
    ("code", "protein", "never"), [(27, "MKWW*", "TGA"), (28, "MQQQ*", "TAA"), (31, "MEE*", "TAG")]
)
def test_a_codon_that_is_a_stop_too_is_one_only_at_the_end(code, protein, never):
    host = host_usage("e_coli", code)
    for one in designing.design(MODEL, task(protein), host, ONE_PASS, Constraints(gc_max=0.95))[:2]:
        inner = [one.dna[i : i + 3] for i in range(0, len(one.dna) - 3, 3)]
        assert never not in inner
        assert one.dna[-3:] in {"TGA", "TAA", "TAG"}


def test_constraints_hold_and_what_is_fixed_stays():
    protein = "MKNSEFRPGGLEDP" * 4
    with pytest.raises(UserError, match="GGN"):  # every glycine is GGN
        design(Constraints(forbidden_sites="EcoRI,GGN"), protein=protein)
    asked = Constraints(
        forbidden_sites=["EcoRI", "GGTCTC"], gc_min=0.3, gc_max=0.6, gc_window=60, max_homopolymer=4,
        unique_kmers=14, hairpin_stem=14, fixed_codons="3:AAC,4:TCA",
    )  # fmt: skip
    for one in design(asked, protein=protein)[:2]:
        assert lifecode.translate(one.dna) == protein
        assert not any(site in one.dna for site in ("GAATTC", "GGTCTC", "GAGACC"))
        assert not any(letter * 5 in one.dna for letter in "ACGT")
        windows = [one.dna[i : i + 60] for i in range(len(one.dna) - 59)]
        assert all(0.3 <= sum(letter in "GC" for letter in window) / 60 <= 0.6 for window in windows)
        kmers = [one.dna[i : i + 14] for i in range(len(one.dna) - 13)]
        assert len(set(kmers)) == len(kmers)
        assert one.dna[6:12] == "AACTCA"


def test_what_dnachisel_says_is_one_line_without_its_frames():
    wanted = r"cannot all be satisfied: AvoidPattern\[0-9\]\(pattern:ATG\) Failed. Pattern found at positions"
    with pytest.raises(UserError, match=wanted) as refused:
        design(Constraints(forbidden_sites="ATG"), protein="MKR", n=1)
    assert str(refused.value).isascii()


def test_the_search_leaves_numpys_generator_as_it_was():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    design(Constraints(forbidden_sites="ACC"), protein="MTTTTK", n=1)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"forbidden_sites": "EcoRY"}, "Did you mean .*EcoR"),
        ({"forbidden_sites": "Eco RI"}, "'Eco' is neither"),
        ({"forbidden_sites": ""}, None),
        ({"gc_min": 0.7, "gc_max": 0.3}, "no range"),
        ({"gc_max": 50.0}, "no range"),
        ({"max_homopolymer": 0}, "below 1"),
        ({"hairpin_stem": 6, "hairpin_window": 11}, "no room for two stems of 6"),
        ({"hairpin_stem": 6, "hairpin_window": 12, "forbidden_sites": ""}, None),
        ({"fixed_codons": "3=AAA"}, "no position with a codon"),
        ({"fixed_codons": "3:AAA,3:AAG"}, "names one again"),
    ],
)
def test_constraints_that_are_none(changes, said):
    if said is None:
        assert Constraints(**changes).sites == []
        return
    with pytest.raises(UserError, match=said):
        Constraints(**changes)


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        (Constraints, {"gc_min": "low"}),
        (Constraints, {"gc_min": 0.3, "gc_window": 20.5}),
        (Constraints, {"max_homopolymer": True}),
        (Constraints, {"forbidden_sites": [1]}),
        (Sampling, {"passes": 1.5}),
        (Sampling, {"temperature": "hot"}),
        (Sampling, {"start": "here"}),
    ],
)
def test_settings_of_another_type(settings, changes):
    with pytest.raises(UserError, match=rf"{list(changes)[-1]}: .*(expected|Choose draft, host, masked)"):
        settings(**changes)


@pytest.mark.parametrize(
    ("fixed", "said"), [("2:GAA", "GAA does not spell K"), ("99:AAA", "beyond the 25 codons")]
)
def test_fixed_codons_that_do_not_fit(fixed, said):
    with pytest.raises(UserError, match=said):
        design(Constraints(fixed_codons=fixed))
    assert fixed_codons("2:aaa, 40:cug") == {1: ids("AAA")[0], 39: ids("CTG")[0]}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("passes", 0),
        ("mask_fraction", 0.0),
        ("mask_fraction", 1.5),
        ("temperature", -1.0),
        ("host_weight", -0.1),
        ("best_of", 0),
        ("start", "mask"),
    ],
)
def test_sampling_that_is_none(key, value):
    with pytest.raises(UserError, match=key):
        Sampling(**{key: value})


@pytest.mark.parametrize(
    "dna", ["ATGAAATAA", "ATGAAGTGA", "ATGAA", "ATGAAATAN", "ATGAGATAA", "ATGAAAAAA", ""]
)
def test_what_does_not_translate_is_found(dna):
    if dna in ("ATGAAATAA", "ATGAAGTGA"):
        require_translates(dna, "MK*", 1, name="p|1")
        return
    with pytest.raises(UserError, match="does not translate"):
        require_translates(dna, "MK*", 1, name="p|1")


def test_a_fault_of_the_search_is_not_written(monkeypatch):
    monkeypatch.setattr(Constraints, "satisfied", lambda *_, **__: ids("ATG" * len(PROTEIN)))
    with pytest.raises(UserError, match="does not translate"):
        design()
