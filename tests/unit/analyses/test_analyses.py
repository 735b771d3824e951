"""`lifecode analyse`: each kind on small genes, its figures by hand, and what a user types."""

import json

import numpy as np
import pytest
import torch

import lifecode
from lifecode.alphabet import CODONS, decode_nucleotides
from lifecode.analyses import (
    CodonUsageMap,
    Convergence,
    EmbeddingMap,
    PseudogeneRepair,
    SynonymousChanges,
)
from lifecode.analyses.codon_usage import agreement, species_names
from lifecode.analyses.convergence import cosines, found_among
from lifecode.analyses.embedding import clustering_metrics, principal_components, t_sne
from lifecode.analyses.genes import read_genes
from lifecode.analyses.pseudogene import aligned, commonest, filled_in, partner
from lifecode.analyses.synonymous import changed, not_third, told_apart, transversions
from lifecode.app.main import main
from lifecode.data.translation import translate
from lifecode.design.masked_codons import masked_log_probabilities
from lifecode.errors import UserError
from lifecode.models.luca_one.vocabulary import MASK, TOKENS
from tests.support.small_models import small_luca_one, small_model

LUCA, CODE = small_luca_one(heads={}), small_model().eval()
SENSE = [codon for codon in CODONS if codon not in ("TAA", "TAG", "TGA")]


def gene_of(draw, size):
    return "ATG" + "".join(draw.choice(SENSE, size=size)) + "TAA"


@pytest.fixture(scope="module")
def genes(tmp_path_factory):
    """Two files of coding sequences."""
    folder = tmp_path_factory.mktemp("genes")
    draw = np.random.default_rng(0)
    for name in ("one", "two"):
        records = [f">{name}{i}\n{gene_of(draw, 10 + i)}\n" for i in range(8)]
        (folder / f"{name}.fa").write_text("".join(records))
    return folder


def test_genes_are_verified_and_lose_their_stop(genes):
    path = genes / "odd.fa"
    text = "ATGAAACGCTTTGGGTAA"
    path.write_text(f">a\n{text}\n>again\n{text}\n>broken\nATGTAAAAACCCTGGTAA\n>short\nATGAAATAA\n")
    found, notes = read_genes(f"cds:{path}", most=9, min_codons=3, max_codons=9, seed=0)
    assert [decode_nucleotides(gene.nucleotides) for gene in found] == [text[:-3]]
    assert bytes(found[0].protein) == b"MKRFG"
    assert [CODONS[i] for i in found[0].codons] == ["ATG", "AAA", "CGC", "TTT", "GGG"]
    assert {note.partition("(")[2] for note in notes} == {
        "a protein that another gene has)",
        "no exact pair of a CDS and its protein)",
        "not of 3 to 9 codons)",
    }
    too_long = (
        r"holds no coding sequence that can be asked about; .*; left out: \d \(not of 30 to 90 codons\)"
    )
    with pytest.raises(UserError, match=too_long):
        read_genes(f"cds:{path}", most=9, min_codons=30, max_codons=90, seed=0)


@pytest.mark.parametrize("alike", ["place", "class"])
def test_changes_are_of_one_nucleotide_and_do_what_they_say(genes, alike):
    found, _ = read_genes(f"cds:{genes}/one.fa", most=8, min_codons=2, max_codons=90, seed=0)
    changes = [change for gene in found if (change := changed(gene, 0.5, alike, 1)) is not None]
    assert len(changes) > 5
    for change in changes:
        before = decode_nucleotides(change.gene.nucleotides)
        same, other = (
            decode_nucleotides(change.replaced(codons)) for codons in (change.synonymous, change.others)
        )
        assert translate(same) == translate(before)
        assert translate(other)[0] == "M"
        assert "*" not in translate(other)
        for after, spelled in ((same, 0), (other, len(change.places))):
            at = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
            assert len(at) == len(change.places)
            assert sum(a != b for a, b in zip(translate(before), translate(after), strict=True)) == spelled
            if alike == "place":
                assert all(i % 3 == 2 for i in at)
            else:
                assert all({before[i], after[i]} in ({"A", "G"}, {"C", "T"}) for i in at)
    assert (transversions(changes)[1].max() > 0) == (alike == "place")
    assert (not_third(changes)[1].max() > 0) == (alike == "class")


def test_what_is_told_apart_by_hand():
    assert told_apart(np.array([0.0, 1.0]), np.array([0.5, 1.0])) == (0.625, 0.75)
    area, first, rank = found_among(np.array([[3.0, 1.0, 2.0], [1.0, 0.0, 2.0], [0.0, 0.0, 0.0]]))
    assert first == pytest.approx((1 + 0 + 1 / 3) / 3)
    assert rank == 2.0
    diagonal, others = [3, 0, 0], [1, 2, 1, 2, 0, 0]
    wins = [(own > other) + 0.5 * (own == other) for own in diagonal for other in others]
    assert area == pytest.approx(np.mean(wins))


def test_cosines_do_not_see_shift_and_scale():
    table = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    alike = cosines(table, 7 - 0 * table + 2 * table)
    np.testing.assert_allclose(np.diag(alike), 1, atol=1e-5)
    np.testing.assert_allclose(alike, alike.T, atol=1e-5)


def test_masked_codons_of_letters_are_those_of_the_language_head():
    codons = np.array([CODONS.index(codon) for codon in ("ATG", "AAA", "CGC")])
    masked = np.array([codons[0], -1, codons[2]])
    (found,) = masked_log_probabilities(LUCA, [masked], [np.array([1])])
    np.testing.assert_allclose(np.logaddexp.reduce(found[0]), 0, atol=1e-6)
    ids = [
        2,
        *(TOKENS.index({"A": "1", "T": "2", "C": "3", "G": "4"}[x]) for x in "ATGNNNCGC".replace("N", "A")),
        3,
    ]
    ids[4:7] = [MASK] * 3
    states = LUCA(torch.tensor(ids), torch.zeros(len(ids), dtype=torch.int), torch.tensor([0, len(ids)]))
    logits = LUCA.language_logits(states)[4:7, [5, 7, 8, 6]].log_softmax(-1).double().detach().numpy()
    wanted = [
        logits[0, "ACGT".index(c[0])] + logits[1, "ACGT".index(c[1])] + logits[2, "ACGT".index(c[2])]
        for c in CODONS
    ]
    np.testing.assert_allclose(found[0], wanted, atol=1e-5)
    with pytest.raises(UserError, match=r"genes have 9 nucleotides, and the model reads 6"):
        masked_log_probabilities(small_luca_one(heads={}, max_tokens=8), [codons], [np.array([1])])


def test_clusters_that_lie_apart_are_found():
    draw = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 20)
    vectors = (10 * np.eye(4)[labels] + draw.normal(size=(60, 4))).astype(np.float32)
    points = principal_components(vectors, 3)
    silhouette, _, _, information, rand = clustering_metrics(points, labels, 0)
    assert silhouette > 0.5
    assert (information, rand) == (pytest.approx(1), 1)
    shuffled = clustering_metrics(points, draw.permutation(labels), 0)
    assert shuffled[0] < 0.1
    assert abs(shuffled[4]) < 0.1
    assert not t_sne(np.zeros((5, 2)), 0).any()


def test_agreement_by_hand():
    observed, equal = np.zeros(64), np.zeros(64)
    for group in (["AAA", "AAG"], ["TTT", "TTC"]):
        for codon, share in zip(group, (0.75, 0.25), strict=True):
            observed[CODONS.index(codon)], equal[CODONS.index(codon)] = share, 0.5
    observed[observed == 0] = np.nan
    assert agreement(observed, observed, 11) == (pytest.approx(1), 0)
    assert agreement(np.where(np.isnan(observed), np.nan, equal), observed, 11) == (None, 0.25)
    assert agreement(observed, np.full(64, np.nan), 11) == (None, None)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("ecoli", "ecoli"),
        ("flies/D.melanogaster.1pct.fa.gz", "D.melanogaster.1pct"),
        ("D.melanogaster.1pct.gff.gz+D.melanogaster.1pct.fa.gz", "D.melanogaster.1pct"),
        ("cds:bac_Bacillus_subtilis_168.cds.fa.gz", "bac_Bacillus_subtilis_168"),
        ("GCF_000005845.2_ASM584v2_genomic.gbff.gz", "GCF_000005845.2_ASM584v2"),
        ("GCF_000005845.2_ASM584v2_cds_from_genomic.fna.gz", "GCF_000005845.2_ASM584v2"),
        ("Drosophila_melanogaster.BDGP6.46.cds.all.fa.gz", "Drosophila_melanogaster.BDGP6.46"),
        ("NC_000913.3.GB", "NC_000913.3"),
        ("mm10.v2", "mm10.v2"),
        (".fa", ".fa"),
    ],
)
def test_a_species_has_the_name_of_its_file(file, name):
    assert species_names([file]) == [name]


def test_no_two_species_have_one_name():
    assert species_names(["a/x.fa.gz", "cds:b/x.fa", "y.gb"]) == ["x 1", "x 2", "y"]
    assert species_names(["D.simulans.fa", "D.yakuba.fa"]) == ["D.simulans", "D.yakuba"]
    assert species_names(["x.fa", "x 1.fa", "x.gb"]) == ["x 2", "x 1", "x 3"]
    assert species_names(["x.fa", "x.fa"]) == ["x 1", "x 2"]


def test_alignments_in_the_frame_of_the_gene():
    pair = aligned("ATGA--GTTC", "ATG-CCATTT", 99)
    assert decode_nucleotides(pair.gene) == "ATGCCATTT"
    assert decode_nucleotides(pair.pseudogene) == "ATGNNGTTC"
    assert pair.places.tolist() == [5, 8]
    assert partner([pair]).tolist() == [0, 3]
    assert commonest([pair]).tolist() == [0, 0]  # G, A and T stand third once each
    assert len(aligned("ATGA--GTTC", "ATG-CCATTT", 6).gene) == 6

    def read(sequences, at):
        for codons, places in zip(sequences, at, strict=True):
            assert (codons[places] == -1).all()
        table = np.full(64, -50.0)
        table[CODONS.index("CCA")] = 0.0
        return [np.tile(table, (len(places), 1)) for places in at]

    found = filled_in(read, [pair], [pair.pseudogene])
    assert found.argmax(1).tolist() == [0, 0]  # the third letter of CCA at both places


@pytest.fixture(scope="module")
def labelled(genes):
    draw = np.random.default_rng(2)
    rows = ["".join(draw.choice(list("ACGT" if i % 2 else "AT"), size=30)) for i in range(16)]
    path = genes / "labelled.csv"
    path.write_text(
        "sequence,kind\n" + "".join(f"{text},{'gc' if i % 2 else 'at'}\n" for i, text in enumerate(rows))
    )
    table = genes / "alignments.csv"
    table.write_text("seq_a_aligned,seq_b_aligned\nATGAAACGTTTC,ATGACACG-TTT\nATGAAACGT,ATGAAACGT\n")
    return {"labelled": str(path), "alignments": str(table)}


KINDS = [
    (EmbeddingMap(label="kind"), "labelled", 5),
    (SynonymousChanges(genes=6, min_codons=2), "genes", 11),
    (CodonUsageMap(genes=3, min_codons=2), "both", 12),
    (Convergence(genes=6, min_codons=3), "genes", 5),
    (PseudogeneRepair(), "alignments", 6),
]


@pytest.mark.parametrize(("kind", "source", "num_rows"), KINDS)
def test_every_kind_for_both_families(genes, labelled, kind, source, num_rows):
    given = {
        "genes": f"cds:{genes}/one.fa",
        "both": [f"cds:{genes}/one.fa", f"cds:{genes}/two.fa"],
        **labelled,
    }
    found = lifecode.analyse(kind, given[source], [CODE, LUCA], progress=False)
    again = lifecode.analyse(kind, given[source], [CODE, LUCA], progress=False)
    assert found.rows == again.rows
    assert len(found.frame) == num_rows
    names = [str(row[0]) for row in found.rows]
    for name in ("model 1", "untrained model 1", "model 2", "untrained model 2"):
        assert name in names


def test_what_a_user_types(genes, labelled, tmp_path, capsys):
    CODE.save_pretrained(tmp_path / "code")
    given = (f"input={labelled['labelled']}", f"checkpoints=[{tmp_path}/code]", "kind.label=kind")
    assert main(["analyse", "kind=embedding", *given, f"run_dir={tmp_path}/run", "untrained=false"]) == 0
    said = capsys.readouterr().out
    assert "16 sequences of 2 classes (dna)" in said
    described = json.loads((tmp_path / "run/analysis.json").read_text())
    assert [row["model"] for row in described["rows"]] == [f"{tmp_path}/code", "multi-hot"]
    assert (tmp_path / "run/table.csv").read_text().startswith("model,silhouette,")
    assert "How to read this" in (tmp_path / "run/report.html").read_text()
    assert (tmp_path / "run/figures/plot.png").stat().st_size > 1000
    assert main(["analyse", "kind=embedding", *given, f"run_dir={tmp_path}/run"]) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (
            EmbeddingMap(),
            "sequence,label\nACGTACG,1.5\nACGAACG,2.5\nACGCACG,3.25\n",
            "kind.label: the labels are regression",
        ),
        (
            EmbeddingMap(),
            "sequence,label\nACGTACG,a\nACGAACG,a\nACGCACG,b\n",
            "a class has one sequence alone",
        ),
        (PseudogeneRepair(), "seq_a_aligned,seq_b_aligned\nACGT,ACG\n", "in row 1: 4 and 3 columns are no"),
        (PseudogeneRepair(), "a,b\nACGT,ACG\n", "has no column 'seq_a_aligned'"),
        (PseudogeneRepair(), "seq_a_aligned,seq_b_aligned\nACG,-.-\n", "the gene has no nucleotide"),
        (EmbeddingMap(molecule="peptide"), "sequence,label\nACG,a\n", "the molecule 'peptide' is unknown"),  # pyright: ignore[reportArgumentType]
        (
            PseudogeneRepair(),
            "seq_a_aligned,seq_b_aligned\nACG,A.G\n",
            "holds no alignment with a difference",
        ),
    ],
)
def test_what_cannot_be_analysed_is_one_line(tmp_path, kind, text, said):
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(UserError) as fault:
        lifecode.analyse(kind, f"{tmp_path}/table.csv", [CODE], progress=False)
    assert said in str(fault.value)
