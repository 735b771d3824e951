"""Names of mutants as scans of many origins write them."""

import pytest

from lifecode.variants.reading.mutant_names import NO_RESIDUE, mutations_of, name_of

ONE, TWO = [("A", 3, "G")], [("A", 3, "G"), ("K", 2, "R")]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["A3G", "a3g", "p.Ala3Gly", "p.(Ala3Gly)", "ALA3GLY", "p.ala3gly", " A3G ", "A3G:"], ONE),
        (["NP_000050.3:p.Ala3Gly", "BRCA2:p.(Ala3Gly)"], ONE),
        (["A3G:K2R", "A3G,K2R", "A3G_K2R", "A3G-K2R", "A3G|K2R", "p.[Ala3Gly;Lys2Arg]"], TWO),
        (["A3G:p.Lys2Arg", "Ala3Gly_Lys2Arg", "A3G K2R"], TWO),
        (["A3*", "p.Ala3Ter", "p.Ala3*", "A3stop"], [("A", 3, "*")]),
        (["A3=", "p.Ala3=", "p.(Ala3=)"], [("A", 3, "A")]),
        (["p.Ala3Xaa", "A3X"], [("A", 3, "X")]),
        (["A-3G", "p.Ala-3Gly"], [("A", -3, "G")]),
        (["A3del", "A3-", "p.Ala3_Lys5del", "A3_K4insGG", "A3_W4ins(5)", "p.Ala3fs"], [("A", 3, NO_RESIDUE)]),
        (["p.Ala3GlyfsTer5", "p.Ala3delinsGlyVal", "p.Ala3?"], [("A", 3, NO_RESIDUE)]),
        (["p.Met1ext-5", "p.Met1?"], [("M", 1, NO_RESIDUE)]),
        (["WT", "_wt", "_sy", "p.=", "wild type"], []),
        (["", "NA", "nan", "p.?", "p.0"], None),
    ],
)
def test_names_and_what_they_mean(names, expected):
    for name in names:
        assert mutations_of(name) == expected, name


@pytest.mark.parametrize("name", ["2KE", "c.8C>G", "A3GG", "TEM1_A3G", ":", "A3G and K2R", "A3G;foo"])
def test_what_is_no_name_of_a_mutant(name):
    with pytest.raises(ValueError):
        mutations_of(name)


def test_a_name_is_written_as_it_is_read():
    assert name_of(mutations_of("p.[Ala3Gly;Lys2Ter]") or []) == "A3G:K2*"
    assert name_of([]) == "WT"
