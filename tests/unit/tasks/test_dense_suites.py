"""Suites of another kind: splice sites at every nucleotide, and assays that nothing is learnt from."""

import csv
import json

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score, roc_auc_score

from lifecode.alphabet import decode_nucleotides, encode_nucleotides
from lifecode.app.main import main
from lifecode.data.formats.proteins import CodonUsage
from lifecode.data.translation import reverse_translate
from lifecode.errors import UserError
from lifecode.evaluation.metrics import metric_named
from lifecode.tasks.competitors.competitor import ModelReader
from lifecode.tasks.scores import scores
from lifecode.tasks.suites.benchmark import ZeroShotSet
from lifecode.tasks.suites.layouts.splice_sites import SpliceSites
from lifecode.tasks.suites.results import Evaluation, Measured, Row
from lifecode.variants.asking import Scoring
from lifecode.variants.proteingym import ProteinGym
from lifecode.variants.reading.scan_files import scan_of
from lifecode.variants.scans import scan_scores
from lifecode.variants.wild_type import WildType
from tests.support.small_models import small_luca_one, small_model


def test_areas_of_a_class_are_those_of_sklearn():
    draw = np.random.default_rng(0)
    labels, said = draw.integers(0, 3, 60), draw.dirichlet(np.ones(3), 60)
    found = scores("multiclass", labels, said, "", ["none", "acceptor", "donor"])
    assert found["auroc(acceptor)"] == pytest.approx(roc_auc_score(labels == 1, said[:, 1]))
    assert found["auprc(donor)"] == pytest.approx(average_precision_score(labels == 2, said[:, 2]))
    assert found["macro_auroc"] == pytest.approx(roc_auc_score(labels, said, multi_class="ovr"))
    assert metric_named("auprc(donor)").higher_is_better is True


def gene(draw, number):
    """An intron between two exons, whose borders alone are sites."""
    exons = ["".join(draw.choice(list("ACG"), 9)) for _ in range(2)]
    intron = "GT" + "".join(draw.choice(list("ACT"), 12)) + "AG"
    labels = "0" * 8 + "2" + "0" * 16 + "1" + "0" * 8
    return f"g{number},{exons[0]}{intron}{exons[1]},{labels}"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dense")
    small_model(seed=3).save_pretrained(folder / "model")
    draw = np.random.default_rng(0)
    for split, first, number in (("train", 0, 12), ("test", 100, 6)):
        rows = [gene(draw, first + i) for i in range(number)]
        (folder / "sites").mkdir(exist_ok=True)
        (folder / f"sites/{split}.csv").write_text("id,sequence,labels\n" + "\n".join(rows) + "\n")
    return folder


def test_every_nucleotide_of_the_test_is_scored_once_in_the_middle_of_its_window(place):
    one = SpliceSites(scored=10, none_per_site=3).sets(place / "sites")["splice_sites"]
    data = one.data()
    assert data.labels.classes == ("none", "acceptor", "donor")
    with (place / "sites/test.csv").open() as file:
        genes = list(csv.DictReader(file))
    windows = [row for row, name in enumerate(data.test.ids) if name == genes[0]["id"]]
    assert len(windows) == 4  # 34 nucleotides
    texts = [decode_nucleotides(data.test.sequences[row]) for row in windows]
    assert texts == [genes[0]["sequence"][a:b] for a, b in ((0, 20), (0, 30), (10, 34), (20, 34))]
    labels = np.concatenate([data.test.labels[row] for row in windows])
    assert "".join(map(str, labels[labels >= 0])) == genes[0]["labels"]
    known = np.concatenate(data.train.labels)
    assert [int((known == label).sum()) for label in (0, 1, 2)] == [3 * 24, 12, 12]


def test_what_lifecode_dogma_writes_is_read(place, tmp_path):
    for split, name in (("train", "train"), ("dev", "train"), ("test", "test")):
        rows = [line.split(",") for line in (place / f"sites/{name}.csv").read_text().splitlines()[1:]]
        folder = tmp_path / f"fly/gene/nucleotide_class/{split}"
        folder.mkdir(parents=True)
        lines = [f"{split}{id},gene,{letters},,{labels}\n" for id, letters, labels in rows]
        (folder / f"{split}.csv").write_text("seq_id,seq_type,seq,regions,label\n" + "".join(lines))
    sets = SpliceSites(scored=1_000).sets(tmp_path / "fly")
    data = sets["fly"].data()
    assert (len(data.train), data.num_validation, len(data.test)) == (24, 12, 6)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("x,ACGT,000", "has 3 labels for 4 nucleotides"),
        ("x,ACGT,00A0", "'A' in column 'labels' is none of 0, 1, 2"),
        ("x,ACGT,0000", "has labels 0 alone|the only label is '0'"),
    ],
)
def test_labels_that_do_not_fit_are_named_by_their_row(row, told, tmp_path):
    for split in ("train", "test"):
        (tmp_path / f"{split}.csv").write_text(f"id,sequence,labels\n{row}\n".replace("x,", f"{split},"))
    with pytest.raises(UserError, match=told):
        SpliceSites().sets(tmp_path)["splice_sites"].data()
    with pytest.raises(UserError, match=r"holds no train\.csv and test\.csv"):
        SpliceSites().sets(tmp_path / "none")


def test_splice_sites_through_the_command(place, capsys):
    arguments = [
        "evaluate",
        "suite=spliceai",
        "suite.scored=12",
        f"root={place}/sites",
        f"run_dir={place}/run",
        f"checkpoints=[{place}/model]",
        "baselines=[constant,nucleotide_one_hot]",
    ]
    assert main(arguments) == 0, capsys.readouterr().err
    cells = {path: path.read_bytes() for path in (place / "run/cells").rglob("*.npz")}
    assert len(cells) == 3
    assert main(arguments) == 0  # from its cells
    assert all(path.read_bytes() == content for path, content in cells.items())
    found = json.loads((place / "run/metrics.json").read_text())["sets"]["splice_sites"]
    one_hot = found["baselines"]["nucleotide_one_hot"]
    assert one_hot["auprc(donor)"]["mean"] > 0.9  # an exon, then GT
    assert found["baselines"]["constant"]["auroc(acceptor)"]["mean"] == 0.5
    assert set(found["models"][f"{place}/model"]) >= {"auroc(donor)", "auprc(acceptor)", "macro_auprc"}


@pytest.fixture(scope="module")
def gym(tmp_path_factory):
    """Two assays of one protein and one of another; a fourth is missing."""
    folder = tmp_path_factory.mktemp("gym")
    small_model(seed=3).save_pretrained(folder / "model")
    (folder / "assays").mkdir()
    protein = "MKRAWLTHDE"
    reference = ["DMS_id,DMS_filename,UniProt_ID,taxon,target_seq"]
    for name, uniprot, taxon in (("a", "P1", "Human"), ("b", "P1", "Human"), ("c", "P2", "Virus")):
        draw = np.random.default_rng(ord(name))
        rows = [f"{protein[i]}{i + 1}{new},,{draw.random():.3f},0" for i in range(1, 10) for new in "GAV"]
        rows += ["K2R:A4G,,0.5,1"] + (["K2R:K2A,,0.5,1"] if name == "a" else [])
        rows = [row for row in rows if row[0] != row[2:].lstrip("0123456789")[0]]
        (folder / f"assays/{name}.csv").write_text(
            "mutant,mutated_sequence,DMS_score,DMS_score_bin\n" + "\n".join(rows) + "\n"
        )
        reference.append(f"{name},{name}.csv,{uniprot},{taxon},{protein}")
    reference.append(f"d,d.csv,P3,Human,{protein}")
    (folder / "DMS_substitutions.csv").write_text("\n".join(reference) + "\n")
    return folder


def test_assays_are_scored_as_scans_are_and_averaged_by_protein(gym, capsys):
    arguments = [
        "evaluate",
        "suite=proteingym",
        "suite.method=unmasked",
        "suite.codon_draws=2",
        f"root={gym}",
        f"run_dir={gym}/run",
        f"checkpoints=[{gym}/model]",
    ]
    assert main(arguments) == 0, capsys.readouterr().err
    out = capsys.readouterr().out
    assert "left out: d (d.csv is not there)" in out
    assert "1 mutants left out: one residue is substituted twice" in out
    assert "read in codons drawn by the usage of e_coli, mean of 2, seed 0" in out
    found = json.loads((gym / "run/metrics.json").read_text())
    with (gym / "assays/b.csv").open() as file:
        rows = list(csv.DictReader(file))
    scan = scan_of([row["mutant"] for row in rows], "MKRAWLTHDE")
    reader = small_model(seed=3).masked_reader("codon")
    assert reader is not None
    scores = np.zeros(len(rows))
    for seed in range(2):
        cds = reverse_translate("MKRAWLTHDE*", "e_coli", "sampled", seed=seed)
        usage = CodonUsage("e_coli", "frequent", 0, 1)
        wild = WildType(encode_nucleotides(cds), reader, usage, "MKRAWLTHDE")
        scores += scan_scores(scan, [wild], Scoring(method="unmasked"), "").column("score").to_numpy()
    expected = spearmanr(scores, [float(row["DMS_score"]) for row in rows])
    model = f"{gym}/model"
    means = {name: one["models"][model]["spearman"]["mean"] for name, one in found["sets"].items()}
    assert means["b"] == pytest.approx(expected.statistic, abs=1e-6)
    assert {"blosum62", "residue_unigram", "untrained"} == set(found["sets"]["a"]["baselines"])
    averages = {(row["set"], row["model"]): row["mean"] for row in found["averages"]}
    by_protein = [(means["a"] + means["b"]) / 2, means["c"]]
    assert averages["average", model] == pytest.approx(np.mean(by_protein))
    assert averages["average, Human", model] == pytest.approx(by_protein[0])
    with (gym / "run/results.csv").open() as file:
        assert {"average", "average, Virus"} <= {row["set"] for row in csv.DictReader(file)}


def test_a_residue_that_is_not_the_wild_types_is_named(gym, tmp_path):
    text = (gym / "DMS_substitutions.csv").read_text().replace("MKRAWLTHDE", "MRRAWLTHDE")
    (tmp_path / "DMS_substitutions.csv").write_text(text)
    (tmp_path / "a.csv").write_text((gym / "assays/a.csv").read_text())
    one = ProteinGym().sets(tmp_path)["a"]
    with pytest.raises(UserError, match=r"line 2.*K2G does not fit the wild type, which has R2"):
        one.read([], 0, lambda _: None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"holds no DMS_substitutions\.csv"):
        ProteinGym().sets(tmp_path / "empty")


def test_averages_are_of_proteins_then_of_all():
    def measured(name, protein, group, value):
        rows = [Row(name, "m", "model", "spearman", value, None)]
        metrics = {"metric": "spearman", "averaged_by": protein, "group": group}
        return Measured(name=name, metrics=metrics, rows=rows, evidence=None)  # pyright: ignore

    sets = [measured("a", "p", "x", 0.2), measured("b", "p", "x", 0.4), measured("c", "q", "y", 0.9)]
    found = {row.set: row.mean for row in Evaluation(sets=sets, left_out={}).averages}
    assert found == pytest.approx({"average": 0.6, "average, x": 0.3, "average, y": 0.9})


@pytest.mark.parametrize("method", ["masked", "pseudo_likelihood:2"])
def test_mutants_that_a_model_does_not_read_at_once_are_left_out_for_all(method, gym, tmp_path):
    luca = ModelReader("luca", small_luca_one(max_tokens=6))
    text = (gym / "assays/a.csv").read_text() + "R3A:E10G,,0.9,1\nL6M:D9K,,0.1,1\n"
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "DMS_substitutions.csv").write_text((gym / "DMS_substitutions.csv").read_text())
    one = ProteinGym(method=method).sets(tmp_path)["a"]
    assert isinstance(one, ZeroShotSet)
    scored = one.read([luca], 0, lambda _: None)
    assert "1 mutants left out: too_far_apart, for luca" in scored.notes
    assert scored.ids[-1] == "L6M:D9K"
    assert "R3A:E10G" not in scored.ids
    for competitor in scored.competitors:
        (predictions,) = competitor.predictions()
        assert len(predictions) == len(scored.labels)
        assert np.isfinite(predictions).all()
