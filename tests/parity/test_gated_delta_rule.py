"""All backends of the gated delta rule against its recurrence in float64: outputs, states, all gradients."""

from functools import cache

import pytest
import torch
import torch.nn.functional as F

from lifecode.ops import gated_delta_rule

NAMES = ("output", "state", "q", "k", "v", "g", "beta", "initial_state")
LENGTHS = (1, 2, 3, 63, 64, 65, 100, 500)


def borders_of(length, packed):
    """Segments of unequal lengths, an empty one among them."""
    inner = sorted({length // 7, length // 3, length // 3 + 1, length - 1} & set(range(length)))
    return (0, *inner, *inner[-1:], length) if packed else None


@cache
def case(length, packed, decay="mixed", keys=8, values=16, heads=2, batch=2, start=True):
    random = torch.Generator().manual_seed(length)
    batch = 1 if packed else batch

    def normal(*shape):
        return torch.randn(shape, generator=random, dtype=torch.float64).float().double()

    def uniform(*shape):
        return torch.rand(shape, generator=random, dtype=torch.float64).float().double()

    shape = (batch, length, heads)
    g = -0.3 * uniform(*shape)
    if decay == "mixed":
        g[:, ::5], g[:, 1::5] = -50.0, 0.0
    elif decay == "strong":
        g[:] = -50.0
    elif decay == "none":
        g[:] = 0.0
    beta = uniform(*shape)
    beta[:, ::4], beta[:, 1::4] = 1e-4, 1 - 1e-4
    borders = borders_of(length, packed)
    states = (len(borders) - 1 if borders else batch, heads, keys, values)
    q, k = (F.normalize(normal(*shape, keys), dim=-1).float().double() for _ in range(2))
    initial = normal(*states) if start else torch.zeros(states, dtype=torch.float64)
    return (q, k, normal(*shape, values), g, beta, initial), borders


def differentiate(inputs, borders, reverse, backend, dtype=torch.float64):
    """Output, final state and the gradients of a fixed weighted sum of both."""
    inputs = [x.detach().clone().to(dtype).requires_grad_() for x in inputs]
    cu_seqlens = None if borders is None else torch.tensor(borders, dtype=torch.int32)
    output, state = gated_delta_rule(
        *inputs[:5],
        cu_seqlens=cu_seqlens,
        reverse=reverse,
        initial_state=inputs[5],
        return_state=True,
        backend=backend,
    )
    random = torch.Generator().manual_seed(1)
    # Numbers that bf16 holds exactly, so that every dtype differentiates the same sum.
    weights = [torch.randn(x.shape, generator=random).bfloat16() for x in (output, state)]
    torch.autograd.backward([output, state], [w.to(x) for w, x in zip(weights, (output, state), strict=True)])
    return [output.detach(), state.detach(), *(x.grad for x in inputs)]


@cache
def reference(reverse, *case_args, **case_kwargs):
    inputs, borders = case(*case_args, **dict(case_kwargs))
    return differentiate(inputs, borders, reverse, "recurrent")


def assert_all_close(actual, expected, tolerance):
    for name, x, y in zip(NAMES, actual, expected, strict=True):
        bound = tolerance * max(1.0, float(y.abs().max())) if y.numel() else 0.0
        torch.testing.assert_close(x.double(), y, rtol=0, atol=bound, msg=lambda m, name=name: f"{name}: {m}")


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("packed", [False, True], ids=["batch", "packed"])
@pytest.mark.parametrize("length", LENGTHS)
def test_chunked_equals_recurrent(length, packed, reverse):
    inputs, borders = case(length, packed)
    actual = differentiate(inputs, borders, reverse, "chunked")
    assert_all_close(actual, reference(reverse, length, packed), 1e-12)


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("packed", [False, True], ids=["batch", "packed"])
@pytest.mark.parametrize("length", LENGTHS)
def test_native_equals_recurrent(length, packed, reverse):
    inputs, borders = case(length, packed)
    actual = differentiate(inputs, borders, reverse, "native", torch.float32)
    assert_all_close(actual, reference(reverse, length, packed), 2e-6)


@pytest.mark.parametrize("backend", ["chunked", "native"])
@pytest.mark.parametrize("decay", ["strong", "none", "mild"])
def test_any_decay_in_float32(backend, decay):
    inputs, borders = case(150, True, decay)
    actual = differentiate(inputs, borders, False, backend, torch.float32)
    assert_all_close(actual, reference(False, 150, True, decay), 1e-5)


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
    torch.testing.assert_close(actual[1].double(), expected[1], rtol=1e-5, atol=1e-5)
    # Outputs and gradients are rounded to 8 bits, once.
    for x, y in zip(actual, expected, strict=True):
        torch.testing.assert_close(x.double(), y, rtol=2**-8, atol=1e-3)


@pytest.mark.parametrize("backend", ["chunked", "native"])
def test_equals_transformers(backend):
    modelling = pytest.importorskip("transformers.models.qwen3_next.modeling_qwen3_next")
    inputs, _ = case(130, False, "mild")
    inputs = [x.float() for x in inputs]
    expected = modelling.torch_chunk_gated_delta_rule(
        *inputs[:3], g=inputs[3], beta=inputs[4], initial_state=inputs[5], output_final_state=True
    )
    actual = gated_delta_rule(*inputs[:5], initial_state=inputs[5], return_state=True, backend=backend)
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


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


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["chunked", "native"])
def test_long_sequence_does_not_drift(backend):
    inputs, _ = case(6000, False, "mild", 8, 16, 1, 1)
    actual = differentiate(inputs, None, False, backend, torch.float32)
    assert_all_close(actual, reference(False, 6000, False, "mild", 8, 16, 1, 1), 1e-5)
