"""Run folders as `lifecode train` leaves them, without the training."""

import json

import yaml

SWEEP = {"model.hybrid_ratio": ["12:0", "11:1", "0:12"], "seed": ["0", "1"]}
"""What `make_sweep` was asked to vary."""


def make_run(
    folder, *, seed=0, value=3.9, accuracy=0.1, finished=True, provenance=None, steps=8, speed=5000.0, **model
):
    """A run folder as `lifecode train` leaves it, with these held-out figures."""
    folder.mkdir(parents=True)
    config = {
        "name": "x",
        "run_dir": str(folder),
        "input": "ecoli",
        "seed": seed,
        "model": {"hybrid_ratio": "12:0", "codec": {"stride": 1}, **model},
        "optim": {"tokenizer": {"total_steps": 5}, "encoder": {"total_steps": 8}},
        "data": {"batch": {"rows": 2, "max_codons": 1024}},
        "trainer": {"max_steps": None, "num_workers": seed},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    with (folder / "metrics.csv").open("w") as file:
        file.write("step,stage,split,name,value\n")
        for step in range(steps):
            file.write(f"{step},encoder,train,mlm,{4 - step / 10}\n")
            if step % 4 == 3:
                file.write(f"{step},encoder,validation,masked_codon_cross_entropy,{4 - step / 10 + seed}\n")
    if provenance is not None:
        (folder / "provenance.json").write_text(json.dumps(provenance))
    if finished:
        figures = {"masked_codon_cross_entropy": value, "masked_translation_accuracy": accuracy}
        metrics = {
            "split": {"name": "test"},
            "data": {"nucleotides": 1000, "pairs": {"kept": 10}, "splits": {"test": {"cds": 4 + seed}}},
            "model": {
                "parts": {"encoder layers": 1000, "protein decoder": 5},
                "encoder_steps": 8,
                "threads": 2,
            },
            "heldout": {name: {"value": x, "n": 100} for name, x in figures.items()},
            "baselines": {"codon_unigram": {"value": 3.9 + seed / 10, "n": 100}},
            "timing": {"seconds": 60.0, "nucleotides_per_second": speed},
        }
        (folder / "metrics.json").write_text(json.dumps(metrics))
    return folder


def started(ratio, seed, runs_at_a_time=1):
    """The provenance of one run of a sweep."""
    return {
        "command": "lifecode train -m experiment=hybrid_ratio",
        "varied": {"model.hybrid_ratio": ratio, "seed": str(seed)},
        "sweep": SWEEP,
        "runs_at_a_time": runs_at_a_time,
        "version": "0.1.0",
        "commit": "abc",
        "machine": {"name": "a cpu", "usable_cores": 2},
    }


def make_sweep(folder):
    """12:0 with two seeds, 11:1 with one of two, 0:12 not begun."""
    for seed, value in ((0, 3.80), (1, 3.90)):
        run = {"seed": seed, "value": value, "accuracy": 0.10 + seed / 100, "hybrid_ratio": "12:0"}
        make_run(folder / f"12-0,seed={seed}", provenance=started("12:0", seed), **run)
    late = {"hybrid_ratio": "11:1", "value": 3.75, "accuracy": 0.12, "speed": 4000.0}
    make_run(folder / "11-1,seed=0", provenance=started("11:1", 0), **late)
    make_run(
        folder / "11-1,seed=1",
        seed=1,
        hybrid_ratio="11:1",
        finished=False,
        steps=3,
        provenance=started("11:1", 1),
    )
    return folder
