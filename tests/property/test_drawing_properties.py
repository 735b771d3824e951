"""An epoch of draws holds every nucleotide of every record once, whatever the lengths of the records."""

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lifecode.alphabet import UNK
from lifecode.data.batches.drawing import RecordDraws, WindowDraws
from lifecode.data.corpus.segments import SegmentTable
from tests.support.segment_tables import write_table

MAX_CODONS = 18
WIDTH = 3 * (MAX_CODONS - 2)
FOLDER = TemporaryDirectory(prefix="lifecode-drawing-")


def table(kind: str, records: list[np.ndarray]) -> SegmentTable:
    """A table of records, opened and then forgotten on disk."""
    folder = Path(mkdtemp(dir=FOLDER.name))
    write_table(folder, kind, records)
    return SegmentTable(folder, kind, "train")


def windows(records: list[np.ndarray], seed: int, **changes) -> WindowDraws:
    settings = {"reverse_complement": True, "max_unknown_fraction": 1.0}
    return WindowDraws(table("dna", records), MAX_CODONS, seed, **{**settings, **changes})


def covered(pieces) -> dict[int, list[int]]:
    """Nucleotides of each record that some pieces hold, in order."""
    places: dict[int, list[int]] = {}
    for piece in pieces:
        places.setdefault(piece.segment, []).extend(range(piece.start, piece.stop))
    return {index: sorted(own) for index, own in places.items()}


def whole(records) -> dict[int, list[int]]:
    return {i: list(range(len(ids))) for i, ids in enumerate(records) if len(ids)}


lengths = st.lists(st.integers(0, 250), min_size=1, max_size=12).filter(sum)


@given(lengths, st.integers(0, 1000), st.integers(0, 3))
def test_windows_of_an_epoch(sizes, seed, epoch):
    records = [np.zeros(size, np.uint8) for size in sizes]
    draws = windows(records, seed)
    n = draws.num_units
    pieces = draws.drawn(epoch * n, (epoch + 1) * n).pieces
    assert covered(pieces) == whole(records)
    assert all(0 < piece.stop - piece.start <= WIDTH for piece in pieces)
    assert all(piece.num_positions <= MAX_CODONS for piece in pieces)
    for index, size in enumerate(sizes):
        own = [piece for piece in pieces if piece.segment == index]
        assert len(own) == 1 or size > WIDTH or size == 0


@given(lengths, st.integers(0, 1000), st.integers(0, 3), st.sampled_from(["cds", "rna"]))
def test_records_of_an_epoch(sizes, seed, epoch, kind):
    sizes = [size // 3 * 3 for size in sizes] if kind == "cds" else sizes
    records = [np.zeros(size, np.uint8) for size in sizes]
    draws = RecordDraws(table(kind, records), MAX_CODONS, seed)
    drawn = draws.drawn(epoch * len(sizes), (epoch + 1) * len(sizes))
    assert covered(drawn.pieces) == whole(records)
    assert not any(piece.reverse for piece in drawn.pieces)
    assert drawn.num_cut == sum(size > WIDTH for size in sizes)
    assert all(piece.start % 3 == 0 and piece.num_positions <= MAX_CODONS for piece in drawn.pieces)
    for index, size in enumerate(sizes):
        own = [piece.num_positions for piece in drawn.pieces if piece.segment == index]
        assert len(own) == -(-size // WIDTH)  # as few as can be
        assert not own or max(own) - min(own) <= 1


@given(st.lists(st.tuples(st.integers(0, 80), st.integers(1, 4)), min_size=1, max_size=12), st.integers(0, 3))
def test_an_epoch_draws_a_record_as_often_as_it_is_repeated(records, epoch):
    sizes, repeats = (np.array(column) for column in zip(*records, strict=True))
    draws = RecordDraws(
        table("cds", [np.zeros(3 * size, np.uint8) for size in sizes]), MAX_CODONS, 0, repeats=repeats
    )
    assert draws.num_units == repeats.sum()
    assert draws.num_positions == (sizes * repeats).sum()
    read = np.zeros(len(sizes), dtype=int)
    for piece in draws.drawn(epoch * draws.num_units, (epoch + 1) * draws.num_units).pieces:
        read[piece.segment] += (piece.stop - piece.start) // 3
    assert (read == sizes * repeats).all()


@given(lengths, st.lists(st.integers(0, 60), max_size=4))
def test_draws_can_be_taken_in_any_parts(sizes, steps):
    records = [np.zeros(size, np.uint8) for size in sizes]
    for draws in (windows(records, 1), RecordDraws(table("rna", records), MAX_CODONS, 1)):
        borders = np.cumsum([0, *steps]).tolist()
        parts = [draws.drawn(a, b).pieces for a, b in pairwise(borders)]
        assert [piece for part in parts for piece in part] == draws.drawn(0, borders[-1]).pieces


def test_pieces_with_too_many_unknown_nucleotides_are_left_out_and_counted():
    records = [np.zeros(40, np.uint8), np.full(30, UNK, np.uint8), np.zeros(20, np.uint8)]
    records[2][:3] = UNK
    for fraction, left in ((1.0, {0, 1, 2}), (0.15, {0, 2}), (0.1, {0})):
        draws = windows(records, 0, max_unknown_fraction=fraction)
        drawn = draws.drawn(0, draws.num_units)
        assert {piece.segment for piece in drawn.pieces} == left
        assert drawn.left_out_nucleotides == sum(len(records[i]) for i in {0, 1, 2} - left)


def test_windows_have_a_new_phase_and_new_strands_every_epoch():
    draws = windows([np.zeros(20 * WIDTH, np.uint8)], 0)
    n = draws.num_units
    epochs = [draws.drawn(epoch * n, (epoch + 1) * n).pieces for epoch in range(20)]
    phases = {next(piece.start % WIDTH for piece in epoch if piece.start) for epoch in epochs}
    assert len(phases) > 12
    assert {phase % 3 for phase in phases} == {0, 1, 2}
    reverse = [piece.reverse for epoch in epochs for piece in epoch]
    assert 0.4 < np.mean(reverse) < 0.6
    forward = windows([np.zeros(20 * WIDTH, np.uint8)], 0, reverse_complement=False)
    assert not any(piece.reverse for piece in forward.drawn(0, n).pieces)
    orders = [[piece.start // WIDTH for piece in epoch] for epoch in epochs]
    assert len({tuple(order) for order in orders}) == 20
