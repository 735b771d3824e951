"""`lifecode prepare`: sequence files to a corpus, with a census of what was found and what was left out."""

from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig

from lifecode.commands.construct import checked_value, construct
from lifecode.data.prepare import prepare_corpus


def run(config: DictConfig) -> None:
    """Prepare the corpus and print its census."""
    corpus = prepare_corpus(
        checked_value(config, "input", str | list[str]),
        checked_value(config, "output", str),
        split=construct(config.data.split),
        seed=checked_value(config, "seed", int),
        genetic_code=checked_value(config, "data.genetic_code", int),
        require_pairs=checked_value(config, "data.require_pairs", bool),
    )
    print(census(corpus.report))
    print(
        f"\nThe corpus is in {corpus.folder} (report.json has these counts, manifest.json what it is made of)"
    )


def census(report: Mapping[str, Any]) -> str:
    """A corpus report as a table."""
    pairs = report["pairs"]
    counts = [("contigs", report["contigs"]), ("nucleotides", report["nucleotides"])]
    counts += [("coding sequences", report["cds"]["total"]), ("  exact CDS-protein pairs", pairs["kept"])]
    counts += [(f"  rejected: {_words(reason)}", count) for reason, count in pairs["rejected"].items()]
    counts += [(f"  left out: {_words(reason)}", count) for reason, count in pairs["dropped"].items()]
    lines = [f"{name:<40} {count:>12,}" for name, count in counts]
    lines += ["", f"{'split':<12} {'CDS':>8} {'codons':>12} {'DNA regions':>12} {'nucleotides':>12}"]
    lines += [
        f"{name:<12} {split['cds']:>8,} {split['cds_codons']:>12,} "
        f"{split['dna_regions']:>12,} {split['dna_nucleotides']:>12,}"
        for name, split in report["splits"].items()
    ]
    return "\n".join(lines)


def _words(reason: str) -> str:
    return reason.replace("_", " ")
