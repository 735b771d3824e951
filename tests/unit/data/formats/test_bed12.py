"""mRNAs with the CDS of a genomic BED12 line, by hand and against the human file read base by base."""

import gzip

import pytest
from Bio import SeqIO

from lifecode.alphabet import decode_nucleotides
from lifecode.data import read_records
from lifecode.data.cds.coding_sequence import ExactPair, Rejected, verify_all
from lifecode.data.formats.bed12 import Transcript, cds_on_transcript, parsed
from lifecode.data.records import Exon
from lifecode.errors import UserError

# Exons 100..110, 120..130, 140..150 on the genome; 30 nucleotides spliced.
BLOCKS = ((100, 110), (120, 130), (140, 150))
LINE = "chr1\t100\t150\tname\t0\t{strand}\t{thick}\t0\t3\t10,10,10,\t0,20,40,\n"


@pytest.mark.parametrize(
    ("thick", "plus", "minus"),
    [
        ((100, 150), (0, 30), (0, 30)),
        ((103, 150), (3, 30), (0, 27)),
        ((105, 125), (5, 15), (15, 25)),
        ((120, 143), (10, 23), (7, 20)),
        ((121, 130), (11, 20), (10, 19)),
    ],
)
def test_cds_moves_from_the_genome_to_the_transcript(thick, plus, minus):
    transcript = Transcript("name", "chr1:101-150", False, *thick, BLOCKS)
    assert cds_on_transcript(transcript) == plus
    assert cds_on_transcript(transcript._replace(minus=True)) == minus


@pytest.mark.parametrize("thick", [(110, 150), (115, 150), (100, 120), (100, 135), (90, 150), (100, 151)])
def test_cds_that_ends_in_an_intron_or_outside_is_none(thick):
    assert cds_on_transcript(Transcript("name", "", False, *thick, BLOCKS)) is None


@pytest.mark.parametrize(
    "change",
    [("100\t150", "100\tx"), ("\t3\t10", "\t2\t10"), ("0,20,40", "0,20,41"), ("0,20,40", "0,5,40"),
     ("10,10,10", "10,10"), ("\t+\t", "\t.\t"), ("\t0,20,40,", ""), ("\t100\t", "\t" + "9" * 5000 + "\t")],
)  # fmt: skip
def test_line_that_does_not_fit_together(change):
    with pytest.raises(UserError):
        parsed(LINE.format(strand="+", thick="103\t150").replace(*change).encode())


def test_blocks_in_any_order_are_the_same_line():
    sorted_line = LINE.format(strand="+", thick="103\t150")
    sizes = sorted_line.replace("10,10,10,\t0,20,40,", "9,10,11,\t0,20,39,")
    mixed = sorted_line.replace("10,10,10,\t0,20,40,", "11,9,10,\t39,0,20,")
    assert parsed(mixed.encode()) == parsed(sizes.encode())
    with pytest.raises(UserError, match=r"the strand is '\.'"):
        parsed(sorted_line.replace("\t+\t", "\t.\t").encode())


@pytest.fixture
def read(tmp_path):
    """Contigs of an mRNA with a BED line."""

    def of(fasta, bed, **settings):
        (tmp_path / "m.fa").write_text(fasta)
        (tmp_path / "m.bed").write_text(bed)
        return list(read_records(str(tmp_path / "m.*"), **settings))

    return of


def test_mrna_is_rna_with_one_cds(read):
    (contig,) = read(">name\n" + "A" * 30, LINE.format(strand="-", thick="105\t125"))
    assert (contig.molecule, contig.name) == ("rna", "name")
    assert contig.coding_sequences[0].exons == (Exon(15, 25, 1),)
    assert contig.coding_sequences[0].protein_source == "translated"


def test_chromosome_says_organelle_and_takes_a_code(read):
    bed = LINE.format(strand="+", thick="100\t122").replace("chr1", "chrM")
    fasta = ">name\nATGTGAAGCTAA" + "A" * 18
    (contig,) = read(fasta, bed)
    assert [v.reason for v in verify_all(contig)] == [Rejected.ORGANELLE_GENETIC_CODE]
    for code in ({"chrM": 2}, {"chrM": 2, "default": 1}, {"name": 2}, 2):
        (contig,) = read(fasta, bed, genetic_code=code)
        assert contig.genetic_code == 2
        assert [isinstance(v, ExactPair) for v in verify_all(contig)] == [True]
    with pytest.raises(UserError, match="no contig is named chrX"):
        read(fasta, bed, genetic_code={"chrX": 2})


@pytest.mark.parametrize("header", ["name::chr1:100-150", "name::chr1:100-150(+)", "name(+)", "name"])
@pytest.mark.parametrize("apart", ["\t", " "])
def test_names_of_bedtools_and_columns_between_blanks(read, header, apart):
    bed = LINE.format(strand="+", thick="103\t109")
    elsewhere = bed.replace("chr1", "chr2") if "chr1" in header else ""
    (contig,) = read(f">{header}\n" + "A" * 30, (elsewhere + bed).replace("\t", apart))
    assert (contig.coding_sequences[0].exons, contig.chromosome) == ((Exon(3, 9, 1),), "chr1")


def test_incomplete_in_big_gene_pred_is_partial(read):
    for words, partial in (("cmpl\tcmpl", False), ("incmpl\tcmpl", True), ("none\tincmpl", True)):
        bed = LINE.format(strand="+", thick="103\t109").strip() + f"\tname2\t{words}\t0,0,0,\n"
        (contig,) = read(">name\n" + "A" * 30, bed)
        assert contig.coding_sequences[0].partial == partial


def test_a_stop_codon_behind_the_thick_part_counts(read):
    fasta = ">name\nATGAAAGCTTAA" + "A" * 18
    for thick, expected in (("100\t109", Exon(0, 12, 1)), ("100\t106", Exon(0, 6, 1))):
        (contig,) = read(fasta, LINE.format(strand="+", thick=thick))
        assert contig.coding_sequences[0].exons == (expected,)


def test_mrna_without_cds(read):
    (contig,) = read(">name\n" + "A" * 30, LINE.format(strand="+", thick="100\t100"))
    assert contig.coding_sequences == ()


def test_prefix_of_the_table_browser_and_the_place_choose_the_line(read):
    here = LINE.format(strand="+", thick="103\t109")
    elsewhere = here.replace("chr1", "chr2")
    (contig,) = read(">hg19_x_name range=chr1:101-150 5'pad=0\n" + "A" * 30, elsewhere + here)
    assert contig.coding_sequences[0].exons == (Exon(3, 9, 1),)


@pytest.mark.parametrize(
    ("length", "lines", "problem"),
    [(29, 1, "the blocks have 30 nucleotides, the mRNA 29"), (30, 2, "2 lines of this name")],
)
def test_line_that_does_not_fit_the_mrna_is_a_problem_of_its_cds(read, length, lines, problem):
    (contig,) = read(">name\n" + "A" * length, lines * LINE.format(strand="+", thick="103\t109"))
    assert contig.coding_sequences[0].location_problem == problem


def test_names_that_never_meet_are_told(read):
    with pytest.raises(UserError, match=r"m\.bed: no sequence of .*m\.fa is annotated here.*names name"):
        read(">other\nACGT", LINE.format(strand="+", thick="103\t109"))


@pytest.mark.slow
def test_human_mrnas_against_a_base_by_base_reading(shared_data):
    fasta = shared_data("genomes/human_refseq_mRNA_4000.fa.gz")
    bed = shared_data("genomes/human_refseq_mRNA_4000.hg19.bed")
    expected = {}
    with gzip.open(fasta, "rt") as handle:
        mrnas = {record.id.split("3545_")[1]: record.seq for record in SeqIO.parse(handle, "fasta")}
    for line in bed.read_text().splitlines():
        _, start, _, name, _, strand, first, last, _, _, sizes, starts = line.split("\t")
        bases = []
        for offset, size in zip(starts.strip(",").split(","), sizes.strip(",").split(","), strict=True):
            bases += range(int(start) + int(offset), int(start) + int(offset) + int(size))
        coding = [i for i, base in enumerate(bases) if int(first) <= base < int(last)]
        if strand == "-":
            coding = [len(bases) - 1 - i for i in reversed(coding)]
        expected[name] = mrnas[name][coding[0] : coding[-1] + 1].upper()
    pairs = {}
    for contig in read_records([fasta, bed]):
        for verdict in verify_all(contig):
            if isinstance(verdict, ExactPair):
                pairs[verdict.coding_sequence.id] = decode_nucleotides(verdict.nucleotides)
    intact = {name for name, cds in expected.items() if len(cds) % 3 == 0 and "*" in cds.translate()[-1:]}
    intact = {name for name in intact if "*" not in expected[name].translate()[:-1]}
    from_atg = {name for name in intact if expected[name].startswith("ATG")}
    # The two others begin with CTG, the start codon that RefSeq annotates for these isoforms of NR1I2.
    assert len(from_atg) == 3981
    assert pairs.keys() - from_atg == {"NM_033013", "NM_003889"}
    assert pairs.keys() == intact
    assert all(pairs[name] == str(expected[name]) for name in pairs)
