"""What the gated delta rule promises beyond its numbers: isolation, backends, errors, threads."""

import itertools
import logging
import math
import multiprocessing
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import torch.nn.functional as F

from lifecode.errors import UserError
from lifecode.ops import gated_delta_rule
from lifecode.ops.cpu import workers
from lifecode.ops.delta_rule import boundary as delta_rule
from lifecode.ops.delta_rule import fla as delta_rule_fla
from lifecode.ops.segments import reverse_segments_index
from tests.support.delta_rule_cases import needs_cuda

CPU_BACKENDS = ["recurrent", "chunked", "native"]

# What holds bit for bit on a device holds there whatever the precision of its products.
EXACT_BACKENDS = [
    *((backend, "cpu") for backend in CPU_BACKENDS),
    *(pytest.param(backend, "cuda", marks=needs_cuda) for backend in ("chunked", "fla")),
]


def random_inputs(length=90, batch=1, heads=2, keys=8, values=16, seed=0, device="cpu"):
    torch.manual_seed(seed)
    shape = (batch, length, heads)
    q, k = (F.normalize(torch.randn(*shape, keys), dim=-1) for _ in range(2))
    return [x.to(device) for x in (q, k, torch.randn(*shape, values), -torch.rand(shape), torch.rand(shape))]


@pytest.mark.parametrize("backend", CPU_BACKENDS)
def test_one_dimension_by_hand(backend):
    v = torch.tensor([2.0, 4.0, 8.0]).view(1, 3, 1, 1)
    ones, half = torch.ones(1, 3, 1, 1), torch.full((1, 3, 1), 0.5)
    output, state = gated_delta_rule(ones, ones, v, half.log(), half, return_state=True, backend=backend)
    # S_t = 0.5 * 0.5 S_{t-1} + 0.5 v_t
    torch.testing.assert_close(output.flatten(), torch.tensor([1.0, 2.25, 4.5625]))
    torch.testing.assert_close(state.flatten(), torch.tensor([4.5625]))
    backwards = gated_delta_rule(ones, ones, v, half.log(), half, reverse=True, backend=backend)
    torch.testing.assert_close(backwards.flatten(), torch.tensor([1.75, 3.0, 4.0]))


@pytest.mark.parametrize("backend", CPU_BACKENDS)
def test_a_key_written_again_is_overwritten(backend):
    k = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]).view(1, 3, 1, 2)
    q = torch.tensor([2.0, 1.0]).expand(1, 3, 1, 2)
    v = torch.tensor([3.0, 5.0, 7.0]).view(1, 3, 1, 1)
    output = gated_delta_rule(q, k, v, torch.zeros(1, 3, 1), torch.ones(1, 3, 1), scale=0.5, backend=backend)
    torch.testing.assert_close(output.flatten(), torch.tensor([3.0, 5.5, 9.5]))


@pytest.mark.parametrize("backend", CPU_BACKENDS)
def test_default_scale_is_that_of_the_key_size(backend):
    inputs = random_inputs(5)
    expected = gated_delta_rule(*inputs, scale=1.0, backend=backend) / math.sqrt(8)
    torch.testing.assert_close(gated_delta_rule(*inputs, backend=backend), expected)


@pytest.mark.parametrize(("backend", "device"), EXACT_BACKENDS)
@pytest.mark.parametrize("reverse", [False, True])
def test_segments_are_isolated_exactly(backend, device, reverse):
    cu_seqlens = torch.tensor([0, 30, 30, 50, 90], device=device)

    def run(disturbed):
        inputs = random_inputs(device=device)
        inputs[2][:, 30:50] += disturbed
        inputs[0][:, 30:50] -= disturbed
        inputs = [x.requires_grad_() for x in inputs]
        output = gated_delta_rule(*inputs, cu_seqlens=cu_seqlens, reverse=reverse, backend=backend)
        output.square().sum().backward()
        return output.detach(), *(x.grad for x in inputs)

    for quiet, loud, broken in zip(run(0.0), run(3.0), run(math.nan), strict=True):
        others = torch.cat([torch.arange(30), torch.arange(50, 90)])
        assert torch.equal(quiet[:, others], loud[:, others])
        assert torch.equal(quiet[:, others], broken[:, others])
        assert not torch.equal(quiet[:, 30:50], loud[:, 30:50])
        assert broken[:, 30:50].isnan().any()


@pytest.mark.parametrize(("backend", "device"), EXACT_BACKENDS)
def test_gradient_across_segments_is_exactly_zero(backend, device):
    inputs = [x.requires_grad_() for x in random_inputs(device=device)]
    output = gated_delta_rule(*inputs, cu_seqlens=torch.tensor([0, 40, 90], device=device), backend=backend)
    for gradient in torch.autograd.grad(output[:, 40:].sum(), inputs):
        assert torch.equal(gradient[:, :40], torch.zeros_like(gradient[:, :40]))
        assert gradient[:, 41:].abs().sum() > 0


@pytest.mark.parametrize("backend", CPU_BACKENDS)
def test_packed_equals_alone(backend):
    inputs, cu_seqlens = random_inputs(), [0, 1, 30, 90]
    packed, states = gated_delta_rule(
        *inputs, cu_seqlens=torch.tensor(cu_seqlens), return_state=True, backend=backend
    )
    for segment, (start, end) in enumerate(itertools.pairwise(cu_seqlens)):
        alone = gated_delta_rule(*(x[:, start:end] for x in inputs), return_state=True, backend=backend)
        torch.testing.assert_close(packed[:, start:end], alone[0])
        torch.testing.assert_close(states[segment : segment + 1], alone[1])


@pytest.mark.parametrize(("backend", "device"), EXACT_BACKENDS)
@pytest.mark.parametrize("borders", [None, [0, 17, 90]])
def test_reverse_is_flip_run_flip(backend, device, borders):
    inputs = random_inputs(device=device)
    cu_seqlens = None if borders is None else torch.tensor(borders, device=device)
    index = reverse_segments_index(torch.tensor(borders or [0, 90], device=device), 90)
    options = {"cu_seqlens": cu_seqlens, "return_state": True, "backend": backend}
    flipped, flipped_state = gated_delta_rule(*(x[:, index] for x in inputs), **options)
    output, state = gated_delta_rule(*inputs, reverse=True, **options)
    assert torch.equal(output, flipped[:, index])
    assert torch.equal(state, flipped_state)


@pytest.mark.parametrize(("backend", "device"), EXACT_BACKENDS)
def test_nothing_to_do(backend, device):
    inputs = [x.requires_grad_() for x in random_inputs(0, device=device)]
    start = torch.randn(2, 2, 8, 16, requires_grad=True, device=device)
    cu_seqlens = torch.tensor([0, 0, 0], device=device)
    output, state = gated_delta_rule(
        *inputs, cu_seqlens=cu_seqlens, initial_state=start, return_state=True, backend=backend
    )
    assert output.shape == (1, 0, 2, 16)
    assert torch.equal(state, start)
    state.sum().backward()
    assert torch.equal(start.grad, torch.ones_like(start))


@pytest.mark.parametrize("backend", CPU_BACKENDS)
def test_autocast_does_not_lower_the_precision(backend):
    inputs = random_inputs()
    with torch.autocast("cpu", torch.bfloat16):
        output = gated_delta_rule(*inputs, backend=backend)
    assert torch.equal(output, gated_delta_rule(*inputs, backend=backend))


@pytest.mark.parametrize("backend", CPU_BACKENDS)
def test_the_named_backend_runs(backend, monkeypatch):
    ran = []
    original = delta_rule._run

    def watched(name):
        ran.append(name)
        return original(name)

    monkeypatch.setattr(delta_rule, "_run", watched)
    gated_delta_rule(*random_inputs(3), backend=backend)
    assert ran == [backend]
    module = original(backend).__module__
    assert module == f"lifecode.ops.delta_rule_{backend}"


def test_auto_takes_the_compiled_kernel_and_says_so_once(caplog):
    delta_rule._automatic.cache_clear()
    with caplog.at_level(logging.INFO, logger="lifecode.ops.delta_rule.boundary"):
        names = [delta_rule.resolve_backend("auto", "cpu", torch.float32) for _ in range(3)]
    assert names == ["native"] * 3
    assert [r.getMessage() for r in caplog.records] == [
        "gated delta rule on cpu in torch.float32: backend native"
    ]
    assert delta_rule.resolve_backend("auto", "cpu", torch.bfloat16) == "native"
    assert delta_rule.resolve_backend("auto", "cpu", torch.float64) == "chunked"
    assert delta_rule.resolve_backend("auto", "mps", torch.float32) == "chunked"


def test_auto_takes_fla_on_cuda_where_it_can(monkeypatch):
    delta_rule._automatic.cache_clear()
    monkeypatch.setattr(delta_rule, "fla_problem", lambda key_size: None)
    assert delta_rule.resolve_backend("auto", "cuda", torch.bfloat16) == "fla"
    assert delta_rule.resolve_backend("auto", "cuda", torch.float64) == "chunked"
    delta_rule._automatic.cache_clear()
    monkeypatch.setattr(delta_rule, "fla_problem", lambda key_size: "it cannot be imported")
    assert delta_rule.resolve_backend("auto", "cuda", torch.bfloat16) == "chunked"
    delta_rule._automatic.cache_clear()


def test_auto_without_numba_takes_the_chunked_one(monkeypatch):
    delta_rule._automatic.cache_clear()
    monkeypatch.setattr(delta_rule, "numba_problem", lambda: "Numba cannot be imported (none)")
    assert delta_rule.resolve_backend("auto", "cpu", torch.float32) == "chunked"
    with pytest.raises(UserError, match="backend 'native' cannot run: Numba cannot be imported"):
        gated_delta_rule(*random_inputs(3), backend="native")
    delta_rule._automatic.cache_clear()


def change(position, function):
    def apply(inputs):
        inputs[position] = function(inputs[position])
        return inputs

    return apply


@pytest.mark.parametrize(
    ("prepare", "options", "message"),
    [
        (change(0, lambda q: q[0]), {}, r"q must have shape \[B, T, H, K\], not \[90, 2, 8\]"),
        (change(1, lambda k: k[..., :4]), {}, r"k must have shape \[1, 90, 2, 8\] .*not \[1, 90, 2, 4\]"),
        (change(2, lambda v: v[:, :5]), {}, r"v must have shape \[1, 90, 2, 16\] .*not \[1, 5, 2, 16\]"),
        (change(3, lambda g: g[..., None]), {}, r"g must have shape \[1, 90, 2\]"),
        (change(4, lambda b: b.long()), {}, "beta must be a floating-point tensor, not torch.int64"),
        (change(1, lambda k: k.double()), {}, "q, k and v must share one floating dtype"),
        (None, {"cu_seqlens": torch.tensor([0, 50, 40, 90])}, "segment 1 runs from 50 to 40"),
        (None, {"cu_seqlens": torch.tensor([0, 50])}, "must end at the row's length 90, not at 50"),
        (None, {"cu_seqlens": torch.tensor([1, 90])}, "must start at 0, not at 1"),
        (None, {"cu_seqlens": torch.tensor([0.0, 90.0])}, "must be int32 or int64, not torch.float32"),
        (None, {"cu_seqlens": torch.tensor(90)}, r"must have shape \(segments \+ 1,\), not \(\)"),
        (None, {"initial_state": torch.zeros(1, 2, 8, 8)}, r"must have shape \[1, 2, 8, 16\]"),
        (None, {"backend": "triton"}, "backend 'triton' is unknown. Use one of auto, recurrent"),
        (None, {"backend": "fla"}, "'fla' cannot run: it needs CUDA tensors, these are on cpu"),
    ],
)
def test_errors_say_what_is_wrong(prepare, options, message):
    inputs = random_inputs()
    with pytest.raises(UserError, match=message):
        gated_delta_rule(*(prepare(inputs) if prepare else inputs), **options)


def test_packing_needs_one_row():
    with pytest.raises(UserError, match="cu_seqlens needs one packed row, B = 1, not B = 2"):
        gated_delta_rule(*random_inputs(batch=2), cu_seqlens=torch.tensor([0, 90]))


def test_native_refuses_float64():
    with pytest.raises(UserError, match="computes in float32, the inputs are float64"):
        gated_delta_rule(*(x.double() for x in random_inputs()), backend="native")


def test_fla_has_no_kernel_for_large_keys(monkeypatch):
    delta_rule._automatic.cache_clear()
    monkeypatch.setattr(delta_rule_fla, "fla_kernel_problem", lambda *kernel: None)
    assert delta_rule.resolve_backend("auto", "cuda", torch.bfloat16, 256) == "fla"
    assert delta_rule.resolve_backend("auto", "cuda", torch.bfloat16, 257) == "chunked"
    with pytest.raises(UserError, match="'fla' cannot run: it takes keys of at most 256 features, not 257"):
        delta_rule.resolve_backend("fla", "cuda", torch.bfloat16, 257)
    delta_rule._automatic.cache_clear()


def test_native_from_several_threads_at_once():
    inputs = random_inputs(400, batch=2)
    expected = gated_delta_rule(*inputs, backend="native")

    def train(_):
        leaves = [x.clone().requires_grad_() for x in inputs]
        output = gated_delta_rule(*leaves, backend="native")
        output.sum().backward()
        return output.detach(), leaves[3].grad

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(train, range(16)))
    assert all(torch.equal(output, expected) for output, _ in results)
    assert all(torch.equal(gradient, results[0][1]) for _, gradient in results)


def test_native_in_inference_mode():
    with torch.inference_mode():
        inputs = random_inputs()
        output = gated_delta_rule(*inputs, cu_seqlens=torch.tensor([0, 40, 90]), backend="native")
    expected = gated_delta_rule(*random_inputs(), cu_seqlens=torch.tensor([0, 40, 90]), backend="recurrent")
    torch.testing.assert_close(output, expected)


def run_in_child(queue):
    # As a DataLoader worker does; torch's own threads do not survive a fork either.
    torch.set_num_threads(1)
    assert workers._pool is None
    queue.put(gated_delta_rule(*random_inputs(), backend="native").double().sum().item())


@pytest.mark.skipif(sys.platform != "linux", reason="fork is the default on Linux only")
def test_native_after_a_fork():
    expected = gated_delta_rule(*random_inputs(), backend="native").double().sum().item()
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=run_in_child, args=(queue,))
    child.start()
    child.join(30)
    child.kill()
    assert child.exitcode == 0
    assert queue.get() == expected


SCRIPT = """
import torch
from lifecode.ops import gated_delta_rule
from lifecode.ops.delta_rule.backward import backward
from lifecode.ops.delta_rule.forward import forward
x = [torch.rand(1, 5, 1, 8, requires_grad=True) for _ in range(3)]
gated_delta_rule(*x, -torch.rand(1, 5, 1), torch.rand(1, 5, 1), backend="native").sum().backward()
print(sum(forward.stats.cache_misses.values()) + sum(backward.stats.cache_misses.values()))
"""


@pytest.mark.slow
def test_the_second_process_compiles_nothing():
    runs = [
        subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert runs[1].stdout.strip() == "0"
