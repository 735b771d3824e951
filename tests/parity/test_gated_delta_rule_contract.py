"""What the gated delta rule promises beyond its numbers: isolation, backends, errors, threads."""

import logging
import math
import multiprocessing
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from lifecode.errors import UserError
from lifecode.ops import gated_delta_rule
from lifecode.ops.cpu import workers
from lifecode.ops.delta_rule import boundary as delta_rule
from lifecode.ops.delta_rule import fla as delta_rule_fla
from tests.support import delta_rule_contract as contract
from tests.support.delta_rule_cases import needs_cuda, random_inputs

CPU_BACKENDS = ["recurrent", "chunked", "native"]

# What holds bit for bit on a device holds there whatever the precision of its products.
EXACT_BACKENDS = [
    *((backend, "cpu") for backend in CPU_BACKENDS),
    *(pytest.param(backend, "cuda", marks=needs_cuda) for backend in ("chunked", "fla")),
]


@pytest.mark.parametrize("backend", CPU_BACKENDS)
def test_one_dimension_by_hand(backend):
    contract.one_dimension_by_hand(backend)


@pytest.mark.parametrize("backend", CPU_BACKENDS)
def test_a_key_written_again_is_overwritten(backend):
    contract.a_key_written_again_is_overwritten(backend)


@pytest.mark.parametrize("backend", CPU_BACKENDS)
def test_default_scale_is_that_of_the_key_size(backend):
    inputs = random_inputs(5)
    expected = gated_delta_rule(*inputs, scale=1.0, backend=backend) / math.sqrt(8)
    torch.testing.assert_close(gated_delta_rule(*inputs, backend=backend), expected)


@pytest.mark.parametrize(("backend", "device"), EXACT_BACKENDS)
@pytest.mark.parametrize("reverse", [False, True])
def test_segments_are_isolated_exactly(backend, device, reverse):
    contract.segments_are_isolated_exactly(backend, device, reverse)


@pytest.mark.parametrize(("backend", "device"), EXACT_BACKENDS)
def test_gradient_across_segments_is_exactly_zero(backend, device):
    contract.gradient_across_segments_is_exactly_zero(backend, device)


@pytest.mark.parametrize("backend", CPU_BACKENDS)
def test_packed_equals_alone(backend):
    contract.packed_equals_alone(backend)


@pytest.mark.parametrize(("backend", "device"), EXACT_BACKENDS)
@pytest.mark.parametrize("borders", [None, [0, 17, 90]])
def test_reverse_is_flip_run_flip(backend, device, borders):
    contract.reverse_is_flip_run_flip(backend, device, borders)


@pytest.mark.parametrize(("backend", "device"), EXACT_BACKENDS)
def test_nothing_to_do(backend, device):
    contract.nothing_to_do(backend, device)


@pytest.mark.parametrize("backend", CPU_BACKENDS)
def test_autocast_does_not_lower_the_precision(backend):
    contract.autocast_does_not_lower_the_precision(backend)


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
    assert module == f"lifecode.ops.delta_rule.{backend}"


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
