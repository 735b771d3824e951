"""Rows of a step, the schedule of their length, and the mixture of kinds."""

import pytest

from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.mixture import Mixture
from lifecode.errors import UserError


def test_length_by_step():
    shape = BatchShape(max_codons=4096, warmup_codons=1024, warmup_steps=3)
    assert [shape.row_length(step) for step in range(5)] == [1024, 1024, 1024, 4096, 4096]
    assert [shape.begins_length(step) for step in range(5)] == [True, False, False, True, False]
    constant = BatchShape(max_codons=500)
    assert {constant.row_length(step) for step in range(5)} == {500}
    assert [constant.begins_length(step) for step in range(3)] == [True, False, False]


@pytest.mark.parametrize(
    ("rows", "at_once", "processes", "together"),
    [(2, None, 1, 2), (8, None, 4, 2), (8, 1, 4, 1), (256, 2, 8, 2), (4, 4, 1, 4)],
)
def test_rows_of_a_micro_batch(rows, at_once, processes, together):
    assert BatchShape(rows=rows, rows_at_once=at_once).rows_together(processes) == together


@pytest.mark.parametrize(("rows", "at_once", "processes"), [(2, None, 4), (6, 4, 1), (6, None, 4)])
def test_rows_that_cannot_be_shared(rows, at_once, processes):
    with pytest.raises(
        UserError, match=rf"data\.batch\.rows: {rows} rows .* {processes} processes.*multiple"
    ):
        BatchShape(rows=rows, rows_at_once=at_once).rows_together(processes)


@pytest.mark.parametrize(
    "wrong",
    [{"max_codons": 3}, {"warmup_codons": 3}, {"rows": 0}, {"rows_at_once": 0}, {"warmup_steps": -1}],
)
def test_shapes_of_nothing(wrong):
    with pytest.raises(UserError, match=next(iter(wrong))):
        BatchShape(**wrong)


def test_shares_are_renormalised_over_what_is_there():
    mixture = Mixture(cds=3, dna=1, rna=1)
    assert mixture.kinds == ["cds", "dna", "rna"]
    assert mixture.shares(["cds", "dna", "rna"]) == {"cds": 0.6, "dna": 0.2, "rna": 0.2}
    assert mixture.shares(["cds", "dna"]) == {"cds": 0.75, "dna": 0.25}
    assert Mixture(cds=1, dna=0).shares(["dna"]) == {}
    assert Mixture(cds=1, dna=0).kinds == ["cds"]


@pytest.mark.parametrize("weights", [(0, 0, 0), (-1, 2, 0), (float("nan"), 1, 0), (float("inf"), 1, 0)])
def test_no_mixture(weights):
    with pytest.raises(UserError, match=r"data\.mixture"):
        Mixture(*weights)
