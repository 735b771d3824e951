"""What torch asks of a model beyond its values and first gradients: torch.func, second ones, export."""

import pytest
import torch
from torch.func import functional_call, grad, hessian, jvp, vmap

from lifecode.alphabet import encode_nucleotides
from lifecode.data.batches.packing import pack
from lifecode.errors import UserError
from tests.support.small_models import small_model

MODEL = small_model().eval()
GENES = ("ATGAAACGCATTAGC", "ATGGCTAAA")
ROW = pack([encode_nucleotides(gene) for gene in GENES])
WEIGHTS = {name: weight.detach() for name, weight in MODEL.named_parameters()}
NORM = next(name for name in WEIGHTS if "norm" in name)


def energy(weights: dict[str, torch.Tensor], ids: torch.Tensor = ROW.ids) -> torch.Tensor:
    return functional_call(MODEL, weights, (ids, ROW.cu_seqlens)).square().sum()


def gradients(ids: torch.Tensor) -> dict[str, torch.Tensor]:
    MODEL.zero_grad()
    MODEL(ids, ROW.cu_seqlens).square().sum().backward()
    return {n: p.grad.clone() for n, p in MODEL.named_parameters() if p.grad is not None}


def relative_error(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).norm() / expected.norm().clamp(min=1e-3))


def test_gradients_of_torch_func_are_those_of_the_kernels_also_by_sample():
    rows = torch.stack([ROW.ids, ROW.ids.flip(0)])
    expected = [gradients(ids) for ids in rows]
    alone, by_sample = grad(energy)(WEIGHTS), vmap(grad(energy), (None, 0))(WEIGHTS, rows)
    for name, gradient in expected[0].items():
        assert relative_error(alone[name], gradient) < 1e-4
        assert relative_error(by_sample[name][1], expected[1][name]) < 1e-4


def test_second_derivatives_by_torch_func():
    double = {name: weight.double() for name, weight in WEIGHTS.items()}
    start, step = double[NORM], torch.zeros_like(double[NORM])
    step[1] = 1e-4

    def of_norm(weight: torch.Tensor) -> torch.Tensor:
        return energy({**double, NORM: weight})

    slope = (grad(of_norm)(start + step) - grad(of_norm)(start - step)) / 2e-4
    torch.testing.assert_close(hessian(of_norm)(start)[:, 1], slope, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(jvp(of_norm, (start,), (step,))[1], grad(of_norm)(start) @ step)


def test_second_derivatives_through_the_kernels_are_refused():
    loss = MODEL(ROW.ids, ROW.cu_seqlens).square().sum()
    with pytest.raises(UserError, match="create_graph=True asks for second ones"):
        torch.autograd.grad(loss, list(MODEL.parameters()), create_graph=True, allow_unused=True)


@pytest.mark.parametrize("made", [torch.export.export, torch.jit.trace])
def test_a_model_of_packed_rows_is_not_exported(made):
    with pytest.raises(UserError, match="cannot be exported or traced"):
        made(MODEL, (ROW.ids, ROW.cu_seqlens))
