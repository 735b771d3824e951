"""`make bench-train`: peers, operations, steps, what follows from the times, figures, and the command."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import contenders, train
from benchmarks.measuring.command import Results, composed, main
from benchmarks.measuring.machine import Machine
from benchmarks.measuring.measurement import Measurement
from benchmarks.train import TrainingBenchmark
from benchmarks.training.learners import LifeCodeLearner, PeerLearner
from benchmarks.training.peers import PEERS, Peer, PeerSize, build_peer, counted_parameters
from benchmarks.training.throughput_figures import throughput_by_length, throughput_by_ratio
from benchmarks.training.training_flops import forward_flops, training_flops
from benchmarks.training.training_step import TrainingStep, sequences_a_step
from lifecode.app.configs.construct import construct
from lifecode.errors import UserError
from lifecode.models import LifeCode
from lifecode.models.layers.attention import SelfAttention
from lifecode.models.layers.gated_deltanet import GatedDeltaNet
from tests.support.repository import ROOT

MACHINE = Machine("cpu", 2, 2, 2**34, 0.1, "Linux x86_64", {}, "fp32", 100.0)
COMMAND = [sys.executable, "-m", "benchmarks.train"]
SMALL_MODEL = {
    "codec": {"nucleotide_dim": 16, "conv_channels": 8, "num_heads": 2, "translator_hidden": 16},
    "width": 16,
    "depth": 2,
    "hybrid_ratio": "1:1",
    "num_heads": 2,
    "attention_head_dim": 8,
}
SMALL_PEER = PeerSize(depth=2, width=16, head_dim=8, num_parameters=90_000, max_nucleotides=60)


@pytest.fixture(scope="module")
def mini():
    with torch.device("meta"):
        return construct(composed("train", []).model)


def benchmark(depth=2, **changes):
    ratio = f"0:{depth}"
    with torch.device("meta"):
        model = LifeCode.from_config({**SMALL_MODEL, "depth": depth, "hybrid_ratio": ratio})
    settings = {
        "model": model,
        "ratios": ["2:0", "1:1", "0:2"],
        "peers": ["bert_6nt"],
        "num_nucleotides": [1024, 4096],
        "nucleotides_per_step": 4096,
        "precision": "fp32",
        "repeats": 1,
        "max_seconds": 60.0,
        "threads": 1,
        "profile": False,
        "output": Path("out"),
    }
    return TrainingBenchmark(**settings | changes)


# Peers


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("max_nucleotides", [1024, 65536])
def test_peers_have_our_number_of_parameters(name, max_nucleotides, mini):
    wanted = sum(p.numel() for p in mini.parameters())
    with torch.device("meta"):
        peer = build_peer(PEERS[name], PeerSize(12, 128, 64, wanted, max_nucleotides))
    assert counted_parameters(peer) == pytest.approx(wanted, rel=0.01)
    every = sum(p.numel() for p in peer.parameters())
    positions = PEERS[name].num_tokens(max_nucleotides) * 128 if name.startswith("bert") else 0
    assert every - counted_parameters(peer) == positions


def test_a_peer_that_cannot_be_so_small_says_so():
    with pytest.raises(
        UserError, match=r"a bert of depth 12 and width 128 has 1,\d+,\d+ parameters and not 9"
    ):
        build_peer(PEERS["bert_6nt"], PeerSize(12, 128, 64, 900_000, 60))


def test_words_of_six_do_not_overlap():
    assert (PEERS["bert_6nt"].num_words, PEERS["bert_1nt"].num_words) == (4096, 4)
    assert PEERS["bert_6nt"].num_tokens(1024) == 171 + 2  # the last word is cut short
    assert PEERS["bert_1nt"].num_tokens(1024) == 1024 + 2
    assert PEERS["bert_6nt"].mask_id == 4096 + 5 - 1


# Learners


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_learns_masked_tokens_of_random_sequences(name):
    learner = PeerLearner(PEERS[name], SMALL_PEER)
    ids, labels = learner.batch(3, 60)
    assert ids.shape == labels.shape == (3, PEERS[name].num_tokens(60))
    masked = ids == PEERS[name].mask_id
    assert 0.05 < masked.float().mean() < 0.5
    assert (labels[masked] < PEERS[name].num_words).all()
    assert (labels[~masked] == -100).all()
    loss = learner.loss((ids, labels))
    uniform = torch.tensor(float(PEERS[name].num_words + 5)).log()
    assert loss.item() == pytest.approx(uniform.item(), rel=0.2)


def test_we_learn_masked_nucleotides_of_random_sequences():
    learner = LifeCodeLearner(SMALL_MODEL)
    batch = learner.batch(3, 100)
    assert batch.num_nucleotides == 3 * 102  # filled up to whole codons
    assert batch.cu_seqlens.tolist() == [0, 36, 72, 108]
    assert batch.nucleotide_selected.sum() > 20
    assert learner.loss(batch).item() == pytest.approx(torch.tensor(9.0).log().item(), rel=0.3)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_step_moves_the_weights_and_leaves_no_gradient(precision):
    torch.manual_seed(1)
    step = TrainingStep(lambda: LifeCodeLearner(SMALL_MODEL), 300, precision)
    facts = step.prepare(90)
    model = step.learner.model
    assert facts["parameters"] == sum(p.numel() for p in model.parameters())
    assert facts["position_parameters"] == 0
    assert len(step.batch.cu_seqlens) - 1 == 3
    before = [p.clone() for p in model.encoder.parameters()]
    step.run("step")
    assert all((p != q).any() for p, q in zip(before, model.encoder.parameters(), strict=True))
    assert all(p.grad is None for p in model.parameters())


def test_the_precision_is_that_of_the_products():
    seen = []
    for precision in ("fp32", "bf16"):
        step = TrainingStep(lambda: LifeCodeLearner(SMALL_MODEL), 90, precision)
        step.prepare(90)
        layer = step.learner.model.encoder.layers[0].feed_forward.up_proj
        layer.register_forward_hook(lambda module, args, output: seen.append(output.dtype))
        step.run("step")
    assert seen == [torch.float32, torch.bfloat16]


def test_a_profile_names_the_operators():
    step = TrainingStep(lambda: LifeCodeLearner(SMALL_MODEL), 90, "fp32")
    step.prepare(90)
    table = step.profile()
    assert "Self CPU" in table
    assert "aten::mm" in table


def test_sequences_fill_a_step():
    assert [sequences_a_step(n, 16384) for n in (1024, 16384, 65536)] == [16, 1, 1]
    assert [benchmark().nucleotides(n) for n in (1024, 3000, 65536)] == [4096, 3000, 65536]


# Operations


def test_operations_of_a_linear_layer_by_hand():
    layer = nn.Sequential(nn.Linear(3, 5), nn.ReLU())
    assert forward_flops(layer, lambda: layer(torch.zeros(2, 7, 3))) == 2 * 14 * 15
    assert training_flops(layer, lambda: layer(torch.zeros(2, 7, 3))) == 3 * 2 * 14 * 15
    assert not layer[0]._forward_hooks


def test_operations_of_attention_in_segments_by_hand():
    layer = SelfAttention(width=8, head_dim=4)
    borders = torch.tensor([0, 2, 6], dtype=torch.int32)
    projections = 2 * 6 * 4 * 64
    scores_and_values = 4 * 8 * (2**2 + 4**2)
    assert forward_flops(layer, lambda: layer(torch.zeros(6, 8), borders)) == projections + scores_and_values


@pytest.mark.parametrize(("direction", "readings"), [("forward", 1), ("both", 2)])
def test_operations_of_gated_deltanet_by_hand(direction, readings):
    layer = GatedDeltaNet(width=8, num_heads=2, key_dim=3, value_dim=6, direction=direction)
    borders = torch.tensor([0, 5], dtype=torch.int32)
    projections = 8 * (6 + 6 + 12 + 2 + 2 + 12 + 12)
    recurrence, convolutions = 6 * 2 * 3 * 6, 2 * 4 * (6 + 6 + 12)
    expected = 5 * (2 * projections + readings * (recurrence + convolutions))
    assert forward_flops(layer, lambda: layer(torch.zeros(5, 8), borders)) == expected


def test_a_window_bounds_what_a_position_attends_to():
    learner = PeerLearner(Peer("modernbert", 1), PeerSize(12, 128, 64, 3_000_000, 300))
    model = learner.model
    attention = [layer.attn for layer in model.model.layers]
    windows = [module.sliding_window for module in attention]
    assert windows[:4] == [None, 65, 65, None]
    operations = forward_flops(model, lambda: learner.loss(learner.batch(1, 300)))
    weights = sum(
        p.numel() for name, p in model.named_parameters() if p.dim() == 2 and "embeddings" not in name
    )
    tokens, words = 302, 9
    # The decoder's weights are those of the embeddings.
    linear = 2 * tokens * (weights + words * 128)
    assert operations == linear + 4 * 128 * tokens * (4 * tokens + 8 * 129)


def test_operations_agree_with_the_counter_of_torch():
    learner = PeerLearner(Peer("bert", 1), SMALL_PEER)
    learner.model.set_attn_implementation("eager")  # whose products the counter sees
    batch = learner.batch(2, 40)
    with FlopCounterMode(display=False) as counter:
        learner.loss(batch)
    assert forward_flops(learner.model, lambda: learner.loss(batch)) == counter.get_total_flops()


def test_operations_of_our_model_add_up():
    learner = LifeCodeLearner({**SMALL_MODEL, "hybrid_ratio": "0:2"})
    model, batch = learner.model, learner.batch(2, 60)
    codons = 2 * 22

    def matrices(part):
        return sum(p.numel() for p in part.parameters() if p.dim() >= 2)

    nucleotides = 3 * codons
    block = model.codec.tokenizer.block
    mixer = block.mixer
    linear = nucleotides * (matrices(model.codec.tokenizer) - model.codec.tokenizer.embedding.weight.numel())
    second_reading = nucleotides * sum(
        c.weight.numel() for c in (mixer.q_conv1d, mixer.k_conv1d, mixer.v_conv1d)
    )
    linear += second_reading + nucleotides * matrices(model.codec.detokenizer)
    linear += codons * (
        matrices(model.encoder.in_proj) + matrices(model.encoder.out_proj) + matrices(model.codon_projection)
    )
    linear += 2 * codons * matrices(model.encoder.layers)  # both strands
    recurrence = 2 * nucleotides * 6 * 2 * 6 * 12
    attention = 2 * 4 * 16 * 2 * (2 * 22**2)
    assert forward_flops(model, lambda: learner.loss(batch)) == 2 * linear + recurrence + attention


# Settings


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ratios": ["5:1"]}, r"a depth of 2 layers is no multiple of 5 \+ 1"),
        ({"ratios": [], "peers": []}, "must not be empty"),
        ({"num_nucleotides": [0]}, "must be positive"),
        ({"max_seconds": -1.0}, "max_seconds: must be positive"),
        ({"profile": True}, "profile: profiles the steps of 11:1. Have 11:1 among the ratios"),
    ],
)
def test_settings_that_make_no_benchmark(changes, said):
    with pytest.raises(UserError, match=said):
        benchmark(**changes)


def test_a_contender_has_its_ratio():
    learner = benchmark().learner("0:2")()
    assert isinstance(learner, LifeCodeLearner)
    assert isinstance(learner.model, LifeCode)
    assert learner.model.config["hybrid_ratio"] == "0:2"
    peer = benchmark().learner("bert_1nt")()
    assert isinstance(peer, PeerLearner)
    config = peer.model.config
    assert (config.num_hidden_layers, config.hidden_size, config.num_attention_heads) == (2, 16, 2)
    assert config.max_position_embeddings == 4096 + 2


# Table, lines, figures


def results(seconds, extrapolated=(), facts=None):
    """Results with these seconds by (contender, length)."""
    rows = [
        Measurement(
            name, length, "step", 1, "extrapolated" if (name, length) in extrapolated else "measured", s
        )
        for (name, length), s in seconds.items()
    ]
    return Results(MACHINE, rows, facts or {})


def test_throughput_and_share_by_hand():
    known = results({("1:1", 1024): 2.0}, facts={("1:1", 1024): {"flops": 50e9}})
    (record,) = benchmark().records(known)
    assert record["nucleotides_per_second"] == pytest.approx(2048)
    assert record["matmul_share"] == pytest.approx(0.25)  # 50 GFLOP in 2 s of 100 GFLOP/s


def test_the_four_comparisons_stand_under_the_table_if_their_points_exist():
    chosen = benchmark(
        depth=12,
        ratios=["12:0", "11:1", "0:12"],
        peers=[],
        num_nucleotides=[4096, 16384, 65536],
        nucleotides_per_step=16384,
    )
    seconds = {
        ("12:0", 4096): 1.0,
        ("11:1", 4096): 2.0,
        ("0:12", 4096): 3.0,
        ("11:1", 16384): 2.0,
        ("0:12", 16384): 9.0,
        ("12:0", 65536): 5.0,
    }
    known = results(seconds, extrapolated=[("0:12", 16384)])
    assert chosen.lines(known, chosen.records(known))[1:] == [
        "nucleotides/s of 11:1 at 4,096 over 0:12 at 4,096: 1.50",
        "nucleotides/s of 11:1 at 16,384 over 0:12 at 16,384: ~4.50",
        "nucleotides/s of 11:1 at 4,096 over 12:0 at 4,096: 0.50",
        "nucleotides/s of 12:0 at 65,536 over 12:0 at 4,096: 0.80",
    ]
    fewer = results({key: s for key, s in seconds.items() if key[0] != "0:12"})
    assert len(chosen.lines(fewer, chosen.records(fewer))) == 1 + 2


def test_figures_hold_the_numbers_and_hollow_markers_what_was_extrapolated():
    seconds = {("2:0", 1024): 1.0, ("2:0", 4096): 2.0, ("0:2", 1024): 4.0, ("0:2", 4096): 8.0}
    known = results(seconds, extrapolated=[("0:2", 4096)])
    speeds = benchmark().records(known)
    (axes,) = throughput_by_length(speeds, ["2:0", "1:1", "0:2"], ["bert_6nt"], [1024, 4096]).axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["Life-Code 2:0", "Life-Code 0:2"]  # the others have no point
    lines = [line for line in axes.get_lines() if len(line.get_xdata()) == 2]
    assert [line.get_xydata().tolist() for line in lines] == [
        [[1024, 4096], [4096, 2048]],
        [[1024, 1024], [4096, 512]],
    ]
    markers = [line for line in axes.get_lines() if len(line.get_xdata()) == 1]
    hollow = [line.get_markerfacecolor() == "white" for line in markers]
    assert hollow == [False, False, False, True]
    (axes,) = throughput_by_ratio(speeds, ["0:2", "2:0"], [1024, 4096]).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["2:0", "0:2"]
    assert axes.get_lines()[0].get_xydata().tolist() == [[0, 4096], [1, 1024]]


# The command


def test_missing_peers_are_one_line_and_left_out(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(contenders, "find_spec", lambda name: None)
    monkeypatch.setattr(train, "describe_machine", lambda threads, precision: MACHINE)
    arguments = ["ratios=[]", "num_nucleotides=[1024]", f"output={tmp_path}/out"]
    assert main("train", TrainingBenchmark, arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    said = "left out: transformers is not installed: pip install -e '.[bench]'"
    assert [line for line in lines if said in line] == [f"{name} {said}" for name in PEERS]
    assert sum("left out" in line for line in lines) == 2 * 4
    assert (tmp_path / "out/throughput_by_length.png").stat().st_size > 1000


@pytest.mark.slow
def test_the_command_measures_ratios_and_peers(tmp_path):
    small = ["num_nucleotides=[60,120]", "nucleotides_per_step=120", "repeats=1", "threads=1", "profile=true"]
    done = subprocess.run(
        [*COMMAND, *small, "ratios=[12:0,11:1]", "peers=[bert_6nt,modernbert_1nt]"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    folder = tmp_path / "bench/train"
    assert {path.name for path in folder.iterdir()} == {
        "measurements.csv",
        "benchmark.json",
        "profile.txt",
        "throughput_by_length.png",
        "throughput_by_ratio.png",
    }
    with (folder / "measurements.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows].count("measured") == len(rows) / 2 == 4 * 2
    figures = json.loads((folder / "benchmark.json").read_text())["points"]
    counts = [figure["parameters"] for figure in figures]
    assert max(counts) < 1.05 * min(counts)
    assert all(figure["flops"] > 1e8 and figure["nucleotides_per_second"] > 0 for figure in figures)
    assert "sequences of 120 nucleotides" in (folder / "profile.txt").read_text()
    assert "bert_6nt: 2,816 parameters of learned positions not counted" in done.stdout
