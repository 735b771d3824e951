"""`lifecode dogma`: the counts it prints, what it writes, the mistakes it names."""

import json

import pytest
from Bio.SeqFeature import SeqFeature, SimpleLocation

import lifecode
from lifecode.app.main import main
from lifecode.datasets.central_dogma.dataset import Dataset, Example
from tests.support.dogma_rows import read
from tests.support.genes_with_introns import cds, record, write_genbank, write_random


@pytest.fixture
def dogma(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_random(tmp_path / "genome.gb", 20, seed=5)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["dogma", "input=genome.gb", *arguments])
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize(
    ("task", "layout"),
    [
        ("pairs", "gene_protein/binary_class"),
        ("cds_pairs", "gene_protein/binary_class"),
        ("splice", "gene/multi_class"),
        ("premrna", "gene/nucleotide_class"),
    ],
)
def test_a_genome_becomes_a_data_set(dogma, tmp_path, task, layout):
    code, out, err = dogma(f"dataset={task}", "output=set/of/mine")
    assert (code, err) == (0, "")
    assert "exact CDS-protein pairs  20" in out
    assert "The data set is in set/of/mine" in out
    report = json.loads((tmp_path / "set/of/mine/report.json").read_text())
    rows = read(tmp_path / "set/of/mine", layout)
    assert sum(sum(splits.values()) for splits in report["examples"].values()) == len(rows)
    assert report["task"]["shares"] == ([4, 3, 25] if "pairs" in task else [8, 1, 1])


@pytest.mark.parametrize("task", ["homologs", "cds_homologs"])
def test_homologs_of_one_species_are_a_mistake(dogma, task):
    code, out, err = dogma(f"dataset={task}", "output=out")
    assert (code, out) == (2, "")
    assert err.startswith("lifecode dogma: input: homologs need two species, found Casus fortuitus.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dataset=pairs"], "output needs a value. Give it: lifecode dogma output=..."),
        (["dataset=pears", "output=out"], "dataset has no option 'pears'; it has cds_homologs, cds_pairs"),
        (["dataset.flank=3", "output=out"], "no config key 'dataset.flank'"),
        (["dataset.dna.flank_nucleotides=-1", "output=out"], "dataset.dna: flank_nucleotides is negative"),
        (["dataset.shares=[1,2]", "output=out"], "dataset.shares: is [1, 2], expected"),
        (
            ["dataset.split_by=chance", "output=out"],
            "dataset.split_by: is 'chance', expected 'gene'",
        ),
        (["output=genome.gb"], "genome.gb: is there already"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(dogma, tmp_path, arguments, said):
    code, out, err = dogma(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"lifecode dogma: {said}")
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["genome.gb"]


class BesideRna:
    """A maker of one's own, no dataclass: of each gene whether its contig has a tRNA."""

    features = ("tRNA",)

    def dataset(self, found, seed):
        examples = [
            Example(
                columns={
                    "seq_id": gene.pair.coding_sequence.id,
                    "label": sum(x.kind == "tRNA" for x in gene.contig.features),
                },
                kind="gene",
                ties=(),
                origin={},
            )
            for gene in found.genes
        ]
        return Dataset(folder="gene/own", labels=("no", "yes"), examples=examples, splits=["train"])


def test_a_maker_of_ones_own_reads_the_features_that_it_names(tmp_path):
    annotated = [cds([(10, 19)], 1, "MA"), SeqFeature(SimpleLocation(40, 60, 1), type="tRNA")]
    dna = f"{'C' * 10}ATGGCATAA{'C' * 50}"
    genome = write_genbank(tmp_path / "own.gb", record("OWN", dna, annotated, "Homo proprius"))
    made = lifecode.make_dataset(genome, tmp_path / "own", BesideRna(), progress=False)
    assert made.counts["task"] == {"name": "BesideRna"}
    assert [row["label"] for row in read(tmp_path / "own", "gene/own")] == ["1"]
