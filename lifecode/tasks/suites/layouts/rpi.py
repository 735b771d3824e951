"""RNA-protein pairs as RPITER has them: `NAME_pairs.txt` of names, and FASTA files of both sides."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lifecode.tasks.pairs.pair_examples import KeepTogether
from lifecode.tasks.pairs.pair_task import PairTask
from lifecode.tasks.suites.benchmark import BenchmarkSet, PairSet, none_found

_SPLITS: Mapping[str, KeepTogether] = {"random": "pairs", "new_proteins": "first", "new_rnas": "second"}


@dataclass(frozen=True, slots=True)
class Rpi:
    """A folder of `RPI1807_pairs.txt`, `RPI1807_protein_seq.fa`, `RPI1807_rna_seq.fa` and the like."""

    def sets(self, root: Path) -> Mapping[str, BenchmarkSet]:
        """Such as `RPI1807.new_rnas`: each collection by random, new protein and new RNA folds; accuracy."""
        found: dict[str, BenchmarkSet] = {}
        for pairs in sorted(root.glob("RPI*_pairs.txt")):
            stem = pairs.name.removesuffix("_pairs.txt")
            for split, keep in _SPLITS.items():
                task = PairTask(
                    train=str(pairs),
                    columns=["protein", "rna", "label"],
                    first="protein",
                    second="rna",
                    label="label",
                    first_fasta=str(root / f"{stem}_protein_seq.fa"),
                    second_fasta=str(root / f"{stem}_rna_seq.fa"),
                    first_kind="protein",
                    second_kind="dna",
                    kind="binary",
                    metric="accuracy",
                    keep_together=keep,
                )
                found[f"{stem}.{split}"] = PairSet(name=f"{stem}.{split}", task=task)
        if not found:
            raise none_found(root, "RPI*_pairs.txt")
        return found
