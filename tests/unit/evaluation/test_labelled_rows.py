"""Figures on held-out rows: the best constant by hand and by brute force, and a model that knows."""

import math
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from lifecode.datasets.luca_one.batch import LabelledBatch
from lifecode.datasets.luca_one.label_names import LabelNames
from lifecode.datasets.luca_one.masking import LetterMasking
from lifecode.datasets.luca_one.rows import LucaOneRow
from lifecode.datasets.luca_one.stream import TokenShape
from lifecode.datasets.luca_one.tasks import TASKS
from lifecode.evaluation.labelled_rows import constant_outputs, evaluate_rows
from lifecode.models.luca_one.vocabulary import MASK
from tests.support.luca_rows import luca_rows, stream_of, table_of
from tests.support.small_models import HEADS

ROWS = luca_rows(24)
NAMES = LabelNames.of_rows(ROWS)
CLASSES = {task: head["classes"] for task, head in HEADS.items()}
SHAPE = TokenShape(max_tokens=200, rows=1)


def test_the_constant_by_hand() -> None:
    """A short sequence of one type counts as much as a long one of another."""
    spans = [[(0, 0, "CDS")], [(0, 5, "tRNA"), (6, 7, "CDS")]]
    rows = [LucaOneRow(f"g{i}", "gene", "ACGTACGT", {"gene_type": own}) for i, own in enumerate(spans)]
    rows.append(LucaOneRow("t", "gene", "AAAA", labels={"gene_taxonomy": "b"}))
    names = LabelNames.of_rows(rows)
    found = constant_outputs(table_of(rows), names, {"gene_type": 8, "gene_taxonomy": 5, "prot_site": 3})
    share = found["gene_type"].exp()
    assert float(share[7]) == pytest.approx((1 + 0.25 + 1 / 8) / 3)
    assert float(share[5]) == pytest.approx((0.75 + 1 / 8) / 3)
    assert float(share.sum()) == pytest.approx(1.0)
    assert float(found["gene_mask"][5].exp()) == pytest.approx((0.25 + 0.25 + 1 + 0.25) / 4)  # A
    assert float(found["gene_taxonomy"][0].exp()) == pytest.approx(1.0)
    assert set(found) == {"gene_mask", "prot_mask", "gene_type", "gene_taxonomy"}


def test_a_keyword_that_a_row_names_twice_counts_once() -> None:
    words = [("a", "a"), ("a", "b", "a"), ("b",)]
    rows = [
        LucaOneRow(f"p{i}", "protein", "MKV", labels={"prot_keyword": own}) for i, own in enumerate(words)
    ]
    names = LabelNames.of_rows(rows)
    found = constant_outputs(table_of(rows), names, {"prot_keyword": 2})["prot_keyword"].sigmoid()
    assert found.tolist() == pytest.approx([2.5 / 4, 2.5 / 4])


def test_the_constant_is_the_best_one_of_the_training_rows() -> None:
    """No other constant has a lower loss on them, up to the imagined sequence."""
    constant = constant_outputs(table_of(ROWS), NAMES, CLASSES)
    assert set(constant) == set(TASKS)
    stream = stream_of(table_of(ROWS), SHAPE, masking=LetterMasking(fraction=1.0))

    def losses(said: Mapping[str, Tensor]) -> dict[str, float]:
        def outputs(batch: LabelledBatch) -> dict[str, Tensor]:
            return {task: values.expand(len(batch.labels[task].at), -1) for task, values in said.items()}

        return {task: x.value for task, x in evaluate_rows(outputs, {}, stream).heldout.items()}

    best = losses(constant)
    generator = torch.Generator().manual_seed(0)
    for size in (0.3, -0.3):
        noise = {t: x + size * torch.rand(len(x), generator=generator) for t, x in constant.items()}
        other = losses(noise)
        for task in TASKS:
            assert best[task] < other[task] + 1e-3, task


def test_every_row_is_read_once_and_every_letter_asked_for_is_masked() -> None:
    seen: list[int] = []

    def outputs(batch: LabelledBatch) -> dict[str, Tensor]:
        seen.extend(end - start for start, end in pairwise(batch.cu_seqlens.tolist()))
        assert bool((batch.ids[batch.labels["gene_mask"].at] == MASK).all())
        return {"gene_taxonomy": 9.0 * torch.nn.functional.one_hot(batch.labels["gene_taxonomy"].values, 12)}

    constant = {"gene_taxonomy": torch.zeros(12)}
    found = evaluate_rows(outputs, constant, stream_of(table_of(ROWS), SHAPE))
    assert sorted(seen) == sorted(len(row.sequence) + 2 for row in ROWS)
    assert found.heldout["gene_taxonomy"].n == 12
    assert found.heldout["gene_taxonomy"].value == pytest.approx(math.log(1 + 11 * math.exp(-9)), rel=1e-3)
    assert found.heldout["gene_taxonomy_accuracy"].value == 1.0
    assert found.baselines["gene_taxonomy_constant"].value == pytest.approx(math.log(12), rel=1e-6)
    first = np.mean([row.labels["gene_taxonomy"] == "order0" for row in ROWS if row.molecule == "gene"])
    assert found.baselines["gene_taxonomy_majority"].value == pytest.approx(first)


def test_fewer_rows_are_drawn_always_the_same() -> None:
    stream = stream_of(table_of(ROWS), SHAPE)
    lengths = [[batch.cu_seqlens.diff().tolist() for batch in stream.rows_once(most=5)] for _ in range(2)]
    assert lengths[0] == lengths[1]
    assert sum(map(len, lengths[0])) == 5
    assert sum(batch.num_segments for batch in stream.rows_once(most=500)) == 24
