"""Whatever torch's default dtype is, ops, losses and a model give the bits that they give in float32."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import lightning
import numpy as np
import pytest
import torch
from torch import Tensor

from lifecode import LifeCode
from lifecode.data.batches.packing import pack
from lifecode.objectives.distillation import DistillationLoss
from lifecode.objectives.loss import cross_entropy
from lifecode.ops import (
    gated_delta_rule,
    rms_norm,
    scaled_sum,
    segment_attention,
    short_convolution,
    silu_gate,
)
from lifecode.ops.cpu.buffers import SMALLEST_BYTES, empty
from lifecode.ops.segments import positions_in_segment, reverse_segments_index, segment_ids
from tests.support.small_models import small_model

DTYPES = (torch.float64, torch.bfloat16, torch.float16)
BORDERS = torch.tensor([0, 7, 40, 100], dtype=torch.int32)


@contextmanager
def by_default(dtype: torch.dtype) -> Iterator[None]:
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    draw = torch.Generator().manual_seed(seed + len(shape))
    return torch.randn(*shape, generator=draw, dtype=torch.float32)


def rows(number: int) -> list[Tensor]:
    return [drawn(100, 32, seed=i) for i in range(number)]


def of_gates() -> list[Tensor]:
    q, k, v = (drawn(1, 100, 2, 16, seed=i) for i in range(3))
    return [
        q,
        torch.nn.functional.normalize(k, dim=-1),
        v,
        -drawn(1, 100, 2).abs(),
        drawn(1, 100, 2).sigmoid(),
    ]


def delta_rule(backend: str, *, reverse: bool = False) -> Callable[..., list[Tensor]]:
    def run(*inputs: Tensor) -> list[Tensor]:
        return list(
            gated_delta_rule(*inputs, cu_seqlens=BORDERS, reverse=reverse, return_state=True, backend=backend)
        )

    return run


def convolved(x: Tensor, taps: Tensor, backend: str) -> Tensor:
    return short_convolution(x[None], taps, cu_seqlens=BORDERS, backend=backend)


def distilled(decoded: Tensor, features: Tensor) -> Tensor:
    loss = DistillationLoss(width=32)
    loss.update(loss.moments(features))
    return loss(decoded, features).mean + loss.centre.sum() + loss.scale


OPS: dict[str, tuple[Callable[..., Tensor | list[Tensor]], Callable[[], list[Tensor]]]] = {
    **{f"delta rule {name}": (delta_rule(name), of_gates) for name in ("recurrent", "chunked", "native")},
    "delta rule reverse": (delta_rule("native", reverse=True), of_gates),
    **{
        f"convolution {name}": (
            lambda x, taps, name=name: short_convolution(
                x[None], taps[:, :4], cu_seqlens=BORDERS, backend=name
            ),
            lambda: [drawn(100, 32), drawn(32, 32)],
        )
        for name in ("torch", "native")
    },
    **{
        f"{op.__name__} {name}": (
            lambda *x, op=op, more=more, name=name: op(*x, **more, backend=name),
            inputs,
        )
        for name in ("torch", "native")
        for op, more, inputs in (
            (rms_norm, {"eps": 1e-5}, lambda: [drawn(100, 32), drawn(32)]),
            (silu_gate, {}, lambda: rows(1)),
            (scaled_sum, {}, lambda: [*rows(2), drawn(32)]),
        )
    },
    "gated norm": (
        lambda x, w, gate: rms_norm(x, w, eps=1e-5, gate=gate),
        lambda: [*rows(1), drawn(32), drawn(100, 32, seed=5)],
    ),
    "attention": (
        lambda q, k, v: segment_attention(q, k, v, BORDERS),
        lambda: [drawn(1, 100, 2, 16, seed=i) for i in range(3)],
    ),
    "cross-entropy": (lambda logits: cross_entropy(logits, torch.arange(100) % 32).mean, lambda: rows(1)),
    "distillation": (distilled, lambda: rows(2)),
}


def result_and_gradients(name: str) -> list[Tensor]:
    op, draw = OPS[name]
    inputs = [x.requires_grad_() for x in draw()]
    results = op(*inputs)
    results = results if isinstance(results, list) else [results]
    gradients = torch.autograd.grad(
        sum((x.sin().sum() for x in results), torch.zeros((), dtype=torch.float32)), inputs, allow_unused=True
    )
    return [*results, *(x for x in gradients if x is not None)]


def assert_same(found: list[Tensor], expected: list[Tensor]) -> None:
    assert len(found) == len(expected)
    for x, y in zip(found, expected, strict=True):
        assert x.dtype == y.dtype
        assert torch.equal(x, y)


@pytest.mark.parametrize("name", OPS)
def test_ops_under_any_default_dtype(name):
    expected = result_and_gradients(name)
    for dtype in DTYPES:
        with by_default(dtype):
            assert_same(result_and_gradients(name), expected)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_indices_and_buffers(dtype):
    with by_default(dtype):
        for index in (segment_ids, positions_in_segment, reverse_segments_index):
            assert index(BORDERS, 100).dtype == torch.int64
        assert {empty((4, 4)).dtype, empty((SMALLEST_BYTES // 4,)).dtype} == {torch.float32}


def trained_and_embedded(model: LifeCode) -> list[Tensor]:
    model.zero_grad()
    states = model.encode(pack(["ATGAAACGCATTAGC", "AUGGCU"]))
    states.square().sum().backward()
    gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    embedded = model.embed(["ATGAAACGCATTAGC", "AUGGCU"])
    assert isinstance(embedded, Tensor)
    return [states, embedded, *gradients]


@pytest.mark.parametrize("strands", ["paper", "rc", "forward"])
def test_a_model_under_any_default_dtype(strands):
    model = small_model(strands=strands)
    expected = trained_and_embedded(model)
    for dtype in DTYPES:
        with by_default(dtype):
            assert_same(trained_and_embedded(model), expected)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_model_is_loaded_in_float32(dtype, tmp_path):
    model = small_model()
    model.save_pretrained(tmp_path / "model")
    with by_default(dtype):
        loaded = LifeCode.from_pretrained(tmp_path / "model")
    assert_same(list(loaded.state_dict().values()), list(model.state_dict().values()))


class Regression(lightning.LightningModule):
    """A model in the hands of a stranger's trainer."""

    def __init__(self) -> None:
        super().__init__()
        self.model = small_model()

    def training_step(self, batch: object, number: int) -> Tensor:
        return self.model.encode(pack(["ATGAAACGCATTAGC", "AUGGCU"])).float().square().mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=1e-2)


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("64-true", torch.float64), ("bf16-true", torch.bfloat16), ("16-true", torch.float16)],
)
def test_lightning_in_true_precisions(precision, dtype):
    options = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = lightning.Trainer(
        precision=precision, accelerator="cpu", max_steps=2, enable_model_summary=False, **options
    )
    module = Regression()
    exact = module.model.embed("ATGAAACGCATTAGC")
    trainer.fit(module, torch.utils.data.DataLoader([0, 1], batch_size=None))
    assert {p.dtype for p in module.parameters()} == {dtype}
    again = small_model().to(dtype)
    with by_default(dtype):
        rounded = again.embed("ATGAAACGCATTAGC")
    assert rounded.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    np.testing.assert_allclose(rounded.numpy(), exact.numpy(), atol=0.1)
    assert all(bool(p.isfinite().all()) for p in module.parameters())


def test_another_default_device_changes_nothing():
    model = LifeCode.from_pretrained("lifecode-mini")
    sequences = ["ATGAAACGCATTAGC" * 9, "ATGGCT"]
    expected = [model.embed(sequences), model.embed(sequences, frames="average")]
    torch.set_default_device("meta")
    try:
        loaded = LifeCode.from_pretrained("lifecode-mini")
        found = [loaded.embed(sequences), model.embed(sequences, frames="average")]
    finally:
        torch.set_default_device(None)
    assert all(map(torch.equal, found, expected))
