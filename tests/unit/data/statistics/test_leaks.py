"""`lifecode check`: checksums, and what the splits of a corpus share."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lifecode.alphabet import decode_nucleotides, encode_nucleotides, reverse_complement
from lifecode.app.main import main
from lifecode.data import Corpus
from lifecode.data.cds.translation import translate
from lifecode.data.corpus.prepare import prepare_corpus
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.data.splits.split import BlockSplit, ContigSplit
from lifecode.data.statistics.leaks import find_leaks
from lifecode.host.checksum import file_entry

SPLITS = ("train", "validation", "test")


def planted(corpus, folder, change, kind="cds"):
    """A copy of a corpus with the rows of a shard changed, whose manifest knows nothing of it."""
    folder.mkdir()
    for path in corpus.folder.rglob("*"):
        if path.is_file():
            (folder / path.relative_to(corpus.folder)).parent.mkdir(parents=True, exist_ok=True)
            (folder / path.relative_to(corpus.folder)).write_bytes(path.read_bytes())
    shard = folder / f"shards/{kind}-00000.parquet"
    table = pq.read_table(shard)
    rows = table.to_pylist()
    names = change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), shard)
    manifest = json.loads((folder / "manifest.json").read_text())
    entry = file_entry(folder, shard)
    manifest["files"] = [entry if old["path"] == entry["path"] else old for old in manifest["files"]]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return names


def first_of(rows, split):
    return next(row for row in rows if row["split"] == split)


def copy_into(other_strand):
    """Put the first test gene into train as well."""

    def change(rows):
        test, train = first_of(rows, "test"), first_of(rows, "train")
        ids = encode_nucleotides(test["nucleotides"])
        train["nucleotides"] = decode_nucleotides(reverse_complement(ids) if other_strand else ids)
        return [f"{row['contig']}/{row['id']} ({row['split']})" for row in (train, test)]

    return change


def test_a_prepared_corpus_has_no_leak(small_corpus, capsys):
    assert main(["check", f"corpus={small_corpus.folder}"]) == 0
    out = capsys.readouterr().out
    assert "have the checksums of manifest.json" in out
    assert "train / test" in out


@pytest.mark.parametrize("other_strand", [False, True])
def test_a_planted_twin_is_found_and_both_records_named(small_corpus, tmp_path, capsys, other_strand):
    names = planted(small_corpus, tmp_path / "planted", copy_into(other_strand))
    leaks = {(leak.kind, leak.splits): leak for leak in find_leaks(Corpus.open(tmp_path / "planted"))}
    leak = leaks["cds", ("train", "test")]
    assert (leak.duplicates, leak.reverse_complements) == ((0, 1) if other_strand else (1, 0))
    assert [leak.first.one, leak.first.other] == names
    clean = [leak for leak in leaks.values() if leak.first is None]
    assert len(clean) == len(leaks) - 1
    assert main(["check", f"corpus={tmp_path / 'planted'}"]) == 2
    out, err = capsys.readouterr()
    assert "train / test" in out
    assert all(name in err for name in names)
    assert err.count("\n") == 1


def test_a_planted_region_is_found(small_corpus, tmp_path, capsys):
    names = planted(small_corpus, tmp_path / "planted", copy_into(False), kind="dna")
    assert main(["check", f"corpus={tmp_path / 'planted'}"]) == 2
    err = capsys.readouterr().err
    assert all(name in err for name in names)


def test_the_highest_similarity_is_that_of_a_planted_homolog(small_corpus, tmp_path):
    def change(rows):
        test, train = first_of(rows, "test"), first_of(rows, "train")
        train["protein"] = test["protein"][:-5] + "WWWWW"
        return [f"{row['contig']}/{row['id']} ({row['split']})" for row in (train, test)]

    names = planted(small_corpus, tmp_path / "planted", change)
    (leak,) = (
        leak
        for leak in find_leaks(Corpus.open(tmp_path / "planted"))
        if (leak.kind, leak.splits) == ("cds", ("train", "test"))
    )
    assert [leak.closest.one, leak.closest.other] == names
    assert 0.8 < leak.closest.similarity < 1
    assert leak.first is None


@pytest.mark.parametrize(
    "victim", ["shards/dna-00000.parquet", "cache/cds-test/offsets.npy", "rejected.parquet"]
)
def test_a_flipped_byte_is_named(small_corpus, tmp_path, capsys, victim):
    planted(small_corpus, tmp_path / "copy", lambda rows: None)
    content = bytearray((tmp_path / "copy" / victim).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "copy" / victim).write_bytes(content)
    assert main(["check", f"corpus={tmp_path / 'copy'}"]) == 2
    assert f"{victim}: differs from the manifest's sha256" in capsys.readouterr().err


# Molecules other than genomic DNA


def gene(seed, codons=60):
    letters = np.random.default_rng(seed).choice(["GCT", "AAA", "CTG", "GAT", "TGG", "CGT"], codons)
    return "ATG" + "".join(letters) + "TAA"


def contig(name, dna, molecule, start=0, taxon=None):
    """A contig that carries one CDS, from `start` to the end or to 12 before it."""
    end = len(dna) - (12 if start else 0)
    cds = CodingSequence(
        id=f"{name}.p", gene=None, exons=(Exon(start, end, 1),), protein=translate(dna[start:end])[:-1]
    )
    ids = encode_nucleotides(dna)
    return Contig(name, ids, "hand.fa", molecule=molecule, taxon=taxon, coding_sequences=(cds,))


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """Prepare these contigs, as if a file held them."""

    def prepare(contigs, **settings):
        (tmp_path / "hand.fa").write_text(str(len(contigs)))
        monkeypatch.setattr("lifecode.data.corpus.unit_folder.read_unit", lambda *_: iter(contigs))
        return prepare_corpus(tmp_path / "hand.fa", tmp_path / "corpus", **settings)

    return prepare


def rows(corpus, kind):
    return pq.read_table(sorted((corpus.folder / "shards").glob(f"{kind}-*.parquet"))).to_pylist()


def test_a_transcript_gives_a_row_of_rna_and_one_of_its_cds_in_the_same_split(prepared):
    contigs = [contig(f"NM_{i}", "GGCC" + gene(i) + "ACGTACGTACGT", "rna", start=4) for i in range(40)]
    corpus = prepared(contigs, split=BlockSplit(validation=0.1, test=0.2))
    rna, cds = rows(corpus, "rna"), rows(corpus, "cds")
    assert [row["nucleotides"] for row in rna] == [decode_nucleotides(c.nucleotides) for c in contigs]
    assert [row["id"] for row in rna] == [c.name for c in contigs]
    assert [(row["contig"], row["split"]) for row in rna] == [(row["contig"], row["split"]) for row in cds]
    assert {row["molecule"] for row in rna + cds} == {"rna"}
    assert rows(corpus, "dna") == []
    counts = [corpus.report["splits"][split]["rna_transcripts"] for split in SPLITS]
    assert counts == [28, 4, 8]
    table = corpus.segments("rna", "test")
    assert [decode_nucleotides(table.nucleotides(i)) for i in range(8)] == [
        row["nucleotides"] for row in rna if row["split"] == "test"
    ]
    numbers = [
        corpus.segments(kind, split).record_index(i)
        for kind in ("cds", "dna", "rna")
        for split in SPLITS
        for i in range(len(corpus.segments(kind, split)))
    ]
    assert len(set(numbers)) == len(numbers) == 80
    assert any(leak.kind == "rna" and leak.closest for leak in find_leaks(corpus))


def test_coding_records_and_proteins_give_cds_rows_alone(prepared):
    contigs = [contig(f"c{i}", gene(i), "cds" if i % 2 else "protein") for i in range(40)]
    corpus = prepared(contigs)
    assert rows(corpus, "dna") == rows(corpus, "rna") == []
    assert [row["molecule"] for row in rows(corpus, "cds")] == ["protein", "cds"] * 20


def test_isoforms_with_one_cds_stay_together(prepared):
    """Transcripts differ in their ends; those of one gene have the same CDS."""
    contigs = [
        contig(f"NM_{i}_{j}", "ACGT" * (j + 1) + gene(i) + "ACGTACGTACGT", "rna", start=4 * (j + 1))
        for i in range(20)
        for j in range(3)
    ]
    corpus = prepared(contigs, split=BlockSplit(validation=0.1, test=0.2))
    assert corpus.report["pairs"]["dropped"] == {"border": 0, "duplicate_across_splits": 0}
    splits_of = {}
    for row in rows(corpus, "rna"):
        splits_of.setdefault(row["contig"].rpartition("_")[0], set()).add(row["split"])
    assert all(len(splits) == 1 for splits in splits_of.values())
    assert {split for splits in splits_of.values() for split in splits} == set(SPLITS)


def mutated(dna, seed, changes=4):
    """The gene with some codons in its middle changed."""
    random = np.random.default_rng(seed)
    codons = [dna[i : i + 3] for i in range(0, len(dna), 3)]
    for place in random.integers(1, len(codons) - 1, changes):
        codons[place] = "CAT"
    return "".join(codons)


def test_homologs_stay_together_where_it_is_asked_for(prepared, tmp_path):
    contigs = [contig(f"g{i}_{j}", mutated(gene(i, 200), j), "cds") for i in range(20) for j in range(3)]
    apart = prepared(contigs, split=ContigSplit(validation=0.1, test=0.2))
    highest = max(leak.closest.similarity for leak in find_leaks(apart))
    assert highest > 0.5
    (tmp_path / "corpus").rename(tmp_path / "apart")
    together = prepared(contigs, split=ContigSplit(validation=0.1, test=0.2, clusters=0.4))
    assert max(leak.closest.similarity for leak in find_leaks(together)) < 0.4
    assert sum(together.report["pairs"]["dropped"].values()) == 0
    assert sum(together.report["splits"][split]["cds"] for split in SPLITS) == 60


def test_homologs_of_one_genome_leave_the_less_held_out_split(prepared):
    genes = [mutated(gene(i, 200), j) for i in range(20) for j in range(3)]
    order = np.random.default_rng(0).permutation(60)
    dna = "".join(genes[i] for i in order)
    length = len(genes[0])
    cds = tuple(
        CodingSequence(
            id=f"p{place}",
            gene=None,
            exons=(Exon(place * length, (place + 1) * length, 1),),
            protein=translate(genes[i])[:-1],
        )
        for place, i in enumerate(order)
    )
    genome = Contig("genome", encode_nucleotides(dna), "hand.gb", coding_sequences=cds)
    split = BlockSplit(block_nucleotides=5 * length, validation=0.2, test=0.2, clusters=0.4)
    corpus = prepared([genome], split=split)
    assert corpus.report["pairs"]["dropped"]["homolog_across_splits"] > 0
    assert max(leak.closest.similarity for leak in find_leaks(corpus) if leak.kind == "cds") < 0.4
    assert len(rows(corpus, "cds")) == 60 - sum(corpus.report["pairs"]["dropped"].values())


def test_names_from_data_are_values_and_never_paths(prepared, tmp_path):
    wicked = ["../../escape", "/etc/passwd", "a\nb", "..", "c;rm -rf /", "\x1b[31m"]
    contigs = [contig(name, gene(i), "dna") for i, name in enumerate(wicked)]
    corpus = prepared(contigs, split=BlockSplit(validation=0, test=0))
    assert [row["contig"] for row in rows(corpus, "cds")] == wicked
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "hand.fa"]


def test_skipped_records_are_counted_and_listed(tmp_path, monkeypatch):
    def one_bad(unit, settings, report):
        yield contig("good", gene(1), "cds")
        report("in/bad.fa", "bad", "letter '!' at position 3 is not a nucleotide")

    (tmp_path / "hand.fa").write_text("x")
    monkeypatch.setattr("lifecode.data.corpus.unit_folder.read_unit", one_bad)
    corpus = prepare_corpus(tmp_path / "hand.fa", tmp_path / "corpus", split=BlockSplit(validation=0, test=0))
    assert corpus.report["skipped"] == {"malformed_record": 1}
    assert corpus.report["cds"] == {"total": 1}
    assert pq.read_table(corpus.folder / "rejected.parquet").to_pylist() == [
        {
            "id": "bad",
            "contig": "bad",
            "source": "bad.fa",
            "reason": "malformed_record",
            "detail": "letter '!' at position 3 is not a nucleotide",
            "place": "",
        }
    ]
