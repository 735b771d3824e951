"""Packing group by group: how full rows are, what share each kind has, and that a group stands alone."""

import numpy as np
import pytest

from lifecode.data import prepare_corpus
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.drawing import Drawn, Piece
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.mixture import Mixture
from lifecode.data.batches.row_groups import ROWS_OF_A_GROUP, RowGroups
from lifecode.data.batches.stream import TrainingStream


class Constant:
    """Draws of one piece of a fixed length each."""

    def __init__(self, kind: str, num_codons: int, num_units: int) -> None:
        self.kind, self.length, self.num_units = kind, num_codons, num_units
        self.num_positions = float(num_codons * num_units)

    def drawn(self, first: int, last: int) -> Drawn:
        return Drawn([Piece(self.kind, d, 0, 3 * self.length) for d in range(first, last)], 2, 5)


def row_groups(shares: dict[str, float], max_codons: int = 100, **draws: Constant) -> RowGroups:
    return RowGroups(draws, shares, max_codons, seed=0)


def drawn_units(groups, kind: str) -> list[int]:
    return sorted(p.segment for group in groups for row in group.rows for p in row if p.kind == kind)


def test_groups_take_up_where_the_last_one_ended_and_keep_the_shares():
    groups = row_groups(
        {"cds": 0.7, "dna": 0.3}, cds=Constant("cds", 10, 10**9), dna=Constant("dna", 98, 10**9)
    )
    drawn = [groups.group(number) for number in range(5)]
    for kind in ("cds", "dna"):
        units = drawn_units(drawn, kind)
        assert units == list(range(len(units)))
    codons = {"cds": 10 * len(drawn_units(drawn, "cds")), "dna": 98 * len(drawn_units(drawn, "dna"))}
    assert codons["dna"] / sum(codons.values()) == pytest.approx(0.3, abs=0.002)
    assert sum(codons.values()) == pytest.approx(5 * ROWS_OF_A_GROUP * 100, rel=0.01)
    assert drawn[0].num_cut == 4
    assert drawn[0].left_out_nucleotides == 10


def test_a_tiny_share_comes_up_as_often_as_asked():
    groups = row_groups(
        {"cds": 0.9995, "dna": 0.0005}, cds=Constant("cds", 98, 10**9), dna=Constant("dna", 98, 10**9)
    )
    assert (
        len(drawn_units([groups.group(number) for number in range(40)], "dna")) == 5
    )  # 40 x 256 x 0.0005 / 0.98


def test_of_a_small_corpus_a_group_is_an_epoch():
    groups = row_groups({"cds": 1.0}, cds=Constant("cds", 18, 41))
    assert drawn_units([groups.group(3)], "cds") == list(range(3 * 41, 4 * 41))
    assert len(groups.group(3).rows) == 9  # five segments of 20 codons a row
    assert groups.group(3).filled == pytest.approx(41 * 20 / 900)


def test_rows_are_shuffled():
    groups = row_groups({"cds": 1.0}, cds=Constant("cds", 98, 200))
    orders = [[row[0].segment % 200 for row in groups.group(number).rows] for number in range(2)]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(200))
    assert orders[0] != orders[1] != list(range(200))


@pytest.fixture(scope="module")
def ecoli(tmp_path_factory):
    return prepare_corpus("ecoli", tmp_path_factory.mktemp("ecoli") / "corpus")


@pytest.mark.parametrize("max_codons", [1024, 4096])
def test_rows_of_e_coli_are_full(ecoli, max_codons):
    shape = BatchShape(max_codons=max_codons)
    settings = {"mixture": Mixture(cds=0.75, dna=0.25), "masking": Masking(), "seed": 0}
    stream = TrainingStream(ecoli, shape=shape, **settings)
    groups = stream.row_groups(0)
    for number in range(4):
        group = groups.group(number)
        assert group.filled > 0.99
        assert all(sum(piece.num_positions for piece in row) <= max_codons for row in group.rows)
        assert 0.23 < np.mean([row[0].kind == "dna" for row in group.rows]) < 0.28
        assert group.left_out_nucleotides == 0


def test_long_cds_are_cut_and_counted(ecoli):
    settings = {"mixture": Mixture(cds=1, dna=0), "masking": Masking(), "seed": 0}
    stream = TrainingStream(ecoli, shape=BatchShape(max_codons=1024), **settings)
    drawn = [stream.row_groups(0).group(number) for number in range(4)]
    lengths = stream.tables["cds"].num_nucleotides
    pieces = [piece for group in drawn for row in group.rows for piece in row]
    beginnings = np.array([piece.segment for piece in pieces if piece.start == 0])
    assert sum(group.num_cut for group in drawn) == (lengths[beginnings] > 3 * 1022).sum() > 20
    assert sum(piece.stop - piece.start for piece in pieces) == lengths[beginnings].sum()  # nothing is lost
