"""`lifecode prepare`: sequence files to a corpus, with a census of what was found and what was left out."""

from omegaconf import DictConfig
from rich import print as print_table

from lifecode.commands.construct import checked_value, construct
from lifecode.commands.preparation_progress import PreparationProgress
from lifecode.data.census import census_table
from lifecode.data.prepare import prepare_corpus
from lifecode.report.corpus import write_corpus_report


def run(config: DictConfig) -> None:
    """Prepare the corpus and print its census."""
    seed = checked_value(config, "seed", int)
    with PreparationProgress() as progress:
        corpus = prepare_corpus(
            checked_value(config, "input", str | list[str]),
            checked_value(config, "output", str),
            split=construct(config.data.split),
            reading=construct(config.data.reading, seed=seed),
            seed=seed,
            require_pairs=checked_value(config, "data.require_pairs", bool),
            engine=construct(config.engine),
            progress=progress,
        )
    print_table(census_table(corpus.report))
    print(
        f"\nThe corpus is in {corpus.folder} (report.json has these counts, manifest.json what it is made of)"
    )
    print(f"The report is in {write_corpus_report(corpus)}")
