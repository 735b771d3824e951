"""`lifecode prepare`: sequence files to a corpus, with a census of what was found and what was left out."""

from typing import Any

from omegaconf import DictConfig
from rich import print as print_table

from lifecode.app.configs.construct import checked_value, construct
from lifecode.data.batches.mixture import Mixture
from lifecode.data.corpus.prepare import prepare_corpus
from lifecode.data.corpus.shards import CDS
from lifecode.data.reading.dry_reading import read_without_writing
from lifecode.data.reading.lines import how_read_lines, left_out_lines
from lifecode.data.statistics.census import census_table
from lifecode.report.corpus.page import write_corpus_report
from lifecode.verbs.prepare.preparation_progress import PreparationProgress


def run(config: DictConfig) -> None:
    """Prepare the corpus and print its census."""
    seed = checked_value(config, "seed", int)
    reading = construct(config.data.reading, seed=seed)
    if checked_value(config, "dry", bool):
        with PreparationProgress() as progress:
            report = read_without_writing(checked_value(config, "input", str | list[str]), reading, progress)
        _print_reading(report)
        print("\nNothing was written (dry=true)")
        return
    mixture: Mixture = construct(config.data.mixture)
    with PreparationProgress() as progress:
        corpus = prepare_corpus(
            checked_value(config, "input", str | list[str]),
            checked_value(config, "output", str),
            split=construct(config.data.split),
            reading=reading,
            seed=seed,
            require_pairs=checked_value(config, "data.require_pairs", bool),
            engine=construct(config.engine),
            progress=progress,
        )
    _print_reading(corpus.report)
    print(f"\n{training_line(corpus.report, mixture, mixture.codons_of_pass(corpus.segments(CDS, 'train')))}")
    print(
        f"\nThe corpus is in {corpus.folder} (report.json has these counts, manifest.json what it is made of)"
    )
    print(f"The report is in {write_corpus_report(corpus)}")


def _print_reading(report: dict[str, Any]) -> None:
    """How the files were read, the census, and what was left out; what one may copy is in plain lines."""
    if lines := how_read_lines(report):
        print("\n".join(lines), end="\n\n")
    print_table(census_table(report))
    if lines := list(left_out_lines(report)):
        print("\nLeft out, where it is more than 1 % of the CDS, with the first of each:")
        print("\n".join(lines))


def training_line(report: dict[str, Any], mixture: Mixture, cds_codons: int) -> str:
    """What training would read: shares of the codons, and how often each kind while the rarest is read once.

    Args:
        report: `Corpus.report`.
        mixture: weights of the kinds.
        cds_codons: of one pass over the coding sequences, `Mixture.codons_of_pass`.
    """
    train = report["splits"]["train"]
    codons = {
        "cds": cds_codons,
        "dna": train["dna_nucleotides"] // 3,
        "rna": train["rna_nucleotides"] // 3,
    }
    shares = mixture.shares([kind for kind, number in codons.items() if number])
    if not shares:
        return "Training with this data.mixture would find nothing to read"
    rarest = min(shares, key=lambda kind: shares[kind] / codons[kind])
    once = shares[rarest] / codons[rarest]
    read = ", ".join(
        f"{share:.1%} {kind} ({share / codons[kind] / once:.3g} x)" for kind, share in shares.items()
    )
    absent = sorted(set(mixture.kinds) - shares.keys())
    lacking = f"; the corpus lacks {', '.join(absent)}" if absent else ""
    again = "".join(
        f"; a pass over cds reads {name} {n} x" for name, n in (mixture.cds_repeats or {}).items()
    )
    if mixture.temperature != 1:
        again += f"; a pass over cds reads small files more often (temperature {mixture.temperature:g})"
    return f"data.mixture has training read {read} while it reads all {rarest} once{again}{lacking}"
