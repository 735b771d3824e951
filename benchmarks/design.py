"""`python -m benchmarks.design`: codons of held-out genes, guessed by a model and by codon statistics."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from benchmarks.codon_recovery import DeNovo, LeftOut, de_novo, leave_one_out
from benchmarks.held_out_species import HeldOutSpecies, held_out_species
from benchmarks.measuring.command import composed, make_folder, progress_bar, settings
from lifecode.data.corpus.corpus import Corpus
from lifecode.design.host import counted
from lifecode.errors import UserError
from lifecode.evaluation.baselines import BothNeighbours
from lifecode.models.families import load


@dataclass(slots=True)
class DesignBenchmark:
    """What is measured; the keys of `conf/design.yaml`."""

    corpus: str
    checkpoint: str
    split: Literal["validation", "test"]
    num_genes: int
    num_designed: int
    max_codons: int
    stride: int
    passes: int
    mask_fraction: float
    seed: int
    output: Path

    def __post_init__(self) -> None:
        if min(self.num_genes, self.num_designed, self.max_codons, self.passes) < 1 or self.stride < 2:
            raise UserError(
                "num_genes, num_designed, max_codons and passes are at least 1, stride at least 2"
            )

    def measure(self) -> dict[str, Any]:
        """Figures by species; `design.json` grows species by species."""
        model = load(self.checkpoint)
        species = list(
            held_out_species(
                Corpus.open(self.corpus),
                model.training_genes,
                split=self.split,
                num_genes=self.num_genes,
                max_codons=self.max_codons,
                seed=self.seed,
            )
        )
        figures: dict[str, Any] = {}
        total = sum(len(one.genes) + len(one.genes[: self.num_designed]) for one in species)
        with progress_bar(total) as on_progress:
            for one in species:
                host = counted(list(one.training), one.genetic_code, one.name)
                neighbours = BothNeighbours(one.training)

                def done(label: str = one.name) -> None:
                    on_progress(label, 1)

                left_out = leave_one_out(model, one.genes, host, neighbours, self.stride, done)
                designed = one.genes[: self.num_designed]
                made = de_novo(model, designed, host, self.passes, self.mask_fraction, self.seed, done)
                figures[one.name] = _figures(one, left_out, made, len(designed))
                text = json.dumps(
                    {"settings": {**asdict(self), "output": str(self.output)}, "species": figures}, indent=2
                )
                (self.output / "design.json").write_text(text + "\n", encoding="utf-8")
        return figures


def _figures(
    one: HeldOutSpecies, left_out: dict[str, LeftOut], made: dict[str, DeNovo], num_designed: int
) -> dict[str, Any]:
    model = left_out["model"].top_1_by_gene
    return {
        "training_genes": len(one.training),
        "held_out_genes": one.num_held_out,
        "genes": len(one.genes),
        "designed": num_designed,
        "leave_one_out": {
            name: {
                "top_1": value.top_1,
                "perplexity": value.perplexity,
                "n": value.n,
                "model_minus_this_standard_error": _standard_error(model - value.top_1_by_gene),
            }
            for name, value in left_out.items()
        },
        "de_novo": {name: value._asdict() for name, value in made.items()},
    }


def _standard_error(differences: np.ndarray) -> float:
    """Of the mean over genes."""
    return (
        float(differences.std(ddof=1) / np.sqrt(len(differences))) if len(differences) > 1 else float("nan")
    )


def markdown(figures: dict[str, Any]) -> str:
    """Both tables."""
    lines = [
        "| Left out one at a time | Genes | Codons | Guess | Top-1 | Perplexity |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, one in figures.items():
        for guess, value in one["leave_one_out"].items():
            counts = f"{one['genes']} | {value['n']:,}"
            lines.append(
                f"| {name} | {counts} | {guess} | {value['top_1']:.1%} | {value['perplexity']:.3f} |"
            )
    lines += [
        "",
        "| From the protein alone | Genes | Codons | Design | Recovery | %MinMax r |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, one in figures.items():
        for guess, value in one["de_novo"].items():
            r = value["min_max_correlation"]
            told = "constant" if r is None else f"{r:.2f}"
            counts = f"{one['designed']} | {value['n']:,}"
            lines.append(f"| {name} | {counts} | {guess} | {value['recovery']:.1%} | {told} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; returns 0, or 2 after a mistake of the user."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if {"--help", "-h"} & set(arguments):
        print((Path(__file__).parent / "conf/design.yaml").read_text(encoding="utf-8"), end="")
        return 0
    try:
        benchmark = settings(DesignBenchmark, composed("design", arguments))  # pyright: ignore
        make_folder(benchmark.output)
        print(markdown(benchmark.measure()))
    except (UserError, HydraException, OmegaConfBaseException) as error:
        print(f"benchmarks.design: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print(f"\nEvery figure is in {benchmark.output}/design.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
