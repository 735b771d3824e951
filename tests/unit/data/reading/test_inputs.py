"""What the user names becomes units: kinds by content, prefixes, and annotation with its sequences."""

import gzip

import pytest

from lifecode.data.formats.opening import Format, file_format
from lifecode.data.reading.inputs import InputUnit, resolve_inputs
from lifecode.errors import UserError

FASTA = b">chr1 x\nACGTACGTACGT\n"
GFF = b"chr1\t.\tCDS\t1\t12\t.\t+\t0\tID=a\n"
GTF = b'#!build\nchr1\t.\tCDS\t1\t12\t.\t+\t0\tgene_id "g"; transcript_id "t";\n'
BED = b"track name=x\nchr1\t0\t12\tchr1\t0\t+\t0\t12\t0\t1\t12,\t0,\n"
PROTEIN = b">p\nMKVLEFQIPW\n"
SWISS_PROT = b"ID   A_B      Reviewed;         10 AA.\nAC   P1;\n"


@pytest.fixture
def folder(tmp_path):
    """Write files into a temporary folder and give the folder."""

    def write(**files):
        for name, content in files.items():
            path = tmp_path / name.replace("__", ".")
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_bytes(content)
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\n LOCUS       A 12 bp\n", Format.GENBANK),
        (b"GBBCT1.SEQ          Genetic Sequence Data Bank\n", Format.GENBANK),
        (FASTA, Format.FASTA),
        (b">rna\nACGUUGCA\n", Format.FASTA),
        (b">iupac\nacgtnryswkmbdhv\n", Format.FASTA),
        (PROTEIN, Format.PROTEIN_FASTA),
        (SWISS_PROT, Format.SWISS_PROT),
        (GFF, Format.GFF3),
        (b"##gff-version 3\n", Format.GFF3),
        (b"##gff-version 2\n" + GTF, Format.GTF),
        (GTF, Format.GTF),
        (BED, Format.BED12),
        (b"ID   A; SV 1; linear; DNA; STD; PRO; 12 BP.\n", Format.EMBL),
    ],
)
def test_format_is_read_from_the_content(folder, content, expected):
    plain = folder(plain=content) / "plain"
    assert file_format(plain) == expected
    plain.write_bytes(gzip.compress(content[:9]) + gzip.compress(content[9:]))
    assert file_format(plain) == expected


@pytest.mark.parametrize(
    "content",
    [b"chr1\t0\t12\tname\t0\t+\n", b"##gff-version\n", b"\x00" * 99],
)
def test_unknown_formats_are_told(folder, content):
    with pytest.raises(UserError, match="neither a GenBank"):
        file_format(folder(x=content) / "x")


@pytest.mark.parametrize(
    ("prefix", "holds"), [("cds", "cds"), ("rna", "rna"), ("protein", "protein"), ("genome", "dna")]
)
def test_prefix_says_what_a_fasta_file_holds(folder, prefix, holds):
    path = folder(a__fa=FASTA) / "a.fa"
    assert resolve_inputs(f"{prefix}:{path.parent}/*.fa") == [InputUnit((path,), holds)]


def test_a_file_whose_name_looks_like_a_prefix_or_a_pair_is_a_file(folder, monkeypatch):
    monkeypatch.chdir(folder(**{"cds:a": FASTA, "a+b": FASTA}))
    assert [unit.files[0].name for unit in resolve_inputs(["cds:a", "a+b"])] == ["cds:a", "a+b"]


@pytest.mark.parametrize(
    ("annotation", "sequence"),
    [
        ("fly__gff__gz", "fly__fa__gz"),
        ("fly__1pct__gff", "fly__1pct__fa"),
        ("mrna__hg19__bed", "mrna__fa"),
        ("mrna_hg19__bed", "mrna__fna"),
    ],
)
def test_annotation_takes_the_sequence_file_whose_name_begins_its_own(folder, annotation, sequence):
    unrelated = {"other__fa": FASTA, "mrn__fa": FASTA}
    where = folder(**{annotation: GFF, sequence: FASTA, **unrelated})
    pair = tuple(where / name.replace("__", ".") for name in (sequence, annotation))
    assert InputUnit(pair) in resolve_inputs(str(where / "*"))
    assert len(resolve_inputs(str(where / "*"))) == 3


def test_explicit_pair_in_either_order_and_its_files_are_read_once(folder):
    where = folder(x__gff=GFF, y__fa=FASTA)
    annotation, sequence = where / "x.gff", where / "y.fa"
    pair = [InputUnit((sequence, annotation))]
    assert resolve_inputs(f"{annotation}+{sequence}") == pair
    assert resolve_inputs([f"{sequence}+{annotation}", str(where / "*")]) == pair


def test_longest_name_and_the_same_folder_win(folder):
    where = folder(**{"a__fa": FASTA, "a__b__fa": FASTA, "a__b__c__gff": GFF})
    assert InputUnit((where / "a.b.fa", where / "a.b.c.gff")) in resolve_inputs(str(where / "*"))
    where = folder(**{"one/g__fa": FASTA, "one/g__gff": GFF, "two/g__fa": FASTA, "two/g__gff": GFF})
    assert resolve_inputs([str(where / "one/*"), str(where / "two/*")]) == [
        InputUnit((where / name / "g.fa", where / name / "g.gff")) for name in ("one", "two")
    ]


def test_gff3_with_its_own_sequences_needs_no_other_file(folder):
    path = folder(a__gff=GFF + b"##FASTA\n" + FASTA) / "a.gff"
    assert resolve_inputs(path) == [InputUnit((path,))]


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"a__gff": GFF}, r"a\.gff: is annotation, and no sequence file.*fly\.gff\.gz\+fly\.fa\.gz"),
        ({"a__gff": GFF, "b__fa": FASTA}, r"a\.gff: is annotation"),
        ({"ab__gff": GFF, "a__fa": FASTA}, r"ab\.gff: is annotation"),
        ({"a__bed": BED}, r"a\.bed: is annotation"),
        ({"a__gff": GFF, "a__fa": FASTA, "a__fna": FASTA}, r"a\.gff: may belong to a\.fa or a\.fna"),
        (
            {"a__gff": GFF, "a__bed": BED, "a__fa": FASTA},
            r"a\.gff: both this and a\.bed would annotate",
        ),
    ],
)
def test_no_pair_or_more_than_one_is_an_error_with_its_remedy(folder, files, complaint):
    with pytest.raises(UserError, match=complaint + r".*ANNOTATION\+SEQUENCE|" + complaint):
        resolve_inputs(str(folder(**files) / "*"))


def test_a_plus_that_joins_no_pair(folder):
    where = folder(a__fa=FASTA, b__fa=FASTA)
    with pytest.raises(UserError, match="joins one annotation file"):
        resolve_inputs(f"{where}/a.fa+{where}/b.fa")
    (where / "b.fa").write_text("NM_1\tchr1\t+\t0\t100\t10\t90\t2\t0,50,\t20,100,\n")
    with pytest.raises(UserError, match=r"b\.fa: is genePred"):
        resolve_inputs(f"{where}/a.fa+{where}/b.fa")
