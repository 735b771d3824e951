"""GFF3 and GTF with a genome, by hand and against an independent reading of the fly's first hundredth."""

import csv
import gzip
from collections import defaultdict

import pytest
from Bio import SeqIO
from Bio.Seq import Seq

from lifecode.alphabet import decode_nucleotides
from lifecode.data import read_records
from lifecode.data.cds.coding_sequence import ExactPair, Rejected, extract, verify, verify_all
from lifecode.errors import UserError

GENOME = "AACCCGGTTTTTACGTACGTACGTACGTAC"  # 30 nucleotides


@pytest.fixture
def read(tmp_path):
    """The only contig of a genome with the given lines of annotation."""

    def of(*lines, genome=GENOME, name="g.gff"):
        (tmp_path / "g.fa").write_text(f">c\n{genome}\n")
        columns = [line.split() if "\t" not in line else line.split("\t") for line in lines]
        (tmp_path / name).write_text("".join("\t".join(row) + "\n" for row in columns))
        (contig,) = read_records(f"{tmp_path / name}+{tmp_path / 'g.fa'}")
        return contig

    return of


def cds(start, end, strand="+", phase="0", attributes="ID=x"):
    return f"c . CDS {start} {end} . {strand} {phase} {attributes}"


def gtf(kind, start, end, strand="+", transcript="t", more=""):
    return "\t".join(
        [
            "c",
            ".",
            kind,
            str(start),
            str(end),
            ".",
            strand,
            "0",
            f'gene_id "g"; transcript_id "{transcript}"; {more}',
        ]
    )


def cut_out(contig):
    return [decode_nucleotides(extract(one, contig)) for one in contig.coding_sequences]


def exons(contig):
    return [list(map(tuple, one.exons)) for one in contig.coding_sequences]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_parts_in_any_order(read, order):
    for strand, expected in (("+", "AAGGCG"), ("-", "CGCCTT")):
        parts = [cds(1, 2, strand), cds(6, 7, strand), cds(14, 15, strand)]
        assert cut_out(read(*(parts[i] for i in order))) == [expected]


def test_first_part_of_the_cds_has_the_phase_that_counts(read):
    minus = read(cds(1, 2, "-", "1"), cds(6, 7, "-", "2"))
    plus = read(cds(1, 2, "+", "1"), cds(6, 7, "+", "2"))
    assert [contig.coding_sequences[0].codon_start for contig in (minus, plus)] == [3, 2]
    assert verify(plus.coding_sequences[0], plus).reason == Rejected.PARTIAL


@pytest.mark.parametrize(
    ("attributes", "order"),
    [
        (("part=2", "part=1", "part=3"), (1, 0, 2)),
        (("part=2/3", "part=3/3", "part=1/3"), (2, 0, 1)),
        (("x=1", "x=2", "x=3"), (0, 1, 2)),
    ],
)
def test_trans_spliced_parts_keep_their_own_order(read, attributes, order):
    # rps12 of a chloroplast: the first exon on the minus strand, the others far away on the plus strand.
    places = [(6, 7, "-", "CC"), (14, 15, "+", "CG"), (1, 2, "+", "AA")]
    lines = [
        cds(start, end, strand, "0", f"ID=rps12;exception=trans-splicing;{more}")
        for (start, end, strand, _), more in zip(places, attributes, strict=True)
    ]
    contig = read(*lines)
    assert cut_out(contig) == ["".join(places[i][3] for i in order)]
    assert contig.coding_sequences[0].trans_splicing


REGION = "c . region 1 30 . + . ID=c;Is_circular=true;Dbxref=taxon:42"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([cds(29, 32)], [(28, 30, 1), (0, 2, 1)]),
        ([cds(29, 32, "-")], [(0, 2, -1), (28, 30, -1)]),
        ([cds(1, 2), cds(29, 30)], [(28, 30, 1), (0, 2, 1)]),
        ([cds(1, 2, "-"), cds(29, 30, "-")], [(0, 2, -1), (28, 30, -1)]),
        ([cds(1, 2), cds(25, 26), cds(29, 30)], [(24, 26, 1), (28, 30, 1), (0, 2, 1)]),
    ],
)
def test_cds_across_the_origin_of_a_circular_genome(read, lines, expected):
    contig = read(REGION, *lines)
    assert (contig.circular, contig.taxon) == (True, 42)
    assert exons(contig) == [expected]
    if len(lines) == 1:
        linear = read(*lines)
        assert verify(linear.coding_sequences[0], linear).reason == Rejected.OUT_OF_RANGE


def test_stop_codon_outside_the_cds_of_gtf(read):
    assert exons(read(gtf("CDS", 1, 6), gtf("stop_codon", 7, 9))) == [[(0, 9, 1)]]
    assert exons(read(gtf("CDS", 7, 9, "-"), gtf("stop_codon", 4, 6, "-"))) == [[(3, 9, -1)]]
    assert exons(read(gtf("CDS", 1, 9), gtf("stop_codon", 7, 9))) == [[(0, 9, 1)]]
    split = read(gtf("CDS", 1, 6), gtf("stop_codon", 7, 7), gtf("stop_codon", 11, 12))
    assert exons(split) == [[(0, 7, 1), (10, 12, 1)]]
    other = read(gtf("CDS", 1, 6), gtf("stop_codon", 7, 9, transcript="u"))
    assert exons(other) == [[(0, 6, 1)]]


def test_frameshift_that_the_parts_spell_out_is_kept_as_it_is(read):
    assert exons(read(cds(1, 6), cds(6, 10))) == [[(0, 6, 1), (5, 10, 1)]]


def test_which_lines_are_one_cds(read):
    parent = "c . mRNA 1 20 . + . ID=m;Parent=g"
    gene = "c . gene 1 20 . + . ID=g"
    one = [cds(1, 2, attributes="ID=m.CDS.1;Parent=m"), cds(6, 7, attributes="ID=m.CDS.2;Parent=m")]
    assert cut_out(read(gene, parent, *one)) == ["AAGG"]
    two = [cds(1, 4, attributes="ID=p;Parent=g"), cds(3, 7, attributes="ID=q;Parent=g")]
    assert cut_out(read(gene, *two)) == ["AACC", "CCCGG"]
    alone = [cds(1, 2, attributes="note=x"), cds(6, 7, attributes="note=y")]
    assert cut_out(read(*alone)) == ["AA", "GG"]


def test_a_line_of_two_parents_belongs_to_two_isoforms(read):
    contig = read(
        "c . gene 1 20 . + . ID=g;Name=abc",
        "c . mRNA 1 20 . + . ID=m;Parent=g",
        "c . mRNA 1 20 . + . ID=n;Parent=g",
        cds(1, 2, attributes="Parent=m,n"),
        cds(6, 7, attributes="Parent=n"),
    )
    assert cut_out(contig) == ["AA", "AAGG"]
    assert [(one.id, one.gene, one.gene_id) for one in contig.coding_sequences] == [
        ("m", "abc", "g"),
        ("n", "abc", "g"),
    ]


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ("ID=cds1;Parent=m;protein_id=P.1", "P.1"),
        ("ID=cds1;Parent=m", "m"),
        ("ID=cds1;Parent=g", "cds1"),
        ("locus_tag=L", "L"),
        ("note=x", "cds:1..2"),
        ("ID=a%2Cb", "a,b"),
    ],
)
def test_name_of_a_cds(read, attributes, name):
    contig = read("c . gene 1 20 . + . ID=g", "c . mRNA 1 20 . + . ID=m", cds(1, 2, attributes=attributes))
    assert contig.coding_sequences[0].id == name


def test_repeated_names_get_a_number(read):
    contig = read(cds(1, 2, attributes="protein_id=P;ID=a"), cds(3, 4, attributes="protein_id=P;ID=b"))
    assert [one.id for one in contig.coding_sequences] == ["P", "P#2"]


@pytest.mark.parametrize(
    "lines",
    [
        ["c . pseudogene 1 20 . + . ID=g", cds(1, 3, attributes="Parent=g")],
        ["c . gene 1 20 . + . ID=g;pseudo=true", cds(1, 3, attributes="Parent=g")],
        ["c . gene 1 20 . + . ID=g;biotype=processed_pseudogene", cds(1, 3, attributes="Parent=g")],
        [cds(1, 3, attributes="ID=x;pseudo=true")],
    ],
)
def test_pseudogenes(read, lines):
    assert read(*lines).coding_sequences[0].pseudo


def test_ends_that_are_open(read):
    assert read(cds(1, 3, attributes="ID=x;partial=true")).coding_sequences[0].partial
    assert read(gtf("CDS", 1, 3, more='tag "basic"; tag "cds_end_NF";')).coding_sequences[0].partial
    assert not read(gtf("CDS", 1, 3, more='tag "basic";')).coding_sequences[0].partial


def test_annotated_exceptions(read):
    told = "ID=x;transl_table=2;exception=ribosomal slippage;transl_except=(pos:1..3%2Caa:Sec)"
    (one,) = read(f"c\t.\tCDS\t1\t3\t.\t+\t0\t{told}").coding_sequences
    assert (one.genetic_code, one.ribosomal_slippage) == (2, True)
    assert one.transl_except == ("(pos:1..3,aa:Sec)",)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (cds("x", 3), "no position"),
        (cds("9" * 5000, 3), "no position"),
        (cds(0, 3), "no stretch"),
        (cds(5, 3), "no stretch"),
        (cds(1, 3, "?"), "strand"),
        (cds(1, 3, "+", "7"), "phase"),
    ],
)
def test_position_that_cannot_be_read_is_a_problem_of_its_cds_alone(read, line, problem):
    contig = read(line, cds(1, 3, attributes="ID=y"))
    bad, good = contig.coding_sequences
    assert problem in bad.location_problem
    assert verify(bad, contig).reason == Rejected.UNREADABLE_LOCATION
    assert good.location_problem is None


def test_circle_of_parents_ends(read):
    lines = ["c . gene 1 9 . + . ID=a;Parent=b", "c . gene 1 9 . + . ID=b;Parent=a"]
    assert len(read(*lines, cds(1, 3, attributes="Parent=a")).coding_sequences) == 1


def test_only_the_longest_isoform_of_a_gene(tmp_path):
    genome = "ATGAAATAA" + "ATGAAACCCTAA"
    (tmp_path / "g.fa").write_text(f">c\n{genome}\n")
    rows = [(1, 9, "a", "g"), (10, 21, "b", "g"), (1, 9, "d", "g"), (10, 21, "e", "g"), (1, 9, "c", "h")]
    lines = [f'c\t.\tCDS\t{s}\t{e}\t.\t+\t0\tgene_id "{g}"; transcript_id "{t}";\n' for s, e, t, g in rows]
    (tmp_path / "g.gtf").write_text("".join(lines))
    (everything,) = read_records(str(tmp_path / "g.*"))
    (longest,) = read_records(str(tmp_path / "g.*"), isoforms="longest")
    assert [isinstance(verdict, ExactPair) for verdict in verify_all(everything)] == 5 * [True]
    verdicts = list(verify_all(longest))
    assert [isinstance(verdict, ExactPair) for verdict in verdicts] == [False, True, False, False, True]
    assert (verdicts[0].reason, verdicts[0].detail) == (Rejected.SHORTER_ISOFORM, "b stands for the gene")


def test_the_longest_isoform_that_is_a_pair_stands_for_a_gene(tmp_path):
    (tmp_path / "g.fa").write_text(">c\nATGAAATAAATGTAACCCTAA\n")
    rows = [(1, 9, "a", "g"), (10, 21, "b", "g"), (10, 21, "c", "h"), (13, 21, "d", "h")]
    lines = [f'c\t.\tCDS\t{s}\t{e}\t.\t+\t0\tgene_id "{g}"; transcript_id "{t}";\n' for s, e, t, g in rows]
    (tmp_path / "g.gtf").write_text("".join(lines))
    (contig,) = read_records(str(tmp_path / "g.*"), isoforms="longest")
    assert [cds.longer_isoform for cds in contig.coding_sequences] == [None, "a", None, "c"]


def test_annotation_may_jump_between_contigs_and_be_compressed(tmp_path):
    (tmp_path / "g.fa").write_text("".join(f">{name} x\nACGTACGTACGT\n" for name in "abc"))
    rows = [
        f"{name}\t.\tCDS\t{start}\t{start + 2}\t.\t+\t0\tID={name}{start}"
        for start in (1, 4)
        for name in "cab"
    ]
    (tmp_path / "g.gff.gz").write_bytes(gzip.compress("\r\n".join(rows).encode()))
    contigs = list(read_records(str(tmp_path / "*")))
    assert [contig.name for contig in contigs] == ["a", "b", "c"]
    assert [[one.id for one in contig.coding_sequences] for contig in contigs] == [
        [f"{name}1", f"{name}4"] for name in "abc"
    ]


def test_sequences_in_the_same_file(tmp_path):
    path = tmp_path / "g.gff"
    path.write_text("##gff-version 3\nc\t.\tCDS\t1\t9\t.\t+\t0\tID=x\n##FASTA\n>c\nATGAAATAA\n")
    (contig,) = read_records(path)
    (pair,) = verify_all(contig)
    assert decode_nucleotides(pair.nucleotides) == "ATGAAATAA"


def test_cds_whose_sequence_is_missing(tmp_path):
    (tmp_path / "g.fa").write_text(">a\nACGT\n")
    line = "{}\t.\tCDS\t1\t3\t.\t+\t0\tID=x\n"
    (tmp_path / "g.gff").write_text(line.format("a") + line.format("b"))
    contigs = read_records(str(tmp_path / "g.*"))
    assert next(contigs).name == "a"
    with pytest.raises(UserError, match=r"g\.gff, record b: its CDS have no sequence"):
        next(contigs)
    (tmp_path / "g.gff").write_text(line.format("chr1"))
    with pytest.raises(UserError, match=r"g\.gff: no sequence of .*g\.fa is annotated here.*names chr1"):
        list(read_records(str(tmp_path / "g.*"), on_malformed="stop"))


def test_fly_against_an_independent_reading(shared_data):
    fasta = shared_data("genomes/D.melanogaster.1pct.fa.gz")
    gff = shared_data("genomes/D.melanogaster.1pct.gff.gz")
    with gzip.open(fasta, "rt") as handle:
        genome = {record.id: record.seq for record in SeqIO.parse(handle, "fasta")}
    parts = defaultdict(list)
    with gzip.open(gff, "rt") as handle:
        for row in csv.reader(handle, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row[2] == "CDS":
                for parent in row[8].split("Parent=")[1].split(";")[0].split(","):
                    parts[parent].append((row[0], int(row[3]), int(row[4]), row[6]))
    expected = {}
    for transcript, rows in parts.items():
        pieces = (str(genome[chromosome][start - 1 : end]) for chromosome, start, end, _ in sorted(rows))
        spliced = Seq("".join(pieces))
        spliced = spliced.reverse_complement() if rows[0][3] == "-" else spliced
        protein = spliced[: len(spliced) // 3 * 3].translate()
        if len(spliced) % 3 == 0 and spliced.startswith("ATG") and protein.find("*") == len(protein) - 1:
            expected[transcript] = str(spliced)
    pairs = {}
    for contig in read_records([gff, fasta]):
        for verdict in verify_all(contig):
            if isinstance(verdict, ExactPair):
                pairs[verdict.coding_sequence.id] = decode_nucleotides(verdict.nucleotides)
    assert (len(parts), len(expected)) == (244, 236)
    assert pairs == expected
