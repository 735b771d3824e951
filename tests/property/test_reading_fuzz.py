"""Whatever is done to a real file, reading it ends in records or in one clear line: no crash, no hang.

The files are small excerpts of real ones, damaged by flipped bytes, lost, repeated and swapped lines,
truncation, inserted bytes, other line ends and by gzip; every CDS that is read is verified too.
"""

import gzip
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lifecode.data import read_records
from lifecode.data.cds.coding_sequence import verify_all
from lifecode.errors import UserError

GENBANK = b"""\
LOCUS       SYNPUC                    75 bp    DNA     circular SYN 01-JAN-2000
DEFINITION  Two genes.
ACCESSION   X1
VERSION     X1.1
SOURCE      Escherichia coli
  ORGANISM  Escherichia coli
            Bacteria.
FEATURES             Location/Qualifiers
     source          1..75
                     /organism="Escherichia coli"
                     /db_xref="taxon:562"
     CDS             join(67..75,1..3)
                     /gene="a"
                     /codon_start=1
                     /transl_table=11
                     /transl_except=(pos:70..72,aa:Sec)
                     /translation="MKK"
     CDS             complement(join(10..15,20..>30))
                     /locus_tag="b"
                     /pseudo
ORIGIN
        1 taaatgaaac ccgggtttta acatgcatgc atgcaaattt cccgggatgc atgcatgcat
       61 aaaaccatga aaaaa
//
"""
GFF = b"""\
##gff-version 3
##sequence-region c 1 75
c\tX\tregion\t1\t75\t.\t+\t.\tID=c;Is_circular=true;Dbxref=taxon:562
c\tX\tgene\t4\t21\t.\t+\t.\tID=g;Name=abc
c\tX\tmRNA\t4\t21\t.\t+\t.\tID=m;Parent=g
c\tX\tCDS\t4\t12\t.\t+\t0\tID=p;Parent=m
c\tX\tCDS\t16\t21\t.\t+\t0\tID=p;Parent=m
c\tX\tCDS\t67\t78\t.\t-\t0\tID=q;exception=trans-splicing;part=1
##FASTA
>c
taaatgaaacccgggttttaacatgcatgcatgcaaatttcccgggatgcatgcatgcataaaaccatgaaaaa
"""
GTF = b"""\
#!genome-build X
c\tX\tCDS\t4\t9\t.\t+\t0\tgene_id "g"; transcript_id "t"; tag "basic";
c\tX\tstop_codon\t10\t12\t.\t+\t0\tgene_id "g"; transcript_id "t";
"""
FASTA = (
    b">c some words [gene=x]\ntaaatgaaacccgggttttaacatgc\natgcatgcaaatttcccgggatgcatgcatgcataaaaccatgaaaaa\n"
)
BED = b"chr1\t100\t200\tc\t0\t-\t110\t150\t0\t3\t30,20,24,\t0,40,76,\n"
PROTEIN = b">sp|P1|X_Y words OS=x\nMKVLEFQIPWYACDGHNRSTUOBJXZ\n>b\nMKLEFQIPW*\n"
SWISS_PROT = b"""\
ID   A_B      Reviewed;         11 AA.
AC   P12345; Q1;
GN   Name=abcD {ECO:1};
OS   Escherichia coli (strain K12).
OX   NCBI_TaxID=83333;
SQ   SEQUENCE   11 AA;  1 MW;  0 CRC64;
     MKVLEFQIPW Y
//
"""
INPUTS = {
    "genbank": {"a.gb": GENBANK * 2},
    "gff": {"a.gff": GFF},
    "gff and fasta": {"a.gff": GFF.partition(b"##FASTA")[0], "a.fa": FASTA},
    "gtf and fasta": {"a.gtf": GTF, "a.fa": FASTA},
    "bed and fasta": {"a.bed": BED, "a.fa": FASTA},
    "fasta": {"a.fa": FASTA * 2},
    "protein": {"a.fa": PROTEIN},
    "swissprot": {"a.dat": SWISS_PROT * 2},
}
POLICIES = st.sampled_from(["stop", "skip"])
PREFIXES = st.sampled_from(["", "cds:", "rna:", "protein:", "genome:"])


@st.composite
def damages(draw):
    """A function from the content of a file to a damaged one."""
    steps = draw(
        st.lists(st.tuples(st.integers(0, 8), st.integers(0, 1 << 16), st.binary(max_size=6)), max_size=4)
    )

    def damage(content: bytes) -> bytes:
        for kind, number, extra in steps:
            content = _damaged(content, kind, number, extra)
        return content

    return damage


def _damaged(content: bytes, kind: int, number: int, extra: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    at, line = number % (len(content) + 1), number % max(len(lines), 1)
    match kind:
        case 0:
            return content[:at] + bytes([number % 251]) + content[at + 1 :]
        case 1:
            return content[:at]
        case 2:
            return b"".join(lines[:line] + lines[line + 1 :])
        case 3:
            return b"".join(lines[: line + 1] + lines[line:])
        case 4:
            return content[:at] + extra + content[at:]
        case 5:
            return content.replace(b"\n", b"\r\n" if number % 2 else b"\r")
        case 6:
            return b"".join(lines[line:] + lines[:line])
        case 7:
            return content[:at] + extra * (number % 997) + content[at:]
        case _:
            packed = bytearray(gzip.compress(content))
            packed[number % len(packed)] ^= number % 7
            return bytes(packed)


def reads_or_tells(files: dict[str, bytes], prefix: str, on_malformed: str) -> None:
    """Read and verify; a `UserError` of one line is as good an end as any."""
    told = ""
    with TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        try:
            contigs = read_records(
                f"{prefix}{folder}/*", on_malformed=on_malformed, isoforms="longest", report=lambda *_: None
            )
            for contig in contigs:
                for _ in verify_all(contig):
                    pass
        except UserError as fault:
            told = str(fault)
    assert "\n" not in told


@pytest.mark.parametrize("name", INPUTS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    damage=damages(), prefix=PREFIXES, on_malformed=st.sampled_from(["stop", "skip"]), which=st.integers(0, 1)
)
@example(damage=lambda content: content, prefix="", on_malformed="stop", which=0)
def test_damaged_files_are_read_or_told(name, damage, prefix, on_malformed, which):
    files = dict(INPUTS[name])
    chosen = sorted(files)[which % len(files)]
    files[chosen] = damage(files[chosen])
    reads_or_tells(files, prefix if len(files) == 1 else "", on_malformed)


REAL = {
    "genomes/phiX174_NC_001422.gbk": 24_000,
    "genomes/human_refseq_mRNA_4000.hg19.bed": 3_000,
    "genomes/D.melanogaster.1pct.gff.gz": 6_000,
    "proteins/swissprot_100.dat.gz": 12_000,
    "proteins/mmseqs2_uniprot_20000.fasta.gz": 4_000,
    "genomes/D.melanogaster.1pct.fa.gz": 4_000,
}


@cache
def excerpt(path: Path, num_bytes: int) -> bytes:
    """The beginning of a file, uncompressed."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as handle:
        return handle.read(num_bytes)


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
@settings(
    max_examples=1500, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(damage=damages(), on_malformed=POLICIES)
def test_damaged_real_files_are_read_or_told(shared_data, name, damage, on_malformed):
    content = excerpt(shared_data(name), REAL[name])
    files = {f"a.{name.removesuffix('.gz').rpartition('.')[2]}": damage(content)}
    if name.endswith(("gff.gz", "bed")):
        files["a.fa"] = b">2L\n" + b"ACGT" * 4000 + b"\n>x_NM_198317 range=chr1\n" + b"ACGT" * 700
    reads_or_tells(files, "", on_malformed)
