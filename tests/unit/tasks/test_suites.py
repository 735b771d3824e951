"""Benchmarks are read in the layouts they are downloaded in: small files of each, and what they must give."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from lifecode.alphabet import decode_nucleotides
from lifecode.app.configs.locate_config import config_folder
from lifecode.errors import UserError
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.scores import chosen_metric
from lifecode.tasks.suites import published
from lifecode.tasks.suites.benchmark import chosen_sets
from lifecode.tasks.suites.layouts.genomic_benchmarks import GenomicBenchmarks
from lifecode.tasks.suites.layouts.gue import PLACES, Gue
from lifecode.tasks.suites.layouts.lucaone import LucaOne
from lifecode.tasks.suites.layouts.species import SpeciesByChromosome, _chromosome, split_of
from lifecode.tasks.suites.layouts.spliceator import Spliceator
from lifecode.tasks.suites.layouts.tables import TableSuite
from lifecode.tasks.suites.layouts.uci_splice import UciSplice


def dna(seed, length):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def letters(examples):
    return [decode_nucleotides(ids) for ids in examples.sequences]


def classes(data, examples):
    return [data.labels.classes[number] for number in examples.labels]


def test_gue_nested_and_flat_with_a_space_behind_the_comma(tmp_path):
    assert len(PLACES) == 28
    for folder in ("GUE/EMP/H3", "emp_H4", "GUE/splice/reconstructed"):
        for split, number in (("train", 4), ("dev", 2), ("test", 3)):
            rows = [f"{dna(i, 30)}, {i % 2}" for i in range(10 * number, 11 * number)]
            write(tmp_path / folder / f"{split}.csv", "sequence,label\n" + "\n".join(rows) + "\n")
    sets = Gue().sets(tmp_path)
    assert list(sets) == ["emp_H3", "emp_H4", "splice_reconstructed"]
    data = sets["emp_H3"].data()
    assert (len(data.train), len(data.test)) == (6, 3)  # dev is learnt from
    assert data.labels.classes == ("0", "1")
    assert letters(data.test)[0] == dna(30, 30)
    with pytest.raises(UserError, match="holds no set 'H3'; it holds emp_H3"):
        chosen_sets(Gue(), tmp_path, ["H3"])


def test_gue_of_three_columns_is_pairs(tmp_path):
    for split, number in (("train", 4), ("test", 2)):
        rows = [f"{dna(i, 20)},{dna(i + 90, 20)},{i % 2}" for i in range(number)]
        write(tmp_path / "emp_H3" / f"{split}.csv", "seq1,seq2,label\n" + "\n".join(rows) + "\n")
    write(tmp_path / "emp_H4/train.csv", "")
    write(tmp_path / "emp_H4/test.csv", "")
    sets = Gue().sets(tmp_path)
    data = sets["emp_H3"].data()
    assert (len(data.train), len(data.test)) == (4, 2)
    assert data.train.second.letters[0] == dna(90, 20)
    with pytest.raises(UserError, match="the file is empty"):  # when it is its turn
        sets["emp_H4"].data()


def test_genomic_benchmarks_as_folders_of_one_sequence_a_file(tmp_path):
    for split, number in (("train", 3), ("test", 2)):
        for name in ("positive", "negative"):
            for i in range(number):
                write(tmp_path / "demo" / split / name / f"{i}.txt", dna(i, 20) + "\n")
        (tmp_path / "demo" / split / ".ipynb_checkpoints").mkdir()
    data = GenomicBenchmarks().sets(tmp_path)["demo"].data()
    assert data.labels.classes == ("negative", "positive")  # sorted, not as the file system has them
    assert classes(data, data.train) == ["negative"] * 3 + ["positive"] * 3
    assert letters(data.test)[:2] == [dna(0, 20), dna(1, 20)]


def test_genomic_benchmarks_as_intervals_of_a_genome(tmp_path):
    chromosome = "AACCGGTTACGTACGTTTTT"
    write(tmp_path / "genomes/human.fa.gz", f">1 dna\n{chromosome[:10]}\n{chromosome[10:]}\n>2\nGGGGCCCC\n")
    described = "version: 0\nclasses:\n"
    for name in ("negative", "positive"):
        described += f"  {name}:\n    type: fa.gz\n    url: http://example.org/x/human.fa.gz\n"
        for split in ("train", "test"):
            rows = "id,region,start,end,strand\n0,chr1,2,6,+\n1,chr2,1,5,-\n"
            write(tmp_path / "demo" / split / f"{name}.csv{'.gz' if split == 'train' else ''}", rows)
    write(tmp_path / "demo/metadata.yaml", described)
    data = GenomicBenchmarks().sets(tmp_path)["demo"].data()
    assert letters(data.train)[:2] == [chromosome[2:6], "GCCC"]  # GGGC on the other strand
    write(tmp_path / "demo/test/negative.csv", "id,region,start,end,strand\n0,chr1,2,21,+\n")
    with pytest.raises(UserError, match=r"chr1:2-21 lies outside its 20 nucleotides"):
        GenomicBenchmarks().sets(tmp_path)["demo"].data()
    with pytest.raises(UserError, match=r"human\.fa\.gz: there is no such file"):
        GenomicBenchmarks(genomes=str(tmp_path)).sets(tmp_path)["demo"].data()


def test_uci_splice_keeps_the_first_of_equal_sequences(tmp_path):
    rows = [f"{('EI', 'IE', 'N')[i % 3]},   NAME-{i},      {dna(i, 60)}" for i in range(9)]
    write(tmp_path / "splice.data", "\n".join([*rows, rows[0]]) + "\n")
    data = UciSplice().sets(tmp_path)["splice"].data()
    assert data.labels.classes == ("EI", "IE", "N")
    assert len(data.train) == 9
    assert data.notes[-1] == "1 of 10 rows repeat a sequence"
    write(tmp_path / "splice.data", "EI, name\n")
    with pytest.raises(UserError, match="line 1"):
        UciSplice().sets(tmp_path)["splice"].data()


def test_uci_splice_of_the_shared_data(shared_data):
    data = UciSplice().sets(shared_data("splice/uci_splice.data"))["splice"].data()
    assert len(data.train) == 3_005


def test_spliceator_crops_the_middle_and_finds_the_field_that_is_long(tmp_path):
    long = dna(0, 600)
    for site in ("acceptor", "donor"):
        write(tmp_path / f"Training/POS_{site}_600.csv", f"0;{long};x\n1;short;{dna(1, 600)}\n")
        write(tmp_path / f"Training/GS_1/NEG_600_{site}.csv", f"0;{dna(2, 600)}\n")
    for label in ("positive", "negative"):
        write(tmp_path / f"Test/Fly/SA_sequences_acceptor_400_Final_3.{label}.txt", f"{dna(3, 400)}\n")
    sets = Spliceator().sets(tmp_path)
    assert list(sets) == ["acceptor_fly"]
    data = sets["acceptor_fly"].data()
    assert letters(data.train) == [long[100:500], dna(1, 600)[100:500], dna(2, 600)[100:500]]
    assert classes(data, data.train) == ["site", "site", "none"]
    assert len(data.test) == 2
    assert sets["acceptor_fly"].task.metric == "f1"
    write(tmp_path / "Training/GS_1/NEG_600_acceptor.csv", f"0;{dna(2, 300)}*{dna(2, 299)}\n")
    with pytest.raises(UserError, match=r"record line 1: letter '\*' at position 301"):
        sets["acceptor_fly"].data()


def test_lucaone_single_sequences_with_its_quirks(tmp_path):
    for split, ids in (("train", "abcd"), ("dev", "ef"), ("test", "gh")):
        rows = "seq_id,seq_type,seq,label_index\n" + "".join(
            f">{name},prot,MKV{'AL'[i % 2]},{i % 2}\n" for i, name in enumerate(ids)
        )
        write(tmp_path / f"dataset/Loc/protein/binary_class/{split}/{split}.csv", rows)
        write(
            tmp_path / f"dataset/Many/gene/multi_label/{split}/{split}.csv",
            'seq_id,seq_type,seq,label\na,gene,ACGT,"[1, 0]"\nb,gene,ACGA,[]\n',
        )
    sets = LucaOne().sets(tmp_path)
    many = sets["Many.gene.multi_label"].data()
    assert (many.labels.kind, many.labels.classes) == ("multilabel", ("0", "1"))
    assert many.train.labels.tolist() == [[1, 1], [0, 0]] * 2
    assert many.notes[-1] == "2 ids stand in several splits, so rows are known by their numbers"
    data = sets["Loc.protein.binary_class"].data()
    assert data.train.ids == ["a", "b", "c", "d", "e", "f"]
    assert data.molecule == "protein"
    assert data.test is not None
    assert data.test.texts()[0] == "MKVA"


def test_lucaone_says_what_each_sequence_is(tmp_path):
    """By any word for it; one that is unknown, or genes among proteins, is an error that names the file."""
    single = tmp_path / "one/Loc/gene/binary_class/train/train.csv"
    write(single, "seq_id,seq_type,seq,label\na,gene,ACGT,1\nb,RNA,ACGU,0\n")
    loc = LucaOne().sets(tmp_path / "one")["Loc.gene.binary_class"]
    assert loc.data().molecule == "dna"
    write(single, "seq_id,seq_type,seq,label\na,gene,ACGT,1\nb,lipid,ACGT,0\n")
    with pytest.raises(UserError, match=r"train\.csv: column 'seq_type' says 'lipid', which is no molecule"):
        loc.data()
    header = "seq_id_a,seq_id_b,seq_type_a,seq_type_b,seq_a,seq_b,label\n"
    pairs = tmp_path / "two/PPI/protein/binary_class/{0}/{0}.csv"
    write(Path(str(pairs).format("train")), f"{header}a,b,prot,prot,MKV,MAV,1\nc,d,prot,prot,MK,ML,0\n")
    write(Path(str(pairs).format("test")), f"{header}a,b,prot,gene,MKV,ACG,1\nc,d,prot,prot,MK,ML,0\n")
    with pytest.raises(UserError, match=r"'seq_type_b' says genes and proteins"):
        LucaOne().sets(tmp_path / "two")["PPI.protein.binary_class"].data()


def test_lucaone_pairs_of_proteins_lie_beside_single_ones(tmp_path):
    header = "seq_id_a,seq_id_b,seq_type_a,seq_type_b,seq_a,seq_b,label"
    rows = f"{header}\na,b,prot,prot,MKV,MAV,1\nc,d,prot,prot,MK,ML,0\n"
    write(tmp_path / "dataset/PPI/protein/binary_class/train/train.csv", rows)
    data = LucaOne().sets(tmp_path)["PPI.protein.binary_class"].data()
    assert (data.train.first.kind, data.train.second.kind) == ("protein", "protein")  # pyright: ignore
    write(tmp_path / "dataset/PPI/protein/binary_class/train/train.csv", f"{rows}e,f,gene,prot,ACG,ML,0\n")
    write(tmp_path / "dataset/Bad/gene/binary_class/train/train.csv", "")
    sets = LucaOne().sets(tmp_path)
    with pytest.raises(UserError, match="'seq_type_a' says genes and proteins"):
        sets["PPI.protein.binary_class"].data()
    with pytest.raises(UserError, match="the file is empty"):  # and the others are there
        sets["Bad.gene.binary_class"].data()


LUCAONE_FILES = {
    "central_dogma": "CentralDogma/gene_protein/binary_class",
    "genus_tax": "GenusTax/gene/multi_class",
    "inf_a": "InfA/gene_gene/binary_class",
    "ncrna_fam": "ncRNAFam/gene/multi_class",
    "ncrpi": "ncRPI/gene_protein/binary_class",
    "ppi": "PPI/protein/binary_class",
    "prot_loc": "ProtLoc/protein/multi_class",
    "prot_stab": "ProtStab/protein/regression",
    "species_tax": "SpeciesTax/gene/multi_class",
    "superkingdom_tax": "SupKTax/gene/multi_class",
}
"""DATASET_NAME/DATASET_TYPE/TASK_TYPE of LucaOneTasks/src/training/downstream_tasks/run_*.sh."""


def test_lucaone_tasks_read_the_files_of_the_authors():
    configs = {file.stem: OmegaConf.load(file) for file in (config_folder() / "task").glob("lucaone_*.yaml")}
    assert {name.removeprefix("lucaone_"): Path(one.train).parents[1] for name, one in configs.items()} == {
        name: Path("dataset", place) for name, place in LUCAONE_FILES.items()
    }
    for one in configs.values():
        folder = Path(one.train).parents[1]
        assert (one.validation, one.test) == (f"{folder}/dev/dev.csv", f"{folder}/test/test.csv")


def test_species_windows_are_of_the_chromosomes_of_their_split(tmp_path):
    letter = {"1": "A", "2": "C", "5": "G", "X": "T"}
    for species in ("human", "mouse"):
        for name, base in letter.items():
            write(tmp_path / species / f"chr{name}.fa.gz", f">chr{name}\n{base * 50}\n")
    suite = SpeciesByChromosome(windows=[20, 60], train=8, validation=3, test=2)
    sets = suite.sets(tmp_path)
    data = sets["20_nt"].data()
    assert (len(data.train), len(data.test)) == (22, 4)
    assert set(letters(data.test)) == {"G" * 20}
    assert {x[0] for x in letters(data.train)[:16]} == {"C", "T"}
    assert {x[0] for x in letters(data.train)[16:]} == {"A"}
    assert letters(sets["60_nt"].data().test)[0] == "G" * 50 + "N" * 10
    assert letters(sets["20_nt"].data().train) == letters(data.train)


def test_tables_of_a_folder_by_the_config_of_the_codon_tasks(tmp_path):
    from lifecode.app.configs.construct import construct
    from lifecode.app.from_python import compose

    suite = construct(compose("evaluate", "suite=codon_tasks", "root=.").suite)
    assert isinstance(suite, TableSuite)
    rows = [f"ATG{dna(i, 27)},{i / 7},{1 + i % 7}" for i in range(28)]
    write(tmp_path / "seven_expression_sets.csv.gz", "Sequence,Output,Dataset\n" + "\n".join(rows) + "\n")
    sets = suite.sets(tmp_path)
    assert len(sets) == 7
    data = sets["gfp_expression"].data()
    assert data.train.labels.tolist() == pytest.approx([i / 7 for i in range(28) if i % 7 == 2])
    assert sets["gfp_expression"].task.published["CodonTransformer"] == {"spearman": 0.761}


@pytest.mark.parametrize(
    "suite",
    [Gue(), GenomicBenchmarks(), UciSplice(), Spliceator(), LucaOne(), SpeciesByChromosome(windows=[9])],
)
def test_a_folder_without_a_set_is_one_line(tmp_path, suite):
    with pytest.raises(UserError, match="holds no"):
        chosen_sets(suite, tmp_path, None)


def test_pieces_of_a_chromosome_are_not_learnt_from_and_zeros_do_not_count():
    names = ["chr05.fa", "chr5.fa.gz", "chr5_GL000208_random.fa", "chrUn_KI270302.fa", "chrUn.fa", "chrX.fna"]
    found = {name: _chromosome(Path(name)) for name in names}
    assert [name for name, match in found.items() if match] == ["chr05.fa", "chr5.fa.gz", "chrX.fna"]
    assert [split_of(match[1]) for match in found.values() if match] == ["test", "test", "train"]


def test_a_suite_of_tables_may_have_names_of_sequences(tmp_path):
    write(tmp_path / "a.csv", "gene,kind\ng1,x\ng2,y\n")
    write(tmp_path / "a.fa", f">g1\n{dna(1, 9)}\n>g2\n{dna(2, 9)}\n")
    sets = TableSuite(tasks={"mine": SequenceTask(train="a.csv", fasta="a.fa")}).sets(tmp_path)
    assert letters(sets["mine"].data().train) == [dna(1, 9), dna(2, 9)]


def test_a_suite_of_tables_has_labels_of_whole_sequences():
    with pytest.raises(UserError, match=r"suite\.tasks\.mine\.unit: is codon"):
        TableSuite(tasks={"mine": SequenceTask(train="a.csv", unit="codon")})


def test_figures_of_the_papers_stand_beside_the_sets_they_are_of(tmp_path):
    assert set(published.GUE) == set(PLACES)
    assert published.GUE["virus_covid"]["Life-Code"] == {"mcc": 0.7382}
    assert "HyenaDNA" not in published.GUE["virus_covid"]  # the paper has none
    assert [len(sets) for sets in (published.GENOMIC_BENCHMARKS, published.SPLICEATOR)] == [8, 2]
    assert published.SPLICEATOR["acceptor_fly"]["RINALMo"] == {"f1": 0.958}
    for split in ("train", "test"):
        write(tmp_path / "emp_H3" / f"{split}.csv", f"sequence,label\n{dna(0, 9)},0\n")
    task = Gue().sets(tmp_path)["emp_H3"].task  # pyright: ignore
    assert task.published["MxDNA"] == {"mcc": 0.8214}
    metric = chosen_metric("binary", task.metric).name
    assert all(metric in figures for figures in task.published.values())  # what the table shows
