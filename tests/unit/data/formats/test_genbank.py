"""GenBank reading against Biopython's independent reading of the same files, and by hand."""

import gzip
from io import BytesIO, StringIO

import pytest
from Bio import SeqIO

from lifecode.alphabet import decode_nucleotides
from lifecode.data import packaged_genomes, read_records
from lifecode.data.cds.coding_sequence import ExactPair, extract, verify_all
from lifecode.data.formats.insdc.genbank import read_genbank
from lifecode.data.formats.insdc.genbank_origin import misnumbered_line
from lifecode.data.formats.malformed import settle_by, warn_of_skipped
from lifecode.data.records import Exon, Feature
from lifecode.errors import UserError
from tests.support.flat_records import genbank_record

SMALL_GENOMES = ("genomes/phiX174_NC_001422.gbk", "genomes/yersinia_plasmid_NC_005816.gb")


stop_at_a_fault = settle_by("stop", warn_of_skipped)


def read(*texts):
    return list(read_handle(BytesIO("".join(texts).encode())))


def read_handle(handle):
    return read_genbank(handle, "hand.gb", 1, stop_at_a_fault)


def only_cds(location="1..12", *qualifiers):
    (contig,) = read(genbank_record(location, *qualifiers))
    (coding_sequence,) = contig.coding_sequences
    return coding_sequence, decode_nucleotides(extract(coding_sequence, contig))


def assert_same_reading(ours, theirs):
    """Every CDS of a contig cut out as Biopython's feature.extract does, with the same annotation."""
    assert decode_nucleotides(ours.nucleotides) == str(theirs.seq).upper()
    features = [feature for feature in theirs.features if feature.type == "CDS"]
    assert len(features) == len(ours.coding_sequences)
    for cds, feature in zip(ours.coding_sequences, features, strict=True):
        assert decode_nucleotides(extract(cds, ours)) == str(feature.extract(theirs.seq)), cds.id
        assert [cds.protein] == feature.qualifiers.get("translation", [None])
        assert cds.pseudo == ("pseudo" in feature.qualifiers)
        assert [str(cds.codon_start)] == feature.qualifiers["codon_start"]
        assert [str(cds.genetic_code)] == feature.qualifiers["transl_table"]


def test_ecoli_reads_as_biopython_reads_it():
    (ours,) = read_records("ecoli", features={"CDS", "ncRNA", "rRNA", "tRNA"})
    with gzip.open(packaged_genomes()["ecoli"], "rt") as handle:
        theirs = SeqIO.read(handle, "genbank")
    assert list(ours.lineage) == theirs.annotations["taxonomy"]
    assert [
        (one.kind, [(exon.start, exon.end, exon.strand) for exon in one.exons]) for one in ours.features
    ] == [
        (one.type, [(part.start, part.end, part.strand) for part in one.location.parts])
        for one in theirs.features
        if one.type in ("ncRNA", "rRNA", "tRNA")
    ]
    assert (ours.name, ours.taxon, ours.circular) == ("NC_000913.3", 511145, True)
    assert len(ours.coding_sequences) == 4315
    assert_same_reading(ours, theirs)


@pytest.mark.parametrize("name", SMALL_GENOMES)
def test_small_genomes_read_as_biopython_reads_them(shared_data, name):
    (ours,) = read_records(shared_data(name))
    assert_same_reading(ours, SeqIO.read(shared_data(name), "genbank"))


@pytest.mark.parametrize(
    ("location", "exons", "sequence"),
    [
        ("3..5", [(2, 5, 1)], "CCC"),
        ("complement(1..3)", [(0, 3, -1)], "GTT"),
        ("join(1..2,6..7)", [(0, 2, 1), (5, 7, 1)], "AAGG"),
        ("complement(join(1..2,6..7))", [(5, 7, -1), (0, 2, -1)], "CCTT"),
        ("join(complement(6..7),complement(1..2))", [(5, 7, -1), (0, 2, -1)], "CCTT"),
        ("join(complement(6..7),1..2)", [(5, 7, -1), (0, 2, 1)], "CCAA"),
        ("join(6..7,1..2)", [(5, 7, 1), (0, 2, 1)], "GGAA"),
        ("complement(join(1..2,complement(6..7)))", [(5, 7, 1), (0, 2, -1)], "GGTT"),
        ("join(11..12,1..2)", [(10, 12, 1), (0, 2, 1)], "TTAA"),
        ("6", [(5, 6, 1)], "G"),
    ],
)
def test_exons_come_in_the_order_of_the_cds(location, exons, sequence):
    coding_sequence, cut_out = only_cds(location)
    assert list(coding_sequence.exons) == [Exon(*exon) for exon in exons]
    assert cut_out == sequence


@pytest.mark.parametrize("location", ["<1..6", "1..>6", "complement(<1..6)", "join(<1..2,4..5)"])
def test_missing_end_is_partial(location):
    assert only_cds(location)[0].partial
    assert not only_cds(location.replace("<", "").replace(">", ""))[0].partial


@pytest.mark.parametrize("location", ["J1.1:1..3", "join(1..3,J1.1:1..3)", "3^4", "gap(10)", "join(1..2,x)"])
def test_unreadable_location_is_told_not_raised(location):
    coding_sequence, _ = only_cds(location)
    assert coding_sequence.exons == ()
    assert coding_sequence.location_problem


def test_qualifiers():
    coding_sequence, _ = only_cds(
        "1..12",
        '/protein_id="P1.1"',
        '/locus_tag="L1"',
        "/codon_start=2",
        "/transl_table=4",
        "/transl_except=(pos:4..6,aa:Sec)",
        "/ribosomal_slippage",
        "/trans_splicing",
        '/translation="MK\n                     K"',
    )
    assert (coding_sequence.id, coding_sequence.gene) == ("P1.1", "g")
    assert (coding_sequence.codon_start, coding_sequence.genetic_code) == (2, 4)
    assert coding_sequence.transl_except == ("(pos:4..6,aa:Sec)",)
    assert coding_sequence.ribosomal_slippage
    assert coding_sequence.trans_splicing
    assert not coding_sequence.pseudo
    assert coding_sequence.protein == "MKK"


@pytest.mark.parametrize("qualifier", ["/pseudo", '/pseudogene="unprocessed"'])
def test_both_ways_to_mark_a_pseudogene(qualifier):
    assert only_cds("1..12", qualifier)[0].pseudo


def test_id_falls_back_and_stays_unique():
    assert only_cds("1..12", '/locus_tag="L1"')[0].id == "L1"
    feature = '     CDS             1..3\n                     /gene="g"\n'
    text = genbank_record("4..6").replace("     CDS  ", feature + "     CDS  ", 1)
    assert [cds.id for cds in read(text)[0].coding_sequences] == ["g", "g#2"]


def test_contig_fields_and_several_records():
    linear, circular = read(genbank_record(name="HAND.1"), genbank_record(name="HAND.2", topology="circular"))
    assert (linear.name, linear.organism, linear.taxon, linear.circular) == ("HAND.1", "Hand made", 42, False)
    assert (circular.name, circular.circular) == ("HAND.2", True)


def test_windows_line_ends_make_no_difference():
    (contig,) = read(genbank_record("1..3").replace("\n", "\r\n"))
    assert decode_nucleotides(contig.nucleotides) == "AACCCGGTTTTT"


def test_record_without_sequence_names_file_record_and_remedy():
    text = genbank_record(name="HAND.7").partition("ORIGIN")[0] + "//\n"
    with pytest.raises(UserError, match=r"hand\.gb, record HAND\.7: .*no sequence.*GenBank \(full\)"):
        read(text)


def test_the_master_record_of_a_project_names_the_records_that_have_sequences():
    text = genbank_record(name="HAND.7").partition("ORIGIN")[0].replace("HAND", "AAAA00000000", 1)
    with pytest.raises(UserError, match=r"AAAA0{8}\.7: is the master record .*, AAAA01000001-AAAA010001"):
        read(text.replace(" bp ", " rc ") + "WGS         AAAA01000001-AAAA01000100\n//\n")


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda text: text[:-20], "EOF"),
        (lambda text: text.replace("12 bp", "99 bp"), "promised 99"),
        (lambda text: text.replace("aaccc", "aa!cc"), "Unexpected char"),
        (lambda text: text + "garbage\n", "'garbage'"),
    ],
)
def test_damaged_second_record_is_named(damage, complaint):
    with pytest.raises(UserError, match=rf"hand\.gb, record [23] \(after HAND\.\d\).*{complaint}"):
        read(genbank_record(name="HAND.1"), damage(genbank_record(name="HAND.2")))


CHLOROPLAST = "TTATTTCAT" + "CC" + "GCAGGT" + "GG" + "AAATAA"


def test_trans_spliced_rps12_of_a_chloroplast():
    # As in NC_000932: the first exon on the minus strand, the two others elsewhere on the plus strand.
    location = "join(complement(7..9),12..17,20..25)"
    text = genbank_record(location, "/trans_splicing", '/translation="MAGK"').replace("12 bp", "25 bp")
    text = text.replace("aacccggttt tt", CHLOROPLAST.lower())
    (contig,) = read(text)
    (pair,) = verify_all(contig)
    assert decode_nucleotides(pair.nucleotides) == "ATG" + "GCAGGT" + "AAATAA"
    theirs = SeqIO.read(StringIO(text), "genbank")
    assert str(theirs.features[1].extract(theirs.seq)) == "ATGGCAGGTAAATAA"


@pytest.mark.parametrize(
    ("genome", "location"),
    [
        ("AAATAACCCATG", "join(10..12,1..6)"),
        ("CATTTTTTATTT", "complement(join(8..12,1..4))"),
        ("CATCCCTTATTT", "complement(join(7..12,1..3))"),
    ],
)
def test_cds_across_the_origin_of_a_circular_genome(genome, location):
    text = genbank_record(location, '/translation="MK"', topology="circular").replace(
        "aacccggttt tt", genome.lower()
    )
    (contig,) = read(text)
    theirs = SeqIO.read(StringIO(text), "genbank")
    cut_out = decode_nucleotides(extract(contig.coding_sequences[0], contig))
    assert contig.circular
    assert cut_out == str(theirs.features[1].extract(theirs.seq))
    (verdict,) = verify_all(contig)
    assert isinstance(verdict, ExactPair) == (cut_out == "ATGAAATAA")


def test_mrna_is_rna():
    assert read(genbank_record().replace("DNA ", "mRNA"))[0].molecule == "rna"
    assert read(genbank_record())[0].molecule == "dna"


def test_header_of_a_genbank_release_is_passed_over():
    header = "GBBCT1.SEQ          Genetic Sequence Data Bank\n\n    1 loci\n\n"
    assert [contig.name for contig in read(header + genbank_record())] == ["HAND.1"]


@pytest.mark.parametrize("opened", ["complement(", "join(1..2,", "join(complement(1..2),"])
@pytest.mark.parametrize("closed", [True, False])
def test_locations_nested_without_end_do_not_end_the_process(opened, closed):
    location = opened * 100_000 + "1..3" + ")" * 100_000 * closed
    with pytest.raises(UserError, match="nested too deeply"):
        read(genbank_record(location))


def test_numbers_without_end_are_no_numbers():
    coding_sequence, _ = only_cds("1..12", "/codon_start=" + "1" * 5000, "/transl_table=" + "1" * 5000)
    assert (coding_sequence.codon_start, coding_sequence.genetic_code) == (0, 0)


def test_interrupt_is_not_swallowed():
    class Interrupting(BytesIO):
        def read(self, size=-1):
            if self.tell() > 0:
                raise KeyboardInterrupt
            return super().read(min(size, 99))

    with pytest.raises(KeyboardInterrupt):
        list(read_handle(Interrupting(genbank_record().encode())))


def _numbered(letters: str, order=None, first=1, width=60) -> bytes:
    """A record whose ORIGIN lines stand in this order."""
    lines = []
    for start in range(0, len(letters), width):
        row = letters[start : start + width]
        groups = " ".join(row[i : i + 10] for i in range(0, len(row), 10))
        lines.append(f"{start + first:>9} {groups}\n")
    body = "".join(lines[i] for i in (order or range(len(lines))))
    return f"LOCUS       X  {len(letters)} bp DNA\nORIGIN      \n{body}//\n".encode()


LETTERS = "acgtgcatta" * 33 + "acg"


@pytest.mark.parametrize(
    ("order", "found", "expected"),
    [
        ([0, 1, 1, 2, 3, 4, 5], 61, 121),
        ([0, 2, 1, 3, 4, 5], 121, 61),
        ([0, 1, 3, 4, 5], 181, 121),
        ([0, 1, 2, 3, 5, 4], 301, 241),
        ([0, 1, 2, 3, 4, 4, 5], 241, 301),
        ([1, 0, 2, 3, 4, 5], 1, 121),
    ],
)
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_lost_repeated_and_swapped_origin_lines_are_named(tmp_path, order, found, expected, ends):
    (tmp_path / "a.gb").write_bytes(_numbered(LETTERS, order).replace(b"\n", ends))
    words = f"the ORIGIN line numbered {found} stands where {expected} belongs"
    with pytest.raises(UserError, match=words):
        list(read_records(tmp_path / "a.gb"))


@pytest.mark.parametrize(
    "text",
    [
        _numbered(LETTERS),
        _numbered(LETTERS * 300),
        _numbered(LETTERS[:300]),
        _numbered(LETTERS, first=5001),
        _numbered(LETTERS, width=50),
        _numbered(LETTERS).replace(b" acg", b" ACG"),
        _numbered(LETTERS).replace(b"\n", b"\r\n"),
    ],
)
def test_origin_lines_that_count_their_letters_are_read(text):
    assert misnumbered_line(text) is None


def test_features_beside_cds_are_read_where_they_are_asked_for():
    text = genbank_record("1..12").replace("     CDS ", "     tRNA            complement(2..5>)\n     CDS ")
    (contig,) = read(text)
    assert contig.features == ()
    (contig,) = read_genbank(BytesIO(text.encode()), "hand.gb", 1, stop_at_a_fault, {"tRNA", "CDS"})
    assert contig.features == (Feature("tRNA", (Exon(1, 5, -1),)),)
    assert len(contig.coding_sequences) == 1


def test_the_name_of_an_organism_may_go_on_before_its_lineage():
    organism = "  ORGANISM  Salmonella enterica subsp.\n            enterica str. LT2\n"
    lineage = "            Bacteria; Pseudomonadota;\n            Enterobacterales.\n"
    (contig,) = read(genbank_record().replace("FEATURES", organism + lineage + "FEATURES"))
    assert contig.lineage == ("Bacteria", "Pseudomonadota", "Enterobacterales")
    assert read(genbank_record())[0].lineage == ()


def test_a_wrong_line_far_into_a_long_record():
    order = [*range(20_000), 19_999, *range(20_000, 27_000)]
    assert "numbered 1,199,941 stands" in misnumbered_line(_numbered("acgtgcatta" * 162_000, order))
