import gzip
import os
import shutil
import tracemalloc

import numpy as np
import pytest
from Bio import bgzf

from lifecode.alphabet import decode_nucleotides
from lifecode.data import packaged_genomes, read_records
from lifecode.data.reading.inputs import InputUnit, resolve_inputs
from lifecode.errors import UserError


@pytest.fixture
def written(tmp_path):
    """Write bytes to a file of a temporary folder."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def read(inputs):
    return [(contig.name, decode_nucleotides(contig.nucleotides)) for contig in read_records(inputs)]


def test_fasta_contigs_have_names_and_no_cds(written):
    path = written("a.fa", b">one first\nACGT\nnnac\n\n>two\r\nUU GG\r\n")
    assert read(path) == [("one", "ACGTNNAC"), ("two", "TTGG")]
    assert all(contig.coding_sequences == () for contig in read_records(path))


def test_gzip_is_seen_by_content_not_by_name(written):
    assert read(written("a.txt", gzip.compress(b">one\nACGT\n", mtime=0))) == [("one", "ACGT")]
    assert read(written("a.gz", b">one\nACGT\n")) == [("one", "ACGT")]


def test_bgzip_members_are_read_on(written):
    assert read(written("a.gz", gzip.compress(b">one\nAC", mtime=0) + gzip.compress(b"GT\n", mtime=0))) == [
        ("one", "ACGT")
    ]


def test_globs_lists_and_repeats(written, tmp_path):
    for name in ("b.fa", "a.fa"):
        written(name, f">{name}\nACGT\n".encode())
    a, b = (InputUnit((tmp_path / name,)) for name in ("a.fa", "b.fa"))
    assert resolve_inputs(str(tmp_path / "*.fa")) == [a, b]
    assert resolve_inputs([tmp_path / "b.fa", str(tmp_path / "*.fa")]) == [b, a]
    assert [name for name, _ in read(str(tmp_path / "*.fa"))] == ["a.fa", "b.fa"]


def test_packaged_genome_is_an_input_by_name():
    assert resolve_inputs("ecoli") == [InputUnit((packaged_genomes()["ecoli"],))]
    assert packaged_genomes()["ecoli"].is_file()


def test_default_genetic_code_is_carried(written):
    (contig,) = read_records(written("a.fa", b">one\nACGT\n"), genetic_code=4)
    assert contig.genetic_code == 4


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("absent.gb", "no such file"),
        ("*.absent", "no file matches"),
        ("", "is a folder.*gbff"),
        ("pipe", "is a pipe"),
    ],
)
def test_missing_input_is_named_before_anything_is_read(tmp_path, name, complaint):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match=rf"{tmp_path.name}.*{complaint}"):
        read_records(str(tmp_path / name))


@pytest.mark.parametrize("nothing", [[], "", [""], "  ", "cds:", "+"])
def test_no_input_at_all(nothing):
    with pytest.raises(UserError, match=r"^no input was given"):
        read_records(nothing)


PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (PNG, "neither a GenBank flat file"),
        (b"Dear reader,\n", "neither a GenBank flat file"),
        (b"", "empty"),
        (b" \n\n", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (gzip.compress(b">one\n" + b"ACGT" * 999, mtime=0)[:-9], "ends early"),
        (b"\x1f\x8b" + b"x" * 99, "damaged"),
        (
            b">one\nACGTACGTACGTACGTACGT\n>two\nACGEF\n",
            "record two: letter 'E' at position 4 is not a nucleotide",
        ),
        (b">one\nAC\xff\n", "record one: letter 'ÿ' at position 3"),
        (b">\nACGT\n", "record 1: the header names no sequence"),
        (b">one\n>two\nACGT\n", "record one: the record has no sequence"),
        (b"; by hand\n>one\nACGT\n", "record 1: begins with '; by hand', not with >|neither a GenBank"),
    ],
)
def test_unreadable_content_is_one_line_that_names_the_file(written, content, complaint):
    with pytest.raises(UserError, match=complaint) as raised:
        read(written("input.seq", content))
    assert "input.seq" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_truncated_genome(written, tmp_path):
    with packaged_genomes()["ecoli"].open("rb") as genome:
        path = written("short.gbff.gz", genome.read(100_000))
    with pytest.raises(UserError, match=r"short\.gbff\.gz: the gzip file ends early"):
        read(path)


def test_flipped_byte_of_a_gzip_file_is_found(written, tmp_path):
    path = tmp_path / "flipped.gz"
    shutil.copy(packaged_genomes()["ecoli"], path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"flipped\.gz"):
        read(path)


def test_records_are_streamed_not_gathered(written):
    good, bad = b">one\nACGT\n", b">two\n!!!\n"
    contigs = read_records(written("a.fa", good + bad))
    assert next(contigs).name == "one"
    with pytest.raises(UserError, match="record two"):
        next(contigs)


def test_fault_of_the_disk_names_the_file(written, monkeypatch):
    path = written("a.fa", b">one\nACGT\n")
    monkeypatch.setattr(
        "pathlib.Path.open", lambda *_, **__: (_ for _ in ()).throw(PermissionError(13, "Permission denied"))
    )
    with pytest.raises(UserError, match=r"a\.fa: cannot be read \(Permission denied\)"):
        read(path)


def test_memory_does_not_grow_with_the_files(tmp_path):
    fasta, gff = (tmp_path / name for name in ("g.fa", "g.gff"))

    def peak(num_contigs):
        with fasta.open("w") as sequences, gff.open("w") as annotation:
            for number in range(num_contigs):
                sequences.write(f">c{number}\n" + "ACGT" * 25_000 + "\n")
                row = f"c{number}\t.\tCDS\t{{0}}\t{{0}}\t.\t+\t0\tID={{0}};note={'x' * 500}\n"
                annotation.writelines(row.format(start) for start in range(1, 101))
        tracemalloc.start()
        assert (
            sum(len(contig.coding_sequences) for contig in read_records(f"{gff}+{fasta}"))
            == num_contigs * 100
        )
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    # 32 contigs are 3.2 MB of sequence and 1.7 MB of annotation; blocks of 1 MiB are held in any case.
    assert peak(160) < 1.25 * peak(32)


def bgzipped(path, content):
    """Blocks of 4,000 bytes, and the empty one at the end."""
    with bgzf.BgzfWriter(path) as writer:
        for start in range(0, len(content), 4000):
            writer.write(content[start : start + 4000])
            writer.flush()


def test_a_bgzip_file_cut_between_its_blocks_is_seen(tmp_path):
    path = tmp_path / "a.fa.gz"
    bgzipped(path, b"".join(b">c%d\n%s\n" % (i, b"ACGT" * 250) for i in range(40)))
    whole = path.read_bytes()
    assert len(list(read_records(path))) == 40
    blocks = [i for i in range(len(whole)) if whole.startswith(b"\x1f\x8b\x08\x04", i)]
    assert len(blocks) > 5
    for end in blocks[1:]:
        path.write_bytes(whole[:end])
        with pytest.raises(UserError, match=r"ends early: its last block is missing.*gunzip -k "):
            list(read_records(path))
    skipped = []
    contigs = list(read_records(path, on_malformed="skip", report=lambda *what: skipped.append(what)))
    assert len(contigs) < 41
    assert "last block is missing" in skipped[0][2]


def test_a_gzip_bomb_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("lifecode.data.formats.opening._BOMB_BYTES", 1 << 22)
    path = tmp_path / "a.fa.gz"
    path.write_bytes(gzip.compress(b">c\n" + b"A" * (1 << 23)))
    with pytest.raises(UserError, match="unpacks to more than 200 times its size"):
        list(read_records(path))
    path.write_bytes(gzip.compress(b">c\n" + b"A" * (1 << 21)))  # as dense, and no harm
    assert len(list(read_records(path))) == 1
    letters = np.random.default_rng(0).choice(np.frombuffer(b"ACGT", np.uint8), 1 << 23).tobytes()
    path.write_bytes(gzip.compress(b">c\n" + letters, 1))
    assert len(list(read_records(path))) == 1
