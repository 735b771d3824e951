"""Formats that are not read, by their first bytes: what a file is, and what to do with it instead."""

import re
from typing import NamedTuple


class Foreign(NamedTuple):
    """What a file is, and what to give instead."""

    name: str
    remedy: str


_UNPACK = "Unpack it and give the files in it"
_CONVERT = "Give GenBank, EMBL, GFF3 or GTF with a genome, or FASTA"
_NO_SEQUENCE = "Give the annotation (GFF3, GTF, GenBank) or the sequences (FASTA) themselves"

_FORMATS: list[tuple[bytes, str, str]] = [
    (rb"PK(?:\x03\x04|\x05\x06|\x07\x08)", "a zip archive", _UNPACK),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (rb"Rar!", "a rar archive", _UNPACK),
    (rb"\x04\x22\x4d\x18", "lz4-compressed", "Give it plain, or as gzip, bzip2, xz or zst"),
    (rb"LZIP[\x00\x01]", "lzip-compressed", "Give it plain, or as gzip, bzip2, xz or zst"),
    (rb"\x1f\x9d|\x1f\xa0", "compressed by Unix compress (.Z)", "Give it plain, or as gzip"),
    (rb"\x1f\x8b", "compressed twice", "Unpack it once"),
    (rb"BZh\d1AY&SY|\xfd7zXZ\x00|\x28\xb5\x2f\xfd", "compressed twice", "Unpack it once"),
    (rb"(?s).{257}ustar", "a tar archive", _UNPACK),
    (rb"(?s)@[^\n]*\n[A-Za-z.*-]+\n\+", "FASTQ, reads of a sequencer", _CONVERT),
    (rb"@(?:HD|SQ|RG|PG)\t", "SAM, aligned reads", _CONVERT),
    (rb"BAM\x01", "BAM, aligned reads", _CONVERT),
    (rb"CRAM", "CRAM, aligned reads", _CONVERT),
    (rb"##fileformat=VCF", "VCF, variants", _NO_SEQUENCE),
    (rb"BCF\x02", "BCF, variants", _NO_SEQUENCE),
    (rb"\x43\x27\x41\x1a|\x1a\x41\x27\x43", "2bit", "Convert it to FASTA with twoBitToFa"),
    (rb"(?:fixedStep|variableStep|track type=wiggle)", "a wiggle track", _NO_SEQUENCE),
    (rb"(?i)\s*<(?:!DOCTYPE html|html)", "a web page, perhaps of a failed download", "Download it again"),
    (
        rb"(?s)\s*<\?xml.{0,400}?<(?:GBSet|INSDSet|Bioseq|Seq-entry)",
        "GenBank XML",
        "Save it as GenBank (full)",
    ),
    (rb"\s*<\?xml", "XML", _CONVERT),
    (rb"\s*(?:Seq-entry|Bioseq-set|Seq-submit) ::=", "ASN.1", "Save it as GenBank (full)"),
    (rb"\s*\{", "JSON", _CONVERT),
    (rb">Feature\s+\S+[^\n]*\n[<>\d]", "a feature table (.tbl)", _CONVERT),
    (
        rb"LOCUS +\S+ +\d+ aa\b",
        "GenPept, proteins in GenBank's format",
        "Give protein:FILE as FASTA, or GenBank",
    ),
    (
        rb"(?s)\s*>(?:P1|F1|DL|DC|RL|RC|N1|N3|XX);",
        "PIR (NBRF), whose second lines are titles",
        "Convert it to FASTA",
    ),
    (
        rb"(?:#[^\n]*\n)?(?:\d+\t)?[^\t\n]+\t[^\t\n]+\t[+-]\t(?:\d+\t){5}(?:\d+,)+\t(?:\d+,)+",
        "genePred, gene tables of UCSC",
        "Convert it with genePredToGtf",
    ),
    (rb"[^\t\n]+\t(?:\d+\t){3}[+-]\t[^\t\n]+\t(?:\d+\t){5}\d+", "PAF, alignments", _CONVERT),
    (rb"##maf", "a multiple alignment (MAF)", _CONVERT),
    (rb"# STOCKHOLM", "a Stockholm alignment", _CONVERT),
    (rb"CLUSTAL", "a Clustal alignment", _CONVERT),
    (rb"#NEXUS", "NEXUS", _CONVERT),
    (rb"HEADER {4}|ATOM {2}", "a PDB structure", _CONVERT),
    (rb"\x89HDF|SQLite format 3|%PDF|\xd0\xcf\x11\xe0", "no text file of sequences", _CONVERT),
    (rb"\t\x00\x00\x00\x0eSnapGene", "a SnapGene file", "Export it as GenBank"),
    (rb"H\tVN:|S\t\S+\t(?:\*|[ACGTNacgtn]+)[\t\n]", "GFA, an assembly graph", "Give its sequences as FASTA"),
    (rb"version https://git-lfs", "a Git LFS pointer, not the file", "Get the file: git lfs pull"),
]
_PATTERNS = [(re.compile(pattern), Foreign(name, remedy)) for pattern, name, remedy in _FORMATS]


def foreign_format(start: bytes) -> Foreign | None:
    """What a file is that begins so, or None; `start` is uncompressed once."""
    return next((foreign for pattern, foreign in _PATTERNS if pattern.match(start)), None)
