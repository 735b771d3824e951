"""All backends of the gated delta rule against its recurrence in float64: outputs, states, all gradients."""

import inspect
from functools import partial

import pytest
import torch

from lifecode.errors import UserError
from lifecode.ops import gated_delta_rule
from tests.support.delta_rule_cases import (
    NAMES,
    assert_all_close,
    case,
    differentiate,
    needs_cuda,
    random_inputs,
    reference,
)

LENGTHS = (1, 2, 3, 63, 64, 65, 100, 500)

# TF32, in which a GPU multiplies the float32 inputs of `fla`, keeps 11 bits: its bound is not a measured one.
BACKENDS = [
    pytest.param("chunked", "cpu", torch.float64, 1e-12, id="chunked"),
    pytest.param("native", "cpu", torch.float32, 2e-6, id="native"),
    pytest.param("chunked", "cuda", torch.float64, 1e-12, id="chunked-cuda", marks=needs_cuda),
    pytest.param("fla", "cuda", torch.float32, 1e-2, id="fla-cuda", marks=needs_cuda),
]


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("packed", [False, True], ids=["batch", "packed"])
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize(("backend", "device", "dtype", "tolerance"), BACKENDS)
def test_equals_recurrent(backend, device, dtype, tolerance, length, packed, reverse):
    inputs, borders = case(length, packed)
    actual = differentiate(inputs, borders, reverse, backend, dtype, device=device)
    assert_all_close(actual, reference(reverse, length, packed), tolerance)


@pytest.mark.parametrize(
    ("backend", "device", "tolerance"),
    [
        ("chunked", "cpu", 1e-5),
        ("native", "cpu", 1e-5),
        pytest.param("chunked", "cuda", 1e-5, marks=needs_cuda),
        pytest.param("fla", "cuda", 1e-2, marks=needs_cuda),
    ],
)
@pytest.mark.parametrize("decay", ["strong", "none", "mild"])
def test_any_decay_in_float32(backend, device, tolerance, decay):
    inputs, borders = case(150, True, decay)
    actual = differentiate(inputs, borders, False, backend, torch.float32, device=device)
    assert_all_close(actual, reference(False, 150, True, decay), tolerance)


@pytest.mark.parametrize(
    ("backend", "dtype", "tolerance"), [("chunked", torch.float64, 1e-12), ("native", torch.float32, 1e-5)]
)
@pytest.mark.parametrize("reverse", [False, True])
def test_write_strengths_of_up_to_two(backend, dtype, tolerance, reverse):
    """Above 1 the transition of the state has a negative eigenvalue."""
    (*others, strength), borders = case(150, True, "mild")
    inputs = [*others, 2 * strength]
    assert float(inputs[-1].max()) > 1.5
    actual = differentiate(inputs, borders, reverse, backend, dtype)
    assert_all_close(actual, differentiate(inputs, borders, reverse, "recurrent"), tolerance)


@pytest.mark.parametrize(
    ("keys", "values"), [(1, 1), (3, 5), (16, 32), (24, 40), (24, 48), (40, 80), (12, 20)]
)
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_native_at_any_head_size_and_number_of_threads(keys, values, threads, monkeypatch):
    # Not `set_num_threads`: it rebuilds torch's own pool, which later tests would run on.
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    inputs, _ = case(70, False, "mixed", keys, values, 1, 1)
    actual = differentiate(inputs, None, True, "native", torch.float32)
    assert_all_close(actual, reference(True, 70, False, "mixed", keys, values, 1, 1), 1e-5)


@pytest.mark.parametrize("backend", ["recurrent", "chunked", "native"])
def test_bf16_inputs_keep_a_float32_state(backend):
    inputs, _ = case(200, False, "mild")
    rounded = [x.bfloat16() for x in inputs]
    actual = differentiate(rounded, None, False, backend, torch.bfloat16)
    expected = differentiate([x.double() for x in rounded], None, False, "recurrent")
    assert actual[0].dtype == torch.bfloat16
    assert actual[1].dtype == torch.float32
    state = expected[1]
    torch.testing.assert_close(actual[1].double(), state, rtol=0, atol=1e-5 * float(state.abs().max()))
    # Outputs and gradients are rounded to 8 bits, once.
    for x, y in zip(actual, expected, strict=True):
        torch.testing.assert_close(x.double(), y, rtol=2**-8, atol=1e-5 * float(y.abs().max()))


@needs_cuda
def test_fla_in_bfloat16_on_cuda():
    (q, k, v, *rest), borders = case(200, True, "mild")
    inputs = [*(x.bfloat16().double() for x in (q, k, v)), *rest]
    actual = differentiate(inputs, borders, True, "fla", torch.bfloat16, torch.float32, "cuda")
    assert_all_close(actual, differentiate(inputs, borders, True, "recurrent"), 2e-2)


NORM_EPS = 1e-3
NORMALISING = partial(gated_delta_rule, norm_eps=NORM_EPS)


@pytest.mark.parametrize("backend", ["recurrent", "chunked", "native"])
@pytest.mark.parametrize(("keys", "values"), [(8, 16), (24, 48), (7, 20)])
@pytest.mark.parametrize("reverse", [False, True])
def test_queries_and_keys_normalised_inside(backend, keys, values, reverse):
    """Equals the recurrence in float64 on what plain torch has normalised, with all gradients."""
    (q, k, *others), borders = case(90, True, "mild", keys, values)
    lengths = torch.rand(2, *q.shape[:3], 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    inputs = [(3 * q * lengths[0]).float().double(), (3 * k * lengths[1]).float().double(), *others]

    def normalised(q, k, *operands, **options):
        q, k = (x / (x.square().sum(-1, keepdim=True) + NORM_EPS).sqrt() for x in (q, k))
        return gated_delta_rule(q, k, *operands, **options)

    expected = differentiate(inputs, borders, reverse, "recurrent", rule=normalised)
    found = differentiate(inputs, borders, reverse, backend, torch.float32, rule=NORMALISING)
    assert_all_close(found, expected, 2e-5)


@pytest.mark.parametrize("threads", [1, 5])
@pytest.mark.parametrize(("keys", "values"), [(24, 48), (7, 20), (32, 64)])
def test_native_reads_and_writes_bfloat16(keys, values, threads, monkeypatch):
    """What comes out is rounded to 8 bits once; where heads are split, parts and their sum are."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    inputs, borders = case(90, True, "mild", keys, values)
    inputs = [*(x.bfloat16().double() for x in inputs[:3]), *inputs[3:]]
    expected = differentiate(inputs, borders, False, "recurrent", rule=NORMALISING)
    found = differentiate(inputs, borders, False, "native", torch.bfloat16, torch.float32, rule=NORMALISING)
    kinds = [torch.bfloat16, torch.float32] + [torch.bfloat16] * 3 + [torch.float32] * 3
    assert [x.dtype for x in found] == kinds
    for x, y in zip(found, expected, strict=True):
        lost = 2**-8 if x.dtype == torch.bfloat16 else 0
        close = 1e-5 if threads == 1 else lost or 1e-5
        torch.testing.assert_close(x.double(), y, rtol=lost, atol=close * float(y.abs().max()))


def test_an_epsilon_that_is_not_positive():
    inputs = random_inputs(5)
    with pytest.raises(UserError, match="norm_eps must be positive, not 0"):
        gated_delta_rule(*inputs, norm_eps=0.0)


@pytest.mark.parametrize("backend", ["chunked", "native"])
def test_equals_transformers(backend):
    modelling = pytest.importorskip("transformers.models.qwen3_next.modeling_qwen3_next")
    inputs, _ = case(130, False, "mild")
    inputs = [x.float() for x in inputs]
    # Where flash-linear-attention is installed, transformers puts its CUDA kernel in the place of this name.
    expected = inspect.unwrap(modelling.torch_chunk_gated_delta_rule)(
        *inputs[:3], g=inputs[3], beta=inputs[4], initial_state=inputs[5], output_final_state=True
    )
    actual = gated_delta_rule(*inputs[:5], initial_state=inputs[5], return_state=True, backend=backend)
    for x, y in zip(actual, expected, strict=True):
        torch.testing.assert_close(x, y, rtol=0, atol=1e-5 * float(y.abs().max()))


@pytest.mark.parametrize("backend", ["recurrent", "chunked"])
@pytest.mark.parametrize("reverse", [False, True])
def test_gradcheck(backend, reverse):
    inputs, borders = case(9, True, "mild", 2, 3)
    inputs = [x.clone().requires_grad_() for x in inputs]

    def run(q, k, v, g, beta, state):
        return gated_delta_rule(
            q,
            k,
            v,
            g,
            beta,
            cu_seqlens=torch.tensor(borders),
            reverse=reverse,
            initial_state=state,
            return_state=True,
            backend=backend,
        )

    assert torch.autograd.gradcheck(run, inputs)


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("backend", ["recurrent", "chunked", "native"])
@pytest.mark.parametrize("decay", [-20.0, -40.0, -80.0, -200.0])
def test_the_gradient_of_a_decay_that_forgets_nearly_everything(backend, decay, reverse):
    """It is as small as exp(g); what the large gradients beside it leave of rounding would be larger."""
    inputs, borders = case(100, True, "mild")
    g = inputs[3].clone()
    g[:, 1::3] = decay
    inputs = (*inputs[:3], g, *inputs[4:])
    at = NAMES.index("g")
    expected = differentiate(inputs, borders, reverse, "recurrent")[at][:, 1::3]
    found = differentiate(inputs, borders, reverse, backend, torch.float32)[at][:, 1::3].double()
    smallest = 2.0**-126  # below it float32 loses digits, and the gradient at -200 is zero
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * float(expected.abs().max()) + smallest)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["chunked", "native"])
def test_long_sequence_does_not_drift(backend):
    inputs, _ = case(6000, False, "mild", 8, 16, 1, 1)
    actual = differentiate(inputs, None, False, backend, torch.float32)
    assert_all_close(actual, reference(False, 6000, False, "mild", 8, 16, 1, 1), 1e-5)
