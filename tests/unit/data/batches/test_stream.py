"""The training stream: the same steps for any number of workers and processes, resumed exactly anywhere."""

from dataclasses import fields
from itertools import islice

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from lifecode.alphabet import CLS, MASK, SEP, UNK
from lifecode.data import BlockSplit, prepare_corpus
from lifecode.data.batches.batch import Segment, corrupt_and_pack, joined
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.mixture import Mixture
from lifecode.data.batches.stream import Cursor, TrainingStream
from lifecode.errors import UserError

SHAPE = BatchShape(max_codons=200, rows=8)


def stream(corpus, **changes):
    settings = {"shape": SHAPE, "mixture": Mixture(), "masking": Masking(), "seed": 3}
    return TrainingStream(corpus, **{**settings, **changes})


def steps(source, number):
    return [step.micro_batches for step in islice(source, number)]


def same_batch(a, b):
    return all(
        torch.equal(getattr(a, f.name), getattr(b, f.name))
        if isinstance(getattr(a, f.name), torch.Tensor)
        else getattr(a, f.name) == getattr(b, f.name)
        for f in fields(a)
    )


def same(one, other):
    return all(
        same_batch(a, b)
        for step, again in zip(one, other, strict=True)
        for a, b in zip(step, again, strict=True)
    )


def rows_of(batches, max_codons=200):
    """Every row of some micro-batches that hold one row each, as bytes of ids, labels and selection."""
    names = ("ids", "codon_labels", "amino_acid_labels", "nucleotide_labels", "codon_selected")
    rows = []
    for batch in batches:
        assert len(batch.codon_labels) <= max_codons
        rows.append(b"|".join(getattr(batch, name).numpy().tobytes() for name in names))
    return rows


def steps_of_two_epochs(corpus) -> int:
    """More steps than two epochs of the CDS take."""
    codons = 2 * int(corpus.segments("cds", "train").offsets[-1]) / 3 / 0.75
    return int(codons / 200 / SHAPE.rows) + 6


def test_a_step_holds_the_rows_asked_for(small_corpus):
    for _, rows, _ in islice(stream(small_corpus).rows_of_steps(), 20):
        assert len(rows) == 8
        assert all(0 < sum(piece.num_positions for piece in row) <= 200 for row in rows)


def test_epochs_are_complete(small_corpus):
    """CDS drawn in two epochs: every nucleotide twice, give or take what the last step cuts off."""
    training = stream(small_corpus, mixture=Mixture(cds=1, dna=0))
    lengths = training.tables["cds"].num_nucleotides
    times = [np.zeros(length) for length in lengths]
    groups_of_an_epoch, number = training.row_groups(0), 0
    while sum(np.sum(t) for t in times) < 2 * lengths.sum():
        for piece in (piece for row in groups_of_an_epoch.group(number).rows for piece in row):
            times[piece.segment][piece.start : piece.stop] += 1
        number += 1
    assert all((t == 2).all() for t in times)


@pytest.fixture(scope="module")
def two_genomes(tmp_path_factory):
    """Eight genes in one file, forty in another, all different."""
    folder = tmp_path_factory.mktemp("two")
    draw = np.random.default_rng(0)
    for name, number in (("small", 8), ("large", 40)):
        genes = ["".join(draw.choice(["GCA", "CTG", "AAC", "GGT"], 30)) for _ in range(number)]
        lines = [f">{name}{i}\nATG{gene}TAA\n" for i, gene in enumerate(genes)]
        (folder / f"{name}.fa").write_text("".join(lines))
    inputs = [f"cds:{folder}/{name}.fa" for name in ("small", "large")]
    return prepare_corpus(inputs, folder / "corpus", split=BlockSplit(validation=0.2, test=0.1))


def test_seeds_have_different_orders(small_corpus):
    streams = [stream(small_corpus, seed=seed) for seed in (3, 3, 4)]
    orders = [[rows for _, rows, _ in islice(one.rows_of_steps(), 4)] for one in streams]
    assert orders[0] == orders[1] != orders[2]


def test_shares_of_the_kinds(rna_corpus):
    training = stream(rna_corpus, mixture=Mixture(cds=0.5, dna=0.3, rna=0.2))
    codons = dict.fromkeys(("cds", "dna", "rna"), 0)
    for _, rows, _ in islice(training.rows_of_steps(), 300):
        for piece in (piece for row in rows for piece in row):
            codons[piece.kind] += (piece.stop - piece.start) / 3
            assert piece.kind == "dna" or not piece.reverse
    total = sum(codons.values())
    assert codons["cds"] / total == pytest.approx(0.5, abs=0.02)
    assert codons["rna"] / total == pytest.approx(0.2, abs=0.02)


def test_a_pass_reads_the_genes_of_a_file_as_often_as_told(two_genomes):
    """The other file's genes once; the validation split is read as it is."""
    again = {"small.fa": 3}
    once, repeated = (stream(two_genomes, mixture=Mixture(dna=0, cds_repeats=r)) for r in (None, again))
    sources = np.array(repeated.tables["cds"].column("source"))
    draws = repeated.row_groups(0)._draws["cds"]
    pieces = draws.drawn(0, draws.num_units).pieces
    times = np.bincount([piece.segment for piece in pieces], minlength=len(sources))
    assert set(times[sources == "small.fa"]) == {3}
    assert set(times[sources == "large.fa"]) == {1}
    codons = repeated.tables["cds"].num_nucleotides // 3
    assert Mixture(cds_repeats=again).codons_of_pass(repeated.tables["cds"]) == int((times * codons).sum())
    assert not same(steps(once, 2), steps(repeated, 2))
    validation = [
        stream(two_genomes, split="validation", mixture=Mixture(dna=0, cds_repeats=r)) for r in (None, again)
    ]
    assert same(*(steps(source, 2) for source in validation))


def test_genes_of_a_file_are_read_joined(two_genomes):
    """Each gene once a pass, as without; a joined piece is one segment of whole genes of one file."""
    training = stream(two_genomes, mixture=Mixture(dna=0, joined=0.5))
    table = training.tables["cds"]
    sources = np.array(table.column("source"))
    draws = training.row_groups(0)._draws["cds"]
    pieces = draws.drawn(0, draws.num_units).pieces
    assert sorted(part.segment for piece in pieces for part in piece.parts) == list(range(len(table)))
    several = [piece for piece in pieces if len(piece.parts) > 1]
    assert 0 < len(several) < len(pieces)
    whole = stream(two_genomes, mixture=Mixture(dna=0, joined=1)).row_groups(0)._draws["cds"]
    sizes = sorted(len(piece.parts) for piece in whole.drawn(0, draws.num_units).pieces)
    assert sizes[-1] == 6  # of 32 codons each, in rows of 200
    for piece in several:
        assert len({sources[part.segment] for part in piece.parts}) == 1
        batch = training.batch(5, [piece])
        genes = [table.nucleotides(part.segment) for part in piece.parts]
        codons = np.concatenate([gene.reshape(-1, 3) for gene in genes]).astype(np.int64) @ [16, 4, 1]
        assert batch.cu_seqlens.tolist() == [0, len(codons) + 2] == [0, piece.num_positions]
        np.testing.assert_array_equal(batch.codon_labels[1:-1], codons)
        residues = np.concatenate([table.amino_acids(part.segment) for part in piece.parts])
        np.testing.assert_array_equal(batch.amino_acid_labels[1:-1], residues)
    validation = (
        stream(two_genomes, split="validation", mixture=Mixture(dna=0, joined=share)) for share in (0, 1)
    )
    assert same(*(steps(source, 2) for source in validation))
    with pytest.raises(UserError, match=r"mixture\.joined: is 1\.5"):
        Mixture(joined=1.5)


def test_features_of_joined_segments_stay_with_their_codons():
    """The teacher has seen two codons of the first gene, none of the second, one of the third."""

    def gene(codons, features):
        return Segment(np.zeros(3 * codons, np.uint8), np.zeros(codons, np.uint8), features)

    seen = np.arange(6, dtype=np.float16).reshape(3, 2)
    one = joined([gene(3, seen[:2]), gene(2, None), gene(4, seen[2:])])
    assert one.taught.tolist() == [0, 1, 5]
    np.testing.assert_array_equal(one.teacher_features, seen)
    batch = corrupt_and_pack([gene(1, seen[:1]), one], Masking(), np.arange(2, dtype=np.uint64))
    assert batch.teacher_positions.tolist() == [1, 4, 5, 9]
    assert joined([gene(2, None), gene(2, None)]).teacher_features is None


def test_a_temperature_reads_small_files_more_often_by_the_power_of_their_codons(two_genomes):
    whole = stream(two_genomes, mixture=Mixture(dna=0))
    table = whole.tables["cds"]
    sources, codons = np.array(table.column("source")), table.num_nucleotides // 3
    small, large = (codons[sources == name].sum() for name in ("small.fa", "large.fa"))
    assert Mixture(temperature=1).repeats_of(table) is None
    for temperature in (2.0, 5.0):
        times = Mixture(temperature=temperature).repeats_of(table)
        rate = (small / large) ** (1 / temperature - 1)
        assert rate > 2
        assert set(times[sources == "large.fa"]) == {1}
        # of its n genes, all of one length, floor(n x rate) are read, none much more than another
        own = times[sources == "small.fa"]
        assert own.sum() == int(len(own) * rate)
        assert own.max() - own.min() <= 1
    both = Mixture(temperature=2.0, cds_repeats={"small.fa": 2}).repeats_of(table)
    assert (both == Mixture(temperature=2.0).repeats_of(table) * np.where(sources == "small.fa", 2, 1)).all()
    assert not same(steps(whole, 2), steps(stream(two_genomes, mixture=Mixture(dna=0, temperature=5)), 2))


@pytest.mark.parametrize("temperature", [0.5, -1.0, float("nan"), float("inf")])
def test_a_temperature_below_one_is_one_line(temperature):
    with pytest.raises(UserError, match="temperature"):
        Mixture(temperature=temperature)


@pytest.mark.parametrize(
    ("repeats", "said"),
    [
        ({"smal.fa": 3}, "cds_repeats: no coding sequence is from smal.fa.*small.fa, large.fa"),
        ({"small.fa": 0}, r"cds_repeats: small.fa: cannot be read 0 times"),
    ],
)
def test_wrong_repeats_are_one_line(two_genomes, repeats, said):
    with pytest.raises(UserError, match=said):
        stream(two_genomes, mixture=Mixture(cds_repeats=repeats))


def test_rna_is_read_as_it_is_and_masked_like_dna(rna_corpus):
    nothing = Masking(nucleotide_fraction=0)
    for masking in (nothing, Masking()):
        training = stream(rna_corpus, mixture=Mixture(cds=0, dna=0, rna=1), masking=masking)
        table = training.tables["rna"]
        expected = {table.nucleotides(i).tobytes() for i in range(4)}
        found, selected, known = set(), 0, 0
        for (batch,), _ in islice(training, 12):
            assert (batch.codon_labels < 0).all()
            selected += int(batch.nucleotide_selected.sum())
            known += int((batch.nucleotide_labels >= 0).sum())
            for segment in batch.ids.split((batch.cu_seqlens.diff() * 3).tolist()):
                found.add(segment[3:-3][segment[3:-3] != UNK].numpy().tobytes())
        if masking is nothing:
            assert expected <= found
            assert len(found - expected) == 3  # of the long one
        assert selected / known == pytest.approx(masking.nucleotide_fraction, abs=0.02)


def test_a_kind_that_is_absent_leaves_its_share_to_the_others(small_corpus):
    training = stream(small_corpus, mixture=Mixture(cds=0.3, dna=0.1, rna=0.6))
    assert training.shares == pytest.approx({"cds": 0.75, "dna": 0.25})
    with pytest.raises(UserError, match=r"data\.mixture: the train split holds no sequence .*\(rna\)"):
        stream(small_corpus, mixture=Mixture(cds=0, dna=0, rna=1))


@pytest.mark.parametrize("workers", [0, 2, 4])
def test_resuming_gives_the_steps_that_would_have_come(small_corpus, workers):
    """Across two epoch boundaries, from any step, with any number of workers."""
    number = steps_of_two_epochs(small_corpus)
    whole = list(islice(stream(small_corpus), number))
    assert whole[-1].after.group >= 2
    assert len({step.after.group for step in whole}) > 2
    for first in (1, number // 2, number - 4):
        resumed = stream(small_corpus, start=whole[first - 1].after)
        loader = DataLoader(resumed, batch_size=None, num_workers=workers)
        again = list(islice(loader, number - first))
        assert [step.after for step in again] == [step.after for step in whole[first:]]
        assert same([step.micro_batches for step in whole[first:]], [step.micro_batches for step in again])


@pytest.mark.parametrize("workers", [2, 4])
def test_batches_do_not_depend_on_the_number_of_workers(small_corpus, workers):
    number = steps_of_two_epochs(small_corpus)
    loader = DataLoader(stream(small_corpus), batch_size=None, num_workers=workers)
    assert same(steps(stream(small_corpus), number), steps(loader, number))


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_make_the_same_steps_together(small_corpus, processes):
    shape = BatchShape(max_codons=200, rows=8, rows_at_once=1)
    number = steps_of_two_epochs(small_corpus)
    alone = list(islice(stream(small_corpus, shape=shape), number))
    parts = [
        list(islice(stream(small_corpus, shape=shape, rank=rank, world_size=processes), number))
        for rank in range(processes)
    ]
    for step, *own in zip(alone, *parts, strict=True):
        shared = [row for part in own for row in rows_of(part.micro_batches)]
        assert sorted(shared) == sorted(rows_of(step.micro_batches))
        assert {part.after for part in own} == {step.after}
        assert len({len(part.micro_batches) for part in own}) == 1


def test_a_run_goes_on_with_another_number_of_processes(small_corpus):
    shape = BatchShape(max_codons=200, rows=4, rows_at_once=1)
    whole = list(islice(stream(small_corpus, shape=shape), 9))
    for processes in (1, 2, 4):
        parts = [
            next(iter(stream(small_corpus, shape=shape, start=whole[6].after, rank=r, world_size=processes)))
            for r in range(processes)
        ]
        rows = [row for part in parts for row in rows_of(part.micro_batches)]
        assert sorted(rows) == sorted(rows_of(whole[7].micro_batches))


def test_length_schedule(small_corpus):
    shape = BatchShape(max_codons=200, rows=2, warmup_codons=60, warmup_steps=5)
    whole = list(islice(stream(small_corpus, shape=shape), 12))
    longest = [int(max(b.cu_seqlens.diff().max() for b in step.micro_batches)) for step in whole]
    assert max(longest[:5]) <= 60 < max(longest[5:]) <= 200
    assert [step.after[:3] for step in whole[3:6]][1:] == [
        (5, 0, 10),
        (6, 0, 2),
    ]  # a new order from its start
    for first in (3, 5, 6):  # before, at and behind the change
        again = islice(stream(small_corpus, shape=shape, start=whole[first - 1].after), 12 - first)
        assert same([s.micro_batches for s in whole[first:]], [s.micro_batches for s in again])
    constant = steps(stream(small_corpus, shape=BatchShape(max_codons=200, rows=2)), 1)
    assert not same(constant, [whole[0].micro_batches])


def test_masks_are_those_of_record_seed_step_and_start(small_corpus):
    """The same record at another step is masked anew, at the same step and seed the same."""
    training = stream(small_corpus, masking=Masking(codon_fraction=0.5))
    rows = (row for _, rows, _ in training.rows_of_steps() for row in rows)
    pieces = next(row for row in rows if len({piece.segment for piece in row}) > 1)
    once, again, later = (training.batch(step, pieces) for step in (7, 7, 8))
    assert same_batch(once, again)
    assert not torch.equal(once.ids, later.ids)
    assert torch.equal(once.codon_labels, later.codon_labels)
    other_seed = stream(small_corpus, masking=Masking(codon_fraction=0.5), seed=4).batch(7, pieces)
    assert not torch.equal(once.ids, other_seed.ids)
    backwards = training.batch(7, pieces[::-1])
    assert sorted(segments(once)) == sorted(segments(backwards))


def segments(batch) -> list[bytes]:
    return [s.numpy().tobytes() for s in batch.ids.split((batch.cu_seqlens.diff() * 3).tolist())]


def test_half_of_the_dna_comes_from_the_other_strand_and_no_cds(small_corpus):
    training = stream(small_corpus)
    pieces = [p for _, rows, _ in islice(training.rows_of_steps(), 60) for row in rows for p in row]
    assert not any(piece.reverse for piece in pieces if piece.kind == "cds")
    assert 0.4 < np.mean([piece.reverse for piece in pieces if piece.kind == "dna"]) < 0.6
    forward = stream(small_corpus, reverse_complement=False)
    steps = islice(forward.rows_of_steps(), 20)
    assert not any(p.reverse for _, rows, _ in steps for row in rows for p in row)


def test_the_other_strand_is_the_reverse_complement(small_corpus):
    training = stream(small_corpus, masking=Masking(nucleotide_fraction=0))
    pieces = (p for _, rows, _ in training.rows_of_steps() for row in rows for p in row if p.reverse)
    piece = next(pieces)
    ids = training.tables["dna"].nucleotides(piece.segment)[piece.start : piece.stop]
    batch = training.batch(0, [piece])
    assert batch.ids[3 : 3 + len(ids)].tolist() == [3 - i for i in ids[::-1].tolist()]


def test_labels_are_where_the_corrupted_ids_came_from(small_corpus):
    (batch,) = next(iter(stream(small_corpus))).micro_batches
    ids, triplets = batch.ids.long(), batch.ids.reshape(-1, 3).long()
    assert batch.cu_seqlens[-1] * 3 == len(ids)
    starts = batch.cu_seqlens[:-1].long()
    assert (triplets[starts] == CLS).all()
    assert (triplets[batch.cu_seqlens[1:].long() - 1] == SEP).all()
    nucleotide = (batch.nucleotide_labels >= 0) & ~batch.nucleotide_selected
    assert torch.equal(ids[nucleotide], batch.nucleotide_labels[nucleotide])
    codon = (batch.codon_labels >= 0) & ~batch.codon_selected
    assert torch.equal(triplets[codon] @ torch.tensor([16, 4, 1]), batch.codon_labels[codon])
    assert ((batch.codon_labels >= 0) == (batch.amino_acid_labels >= 0)).all()
    assert not ((batch.codon_labels >= 0) & (batch.nucleotide_labels.reshape(-1, 3) >= 0).any(1)).any()
    assert (triplets[batch.codon_selected] == MASK).all(1).float().mean() > 0.6


def test_teacher_features_lie_at_their_residues(small_corpus):
    class Lengths:
        def get(self, protein):
            ranks = np.array([[ord(letter), i] for i, letter in enumerate(protein)], dtype=np.float16)
            return ranks if len(protein) % 2 else None

    only = Mixture(cds=1, dna=0)
    (batch,) = next(iter(stream(small_corpus, mixture=only, features=Lengths()))).micro_batches
    assert 0 < len(batch.teacher_positions) < len(batch.codon_labels)
    letters = [chr(int(code)) for code in batch.teacher_features[:, 0]]
    labels = ["ACDEFGHIKLMNPQRSTVWY*"[i] for i in batch.amino_acid_labels[batch.teacher_positions]]
    assert letters == labels


def test_beginning_late_costs_no_more_than_beginning(small_corpus):
    """A cursor far on is reached without the steps before it."""
    far = Cursor(step=10**9, group=10**8, row=1)
    step = next(iter(stream(small_corpus, start=far)))
    assert step.after.step == 10**9 + 1
    assert step.after.group in (10**8, 10**8 + 1)
