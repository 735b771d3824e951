"""Mutational scans: rows against the wild type, residues as sums over codons."""

import numpy as np
import pandas
import pytest
import torch
from Bio import SeqIO
from Bio.Seq import Seq
from Bio.SeqFeature import SeqFeature, SimpleLocation
from Bio.SeqRecord import SeqRecord

import lifecode
from lifecode.alphabet import AMINO_ACIDS, CODONS, encode_nucleotides
from lifecode.data.formats.proteins import CodonUsage
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code
from lifecode.variants.asking import Scoring
from lifecode.variants.heat_map import relative_scores
from lifecode.variants.reading.scan_files import Substitution, read_scan, scan_of, scan_of_columns
from lifecode.variants.scans import scan_scores, whole_scan
from lifecode.variants.wild_type import WildType, residue_log_p, scan_reader
from tests.support.small_models import small_model

MODEL = small_model(hybrid_ratio="1:1").eval()
PROTEIN, CDS = "MKAWPKT", "ATGAAAGCTTGGCCAAAAACGTAA"
USAGE = CodonUsage("e_coli", "frequent", 0, 1)


def wild_type(method: str = "masked") -> WildType:
    return WildType(encode_nucleotides(CDS), scan_reader(MODEL, method), USAGE, PROTEIN)


def of(log_p: torch.Tensor, residue: str) -> torch.Tensor:
    own = [i for i in range(64) if genetic_code(1).residues[i] == AMINO_ACIDS.index(residue)]
    return torch.logsumexp(log_p[own].double(), 0)


def test_a_residue_is_the_sum_of_its_codons():
    found = lifecode.score_scan(MODEL, ["A3L", "WT"], protein=PROTEIN, cds=CDS, progress=False)
    log_p = MODEL.masked_logits([CDS])[0][2]
    assert found.frame["score"][0] == pytest.approx(float(of(log_p, "L") - of(log_p, "A")), abs=1e-5)
    assert found.frame["score"][1] == 0
    assert found.frame["status"].tolist() == ["scored", "wild_type"]
    assert found.notes == []


def test_several_mutations_are_masked_together():
    pair = lifecode.score_scan(MODEL, ["K2E:P5A"], protein=PROTEIN, cds=CDS, progress=False).frame["score"][0]
    single = lifecode.score_scan(MODEL, ["K2E", "P5A"], protein=PROTEIN, cds=CDS, progress=False)
    assert pair != pytest.approx(single.frame["score"].sum(), abs=1e-6)
    unmasked = Scoring(method="unmasked")
    both = lifecode.score_scan(
        MODEL, ["K2E:P5A", "K2E", "P5A"], protein=PROTEIN, cds=CDS, scoring=unmasked, progress=False
    ).frame["score"]
    assert both[0] == pytest.approx(both[1] + both[2], abs=1e-6)


@pytest.mark.parametrize("method", ["masked", "wild_type", "pseudo_likelihood:8"])
def test_without_a_cds_it_is_drawn_some_times_and_said(method):
    asked = {"scoring": Scoring(method=method), "progress": False}
    found = lifecode.score_scan(MODEL, ["A3L", "K2E:P5A"], protein=PROTEIN, codon_draws=3, seed=2, **asked)
    told = "in codons drawn by the usage of e_coli, mean of 3, seed 2"
    assert found.notes == [f"no CDS was given: the protein is read {told}"]
    assert found.frame["context"][0] == f"codons 1-8 of 8, {told}"
    single = [
        lifecode.score_scan(MODEL, ["A3L", "K2E:P5A"], protein=PROTEIN, codon_draws=1, seed=seed, **asked)
        for seed in (6, 7, 8)
    ]
    alone = np.array([one.frame["score"] for one in single])
    assert len(np.unique(alone[:, 0])) == 3
    np.testing.assert_allclose(found.frame["score"], alone.mean(0), atol=1e-5)
    if method != "pseudo_likelihood:8":
        cds = lifecode.reverse_translate(PROTEIN + "*", codon_choice="sampled", seed=6)
        same = lifecode.score_scan(MODEL, ["A3L", "K2E:P5A"], cds=cds, **asked)
        np.testing.assert_allclose(alone[0], same.frame["score"], atol=1e-6)


def test_a_protein_in_the_commonest_codons():
    asked = {"codon_choice": "frequent", "progress": False}
    found = lifecode.score_scan(MODEL, ["A3L"], protein=PROTEIN, **asked)
    assert found.notes == ["no CDS was given: the protein is read in the commonest codons of e_coli"]
    cds = lifecode.reverse_translate(PROTEIN + "*")
    same = lifecode.score_scan(MODEL, ["A3L"], cds=cds, progress=False)
    assert same.frame["score"][0] == found.frame["score"][0]
    assert same.frame["context"][0] == "codons 1-8 of 8"
    with pytest.raises(UserError, match="codon_draws: is less than 1"):
        lifecode.score_scan(MODEL, ["A3L"], protein=PROTEIN, codon_draws=0)


def test_files_of_either_kind(tmp_path):
    (tmp_path / "gym.csv").write_text("mutant,mutated_sequence,DMS_score\nK2E:P5A,MEAWAKT,0.1\n")
    (tmp_path / "esm.csv").write_text(",mutant,2500\n0,K25E,0.3\n")
    assert read_scan(tmp_path / "gym.csv", PROTEIN).mutants == [
        (Substitution(1, "K", "E"), Substitution(4, "P", "A"))
    ]
    assert read_scan(tmp_path / "esm.csv", PROTEIN, offset=24).mutants == [(Substitution(1, "K", "E"),)]


@pytest.mark.parametrize(
    "name",
    ["K2del", "k2del", "K2_W4del", "A3_W4insGG", "p.Ala3ProfsTer5", "p.(Lys2_Trp4delinsGly)", "p.Met1?"],
)
def test_what_is_no_substitution_is_a_row_without_a_score(name):
    wild = wild_type()
    scan = scan_of([name, "K2=", "K2K", "p.(=)", "_sy"], PROTEIN)
    table = scan_scores(scan, [wild], Scoring(), "")
    status = table.column("status").to_pylist()
    assert status == ["not_substitutions", "scored", "scored", "wild_type", "wild_type"]
    assert table.column("score").to_pylist() == [None, 0, 0, 0, 0]
    with pytest.raises(UserError, match="does not fit the wild type, which has M1"):
        scan_of(["G1del"], PROTEIN)


def test_files_of_other_origins(tmp_path):
    files = {
        "semicolons.csv": "Variants;score\nK2E;0,5\n\nWT;1\n",
        "mavedb.csv": "accession,hgvs_nt,hgvs_pro,score\nurn:1,c.4A>G,p.Lys2Glu,1\nurn:2,NA,NA,2\n",
        "broken_lines.csv": 'note,mutant\n"a\nb",K2E\nc,p.Ter8Trp\n',
        "sequences.csv": "mutated_sequence,DMS_score\nmeawpkt,1\nMKAWPK,2\nMKAWPKT*,3\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    pandas.DataFrame({"mutant": ["K2E"], "x": [1.0]}).to_parquet(tmp_path / "table.parquet")
    found = {name: read_scan(tmp_path / name, PROTEIN) for name in [*files, "table.parquet"]}
    one, nothing = (Substitution(1, "K", "E"),), (Substitution(0, "M", "-"),)
    assert {scan.mutants[0] for scan in found.values()} == {one}
    assert found["semicolons.csv"].mutants[1] == ()
    assert found["semicolons.csv"].lines == [2, 4]
    assert found["mavedb.csv"].mutants[1] == nothing
    assert found["broken_lines.csv"].lines == [3, 4]
    assert found["broken_lines.csv"].mutants[1] == (Substitution(7, "*", "-"),)
    assert found["sequences.csv"].mutants[1:] == [nothing, ()]
    assert found["sequences.csv"].names == ["K2E", "NA", "WT"]
    status = scan_scores(found["sequences.csv"], [wild_type()], Scoring(), "").column("status").to_pylist()
    assert status == ["scored", "not_substitutions", "wild_type"]
    (tmp_path / "other.csv").write_text("mutated_sequence\nMKAWPKT\nGGGGGGG\n")
    with pytest.raises(UserError, match="line 3: mutated_sequence has 0 of 7 residues of the wild type"):
        read_scan(tmp_path / "other.csv", PROTEIN)
    (tmp_path / "book.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(UserError, match="perhaps an Excel workbook"):
        read_scan(tmp_path / "book.xlsx", PROTEIN)
    assert scan_of_columns({"Mutation": ["K2E"]}, PROTEIN).mutants == [one]


def test_the_cds_of_an_annotated_file(tmp_path):
    other = "ATGTGGAAATAA"
    whole = Seq("CCC") + Seq(CDS).reverse_complement() + Seq("TT" + other)
    features = [
        SeqFeature(SimpleLocation(*place), type="CDS", qualifiers={"translation": [protein]})
        for place, protein in (((3, 27, -1), PROTEIN), ((29, 41, 1), "MWK"))
    ]
    record = SeqRecord(
        whole, id="plasmid", name="plasmid", annotations={"molecule_type": "DNA"}, features=features
    )
    SeqIO.write(record, tmp_path / "plasmid.gb", "genbank")
    given = {"cds": tmp_path / "plasmid.gb", "progress": False}
    found = lifecode.score_scan(MODEL, ["A3L"], protein=PROTEIN, **given)
    assert found.notes == []
    assert found.frame["context"][0] == "codons 1-8 of 8"
    same = lifecode.score_scan(MODEL, ["A3L"], cds=CDS, progress=False)
    assert found.frame["score"][0] == same.frame["score"][0]
    for protein, number in ((None, 2), ("MK", 0)):
        with pytest.raises(UserError, match=f"has {number} records"):
            lifecode.score_scan(MODEL, ["M1L"], protein=protein, **given)
    for name in ("protein", "cds"):
        (tmp_path / "letters").write_text("MKAW\nPKT\n" if name == "protein" else f">p\n{PROTEIN * 3}\n")
        with pytest.raises(UserError, match=r"begins with .MKAW., not with >|is a protein, and its coding"):
            lifecode.score_scan(MODEL, ["A3L"], **{name: tmp_path / "letters"}, progress=False)
    with pytest.raises(UserError, match="no scores without a model"):
        lifecode.score_scan(None, ["A3L"], protein=PROTEIN, progress=False)


def test_a_row_that_is_cut_off_is_named(tmp_path):
    (tmp_path / "cut.csv").write_text("score,mutant\n1,K2E\n\n2\n")
    with pytest.raises(UserError, match="line 4: the row has 1 columns"):
        read_scan(tmp_path / "cut.csv", PROTEIN)
    (tmp_path / "quote.csv").write_text('mutant,note\nK2E,"not closed\nA3L,b\n')
    with pytest.raises(UserError, match="line 3: cannot be divided into columns"):
        read_scan(tmp_path / "quote.csv", PROTEIN)


def test_letters_of_a_wild_type_that_are_no_residue(tmp_path):
    (tmp_path / "gap.fa").write_text(">gap\nMK-AW\n")
    with pytest.raises(UserError, match="letter '-' at position 3 is not an amino acid"):
        lifecode.score_scan(MODEL, ["K2E"], protein=tmp_path / "gap.fa", progress=False)
    asked = {"scoring": Scoring(method="pseudo_likelihood:2"), "progress": False}
    mutants = pandas.DataFrame({"mutant": ["K2E"]}, index=[7])
    for given in (mutants, mutants["mutant"]):
        found = lifecode.score_scan(MODEL, given, protein="XKUW", **asked).frame
        assert found["status"].tolist() == ["scored"]
    lifecode.score_scan(MODEL, ["K2E"], protein="MKUW", cds="ATGAAATGATGGTAA", progress=False)


@pytest.mark.parametrize(
    ("names", "offset", "message"),
    [
        (["K2E", "K4E"], 1, "line 2: K4E does not fit the wild type, which has W4"),
        (["K25E"], 1, "nothing at 25 .7 residues from 1 on.; with offset=20 or 24 every row would fit"),
        (["A4L", "K25E", "W27F"], 2, "which has nothing at 25 .7 residues from 2 on.. Give"),
        (["W27F", "p.Lys25Glu", "*31R"], 1, "W27F does not .*; with offset=24 every row would fit"),
        (["2KE"], 1, "'2KE' is no substitution"),
        ([], 1, "has no mutant"),
    ],
)
def test_a_row_that_does_not_fit_is_named(names, offset, message):
    with pytest.raises(UserError, match=message):
        scan_of(names, PROTEIN, offset)


@pytest.mark.parametrize(
    ("cds", "message"),
    [
        ("ATGAAAGCTTGGCCAAAAAGGTAA", "residue 7 is R, not T"),
        ("ATGAAAGCTTGG", "it has 12 nucleotides for 7 residues"),
    ],
)
def test_a_cds_of_another_protein_is_refused(cds, message):
    with pytest.raises(UserError, match=message):
        lifecode.score_scan(MODEL, ["A3L"], protein=PROTEIN, cds=cds, progress=False)


def test_other_faults(tmp_path):
    with pytest.raises(UserError, match="needs its wild type"):
        lifecode.score_scan(MODEL, ["A3L"], progress=False)
    (tmp_path / "two.fa").write_text(">a\nMK\n>b\nMK\n")
    with pytest.raises(UserError, match="has 2 records"):
        lifecode.score_scan(MODEL, ["K2L"], protein=tmp_path / "two.fa", progress=False)
    (tmp_path / "scan.csv").write_text("name\nK2L\n")
    with pytest.raises(UserError, match="no column of it is called mutant"):
        read_scan(tmp_path / "scan.csv", PROTEIN)


def test_the_heat_map_shows_the_scores(tmp_path):
    mutants = [f"A3{residue}" for residue in "LKV"]
    found = lifecode.score_scan(
        MODEL, mutants, protein=PROTEIN, cds=CDS, heat_map=tmp_path / "new" / "map.png", progress=False
    )
    assert (tmp_path / "new" / "map.png").read_bytes().startswith(b"\x89PNG")
    wild = wild_type()
    (log_p,) = whole_scan([wild], Scoring())
    residues, codons = relative_scores(wild, log_p)
    own = [residues[2, AMINO_ACIDS.index(residue)] for residue in "LKV"]
    np.testing.assert_allclose(own, found.frame["score"], atol=1e-5)
    assert codons[2, CODONS.index("GCT")] == 0
    np.testing.assert_allclose(np.exp(residue_log_p(log_p, genetic_code(1))).sum(1), 1, atol=1e-5)


def test_the_heat_map_asks_nothing_again_and_leaves_nothing_of_a_failure(tmp_path, monkeypatch):
    reader = scan_reader(MODEL, "masked")
    ask, asked = type(reader).log_probabilities, []

    def counted(self, ids, masked, read):
        asked.extend(map(tuple, masked))
        return ask(self, ids, masked, read)

    monkeypatch.setattr(type(reader), "log_probabilities", counted)
    draw = "lifecode.verbs.score.scan.draw_heat_map"
    monkeypatch.setattr(draw, lambda path, *_: path.write_bytes(b"drawn"))
    given = {"protein": PROTEIN, "cds": CDS, "heat_map": tmp_path / "m.png", "progress": False}
    given["output"] = tmp_path / "s.tsv"

    def full(*_):
        raise UserError("no room")

    with monkeypatch.context() as patch:
        patch.setattr("lifecode.verbs.score.scan.write_table", full)
        with pytest.raises(UserError, match="no room"):
            lifecode.score_scan(MODEL, ["K2L", "A3L", "K2L:A3L"], **given)
    assert sorted(asked) == sorted([*((i,) for i in range(len(CDS) // 3)), (1, 2)])
    assert not (tmp_path / "m.png").exists()
    lifecode.score_scan(MODEL, ["K2L", "A3L", "K2L:A3L"], **given)
    assert len(asked) == len(CDS) // 3 + 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.png", "s.tsv"]


def test_an_alternative_start_codon_is_read_as_m_everywhere():
    cds = "GTGAAAGCTTGGCCAAAAACGTAA"
    usage = CodonUsage("e_coli", "frequent", 0, 11)
    wild = WildType(encode_nucleotides(cds), scan_reader(MODEL, "masked"), usage, PROTEIN)
    assert wild.residues_of(wild.ids)[0] == AMINO_ACIDS.index("M")
    assert wild.residues_of(wild.ids[3:], from_start=False)[0] == AMINO_ACIDS.index("K")
    (log_p,) = whole_scan([wild], Scoring())
    assert relative_scores(wild, log_p)[0][0, AMINO_ACIDS.index("M")] == 0
    asked = {
        "cds": cds,
        "genetic_code": 11,
        "scoring": Scoring(method="pseudo_likelihood"),
        "progress": False,
    }
    table = lifecode.score_scan(MODEL, ["M1V", "M1L"], protein=PROTEIN, **asked).frame
    assert table["status"].tolist() == ["no_such_residue", "scored"]


def test_places_farther_apart_than_a_model_reads_have_no_score(monkeypatch):
    reader = scan_reader(MODEL, "masked")
    monkeypatch.setattr(type(reader), "longest", 4)
    wild = WildType(encode_nucleotides(CDS), reader, USAGE, PROTEIN)
    scan = scan_of(["K2R:W4F", "K2R:T7S"], PROTEIN, 1)
    status = scan_scores(scan, [wild], Scoring(), "").column("status").to_pylist()
    assert status == ["scored", "too_far_apart"]
