"""`lifecode score` and `track`, killed in a record, between records and beside the rename of the output."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.support.repository import ROOT
from tests.support.small_models import small_model

pytestmark = pytest.mark.slow
PLACES = (340, 343, 346, 350, 100, 120, 140)
SCORE = ["score", "input=v.tsv", "genome=small.gbk", "checkpoint=model", "on_mismatch=skip", "quantile=true"]
TRACK = ["track", "input=small.gbk", "checkpoint=model", "method=masked", "region=NC_000913.3:337-380"]
OUTPUTS = {"a.vcf.gz": SCORE, "b.parquet": SCORE, "c.bw": TRACK, "d.bedgraph": TRACK}


def test_killed_at_any_moment_they_are_the_outputs_without_kills(small_genome, tmp_path):
    small_model(hybrid_ratio="1:1").save_pretrained(tmp_path / "model")
    (tmp_path / "small.gbk").write_bytes(small_genome.read_bytes())
    pairs = [(place, ref, alt) for place in PLACES for ref, alt in ("AC", "CA", "GT", "TG")]
    rows = "".join(f"NC_000913.3\t{place}\t{ref}\t{alt}\n" for place, ref, alt in pairs)
    (tmp_path / "v.tsv").write_text(f"chrom\tpos\tref\talt\n{rows}")
    program = [sys.executable, "-m", "tests.programs.killed_outputs", str(tmp_path), json.dumps(OUTPUTS)]
    threads = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    done = subprocess.run(
        program, cwd=ROOT, env={**os.environ, **threads}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    found = {name: one for line in lines for name, one in line.items()}
    assert found.keys() == OUTPUTS.keys()
    killed = [-signal.SIGKILL] * 4
    for name, one in found.items():
        last = 2 if OUTPUTS[name] is SCORE else 0  # which says that the output is there; a track has others
        assert one["codes"] == [0, *killed, last], (name, done.stderr)
        assert one["there"] == [False, False, False, True]
        assert one["same"], name
        assert one["hidden"] == []
        assert one["passes"] > 8
        assert one["more"] <= 4, name  # of the record that was cut short and of its batch
