import hashlib
import io
import json
import os
import pickle
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from lifecode.alphabet import AMINO_ACIDS, decode_nucleotides
from lifecode.data import BlockSplit, Corpus, SegmentTable, packaged_genomes, prepare_corpus, read_records
from lifecode.data.cds.translation import translate
from lifecode.data.corpus.segments import record_index
from lifecode.data.reading.read import ReadingSettings
from lifecode.data.statistics.census import census_table
from lifecode.errors import Interrupted, UserError

SPLITS = ("train", "validation", "test")
TABLES = [(kind, split) for kind in ("cds", "dna") for split in SPLITS]


@pytest.fixture(scope="module")
def ecoli(tmp_path_factory):
    return prepare_corpus("ecoli", tmp_path_factory.mktemp("corpus") / "ecoli")


@pytest.fixture
def annotated(tmp_path):
    """Write a GenBank file of `copies` genes of 99 codons, named after `name`."""

    def write(name="HAND.1", copies=40, file="hand.gb", seed=0):
        codons = np.random.default_rng(seed).choice(["GCT", "AAA", "CTG", "GAT"], (copies, 97))
        genes = ["ATG" + "".join(gene) + "TAA" for gene in codons]
        features = "".join(
            f"     CDS             {297 * i + 1}..{297 * (i + 1)}\n"
            f'                     /locus_tag="L{i}"\n'
            f'                     /translation="{translate(gene)[:-1]}"\n'
            for i, gene in enumerate(genes)
        )
        dna = "".join(genes).lower()
        origin = "".join(f"{i + 1:>9} {dna[i : i + 60]}\n" for i in range(0, len(dna), 60))
        path = tmp_path / file
        path.write_text(
            f"LOCUS       {name} {len(dna)} bp    DNA     linear   UNK 01-JAN-2000\nVERSION     {name}\n"
            f"FEATURES             Location/Qualifiers\n{features}ORIGIN\n{origin}//\n"
        )
        return path

    return write


def rows(corpus, kind):
    return pq.read_table(sorted((corpus.folder / "shards").glob(f"{kind}-*.parquet"))).to_pylist()


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_report_of_ecoli(ecoli):
    report = ecoli.report
    assert (report["contigs"], report["nucleotides"]) == (1, 4_641_652)
    assert report["cds"] == {"total": 4315}
    assert report["pairs"]["kept"] == 4295
    assert report["pairs"]["rejected"] == {"pseudo": 17, "transl_except": 3}
    assert sum(report["splits"][split]["dna_nucleotides"] for split in SPLITS) == 4_641_652


def test_the_split_of_ecoli_never_changes(ecoli):
    splits = ecoli.report["splits"]
    assert [splits[split]["cds"] for split in SPLITS] == [3639, 225, 383]
    held_out = {(row["start"], row["end"]) for row in rows(ecoli, "dna") if row["split"] == "validation"}
    assert sum(end - start for start, end in held_out) == splits["validation"]["dna_nucleotides"] == 249_551


def test_every_pair_is_in_a_split_or_counted_as_dropped(ecoli):
    in_splits = sum(ecoli.report["splits"][split]["cds"] for split in SPLITS)
    dropped = ecoli.report["pairs"]["dropped"]
    assert in_splits + dropped["border"] + dropped["duplicate_across_splits"] == 4295
    assert dropped["border"] > 0
    rejected = pq.read_table(ecoli.folder / "rejected.parquet").to_pylist()
    assert len(rejected) == 20 + sum(dropped.values())
    assert sum(row["reason"] == "border" for row in rejected) == dropped["border"]


def test_shards_hold_the_genome_and_exact_pairs(ecoli):
    (contig,) = read_records("ecoli")
    genome = decode_nucleotides(contig.nucleotides)
    for row in rows(ecoli, "dna"):
        assert row["nucleotides"] == genome[row["start"] : row["end"]]
    for row in rows(ecoli, "cds"):
        protein = translate(row["nucleotides"], row["genetic_code"], complete_cds=True)
        assert protein.removesuffix("*") == row["protein"]


def test_cds_lie_inside_a_dna_region_of_their_split(ecoli):
    regions = {split: [] for split in SPLITS}
    for row in rows(ecoli, "dna"):
        regions[row["split"]].append((row["start"], row["end"]))
    for row in rows(ecoli, "cds"):
        assert any(start <= row["start"] and row["end"] <= end for start, end in regions[row["split"]]), row[
            "id"
        ]


def test_no_sequence_is_in_two_splits(ecoli):
    splits_of = {}
    for row in rows(ecoli, "cds"):
        splits_of.setdefault(row["nucleotides"], set()).add(row["split"])
    assert all(len(splits) == 1 for splits in splits_of.values())


def test_cache_holds_the_rows_of_the_shards(ecoli):
    for kind, split in TABLES:
        table = ecoli.segments(kind, split)
        expected = [row for row in rows(ecoli, kind) if row["split"] == split]
        assert len(table) == len(expected) == len(table.num_nucleotides)
        assert table.names == [row["id"] for row in expected]
        for index, row in enumerate(expected):
            assert decode_nucleotides(table.nucleotides(index)) == row["nucleotides"]
            assert table.num_nucleotides[index] == len(row["nucleotides"])
            assert table.genetic_code(index) == row["genetic_code"]
            if kind == "cds":
                assert table.protein(index) == row["protein"]
                assert len(table.amino_acids(index)) * 3 == table.num_nucleotides[index]


def test_amino_acids_include_the_stop_and_read_alternative_starts_as_m(ecoli):
    table = ecoli.segments("cds", "train")
    starts = [decode_nucleotides(table.nucleotides(i)[:3]) for i in range(len(table))]
    first = [AMINO_ACIDS[table.amino_acids(i)[0]] for i in range(len(table))]
    assert "GTG" in starts
    assert set(first) == {"M"}
    assert {AMINO_ACIDS[table.amino_acids(i)[-1]] for i in range(len(table))} == {"*"}


def test_record_index_is_unique_in_the_corpus(ecoli):
    tables = [ecoli.segments(kind, split) for kind, split in TABLES]
    numbers = [table.record_index(i) for table in tables for i in range(len(table))]
    assert len(set(numbers)) == len(numbers)


def test_record_index_of_each_kind():
    numbers = [record_index(kind, np.arange(3)).tolist() for kind in ("cds", "dna", "rna")]
    assert numbers == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]


def test_a_kind_without_files_is_an_empty_table(ecoli):
    table = ecoli.segments("rna", "train")
    assert len(table) == len(table.num_nucleotides) == table.offsets[-1] == 0


def test_segments_cannot_be_changed_on_disk(ecoli):
    with pytest.raises(ValueError, match="read-only"):
        ecoli.segments("cds", "train").nucleotides(0)[0] = 3


def test_pickled_table_is_small_and_reads_the_same(ecoli):
    table = ecoli.segments("cds", "test")
    pickled = pickle.dumps(table)
    assert len(pickled) < 1_000
    assert np.array_equal(pickle.loads(pickled).nucleotides(7), table.nucleotides(7))


def test_opening_is_fast_and_a_second_prepare_reuses(ecoli):
    written = (ecoli.folder / "manifest.json").stat().st_mtime_ns
    started = time.perf_counter()
    again = prepare_corpus(packaged_genomes()["ecoli"], ecoli.folder)
    tables = [again.segments(kind, split) for kind, split in TABLES]
    assert time.perf_counter() - started < 0.5
    assert sum(map(len, tables)) > 4000
    assert (ecoli.folder / "manifest.json").stat().st_mtime_ns == written


def test_same_input_gives_the_same_bytes(annotated, tmp_path):
    first, second = (prepare_corpus(annotated(), tmp_path / name).folder for name in ("first", "second"))
    assert files(first) == files(second)


def test_manifest_lists_every_file_with_its_checksum(annotated, tmp_path):
    source = annotated()
    corpus = prepare_corpus(source, tmp_path / "corpus", seed=3)
    entries = {entry["path"]: entry for entry in corpus.manifest["files"]}
    contents = {path.as_posix(): content for path, content in files(corpus.folder).items()}
    assert set(entries) == set(contents) - {"manifest.json"}
    for path, entry in entries.items():
        assert entry["sha256"] == hashlib.sha256(contents[path]).hexdigest()
    assert corpus.manifest["inputs"] == [
        {
            "name": "hand.gb",
            "holds": None,
            "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
            "bytes": source.stat().st_size,
        }
    ]
    assert corpus.manifest["seed"] == 3
    assert [shard["rows"] for shard in corpus.manifest["shards"]] == [
        len(rows(corpus, kind)) for kind in ("cds", "dna", "rna")
    ]


@pytest.mark.parametrize(
    "victim", ["shards/cds-00000.parquet", "cache/dna-train/nucleotides.npy", "report.json"]
)
def test_flipped_byte_is_found_and_the_file_named(annotated, tmp_path, victim):
    corpus = prepare_corpus(annotated(), tmp_path / "corpus")
    corpus.check_files()
    content = bytearray((corpus.folder / victim).read_bytes())
    content[-2] ^= 1
    (corpus.folder / victim).write_bytes(content)
    with pytest.raises(UserError, match=rf"{victim}: differs from the manifest"):
        corpus.check_files()


def test_file_cut_short_is_found_on_opening(annotated, tmp_path):
    corpus = prepare_corpus(annotated(), tmp_path / "corpus")
    path = corpus.folder / "cache/cds-train/nucleotides.npy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"cds-train/nucleotides\.npy: is missing or cut short"):
        Corpus.open(corpus.folder)


DEEP = "[" * 100_000


def test_a_manifest_that_is_none_is_refused_in_one_line(annotated, tmp_path):
    corpus = prepare_corpus(annotated(), tmp_path / "corpus")
    path = corpus.folder / "manifest.json"
    good = json.loads(path.read_text())
    entry = good["files"][0]
    damaged = ["5", "[1, 2]", "null", "", "{", DEEP, "\x00" * 100]
    for key, values in {
        "files": [5, [5], [{}], [{**entry, "bytes": "1"}], [{**entry, "path": 3}], [], {"a": 1}],
        "shards": [5, [5], [{}], [{"path": "../other.parquet"}]],
        "inputs": [5, [5], [{"sha256": 5}]],
        "split": [5, [1]],
        "reading": [5, "x"],
    }.items():
        damaged += [json.dumps({**good, key: value}) for value in values]
    damaged += [json.dumps({**good, "files": [{**entry, "path": "x" * 5_000}, *good["files"]]})]
    for content in damaged:
        path.write_text(content)
        with pytest.raises(
            UserError, match=r"cannot be read|no manifest|the shard|missing or cut"
        ) as refused:
            prepare_corpus(annotated(), corpus.folder)
        assert "\n" not in str(refused.value)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UserError, match="no plain file"):
        Corpus.open(corpus.folder)


def test_a_report_that_is_not_the_manifests_is_refused(annotated, tmp_path):
    corpus = prepare_corpus(annotated(), tmp_path / "corpus")
    path = corpus.folder / "report.json"
    assert corpus.report == json.loads(path.read_text())
    for content in ("{}", "5", DEEP, path.read_text().replace('"cds"', '"cdz"')):
        path.write_text(content)
        with pytest.raises(UserError, match=r"report\.json: (differs from|cannot be read)"):
            _ = Corpus(corpus.folder, corpus.manifest).report


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"seed": 1}, "seed 0, asked for 1"),
        ({"split": BlockSplit(test=0.2)}, r"split\.test 0\.1, asked for 0\.2"),
        ({"reading": ReadingSettings(genetic_code=4)}, r"reading\.genetic_code None, asked for 4"),
    ],
)
def test_other_settings_name_the_key_and_change_nothing(annotated, tmp_path, changed, key):
    corpus = prepare_corpus(annotated(), tmp_path / "corpus")
    before = files(corpus.folder)
    with pytest.raises(UserError, match=key):
        prepare_corpus(annotated(), tmp_path / "corpus", **changed)
    assert files(corpus.folder) == before


def test_other_input_is_named(annotated, tmp_path):
    prepare_corpus(annotated(), tmp_path / "corpus")
    with pytest.raises(UserError, match="input sha256"):
        prepare_corpus(annotated(name="OTHER.1"), tmp_path / "corpus")


def test_contig_name_must_be_unique(annotated, tmp_path):
    twice = [annotated(file="a.gb"), annotated(file="b.gb")]
    with pytest.raises(
        UserError, match=r"b\.gb, record HAND\.1: the contig name was already used in .*a\.gb"
    ):
        prepare_corpus(twice, tmp_path / "corpus")


def test_repeated_contigs_are_split_alike_and_lose_nothing(annotated, tmp_path):
    same = [annotated(name=f"HAND.{i}", file=f"{i}.gb") for i in range(5)]
    split = BlockSplit(block_nucleotides=3_000)
    alone = prepare_corpus(same[0], tmp_path / "alone", split=split)
    corpus = prepare_corpus(same, tmp_path / "corpus", split=split)
    assert corpus.report["pairs"]["kept"] == 200
    assert corpus.report["pairs"]["dropped"]["duplicate_across_splits"] == 0
    for name in SPLITS:
        assert corpus.report["splits"][name]["cds"] == 5 * alone.report["splits"][name]["cds"]


def test_genes_of_one_sequence_never_cross_splits(annotated, tmp_path):
    first = annotated(name="HAND.1", file="1.gb")
    second = annotated(name="HAND.2", file="2.gb", copies=30)  # its first 30 genes, on another contig
    corpus = prepare_corpus([first, second], tmp_path / "corpus", split=BlockSplit(block_nucleotides=3_000))
    assert corpus.report["pairs"]["kept"] == 70
    dropped = corpus.report["pairs"]["dropped"]["duplicate_across_splits"]
    assert dropped > 0
    table = pq.read_table(corpus.folder / "rejected.parquet").to_pylist()
    assert sum(row["detail"].endswith("with a twin that is held out more") for row in table) == dropped
    splits_of = {}
    for row in rows(corpus, "cds"):
        splits_of.setdefault(row["nucleotides"], set()).add(row["split"])
    assert all(len(splits) == 1 for splits in splits_of.values())


def test_bare_fasta_needs_to_be_asked_for(tmp_path):
    (tmp_path / "bare.fa").write_text(">contig\n" + "ACGT" * 5_000)
    with pytest.raises(UserError, match=r"bare\.fa: there is no CDS.*require_pairs=false"):
        prepare_corpus(tmp_path / "bare.fa", tmp_path / "corpus")
    corpus = prepare_corpus(tmp_path / "bare.fa", tmp_path / "corpus", require_pairs=False)
    assert [len(corpus.segments("cds", split)) for split in SPLITS] == [0, 0, 0]
    assert corpus.segments("cds", "train").names == []
    assert sum(corpus.segments("dna", split).num_nucleotides.sum() for split in SPLITS) == 20_000


def test_no_exact_pair_counts_the_reasons(annotated, tmp_path):
    wrong = annotated(copies=3)
    wrong.write_text(wrong.read_text().replace('/translation="M', '/translation="W'))
    with pytest.raises(UserError, match=r"none of 3 CDS translates exactly \(3 translation_differs\)"):
        prepare_corpus(wrong, tmp_path / "corpus")


def test_failure_leaves_nothing_behind(tmp_path):
    (tmp_path / "bad.fa").write_text(">contig\nACGT!\n")
    with pytest.raises(UserError, match="record contig"):
        prepare_corpus(tmp_path / "bad.fa", tmp_path / "corpus", require_pairs=False)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.fa"]


def test_interrupted_it_goes_on_from_what_it_has(annotated, tmp_path, monkeypatch):
    source, expected = annotated(), prepare_corpus(annotated(), tmp_path / "expected")

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("lifecode.data.corpus.prepare.write_rejected", interrupted)
        with pytest.raises(Interrupted, match=r"goes on from .*\.corpus\.partial"):
            prepare_corpus(source, tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()
    with monkeypatch.context() as patch:
        patch.setattr("lifecode.data.corpus.unit_folder.read_unit", interrupted)  # the unit is not read again
        patch.setattr("lifecode.data.corpus.shard_task.parquet_writer", interrupted)  # nor a shard written
        corpus = prepare_corpus(source, tmp_path / "corpus")
    assert files(corpus.folder) == files(expected.folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "expected", "hand.gb"]


def test_damaged_work_is_done_again(annotated, tmp_path, monkeypatch):
    source, expected = annotated(), prepare_corpus(annotated(), tmp_path / "expected")

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("lifecode.data.corpus.prepare.write_rejected", interrupted)
        with pytest.raises(Interrupted):
            prepare_corpus(source, tmp_path / "corpus")
    partial = tmp_path / ".corpus.partial"
    for victim in [*partial.glob("units/*/nucleotides.bin"), *partial.glob("*/corpus/shards/cds-*.parquet")]:
        content = bytearray(victim.read_bytes())
        content[100] ^= 1
        victim.write_bytes(content)
    assert files(prepare_corpus(source, tmp_path / "corpus").folder) == files(expected.folder)


def test_output_that_is_something_else_is_kept(annotated, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.png").write_bytes(b"png")
    for output in (tmp_path / "photos", tmp_path / "photos" / "one.png"):
        with pytest.raises(UserError, match="is there already and is no corpus"):
            prepare_corpus(annotated(), output)
    assert files(tmp_path / "photos")


def test_output_that_cannot_be_written(annotated, tmp_path, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    source = annotated()
    with pytest.raises(UserError, match=r"hand\.gb/corpus: cannot be written"):
        prepare_corpus(source, source / "corpus")
    monkeypatch.setattr("lifecode.data.corpus.folder.exclusive", denied)
    with pytest.raises(UserError, match=r"corpus: cannot be written \(Permission denied\)"):
        prepare_corpus(source, tmp_path / "corpus")


def test_full_disk_while_writing(annotated, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    source = annotated()
    monkeypatch.setattr("lifecode.data.corpus.prepare.write_rejected", full)
    with pytest.raises(UserError, match=r"corpus: cannot be written \(No space left on device\)"):
        prepare_corpus(source, tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()


def test_no_corpus_there(tmp_path):
    with pytest.raises(UserError, match=r"manifest\.json: not a prepared corpus.*lifecode prepare"):
        Corpus.open(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"schema_version": 99}))
    with pytest.raises(UserError, match="format version 99"):
        Corpus.open(tmp_path)


def test_unknown_kind_and_split(ecoli):
    with pytest.raises(UserError, match=r"no 'tRNA'.*cds, dna, rna"):
        ecoli.segments("tRNA", "train")
    with pytest.raises(UserError, match=r"no 'dev'.*train, validation, test"):
        ecoli.segments("cds", "dev")


def test_shards_end_at_their_nucleotides(annotated, tmp_path, monkeypatch):
    whole = prepare_corpus(annotated(), tmp_path / "whole")
    monkeypatch.setattr("lifecode.data.corpus.layout._SHARD_NUCLEOTIDES", 3_000)
    corpus = prepare_corpus(annotated(), tmp_path / "corpus")
    shards = [entry for entry in corpus.manifest["shards"] if "/cds-" in entry["path"]]
    assert [entry["path"] for entry in shards] == [f"shards/cds-{n:05d}.parquet" for n in range(len(shards))]
    kept = len(rows(whole, "cds"))
    assert [entry["rows"] for entry in shards[:-1]] == [11] * (kept // 11)  # of 297 nucleotides each
    assert rows(corpus, "cds") == rows(whole, "cds")
    assert rows(corpus, "dna") == rows(whole, "dna")
    in_cache, in_whole = (
        {path: content for path, content in files(made.folder).items() if path.parts[0] == "cache"}
        for made in (corpus, whole)
    )
    assert in_cache == in_whole


def test_origin_spanning_genes_of_a_circular_genome(shared_data, tmp_path):
    split = BlockSplit(validation=0, test=0)
    corpus = prepare_corpus(shared_data("genomes/phiX174_NC_001422.gbk"), tmp_path / "phi", split=split)
    table = corpus.segments("cds", "train")
    assert len(table) == 11
    spanning = [row for row in rows(corpus, "cds") if row["exons"].startswith("3980..5386(+),0..136(+)")]
    assert [(row["start"], row["end"], len(row["protein"])) for row in spanning] == [(0, 5386, 513)]


def test_census_shows_every_count(ecoli, tmp_path, shared_data):
    def rendered(corpus):
        console = Console(file=io.StringIO(), width=100)
        console.print(census_table(corpus.report))
        return console.file.getvalue()

    text = rendered(ecoli)
    for count in ("4,641,652", "4,315", "4,295", "pseudo", "17", "transl except", "border", "validation"):
        assert count in text
    assert "small" not in text
    tiny = prepare_corpus(shared_data("genomes/phiX174_NC_001422.gbk"), tmp_path / "phi")
    assert "blocks of 1,500 nucleotides, not 50,000" in rendered(tiny)


def test_table_says_what_it_is(ecoli):
    assert repr(ecoli.segments("cds", "test")).startswith("SegmentTable(cds, test: ")
    assert isinstance(ecoli.segments("cds", "test"), SegmentTable)
