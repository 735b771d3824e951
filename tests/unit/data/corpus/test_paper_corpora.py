"""`sources=life_code`: small stand-ins of the five through the real command, counts checked."""

import gzip
from collections import Counter
from pathlib import Path

import pyarrow.dataset
import pytest
from Bio import SeqIO
from omegaconf import OmegaConf

from lifecode.app.configs.construct import construct
from lifecode.app.from_python import compose
from lifecode.app.main import main
from lifecode.data import Corpus
from lifecode.data.batches.mixture import Mixture
from lifecode.verbs.prepare.prepare import training_line
from tests.support.repository import ROOT

STAND_INS = {
    "genomes": ["genomes/ecoli_K12_MG1655.gbff.gz"],
    "rna": ["ncrna/human_noncoding_RNA_4000.fa.gz"],
    "cds": ["genomes/yeast_cds_R64_ensembl107.fa.gz"],
    "proteins": ["proteins/mmseqs2_uniprot_20000.fasta.gz"],
    "mrna": ["genomes/human_refseq_mRNA_4000.fa.gz", "genomes/human_refseq_mRNA_4000.hg19.bed"],
}

# The paper's Table A1, and the lengths that docs/paper_corpora.md names, in codons.
RECORDS = {
    "genomes": 51_257_875,
    "rna": 6_463_852,
    "cds": 16_786_593,
    "proteins": 17_245_138,
    "mrna": 3_908_074,
}
CODONS = {"genomes": 8000 / 3, "rna": 1958 / 3, "cds": 443, "proteins": 449, "mrna": 523}


@pytest.fixture(scope="module")
def downloads(shared_data, tmp_path_factory):
    """A folder as the config wants it."""
    folder = tmp_path_factory.mktemp("sources") / "downloads"
    for source, files in STAND_INS.items():
        (folder / source).mkdir(parents=True)
        for file in files:
            (folder / source / Path(file).name).symlink_to(shared_data(file))
    return folder


@pytest.fixture(scope="module")
def corpus(downloads):
    output = downloads.parent / "corpus"
    assert main(["prepare", "sources=life_code", f"input_folder={downloads}", f"output={output}"]) == 0
    return Corpus.open(output)


@pytest.fixture(scope="module")
def rows(corpus):
    """Rows of each (folder, kind, molecule)."""
    columns = ["source", "kind", "molecule"]
    table = pyarrow.dataset.dataset(corpus.folder / "shards", format="parquet").to_table(columns=columns)
    folder_of = {Path(file).name: source for source, files in STAND_INS.items() for file in files}
    return Counter((folder_of[row["source"]], row["kind"], row["molecule"]) for row in table.to_pylist())


def records(downloads, source):
    (file,) = (path for path in (downloads / source).iterdir() if ".fa" in path.name)
    with gzip.open(file, "rt") as handle:
        return list(SeqIO.parse(handle, "fasta"))


@pytest.mark.slow
def test_every_record_is_counted(corpus):
    report = corpus.report
    assert report["contigs"] == 1 + 4000 + 6600 + 20_000 + 4000
    assert report["cds"]["total"] == 4315 + 6600 + 20_000 + 4000
    assert report["cds"]["total"] == report["pairs"]["kept"] + sum(report["pairs"]["rejected"].values())
    assert report["skipped"] == {}


@pytest.mark.slow
def test_each_source_gives_the_kinds_that_it_should(rows):
    assert set(rows) == {
        ("genomes", "cds", "dna"),
        ("genomes", "dna", "dna"),
        ("rna", "rna", "rna"),
        ("cds", "cds", "cds"),
        ("proteins", "cds", "protein"),
        ("mrna", "cds", "rna"),
        ("mrna", "rna", "rna"),
    }
    assert rows["rna", "rna", "rna"] == rows["mrna", "rna", "rna"] == 4000


@pytest.mark.slow
def test_genomes_and_genes_of_ecoli_are_all_there(corpus, rows):
    dropped = sum(corpus.report["pairs"]["dropped"].values())
    assert rows["genomes", "cds", "dna"] == 4295 - dropped  # of these sources only its genes can be dropped
    nucleotides = sum(
        corpus.report["splits"][name]["dna_nucleotides"] for name in ("train", "validation", "test")
    )
    assert nucleotides == 4_641_652


@pytest.mark.slow
def test_proteins_are_kept_where_every_residue_is_known(downloads, rows):
    known = set("ACDEFGHIKLMNPQRSTVWY")
    proteins = [str(record.seq).upper() for record in records(downloads, "proteins")]
    assert rows["proteins", "cds", "protein"] == sum(set(protein) <= known for protein in proteins)


@pytest.mark.slow
def test_coding_records_are_kept_as_biopython_translates_them(downloads, rows):
    stops, starts = {"TAA", "TAG", "TGA"}, {"TTG", "CTG", "ATT", "ATC", "ATA", "ATG", "GTG"}  # of code 11
    intact = 0
    for record in records(downloads, "cds"):
        codons = str(record.seq).upper()
        protein = str(record.seq.translate(table="11")) if len(codons) % 3 == 0 else ""
        whole = codons[:3] in starts and codons[-3:] in stops and "*" not in protein[:-1]
        intact += bool(protein) and whole and "X" not in protein
    assert rows["cds", "cds", "cds"] == intact
    assert intact > 6500


@pytest.mark.slow
def test_nearly_all_messengers_are_intact(rows):
    assert 3981 <= rows["mrna", "cds", "rna"] <= 4000


@pytest.mark.slow
def test_no_sequence_is_lost_to_the_other_sources(downloads, corpus):
    inputs = {Path(entry["name"]).name for entry in corpus.manifest["inputs"]}
    assert inputs == {Path(file).name for files in STAND_INS.values() for file in files}
    assert corpus.manifest["reading"]["on_malformed"] == "skip"
    assert corpus.manifest["reading"]["genetic_code"] == {"default": 11}


@pytest.mark.slow
def test_the_command_tells_how_often_training_would_read_each_kind(downloads, corpus, capsys):
    output = corpus.folder
    assert main(["prepare", "sources=life_code", f"input_folder={downloads}", f"output={output}"]) == 0
    assert "data.mixture has training read 10.9% cds" in capsys.readouterr().out


def test_a_source_that_was_not_downloaded_is_named(tmp_path, capsys):
    (tmp_path / "genomes").mkdir()
    assert main(["prepare", "sources=life_code", f"input_folder={tmp_path}", f"output={tmp_path}/out"]) == 2
    assert f"{tmp_path}/genomes/*: no file matches" in capsys.readouterr().err


def test_the_mixture_follows_from_the_table():
    mixture = construct(compose("prepare", "sources=life_code").data.mixture)
    billions = {source: RECORDS[source] * CODONS[source] / 1e9 for source in RECORDS}
    assert mixture.dna == round(billions["genomes"], 1)
    assert mixture.rna == round(billions["rna"], 1)
    assert mixture.cds == round(billions["cds"] + billions["proteins"] + billions["mrna"], 1)


def test_the_config_and_the_document_name_the_counts_of_the_table():
    for path in ("conf/sources/life_code.yaml", "docs/paper_corpora.md"):
        text = (ROOT / path).read_text()
        assert [f"{number:,}" in text for number in RECORDS.values()] == [True] * 5, path


def test_training_composes_with_it_and_the_experiment_chooses_it():
    chosen = compose("train", "sources=life_code", "input_folder=somewhere")
    assert [entry.rpartition("somewhere/")[2] for entry in chosen.input] == [
        f"{name}/*" for name in STAND_INS
    ]
    for node in (chosen.data.mixture, chosen.data.batch):
        construct(node)
    assert construct(chosen.data.reading, seed=0).on_malformed == "skip"
    experiment = compose("train", "experiment=life_code", "input_folder=somewhere")
    assert (experiment.input, experiment.data.mixture) == (chosen.input, chosen.data.mixture)
    assert (experiment.data.batch.rows, experiment.data.batch.warmup_steps) == (256, 10000)
    own = compose("train", "sources=life_code", "input=[mine.gb]")
    assert OmegaConf.to_container(own.input) == ["mine.gb"]


def test_what_training_would_read_by_hand():
    codons = {"cds": 300, "dna": 200, "rna": 0}
    # 75 of 100 codons are CDS: 3 of 4. Reading 200 codons of DNA goes with 600 of CDS, twice all of them.
    assert training_line(codons, Mixture(cds=3, dna=1, rna=1)) == (
        "data.mixture has training read 75.0% cds (2 x), 25.0% dna (1 x) while it reads all dna once; "
        "the corpus lacks rna"
    )
    # The same 600 codons are one pass where half of the 300 are read three times.
    again = Mixture(cds=3, dna=1, cds_repeats={"small.fa": 3})
    assert training_line({**codons, "cds": 600}, again) == (
        "data.mixture has training read 75.0% cds (1 x), 25.0% dna (1 x) while it reads all cds once; "
        "a pass over cds reads small.fa 3 x"
    )
    assert "nothing to read" in training_line(codons, Mixture(cds=0, dna=0, rna=1))
