"""`make bench-embed`: the same genes for all, calls within the budget, and the command on a tiny model."""

import json

import pytest

from benchmarks.embedding.embed import (
    COMMAND,
    ESM2,
    FORWARD,
    TOKENS_PER_CALL,
    EmbedBenchmark,
    Esm2Embedding,
    genes_of,
)
from benchmarks.measuring.command import main
from tests.support.small_models import small_model


def test_every_protein_is_read_once_within_the_budget():
    workload, genes = Esm2Embedding("ecoli"), genes_of("ecoli", 60)
    assert workload.prepare(60) == {"codons": sum(len(gene.amino_acids) for gene in genes)}
    assert sum(len(tokens) for tokens, _ in workload.calls) == 60
    assert all(tokens.numel() <= TOKENS_PER_CALL for tokens, _ in workload.calls if len(tokens) > 1)
    without_stop = sum(len(gene.amino_acids) - 1 for gene in genes)
    assert sum(int(mask.sum()) for _, mask in workload.calls) == without_stop + 2 * 60


@pytest.mark.slow
def test_the_command(tmp_path, capsys):
    small_model().save_pretrained(tmp_path / "model")
    arguments = [f"checkpoint={tmp_path}/model", "genes=[3]", "repeats=1", f"output={tmp_path}/out"]
    assert main("embed", EmbedBenchmark, arguments) == 0
    points = json.loads((tmp_path / "out" / "benchmark.json").read_text())["points"]
    assert {point["contender"]: point["status"] for point in points} == dict.fromkeys(
        (COMMAND, FORWARD, ESM2), "measured"
    )
    assert f"3 genes: {COMMAND} takes" in capsys.readouterr().out
    assert main("embed", EmbedBenchmark, ["genes=[0]", f"output={tmp_path}/none"]) == 2
