"""GenBank as its writers spell it, EMBL, and what happens to a record that gb-io cannot read."""

import bz2
import gzip
import lzma
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pytest

from lifecode.alphabet import decode_nucleotides
from lifecode.data import read_records
from lifecode.data.cds.coding_sequence import ExactPair, Rejected, verify_all
from lifecode.data.formats.insdc.features import organelle_of_definition
from lifecode.data.formats.opening import file_format
from lifecode.data.formats.plain_text import PlainText
from lifecode.errors import UserError

GENE, PROTEIN = "ATGAAATGGCATGCAGACTAA", "MKWHAD"
TERM = "/transl_except=(pos:19,aa:TERM)"
NOTE = '/note="TAA stop codon is completed by the addition of 3\' A residues"'
REFUSED = "LOCUS       B 21 bp    DNA     linear   BCT 32-XXX-2020"  # by gb-io: there is no such day


def record(*, dna=GENE, location="1..21", qualifiers=(f'/translation="{PROTEIN}"',), **words):
    told = {"name": "X1", "topology": "linear", "head": "", "column": 21, **words}
    lines = ['/organism="Genus species"', *told.get("source", ())]
    locus = told.get("locus") or f"LOCUS       {told['name']} {len(dna)} bp    DNA     {told['topology']} BCT"
    features = "".join(f"\n{' ' * 21}{line}" for line in lines)
    features += f"\n     CDS             {location}"
    features += "".join(f"\n{' ' * told['column']}{line}" for line in qualifiers)
    version = told["name"] if told.get("version") is None else told["version"]
    head = f"DEFINITION  {told.get('definition', '.')}\nVERSION     {version}\n{told['head']}"
    table = f"FEATURES             Location/Qualifiers\n     source          1..{len(dna)}{features}"
    return f"{locus}\n{head}{table}\nORIGIN\n        1 {dna.lower()}\n//\n"


@pytest.fixture
def read(tmp_path):
    def of(content, name="x.gbk", **settings):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(read_records(tmp_path / name, **settings))

    return of


def verdicts(contigs):
    return [
        "".join("." if isinstance(v, ExactPair) else v.reason.value for v in verify_all(contig))
        for contig in contigs
    ]


WRAPPED = "TGGCATGCAGACTAA" + "CCC" + "ATGAAA"  # the gene from position 19 on


@pytest.mark.parametrize("location", ["19..15", "19..39", "join(19..24,1..15)", "join(19..24,25..39)"])
def test_a_gene_across_the_origin_in_every_spelling(read, location):
    assert verdicts(read(record(dna=WRAPPED, location=location, topology="circular"))) == ["."]
    linear = verdicts(read(record(dna=WRAPPED, location=location)))
    assert linear == ["." if location.startswith("join(19..24,1") else "out_of_range"]


@pytest.mark.parametrize("location", ["complement(19..15)", "complement(19..39)"])
def test_a_gene_across_the_origin_on_the_other_strand(read, location):
    gene = GENE[::-1].translate(str.maketrans("ACGT", "TGCA"))
    dna = gene[6:] + "CCC" + gene[:6]
    assert verdicts(read(record(dna=dna, location=location, topology="circular"))) == ["."]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"column": 29}, "."),
        ({"column": 12}, "."),
        ({"qualifiers": (f'/translation="{PROTEIN}*"',)}, "."),
        ({"qualifiers": ('/locus_tag="L"',)}, "."),  # an intact frame
        ({"qualifiers": ('/locus_tag="L"',), "location": "1..18"}, "."),  # a stop follows
        ({"qualifiers": ('/locus_tag="L"',), "location": "1..17"}, "length_not_multiple_of_3"),
        ({"qualifiers": ('/locus_tag="L"',), "location": "1..15"}, "no_stop_codon"),
        ({"qualifiers": ("/transl_except=(pos:1..3,aa:Met)",), "dna": "ACG" + GENE[3:]}, "."),
        ({"qualifiers": (TERM,), "location": "1..19"}, "."),
        ({"qualifiers": (TERM,), "location": "4..19"}, "no_start_codon"),
        ({"qualifiers": (TERM,), "location": "1..18"}, "no_stop_codon"),
        ({"qualifiers": (TERM,), "location": "1..19", "dna": GENE[:6] + "TAA" + GENE[9:]}, "internal_stop"),
        ({"qualifiers": ("/transl_except=(pos:7..9,aa:Ser)",)}, "transl_except"),
        ({"qualifiers": ("/partial",)}, "partial"),
        ({"location": "<1..21"}, "partial"),
        ({"dna": "ACG" + GENE[3:]}, "translation_differs"),
        (
            {
                "dna": "ACG" + GENE[3:],
                "qualifiers": ('/exception="RNA editing"', f'/translation="{PROTEIN}"'),
            },
            ".",
        ),
        (
            {
                "dna": "ACG" + GENE[3:],
                "qualifiers": ("/transl_except=(pos:1..3,aa:Met)", f'/translation="{PROTEIN}"'),
            },
            ".",
        ),
        *(
            ({"dna": "ACG" + GENE[3:], "qualifiers": (told, f'/translation="{PROTEIN}"')}, expected)
            for told, expected in (
                ("/transl_except=(pos:1..3,aa:fMet)", "."),
                ("/transl_except=(pos:1..3,aa:M)", "."),
                ('/exception="alternative start codon"', "."),
                ('/exception="trans-splicing, RNA editing"', "."),
                ('/exception="unclassified translation discrepancy"', "translation_differs"),
            )
        ),
        *(
            ({"qualifiers": (f"/transl_except=(pos:19,aa:{stop})",), "location": "1..19"}, ".")
            for stop in ("TERM", "Term", "Ter", "stop", "*")
        ),
        (
            {"qualifiers": ('/exception="ribosomal slippage, RNA editing"', '/translation="MK"')},
            "ribosomal_slippage",
        ),
        ({"qualifiers": (NOTE,), "location": "1..19"}, "."),
        ({"qualifiers": (NOTE, f'/translation="{PROTEIN}"'), "location": "1..19"}, "."),
        (
            {"qualifiers": ('/note="x"', f'/translation="{PROTEIN}"'), "location": "1..19"},
            "length_not_multiple_of_3",
        ),
        *(
            ({"dna": GENE[:6] + stop + GENE[9:], "qualifiers": (f'/translation="MK{residue}HAD"',)}, expected)
            for stop, residue, expected in (
                ("TGA", "U", "transl_except"),
                ("TAG", "O", "transl_except"),
                ("TGA", "W", "."),  # by the code that its protein votes for
                ("TGC", "U", "translation_differs"),
            )
        ),
        ({"qualifiers": ('/exception="RNA editing"',)}, "exception"),
        ({"qualifiers": ('/exception="nonconsensus splice site"',)}, "."),
        ({"qualifiers": ("/PSEUDO",)}, "pseudo"),
        ({"qualifiers": ("/Partial",)}, "partial"),
    ],
)
def test_qualifiers_as_their_writers_put_them(read, words, expected):
    assert verdicts(read(record(**words))) == [expected]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (
            {"locus": "LOCUS       NODE_1_length_21_cov_3.621 bp   DNA linear", "version": ""},
            "NODE_1_length_21_cov_3.6",
        ),
        (
            {"locus": "LOCUS       contig_000721 bp    DNA     linear       01-JAN-2020", "version": ""},
            "contig_0007",
        ),
        ({"name": "plasmid", "version": "."}, "plasmid"),
        ({"name": "plasmid", "version": "<unknown id>"}, "plasmid"),
        ({"locus": "LOCUS       21 bp    DNA", "version": ""}, "record_1"),
    ],
)
def test_a_record_has_the_best_name_there_is(read, words, name):
    assert [contig.name for contig in read(record(**words))] == [name]


@pytest.mark.parametrize("blanks", ["\t", "\t\t\t", " \t "])
def test_qualifiers_behind_tabs(read, blanks):
    assert verdicts(read(record().replace("\n" + " " * 21, "\n" + blanks))) == ["."]


def test_a_record_that_gb_io_refuses_is_read_by_biopython(read):
    contigs = read(record(name="A") + record(name="B", locus=REFUSED) + record(name="C"))
    assert verdicts(contigs) == [".", ".", "."]
    assert [contig.dialect for contig in contigs] == ["GenBank", "GenBank, read by Biopython", "GenBank"]


def test_one_that_neither_reads_is_skipped_or_told_in_one_line(read):
    damaged = record(name="B", locus=REFUSED).replace("//\n", "")
    text, left_out = record(name="A") + damaged + record(name="C"), []
    contigs = read(text, on_malformed="skip", report=lambda *found: left_out.append(found))
    assert [contig.name for contig in contigs] == ["A", "C"]
    assert len(left_out) == 1
    with pytest.raises(UserError, match=r"record 2 \(after A\): not a readable GenBank record") as fault:
        read(text)
    assert "\n" not in str(fault.value)


def embl(**words):
    text = record(**words)
    _, _, sequence = text.partition("ORIGIN\n        1 ")
    table = text.partition("Location/Qualifiers\n")[2].partition("ORIGIN")[0]
    features = "".join(f"FT   {line[5:]}\n" for line in table.splitlines())
    length = len(sequence.removesuffix("\n//\n"))
    topology = words.get("topology", "linear")
    first = f"ID   {words.get('name', 'X1')}; SV 2; {topology}; genomic DNA; STD; PRO; {length} BP.\nXX\n"
    first += f"AC   {words.get('name', 'X1')};\nXX\nOS   Genus species\nXX\n"
    first += "FH   Key             Location/Qualifiers\nFH\n"
    letters = sequence.removesuffix("//\n").strip()
    return f"{first}{features}XX\nSQ   Sequence {length} BP;\n     {letters} {length}\n//\n"


@pytest.mark.parametrize("turn", range(21))
@pytest.mark.parametrize("strand", [1, -1])
def test_a_stop_codon_that_follows_on_a_circle_counts(read, turn, strand):
    dna = GENE[turn:] + GENE[:turn]
    start, end = (21 - turn) % 21 + 1, (17 + 21 - turn) % 21 + 1
    if strand == -1:
        dna = dna[::-1].translate(str.maketrans("ACGT", "TGCA"))
        start, end = 22 - end, 22 - start
    location = f"{start}..{end}" if strand == 1 else f"complement({start}..{end})"
    words = {"dna": dna, "location": location, "qualifiers": (), "topology": "circular"}
    (contig,) = read(record(**words))
    (pair,) = verify_all(contig)
    assert decode_nucleotides(pair.nucleotides) == GENE


def test_embl_reads_as_genbank_does(read):
    (contig,) = read(embl(dna=WRAPPED, location="join(19..24,1..15)", topology="circular"), "x.embl")
    assert (contig.name, contig.organism, contig.dialect) == ("X1.2", "Genus species", "EMBL")
    assert contig.circular
    assert verdicts([contig]) == ["."]
    assert verdicts(read(embl(location="<1..21"), "x.embl")) == ["partial"]


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("order(1..9,10..21)", "."),
        ("JOIN(1..9,10..21)", "."),
        ("1..21  ", "."),
        ("1 ..21", "."),
        ("join(1..9,\n                     10..21)", "."),
        ("1..21>", "partial"),
        ("1..<21", "partial"),
        (">1..21", "partial"),
        ("complement(>1..21)", "partial"),
        ("join(1..9,\n                     10..21>)", "partial"),
        ("1.21", "unreadable_location"),
        ("1-21", "unreadable_location"),
        ("(1.4)..21", "unreadable_location"),
        ("one-of(1,4)..21", "unreadable_location"),
        ("bond(1,21)", "unreadable_location"),
        ("1..9,10..21", "unreadable_location"),
        ("X1:1..21", "."),
        ("join(X1:1..9,\n                     X1:10..21)", "."),
        ("join(X1.1:1..9,X1:10..21)", "unreadable_location"),
        ("join(J00194.1:1..9,10..21)", "unreadable_location"),
    ],
)
@pytest.mark.parametrize("read_by", ["gb-io", "Biopython", "EMBL"])
def test_locations_that_a_parser_would_cut_short(read, read_by, location, expected):
    words = {"location": location, "qualifiers": ('/locus_tag="L"',)}
    if read_by == "EMBL":
        contigs = read(embl(**words | {"location": location.replace("\n   ", "\nFT ")}), "x.embl")
    else:
        contigs = read(record(**words | ({"locus": REFUSED} if read_by == "Biopython" else {})))
    assert verdicts(contigs) == [expected]


@pytest.mark.parametrize(
    ("location", "flag", "expected"),
    [
        ("1..21", "/pseudo", "pseudo"),
        ("1..21", '/pseudogene="unknown"', "pseudo"),
        ("1..21", "/partial", "partial"),
        ("<1..21", "", "partial"),
        ("1..21>", "", "partial"),
        ("1..21", "", "."),
        ("complement(1..21)", "/pseudo", "."),
    ],
)
@pytest.mark.parametrize("form", ["x.gbk", "x.embl"])
def test_what_a_gene_says_of_a_cds_without_a_protein(read, form, location, flag, expected):
    written = record if form == "x.gbk" else embl
    margin = "\n" + ("FT   " if form == "x.embl" else "     ")
    gene = f"{margin}gene            {location}"
    for line in ('/locus_tag="L"', flag) if flag else ('/locus_tag="L"',):
        gene += f"{margin}{' ' * 16}{line}"
    for more, judged in ((), expected), ((f'/translation="{PROTEIN}"',), "."):
        text = written(qualifiers=('/locus_tag="L"', *more)).replace(f"{margin}CDS", f"{gene}{margin}CDS")
        assert verdicts(read(text, form)) == [judged]


@pytest.mark.parametrize(
    "locus",
    [
        "LOCUS       X1 24 bp    DNA     CIRCULAR BCT",
        "LOCUS       X1                        24 bp    DNA     circular   12-Dec-2020",
        "LOCUS       X1                        24 bp    ds-DNA  Circular   SYN 12-dec-2020",
        "LOCUS       X1                        24 bp    DNA     circular   2020-12-12",
    ],
)
def test_first_lines_that_the_standard_does_not_have(read, locus):
    (contig,) = read(record(dna=WRAPPED, location="19..15", locus=locus))
    assert contig.circular
    assert verdicts([contig]) == ["."]


FEATURE_LINE = "     CDS             1..21"


@pytest.mark.parametrize(
    "spelled",
    [
        "     CDS\t1..21",
        "\tCDS\t1..21",
        "     CDS  \t  complement(complement(1..21))",
        "     CDS  1..21",
        "     CDS                       1..21",
        "     CDS                       join(1..9,10..21)",
        "     CDS             1..21   ",
    ],
)
def test_features_in_other_columns_are_not_lost(read, spelled):
    text = record(qualifiers=('/note="two lines\n     CDS\t4..9 of it"', f'/translation="{PROTEIN}"'))
    (contig,) = read(text.replace(FEATURE_LINE, spelled))
    assert len(contig.coding_sequences) == 1
    assert verdicts([contig]) == ["."]


def test_blanks_at_the_ends_of_lines(read):
    for blank in (" ", "\t", "   "):
        assert verdicts(read(record().replace("\n", f"{blank}\n"))) == ["."]
    assert verdicts(read(record(name="A").replace("//\n", "//  \n") + record(name="B"))) == [".", "."]


FIRST_LINE = "ID   X1; SV 2; linear; genomic DNA; STD; PRO; 21 BP."


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (FIRST_LINE, "ID   X1 ; ; ; ; ; 21 BP."),
        (FIRST_LINE, "ID   X1; XXX; linear; genomic DNA; XXX; PRO; XXX."),
        (FIRST_LINE, "ID   X1"),
        (FIRST_LINE, "ID   X1 standard; DNA; PRO; 21 BP."),
        ("FH   Key             Location/Qualifiers\nFH\n", ""),
        ("//\n", ""),
        ("SQ ", "\nSQ "),
        ("SQ ", "CO   join(A:1..21)\nSQ "),
    ],
)
def test_embl_as_its_writers_spell_it(read, old, new):
    (contig,) = read(embl().replace(old, new), "x.embl")
    assert contig.name.startswith("X1")
    assert verdicts([contig]) == ["."]


@pytest.mark.parametrize("lost", [6, 9, 20])
def test_embl_that_ends_early_is_not_mended(read, lost):
    text = embl(dna=GENE * 9).replace(FIRST_LINE.replace("21 BP", "189 BP"), "ID   X1")
    with pytest.raises(UserError, match="not a readable EMBL record"):
        read(text[: -len("//\n") - lost], "x.embl")


def test_feature_keys_in_small_letters(read):
    assert verdicts(read(record().replace(" CDS ", " cds "))) == ["."]
    assert verdicts(read(embl().replace(" CDS ", " cds "), "x.embl")) == ["."]


def test_embl_before_its_submission_has_the_submitters_name(read):
    one = embl(name="XXX").replace("SV 2", "XXX").replace("AC   XXX;", "AC   ;\nXX\nAC * _ctg1")
    assert [contig.name for contig in read(one + one.replace("_ctg1", "_ctg2"), "x.embl")] == ["ctg1", "ctg2"]


def test_embl_goes_on_behind_a_damaged_record(read):
    text = embl(name="A") + embl(name="B").replace(" BP.", "9 BP.", 1) + embl(name="C")
    contigs = read(text, "x.embl", on_malformed="skip", report=lambda *_: None)
    assert [contig.name for contig in contigs] == ["A.2", "C.2"]
    with pytest.raises(UserError, match="record B: not a readable EMBL record"):
        read(text, "x.embl")


def test_what_says_organelle_in_a_flat_file(read):
    for words in (
        {"source": ('/organelle="mitochondrion"',)},
        {"definition": "Genus mitochondrion, complete genome."},
        {"head": "SOURCE      mitochondrion Genus sp.\n  ORGANISM  Genus sp.\n            Life.\n"},
    ):
        (contig,) = read(record(qualifiers=(), **words))
        assert contig.organelle == "mitochondrion"
        assert [v.reason for v in verify_all(contig)] == [Rejected.ORGANELLE_GENETIC_CODE]
    text = embl(qualifiers=()).replace(
        "OS   Genus species\n", "OS   Genus species\nOG   Plastid:Chloroplast\n"
    )
    (contig,) = read(text, "x.embl")
    assert contig.organelle in ("plastid", "chloroplast")
    assert [v.reason for v in verify_all(contig)] == [Rejected.ORGANELLE_GENETIC_CODE]
    (contig,) = read(text.replace("Plastid:Chloroplast", "Plasmid pX"), "x.embl")
    assert contig.organelle is None
    for title in ("X mitochondrial DNA, complete genome", "X mitochondrion isolate B37, complete genome"):
        assert organelle_of_definition(title).startswith("mitochondri")
    assert organelle_of_definition("X superoxide dismutase, mitochondrial, complete cds") is None
    nuclear = "Genus mRNA for mitochondrial protein, complete cds; nuclear gene for mitochondrial product."
    assert organelle_of_definition(nuclear) is None


TEXT = record(head="COMMENT     a note\n")
SPELLED = {
    "byte order mark": "\ufeff".encode() + TEXT.encode(),
    "UTF-16": TEXT.encode("utf-16"),
    "UTF-16 without a mark": TEXT.encode("utf-16-be"),
    "UTF-32": TEXT.encode("utf-32"),
    "Windows": TEXT.replace("\n", "\r\n").encode(),
    "Windows, twice": TEXT.replace("\n", "\r\r\n").encode(),
    "old Mac": TEXT.replace("\n", "\r").encode(),
    "old Mac, then Unix": TEXT.replace("\n", "\r", 9).encode(),
    "Unix, then old Mac": TEXT[:99].encode() + TEXT[99:].replace("\n", "\r").encode(),
    "Latin-1": TEXT.replace("a note", "une région").encode("latin-1"),
    "form feed": b"\f" + TEXT.encode(),
    "Ctrl-Z": TEXT.encode() + b"\x1a",
    "gzip": gzip.compress(TEXT.encode()),
    "bzip2": bz2.compress(TEXT.encode()) + bz2.compress(TEXT.encode())[:0],
    "xz": lzma.compress(TEXT.encode()),
    "lzma": lzma.compress(TEXT.encode(), format=lzma.FORMAT_ALONE),
    "Zstandard": pa.Codec("zstd").compress(TEXT.encode(), asbytes=True),
    "Zstandard behind a skippable frame": b"\x50\x2a\x4d\x18\x04\x00\x00\x00pzst"
    + pa.Codec("zstd").compress(TEXT.encode(), asbytes=True),
    "gzip of Windows": gzip.compress(TEXT.replace("\n", "\r\n").encode()),
}


@pytest.mark.parametrize("spelling", SPELLED)
def test_encodings_line_ends_and_compressions_read_alike(read, spelling):
    (contig,) = read(SPELLED[spelling], "x.txt")  # whatever it is called
    assert (contig.name, len(contig.nucleotides)) == ("X1", 21)
    assert verdicts([contig]) == ["."]


def test_line_ends_across_blocks(read):
    filler = "".join(f"COMMENT     {number:04}\r\n" for number in range(20_000))
    assert verdicts(
        read(record(head="COMMENT     x\n").replace("\n", "\r\n").replace("COMMENT     x\r\n", filler))
    ) == ["."]


@pytest.mark.parametrize("before", range(4))
def test_line_ends_of_every_kind_in_one_file_across_blocks(before):
    begun = "x" * ((1 << 16) - 4 + before)
    text = begun + "\r\r\na\r\nb\rc\nd\r"
    assert PlainText(BytesIO(text.encode()), Path("x")).read().decode() == begun + "\na\nb\nc\nd\n"


@pytest.mark.parametrize("before", range(5))
def test_marks_of_files_that_were_joined_go_across_blocks(before):
    begun = "x" * ((1 << 16) - 6 + before)
    text = f"\ufeff{begun}\n\ufeffa\r\n\ufeffé\n\ufeff"
    assert PlainText(BytesIO(text.encode()), Path("x")).read().decode() == begun + "\na\né\n"
    cut = b"x" + "\ufeff".encode()[:2]
    assert PlainText(BytesIO(cut), Path("x")).read() == cut


def test_joined_files_with_a_mark_each(read):
    assert verdicts(read("\ufeff" + record(name="A") + "\ufeff" + record(name="B"))) == [".", "."]
    assert [contig.name for contig in read("\ufeff>a\nAC\n\ufeff>b\nGT\n", "x.fa")] == ["a", "b"]


def test_fasta_of_an_old_mac_joined_to_one_of_unix(read):
    contigs = read(b">a\nACGT\n>b\rACG\rT\r>c\rAC\n", "x.fa")
    assert [(contig.name, len(contig.nucleotides)) for contig in contigs] == [("a", 4), ("b", 4), ("c", 2)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PK\x03\x04" + bytes(40), "a zip archive"),
        (b"\x1f\x9d\x90abcdefghijk", "Unix compress"),
        (b"LZIP\x01\x0c" + bytes(40), "lzip-compressed"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(20), "a 7z archive"),
        (gzip.compress(bytes(257) + b"ustar\x0000" + bytes(300)), "a tar archive"),
        (gzip.compress(gzip.compress(b">a\nACGT\n")), "compressed twice"),
        (gzip.compress(bz2.compress(b">a\nACGT\n")), "compressed twice"),
        (b"@read1\nACGT\n+\nIIII\n", "FASTQ"),
        (gzip.compress(b"@read1\nACGT\n+\nIIII\n"), "FASTQ"),
        (b"@HD\tVN:1.6\n", "SAM"),
        (gzip.compress(b"BAM\x01" + bytes(9)), "BAM"),
        (b"##fileformat=VCFv4.2\n", "VCF"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b'<?xml version="1.0"?>\n<GBSet>', "GenBank XML"),
        (b"LOCUS       NP_1 120 aa  linear\n", "GenPept"),
        (b">P1;CRAB_ANAPL\nALPHA CRYSTALLIN B CHAIN\n  MDITIHNPLI*\n", "PIR .*titles"),  # letters all
        (b"#name\tchrom\nNM_1\tchr1\t+\t0\t100\t10\t90\t2\t0,50,\t20,100,\n", "genePred"),
        (b"585\tNM_1\tchr1\t-\t0\t100\t10\t90\t1\t0,\t100,\t0\tG\tcmpl\tcmpl\t0,\n", "genePred"),
        (b"q\t100\t0\t100\t+\tt\t200\t0\t100\t99\t100\t60\tcg:Z:100M\n", "PAF"),
        (b"##maf version=1\na score=1\n", "MAF"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
    ],
    ids=lambda value: value if isinstance(value, str) else "bytes",
)
def test_what_is_not_read_is_named(tmp_path, content, told):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(UserError, match=told) as fault:
        file_format(tmp_path / "x")
    assert fault.value.remedy


@pytest.mark.parametrize(
    "compress", [bz2.compress, lzma.compress, lambda b: pa.Codec("zstd").compress(b, asbytes=True)]
)
def test_a_compressed_file_that_ends_early_is_named(read, compress):
    whole = compress(TEXT.encode() * 50)
    with pytest.raises(UserError, match="ends early"):
        read(whole[: len(whole) - 20])
