"""What is one gene, what is partial, which order and which phases count: cases with their right answers."""

import pytest
from Bio.Seq import Seq

from lifecode.data import read_records
from lifecode.data.cds.coding_sequence import Rejection, verify_all
from lifecode.errors import UserError
from tests.support.gff_dialects import GENE_AND_MRNA, GENOME, PROTEINS, gff3, gtf
from tests.support.gff_genome import GENES, Gene, annotated, coding, genome

ONE, TWO, THREE = PROTEINS
FIRST = GENES[:1]
PARTIAL, PSEUDO = "partial", "pseudo"


def row(kind, start, end, strand, phase, column, contig="ctg1"):
    return "\t".join(map(str, (contig, "x", kind, start, end, ".", strand, phase, column))) + "\n"


def of_gene_1(cds="", gene="", mrna="", dialect=gff3):
    """The first gene, with more attributes at its CDS, gene or mRNA line."""
    if dialect is gtf:
        above = [
            ("gene", f'gene_id "G1"; {gene}'),
            ("transcript", f'gene_id "G1"; transcript_id "T1"; {mrna}'),
        ]
        return annotated(lambda g, i: f"{gtf(g, i)} {cds}", lambda g: above, genes=FIRST)
    above = [("gene", f"ID=gene1;{gene}"), ("mRNA", f"ID=rna1;Parent=gene1;{mrna}")]
    return annotated(lambda g, i: f"{gff3(g, i)};{cds}", lambda g: above, genes=FIRST)


@pytest.mark.parametrize("where", ["cds", "mrna", "gene"])
@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("partial=true", PARTIAL),
        ("partial", PARTIAL),
        ("Partial=True", PARTIAL),
        ("partial=10", PARTIAL),
        ("partial=01", PARTIAL),
        ("partial=11", PARTIAL),
        ("partial=00", ONE),
        ("partial=false", ONE),
        ("start_range=.,151", PARTIAL),
        ("end_range=580,.", PARTIAL),
        ("tag=basic,cds_start_NF", PARTIAL),
        ("tag=mRNA_end_NF", ONE),
        ("cds_end_NF=true", PARTIAL),
        ("five_prime_partial=true", PARTIAL),
        ("5_prime_partial=true", PARTIAL),
        ("Name=ORF%20type%3A5prime_partial%20len%3A90", PARTIAL),
        ("Name=ORF type:internal len:90", PARTIAL),
        ("Name=ORF type:complete len:90", ONE),
        ("Note=partial", PARTIAL),
        ("Note=similar to a partial protein", ONE),
        ("Note=partial at 5' end", PARTIAL),
        ("orf_type=5prime_partial", PARTIAL),
        ("truncated=5-prime", PARTIAL),
        ("status=incomplete", PARTIAL),
        ("completeness=incomplete", PARTIAL),
        ("completeness=complete", ONE),
        ("incomplete=true", PARTIAL),
        ("Note=5'-partial", PARTIAL),
        ("Note=incomplete", PARTIAL),
        ("Note=similar to an incomplete protein", ONE),
        ("start_NF=true", PARTIAL),
        ("CDS_end_not_found=1", PARTIAL),
        ("start_not_found=true", PARTIAL),
        ("mRNA_start_not_found=true", ONE),
        ("partial=NA", ONE),
        ("type=pseudogene", PSEUDO),
        ("gene_class=processed pseudogene", PSEUDO),
        ("Note=pseudogene", PSEUDO),
        ("Note=similar to a pseudogene", ONE),
        ("pseudo=true", PSEUDO),
        ("pseudo", PSEUDO),
        ("pseudo=_no_value", PSEUDO),
        ("pseudo=false", ONE),
        ("pseudogene=unknown", PSEUDO),
        ("is_pseudo=true", PSEUDO),
        ("is_pseudo=false", ONE),
        ("so_term_name=pseudogene", PSEUDO),
        ("locus_type=pseudogene", PSEUDO),
        ("gene_biotype=transcribed_unitary_pseudogene", PSEUDO),
    ],
)
def test_flags_count_wherever_they_stand(judged, where, flag, expected):
    assert judged(of_gene_1(**{where: flag}))[0] == [expected]
    key, _, value = flag.replace("%20", " ").replace("%3A", ":").partition("=")
    if key.isidentifier():
        assert judged(of_gene_1(**{where: f'{key} "{value}";'}, dialect=gtf))[0] == [expected]


@pytest.mark.parametrize(
    ("flag", "expected"), [("pseudo=true", PSEUDO), ("partial=10", PARTIAL), ("x=y", ONE)]
)
@pytest.mark.parametrize("gene", ["ID=other;locus_tag=L1", "locus_tag=L1"])
def test_a_gene_that_only_its_locus_tag_joins_to_its_cds(judged, gene, flag, expected):
    text = annotated(lambda g, i: "ID=c;locus_tag=L1", lambda g: [("gene", f"{gene};{flag}")], genes=FIRST)
    assert judged(text)[0] == [expected]
    elsewhere = text.replace("gene\t151\t580", "gene\t1281\t1490")
    assert judged(elsewhere)[0] == [ONE]


def test_open_positions_are_partial(judged):
    text = of_gene_1()
    assert judged(text.replace("CDS\t151\t", "CDS\t<151\t"))[0] == [PARTIAL]
    assert judged(text.replace("\t580\t.\t+\t2", "\t>580\t.\t+\t2"))[0] == [PARTIAL]


CONTRADICT = "phases_contradict_lengths"


@pytest.mark.parametrize(
    ("phases", "more", "expected"),
    [
        ("012", "", ONE),
        ("021", "", CONTRADICT),
        ("011", "", CONTRADICT),
        ("001", "", CONTRADICT),
        ("000", "", ONE),
        ("...", "", ONE),
        (".12", "", ONE),
        ("000", "exception=ribosomal slippage", CONTRADICT),
        ("012", "exception=ribosomal slippage", ONE),
        ("021", "codon_start=1", ONE),
        ("111", "codon_start=1", ONE),
        ("7x1", "codon_start=1", ONE),
        ("012", "codon_start=2", PARTIAL),
        ("120", "", PARTIAL),
        ("222", "", CONTRADICT),
    ],
)
def test_phases(judged, phases, more, expected):
    lines = of_gene_1(cds=more).splitlines(keepends=True)
    for i, phase in enumerate(phases, start=2):
        columns = lines[i].split("\t")
        lines[i] = "\t".join([*columns[:7], phase, *columns[8:]])
    verdicts, contig = judged("".join(lines))
    assert verdicts == [expected]
    if expected == CONTRADICT:
        assert "line 4 has phase" in contig.coding_sequences[0].phase_problem or "line 5" in (
            contig.coding_sequences[0].phase_problem
        )


OPERON = (Gene(1, "+", ((61, 210),)), Gene(2, "+", ((271, 435),)), Gene(3, "+", ((496, 678),)))
OPERON_MINUS = tuple(Gene(gene.number, "-", gene.exons) for gene in OPERON)
MRNA = row("mRNA", 61, 678, "+", ".", "ID=m;Parent=gene1,gene2,gene3")


@pytest.mark.parametrize("genes", [OPERON, OPERON_MINUS], ids=["plus", "minus"])
@pytest.mark.parametrize(
    "attributes",
    [
        lambda g, i: f"Parent=m;Derives_from=gene{g.number}",
        lambda g, i: f"ID=cds{g.number};Parent=m",
        lambda g, i: f"ID=cds{g.number};Parent=m;protein_id=P{g.number}",
        lambda g, i: f"Parent=m;locus_tag=L{g.number}",
        lambda g, i: "Parent=m",
        lambda g, i: "ID=cds;Parent=m",
        lambda g, i: f'gene_id "g{g.number}"; transcript_id "operon";',
        lambda g, i: f'gene_id "g"; transcript_id "operon"; protein_id "P{g.number}";',
    ],
)
def test_an_operon_is_several_genes(judged, genes, attributes):
    sequence, proteins = genome(genes, 800)
    text = MRNA + annotated(attributes, genes=genes)
    for isoforms in ("all", "longest"):
        assert sorted(judged(text, sequence, isoforms=isoforms)[0]) == sorted(proteins)


def test_one_broken_gene_of_an_operon_does_not_cost_the_others(judged):
    sequence, proteins = genome(OPERON, 800)
    broken = sequence[:300] + "TAA" + sequence[303:]
    text = annotated(lambda g, i: f"ID=cds{g.number};Parent=m", genes=OPERON)
    assert judged(text, broken)[0] == [proteins[0], "internal_stop", proteins[2]]


def copies(turned):
    """The genome twice, the second time perhaps as its reverse complement."""
    second = str(Seq(GENOME).reverse_complement()) if turned else GENOME
    return GENOME + "C" * (2000 - len(GENOME)) + second


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("attributes", [gtf, gff3, lambda g, i: f"ID=c{g.number}"])
def test_one_id_at_two_loci_is_two_genes(judged, turned, attributes):
    length = len(GENOME)
    there = [
        Gene(
            gene.number,
            {"+": "-", "-": "+"}[gene.strand] if turned else gene.strand,
            tuple((2000 + length + 1 - e, 2000 + length + 1 - s) for s, e in gene.exons[::-1])
            if turned
            else tuple((s + 2000, e + 2000) for s, e in gene.exons),
        )
        for gene in GENES
    ]
    text = annotated(attributes) + annotated(attributes, genes=there)
    verdicts, contig = judged(text, copies(turned), isoforms="longest")
    assert sorted(verdicts) == sorted(PROTEINS * 2)
    assert len({one.id for one in contig.coding_sequences}) == 6


@pytest.mark.parametrize("stop", ["inside", "apart", "both", "absent"])
def test_copies_and_operons_wherever_the_stop_codon_stands(judged, stop):
    there = [Gene(g.number, g.strand, tuple((s + 2000, e + 2000) for s, e in g.exons)) for g in GENES]
    text = annotated(gtf, stop=stop) + annotated(gtf, stop=stop, genes=there)
    assert sorted(judged(text, copies(False))[0]) == sorted(PROTEINS * 2)
    for genes in (OPERON, OPERON_MINUS):
        sequence, proteins = genome(genes, 800)
        text = annotated(lambda g, i: f"ID=c{g.number};Parent=m", genes=genes, stop=stop)
        assert sorted(judged(text, sequence)[0]) == sorted(proteins)


def test_lines_that_stand_twice_count_once(judged):
    for attributes in (gtf, gff3, lambda g, i: f"Parent=rna{g.number}"):
        assert judged(annotated(attributes) * 2)[0] == PROTEINS


def test_isoforms_and_parents(judged):
    mrnas = "".join(row("mRNA", 151, 580, "+", ".", f"ID=m{i};Parent=gene1") for i in (1, 2))
    gene = row("gene", 151, 580, "+", ".", "ID=gene1")
    shared = gene + mrnas + annotated(lambda g, i: "ID=c;Parent=m1,m2", genes=FIRST)
    assert judged(shared)[0] == judged(shared, isoforms="longest")[0] == [ONE]
    without_id = shared.replace("ID=c;", "")
    assert judged(without_id)[0] == [ONE, ONE]
    assert sorted(judged(without_id, isoforms="longest")[0]) == sorted([ONE, "shorter_isoform"])
    gene_too = gene + mrnas + annotated(lambda g, i: "ID=c;Parent=gene1,m1", genes=FIRST)
    assert judged(gene_too)[0] == [ONE]
    twice = gene + mrnas + annotated(lambda g, i: "ID=c;Parent=m1,m1", genes=FIRST)
    assert judged(twice)[0] == [ONE]


def test_an_exon_that_could_be_a_gene_is_no_gene(judged):
    frame = coding(84, 5)
    frame = frame[:117] + "ATG" + frame[120:]
    sequence = "C" * 150 + frame[:117] + "GT" + "C" * 76 + "AG" + frame[117:] + "C" * 150
    parts = ((151, 267, 0), (348, 482, 0))
    for column in ('transcript_id "g1.t1"; gene_id "g1";', "g1.t1", "Parent=m", 'name "x"; proteinId 1;'):
        text = "".join(row("CDS", s, e, "+", p, column) for s, e, p in parts)
        assert judged(text, sequence)[0] == [str(Seq(frame).translate())]
    numbered = "".join(row("CDS", s, e, "+", p, f"ID=c{s};Parent=m") for s, e, p in parts)
    assert judged(numbered, sequence[:201] + "TAA" + sequence[204:])[0] == ["internal_stop"]


CIRCLE = coding(60, 9)
REGION = "ctg1\tx\t{}\t1\t500\t.\t+\t.\tID=ctg1;{}\n"


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize(
    "parts",
    [
        [(401, 580)],
        [(401, 80)],
        [(401, 500), (1, 80)],
        [(1, 80), (401, 500)],
        [(401, 450), (451, 80)],
        [(401, 480), (481, 580)],
        [(901, 1080)],
        [(401, 500), (501, 580)],
    ],
)
@pytest.mark.parametrize(
    "region",
    [
        REGION.format("region", "Is_circular=true"),
        REGION.format("plasmid", "Is_circular=true"),
        REGION.format("contig", "Is_circular=True"),
        REGION.format("scaffold", "is_circular=1"),
        REGION.format("chromosome", "Name=x;Is_circular=true"),
        'ctg1\tx\tregion\t1\t500\t.\t+\t.\tIs_circular "true";\n',
    ],
)
def test_circular_in_every_spelling(judged, region, parts, strand):
    ring = CIRCLE if strand == "+" else str(Seq(CIRCLE).reverse_complement())
    sequence = ring[100:] + "C" * 320 + ring[:100]
    text = region + "".join(row("CDS", s, e, strand, ".", "ID=c") for s, e in parts)
    assert judged(text, sequence)[0] == [str(Seq(CIRCLE).translate())]


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize("shift", range(5))
def test_stop_codon_across_the_origin(judged, shift, strand):
    at = 177 + 1 - shift
    sequence = CIRCLE[at:] + "C" * 320 + CIRCLE[:at]
    first = 500 - at + 1
    places = [("CDS", first, first + 176), ("stop_codon", first + 177, first + 179)]
    if strand == "-":
        sequence = str(Seq(sequence).reverse_complement())
        places = [(kind, 501 - end, 501 - start) for kind, start, end in places]
        places = [(kind, start + 500 * (start < 1), end + 500 * (start < 1)) for kind, start, end in places]
    told = 'gene_id "g"; transcript_id "t";'
    text = REGION.format("region", "Is_circular=true")
    text += "".join(row(kind, start, end, strand, 0, told) for kind, start, end in places)
    assert judged(text, sequence)[0] == [str(Seq(CIRCLE).translate())]


def test_slippage_and_trans_splicing(judged):
    frame = coding(80, 3)
    frame = frame[:119] + 2 * frame[120] + frame[121:]  # the ribosome reads a nucleotide twice
    protein = str(Seq(frame).translate())
    sequence = "C" * 100 + frame[:120] + frame[121:] + "C" * 100
    for one, two, above in (
        ("ID=a;Parent=t;exception=ribosomal slippage", "ID=b;Parent=t;exception=ribosomal slippage", ""),
        ("ID=a;Parent=t", "ID=a;Parent=t", "exception=ribosomal%20slippage"),
        ("ID=a;Parent=t", "ID=b;Parent=t", "exception=ribosomal slippage"),
        ("ID=a;Parent=t", "ID=b;Parent=t", "ribosomal_slippage=_no_value"),
        ("ID=a;Parent=t", "ID=b;Parent=t", ""),
    ):
        text = row("mRNA", 101, 339, "+", ".", f"ID=t;{above}")
        text += row("CDS", 101, 220, "+", 0, one) + row("CDS", 220, 339, "+", 0, two)
        assert judged(text, sequence)[0] == [protein]
    for columns in ("ID=a;protein_id=P", "ID=b;protein_id=P"), ("ID=a;gene=x", "ID=b;gene=x"):
        one, two = (f"{column};exception=ribosomal slippage" for column in columns)
        text = row("CDS", 101, 220, "+", 0, one) + row("CDS", 220, 339, "+", 0, two)
        assert judged(text, sequence)[0] == [protein]


def test_the_short_and_the_long_protein_of_a_slippery_gene(judged):
    short = coding(50, 6, stop="TAA")
    long = short[:120] + short[119:147] + coding(30, 7)[5:]
    sequence = "C" * 100 + short[:147] + coding(30, 7)[5:] + "C" * 100
    gene = row("gene", 101, 400, "+", ".", "ID=g;exception=ribosomal slippage")
    end = 100 + len(long) - 1
    text = (
        gene
        + row("CDS", 101, 220, "+", 0, "ID=p1ab;Parent=g")
        + row("CDS", 220, end, "+", 0, "ID=p1ab;Parent=g")
    )
    text += row("CDS", 101, 250, "+", 0, "ID=p1a;Parent=g")
    _, contig = judged(text, sequence)
    assert [len(one.exons) for one in contig.coding_sequences] == [2, 1]


TRANS = coding(80, 4)
TRANS_GENOME = "".join(
    (
        "C" * 50,
        TRANS[100:180],
        "C" * 64,
        TRANS[180:],
        "C" * 200,
        str(Seq(TRANS[:100]).reverse_complement()),
        "C" * 60,
    )
)
PLACES = {1: (455, 554, "-"), 2: (51, 130, "+"), 3: (195, 254, "+")}


@pytest.mark.parametrize("order", [(1, 2, 3), (2, 3, 1), (3, 1, 2)])
@pytest.mark.parametrize(
    ("column", "above"),
    [
        ('gene_id "m"; transcript_id "T"; exon_number "{0}";', ""),
        ("ID=c;Parent=g;part={0}/3;exception=trans-splicing", ""),
        ("ID=c;Parent=g;part={0}", "exception=trans-splicing"),
        ("ID=c{0};Parent=g;part={0}", "exception=trans-splicing"),
        ("ID=c{0};Parent=g", "exception=trans-splicing"),
        ("ID=c;Parent=g;exon_number={0}", "trans_splicing=_no_value"),
        ("ID=c{0};gene=rps12;part={0}/3;exception=trans-splicing", ""),
    ],
)
def test_trans_splicing_in_any_order(judged, order, column, above):
    text = row("gene", 51, 554, "+", ".", f"ID=g;{above}")
    text += "".join(row("CDS", *PLACES[i], ".", column.format(i)) for i in order)
    assert judged(text, TRANS_GENOME)[0] == [str(Seq(TRANS).translate())]


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize("kind", ["gene", "mRNA"])
@pytest.mark.parametrize("column", ["ID=c;Parent=g", "ID=c{};Parent=g", "Parent=g"])
def test_a_gene_on_two_lines_across_the_origin(judged, column, kind, strand):
    ring = CIRCLE if strand == "+" else str(Seq(CIRCLE).reverse_complement())
    sequence = ring[100:] + "C" * 320 + ring[:100]
    pieces = [(401, 500, 0, 1), (1, 80, 2, 0)]
    text = REGION.format("region", "Is_circular=true")
    text += "".join(row(kind, start, end, strand, ".", "ID=g") for start, end, *_ in pieces)
    text += "".join(
        row("CDS", start, end, strand, plus if strand == "+" else minus, column.format(start))
        for start, end, plus, minus in pieces
    )
    assert judged(text, sequence)[0] == [str(Seq(CIRCLE).translate())]


@pytest.mark.parametrize("exception", ["exception=trans-splicing;", ""])
@pytest.mark.parametrize("order", [(1, 2, 3), (2, 3, 1)])
def test_a_trans_spliced_gene_on_two_lines_of_one_id(judged, order, exception):
    places = {1: (455, 554, "-", 0), 2: (51, 130, "+", 2), 3: (195, 254, "+", 0)}
    text = row("gene", 455, 554, "-", ".", f"ID=rps12;{exception}part=1/2")
    text += row("gene", 51, 254, "+", ".", f"ID=rps12;{exception}part=2/2")
    text += "".join(row("CDS", *places[i], f"ID=c;Parent=rps12;{exception}") for i in order)
    assert judged(text, TRANS_GENOME)[0] == [str(Seq(TRANS).translate())]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("topology=circular", "."),
        ("[topology=circular]", "."),
        ("topology:circular", "."),
        ("suggestCircular=yes", "."),
        ("circular: true", "."),
        ("circular=1", "."),
        ("circular=no", "out_of_range"),
        ("circular=false", "out_of_range"),
    ],
)
def test_circular_by_the_header_of_the_sequence(tmp_path, header, expected):
    (tmp_path / "g.gff").write_text(row("CDS", 401, 580, "+", 0, "ID=c"))
    (tmp_path / "g.fa").write_text(f">ctg1 {header}\n{CIRCLE[100:]}{'C' * 320}{CIRCLE[:100]}\n")
    (contig,) = read_records(str(tmp_path / "g.*"))
    (verdict,) = verify_all(contig)
    assert (verdict.reason.value if isinstance(verdict, Rejection) else ".") == expected


def test_a_cds_of_a_gene_and_again_of_its_transcript_counts_once(judged):
    again = annotated(lambda g, i: f"ID=cds{g.number};Parent=gene{g.number}")
    for text in (annotated(gff3, GENE_AND_MRNA) + again, again + annotated(gff3, GENE_AND_MRNA)):
        assert sorted(judged(text)[0]) == sorted(PROTEINS)


def test_stop_codon_that_follows(judged):
    assert judged(annotated(gtf, stop="absent"))[0] == PROTEINS
    without = annotated(gtf, stop="absent", genes=FIRST)
    place = GENES[0].exons[-1][1]
    verdicts, contig = judged(without, GENOME[: place - 3] + "GTC" + GENOME[place:])
    assert verdicts == ["no_stop_codon"]
    assert contig.coding_sequences[0].exons[-1].end == place - 3


def test_selenocysteine_lines_are_told(judged):
    frame = coding(50, 8)
    frame = frame[:60] + "TGA" + frame[63:]
    text = row("CDS", 11, 160, "+", 0, 'gene_id "g"; transcript_id "t";')
    text += row("Selenocysteine", 71, 73, "+", ".", 'gene_id "g"; transcript_id "t";')
    assert judged(text, "C" * 10 + frame + "CCC")[0] == ["transl_except"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            row("CDS", 151, 200, "+", 0, "."),
            "nothing says which CDS the line is a part of: 'ctg1 CDS 151 200 .'",
        ),
        (row("CDS", 151, 200, "+", 0, 'foo "x"; bar 2'), "nothing says which CDS"),
        (row("CDS", 151, 200, "+", 0, 'gene_id ""; transcript_id "";'), "nothing says which CDS"),
        (row("CDS", 151, 200, "+", 0, "exon_number=1;color=2"), "nothing says which CDS"),
        ("ctg1 x CDS 151 200 . + 0 ID=a\n", "separated by blanks: 'ctg1 x CDS 151 200 . + 0 ID=a'"),
        (
            row("CDS", 151, 200, "+", 0, "")[:-2] + "\n",
            "8 tab-separated columns instead of 9: 'ctg1 x CDS 151",
        ),
        (row("CDS", 151, 200, "+", 0, "ID=a\tb"), "10 tab-separated columns instead of 9"),
    ],
)
def test_a_line_that_cannot_be_told_is_shown_and_counted(judged, tmp_path, line, problem):
    text = annotated(gff3, GENE_AND_MRNA) + line
    for settled in (text, line):
        with pytest.raises(UserError) as raised:
            judged(settled)
        assert problem in str(raised.value)
    reports = []
    found, _ = judged(text, on_malformed="skip", report=lambda *what: reports.append(what))
    assert found == PROTEINS
    assert [record for _, record, _ in reports] == ["line 14"]


def test_a_file_without_cds_is_named(judged, tmp_path):
    text = annotated(gff3, GENE_AND_MRNA, kind="exon")
    with pytest.raises(UserError, match=r"no line of it is a CDS \(column 3 has 7 exon, 3 gene, 3 mRNA\)"):
        judged(text)
    reports = []
    assert judged(text, on_malformed="skip", report=lambda *what: reports.append(what))[0] == []
    assert len(reports) == 1


def test_genetic_code_that_a_line_names(judged):
    (one,) = judged(of_gene_1(cds="transl_table=11"))[1].coding_sequences
    assert (one.genetic_code, one.genetic_code_given) == (11, True)
    for key in ("transl_table", "translation_table", "genetic_code"):
        region = f"ctg1\tx\tregion\t1\t1674\t.\t+\t.\tID=r;{key}=4\n"
        (one,) = judged(region + of_gene_1())[1].coding_sequences
        assert (one.genetic_code, one.genetic_code_given) == (4, True)
    (one,) = judged(of_gene_1())[1].coding_sequences
    assert (one.genetic_code, one.genetic_code_given, one.line) == (1, False, 3)


@pytest.mark.parametrize("where", ["first", "last", "mRNA"])
def test_transl_except_wherever_it_stands(judged, where):
    told = ";transl_except=(pos:151..153%2Caa:Met)"
    text = annotated(
        lambda g, i: gff3(g, i) + told * (i == {"first": 0, "last": 2}.get(where)),
        lambda g: [("mRNA", "ID=rna1" + told * (where == "mRNA"))],
        genes=FIRST,
    )
    assert judged(text, GENOME[:150] + "ACG" + GENOME[153:])[0] == [ONE]


GTG = GENOME[:1280] + "GTG" + GENOME[1283:]
TGA = GENOME[:1292] + "TGA" + GENOME[1295:]
THREE_BY_4 = THREE[:4] + "W" + THREE[5:]
LAST = GENES[2:]


@pytest.mark.parametrize("key", ["transl_table", "translation_table", "genetic_code"])
@pytest.mark.parametrize("where", ["CDS", "mRNA", "gene"])
def test_the_genetic_code_that_a_gene_names(judged, where, key):
    def of(kind, code):
        return f";{key}={code}" if kind == where else ""

    for code, sequence, expected in ((11, GTG, THREE), (4, TGA, THREE_BY_4)):
        above = [("gene", "ID=gene3" + of("gene", code)), ("mRNA", "ID=rna3;Parent=gene3" + of("mRNA", code))]
        for stop in ("inside", "absent"):
            text = annotated(
                lambda g, i: gff3(g, i) + of("CDS", code), lambda g: above, genes=LAST, stop=stop
            )
            verdicts, contig = judged(text, sequence)
            assert verdicts == [expected]
            assert contig.code_choice[:2] == (code, "transl_table")


def test_the_genetic_code_in_comments_of_prodigal(tmp_path):
    text = ""
    for name, code in (("a", 4), ("b", 11)):
        text += f'# Sequence Data: seqnum=1;seqlen=1674;seqhdr="{name} x"\n'
        text += f"# Model Data: version=Prodigal.v2.6.3;run_type=Single;transl_table={code};uses_sd=1\n"
        text += annotated(lambda g, i: "ID=1_1;partial=00", genes=LAST).replace("ctg1", name)
    (tmp_path / "g.gff").write_text(text)
    (tmp_path / "g.fa").write_text(f">a\n{TGA}\n>b\n{GTG}\n>c\n{GTG}\n")
    found = list(read_records(str(tmp_path / "g.*")))
    assert [contig.code_choice[:2] for contig in found] == [
        (4, "transl_table"),
        (11, "transl_table"),
        (1, "default"),
    ]
    assert not any(isinstance(verdict, Rejection) for contig in found for verdict in verify_all(contig))
    found = list(read_records(str(tmp_path / "g.*"), genetic_code=1))
    assert [contig.code_choice[:2] for contig in found] == [(1, "key")] * 3


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("[gcode=11] [topology=linear]", (11, "transl_table")),
        ("[organism=Genus species] [transl_table=4]", (4, "transl_table")),
        ("[location=mitochondrion] [gcode=1] [mgcode=4]", (4, "transl_table")),
        ("[location=chloroplast] [gcode=1] [mgcode=4] [pgcode=11]", (11, "transl_table")),
        ("[location=mitochondrion] [gcode=11]", (1, "organelle")),
        ("[organelle=mitochondrion]", (1, "organelle")),
        ("[location=chromosome]", (1, "default")),
        ("[gcode=x]", (1, "default")),
    ],
)
def test_the_genetic_code_in_the_header_of_a_sequence(tmp_path, header, expected):
    (tmp_path / "g.gff").write_text(annotated(gff3, genes=LAST))
    (tmp_path / "g.fa").write_text(f">ctg1 {header}\n{GENOME}\n")
    (contig,) = read_records(str(tmp_path / "g.*"))
    assert contig.code_choice[:2] == expected


def test_sequences_without_the_directive(tmp_path):
    text = annotated(gff3, GENE_AND_MRNA)
    for ending in ("\n", "\r\n", "\r"):
        for directive in ("", "##FASTA\n", "##FASTA \n# x\n"):
            path = tmp_path / "a.gff"
            path.write_bytes(f"{text}{directive}>ctg1 x\n{GENOME}\n>d\nACGT\n".replace("\n", ending).encode())
            contigs = list(read_records(path))
            assert [(one.name, len(one.coding_sequences)) for one in contigs] == [("ctg1", 3), ("d", 0)]
            assert len(contigs[0].nucleotides) == len(GENOME)


@pytest.mark.parametrize(
    "column",
    [
        "a" * 80_000,
        "tag=" * 20_000,
        'tag "a"; ' * 10_000,
        " " * 80_000 + "x",
        '"' * 80_001,
        "a=" + '"' * 80_000,
        'ID="' + "x=" * 40_000,
        "=" * 80_000,
        ";" * 80_000,
        "a " * 40_000,
        "Parent=" + "a," * 40_000,
        "_" * 80_000,
    ],
    ids=range(12),
)
def test_long_columns_take_linear_time(judged, column):
    text = annotated(gtf) + row("CDS", 151, 200, "+", 0, f'{column}; gene_id "z"')
    judged(text, on_malformed="skip", report=lambda *_: None)


def test_many_parts_and_stop_codons_of_one_parent_take_linear_time(judged):
    parts = [(3 * i + 1, 3 * i + 3) for i in range(15_000)]
    text = "".join(
        row("CDS", s, e, "+", 0, "Parent=m") + row("stop_codon", s, e + 1, "+", 0, "Parent=m")
        for s, e in parts
    )
    assert len(judged(text, "ACG" * 15_001)[0]) == 1


def test_many_lines_of_one_gene_take_linear_time(judged):
    gene = row("gene", 1, 9, "+", ".", "ID=g")
    transcripts = [row("mRNA", 1, 9, "+", ".", f"ID=m{i};Parent=g") for i in range(3000)]
    text = gene * 3000 + "".join(transcripts)
    text += row("CDS", 1, 9, "+", 0, "Parent=" + ",".join(f"m{i}" for i in range(3000)))
    assert judged(text, "ATGAAATAAC")[0] == ["MK*"] * 3000


@pytest.mark.parametrize(("strand", "last"), [("+", (619, 621)), ("-", (101, 103))])
def test_a_stop_codon_in_another_exon_belongs_to_the_cds_of_its_parent(judged, strand, last):
    exons = ((201, 290), (401, 520))
    whole = Gene(7, strand, (*exons, last) if strand == "+" else (last, *exons))
    sequence, proteins = genome([whole], 700)
    text = annotated(lambda g, i: "ID=c;Parent=t", genes=[Gene(7, strand, exons)])
    for pieces in ([last], [(last[0], last[0]), (last[0] + 1, last[1])]):
        stops = "".join(row("stop_codon", a, b, strand, 0, "ID=s;Parent=t") for a, b in pieces)
        assert judged(text + stops, sequence)[0] == proteins


def test_many_transcripts_share_one_gene_and_its_flags(judged):
    names = [f"t{i}" for i in range(9)]
    mrnas = "".join(row("mRNA", 151, 580, "+", ".", f"ID={name};Parent=g") for name in names)
    first, *rest = annotated(lambda g, i: "Parent=@", genes=FIRST).splitlines(keepends=True)
    parts = [first.replace("@", ",".join(names))] + [
        line.replace("@", name) for line in rest for name in names
    ]
    gene, text = row("gene", 151, 580, "+", ".", "ID=g@"), mrnas + "".join(parts)
    assert judged(gene.replace("@", "") + text, isoforms="longest")[0].count(ONE) == 1
    assert set(judged(gene.replace("@", ";pseudo=true") + text)[0]) == {PSEUDO}


def test_a_flag_of_one_transcript_costs_no_other(judged):
    lines = [("gene", "ID=g"), ("mRNA", "ID=a;Parent=g"), ("mRNA", "ID=b;Parent=g;partial=true")]
    text = annotated(lambda g, i: "Parent=a,b", lambda g: lines, genes=FIRST)
    assert sorted(judged(text)[0]) == sorted([ONE, PARTIAL])


@pytest.mark.parametrize("label", ["locus_tag", "gene", "gene_id", "protein_id", "Name"])
def test_an_id_a_line_without_a_parent(judged, label):
    assert judged(annotated(lambda g, i: f"ID=c{g.number}.{i};{label}=L{g.number}"))[0] == PROTEINS


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 1, 0)])
@pytest.mark.parametrize("phases", [True, False])
def test_trans_splicing_over_two_strands_in_any_order(judged, order, phases):
    frame = coding(60, 3)
    first, second, third = frame[:50], frame[50:110], frame[110:]
    turned = [str(Seq(piece).reverse_complement()) for piece in (third, second)]
    sequence = ("C" * 100).join(["", first, *turned, ""])
    spans = [(101, 150, "+", 0), (421, 480, "-", 1), (251, 320, "-", 1)]
    column = "ID=c;Parent=t;exception=trans-splicing"
    rows = [row("CDS", *spans[i][:3], spans[i][3] if phases else ".", column) for i in order]
    assert judged("".join(rows), sequence)[0] == [str(Seq(frame).translate())]


def test_a_broken_copy_costs_only_itself(judged):
    there = [Gene(g.number, g.strand, tuple((s + 2000, e + 2000) for s, e in g.exons)) for g in FIRST]
    places = [row("mRNA", start, start + 429, "+", ".", "ID=t") for start in (151, 2151)]
    parts = [annotated(lambda g, i: "Parent=t", genes=genes) for genes in (FIRST, there)]
    whole = copies(False)
    broken = whole[:2152] + "C" + whole[2153:]
    assert whole[2150:2153] == "ATG"
    assert judged("".join(places + parts), whole)[0] == [ONE, ONE]
    assert sorted(judged("".join(places + parts), broken)[0]) == sorted([ONE, "no_start_codon"])


def test_blanks_before_a_semicolon_and_behind_a_kind(judged):
    lines = [("gene", "ID=g;pseudo=true"), ("mRNA", "ID=t ;Parent=g ")]
    assert judged(annotated(lambda g, i: "Parent=t ;ID=a", lambda g: lines, genes=FIRST))[0] == [PSEUDO]
    assert judged(annotated(gff3, kind="CDS "))[0] == PROTEINS
