"""Genes cut out of contigs: both strands, circles, flanks, and what is no gene with introns."""

from dataclasses import replace
from itertools import pairwise

import pytest

from lifecode.alphabet import decode_nucleotides, encode_nucleotides, reverse_complement
from lifecode.data import read_records
from lifecode.data.cds.coding_sequence import verify
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.datasets.central_dogma.genes import read_genes
from lifecode.datasets.central_dogma.junctions import on_contig
from lifecode.datasets.central_dogma.locus import Locus, NoLocus, locus_of
from lifecode.datasets.central_dogma.pre_mrna import exon_labels, splice_labels
from lifecode.errors import UserError
from tests.support.genes_with_introns import (
    BY_HAND,
    EXON_1,
    EXON_2,
    INTRON,
    cds,
    record,
    write_by_hand,
    write_genbank,
)

LENGTH = len(BY_HAND)


def by_hand(strand=1, **changes):
    exons = (Exon(30, 37, 1), Exon(57, 65, 1))
    nucleotides = encode_nucleotides(BY_HAND)
    if strand == -1:
        nucleotides = reverse_complement(nucleotides)
        exons = (Exon(LENGTH - 37, LENGTH - 30, -1), Exon(LENGTH - 65, LENGTH - 57, -1))
    coding = CodingSequence("cds", None, exons, protein="MKPD")
    return replace(coding, **changes), Contig("contig", nucleotides, "by hand")


@pytest.mark.parametrize("strand", [1, -1])
def test_pre_mrna_and_its_labels_by_hand(strand):
    locus = locus_of(*by_hand(strand))
    assert decode_nucleotides(locus.nucleotides) == EXON_1 + INTRON + EXON_2
    assert locus.introns == ((7, 27),)
    assert "".join(map(str, exon_labels(locus))) == "1" * 7 + "0" * 20 + "1" * 8
    labels = splice_labels(locus)
    assert {int(at): int(labels[at]) for at in labels.nonzero()[0]} == {6: 2, 27: 1}


def test_both_strands_of_a_file_give_the_same_gene(tmp_path):
    forward, reverse = (
        locus_of(contig.coding_sequences[0], contig, 5)
        for contig in read_records(write_by_hand(tmp_path / "hand.gb"))
    )
    assert decode_nucleotides(forward.nucleotides) == "C" * 5 + EXON_1 + INTRON + EXON_2 + "G" * 5
    assert (forward.nucleotides == reverse.nucleotides).all()
    assert forward.exons == reverse.exons == ((5, 12), (32, 40))
    assert (forward.start, forward.end, forward.strand) == (25, 70, 1)
    assert (reverse.start, reverse.end, reverse.strand) == (LENGTH - 70, LENGTH - 25, -1)
    assert decode_nucleotides(reverse.transcript()) == "C" * 5 + EXON_1 + EXON_2 + "G" * 5


def test_a_flank_ends_with_the_contig():
    assert isinstance(locus_of(*by_hand(), 30), Locus)
    assert locus_of(*by_hand(), 31) == NoLocus.FLANK_BEYOND_CONTIG


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exons": (Exon(30, 37, 1), Exon(57, 65, -1))}, NoLocus.TRANS_SPLICING),
        ({"trans_splicing": True}, NoLocus.TRANS_SPLICING),
        ({"ribosomal_slippage": True}, NoLocus.RIBOSOMAL_SLIPPAGE),
        ({"exons": (Exon(57, 65, 1), Exon(30, 37, 1))}, NoLocus.EXONS_OUT_OF_ORDER),
        ({"exons": (Exon(30, 37, 1), Exon(36, 65, 1))}, NoLocus.EXONS_OUT_OF_ORDER),
        ({"exons": (Exon(30, 37, 1), Exon(51, 65, 1))}, NoLocus.GAP_SHORTER_THAN_AN_INTRON),
    ],
)
def test_what_no_spliceosome_makes_has_its_reason(changes, reason):
    assert locus_of(*by_hand(**changes)) == reason


def test_the_shortest_intron_and_adjoining_exons():
    assert locus_of(*by_hand(exons=(Exon(30, 37, 1), Exon(52, 65, 1)))).introns == ((7, 22),)
    assert locus_of(*by_hand(exons=(Exon(30, 37, 1), Exon(37, 65, 1)))).exons == ((0, 35),)


@pytest.mark.parametrize("strand", [1, -1])
@pytest.mark.parametrize("turn", [33, 45, 60])
def test_a_gene_goes_on_behind_the_origin_of_a_circle(strand, turn):
    """The contig is turned so that its origin falls into an exon or the intron."""
    turned = BY_HAND[turn:] + BY_HAND[:turn]
    places = []
    for start, end in ((30, 37), (57, 65)):
        cuts = [start, turn, end] if start < turn < end else [start, end]
        places += [((a - turn) % LENGTH, (a - turn) % LENGTH + b - a) for a, b in pairwise(cuts)]
    nucleotides = encode_nucleotides(turned)
    exons = tuple(Exon(start, end, 1) for start, end in places)
    if strand == -1:
        nucleotides = reverse_complement(nucleotides)
        exons = tuple(Exon(LENGTH - end, LENGTH - start, -1) for start, end in places)
    contig = Contig("circle", nucleotides, "by hand", circular=True)
    locus = locus_of(CodingSequence("cds", None, exons, protein="MKPD"), contig, 20)
    assert decode_nucleotides(locus.nucleotides) == BY_HAND[10:85]
    assert locus.exons == ((20, 27), (47, 55))
    donor, acceptor = ((37 - turn) % LENGTH, (57 - turn) % LENGTH)
    places = [on_contig(locus, junction, contig) for junction in (27, 47)]
    assert places == ([donor, acceptor] if strand == 1 else [LENGTH - donor, LENGTH - acceptor])
    assert locus_of(CodingSequence("cds", None, exons), contig, 31) == NoLocus.FLANK_BEYOND_CONTIG


@pytest.mark.parametrize("last", [(Exon(30, 37, 1), Exon(10, 20, 1)), (Exon(30, 60, 1),)])
def test_exons_out_of_order_go_around_no_circle_twice(last):
    exons = (Exon(57, 65, 1), *last)
    _, contig = by_hand()
    circle = replace(contig, circular=True)
    assert locus_of(CodingSequence("cds", None, exons), circle) == NoLocus.EXONS_OUT_OF_ORDER


def test_genes_with_introns_of_real_genomes(shared_data):
    ecoli = read_genes(read_records("ecoli"))
    assert (len(ecoli.genes), ecoli.num_with_introns()) == (4295, 0)
    phage = read_genes(read_records(shared_data("genomes/phiX174_NC_001422.gbk")))
    assert (len(phage.genes), phage.num_with_introns()) == (11, 0)
    across_the_origin = []
    for gene in phage.genes:
        locus = locus_of(gene.cds, gene.contig)
        assert (locus.coding_sequence() == gene.pair.nucleotides).all()
        if locus.end > len(gene.contig.nucleotides):
            across_the_origin.append((gene.cds.exons, locus.start, locus.end, locus.exons))
    gene_a = ((3980, 5386, 1), (0, 136, 1))
    assert (gene_a, 3980, 5522, ((0, 1542),)) in across_the_origin


def test_contigs_of_one_name_are_refused(tmp_path):
    one = write_genbank(
        tmp_path / "one.gb", record("A", BY_HAND, [cds([(30, 37), (57, 65)], 1, "MKPD")], "M")
    )
    two = tmp_path / "two.gb"
    two.write_bytes(one.read_bytes())
    with pytest.raises(UserError, match=r"two.gb, record A.1: the contig name was already used in .*one.gb"):
        read_genes(read_records([one, two]))
    other = BY_HAND[:-1] + ("A" if BY_HAND[-1] != "A" else "C")
    write_genbank(two, record("A", other, [cds([(30, 37), (57, 65)], 1, "MKPD")], "M"))
    assert list(read_genes(read_records([one, two])).contigs) == ["A.1@one", "A.1@two"]


def test_the_gene_by_hand_is_exact():
    assert verify(*by_hand()).nucleotides.tolist() == encode_nucleotides(EXON_1 + EXON_2).tolist()
