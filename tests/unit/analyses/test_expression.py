"""`kind=expression`: scores by hand, halves that keep families together, what is left out, the table."""

import numpy as np
import pytest

import lifecode
from lifecode.alphabet import CODONS
from lifecode.analyses import Expression
from lifecode.analyses.codon_scores import FORMULAS, counted_scores, expected_scores, read_references
from lifecode.analyses.expression import first_half
from lifecode.errors import UserError
from tests.support.small_models import small_model

ATG, AAA, AAG, CTG, CTT, TGG = (CODONS.index(codon) for codon in ("ATG", "AAA", "AAG", "CTG", "CTT", "TGG"))
SENSE = [codon for codon in CODONS if codon not in ("TAA", "TAG", "TGA")]


@pytest.fixture
def genome(tmp_path):
    """Ten ribosomal proteins that spell lysine AAA three times in four, twenty other genes once in four."""
    records = []
    for number in range(30):
        often, seldom = ("AAA", "AAG") if number < 10 else ("AAG", "AAA")
        name = f"rpsX{number}" if number < 10 else f"yaa{number}"
        body = "".join(np.random.default_rng(number).permutation([often] * 6 + [seldom] * 2 + ["CTG"] * 4))
        records.append(f">{name} [gene={name}]\nATG{body}{'TGG' * number}TAA\n")
    (tmp_path / "genome.fa").write_text("".join(records))
    return f"cds:{tmp_path / 'genome.fa'}"


@pytest.fixture
def table(tmp_path):
    lines = ["gene_id,abundance,constant,cds"]
    for number in range(26):
        cds = "".join(np.random.default_rng(number).choice(SENSE, size=12 + number % 5))
        lines.append(f"b{number},{number / 2},1,ATG{cds}TAA")
    lines += ["x1,3,1,ATGNAAAAATAA", "x2,3,1,ATGTAAAAATAA", "x3,3,1,ATGAA", "x4,NA,1,ATGAAATAA"]
    (tmp_path / "abundance.csv").write_text("\n".join(lines) + "\n")
    return str(tmp_path / "abundance.csv")


def test_scores_that_need_no_model_by_hand(genome):
    references = read_references(genome, "rp[lsm].+")
    gene = np.array([ATG, AAA, AAG, CTG])
    found = counted_scores(gene, references)
    # Ribosomal: AAA 6 of 8, so AAG is adapted 1/3; CTG is the only leucine there is.
    assert found["codon adaptation index"] == pytest.approx((1 / 3) ** (1 / 3))
    ribosomal, all_genes = references.ribosomal.frequencies, references.genome.frequencies
    ratio = np.log(ribosomal[[AAA, AAG, CTG]] / all_genes[[AAA, AAG, CTG]])
    assert found["ribosomal proteins against all genes"] == pytest.approx(ratio.mean())
    assert found["length, shorter first"] == -4
    shares = references.genome.shares  # AAA 60 + 40, AAG 20 + 120 of 240
    assert shares[AAA] == pytest.approx(100 / 240)


def test_scores_by_a_model_by_hand(genome):
    references = read_references(genome, "rp[lsm].+")
    gene = np.array([ATG, AAG, TGG])
    probability = np.full((3, 64), 0.1 / 60)
    probability[:, [AAA, AAG, CTG, TGG]] = [0.3, 0.1, 0.2, 0.3]
    whole = {"codon adaptation index": 0.5, "ribosomal proteins against all genes": 0.25}
    found = expected_scores(gene, np.log(probability), references, whole)
    assert found["its codons, residues known"] == pytest.approx(np.log(0.25))  # TGG has no synonym
    assert found["its codons"] == pytest.approx((np.log(0.1) + np.log(0.3)) / 2)
    expected = 0.75 * np.log(1) + 0.25 * np.log(1 / 3)
    assert found["expected adaptation"] == pytest.approx(expected)
    assert found["expected and own adaptation"] == pytest.approx(expected + np.log(0.5))
    ribosomal = (probability[0] * references.likeness).sum()
    assert found["expected ribosomal codons"] == pytest.approx(ribosomal)
    assert found["expected and own ribosomal codons"] == pytest.approx(ribosomal + 0.25)
    assert tuple(found) == FORMULAS


def test_a_gene_without_choice_scores_0(genome):
    references = read_references(genome, "rp[lsm].+")
    gene = np.array([ATG, TGG])
    found = expected_scores(
        gene, np.log(np.full((2, 64), 1 / 64)), references, counted_scores(gene, references)
    )
    assert found["its codons, residues known"] == found["expected adaptation"] == 0
    assert found["expected and own adaptation"] == 0


def test_halves_are_even_and_keep_groups_together():
    group = np.array([0, 1, 2, 0, 3, 1, 4, 5, 0, 0])
    first = first_half(group, seed=1)
    assert all(len(set(first[group == number].tolist())) == 1 for number in range(6))
    assert 4 <= first.sum() <= 6
    assert (first_half(group, 1) == first).all()
    assert any((first_half(group, seed) != first).any() for seed in range(2, 6))


def test_one_formula_is_asked_about_the_other_half(genome, table):
    model = small_model().eval()
    found = lifecode.analyse(Expression(genome=genome, value="abundance"), table, [model], progress=False)
    frame = found.frame
    of_model = frame[frame["model"] == "model 1"]
    assert list(of_model["formula"]) == list(FORMULAS)
    asked = of_model[of_model["asked once"].notna()]
    assert len(asked) == 1
    assert asked["chosen on"].item() == of_model["chosen on"].max()
    assert (frame["genes chosen on"] + frame["genes asked"] == 25).all()  # one of 0 is not measured
    length = frame[frame["model"] == "length, shorter first"]
    assert length[["chosen on", "asked once"]].notna().all(axis=None)
    assert found.notes == [
        "left out: 2 (an ambiguous codon or a stop inside)",
        "left out: 1 (no codons, or no whole ones)",
        "left out: 2 (no value above 0)",
    ]


def test_the_half_that_is_asked_has_no_say_in_the_choice(genome, table, tmp_path):
    model = small_model().eval()
    kind = Expression(genome=genome, value="abundance")
    before = lifecode.analyse(kind, table, [model], progress=False, untrained=False).frame
    lines = (tmp_path / "abundance.csv").read_text().splitlines()
    asked = np.flatnonzero(~first_half(np.arange(25), 0))  # no two genes are of one family
    for place in asked.tolist():
        name, _, *rest = lines[2 + place].split(",")
        lines[2 + place] = ",".join([name, str(1000 - place), *rest])
    (tmp_path / "abundance.csv").write_text("\n".join(lines) + "\n")
    after = lifecode.analyse(kind, table, [model], progress=False, untrained=False).frame
    assert before["chosen on"].tolist() == after["chosen on"].tolist()
    assert before["asked once"].isna().tolist() == after["asked once"].isna().tolist()
    assert before["asked once"].tolist() != after["asked once"].tolist()


def test_variants_of_one_protein_have_no_two_halves(genome, tmp_path):
    path = tmp_path / "variants.csv"
    path.write_text(
        "cds,value\n" + "".join(f"ATGAAACTGAA{x}TGGTAA,{i}\n" for i, x in enumerate("AG" * 12, 1))
    )
    with pytest.raises(UserError, match=r"give no two halves .* Give genes of more families"):
        lifecode.analyse(Expression(genome=genome), str(path), [small_model().eval()], progress=False)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"reference": "rib.+"}, r"names 0 genes that match 'rib\.\+'\. .*kind\.reference"),
        ({"value": "gene_id"}, r"row 1: 'b0' in column 'gene_id' is no number"),
        ({"above": 100}, r"holds 0 genes with a value"),
        ({"above": None, "value": "constant"}, "give no two halves of several values"),
    ],
)
def test_what_cannot_be_measured_is_one_error(genome, table, settings, problem):
    with pytest.raises(UserError, match=problem):
        lifecode.analyse(
            Expression(**({"genome": genome, "value": "abundance"} | settings)),
            table,
            [small_model()],
            progress=False,
        )


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"stride": 1}, "stride"), ({"similarity": 0}, "similarity"), ({"reference": "("}, "reference")],
)
def test_a_setting_that_does_not_fit(settings, key):
    with pytest.raises(UserError, match=rf"kind\.{key}"):
        Expression(**settings)


def test_columns_are_asked_for_by_the_keys_of_the_kind(genome, tmp_path):
    path = tmp_path / "two.csv"
    path.write_text("gene_id,first,second,cds\nb0,1,2,ATGAAATAA\n")
    with pytest.raises(UserError, match=r"several columns could be the label: .*Name it: kind\.value="):
        lifecode.analyse(Expression(genome=genome), str(path), [small_model()], progress=False)
