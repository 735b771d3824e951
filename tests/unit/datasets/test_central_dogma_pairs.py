"""DNA-protein pairs: true ones translate, false ones do not, by Biopython; splits; bytes."""

import csv
import filecmp
from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest
from Bio.Seq import Seq
from hypothesis import given
from hypothesis import strategies as st

from lifecode.alphabet import AMINO_ACIDS, encode_nucleotides
from lifecode.data import read_records
from lifecode.data.cds.coding_sequence import ExactPair
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.datasets.central_dogma import CodingSequenceOnly, GeneWithFlanks, Pairs, make_dataset, pairs
from lifecode.datasets.central_dogma.genes import Gene
from lifecode.datasets.central_dogma.locus import Locus, Span
from lifecode.datasets.central_dogma.mutation import CHANGES, changed_locus
from lifecode.datasets.central_dogma.ranking import SPLITS, assign_splits, generator, groups_of
from lifecode.datasets.central_dogma.translation import translates
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code
from tests.support.dogma_rows import biopython_reads, by_kind, read
from tests.support.genes_with_introns import write_random

HEADER = ["seq_id_a", "seq_id_b", "seq_type_a", "seq_type_b", "seq_a", "seq_b", "label"]


@pytest.fixture(scope="module")
def spliced(tmp_path_factory):
    """Pairs of 40 random genes with introns on both strands."""
    folder = tmp_path_factory.mktemp("pairs")
    genome = write_random(folder / "genome.gb", 40, seed=1)
    make_dataset(read_records(genome), folder / "pairs", Pairs(dna=GeneWithFlanks()), seed=7)
    return folder / "pairs"


@pytest.fixture(scope="module", params=["flanks", "cds"])
def ecoli(request, small_genome, tmp_path_factory):
    """Pairs of the first genes of E. coli in both forms."""
    folder = tmp_path_factory.mktemp("ecoli") / "pairs"
    dna = GeneWithFlanks() if request.param == "flanks" else CodingSequenceOnly()
    make_dataset(read_records(small_genome), folder, Pairs(dna=dna, dna_negatives=3, protein_negatives=3))
    return folder


def test_true_pairs_translate_and_false_ones_do_not(spliced):
    rows = read(spliced)
    assert by_kind(rows)["positive"] == 40
    assert len(rows) == 120
    assert any("," in row["exons"] for row in rows)
    for row in rows:
        assert (biopython_reads(row) == row["seq_b"]) == (row["label"] == "1"), row


def test_the_same_on_real_genes(ecoli):
    rows = read(ecoli)
    assert set(by_kind(rows)) == {"positive"} | {f"{m}_{c}" for m in ("dna", "protein") for c in CHANGES}
    for row in rows:
        assert (biopython_reads(row) == row["seq_b"]) == (row["label"] == "1"), row


def test_a_negative_differs_by_what_its_kind_says(spliced):
    rows = read(spliced)
    true = {row["seq_id_a"]: row for row in rows if row["label"] == "1"}
    steps = {"substitution": 0, "insertion": 1, "deletion": -1}
    for row in rows:
        if row["label"] == "1":
            continue
        molecule, change = row["kind"].split("_")
        origin, changes = true[row["seq_id_a"].split("#")[0]], int(row["changes"])
        column, other = ("seq_a", "seq_b") if molecule == "dna" else ("seq_b", "seq_a")
        assert row[other] == origin[other]
        assert len(row[column]) == len(origin[column]) + steps[change] * changes
        assert 1 <= changes <= max(1, len(origin["seq_b"]) // 10)
        if change == "substitution":
            assert sum(a != b for a, b in zip(row[column], origin[column], strict=True)) == changes
        if molecule == "dna":
            flanks = [(row["seq_a"][:100], row["seq_a"][-100:]) for row in (row, origin)]
            assert flanks[0] == flanks[1]
            assert introns(row) == introns(origin)


def introns(row):
    exons = [tuple(map(int, exon.split(".."))) for exon in row["exons"].split(",")]
    return [row["seq_a"][a:b] for (_, a), (b, _) in pairwise(exons)]


def test_flanks_are_those_of_the_genome(small_genome, ecoli):
    (contig,) = read_records(small_genome)
    genome = Seq(bytes(b"ACGTN"[i] for i in contig.nucleotides))
    for row in read(ecoli):
        if row["label"] == "1" and int(row["strand"]) in (1, -1):
            piece = genome[int(row["start"]) : int(row["end"])]
            piece = piece if row["strand"] == "1" else piece.reverse_complement()
            assert str(piece) == row["seq_a"]


def test_splits_share_no_gene_and_have_their_shares(spliced):
    rows = read(spliced)
    genes = defaultdict(set)
    for row in rows:
        genes[row["split"]].add(row["seq_id_a"].split("#")[0])
    assert {split: len(names) for split, names in genes.items()} == {"train": 5, "dev": 4, "test": 31}
    assert not genes["train"] & genes["test"]
    assert not genes["dev"] & (genes["train"] | genes["test"])
    assert Counter(row["split"] for row in rows) == {"train": 15, "dev": 12, "test": 93}


def test_split_by_pair_shuffles_true_and_false_pairs_each(tmp_path):
    genome = write_random(tmp_path / "genome.gb", 64, seed=2)
    make_dataset(read_records(genome), tmp_path / "pairs", Pairs(dna=CodingSequenceOnly(), split_by="pair"))
    rows = read(tmp_path / "pairs")
    counts = Counter((row["split"], row["label"]) for row in rows)
    assert counts == {
        **{("train", "1"): 8, ("dev", "1"): 6, ("test", "1"): 50},
        **{("train", "0"): 16, ("dev", "0"): 12, ("test", "0"): 100},
    }
    genes = defaultdict(set)
    for row in rows:
        genes[row["split"]].add(row["seq_id_a"].split("#")[0])
    assert genes["train"] & genes["test"]


def test_one_seed_gives_the_same_bytes_and_another_does_not(tmp_path, spliced):
    genome = spliced.parent / "genome.gb"
    for name, seed in (("same", 7), ("other", 8)):
        make_dataset(read_records(genome), tmp_path / name, Pairs(dna=GeneWithFlanks()), seed=seed)
    files = sorted(path.relative_to(spliced) for path in spliced.rglob("*") if path.is_file())
    assert len(files) == 7
    assert filecmp.cmpfiles(spliced, tmp_path / "same", files, shallow=False)[0] == files
    _, different, missing = filecmp.cmpfiles(spliced, tmp_path / "other", files, shallow=False)
    assert not missing
    assert {path.name for path in different} >= {"train.csv", "dev.csv", "test.csv", "origins.csv"}


def test_the_layout_is_lucaones(spliced):
    task = spliced / "gene_protein/binary_class"
    assert (task / "label.txt").read_text() == "label\n0\n1\n"
    for split in SPLITS:
        with (task / split / f"{split}.csv").open(newline="") as file:
            header, *rows = csv.reader(file)
        assert header == HEADER
        assert {(row[2], row[3]) for row in rows} == {("gene", "prot")}
    assert {path.name for path in task.iterdir()} == {*SPLITS, "label.txt"}
    assert spliced.stat().st_mode & 0o777 == 0o755


def test_ids_with_commas_quotes_and_slashes_come_back(tmp_path):
    genome = write_random(tmp_path / "genome.gb", 3, seed=3)
    text = genome.read_text().replace('protein_id="P300"', 'protein_id="../P,""300"""')
    genome.write_text(text)
    make_dataset(read_records(genome), tmp_path / "pairs", Pairs(dna=CodingSequenceOnly()))
    assert 'RANDOM.1:../P,"300"' in {row["seq_id_b"] for row in read(tmp_path / "pairs")}
    assert {path.name for path in tmp_path.iterdir()} == {"genome.gb", "pairs"}


def test_what_is_left_out_is_counted_and_listed(tmp_path):
    genome = write_random(tmp_path / "genome.gb", 4, seed=3)
    short = GeneWithFlanks(flank_nucleotides=301)
    report = make_dataset(read_records(genome), tmp_path / "pairs", Pairs(dna=short))
    assert report["left_out"] == {"flank_beyond_contig": 2}
    with (tmp_path / "pairs/left_out.csv").open(newline="") as file:
        assert [row["reason"] for row in csv.DictReader(file)] == ["flank_beyond_contig"] * 2
    with pytest.raises(UserError, match=r"none of 4 CDS gives an example \(4 too_long\)"):
        make_dataset(read_records(genome), tmp_path / "no", Pairs(dna=CodingSequenceOnly(max_nucleotides=9)))
    with pytest.raises(UserError, match=r"none of 4 CDS gives an example \(4 too_long\)"):
        make_dataset(read_records(genome), tmp_path / "no", Pairs(dna=GeneWithFlanks(max_nucleotides=9)))
    assert not (tmp_path / "no").exists()


def test_what_is_there_already_is_refused_before_anything_is_read(tmp_path):
    (tmp_path / "file").touch()
    contigs = (pytest.fail("a contig was read") for _ in range(1))
    with pytest.raises(UserError, match="is there already"):
        make_dataset(contigs, tmp_path, Pairs(dna=CodingSequenceOnly()))


def test_a_gene_without_a_negative_is_left_out_whole(tmp_path, monkeypatch):
    draw = pairs.false_pair
    monkeypatch.setattr(
        pairs, "false_pair", lambda gene, *rest: None if gene.cds.id == "P300" else draw(gene, *rest)
    )
    genome = write_random(tmp_path / "genome.gb", 4, seed=3)
    report = make_dataset(read_records(genome), tmp_path / "pairs", Pairs(dna=CodingSequenceOnly()))
    assert report["left_out"] == {"no_negative": 1}
    assert "RANDOM.1:P300" not in {row["seq_id_a"] for row in read(tmp_path / "pairs")}


def test_the_shortest_protein_has_negatives_too(tmp_path):
    coding = CodingSequence("x", None, (Exon(0, 6, 1),), protein="M")
    contig = Contig("A", encode_nucleotides("ATGTAA"), "by hand", coding_sequences=(coding,))
    make_dataset([contig], tmp_path / "pairs", Pairs(dna=CodingSequenceOnly(), protein_negatives=30))
    rows = read(tmp_path / "pairs")
    assert by_kind(rows).keys() >= {"protein_substitution", "protein_insertion"}
    assert all(row["seq_b"] for row in rows)


@pytest.mark.parametrize("change", ["substitution", "insertion"])
def test_every_nucleotide_is_drawn(change):
    before = locus("A" * 400, (0, 400))
    after = changed_locus(before, change, 200, generator(0, "draw")).nucleotides
    counts = np.bincount(after, minlength=4)[[1, 2, 3]]
    assert counts.min() > 30
    assert len(np.bincount(after)) == 4


def test_a_gene_told_twice_gives_its_pairs_once(tmp_path):
    genome = write_random(tmp_path / "genome.gb", 4, seed=3)
    again = tmp_path / "again.gb"
    again.write_text(genome.read_text().replace("RANDOM.1", "COPY.1"))
    report = make_dataset(read_records([genome, again]), tmp_path / "pairs", Pairs(dna=GeneWithFlanks()))
    assert report["left_out"] == {"duplicate": 4}


def locus(dna, *exons):
    return Locus(encode_nucleotides(dna), tuple(Span(*exon) for exon in exons), 0, len(dna), 1)


CODE = genetic_code(11)


@pytest.mark.parametrize(
    ("dna", "exons", "protein", "reads"),
    [
        ("ATGAAATAA", [(0, 9)], "MK", True),
        ("ATGAAGTAA", [(0, 9)], "MK", True),  # synonymous
        ("ATGAATTAA", [(0, 9)], "MK", False),
        ("ATGAAATAAA", [(0, 10)], "MK", True),  # an insertion behind the stop
        ("ATGAAATAAC", [(0, 8)], "MK", True),  # a stop that the flank completes
        ("ATGAAATACTAA", [(0, 9)], "MK", False),  # reads on
        ("ATGATGAAATAA", [(0, 12)], "MK", True),  # from the second start codon
        ("GTGAAATAA", [(0, 9)], "MK", True),  # alternative start
        ("CCCAAATAA", [(0, 9)], "MK", False),
        ("ATGAAATAA", [(0, 9)], "VK", False),
        ("ATGAAATAA", [(3, 9)], "MK", True),  # a start codon in the flank
        ("AATGAAATAA", [(0, 10)], "MK", True),  # another frame
        ("ATGAAA", [(0, 6)], "MK", True),  # no stop, as some CDS are annotated
        ("ATGCCCAAATAA", [(0, 3), (6, 12)], "MK", True),  # an intron
        ("ATGCCCAAATAA", [(0, 12)], "MK", False),
    ],
)
def test_translates_reads_like_a_ribosome(dna, exons, protein, reads):
    assert translates(locus(dna, *exons), protein, CODE) == reads


@given(st.integers(0, 10_000), st.sampled_from(CHANGES), st.integers(1, 9))
def test_exons_move_with_the_changes_before_them(seed, change, num_changes):
    """Exons are A and C, all else G and T: after any change of the exons they still hold every A and C."""
    before = locus("GTGTGT" + "ACACAC" + "GTTTTG" + "ACA" + "TTG" + "CAC" + "GG", (6, 12), (18, 21), (24, 27))
    after = changed_locus(before, change, num_changes, generator(seed, "draw"))
    outside = [i for i in range(len(after.nucleotides)) if not any(a <= i < b for a, b in after.exons)]
    assert bytes(after.nucleotides[outside]) == bytes(encode_nucleotides("GTGTGT" + "GTTTTG" + "TTG" + "GG"))
    step = {"substitution": 0, "insertion": 1, "deletion": -1}[change] * num_changes
    assert len(after.coding_sequence()) == 12 + step


@given(st.lists(st.lists(st.integers(0, 12), max_size=3), min_size=1, max_size=12))
def test_groups_are_the_connected_ones(ties):
    groups = groups_of(ties)
    for a, ours in enumerate(ties):
        for b, theirs in enumerate(ties):
            if set(ours) & set(theirs):
                assert groups[a] == groups[b]
    together = {}
    for group, of_item in zip(groups, ties, strict=True):
        together.setdefault(group, []).append(set(of_item))
    for members in together.values():  # one part grows to the whole group
        reached, rest = members[0], members[1:]
        while joined := [tie for tie in rest if tie & reached]:
            reached = reached.union(*joined)
            rest = [tie for tie in rest if tie not in joined]
        assert not rest


@pytest.mark.parametrize(
    ("other", "tied"),
    [
        ({}, False),
        ({"name": "thrA"}, True),
        ({"name": "thrA", "contig": "B"}, False),
        ({"protein": "MK"}, True),
        ({"protein": "MK", "contig": "B"}, True),
        ({"exon": Exon(3, 18, 1)}, True),
        ({"exon": Exon(3, 18, -1)}, False),
        ({"exon": Exon(9, 12, 1)}, True),
        ({"exon": Exon(9, 12, 1), "contig": "B"}, False),
    ],
)
def test_what_ties_two_genes(other, tied):
    def gene(contig="A", name="thrB", protein="MW", exon=Exon(20, 29, 1)):
        nucleotides = encode_nucleotides("ATGAAATAA" if protein == "MK" else "ATGTGGTAA")
        coding = CodingSequence("x", name, (exon,), protein=protein)
        residues = np.array([AMINO_ACIDS.index(letter) for letter in protein + "*"], dtype=np.uint8)
        return Gene(Contig(contig, nucleotides, "by hand"), ExactPair(coding, nucleotides, residues))

    first = gene(name="thrA", protein="MK", exon=Exon(9, 18, 1))
    groups = groups_of([first.ties(), gene(**other).ties()])
    assert (groups[0] == groups[1]) == tied


def test_splits_do_not_depend_on_the_order_of_the_items():
    names, groups = [f"gene{i}" for i in range(50)], [i // 2 for i in range(50)]
    splits = dict(zip(names, assign_splits(names, groups, (4, 3, 25), 0), strict=True))
    turned = dict(zip(names[::-1], assign_splits(names[::-1], groups[::-1], (4, 3, 25), 0), strict=True))
    assert splits == turned
    assert assign_splits(names, groups, (4, 3, 25), 1) != list(splits.values())
    assert assign_splits(names, groups, (1, 0, 0), 0) == ["train"] * 50
    assert set(assign_splits(names, groups, (0, 1, 1), 0)) == {"dev", "test"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"shares": (0, 0, 0)}, "shares 0:0:0 is no division"),
        ({"max_changed": 0.0}, "max_changed 0.0 is no share"),
        ({"dna_negatives": -1}, "dna_negatives is negative"),
    ],
)
def test_settings_out_of_range(settings, said):
    with pytest.raises(UserError, match=said):
        Pairs(dna=CodingSequenceOnly(), **settings)
